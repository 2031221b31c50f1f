"""Random tables in DuckDB and, loaded as an owner loads them, in a consortium."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from smpc_sql.owner import from_frame
from smpc_sql.testing import LockstepConsortium
from tests.random.schemas import Table


@dataclass(frozen=True)
class Twins:
    """The same tables twice."""

    duck: duckdb.DuckDBPyConnection
    consortium: LockstepConsortium

    def expected(self, sql: str) -> list[tuple[Any, ...]]:
        """DuckDB's answer; what is no number (0/0 in a regression) is NULL, as docs/sql.md says."""
        rows = self.duck.execute(sql).fetchall()
        return [tuple(None if isinstance(v, float) and not math.isfinite(v) else v for v in row) for row in rows]


def twins(tables: Sequence[Table], parties: int = 2) -> Twins:
    """Both, with the rows of the tables."""
    duck = duckdb.connect()
    # a quotient over 0 is NULL for us; see docs/sql.md on differences
    duck.execute("SET error_on_division_by_zero = false")
    duck.execute("SET ieee_floating_point_ops = false")
    consortium = LockstepConsortium(parties)
    for table in tables:
        # DuckDB refuses what leaves 8 bits, where our integers are 64 bits wide
        duck.execute(re.sub(r"\bTINYINT\b", "INTEGER", table.ddl))
        consortium.create(table.ddl)
        schema = consortium.catalog.table(table.name).schema
        for owner, rows in table.rows.items():
            frame = pd.DataFrame(rows, columns=[column.name for column in table.columns], dtype=object)
            consortium.load(table.name, from_frame(schema, frame), owner)
            if rows:
                duck.executemany(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.columns))})", rows)
    return Twins(duck, consortium)
