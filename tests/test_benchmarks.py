"""The benchmarks run: on few rows, so that what they print is no figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import growth, latency, memory
from benchmarks.peers.table import Comparison, Figure

ROOT = Path(__file__).parents[1]


@pytest.mark.processes
@pytest.mark.parametrize(("module", "lines"), [("benchmarks.primitives", 12), ("benchmarks.queries", 12)])
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


@pytest.mark.processes
@pytest.mark.parametrize("milliseconds", [0.0, 10.0])
def test_the_rounds_of_a_run_are_those_of_the_dry_run(milliseconds: float) -> None:
    seconds, predicted, counted = latency.ours(300, milliseconds, 1)
    assert counted == predicted > 0
    assert seconds > counted * milliseconds / 1000, "links delay nothing"


def test_growth_has_slopes_and_a_plot() -> None:
    points = [growth.Point("sort", 2, rows, rows * 2e-6, 9, rows * 8, rows * 16) for rows in (10**3, 10**4, 10**5)]
    assert growth.slope([(p.rows, p.seconds) for p in points]) == pytest.approx(1.0)
    assert growth.slope([(10.0, 1.0), (1000.0, 10_000.0)]) == pytest.approx(2.0)
    lines = list(growth.table(points))
    assert len(lines) == 5
    assert lines[-1].split() == ["slope", "1.00", "1.00"]
    plot = growth.plot(points)
    assert plot.count("<path") == 3 + 4 + 1 + 2  # decades of rows, of seconds, a curve, two lines of legend


@pytest.mark.processes
def test_growth_goes_on_where_it_was(tmp_path: Path) -> None:
    results = tmp_path / "growth.jsonl"
    command = [
        sys.executable,
        "-m",
        "benchmarks.growth",
        "--parties",
        "2",
        "--largest",
        "1000",
        "--results",
        str(results),
    ]
    first, second = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True) for _ in "12"
    )
    assert first.stdout.count("measured:") == 3
    assert "measured:" not in second.stdout
    assert len(growth.read(results)) == 3


@pytest.mark.processes
def test_memory_is_that_of_the_processes() -> None:
    touched, idle, stored, peak = memory.measure(memory.QUERIES[0], 20_000, 2)
    assert touched == 3 * 8 * 20_000
    assert 10_000_000 < min(idle, stored) <= peak


@pytest.mark.processes
def test_a_profile_has_a_line_for_every_workload_of_a_party_and_of_the_provider() -> None:
    command = [sys.executable, "-m", "benchmarks.profile", "--rows", "2000", "--repeats", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    lines = done.stdout.splitlines()[2:]
    assert len(lines) == 2 * 8, done.stdout
    assert all(line.count("%") == 6 for line in lines), done.stdout
