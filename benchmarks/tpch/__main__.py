"""Seconds, rounds, bytes and memory of the 22 queries of TPC-H through the whole engine, and whether DuckDB agrees.

    python -m benchmarks.tpch [--queries 1,3] [--scale 0.01] [--parties 2] [--repeats 3]

Parties and provider are separate processes on this machine; two owners bring the rows of `tpchgen-cli`. Seconds are the
median of the repeats of the wall time that the analyst waits, after one run that is not counted if there are several.
Sent: by each party to the others; dealt: by the provider to all; memory: the most that a party ever held.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import smpc_sql
from benchmarks.tpch import data
from benchmarks.tpch.judge import difference
from smpc_sql.errors import SmpcError


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", default=",".join(map(str, data.QUERIES)))
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--parties", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    a = parser.parse_args()
    union = data.Union(data.schema(a.scale))
    union.fill(data.generated(a.scale))
    with smpc_sql.local(parties=a.parties, timeout_seconds=300) as con, tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        con.execute(union.ddl)
        rows = sum(con.load_csv(part.table, part.path, owner=part.owner) for part in union.split(Path(scratch)))
        seconds = time.perf_counter() - started
        print(f"{a.parties} parties and provider, SF {a.scale:g}: {rows:,} rows, loaded in {seconds:.1f} s")
        print(f"{'':>4}{'seconds':>9}{'rounds':>8}{'MB sent':>9}{'MB dealt':>10}{'MB held':>9}  answer", flush=True)
        total = sum(_measure(con, union, int(number), a.repeats) for number in a.queries.split(","))
        print(f"all {total:8.2f}")


def _measure(con: smpc_sql.Connection, union: data.Union, number: int, repeats: int) -> float:
    """Runs one query; its seconds."""
    sql, seconds = data.query(number), []
    try:
        for _ in range(repeats + (repeats > 1)):
            started = time.perf_counter()
            result = con.sql(sql)
            seconds.append(time.perf_counter() - started)
    except SmpcError as error:
        print(f"Q{number:<3}{'':45}  {type(error).__name__}: {error}", flush=True)
        return 0.0
    median = statistics.median(seconds[repeats > 1 :])
    stats = result.stats
    sent, dealt = max(stats.bytes_sent) / 1e6, stats.bytes_dealt / 1e6
    wrong = difference(union, sql, result.fetchall())
    answer = "equal" if wrong is None else f"DIFFERENT: {wrong}"
    print(f"Q{number:<3}{median:9.2f}{stats.rounds:8}{sent:9.1f}{dealt:10.1f}{_peak():9.0f}  {answer}", flush=True)
    return median


def _peak() -> float:
    """The most memory (MB) that any party has held since it started; 0 where the system does not tell."""
    return max((_status(path) for path in _parties()), default=0.0)


def _parties() -> Sequence[Path]:
    """The party processes that this process started, as Linux lists them."""
    children = Path("/proc/self/task").glob("*/children")
    numbers = [number for path in children for number in path.read_text().split()]
    found = [Path("/proc") / number for number in numbers]
    return [path for path in found if b"parties.compute" in (path / "cmdline").read_bytes()]


def _status(process: Path) -> float:
    peak = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
    return int(peak[1]) / 1e3 if peak else 0.0


if __name__ == "__main__":
    main()
