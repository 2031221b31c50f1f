"""Scaled integers as the SQL values that they are, whole columns at a time."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from smpc_sql.errors import InternalError, QueryError
from smpc_sql.moments import moment_of
from smpc_sql.schema import (
    Boolean,
    Date,
    Decimal,
    Double,
    Duration,
    Enum,
    Integer,
    SqlType,
    Text,
    Timestamp,
    text_of_words,
    type_bounds,
)

Words = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_EPOCH = datetime.date(1970, 1, 1).toordinal()


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
