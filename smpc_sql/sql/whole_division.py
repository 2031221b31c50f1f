"""// and % by what is secret: towards 0, NULL where the divisor is 0."""

from __future__ import annotations

from smpc_sql.plan.expressions import (
    Case,
    Equal,
    Expression,
    Less,
    Literal,
    Multiply,
    Negate,
    Subtract,
    WholeQuotient,
    Within,
)
from smpc_sql.schema import Integer, Interval
from smpc_sql.sql.coercion import widened
from smpc_sql.sql.operations import absolute
from smpc_sql.sql.rounding import scaled, whole_digits

_WORD = Integer(64)


def _towards_zero(left: Expression, right: Expression) -> Expression:
    """The quotient of two INTEGERs; NULL where the right one is 0."""
    whole: Expression = WholeQuotient(absolute(left), absolute(right))
    for part in (left, right):
        if part.bounds.low < 0:
            whole = Case(((Less(part, Literal(0, part.type)), Negate(whole)),), whole)
    if 0 in right.bounds:
        whole = Case(((Equal(right, Literal(0, right.type)), Literal(None, whole.type)),), whole)
    return whole


def quotient(left: Expression, right: Expression) -> Expression:
    """left // right of INTEGERs."""
    whole = _towards_zero(left, right)
    return scaled(whole, widened(left.type, whole.bounds))


def remainder(left: Expression, right: Expression) -> Expression:
    """left % right of numbers at one scale: of the sign of left."""
    x, y = whole_digits(left), whole_digits(right)
    rest = Subtract(x, Multiply(_towards_zero(x, y), y, _WORD), _WORD)
    most = max(1, -y.bounds.low, y.bounds.high) - 1
    low, high = max(-most, min(x.bounds.low, 0)), min(most, max(x.bounds.high, 0))
    return scaled(Within(rest, Interval(low, high)), left.type)
