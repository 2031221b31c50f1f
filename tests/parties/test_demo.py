"""The tour: every answer equals DuckDB's, and no process is left behind, also when it is interrupted."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from parties import demo
from smpc_sql.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def children(parent: int) -> list[int]:
    """The process ids of a process's children (Linux only)."""
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def alive(process: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.processes
def test_the_tour_equals_duckdb_and_leaves_nobody_behind() -> None:
    out = io.StringIO()
    before = children(os.getpid())
    assert demo.run(Console(file=out, width=demo.WIDTH, highlight=False))
    shown = out.getvalue()
    assert f"{len(demo.TOUR)} of {len(demo.TOUR)} answers equal the pooled plaintext's" in shown
    assert max(map(len, shown.splitlines())) <= demo.WIDTH
    assert "…" not in shown
    total = re.search(r"sum mod 2⁶⁴ +(\d+) +(\d+) +(\d+) +(\d+)", shown)
    assert total
    assert total.groups() == ("63", "1", "1", "233")
    assert children(os.getpid()) == before


@pytest.mark.processes
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.7, 2.5])
def test_an_interrupted_tour_leaves_nobody_behind(kind: signal.Signals, seconds: float) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("looks for processes in /proc")
    command = [sys.executable, "-m", "smpc_sql", "demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tour:
        time.sleep(seconds)
        started = children(tour.pid)
        tour.send_signal(kind)
        said = tour.communicate(timeout=60)[1]
    assert "Traceback" not in said
    assert tour.returncode in (0, 130, -kind, -signal.SIGINT)  # it may have been over, or not yet begun
    until = time.monotonic() + 30
    while any(map(alive, started)) and time.monotonic() < until:
        time.sleep(0.05)
    assert [child for child in started if alive(child)] == []


def test_datasets_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"heart/schema\.sql is missing"):
        demo.run(Console(file=io.StringIO()), tmp_path)


def test_rows_are_compared_exactly_but_for_doubles() -> None:
    row = (1, Decimal("1.50"), "a", None, 0.1)
    assert demo.equal_rows([row], [(1, Decimal("1.5"), "a", None, 0.1 + 1e-12)])
    for place, other in ((0, 2), (1, Decimal("1.51")), (2, "b"), (3, 0), (4, 0.1001), (4, None)):
        assert not demo.equal_rows([row], [(*row[:place], other, *row[place + 1 :])])
    assert not demo.equal_rows([row], [])
    assert not demo.equal_rows([row, (2,)], [(2,), row])
