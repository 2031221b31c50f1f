"""TPC-H's tables and queries: the schema at a scale factor, the generator's rows, and which owner brings which."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".tpch"
"""Where generated rows are kept: a directory for each scale factor. Not part of the repository."""

OWNERS = ("east", "west")
QUERIES = tuple(range(1, 23))

_SCALED = re.compile(r"(\d+) /\* x SF \*/")


def schema(scale: float) -> str:
    """The CREATE TABLE statements, with the bounds of keys at a scale factor."""
    text = (HERE / "schema.sql").read_text(encoding="utf-8")
    return _SCALED.sub(lambda found: str(max(1, round(int(found[1]) * scale))), text)


def query(number: int) -> str:
    """A query's text, without the semicolon at its end."""
    return (HERE / "queries" / f"q{number:02}.sql").read_text(encoding="utf-8").strip().rstrip(";")


def tables(ddl: str) -> list[str]:
    """The names of all tables, in the order in which they are declared."""
    return re.findall(r"CREATE TABLE (\w+)", ddl)


def generated(scale: float, cache: Path = CACHE) -> Path:
    """The directory of one Parquet file for every table, from `tpchgen-cli`; what is there already is used again."""
    directory = cache / f"sf{scale:g}"
    if not (directory / "complete").exists():
        command = ["tpchgen-cli", "parquet", "-s", f"{scale:g}", f"--output-dir={directory}"]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError:
            raise SystemExit("tpchgen-cli is not installed: pip install 'smpc-sql[bench]'") from None
        (directory / "complete").touch()
    return directory


@dataclass(frozen=True, slots=True)
class Part:
    """The rows that an owner brings to a table: a CSV file with a header."""

    table: str
    owner: str
    path: Path


class Union:
    """All rows together in DuckDB: the judge of every answer."""

    def __init__(self, ddl: str) -> None:
        self.ddl = ddl
        self.connection = duckdb.connect()
        # a quotient over 0 is NULL for us; see docs/sql.md on differences
        self.connection.execute("SET error_on_division_by_zero = false")
        self.connection.execute("SET ieee_floating_point_ops = false")
        self.connection.execute(ddl)

    def columns(self, table: str) -> list[str]:
        """The columns that the schema declares."""
        return [name for name, *_ in self.connection.execute(f"DESCRIBE {table}").fetchall()]

    def fill(self, directory: Path, kind: str = "parquet") -> None:
        """Loads `<table>.<kind>` of a directory into every table."""
        for table in tables(self.ddl):
            names = ", ".join(self.columns(table))
            self.connection.execute(f"INSERT INTO {table} SELECT {names} FROM '{directory / table}.{kind}'")

    def split(self, into: Path) -> Iterator[Part]:
        """Every table's rows in turn to one owner and the other, as CSV files; tables of few rows have one owner."""
        for table in tables(self.ddl):
            (count,) = self.connection.execute(f"SELECT COUNT(*) FROM {table}").fetchall()[0]
            owners = OWNERS if count > len(OWNERS) * 16 else OWNERS[:1]
            for i, owner in enumerate(owners):
                path = into / f"{table}-{owner}.csv"
                mine = f"SELECT * FROM {table} WHERE rowid % {len(owners)} = {i} ORDER BY rowid"
                self.connection.execute(f"COPY ({mine}) TO '{path}' (HEADER)")
                yield Part(table, owner, path)
