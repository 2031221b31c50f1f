"""Tables that are the same for DuckDB, for the plain interpreter and for a catalog."""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.schema import (
    Boolean,
    Date,
    Decimal,
    Double,
    Enum,
    Integer,
    SqlType,
    TableSchema,
    Text,
    Timestamp,
    scale_of,
    text_words,
)
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable
from tests.plan.plain import Tables, answer

ROOT = Path(__file__).parents[2]
HEART = ROOT / "datasets" / "heart"
QUERIES = ROOT / "tests" / "queries"

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
"""Rows by owner, values as Python has them."""


@dataclass(frozen=True)
class World:
    """The same tables three times over: a catalog with the interpreter's data, and DuckDB."""

    catalog: Catalog
    tables: Tables
    duck: duckdb.DuckDBPyConnection

    def expected(self, sql: str) -> list[tuple[Any, ...]]:
        """DuckDB's answer."""
        return self.duck.execute(sql).fetchall()

    def actual(self, sql: str) -> list[tuple[Any, ...]]:
        """Our plan's answer."""
        return answer(compile_select(sql, self.catalog), self.tables)


def scaled(value: Any, type_: SqlType) -> int | None:
    """A Python value as the engine's integer."""
    if value is None:
        return None
    match type_:
        case Integer() | Boolean():
            return int(value)
        case Decimal(_, scale):
            return int(decimal.Decimal(value).scaleb(scale))
        case Double():
            return int(decimal.Decimal(repr(value)).scaleb(scale_of(type_)).to_integral_value(decimal.ROUND_HALF_UP))
        case Timestamp():
            assert isinstance(value, datetime.datetime)
            return (value - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
        case Date():
            assert isinstance(value, datetime.date)
            return (value - datetime.date(1970, 1, 1)).days
        case Enum(labels):
            return labels.index(value)
        case _:
            raise AssertionError(type_)


def build(ddl: str, data: Mapping[str, Rows]) -> World:
    """A world of the tables that `ddl` declares, with the rows of each owner."""
    duck = duckdb.connect()
    # a quotient over 0 is NULL for us; see docs/sql.md on differences
    duck.execute("SET error_on_division_by_zero = false")
    duck.execute("SET ieee_floating_point_ops = false")
    catalog = Catalog()
    tables: dict[str, dict[str, list[int | None]]] = {}
    for statement in parse_statements(ddl):
        assert isinstance(statement, CreateTable)
        schema, name = statement.schema, statement.schema.name
        rows = data.get(name, {})
        # DuckDB refuses what leaves 8 or 16 bits, where our integers are 64 bits wide
        # and computes with 7 digits of a REAL, where ours are DOUBLEs
        wide = re.sub(r"\bREAL\b", "DOUBLE", re.sub(r"\b(TINYINT|SMALLINT)\b", "INTEGER", statement.ddl))
        duck.execute(wide)
        catalog = catalog.with_table(schema, statement.ddl)
        for owner, owned in rows.items():
            catalog = catalog.with_fragment(name, Fragment(f"{name}-{owner}", owner, len(owned)))
        _fill(duck, name, rows, len(schema.columns))
        tables[name.lower()] = _stack(schema, rows)
    return World(catalog, tables, duck)


def _fill(duck: duckdb.DuckDBPyConnection, name: str, rows: Rows, width: int) -> None:
    """DuckDB's copy, with the owner as a text column."""
    flat = [row for owned in rows.values() for row in owned]
    if flat:
        duck.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * width)})", flat)
    duck.execute(f"ALTER TABLE {name} ADD COLUMN owner VARCHAR")
    start = 0
    for owner, owned in rows.items():
        duck.execute(f"UPDATE {name} SET owner = ? WHERE rowid >= ? AND rowid < ?", [owner, start, start + len(owned)])
        start += len(owned)


def _spelled(value: str | None, type_: Text) -> tuple[int | None, ...]:
    """A text's words; of NULL the first is, and the others are 0."""
    if value is None:
        return (None, *(0 for _ in type_.words[1:]))
    words = text_words(value, type_.length)
    assert words is not None and (value.isascii() or not type_.ascii)
    return words


def _stack(schema: TableSchema, rows: Rows) -> dict[str, list[int | None]]:
    owners = sorted(rows)
    flat = [(owner, row) for owner, owned in rows.items() for row in owned]
    columns: dict[str, list[int | None]] = {}
    for i, column in enumerate(schema.columns):
        if isinstance(column.type, Text):
            words = [_spelled(row[i], column.type) for _, row in flat]
            columns |= {part.name.lower(): [w[j] for w in words] for j, part in enumerate(column.stored)}
        else:
            columns[column.name.lower()] = [scaled(row[i], column.type) for _, row in flat]
    columns["owner"] = [owners.index(owner) for owner, _ in flat]
    return columns


def heart_world() -> World:
    """The heart data of four hospitals, and the one-row table of weights that another owner brings."""
    ddl = (HEART / "schema.sql").read_text() + MODEL
    hospitals = {path.stem: _read_csv(path, ddl) for path in sorted(HEART.glob("*.csv"))}
    weights = [tuple(map(decimal.Decimal, ("-2.5", "0.0312", "0.0021", "-0.0104", "0.75")))]
    return build(ddl, {"heart": hospitals, "model": {"university": weights}})


def heart_catalog() -> Catalog:
    """The catalog of heart_world(), without its rows."""
    catalog = Catalog()
    for statement in parse_statements((HEART / "schema.sql").read_text() + MODEL):
        assert isinstance(statement, CreateTable)
        catalog = catalog.with_table(statement.schema, statement.ddl)
    for owner, rows in (("budapest", 294), ("cleveland", 303), ("long_beach_va", 200), ("zurich_basel", 123)):
        catalog = catalog.with_fragment("heart", Fragment(f"heart-{owner}", owner, rows))
    return catalog.with_fragment("model", Fragment("model-university", "university", 1))


MODEL = """
CREATE TABLE model (
    b0      DECIMAL(8,4) NOT NULL CHECK (b0 BETWEEN -100 AND 100),
    age     DECIMAL(8,4) NOT NULL CHECK (age BETWEEN -10 AND 10),
    chol    DECIMAL(8,4) NOT NULL CHECK (chol BETWEEN -10 AND 10),
    thalach DECIMAL(8,4) NOT NULL CHECK (thalach BETWEEN -10 AND 10),
    oldpeak DECIMAL(8,4) NOT NULL CHECK (oldpeak BETWEEN -10 AND 10)
);
"""


def _read_csv(path: Path, ddl: str) -> list[tuple[Any, ...]]:
    """A CSV's rows, read by DuckDB into the declared types."""
    duck = duckdb.connect()
    duck.execute(ddl)
    duck.execute(f"COPY heart FROM '{path}' (HEADER)")
    return duck.execute("SELECT * FROM heart").fetchall()


def queries(path: Path) -> list[str]:
    """The statements of a file of queries; comments belong to the statement after them."""
    text = re.sub(r"^\s*--.*$", "", path.read_text(), flags=re.MULTILINE)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def assert_same(actual: Iterable[tuple[Any, ...]], expected: Iterable[tuple[Any, ...]], ordered: bool) -> None:
    """The same rows; DOUBLEs to 9 digits, the rest exactly; in the same order where the query orders them."""
    left, right = list(actual), list(expected)
    if not ordered:
        left, right = sorted(left, key=_any_order), sorted(right, key=_any_order)
    assert len(left) == len(right), (left[:5], right[:5])
    for a, b in zip(left, right, strict=True):
        assert len(a) == len(b)
        assert all(map(same_value, a, b)), (a, b)


def same_value(a: Any, b: Any) -> bool:
    """Equal, or as near as DOUBLEs are."""
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a is b if a is None or b is None else bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _any_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is None, f"{value:.6g}" if isinstance(value, float) else str(value)) for value in row)
