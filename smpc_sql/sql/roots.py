"""FLOOR, CEIL, ROUND, TRUNC and CAST of square roots: whole roots of whole quotients, exactly."""

from __future__ import annotations

from smpc_sql.plan.expressions import (
    Add,
    And,
    Case,
    Divide,
    Equal,
    Expression,
    Less,
    Literal,
    Multiply,
    Negate,
    Rescale,
    Sqrt,
    Subtract,
    WholeQuotient,
    WholeRoot,
    Within,
)
from smpc_sql.schema import Integer, Interval, SqlType, scale_of
from smpc_sql.sql.coercion import as_quotient
from smpc_sql.sql.literals import integer
from smpc_sql.sql.operations import absolute
from smpc_sql.sql.quotient import positive
from smpc_sql.sql.rounding import floor_divide, remainder, scaled, whole_digits

_WORD = Integer(64)


def rounded_root(name: str, x: Sqrt, digits: int) -> Expression:
    """FLOOR, CEIL, ROUND or TRUNC to `digits` decimals, as a quotient by a power of ten."""
    whole = _whole(name, x, digits)
    if digits < 0:
        whole = _times(whole, 10**-digits)
    return Divide(whole, Literal(10 ** max(digits, 0), _WORD), guarded=True)


def cast_root(x: Sqrt, type_: SqlType) -> Expression:
    """As INTEGER (halves to even) or DECIMAL (halves away from 0)."""
    return scaled(_whole("EVEN" if isinstance(type_, Integer) else "ROUND", x, scale_of(type_)), type_)


def _whole(name: str, x: Sqrt, digits: int) -> Expression:
    """The root in units of 10^-digits, as a whole number: NULL where the denominator is 0."""
    q = positive(as_quotient(x.x))
    d = q.denominator
    if isinstance(d, Rescale) and d.exponent > 0:  # it was made as fine as the numerator
        d = d.x
    factor = 2 * digits + scale_of(d.type) - scale_of(q.numerator.type)
    n = _times(whole_digits(q.numerator), 10 ** max(factor, 0))
    d = _times(whole_digits(d), 10 ** max(-factor, 0))
    size = absolute(n) if x.signed else Within(n, Interval(max(0, n.bounds.low), max(0, n.bounds.high)))
    signed = x.signed and n.bounds.low < 0
    away = {"FLOOR": "CEIL", "CEIL": "FLOOR"}.get(name, name)
    most = x.most if digits < 0 else x.most * 10**digits
    whole = _of_size(name, size, d, most)
    if signed:
        below = Negate(_of_size(away, size, d, most))
        whole = Case(((Less(n, Literal(0, n.type)), below),), whole)
    if 0 in d.bounds and not q.guarded:
        whole = Case(((Equal(d, Literal(0, d.type)), Literal(None, whole.type)),), whole)
    return whole


def _of_size(name: str, n: Expression, d: Expression, most: int) -> Expression:
    """sqrt(n / d) as a whole number, n >= 0; of `most` at most, if that is not 0.

    ROUND: with y = floor(2 sqrt(x)) it is floor((y + 1) / 2).
    CEIL: with c = ceil(x) it is floor(sqrt(c - 1)) + 1.
    """
    doubled = 2 if name in ("ROUND", "EVEN") else 1
    n, limit = _times(n, doubled**2), (most * doubled) ** 2
    if name == "CEIL":
        c = Negate(_divided(Negate(n), d, limit))
        zero = Literal(0, c.type)
        high = max(0, c.bounds.high - 1)
        before = Within(Case(((Equal(c, zero), zero),), Subtract(c, integer(1), _WORD)), Interval(0, high))
        return Case(((Equal(c, zero), Literal(0, _WORD)),), Add(WholeRoot(before), integer(1), _WORD))
    y = WholeRoot(_divided(n, d, limit))
    if doubled == 1:
        return y
    whole = floor_divide(Add(y, integer(1), _WORD), 2)
    if name == "ROUND":
        return whole
    short = Subtract(Multiply(Multiply(y, y, _WORD), d, _WORD), n, _WORD)
    exact = Equal(Within(short, Interval(-n.bounds.high, 0)), integer(0))
    # a half, exactly, where y is odd; then ROUND went up, and steps back from an odd number
    tie = And((exact, Equal(remainder(y, 2), integer(1)), Equal(remainder(whole, 2), integer(1))))
    even = Case(((tie, Subtract(whole, integer(1), _WORD)),), whole)
    return Within(even, Interval(0, whole.bounds.high))


def _divided(n: Expression, d: Expression, limit: int) -> Expression:
    """floor(n / d), of a size that is known to be `limit` at most, if that is not 0."""
    found = WholeQuotient(n, d, width=limit.bit_length() if limit and n.bounds.low >= 0 else 0)
    if not limit or n.bounds.low >= 0:
        return found
    return Within(found, Interval(max(-limit, found.bounds.low), 0))


def _times(x: Expression, factor: int) -> Expression:
    return x if factor == 1 else Multiply(x, Literal(factor, _WORD), _WORD)
