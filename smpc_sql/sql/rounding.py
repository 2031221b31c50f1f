"""FLOOR, CEIL, ROUND, TRUNC, // and %, and casts to coarser scales: whole quotients by public numbers."""

from __future__ import annotations

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import (
    Add,
    And,
    Case,
    Divide,
    Equal,
    Expression,
    FloorDivide,
    FromBoolean,
    Less,
    Literal,
    Multiply,
    Negate,
    Remainder,
    Subtract,
    WholeQuotient,
    Within,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Decimal, Double, Integer, Interval, SqlType, scale_of
from smpc_sql.sql.coercion import as_decimal, as_quotient, negate, same_scale, widened
from smpc_sql.sql.literals import integer
from smpc_sql.sql.operations import absolute
from smpc_sql.sql.quotient import positive

_WORD = Integer(64)


def floor_divide(x: Expression, divisor: int) -> Expression:
    """floor(x / divisor) of an integer, divisor > 0."""
    return FloorDivide(x, divisor, _WORD)


def remainder(x: Expression, divisor: int) -> Expression:
    """x - divisor * floor(x / divisor): from 0 to divisor - 1."""
    return Remainder(x, divisor)


def whole_digits(x: Expression) -> Expression:
    """A number's digits as an INTEGER: the whole quotient by 1."""
    return x if isinstance(x.type, Integer) else FloorDivide(x, 1, _WORD)


def _negative(x: Expression) -> Expression:
    """1 where x < 0, else 0."""
    return FromBoolean(Less(x, Literal(0, x.type)))


def _plus(x: Expression, y: Expression) -> Expression:
    return Add(x, y, _WORD)


def _times(x: Expression, factor: int) -> Expression:
    return Multiply(x, Literal(factor, _WORD), _WORD)


def _floor(x: Expression, step: int) -> Expression:
    return floor_divide(x, step)


def _ceil(x: Expression, step: int) -> Expression:
    return floor_divide(_plus(x, integer(step - 1)), step)


def truncated(x: Expression, step: int) -> Expression:
    """x / step towards 0, of an integer."""
    if x.bounds.low >= 0:
        return floor_divide(x, step)
    return floor_divide(_plus(x, _times(_negative(x), step - 1)), step)


def _round(x: Expression, step: int) -> Expression:
    """Halves away from 0, for an even step or 1."""
    if step == 1:
        return x
    moved = _plus(x, integer(step // 2))
    if x.bounds.low < 0:
        moved = Subtract(moved, _negative(x), _WORD)
    return floor_divide(moved, step)


def nearest(x: Expression, step: int) -> Expression:
    """An integer over any step > 0, halves away from 0."""
    if step > 1 and step % 2:
        x, step = _times(x, 2), 2 * step
    return _round(x, step)


def _round_half_even(x: Expression, step: int) -> Expression:
    """Halves to the even neighbour, as DOUBLEs are cast: one less where 2x + step is odd * 2 * step."""
    doubled = _plus(_times(x, 2), integer(step))
    up = floor_divide(doubled, 2 * step)
    tie = FromBoolean(Equal(doubled, _times(up, 2 * step)))
    odd = remainder(up, 2)
    lowered = Subtract(up, Multiply(tie, odd, _WORD), _WORD)
    return Within(lowered, Interval(x.bounds.low // step, -(-x.bounds.high // step)))


_WAYS = {"FLOOR": _floor, "CEIL": _ceil, "TRUNC": truncated, "ROUND": _round}


def rounded(name: str, x: Expression, digits: int = 0) -> Expression:
    """FLOOR, CEIL, TRUNC or ROUND of a number or a quotient by a constant, typed as DuckDB does. Raises Unsupported."""
    way = _WAYS[name]
    if isinstance(x.type, Double):
        return _rounded_double(name, x, digits)
    scale = scale_of(x.type)
    if digits >= scale and isinstance(x.type, Decimal):
        return x
    if isinstance(x.type, Integer):
        if name in ("ROUND", "TRUNC"):
            return x if digits >= 0 else _coarse(way(x, 10**-digits), 10**-digits, x.type)
        return as_quotient(x)
    whole = way(whole_digits(x), 10 ** (scale - digits))
    if digits >= 0:
        return scaled(whole, Decimal(as_decimal(x.type).precision - scale + digits, digits))
    return _coarse(whole, 10**-digits, Decimal(as_decimal(x.type).precision - scale, 0))


def _coarse(x: Expression, factor: int, type_: SqlType) -> Expression:
    product = _times(x, factor)
    return scaled(product, widened(type_, product.bounds))


def scaled(x: Expression, type_: SqlType) -> Expression:
    """An integer taken for the digits of a number of that type (of any scale)."""
    return FloorDivide(x, 1, widened(type_, x.bounds))


def _constant_over(x: Expression) -> tuple[Expression, int]:
    """(numerator, denominator > 0) of a quotient by a constant, both integers."""
    q = as_quotient(x)
    numerator, denominator = same_scale(q.numerator, q.denominator)
    divisor = fold(denominator)
    if not isinstance(divisor, Literal) or not divisor.value:
        raise Unsupported("rounding a quotient is supported only by a constant other than 0")
    if divisor.value < 0:
        return whole_digits(negate(numerator)), -divisor.value
    return whole_digits(numerator), divisor.value


def _by_secret(name: str, x: Expression, digits: int) -> Expression:
    """FLOOR, CEIL, TRUNC or ROUND of a quotient by what is not constant: NULL where that is 0."""
    q = positive(as_quotient(x))
    numerator, denominator = (whole_digits(part) for part in same_scale(q.numerator, q.denominator))
    unit = 10 ** abs(digits)
    if digits >= 0:
        numerator = _times(numerator, unit)
    else:
        denominator = _times(denominator, unit)
    whole = _whole(name, numerator, denominator)
    if digits < 0:
        whole = _times(whole, unit)
    if 0 in denominator.bounds and not q.guarded:
        whole = Case(((Equal(denominator, Literal(0, denominator.type)), Literal(None, whole.type)),), whole)
    return Divide(whole, Literal(unit if digits > 0 else 1, _WORD), guarded=True)


def _whole(name: str, numerator: Expression, denominator: Expression) -> Expression:
    if name == "FLOOR":
        return WholeQuotient(numerator, denominator)
    if name == "CEIL":
        return Negate(WholeQuotient(Negate(numerator), denominator))
    size = absolute(numerator)
    if name == "ROUND":
        size, denominator = _plus(_times(size, 2), denominator), _times(denominator, 2)
    whole = WholeQuotient(size, denominator)
    if numerator.bounds.low >= 0:
        return whole
    return Case(((Less(numerator, Literal(0, numerator.type)), Negate(whole)),), whole)


def _is_by_constant(x: Expression) -> bool:
    return not isinstance(x, Divide) or isinstance(fold(x.denominator), Literal)


def _rounded_double(name: str, x: Expression, digits: int) -> Expression:
    if not _is_by_constant(x):
        return _by_secret(name, x, digits)
    numerator, divisor = _constant_over(x)
    unit = 10 ** abs(digits)
    if digits > 0:
        numerator = _times(numerator, unit)
    elif digits < 0:
        divisor *= unit
    if name == "ROUND" and divisor % 2:  # halves need an even step
        numerator, divisor = _times(numerator, 2), 2 * divisor
    whole = _WAYS[name](numerator, divisor)
    if digits < 0:
        whole = _times(whole, unit)
    return Divide(whole, Literal(unit if digits > 0 else 1, _WORD), guarded=True)


def cast_to_scale(x: Expression, type_: SqlType) -> Expression:
    """A DECIMAL at a coarser scale, halves away from 0."""
    step = 10 ** (scale_of(x.type) - scale_of(type_))
    return scaled(_round(whole_digits(x), step), type_)


def _cast_by_secret(x: Expression, type_: SqlType) -> Expression:
    """A quotient by what is not constant: NULL where that is 0."""
    half_away = _by_secret("ROUND", x, scale_of(type_))
    assert isinstance(half_away, Divide)
    whole = half_away.numerator
    if not isinstance(type_, Integer):
        return scaled(whole, type_)
    q = positive(as_quotient(x))
    numerator, denominator = (whole_digits(part) for part in same_scale(q.numerator, q.denominator))
    # a tie is where 2n = d * odd, which is where ROUND went away from 0 by exactly a half
    doubled = Multiply(whole, Literal(2, _WORD), _WORD)
    beyond = Subtract(Multiply(doubled, denominator, _WORD), _times(numerator, 2), _WORD)
    limit = denominator.bounds.high
    off = Within(beyond, Interval(-limit, limit))
    up, down = (Equal(off, part) for part in (denominator, Negate(denominator)))
    # a tie's odd result steps back towards 0
    odd = Equal(remainder(whole, 2), integer(1))
    even = Case(
        ((And((up, odd)), _plus(whole, integer(-1))), (And((down, odd)), _plus(whole, integer(1)))),
        whole,
    )
    return scaled(Within(even, whole.bounds), type_)


def cast_quotient(x: Expression, type_: SqlType) -> Expression:
    """A quotient as INTEGER (halves to even) or DECIMAL (halves away from 0)."""
    if not _is_by_constant(x):
        return _cast_by_secret(x, type_)
    numerator, divisor = _constant_over(x)
    numerator = _times(numerator, 10 ** scale_of(type_))
    if divisor == 1:
        return scaled(numerator, type_)
    if isinstance(type_, Integer):
        return scaled(_round_half_even(numerator, divisor), type_)
    return scaled(_round(_times(numerator, 2), 2 * divisor), type_)


def whole_quotient(left: Expression, divisor: int) -> Expression:
    """left // divisor of integers, towards 0."""
    x = left if divisor > 0 else negate(left)
    whole = truncated(x, abs(divisor))
    return scaled(whole, widened(left.type, whole.bounds))


def modulo(left: Expression, divisor: int) -> Expression:
    """left % divisor at one scale: of the sign of left."""
    x, step = whole_digits(left), abs(divisor)
    if x.bounds.low >= 0:
        return scaled(Remainder(x, step), left.type)
    rest = Subtract(x, _times(truncated(x, step), step), _WORD)
    high = 0 if x.bounds.high <= 0 else step - 1
    return scaled(Within(rest, Interval(1 - step, high)), left.type)
