"""Where the time of each workload goes: PRG, arithmetic, socket, checksum, Python, waiting.

    python -m benchmarks.profile [--rows 1000000] [--parties 2] [--transport ipc] [--only NAME] [--repeats 3]

For a party and the provider, CPU seconds a query by kind of work, as shares of the query's wall time. A process has
several threads: shares may add up to more than all of it. Waiting is the rest of the wall time, if there is one: for
messages, or for a core. Arithmetic is numpy's work with the Python that drives it in protocols and operators; Python is
everything else: planning, the control loop, threads. Encryption lies in socket.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.consortium import Running, consortium
from benchmarks.peers import workloads
from benchmarks.sampling import KINDS


def _spent(path: Path, first: float, last: float) -> dict[str, float]:
    """CPU seconds by kind between two times, from the totals that the sampler wrote."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    before = [line for line in lines if line["at"] <= first][-1]
    after = next(line for line in lines if line["at"] >= last)
    return {kind: after[kind] - before[kind] for kind in KINDS}


Found = dict[str, tuple[float, dict[str, float]]]
"""By process: wall seconds of a query, and CPU seconds of it by kind."""


def profile(running: Running, files: dict[str, Path], sql: str, repeats: int) -> Found:
    """By process: wall seconds of a query, and CPU seconds of it by kind."""
    running.con.sql(sql)
    time.sleep(0.2)
    first = time.monotonic()
    for _ in range(repeats):
        running.con.sql(sql)
    last = time.monotonic()
    time.sleep(0.2)
    found = {}
    for name, path in files.items():
        spent = _spent(path, first, last)
        found[name] = ((last - first) / repeats, {kind: seconds / repeats for kind, seconds in spent.items()})
    return found


def _lines(title: str, found: Found, show: Callable[[str], bool]) -> list[str]:
    lines = []
    for name, (wall, spent) in found.items():
        if show(name):
            shares = [spent[kind] / wall for kind in KINDS]
            shares.append(max(0.0, 1 - sum(shares)))
            lines.append(f"{title:38}{name:10}{wall:8.3f}" + "".join(f"{share:11.0%}" for share in shares))
    return lines


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--parties", type=int, default=2)
    parser.add_argument("--transport", choices=("ipc", "tcp", "curve"), default="ipc")
    parser.add_argument("--only", default="")
    parser.add_argument("--repeats", type=int, default=3)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        files = {name: Path(directory) / name for name in ("provider", *(f"party{n + 1}" for n in range(a.parties)))}
        launchers = {name: ("-m", "benchmarks.sampling", str(path)) for name, path in files.items()}
        with consortium(a.parties, a.transport, launcher=launchers) as running:
            print(f"{a.parties} parties, {a.transport}, {a.rows:,} rows at most; shares of the wall time")
            titles = "".join(f"{kind:>11}" for kind in (*KINDS, "waiting"))
            print(f"{'':38}{'':10}{'wall s':>8}{titles}")
            loaded: set[int] = set()
            for workload in workloads.WORKLOADS:
                rows = min(a.rows, workload.rows)
                if a.only not in workload.name:
                    continue
                if rows not in loaded:
                    running.con.execute(workloads.SCHEMA.format(t=f"t{rows}"))
                    running.con.load_df(f"t{rows}", pd.DataFrame(workloads.columns(rows)), owner="bench")
                    loaded.add(rows)
                sql = workload.sql.format(t=f"t{rows}", half=rows // 2)
                found = profile(running, files, sql, a.repeats)
                shown = ("provider", f"party{a.parties}")
                print("\n".join(_lines(workload.title, found, shown.__contains__)), flush=True)


if __name__ == "__main__":
    main()
