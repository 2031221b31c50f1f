"""A compare-filter-sum over links that delay every byte: seconds, and the round trips that were waited for.

    python -m benchmarks.latency [--rows 100000] [--milliseconds 20] [--repeats 3] [--without-spu]

All links (between parties, to the provider, from the analyst) lead through `benchmarks.relay`. A delay of 20 ms is each
way. Seconds with the delay less seconds without it, in delays, is what a query waits for: its rounds, and the messages
before and after them (the analyst's request and answer, the parties' agreement, the provider's first answer). Rounds
that the dry run predicts, as EXPLAIN prints them, are compared with those counted in the run: they must be equal.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Callable

import pandas as pd

from benchmarks.consortium import Running, consortium
from benchmarks.peers import systems, workloads

WORKLOAD = workloads.by_name("filter_sum")


def predicted_rounds(running: Running, sql: str) -> int:
    """What EXPLAIN says."""
    found = re.search(r"rounds: (\d+)", running.con.explain(sql))
    if found is None:
        raise ValueError("EXPLAIN names no rounds")
    return int(found.group(1))


def ours(rows: int, delay: float, repeats: int) -> tuple[float, int, int]:
    """Median seconds, rounds predicted, rounds counted. Raises ValueError if an answer is wrong."""
    sql = WORKLOAD.sql.format(t="t")
    with consortium(2, "curve", delay_milliseconds=delay) as running:
        running.con.execute(workloads.SCHEMA.format(t="t"))
        columns = workloads.columns(rows)
        running.con.load_df("t", pd.DataFrame(columns), owner="bench")
        seconds, counted = [], set()
        for _ in range(repeats + 1):
            found = running.con.sql(sql)
            if [int(row[0]) for row in found] != WORKLOAD.expected(columns):
                raise ValueError("the answer is wrong")
            seconds.append(found.stats.seconds)
            counted.add(found.stats.rounds)
        (rounds,) = counted
        return statistics.median(seconds[1:]), predicted_rounds(running, sql), rounds


def spu(rows: int, delay: float, repeats: int) -> float:
    """Median seconds. Raises Failed."""
    with systems.peer("spu", rows, delay_milliseconds=delay) as peer:
        found = [peer.seconds(WORKLOAD, rows) for _ in range(repeats + 1)]
    return statistics.median(found[1:])


def _line(name: str, measure: Callable[[float], float], milliseconds: float) -> None:
    near, far = measure(0.0), measure(milliseconds)
    delays = (far - near) / (milliseconds / 1000)
    print(f"{name:12}{near:14.3f}{far:14.3f}{delays:14.1f}", flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--milliseconds", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--without-spu", action="store_true")
    a = parser.parse_args()
    rounds: list[tuple[int, int]] = []

    def of_ours(delay: float) -> float:
        seconds, predicted, counted = ours(a.rows, delay, a.repeats)
        rounds.append((predicted, counted))
        return seconds

    print(f"{WORKLOAD.title}, {a.rows:,} rows, 2 parties; a delay is {a.milliseconds:g} ms, one way")
    print(f"{'':12}{'s, no delay':>14}{'s, delayed':>14}{'delays waited':>14}")
    _line("smpc_sql", of_ours, a.milliseconds)
    if not a.without_spu:
        try:
            _line("SPU", lambda delay: spu(a.rows, delay, a.repeats), a.milliseconds)
        except systems.Failed as problem:
            print(f"SPU does not take part: {problem}")
    for predicted, counted in rounds:
        print(
            f"rounds of ours: {predicted} predicted, {counted} counted{'' if predicted == counted else ': NOT EQUAL'}"
        )


if __name__ == "__main__":
    main()
