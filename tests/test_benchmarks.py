"""The benchmarks run: on few rows, so that what they print is no figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers.table import Comparison, Figure

ROOT = Path(__file__).parents[1]


@pytest.mark.processes
@pytest.mark.parametrize(("module", "lines"), [("benchmarks.primitives", 12), ("benchmarks.queries", 9)])
def test_a_benchmark_prints_a_line_for_every_workload(module: str, lines: int) -> None:
    command = [sys.executable, "-m", module, "--rows", "1000", "--repeats", "1", "--parties", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    printed = done.stdout.splitlines()
    assert len(printed) == lines + 2, done.stdout
    assert all(len(line) == len(printed[2]) for line in printed[2:]), done.stdout


def test_the_table_of_peers_compares_medians_per_row() -> None:
    figures = {
        "sum": {
            "ours": Figure(1000, (3e-6, 1e-6, 2e-6)),
            "slow": Figure(100, (9e-7, 8e-7)),
            "broken": Figure(problem="does not start"),
        },
        "sort": {"ours": Figure(1000, (4e-6,)), "broken": Figure(problem="–")},
    }
    comparison = Comparison(figures, ["ours"])
    assert comparison.header() == ["per row", "ours", "slow", "broken"]
    assert comparison.cells() == [
        ["sum", "2.0 ns", "8.5 ns (4.2×) at 10²", "does not start"],
        ["sort", "4.0 ns", "–", "–"],
    ]
    assert comparison.markdown().splitlines()[2] == "| sum | 2.0 ns | 8.5 ns (4.2×) at 10² | does not start |"
    assert comparison.ratio("sum", "broken", "ours") is None
    assert json.loads(json.dumps(comparison.json()))["sum"]["ours"]["ns_per_row"] == pytest.approx(2.0)


@pytest.mark.processes
def test_peers_are_not_needed_to_measure_ours(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.peers",
        "--rows",
        "1000",
        "--repeats",
        "1",
        "--without",
        "crypten,mpyc,spu",
    ]
    subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    found = json.loads((tmp_path / "peers.json").read_text(encoding="utf-8"))
    assert len(found) == 8
    assert all(figure["ns_per_row"] > 0 for line in found.values() for figure in line.values()), found
