"""TIMESTAMPs as text, in CSV files, in DataFrames and back."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smpc_sql.decoding import decode_column
from smpc_sql.errors import DataError, QueryError
from smpc_sql.moments import moment_of, moment_word
from smpc_sql.owner import from_frame, read_csv
from smpc_sql.result import QueryStats, Result
from smpc_sql.schema import Column, Interval, TableSchema, Timestamp, type_bounds

WIDEST = type_bounds(Timestamp())
LOG = TableSchema(
    "log",
    (
        Column("at", Timestamp(), True, WIDEST),
        Column("late", Timestamp(), False, Interval(0, WIDEST.high)),
    ),
)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1970-01-01", 0),
        ("1970-01-01 00:00:01", 1_000_000),
        ("\t1970-1-2T00:01 ", 86_460_000_000),
        ("1969-12-31 23:59:59.999999", -1),
        ("1970-01-01 00:00:00.5", 500_000),
        ("0001-01-01 00:00:00", WIDEST.low),
        ("9999-12-31 23:59:59.999999", WIDEST.high),
        ("2021-02-29 00:00:00", None),
        ("2021-01-01 24:00:00", 1_609_545_600_000_000),
        ("2021-01-01 24:00:00.1", None),
        ("9999-12-31 24:00:00", None),
        ("1970/01\\01 0:0", None),
        ("1970/01/01\t0:0:1.Z ", 1_000_000),
        ("1970 1 1T0:1:", 60_000_000),
        ("2021-01-01 ", None),
        ("2021-01-01 10", None),
        ("2021-01-01 10:00:00.1234567", None),
        ("2021-01-01 10:00:00+01", None),
        ("yesterday", None),
    ],
)
def test_texts_are_microseconds(text: str, word: int | None) -> None:
    assert moment_word(text) == word
    if word is not None:
        assert moment_word(moment_of(word).isoformat(sep=" ")) == word


def test_csv_and_frames_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_text("at,late\n1969-12-31 23:59:59.25,2020-02-29 12:00:00\n,1970-01-01\n")
    expected = {"at": [-750_000, 0], "late": [1_582_977_600_000_000, 0]}
    assert {name: words.tolist() for name, words in read_csv(LOG, path).words.items()} == expected
    moments = [datetime.datetime(1969, 12, 31, 23, 59, 59, 250_000), None]
    lates = [datetime.datetime(2020, 2, 29, 12), datetime.datetime(1970, 1, 1)]
    for dtype in (object, "datetime64[us]", "datetime64[ns]"):
        frame = pd.DataFrame({"at": pd.Series(moments, dtype=dtype), "late": pd.Series(lates, dtype=dtype)})
        assert {name: words.tolist() for name, words in from_frame(LOG, frame).words.items()} == expected


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_text("at,late\n2020-13-01 00:00:00,1969-12-31 23:59:59\n2020-01-01,\n")
    with pytest.raises(DataError) as caught:
        read_csv(LOG, path)
    assert list(caught.value.problems) == [
        "site.csv row 1: at: not a TIMESTAMP written YYYY-MM-DD HH:MM:SS",
        "site.csv row 1: late: not in CHECK (late >= TIMESTAMP '1970-01-01 00:00:00')",
        "site.csv row 2: late: NULL in a NOT NULL column",
    ]


def test_results_are_moments() -> None:
    values = decode_column(Timestamp(), np.array([-1, 5, 0]), np.array([False, True, False]))
    assert values == [datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999), None, datetime.datetime(1970, 1, 1)]
    frame = Result(["at"], [Timestamp()], [values], QueryStats(0, 0, (0, 0), 0)).df()
    assert frame["at"].dtype == "datetime64[us]" and frame["at"].isna().tolist() == [False, True, False]
    with pytest.raises(QueryError, match="outside the years"):
        decode_column(Timestamp(), np.array([WIDEST.high + 1]))
