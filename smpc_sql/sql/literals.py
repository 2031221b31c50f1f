"""Constants of SQL text as scaled integers."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.moments import moment_digits, moment_word
from smpc_sql.plan.expressions import Divide, Expression, Literal
from smpc_sql.schema import Boolean, Date, Decimal, Enum, Integer, Timestamp

NULL = Literal(None, Integer(32))
"""NULL of no type yet: it takes on whatever type stands beside it."""

_NUMBER = re.compile(r"(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_DATE = re.compile(r"\s*(\d{1,4})-(\d{1,2})-(\d{1,2})\s*", re.ASCII)
_EPOCH = date(1970, 1, 1)
_MAX_DIGITS = 38


def integer(value: int) -> Literal:
    """An integer constant: INTEGER, BIGINT or HUGEINT, the first that holds it."""
    bits = next((bits for bits in (32, 64) if -(1 << (bits - 1)) <= value < 1 << (bits - 1)), 128)
    return Literal(value, Integer(bits))


def number(text: str) -> Expression:
    """An unsigned number: an integer, a DECIMAL with the digits it is written with, or with an exponent a DOUBLE."""
    match = _NUMBER.fullmatch(text.replace("_", ""))
    if match is None or not (match[1] or match[2]):
        raise Unsupported(f"the number {text[:50]} is not supported")
    whole, decimals, exponent = match[1], match[2], match[3]
    if len(whole) + len(decimals or "") > _MAX_DIGITS or abs(int(exponent or 0)) > _MAX_DIGITS:
        raise Unsupported(f"a number of more than {_MAX_DIGITS} digits is not supported")
    if exponent is not None:
        exact = Fraction(int(whole + (decimals or ""))) * Fraction(10) ** (int(exponent) - len(decimals or ""))
        return Divide(integer(exact.numerator), integer(exact.denominator), guarded=True)
    if decimals is None:
        return integer(int(whole))
    digits = whole + decimals
    return Literal(int(digits), Decimal(len(digits), len(decimals)))


def boolean(value: bool) -> Literal:
    """TRUE or FALSE."""
    return Literal(int(value), Boolean())


def text_literal(value: str) -> Literal:
    """A text: the only label of its own dictionary."""
    return Literal(0, Enum((value,)))


def days(text: str) -> int:
    """A date as days since 1970-01-01; a time behind it is not looked at. Raises TypeMismatch."""
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            return (date(int(match[1]), int(match[2]), int(match[3])) - _EPOCH).days
        if moment_word(text, cut=True) is None:
            raise ValueError
        digits = moment_digits(text) or ""
        return (date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) - _EPOCH).days
    except ValueError:
        raise TypeMismatch(f"'{text[:50]}' is not a date; write it as '2020-12-31'") from None


def date_literal(text: str) -> Literal:
    """A DATE constant. Raises TypeMismatch."""
    return Literal(days(text), Date())


def timestamp_literal(text: str) -> Literal:
    """A TIMESTAMP constant. Raises TypeMismatch."""
    word = moment_word(text, cut=True)
    if word is None:
        raise TypeMismatch(f"'{text[:50]}' is not a timestamp; write it as '2020-12-31 23:59:59'")
    return Literal(word, Timestamp())


def is_null(expression: Expression) -> bool:
    """Whether it is the constant NULL."""
    return isinstance(expression, Literal) and expression.value is None


def text_of(expression: Expression) -> str | None:
    """The text of a text constant, else None."""
    if isinstance(expression, Literal) and isinstance(expression.type, Enum) and expression.value is not None:
        return expression.type.labels[expression.value]
    return None
