"""SQL values as scaled integers, exactly, whole columns at a time.

Encoding takes a column's declaration and its values (text, as a CSV file holds it, or a DataFrame's column) and gives
int64 words and a NULL mask. What does not fit is not raised here but listed as faults, by row, so that a loader can
report every offending row at once. A fault's text never holds a value.

No float is ever multiplied or rounded: a float column is read by its shortest decimal form, the one that is printed, so
that 0.1 is the DECIMAL 0.1 and 0.30000000000000004 does not fit DECIMAL(3,2).
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smpc_sql.decimals import Rounding, round_to
from smpc_sql.decoding import Mask, Words, show_bound
from smpc_sql.moments import moment_word
from smpc_sql.reading import days_of, numbers_of, words_of_texts
from smpc_sql.schema import (
    Boolean,
    Column,
    Date,
    Decimal,
    Double,
    Enum,
    Integer,
    SqlType,
    Text,
    Timestamp,
    scale_of,
    type_bounds,
)

_BOOLEANS = {"true": 1, "t": 1, "1": 1, "false": 0, "f": 0, "0": 0}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why some rows of a column do not fit: `rows` are positions counted from 0, ascending."""

    reason: str
    rows: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class EncodedColumn:
    """A column as scaled integers.

    words: [rows]; 0 where NULL. nulls: [rows], True where NULL. faults: empty, or the words mean nothing. more: of a
    long text its further words. rounding: what a DOUBLE column lost, if it did.
    """

    words: Words
    nulls: Mask
    faults: tuple[Fault, ...]
    more: tuple[Words, ...] = ()
    rounding: Rounding | None = None


def encode_text(column: Column, texts: Sequence[str], nulls: Mask) -> EncodedColumn:
    """Read a column of texts by the column's type; `texts[i]` is ignored where `nulls[i]`.

    Numbers may have a sign, decimals and an exponent, if what they say is exact in the type; those of a DOUBLE are
    rounded to its decimals, halves away from 0; dates are YYYY-MM-DD,
    timestamps YYYY-MM-DD HH:MM:SS with up to 6 decimals;
    booleans are true, false, t, f, 1, 0 in any case; labels of an ENUM must match exactly.
    """
    present = np.flatnonzero(~nulls)
    rounding = None
    values = [texts[i] for i in present.tolist()]
    if isinstance(column.type, Text):
        return _encode_texts(column, column.type, values, present, nulls)
    match column.type:
        case Integer() | Decimal():
            found, malformed, inexact = numbers_of(values, scale_of(column.type))
        case Double():
            found, malformed, inexact = numbers_of(values, scale_of(column.type))
            rounding = round_to(found, inexact, values, scale_of(column.type))
            inexact = np.zeros(len(values), np.bool_)
        case Date():
            found, malformed = days_of(values)
            inexact = np.zeros(len(values), np.bool_)
        case Timestamp():
            moments = [moment_word(value) for value in values]
            malformed = np.fromiter((moment is None for moment in moments), np.bool_, len(values))
            found = np.fromiter((moment or 0 for moment in moments), np.int64, len(values))
            inexact = np.zeros(len(values), np.bool_)
        case Boolean():
            found = _look_up(_BOOLEANS, [value.strip().lower() for value in values])
            malformed, inexact = found < 0, np.zeros(len(values), np.bool_)
        case Enum(labels):
            found = _look_up({label: code for code, label in enumerate(labels)}, values)
            malformed, inexact = found < 0, np.zeros(len(values), np.bool_)
    words = np.zeros(len(nulls), np.int64)
    words[present] = np.where(malformed | inexact, 0, found)
    wrong = [(_malformed_reason(column.type), present[malformed]), (_inexact_reason(column.type), present[inexact])]
    return replace(_checked(column, words, nulls, wrong), rounding=rounding)


def encode_series(column: Column, series: pd.Series[Any]) -> EncodedColumn:
    """Read a DataFrame's column by the declared column's type.

    Integers, floats, booleans, datetimes, texts, categories, Python objects and arrow-backed columns are accepted;
    None, NaN, NaT and NA are NULL. A float counts as its shortest decimal form; a DATE's datetime has no time of day.
    """
    nulls = np.asarray(series.isna(), dtype=np.bool_)
    dtype: Any = series.dtype
    if isinstance(column.type, Date | Timestamp) and pd.api.types.is_datetime64_any_dtype(dtype):
        return _encode_datetimes(column, series, nulls)
    numeric = isinstance(column.type, Integer | Decimal | Boolean | Double)
    whole = pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
    fits = dtype.kind != "u" or dtype.itemsize < 8  # what int64 holds
    if numeric and whole and fits:
        plain = series.to_numpy(dtype=np.int64, na_value=0) if nulls.any() else series.to_numpy(dtype=np.int64)
        return _encode_integers(column, plain, nulls)
    values: Any = series.astype(object)
    if pd.api.types.is_float_dtype(dtype):  # float32 has a shortest form of its own, so no detour over float64
        values = series.to_numpy(dtype=getattr(dtype, "numpy_dtype", dtype), na_value=np.nan)
    texts = ["" if null else _text_of(value) for value, null in zip(values, nulls.tolist(), strict=True)]
    return encode_text(column, texts, nulls)


def _checked(
    column: Column, words: Words, nulls: Mask, wrong: Sequence[tuple[str, npt.NDArray[np.intp]]]
) -> EncodedColumn:
    """The column with all its faults: `wrong` (rows that could not be read), values out of bounds, and NULLs."""
    outside = ((words < column.bounds.low) | (words > column.bounds.high)) & ~nulls
    for _, rows in wrong:
        outside[rows] = False
    missing = np.zeros_like(nulls) if column.nullable else nulls
    listed = [
        *wrong,
        (_bounds_reason(column), np.flatnonzero(outside)),
        ("NULL in a NOT NULL column", np.flatnonzero(missing)),
    ]
    return EncodedColumn(words, nulls, tuple(Fault(reason, rows) for reason, rows in listed if len(rows)))


def _malformed_reason(type_: SqlType) -> str:
    match type_:
        case Date():
            return "not a DATE written YYYY-MM-DD"
        case Timestamp():
            return "not a TIMESTAMP written YYYY-MM-DD HH:MM:SS"
        case Enum():
            return f"not a label of {type_}"
        case Text(length):
            return (
                f"longer than {length} bytes{'' if type_.ascii else ' of UTF-8'}, or with a NUL character, for {type_}"
            )
        case Double():
            return "not a finite number"
        case Boolean():
            return "not a BOOLEAN (true, false, t, f, 1 or 0)"
        case _:
            return f"not a number that fits {type_}"


def _inexact_reason(type_: SqlType) -> str:
    scale = scale_of(type_)
    return (
        f"more than {scale} decimal{'' if scale == 1 else 's'} for {type_}"
        if scale
        else f"not a whole number, for {type_}"
    )


def _bounds_reason(column: Column) -> str:
    """What the bounds say, as the CHECK that would say it."""
    widest, low, high = type_bounds(column.type), column.bounds.low, column.bounds.high
    if (low, high) == (widest.low, widest.high):
        return f"out of the range of {column.type}"
    if high == widest.high:
        return f"not in CHECK ({column.name} >= {show_bound(column.type, low)})"
    if low == widest.low:
        return f"not in CHECK ({column.name} <= {show_bound(column.type, high)})"
    return f"not in CHECK ({column.name} BETWEEN {show_bound(column.type, low)} AND {show_bound(column.type, high)})"


def _encode_texts(
    column: Column, type_: Text, values: Sequence[str], present: npt.NDArray[np.intp], nulls: Mask
) -> EncodedColumn:
    foreign = np.fromiter((type_.ascii and not value.isascii() for value in values), np.bool_, len(values))
    found, bad = words_of_texts(values, type_)
    words = np.zeros((len(found), len(nulls)), np.int64)
    words[:, present] = found
    wrong = [
        (_malformed_reason(type_), present[bad & ~foreign]),
        (f"not ASCII, for {type_}; declare the column VARCHAR(…) COLLATE C for other characters", present[foreign]),
    ]
    checked = _checked(column, words[0], nulls, wrong)
    return EncodedColumn(words[0], nulls, checked.faults, tuple(words[1:]))


def _look_up(codes: dict[str, int], values: Sequence[str]) -> Words:
    return np.fromiter((codes.get(value, -1) for value in values), np.int64, len(values))


def _encode_datetimes(column: Column, series: pd.Series[Any], nulls: Mask) -> EncodedColumn:
    wall = series.dt.tz_localize(None) if isinstance(series.dtype, pd.DatetimeTZDtype) else series
    moments = wall.to_numpy(dtype="datetime64[us]")
    if isinstance(column.type, Timestamp):
        return _checked(column, np.where(nulls, 0, moments.astype(np.int64)), nulls, [])
    days = moments.astype("datetime64[D]")
    timed = (days != moments) & ~nulls
    words = np.where(nulls | timed, 0, days.astype(np.int64))
    return _checked(column, words, nulls, [("a datetime with a time of day, for DATE", np.flatnonzero(timed))])


def _encode_integers(column: Column, values: Words, nulls: Mask) -> EncodedColumn:
    """Whole numbers, scaled; what the scaling would push out of 64 bits is out of every DECIMAL's range."""
    factor = 10 ** scale_of(column.type)
    values = np.where(nulls, 0, values)
    limit = (2**63 - 1) // factor
    huge = (values > limit) | (values < -limit)
    words = np.where(huge, 0, values) * np.int64(min(factor, 2**63 - 1))
    if factor == 1:
        words, huge = values, np.zeros_like(nulls)
    return _checked(column, words, nulls, [(_malformed_reason(column.type), np.flatnonzero(huge))])


def _text_of(value: object) -> str:
    """A Python value of a DataFrame as a CSV would hold it; what no CSV holds becomes a text that no type reads."""
    match value:
        case str():
            return value
        case bool() | np.bool_():
            return "1" if value else "0"
        case decimal.Decimal():
            return format(value, "f") if value.is_finite() else "?"
        case datetime.datetime():
            midnight = value.time() == datetime.time()
            naive = value.replace(tzinfo=None)
            return value.date().isoformat() if midnight else naive.isoformat(sep=" ")
        case datetime.date():
            return value.isoformat()
        case float() | np.floating():
            return _text_of_float(value)
        case int() | np.integer():
            return str(value)
        case _:
            return "?"


def _text_of_float(value: float | np.floating[Any]) -> str:
    """The shortest decimal form; whole numbers without a point, so that 1.0 matches an ENUM's '1'."""
    shortest = str(value)
    return shortest.removesuffix(".0")
