"""Peak memory of a party against the size of the columns that a query touches.

    python -m benchmarks.memory [--rows 1000000] [--parties 2] [--only NAME]

For every query a fresh consortium, whose tables hold nothing but the columns that the query reads. Idle: resident
memory after starting; stored: more after loading (8 bytes a value); peak: the most while the query ran, twice. The
ratio is peak less idle, stored shares included, by the columns' 8 bytes a value. Of the party that needs most.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.consortium import consortium

_TYPES = {
    "x": "BIGINT NOT NULL CHECK ({c} BETWEEN 0 AND 1000000)",
    "y": "BIGINT NOT NULL CHECK ({c} BETWEEN 0 AND 1000)",
    "z": "INTEGER NOT NULL CHECK ({c} BETWEEN -1073741824 AND 1073741823)",
    "k": "TINYINT NOT NULL CHECK ({c} BETWEEN 0 AND 9)",
    "id": "INTEGER NOT NULL PRIMARY KEY CHECK ({c} BETWEEN 0 AND 2000000)",
}


@dataclass(frozen=True, slots=True)
class Query:
    """tables: the columns of each; every table has all rows."""

    title: str
    tables: dict[str, Sequence[str]]
    sql: str


QUERIES = (
    Query("filter-sum", {"t": "xyz"}, "SELECT SUM(x * y) FROM t WHERE z < 5"),
    Query(
        "filter-sum, four conditions",
        {"t": "xyz"},
        "SELECT SUM(x * y) FROM t WHERE z < 5 AND x > y AND x < 900000 AND y <> 7",
    ),
    Query("group by 10 keys", {"t": "kx"}, "SELECT k, SUM(x), COUNT(*) FROM t GROUP BY k"),
    Query("sort", {"t": "z"}, "SELECT z FROM t ORDER BY z LIMIT 10"),
    Query("group by a secret key", {"t": "xy"}, "SELECT COUNT(*), MAX(s) FROM (SELECT SUM(y) AS s FROM t GROUP BY x)"),
    Query(
        "join on a unique key",
        {"t": ("x", "y"), "u": ("id", "z")},
        "SELECT SUM(t.y * u.z) FROM t JOIN u ON t.x = u.id",
    ),
)


def _frame(columns: Sequence[str], rows: int) -> pd.DataFrame:
    generator = np.random.default_rng(rows)
    made = {
        "x": lambda: generator.integers(0, 10**6 + 1, rows),
        "y": lambda: generator.integers(0, 1001, rows),
        "z": lambda: generator.integers(-(1 << 30), 1 << 30, rows),
        "k": lambda: generator.integers(0, 10, rows),
        "id": lambda: generator.permutation(2 * 10**6 + 1)[:rows],
    }
    return pd.DataFrame({name: made[name]() for name in columns})


def measure(query: Query, rows: int, parties: int) -> tuple[int, int, int, int]:
    """Bytes: of the columns; idle, stored and peak of the party that needs most."""
    with consortium(parties) as running:
        stations = [name for name in running.processes if name != "provider"]
        idle = running.memory()
        for table, columns in query.tables.items():
            declared = ", ".join(f"{c} {_TYPES[c].format(c=c)}" for c in columns)
            running.con.execute(f"CREATE TABLE {table} ({declared})")
            running.con.load_df(table, _frame(columns, rows), owner="bench")
        stored = running.memory()
        running.reset_memory()
        for _ in range(2):
            running.con.sql(query.sql)
        peak = running.peak_memory()
        worst = max(stations, key=lambda name: peak[name] - idle[name])
    touched = 8 * rows * sum(len(columns) for columns in query.tables.values())
    return touched, idle[worst], stored[worst], peak[worst]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--parties", type=int, default=2)
    parser.add_argument("--only", default="")
    a = parser.parse_args()
    print(f"{a.parties} parties, {a.rows:,} rows; MB of the party that needs most")
    print(f"{'':30}{'columns':>9}{'idle':>8}{'stored':>8}{'peak':>8}{'(peak - idle) / columns':>26}")
    for query in QUERIES:
        if a.only in query.title:
            touched, idle, stored, peak = measure(query, a.rows, a.parties)
            shown = "".join(f"{size / 1e6:8.0f}" for size in (idle, stored - idle, peak))
            print(f"{query.title:30}{touched / 1e6:9.0f}{shown}{(peak - idle) / touched:26.1f}", flush=True)


if __name__ == "__main__":
    main()
