"""Seconds, and ns and bytes per row, of queries through the whole engine: SQL text in, answer out.

    python -m benchmarks.queries [--parties 2] [--rows 1000000] [--repeats 5] [--only NAME]

Parties and provider are separate processes on this machine. A figure is the median of the repeats of the wall time that
the analyst waits, after one run that is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import pandas as pd

import smpc_sql

SCHEMA = """
CREATE TABLE t (
    x BIGINT NOT NULL CHECK (x BETWEEN 0 AND 1000000),
    y BIGINT NOT NULL CHECK (y BETWEEN 0 AND 1000),
    z INTEGER NOT NULL,
    w INTEGER NOT NULL,
    p BIGINT NOT NULL CHECK (p BETWEEN -4000000000000000000 AND 4000000000000000000),
    q BIGINT NOT NULL CHECK (q BETWEEN -4000000000000000000 AND 4000000000000000000),
    k TINYINT NOT NULL CHECK (k BETWEEN 0 AND 9)
);
CREATE TABLE visit (
    patient INTEGER NOT NULL CHECK (patient BETWEEN 0 AND 1000000),
    cost INTEGER NOT NULL CHECK (cost BETWEEN 0 AND 1000)
);
CREATE TABLE patient (
    patient INTEGER NOT NULL PRIMARY KEY CHECK (patient BETWEEN 0 AND 1000000),
    weight INTEGER NOT NULL CHECK (weight BETWEEN 0 AND 1000)
);
"""

QUERIES = {
    "count, compare with a constant, 32": "SELECT COUNT(*) FROM t WHERE z < 5",
    "count, compare two columns, 64": "SELECT COUNT(*) FROM t WHERE p < q",
    "count, equality of columns, 32": "SELECT COUNT(*) FROM t WHERE z = w",
    "inner product": "SELECT SUM(x * y) FROM t",
    "SUM(x*y) WHERE z < c": "SELECT SUM(x * y) FROM t WHERE z < 5",
    "GROUP BY 10 keys, SUM and COUNT": "SELECT k, SUM(x), COUNT(*) FROM t GROUP BY k",
}


SORTING = {
    "GROUP BY a secret key": "SELECT COUNT(*), MAX(s) FROM (SELECT SUM(cost) AS s FROM visit GROUP BY patient)",
    "JOIN on a unique key": "SELECT SUM(v.cost * p.weight) FROM visit v JOIN patient p ON v.patient = p.patient",
    "ORDER BY LIMIT 10": "SELECT cost FROM visit ORDER BY cost DESC, patient LIMIT 10",
    "MEDIAN": "SELECT MEDIAN(patient) FROM visit",
    "medians of secret groups": "SELECT SUM(m) FROM (SELECT QUANTILE_DISC(cost, 0.5) AS m FROM visit GROUP BY patient)",
    "running MAX": "SELECT SUM(m) FROM (SELECT MAX(cost) OVER (ORDER BY patient) AS m FROM visit)",
}
"""On a tenth of the rows: `visit`, and as many of `patient`."""


def _people(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(2)
    visits = {"patient": generator.integers(0, 1_000_001, rows), "cost": generator.integers(0, 1001, rows)}
    patients = {"patient": generator.permutation(1_000_001)[:rows], "weight": generator.integers(0, 1001, rows)}
    return pd.DataFrame(visits), pd.DataFrame(patients)


def _frame(rows: int) -> pd.DataFrame:
    draw = np.random.default_rng(1).integers
    return pd.DataFrame(
        {
            "x": draw(0, 1_000_001, rows),
            "y": draw(0, 1001, rows),
            "z": draw(-(2**31), 2**31, rows),
            "w": draw(-(2**31), 2**31, rows),
            "p": draw(-4 * 10**18, 4 * 10**18, rows),
            "q": draw(-4 * 10**18, 4 * 10**18, rows),
            "k": draw(0, 10, rows),
        }
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parties", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="")
    a = parser.parse_args()
    with smpc_sql.local(parties=a.parties) as con:
        con.execute(SCHEMA)
        started = time.perf_counter()
        con.load_df("t", _frame(a.rows), owner="bench")
        print(f"{a.parties} parties and provider, {a.rows:,} rows, loaded in {time.perf_counter() - started:.1f} s")
        print(f"{'':40}{'seconds':>9}{'ns':>8}{'bytes sent':>12}{'dealt':>8}{'rounds':>8}   per row")
        for title, sql in QUERIES.items():
            if a.only in title:
                _measure(con, title, sql, a.rows, a.repeats)
        few = a.rows // 10
        visits, patients = _people(few)
        con.load_df("visit", visits, owner="bench")
        con.load_df("patient", patients, owner="registry")
        for title, sql in SORTING.items():
            if a.only in title:
                _measure(con, f"{title}, {few:,} rows", sql, few, a.repeats)


def _measure(con: smpc_sql.Connection, title: str, sql: str, rows: int, repeats: int) -> None:
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        stats = con.sql(sql).stats
        seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds[1:])
    sent, dealt = max(stats.bytes_sent) / rows, stats.bytes_dealt / rows
    print(f"{title:40}{median:9.3f}{median / rows * 1e9:8.0f}{sent:12.1f}{dealt:8.1f}{stats.rounds:8}", flush=True)


if __name__ == "__main__":
    main()
