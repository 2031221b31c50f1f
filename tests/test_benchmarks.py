"""The benchmarks run: on few rows, so that what they print is no figure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.processes
@pytest.mark.parametrize(("module", "lines"), [("benchmarks.primitives", 12), ("benchmarks.queries", 9)])
def test_a_benchmark_prints_a_line_for_every_workload(module: str, lines: int) -> None:
    command = [sys.executable, "-m", module, "--rows", "1000", "--repeats", "1", "--parties", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    printed = done.stdout.splitlines()
    assert len(printed) == lines + 2, done.stdout
    assert all(len(line) == len(printed[2]) for line in printed[2:]), done.stdout
