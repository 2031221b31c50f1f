"""CAST and TRY_CAST of secret text: numbers, dates and truth values are read under MPC. NULL for what is none.

Exponents, underscores between digits, hexadecimal numbers and years of another number of digits than 4 are not read.
"""

from __future__ import annotations

from collections.abc import Callable

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import (
    Add,
    And,
    Case,
    Equal,
    Expression,
    FloorDivide,
    FromBoolean,
    Less,
    Literal,
    Multiply,
    Negate,
    Not,
    Or,
    Subtract,
    TextCall,
    Within,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.text import ChangeCase, Digits, ReadDate, ReadNumber, ReadTimestamp, SignBit
from smpc_sql.schema import (
    Boolean,
    Date,
    Decimal,
    Double,
    Integer,
    Interval,
    SqlType,
    Text,
    Timestamp,
    type_bounds,
)
from smpc_sql.sql import coercion, dates
from smpc_sql.sql.coercion import as_quotient
from smpc_sql.sql.literals import boolean, integer, text_literal
from smpc_sql.sql.operations import compare
from smpc_sql.sql.text import spell, unspelled

_WORD = Integer(64)
_MOST = 18
"""Digits that always fit a word."""

_SECOND = 1_000_000
_SHORTEST_MOMENT = len("2020-1-1 1:")
_END_OF_TIME = 9999123124
"""YYYYMMDDhh of the first hour that no TIMESTAMP has."""

_HALF = 10**_MOST
_DOUBLE_ONES = 12

Fit = Callable[[Expression, SqlType], Expression]
"""NULL for a number that a type does not hold."""


def read(x: Expression, type_: SqlType, fit: Fit, truths: tuple[tuple[str, ...], tuple[str, ...]]) -> Expression:
    """A secret text as a value of a type, NULL where it stands for none. truths: what is true, what is false.

    Raises Unsupported.
    """
    assert isinstance(x.type, Text)
    length = x.type.length
    match type_:
        case Boolean():
            return _truth(x, *truths)
        case Date():
            return _date(x)
        case Timestamp():
            return _moment(x)
        case Integer(bits) if bits <= 64 or length <= _MOST:
            ones = min(length, len(str(1 << bits - 1)))
            return _big(x) if ones > _MOST else fit(_number(x, ones, 0, _WORD), type_)
        case Decimal(precision, scale) if min(length, max(1, precision - scale)) + scale <= _MOST:
            return fit(_number(x, max(1, precision - scale), scale, type_), type_)
        case Double():
            ones = min(length, _DOUBLE_ONES)
            decimals = min(max(0, length - 1), _MOST - ones)
            return as_quotient(_number(x, ones, decimals, Decimal(_MOST, decimals)))
    raise Unsupported(f"CAST of {x.type} to {type_} is not supported")


def _known(condition: Expression, x: Expression) -> Expression:
    """x where the condition holds, else NULL."""
    return Case(((condition, x),), Literal(None, x.type))


def _plus(x: Expression, y: Expression) -> Expression:
    return Add(x, y, _WORD)


def _parts(x: Expression, ones: int, decimals: int) -> tuple[Expression, Expression, TextCall, Text]:
    """Whether a number was read, whether it is negative, what was read, and its type."""
    plain = Text(x.type.length, x.type.ascii)  # type: ignore[union-attr]
    found = TextCall(ReadNumber(plain, ones, decimals), (spell(x),))
    what = Text(ones + decimals + 2)
    return TextCall(SignBit(what, False), (found,)), TextCall(SignBit(what, True), (found,)), found, what


def _up(found: TextCall, what: Text) -> Expression:
    """1 where the last digit is 5 or more: halves go away from 0."""
    last = TextCall(Digits(what, what.length - 1, 1), (found,))
    return FromBoolean(Less(integer(4), last))


def _number(x: Expression, ones: int, decimals: int, type_: SqlType) -> Expression:
    """A number of few digits, rounded to `decimals`, as scaled integers of a type of that scale."""
    ones = min(ones, x.type.length)  # type: ignore[union-attr]
    valid, negative, found, what = _parts(x, ones, decimals)
    size = _plus(TextCall(Digits(what, 1, ones + decimals), (found,)), _up(found, what))
    number = _known(valid, Case(((negative, Negate(size)),), size))
    if isinstance(type_, Integer):
        return number
    return FloorDivide(number, 1, Decimal(38, decimals))


def _big(x: Expression) -> Expression:
    """A BIGINT: of 19 digits the first one apart, so that all sums stay within a word."""
    valid, negative, found, what = _parts(x, _MOST + 1, 0)
    first = TextCall(Digits(what, 1, 1), (found,))
    rest = _plus(TextCall(Digits(what, 2, _MOST), (found,)), _up(found, what))
    most = (1 << 63) - 1
    limit = _plus(integer(most - 9 * _HALF), FromBoolean(negative))
    held = Not(And((Equal(first, integer(9)), Less(limit, rest))))
    below = _plus(Multiply(first, Literal(_HALF, _WORD), _WORD), Subtract(rest, integer(_HALF), _WORD))
    signed = Case(((negative, Negate(below)),), below)
    near = Within(signed, Interval(_HALF - most - 1, most - _HALF))
    number = _plus(near, Case(((negative, integer(-_HALF)),), integer(_HALF)))
    return _known(And((valid, held)), number)


def _date(x: Expression) -> Expression:
    """A date if there is such a month and such a day of it, from year 1 on; and such a time, if one is behind it."""
    plain = Text(x.type.length, x.type.ascii)  # type: ignore[union-attr]
    if plain.length < _SHORTEST_MOMENT:
        found, what = TextCall(ReadDate(plain), (spell(x),)), Text(9)
        return _day(found, what, (_is_read(found, what),))
    found, what = TextCall(ReadTimestamp(plain, True), (spell(x),)), Text(21)
    return _day(found, what, (_is_read(found, what), *_there(found, what)))


def _moment(x: Expression) -> Expression:
    """A TIMESTAMP if there is such a day, and such a time of it: up to 24:00:00, which is the next day's midnight."""
    plain = Text(x.type.length, x.type.ascii)  # type: ignore[union-attr]
    found, what = TextCall(ReadTimestamp(plain), (spell(x),)), Text(21)
    micros: Expression = TextCall(Digits(what, 15, 6), (found,))
    for start, unit in ((9, 3600), (11, 60), (13, 1)):
        field = TextCall(Digits(what, start, 2), (found,))
        micros = _plus(micros, Multiply(field, Literal(unit * _SECOND, _WORD), _WORD))
    last = Less(TextCall(Digits(what, 1, 10), (found,)), integer(_END_OF_TIME))
    midnight = coercion.at_midnight(_day(found, what, (_is_read(found, what), last)))
    return Within(_known(And(_there(found, what)), Add(midnight, micros)), type_bounds(Timestamp()))


def _is_read(found: Expression, what: Text) -> Expression:
    return TextCall(SignBit(what, False), (found,))


def _day(found: Expression, what: Text, tests: tuple[Expression, ...]) -> Expression:
    """The date that was read, NULL where there is none or a test fails."""
    century, year, month, day = (TextCall(Digits(what, start, 2), (found,)) for start in (1, 3, 5, 7))
    return dates.made_of(century, year, month, day, tests)


def _there(found: Expression, what: Text) -> tuple[Expression, ...]:
    """What must hold for the time that was read: no more than 59 minutes, 59 seconds, and 24 hours in all."""
    minute, second, all_digits = (
        TextCall(Digits(what, start, size), (found,)) for start, size in ((11, 2), (13, 2), (9, 12))
    )
    return Less(minute, integer(60)), Less(second, integer(60)), Not(Less(integer(24 * 10**10), all_digits))


def _truth(x: Expression, true: tuple[str, ...], false: tuple[str, ...]) -> Expression:
    """What is written in any case."""
    assert isinstance(x.type, Text)
    plain = Text(x.type.length, x.type.ascii)
    lowered = unspelled(TextCall(ChangeCase(plain, upper=False), (spell(x),)))
    is_true, is_false = (
        fold(Or(tuple(compare("=", lowered, text_literal(t)) for t in each))) for each in (true, false)
    )
    return Case(((is_true, boolean(True)), (is_false, boolean(False))), Literal(None, Boolean()))
