"""SQL values <-> scaled integers, exactly, whole columns at a time.

Encoding takes a column's declaration and its values (text, as a CSV file holds it, or a DataFrame's column) and gives
int64 words and a NULL mask. What does not fit is not raised here but listed as faults, by row, so that a loader can
report every offending row at once. A fault's text never holds a value.

No float is ever multiplied or rounded: a float column is read by its shortest decimal form, the one that is printed, so
that 0.1 is the DECIMAL 0.1 and 0.30000000000000004 does not fit DECIMAL(3,2).
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smpc_sql.decimals import Rounding, round_to
from smpc_sql.errors import InternalError, QueryError
from smpc_sql.moments import moment_of, moment_word
from smpc_sql.schema import (
    WORD_BYTES,
    Boolean,
    Column,
    Date,
    Decimal,
    Double,
    Duration,
    Enum,
    Integer,
    SqlType,
    Text,
    Timestamp,
    scale_of,
    text_of_words,
    type_bounds,
)

Words = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_LONGEST_NUMBER = 64  # characters; a longer text is no number of 64 bits that anybody wrote on purpose
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?0*[0-9]{1,17})?")
_BOOLEANS = {"true": 1, "t": 1, "1": 1, "false": 0, "f": 0, "0": 0}
_DIGIT_LIMIT = (2**63 - 10) // 10  # below it, ten times a number and a digit still fits 63 bits


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
            found, malformed, inexact = _numbers(values, scale_of(column.type))
        case Double():
            found, malformed, inexact = _numbers(values, scale_of(column.type))
            rounding = round_to(found, inexact, values, scale_of(column.type))
            inexact = np.zeros(len(values), np.bool_)
        case Date():
            found, malformed = _dates(values)
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


def decode_column(type_: SqlType, words: Words, nulls: Mask | None = None) -> list[Any]:
    """Scaled integers as Python values: int, decimal.Decimal with the type's scale, bool, date, str; None for NULL.

    Raises QueryError for a computed day outside the years 1 to 9999. A code that no label has is an InternalError.
    """
    values: list[Any] = words.tolist()
    absent: list[bool] = [False] * len(values) if nulls is None else nulls.tolist()
    if nulls is not None:
        bounds = type_bounds(type_)
        values = [bounds.low if null else value for value, null in zip(values, absent, strict=True)]
    match type_:
        case Integer():
            decoded: list[Any] = values
        case Decimal(_, scale):
            exact = decimal.Context(prec=40)
            decoded = [exact.scaleb(decimal.Decimal(value), -scale) for value in values]
        case Boolean():
            decoded = [bool(value) for value in _within(type_, values)]
        case Date():
            bounds = type_bounds(type_)
            if any(value not in bounds for value in values):
                raise QueryError("a date of the result lies outside the years 1 to 9999")
            decoded = [_day(value, type_.midnight) for value in values]
        case Timestamp():
            bounds = type_bounds(type_)
            if any(value not in bounds for value in values):
                raise QueryError("a timestamp of the result lies outside the years 1 to 9999")
            decoded = [moment_of(value) for value in values]
        case Duration():
            decoded = [datetime.timedelta(microseconds=value) for value in values]
        case Enum(labels):
            decoded = [labels[value] for value in _within(type_, values)]
        case Text():
            return decode_text(type_, [words], nulls)
        case Double():
            raise InternalError("a DOUBLE is a fraction, not a word")
    return [None if null else value for value, null in zip(decoded, absent, strict=True)]


def _day(value: int, midnight: bool) -> datetime.date:
    day = datetime.date.fromordinal(value + _EPOCH)
    return datetime.datetime.combine(day, datetime.time()) if midnight else day


def decode_whole(type_: SqlType, number: int) -> int | decimal.Decimal:
    """A scaled integer of any size as a Python value of an INTEGER or a DECIMAL."""
    if not isinstance(type_, Decimal):
        return number
    return decimal.Decimal((number < 0, tuple(map(int, str(abs(number)))), -type_.scale))


def decode_text(type_: Text, words: Sequence[Words], nulls: Mask | None = None) -> list[str | None]:
    """The words of texts as str; None for NULL. What is no text is an InternalError."""
    absent: list[bool] = [False] * len(words[0]) if nulls is None else nulls.tolist()
    rows = zip(*(column.tolist() for column in words), strict=True)
    try:
        return [None if null else text_of_words(row, type_.length) for row, null in zip(rows, absent, strict=True)]
    except ValueError:
        raise InternalError(f"a value that is no {type_}") from None


def show_bound(type_: SqlType, value: int) -> str:
    """A public bound as SQL would write it: 0, -2.60, DATE '2020-01-31', true, 'F'."""
    type_ = type_.kept if isinstance(type_, Double) else type_
    shown = decode_column(type_, np.array([value], np.int64))[0]
    match type_:
        case Date(midnight=False):
            return f"DATE '{shown}'"
        case Date() | Timestamp():
            return f"TIMESTAMP '{shown}'"
        case Enum() | Text():
            return "'" + str(shown).replace("'", "''") + "'"
        case Boolean():
            return "true" if shown else "false"
        case _:
            return str(shown)


def _within(type_: SqlType, values: list[int]) -> list[int]:
    bounds = type_bounds(type_)
    if any(value not in bounds for value in values):
        raise InternalError(f"a value that is no {type_}")
    return values


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
    found, bad = _texts(values, type_)
    words = np.zeros((len(found), len(nulls)), np.int64)
    words[:, present] = found
    wrong = [
        (_malformed_reason(type_), present[bad & ~foreign]),
        (f"not ASCII, for {type_}; declare the column VARCHAR(…) COLLATE C for other characters", present[foreign]),
    ]
    checked = _checked(column, words[0], nulls, wrong)
    return EncodedColumn(words[0], nulls, checked.faults, tuple(words[1:]))


def _texts(values: Sequence[str], type_: Text) -> tuple[Words, Mask]:
    """Texts as words: (words [words, rows], which do not fit)."""
    raw = [value.encode() for value in values]
    length, sizes = type_.length, [word.length for word in type_.words]
    bad = np.fromiter((len(each) > length or b"\0" in each for each in raw), np.bool_, len(raw))
    fitting = [b"" if wrong else each for each, wrong in zip(raw, bad.tolist(), strict=True)]
    padded = np.array(fitting, f"S{length}").view(np.uint8).reshape(len(raw), length)
    filled = np.zeros((len(sizes), len(raw), 8), np.uint8)
    for place, size in enumerate(sizes):
        filled[place, :, 8 - size :] = padded[:, place * WORD_BYTES : place * WORD_BYTES + size]
    return filled.view(">i8").reshape(len(sizes), len(raw)).astype(np.int64), bad


def _look_up(codes: dict[str, int], values: Sequence[str]) -> Words:
    return np.fromiter((codes.get(value, -1) for value in values), np.int64, len(values))


def _characters(values: Sequence[str]) -> npt.NDArray[np.uint32]:
    """Texts as a matrix of code points, [rows, longest], filled up with 0."""
    packed = np.array(values, dtype=np.str_) if len(values) else np.zeros(0, "U1")
    width = max(packed.dtype.itemsize // 4, 1)
    return np.ascontiguousarray(packed.astype(f"U{width}")).view(np.uint32).reshape(len(values), width)


def _numbers(values: Sequence[str], scale: int) -> tuple[Words, Mask, Mask]:
    """Texts as integers times 10^scale: (words, which are no number of 64 bits, which have more than `scale` decimals).

    One pass over character positions, all rows at once; what it cannot read (an exponent) is tried one by one.
    """
    stripped = [value.strip() for value in values]
    chars = _characters([v if len(v) <= _LONGEST_NUMBER and "\0" not in v else "?" for v in stripped])
    rows = len(stripped)
    total, decimals, digits = np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    bad, inexact, point, ended = (np.zeros(rows, np.bool_) for _ in range(4))
    for position in range(chars.shape[1]):
        char = chars[:, position]
        is_digit = (char >= ord("0")) & (char <= ord("9"))
        is_point, is_end = char == ord("."), char == 0
        is_sign = ((char == ord("-")) | (char == ord("+"))) if position == 0 else np.zeros(rows, np.bool_)
        bad |= ~(is_digit | is_point | is_end | is_sign) | (is_point & point) | (ended & ~is_end)
        value = np.where(is_digit, char, ord("0")).astype(np.int64) - ord("0")
        counts = is_digit & ~(point & (decimals >= scale))
        inexact |= is_digit & ~counts & (value > 0)
        bad |= counts & (total > _DIGIT_LIMIT)
        total = np.where(counts & ~bad, total * 10 + value, total)
        decimals += counts & point
        digits += is_digit
        point |= is_point
        ended |= is_end
    power = np.array([10**k for k in range(min(scale, 18) + 1)], np.int64)
    factor = power[np.minimum(scale - decimals, len(power) - 1)]
    bad |= (digits == 0) | (total > (2**63 - 1) // factor)
    total = np.where(bad, 0, total) * np.where(bad, 1, factor)
    total = np.where(chars[:, 0] == ord("-"), -total, total)
    for row in np.flatnonzero(bad):
        total[row], bad[row], inexact[row] = _one_number(stripped[row], scale)
    return total, bad, inexact & ~bad


def _one_number(text: str, scale: int) -> tuple[int, bool, bool]:
    """(word, is no number of 64 bits, has more than `scale` decimals) of one text, exponents and all."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return 0, True, False
    sign, digits, exponent = decimal.Decimal(text).as_tuple()
    if not isinstance(exponent, int) or exponent + len(digits) > _LONGEST_NUMBER:
        return 0, any(digits), False
    magnitude, shift = int("".join(map(str, digits))), max(exponent + scale, -len(digits))  # further down, all is rest
    magnitude, rest = (magnitude * 10**shift, 0) if shift >= 0 else divmod(magnitude, 10**-shift)
    word = -magnitude if sign else magnitude
    if not -(2**63) <= word < 2**63:
        return 0, True, False
    return (0, False, True) if rest else (word, False, False)


def _dates(values: Sequence[str]) -> tuple[Words, Mask]:
    """YYYY-MM-DD as days since 1970-01-01: (words, which are no such date)."""
    stripped = [value.strip() for value in values]
    malformed = np.fromiter((len(value) != len("YYYY-MM-DD") for value in stripped), np.bool_, len(stripped))
    plain = [value if len(value) == len("YYYY-MM-DD") else "1970-01-01" for value in stripped]
    chars = _characters([*plain, "1970-01-01"])[:-1].astype(np.int64) - ord("0")  # the last row fixes the width
    dashes, digits = chars[:, [4, 7]], chars[:, [0, 1, 2, 3, 5, 6, 8, 9]]
    malformed |= (dashes != ord("-") - ord("0")).any(axis=1) | ((digits < 0) | (digits > 9)).any(axis=1)
    digits = np.where(malformed[:, None], np.array([1, 9, 7, 0, 0, 1, 0, 1]), digits)
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = digits[:, 4] * 10 + digits[:, 5], digits[:, 6] * 10 + digits[:, 7]
    malformed |= (year < 1) | (month < 1) | (month > 12) | (day < 1)
    months = np.where(malformed, 0, (year - 1970) * 12 + month - 1)
    first, following = _first_day(months), _first_day(months + 1)
    malformed |= day > following - first
    return first + day - 1, malformed


def _first_day(months: Words) -> Words:
    """Months since 1970-01 as days since 1970-01-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


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
