"""Which texts, and which types, certainly have no value of another type: what TRY_CAST makes NULL of."""

from __future__ import annotations

import re

from smpc_sql.errors import TypeMismatch
from smpc_sql.moments import moment_digits, moment_word
from smpc_sql.schema import Boolean, Date, Decimal, Double, Duration, Enum, Integer, SqlType, Timestamp
from smpc_sql.sql.literals import days

TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
"""Texts of BOOLEANs, in small letters."""

_NUMBER = re.compile(r"[+-]?(?:0[xb][0-9a-f_]+|[0-9_]*\.?[0-9_]*(?:e[+-]?[0-9_]*)?)", re.ASCII)
_DATE = re.compile(r"\s*-?\d+([-/\\ ])\d+\1\d+.*", re.ASCII | re.DOTALL)
_DAY = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}\s*", re.ASCII)
_NAMED = ("inf", "infinity", "nan", "epoch")


def stands_for_nothing(text: str, type_: SqlType) -> bool:
    """Whether a text is certainly no value of a type: nothing else is said to be NULL that DuckDB might read."""
    bare = text.strip().lower()
    if isinstance(type_, Boolean):
        return text.lower() not in (*TRUE, *FALSE)
    if bare.lstrip("+-") in _NAMED:
        return False
    if not any(c.isdigit() for c in text):
        return True
    if isinstance(type_, Date):
        return _DATE.fullmatch(text) is None or _is_no_day(text)
    if isinstance(type_, Timestamp):
        return _DATE.fullmatch(text) is None or _is_no_moment(text)
    return _NUMBER.fullmatch(bare) is None


def _is_no_day(text: str) -> bool:
    """Whether it has the form of a date, and is none."""
    if _DAY.fullmatch(text) is None and moment_digits(text) is None:
        return False
    try:
        days(text)
    except TypeMismatch:
        return True
    return False


def _is_no_moment(text: str) -> bool:
    """Whether it has the form of a moment, and is none."""
    return moment_digits(text) is not None and moment_word(text, cut=True) is None


def never(source: SqlType, target: SqlType) -> bool:
    """Whether no value of one type but NULL has one of the other, as DuckDB has it; texts aside."""
    numbers = Boolean | Integer | Decimal | Double
    if isinstance(target, Enum):
        return not isinstance(source, Enum)
    if isinstance(source, Duration):
        return True
    if isinstance(source, Date | Timestamp):
        return isinstance(target, numbers)
    return isinstance(source, numbers) and isinstance(target, Date | Timestamp)
