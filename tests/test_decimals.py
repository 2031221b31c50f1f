"""DOUBLE columns: rounded once when they are loaded, what that lost is told, and what is no number is named."""

from __future__ import annotations

import decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.decimals import Rounding, round_to
from smpc_sql.errors import DataError
from smpc_sql.owner import Loaded, from_frame, read_csv
from smpc_sql.schema import Column, Double, Interval, TableSchema

LAB = TableSchema(
    "lab",
    (
        Column("x", Double(6), True, Interval(-(10**15), 10**15)),
        Column("y", Double(2), False, Interval(0, 10_000)),
    ),
)


def test_what_rounding_lost_is_told(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_text("x,y\n0.1,99.995\n-1.2345675,0.004\n1e-7,7\n,1e1\n0.30000000000000004,3.5\n")
    rows = read_csv(LAB, path)
    assert rows.words["x"].tolist() == [100_000, -1_234_568, 0, 0, 300_000]
    assert rows.nulls["x"].tolist() == [False, False, False, True, False]
    assert rows.words["y"].tolist() == [10_000, 0, 700, 1000, 350]
    assert rows.rounding == {
        "x": Rounding(3, decimal.Decimal("5E-7")), "y": Rounding(2, decimal.Decimal("0.005")),
    }  # fmt: skip
    assert str(rows.rounding["y"]) == "2 values rounded, by at most 0.005"
    assert Loaded.of(rows) == 5 and Loaded.of(rows).rounding == rows.rounding


def test_a_frame_loses_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1 / 3, None, 2e8], "y": np.array([1, 2, 3], np.float32) / 3})
    rows = from_frame(LAB, frame)
    assert rows.words["x"].tolist() == [333_333, 0, 200_000_000_000_000]
    assert rows.words["y"].tolist() == [33, 67, 100]
    assert rows.rounding["x"].rows == 1 and rows.rounding["y"].rows == 2


def test_exact_values_lose_nothing() -> None:
    assert from_frame(LAB, pd.DataFrame({"x": [1, 2], "y": [0.5, 0.25]})).rounding == {}


def test_what_is_no_number_is_named_by_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_text("x,y\nnan,1\n1,inf\n-Infinity,100.005\n1e10,1e400\n0x1,-0.006\n2,3\n")
    with pytest.raises(DataError) as caught:
        read_csv(LAB, path)
    assert list(caught.value.problems) == [
        "site.csv row 1: x: not a finite number",
        "site.csv row 2: y: not a finite number",
        "site.csv row 3: x: not a finite number",
        "site.csv row 3: y: not in CHECK (y BETWEEN 0.00 AND 100.00)",
        "site.csv row 4: x: not in CHECK (x BETWEEN -1000000000.000000 AND 1000000000.000000)",
        "site.csv row 4: y: not a finite number",
        "site.csv row 5: x: not a finite number",
        "site.csv row 5: y: not in CHECK (y BETWEEN 0.00 AND 100.00)",
    ]
    with pytest.raises(DataError, match="nothing was loaded"):
        from_frame(LAB, pd.DataFrame({"x": [np.inf], "y": [1.0]}))


@given(st.floats(-1e9, 1e9), st.integers(0, 9))
def test_rounding_is_that_of_decimals(value: float, decimals: int) -> None:
    words = np.zeros(1, np.int64)
    rounding = round_to(words, np.array([True]), [repr(value)], decimals)
    exact = decimal.Decimal(repr(value))
    nearest = exact.quantize(decimal.Decimal(1).scaleb(-decimals), decimal.ROUND_HALF_UP)
    assert words.tolist() == [int(nearest.scaleb(decimals))]
    assert rounding == Rounding(1, abs(exact - nearest))
