"""CAST to VARCHAR: values as DuckDB writes them.

Of few possible values a public dictionary; else digit by digit, the first one first, laid out at fixed places with
zeros in front, which `Numeral` takes away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import (
    Add,
    Case,
    Expression,
    FloorDivide,
    FromBoolean,
    Less,
    Literal,
    Multiply,
    Negate,
    Subtract,
    TextCall,
    Within,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.text import Join, Numeral, Trim
from smpc_sql.schema import (
    WORD,
    Boolean,
    Date,
    Decimal,
    Double,
    Duration,
    Enum,
    Integer,
    Interval,
    SqlType,
    Text,
    Timestamp,
    scale_of,
)
from smpc_sql.sql import coercion, timestamps
from smpc_sql.sql.fixed import over_constant, times_constant
from smpc_sql.sql.layout import digits_of, laid_out, of_few
from smpc_sql.sql.literals import NULL, is_null, text_literal
from smpc_sql.sql.operations import absolute
from smpc_sql.sql.rounding import floor_divide, remainder, whole_digits
from smpc_sql.sql.text import spell, unspelled

_WORD = Integer(64)
_FEW = 256
_EPOCH = datetime(1970, 1, 1)
_SECOND = 1_000_000
_PLACES = 19
_HALF_PLACES = 9
_HALF = 10**_HALF_PLACES


def written(x: Expression) -> Expression:
    """A value as text; NULL where it is. Raises Unsupported."""
    x = fold(x)
    if is_null(x):
        return NULL
    if isinstance(x.type, Text):
        return x
    if isinstance(x.type, Enum):
        return coercion.recoded(x, Enum(tuple(sorted(x.type.labels))))
    if isinstance(x.type, Double):
        return _double(x)
    if isinstance(x.type, Duration):
        raise Unsupported(
            "CAST of INTERVAL to text is not supported, since equal INTERVALs are written in several ways"
        )
    if not isinstance(x.type, Boolean | Integer | Decimal | Date | Timestamp):
        raise Unsupported(f"CAST of {x.type} to text is not supported")
    if isinstance(x, Literal) and x.value is not None:
        return text_literal(_shown(x.value, x.type))
    if x.bounds.size <= _FEW:
        return _of_few(FromBoolean(x) if isinstance(x.type, Boolean) else x, x.type)
    if isinstance(x.type, Date) and x.type.midnight:
        x = coercion.at_midnight(x)
    if isinstance(x.type, Date):
        return laid_out(_date_layout(x))
    return _moment(x) if isinstance(x.type, Timestamp) else _number(x)


def _shown(value: int, type_: SqlType) -> str:
    """A word of a type as DuckDB writes it."""
    match type_:
        case Boolean():
            return "true" if value else "false"
        case Date(midnight):
            return (_EPOCH + timedelta(days=value)).date().isoformat() + (" 00:00:00" if midnight else "")
        case Timestamp():
            moment = _EPOCH + timedelta(microseconds=value)
            fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
            return f"{moment.replace(microsecond=0).isoformat(' ')}{fraction}"
        case Decimal(_, scale) if scale > 0:
            digits = str(abs(value)).rjust(scale + _ones(type_), "0")
            return f"{'-' * (value < 0)}{digits[:-scale]}.{digits[-scale:]}"
        case _:
            return str(value)


def _ones(type_: SqlType) -> int:
    """How many digits are written in front of the point at least: none if the type has none."""
    return int(not isinstance(type_, Decimal) or type_.precision > type_.scale)


def _of_few(x: Expression, type_: SqlType, show: Callable[[int], str] | None = None) -> Expression:
    return of_few(x, (lambda value: _shown(value, type_)) if show is None else show)


def _number(x: Expression) -> Expression:
    """The sign, the digits and the point; then without the zeros in front."""
    layout, kept = _number_layout(x)
    signed = x.bounds.low < 0
    text = laid_out(layout)
    if not signed and kept == len(layout):
        return text
    assert isinstance(text.type, Text)
    return unspelled(TextCall(Numeral(text.type, signed, kept), (spell(text),)))


def _number_layout(x: Expression) -> tuple[list[str | Expression], int]:
    """A sign if it may be below 0, all digits and the point; and how many of the last stay though they are 0."""
    scale, ones = scale_of(x.type), _ones(x.type)
    count = max(len(str(max(-x.bounds.low, x.bounds.high))), scale + ones)
    layout: list[str | Expression] = list(_all_digits(whole_digits(x), count))
    if scale:
        layout.insert(count - scale, ".")
    if x.bounds.low < 0:
        negative = FromBoolean(Less(x, Literal(0, x.type)))
        layout.insert(0, Add(Multiply(negative, Literal(2, _WORD), _WORD), Literal(ord("+") - ord("0"), _WORD), _WORD))
    return layout, scale + ones + (1 if scale else 0)


def _double(x: Expression) -> Expression:
    """A DOUBLE of fixed precision, without zeros at its end but one behind the point; NULL where it is."""
    fixed = over_constant(x)
    if fixed is None:
        raise Unsupported(
            "CAST to text of a quotient by what is not constant is supported in a query's outputs only; "
            "elsewhere it works for ROUND(quotient, 2), or CAST(quotient AS DECIMAL(18, 2))"
        )
    unit = _constant(fixed.denominator)
    if fixed.numerator.bounds.size <= _FEW:
        return _of_few(fixed.numerator, fixed.numerator.type, lambda value: repr(value / unit))
    scale = next((s for s in range(1, _PLACES) if 10**s % unit == 0), None)
    if scale is None:
        raise Unsupported(
            "CAST to text of a quotient that has no end is supported in a query's outputs only; "
            "elsewhere it works for ROUND(quotient, 2), or CAST(quotient AS DECIMAL(18, 2))"
        )
    number = FloorDivide(times_constant(fixed.numerator, 10**scale // unit), 1, Decimal(38, scale))
    layout, kept = _number_layout(number)
    cut = len(layout) - scale + 1
    head = laid_out(layout[:cut])
    assert isinstance(head.type, Text)
    shown = TextCall(Numeral(head.type, number.bounds.low < 0, kept - scale + 1), (spell(head),))
    if scale == 1:
        return unspelled(shown)
    rest = laid_out(layout[cut:])
    assert isinstance(rest.type, Text)
    ends = TextCall(Trim(rest.type, False, True, ord("0")), (spell(rest),))
    return unspelled(TextCall(Join(head.type, rest.type), (shown, ends)))


def _constant(x: Expression) -> int:
    assert isinstance(x, Literal) and x.value is not None
    return x.value


def _all_digits(x: Expression, count: int) -> Iterator[str | Expression]:
    """The same of any INTEGER, without its sign. One whose negation might leave a word is halved before it is negated:
    below 0 both halves count from the other end, with a carry where the lower one is not 0.
    """
    if -x.bounds.low in WORD:
        yield from digits_of(absolute(x), count)
        return
    high, low = floor_divide(x, _HALF), remainder(x, _HALF)
    carry = FromBoolean(Less(Literal(0, _WORD), low))
    negative = Less(x, Literal(0, x.type))
    above = Case(((negative, Negate(Add(high, carry, _WORD))),), high)
    below = Case(((negative, Subtract(Multiply(carry, Literal(_HALF, _WORD), _WORD), low, _WORD)),), low)
    yield from "0" * (count - _PLACES)
    yield from digits_of(Within(above, Interval(0, (1 << 63) // _HALF)), _PLACES - _HALF_PLACES)
    yield from digits_of(Within(below, Interval(0, _HALF - 1)), _HALF_PLACES)


def _date_layout(x: Expression) -> list[str | Expression]:
    year, month, day = (timestamps.part(name, x) for name in ("year", "month", "day"))
    return [*digits_of(year, 4), "-", *digits_of(month, 2), "-", *digits_of(day, 2)]


def _moment(x: Expression) -> Expression:
    """The fraction of a second without the zeros at its end, and without the point if nothing is left."""
    layout = _date_layout(timestamps.date_of(x))
    clock = timestamps.clock(x)
    for between, name in ((" ", "hour"), (":", "minute"), (":", "second")):
        layout += [between, *digits_of(clock[name], 2)]
    layout += [".", *digits_of(clock["micros"], 6)]
    text = laid_out(layout)
    assert isinstance(text.type, Text)
    spelled = spell(text)
    for character in "0.":
        spelled = TextCall(Trim(text.type, False, True, ord(character)), (spelled,))
    return unspelled(spelled)
