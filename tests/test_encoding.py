"""Values <-> scaled integers: exact, checked, whole columns; judged by decimal, datetime and DuckDB."""

from __future__ import annotations

import datetime
import decimal

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpc_sql.decoding import decode_column, show_bound
from smpc_sql.encoding import EncodedColumn, encode_series, encode_text
from smpc_sql.errors import InternalError, QueryError
from smpc_sql.schema import Boolean, Column, Date, Decimal, Double, Enum, Integer, Interval, SqlType, type_bounds


def column(type_: SqlType, bounds: Interval | None = None, *, nullable: bool = False) -> Column:
    return Column("x", type_, nullable, bounds or type_bounds(type_))


def text(target: Column, *texts: str) -> EncodedColumn:
    return encode_text(target, texts, np.zeros(len(texts), np.bool_))


def faults(encoded: EncodedColumn) -> dict[str, list[int]]:
    return {fault.reason: fault.rows.tolist() for fault in encoded.faults}


def words(target: Column, *texts: str) -> list[int]:
    encoded = text(target, *texts)
    assert not encoded.faults
    return encoded.words.tolist()


def test_numbers_in_every_notation() -> None:
    assert words(column(Integer(64)), "0", "-0", "+7", "007", " 12 ", "1.0", "5.", "1e3", "-2.5E1", "120e-1") == [
        0, 0, 7, 7, 12, 1, 5, 1000, -25, 12,
    ]  # fmt: skip
    assert words(column(Decimal(5, 2)), "1", ".5", "-.5", "1.250", "-999.99", "+0.01", "1e-2", "12.5e1") == [
        100, 50, -50, 125, -99999, 1, 1, 12500,
    ]  # fmt: skip
    assert words(column(Integer(64)), str(2**63 - 1), str(-(2**63))) == [2**63 - 1, -(2**63)]
    assert words(column(Decimal(18, 18)), "0.999999999999999999", "-0.000000000000000001") == [10**18 - 1, -1]


NO_NUMBERS = ["", " ", "-", "+", ".", "1.2.3", "1-", "--1", "1,000", "1_000", "0x10", "inf", "nan", "e5", "1e", "1e+"]
NO_NUMBERS += ["١", "½", "1\0", "1 2", "9" * 30, "1" * 100, "9223372036854775808", "1e999", "-1e40"]
NO_DATES = [
    "2023-02-29",
    "1900-02-29",
    "2023-13-01",
    "2023-00-01",
    "2023-01-00",
    "2023-04-31",
    "0000-01-01",
    "2023-1-1",
]
NO_DATES += ["20230101", "2023/01/01", "2023-01-01T00:00:00", "", "yyyy-mm-dd", "2023-0١-01", "-023-01-01"]
FRAME_TYPES = [
    "int64",
    "int8",
    "uint16",
    "uint64",
    "Int32",
    "float64",
    "float32",
    "Float32",
    "object",
    "category",
    "str",
]
FRAME_TYPES += ["int64[pyarrow]", "double[pyarrow]"]


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_what_is_no_number(wrong: str) -> None:
    assert faults(text(column(Integer(64)), "1", wrong, "2")) == {"not a number that fits BIGINT": [1]}


def test_a_value_is_never_rounded() -> None:
    assert faults(text(column(Decimal(5, 2)), "1.255", "1.25", "0.001", "1e-3", "1.2500")) == {
        "more than 2 decimals for DECIMAL(5,2)": [0, 2, 3]
    }
    assert faults(text(column(Integer(8)), "1.5", "1.0", "1e-1")) == {"not a whole number, for TINYINT": [0, 2]}


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 18).flatmap(
        lambda scale: st.tuples(st.just(scale), st.lists(st.integers(-(10**18) + 1, 10**18 - 1), max_size=20))
    )
)
def test_decimals_come_back_exactly(case: tuple[int, list[int]]) -> None:
    scale, scaled = case
    target = column(Decimal(18, scale))
    context = decimal.Context(prec=60)
    values = [context.scaleb(decimal.Decimal(number), -scale) for number in scaled]
    assert words(target, *(format(value, "f") for value in values)) == scaled
    assert words(target, *(format(value, "e") for value in values)) == scaled
    assert encode_series(target, pd.Series(values, dtype=object)).words.tolist() == scaled
    decoded = decode_column(target.type, np.array(scaled, np.int64))
    assert [value.as_tuple() for value in decoded] == [value.as_tuple() for value in values]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789+-.eE ", max_size=12))
def test_numbers_mean_what_decimal_says(written: str) -> None:
    try:
        value = decimal.Decimal(written) if written.strip() else None
    except decimal.InvalidOperation:
        value = None
    encoded = text(column(Decimal(9, 3)), written)
    wide = decimal.Context(prec=40, Emax=10**17, Emin=-(10**17))
    scaled = None if value is None else wide.scaleb(value, 3)
    if scaled is None or scaled != wide.to_integral_value(scaled) or wide.abs(scaled) >= 10**9:
        assert encoded.faults
    else:
        assert not encoded.faults
        assert encoded.words[0] == int(scaled)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dates(), min_size=1, max_size=20))
def test_dates_come_back(dates: list[datetime.date]) -> None:
    encoded = text(column(Date()), *(date.isoformat() for date in dates))
    assert encoded.words.tolist() == [(date - datetime.date(1970, 1, 1)).days for date in dates]
    assert decode_column(Date(), encoded.words) == dates


@pytest.mark.parametrize("wrong", NO_DATES)
def test_what_is_no_date(wrong: str) -> None:
    assert faults(text(column(Date()), "2024-02-29", wrong)) == {"not a DATE written YYYY-MM-DD": [1]}


def test_booleans_and_labels() -> None:
    assert words(column(Boolean()), "true", "FALSE", "t", "F", "1", "0") == [1, 0, 1, 0, 1, 0]
    assert faults(text(column(Boolean()), "true", "yes", "2")) == {"not a BOOLEAN (true, false, t, f, 1 or 0)": [1, 2]}
    sex = column(Enum(("F", "M")))
    assert words(sex, "M", "F", "M") == [1, 0, 1]
    assert faults(text(sex, "m", "M", "")) == {"not a label of ENUM('F', 'M')": [0, 2]}
    assert decode_column(sex.type, np.array([1, 0], np.int64)) == ["M", "F"]
    assert decode_column(Boolean(), np.array([1, 0], np.int64)) == [True, False]


def test_bounds_are_told_as_the_check_that_sets_them() -> None:
    assert faults(text(column(Integer(8), Interval(0, 3)), "3", "4", "-1")) == {
        "not in CHECK (x BETWEEN 0 AND 3)": [1, 2]
    }
    assert faults(text(column(Integer(8), Interval(0, 127)), "-1")) == {"not in CHECK (x >= 0)": [0]}
    assert faults(text(column(Integer(8), Interval(-128, 3)), "4")) == {"not in CHECK (x <= 3)": [0]}
    assert faults(text(column(Integer(8)), "128", "127")) == {"out of the range of TINYINT": [0]}
    assert faults(text(column(Decimal(3, 2), Interval(-260, 620)), "6.21")) == {
        "not in CHECK (x BETWEEN -2.60 AND 6.20)": [0]
    }
    assert show_bound(Date(), 0) == "DATE '1970-01-01'"
    assert show_bound(Boolean(), 1) == "true"
    assert show_bound(Enum(("a", "it's")), 1) == "'it''s'"


def test_nulls() -> None:
    mask = np.array([True, False])
    encoded = encode_text(column(Integer(8), Interval(1, 9), nullable=True), ["junk", "7"], mask)
    assert (encoded.words.tolist(), encoded.nulls.tolist(), encoded.faults) == ([0, 7], [True, False], ())
    assert faults(encode_text(column(Integer(8)), ["", "7"], mask)) == {"NULL in a NOT NULL column": [0]}
    decoded = decode_column(Date(), np.array([0, 1], np.int64), mask)
    assert decoded == [None, datetime.date(1970, 1, 2)]


def test_no_rows() -> None:
    for type_ in (Integer(8), Decimal(5, 2), Date(), Boolean(), Enum(("a",))):
        assert words(column(type_)) == []
        assert encode_series(column(type_), pd.Series([], dtype=object)).words.tolist() == []
        assert decode_column(type_, np.zeros(0, np.int64)) == []


def series(target: Column, values: object, dtype: object = None) -> list[int | None]:
    encoded = encode_series(target, pd.Series(values, dtype=dtype))  # type: ignore[call-overload]
    assert not encoded.faults
    return [None if null else word for word, null in zip(encoded.words.tolist(), encoded.nulls, strict=True)]


@pytest.mark.parametrize("dtype", FRAME_TYPES)
def test_integers_of_a_frame(dtype: str) -> None:
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    values = pd.Series([1, 0, 127]).astype(dtype)
    assert series(column(Integer(8)), values) == [1, 0, 127]
    assert series(column(Decimal(5, 2)), values) == [100, 0, 12700]
    labels = column(Enum(("0", "1", "127")))
    assert series(labels, values) == [1, 0, 2]


@pytest.mark.parametrize("dtype", ["Int64", "float64", "Float32", "object", "category"])
def test_nulls_of_a_frame(dtype: str) -> None:
    values = pd.Series([1, None, 3], dtype="Int64").astype(dtype)
    assert series(column(Integer(8), nullable=True), values) == [1, None, 3]
    assert faults(encode_series(column(Integer(8)), values)) == {"NULL in a NOT NULL column": [1]}


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "Float32"])
def test_a_float_is_its_shortest_decimal(dtype: str) -> None:
    assert series(column(Decimal(6, 3)), [0.1, 2.675, -1e-3, 123.456], dtype) == [100, 2675, -1, 123456]
    wrong = encode_series(
        column(Decimal(6, 3)), pd.Series([0.1, 0.0001, np.inf, 1e300 if "64" in dtype else 1e30], dtype=dtype)
    )
    assert faults(wrong) == {
        "not a number that fits DECIMAL(6,3)": [2, 3],
        "more than 3 decimals for DECIMAL(6,3)": [1],
    }


def test_a_sum_of_floats_is_not_the_decimal_it_looks_like() -> None:
    assert faults(encode_series(column(Decimal(3, 2)), pd.Series([0.1 + 0.2]))) == {
        "more than 2 decimals for DECIMAL(3,2)": [0]
    }


def test_whole_numbers_that_scaling_pushes_out_of_64_bits() -> None:
    encoded = encode_series(column(Decimal(18, 9)), pd.Series([2**62, 5, -(2**63)]))
    assert faults(encoded) == {"not a number that fits DECIMAL(18,9)": [0, 2]}
    assert encoded.words[1] == 5 * 10**9
    assert faults(encode_series(column(Integer(64)), pd.Series([2**63], dtype="uint64"))) == {
        "not a number that fits BIGINT": [0]
    }


def test_dates_of_a_frame() -> None:
    days = [datetime.date(1969, 12, 31), datetime.date(2024, 2, 29)]
    expected = [-1, 19782]
    for dtype in ("datetime64[s]", "datetime64[us]", "datetime64[ns]"):
        assert series(column(Date()), days, dtype) == expected
    assert series(column(Date()), days) == expected
    assert series(column(Date()), [day.isoformat() for day in days]) == expected
    zoned = pd.Series(pd.to_datetime(["2024-02-29"])).dt.tz_localize("Europe/Zurich")
    assert series(column(Date()), zoned) == [19782]
    assert series(column(Date(), nullable=True), [days[0], pd.NaT]) == [-1, None]
    timed = pd.Series(pd.to_datetime(["2024-02-29 12:00", "2024-02-29 00:00"]))
    assert faults(encode_series(column(Date()), timed)) == {"a datetime with a time of day, for DATE": [0]}
    assert faults(encode_series(column(Date()), timed.astype(object))) == {"not a DATE written YYYY-MM-DD": [0]}
    assert faults(encode_series(column(Integer(64)), timed)) == {"not a number that fits BIGINT": [0, 1]}


def test_booleans_of_a_frame() -> None:
    for dtype in ("bool", "boolean", "object"):
        assert series(column(Boolean()), [True, False], dtype) == [1, 0]
        assert series(column(Integer(8)), [True, False], dtype) == [1, 0]
    assert series(column(Boolean(), nullable=True), [True, None], "boolean") == [1, None]
    assert faults(encode_series(column(Boolean()), pd.Series([0, 1, 2]))) == {"out of the range of BOOLEAN": [2]}


def test_objects_that_no_csv_holds() -> None:
    things = pd.Series([b"1", (1, 2), decimal.Decimal("Infinity"), 1], dtype=object)
    assert faults(encode_series(column(Integer(8)), things)) == {"not a number that fits TINYINT": [0, 1, 2]}


def test_duckdb_reads_numbers_the_same_way() -> None:
    texts = ["1", "+1", ".5", "5.", "-.5", "1e1", "007", "12.34", "-999.99"]
    judged = [duckdb.execute(f"SELECT '{written}'::DECIMAL(5,2)").fetchall()[0][0] for written in texts]
    assert decode_column(Decimal(5, 2), text(column(Decimal(5, 2)), *texts).words) == judged


def test_what_cannot_be_decoded_is_our_bug() -> None:
    for type_, word in ((Enum(("a",)), 1), (Boolean(), 2)):
        with pytest.raises(InternalError):
            decode_column(type_, np.array([word], np.int64))
    with pytest.raises(InternalError):
        decode_column(Double(), np.zeros(1, np.int64))
    with pytest.raises(QueryError, match="outside the years"):
        decode_column(Date(), np.array([2**40], np.int64))


def test_a_decimal_context_of_the_caller_changes_nothing() -> None:
    with decimal.localcontext(decimal.Context(prec=2)):
        assert words(column(Decimal(9, 3)), "123456.789e0") == [123456789]
        assert str(decode_column(Decimal(9, 3), np.array([123456789], np.int64))[0]) == "123456.789"
