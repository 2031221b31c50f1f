"""The same workloads on smpc_sql and on its peers, in one run, alternating: medians, as a table of ratios.

    python -m benchmarks.peers [--only NAME,NAME] [--without NAME,NAME] [--repeats 5] [--rows N] [--out DIRECTORY]

Ours goes through the whole engine: SQL text in, answer out, the provider's work included, two parties and the provider
as separate processes, once over ipc and once over tcp with encryption. Of a peer the computation on inputs that are
shared already is timed, up to the revealed answer, between separate processes over loopback, after compiling and one
run that is not counted. Every answer of everybody is checked. --rows: at most so many rows for everybody.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from rich.console import Console

from benchmarks.consortium import cores
from benchmarks.peers import systems
from benchmarks.peers.install import RECIPES
from benchmarks.peers.systems import Failed, System
from benchmarks.peers.table import Comparison, Figure
from benchmarks.peers.workloads import WORKLOADS, Workload


def measure(workload: Workload, taking_part: list[System], repeats: int) -> dict[str, Figure]:
    """Everybody in turn, `repeats` times after a first one that is not counted."""
    figures = {system.title: Figure() for system in taking_part}
    for repeat in range(repeats + 1):
        for system in taking_part:
            before, rows = figures[system.title], system.rows(workload)
            if before.problem:
                continue
            if not rows:
                figures[system.title] = Figure(problem="–")
                continue
            try:
                seconds = system.seconds(workload, rows)
            except Failed as problem:
                figures[system.title] = Figure(rows, problem=str(problem))
                continue
            figures[system.title] = Figure(rows, (*before.seconds, seconds) if repeat else ())
    return figures


def main() -> None:
    """Measures, prints the table, writes `peers.json` and `peers.md`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="workloads: " + ",".join(w.name for w in WORKLOADS))
    parser.add_argument("--without", default="", help="systems: " + ",".join(["ipc", "tcp", *systems.SIZES]))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--out", type=Path, default=None)
    a = parser.parse_args()
    console = Console(highlight=False)
    only, without = (set(filter(None, text.split(","))) for text in (a.only, a.without))
    with contextlib.ExitStack() as stack:
        own: list[System] = [stack.enter_context(systems.ours(t, a.rows)) for t in ("ipc", "tcp") if t not in without]
        others: list[System] = []
        for recipe in RECIPES:
            if recipe.name not in without:
                try:
                    others.append(stack.enter_context(systems.peer(recipe.name, a.rows)))
                except Failed as problem:
                    console.print(f"{recipe.name} does not take part: {problem}")
        for system in (*own, *others):
            console.print(f"{system.title}: {system.note}")
        console.print(f"{cores()} cores; medians of {a.repeats}, everybody in turn")
        figures = {}
        for workload in WORKLOADS:
            if only and workload.name not in only:
                continue
            figures[workload.title] = line = measure(workload, [*own, *others], a.repeats)
            shown = ", ".join(f"{title} {f.nanoseconds:,.0f} ns" for title, f in line.items() if f.nanoseconds)
            console.print(f"{workload.title}: {shown}")
    comparison = Comparison(figures, [system.title for system in own])
    console.print(comparison.rich())
    if a.out is not None:
        a.out.mkdir(parents=True, exist_ok=True)
        (a.out / "peers.json").write_text(json.dumps(comparison.json(), indent=1) + "\n", encoding="utf-8")
        (a.out / "peers.md").write_text(comparison.markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
