"""What a party's memory grows by while it sorts: bounded for each row, far below what all columns of a pass take."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.consortium import consortium

ROWS = 1 << 18  # the frugal way; the other one takes 77 MB, and this one 24


@pytest.mark.skipif("sys.platform != 'linux'", reason="memory is read from /proc")
def test_sorting_many_rows_takes_little_memory() -> None:
    keys = pd.DataFrame({"z": np.random.default_rng(1).permutation(ROWS)})
    with consortium(2) as running:
        idle = running.memory()
        running.con.execute(f"CREATE TABLE t (z INTEGER NOT NULL CHECK (z BETWEEN 0 AND {ROWS - 1}))")
        running.con.load_df("t", keys, owner="bench")
        running.reset_memory()
        found = running.con.sql("SELECT z FROM t ORDER BY z LIMIT 3")
        peak = running.peak_memory()
    assert [row[0] for row in found.fetchall()] == [0, 1, 2]
    for name in ("party1", "party2"):
        assert peak[name] - idle[name] < 50 << 20
