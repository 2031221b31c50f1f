"""Seconds and bytes as the rows grow, for 2 to 5 parties; a table, slopes, and a plot.

    python -m benchmarks.growth [--quick] [--parties 2,3,4,5] [--largest 10000000] [--results FILE] [--plot FILE.svg]

Every figure is kept in the results (a line of JSON each) as soon as it is measured: a run that is broken off goes on
where it was. Each is the median of 3 runs (1 from 10^6 rows on) after one that is not counted. The slope is that of the
logarithms from 10^5 rows on: 1 is linear. --quick: 10^3 to 10^5 rows, 2 and 3 parties. With ipc, as `local()` runs.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from benchmarks.consortium import Running, consortium
from benchmarks.peers import workloads
from benchmarks.svg import Curve, log_plot

QUERIES = {
    "filter-sum": (workloads.by_name("filter_sum").sql, 10**7),
    "group-by": (workloads.by_name("group").sql, 10**7),
    "sort": (workloads.by_name("sort").sql, 10**7),
}
"""SQL, and the most rows that it is measured on."""

_SLOPE_FROM = 10**5


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. sent: bytes of the party that sends most; dealt: bytes to all parties."""

    query: str
    parties: int
    rows: int
    seconds: float
    rounds: int
    sent: int
    dealt: int


def read(path: Path) -> list[Point]:
    """The points of a results file, none if it does not exist."""
    if not path.exists():
        return []
    return [Point(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Of the line of least squares through the logarithms of (x, y); None of fewer than two points."""
    if len(points) < 2:
        return None
    xs, ys = ([math.log(pair[place]) for pair in points] for place in range(2))
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def _measure(running: Running, parties: int, rows: int, queries: Sequence[str]) -> Iterator[Point]:
    table = f"t{rows}"
    running.con.execute(workloads.SCHEMA.format(t=table))
    running.con.load_df(table, pd.DataFrame(workloads.columns(rows)), owner="bench")
    for name in queries:
        sql = QUERIES[name][0].format(t=table, half=rows // 2)
        found = [running.con.sql(sql).stats for _ in range(4 if rows < 10**6 else 2)]
        seconds = statistics.median(one.seconds for one in found[1:])
        last = found[-1]
        yield Point(name, parties, rows, seconds, last.rounds, max(last.bytes_sent), last.bytes_dealt)
    running.con.execute(f"DROP TABLE {table}")


def table(points: Sequence[Point]) -> Iterator[str]:
    """Lines of text: a line for every point, and slopes behind each series."""
    titles = f"{'us/row':>9}{'B sent/row':>12}{'B dealt/row':>12}{'rounds':>8}"
    yield f"{'':12}{'parties':>8}{'rows':>12}{'seconds':>10}{titles}"
    for query in QUERIES:
        for parties in sorted({p.parties for p in points if p.query == query}):
            series = sorted((p for p in points if (p.query, p.parties) == (query, parties)), key=lambda p: p.rows)
            for p in series:
                each = f"{p.seconds / p.rows * 1e6:9.2f}{p.sent / p.rows:12.1f}{p.dealt / p.rows:12.1f}{p.rounds:8}"
                yield f"{p.query:12}{p.parties:8}{p.rows:12,}{p.seconds:10.3f}{each}"
            late = [p for p in series if p.rows >= _SLOPE_FROM] if len(series) > 3 else series
            slopes = [slope([(p.rows, v(p)) for p in late]) for v in (lambda p: p.seconds, lambda p: p.sent)]
            if None not in slopes:
                yield f"{'':12}{'':8}{'slope':>12}{slopes[0]:10.2f}{'':9}{slopes[1]:12.2f}"


def plot(points: Sequence[Point]) -> str:
    """Seconds over rows as SVG, a curve for each query and number of parties."""
    curves = []
    for query in QUERIES:
        for parties in sorted({p.parties for p in points if p.query == query}):
            series = sorted((p.rows, p.seconds) for p in points if (p.query, p.parties) == (query, parties))
            curves.append(Curve(query, f"{parties} parties", tuple(series)))
    return log_plot(curves, x="rows", y="seconds")


def main() -> None:
    """Measures what is missing, then prints and plots everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parties", default="2,3,4,5")
    parser.add_argument("--largest", type=int, default=10**7)
    parser.add_argument("--results", type=Path, default=Path("growth.jsonl"))
    parser.add_argument("--plot", type=Path, default=None)
    a = parser.parse_args()
    largest, counts = (10**5, "2,3") if a.quick else (a.largest, a.parties)
    for parties in map(int, counts.split(",")):
        have = {(p.query, p.rows) for p in read(a.results) if p.parties == parties}
        sizes = [10**power for power in range(3, 8) if 10**power <= largest]
        wanted = {n: [q for q, (_, most) in QUERIES.items() if n <= most and (q, n) not in have] for n in sizes}
        if not any(wanted.values()):
            continue
        with consortium(parties) as running:
            for rows, queries in wanted.items():
                for point in _measure(running, parties, rows, queries) if queries else ():
                    with a.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(point)) + "\n")
                    print(f"measured: {point}", flush=True)
    points = read(a.results)
    print("\n".join(table(points)))
    if a.plot is not None:
        a.plot.write_text(plot(points), encoding="utf-8")


if __name__ == "__main__":
    main()
