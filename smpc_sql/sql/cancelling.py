"""Common factors of two denominators, which the cross products of a comparison need not have."""

from __future__ import annotations

from math import gcd

from smpc_sql.plan.expressions import Divide, Expression, Literal, Multiply, Rescale
from smpc_sql.schema import Decimal, Integer, scale_of
from smpc_sql.sql.coercion import multiply, rescaled


def cancelled(a: Divide, b: Divide) -> tuple[Expression, Expression]:
    """The denominators, none below 0, without what both have as a factor; of the scales that they had.

    Where a factor is 0, so were both of them, and a quotient is NULL.
    """
    first, mine = _factors(a.denominator)
    second, yours = _factors(b.denominator)
    common = gcd(first, second)
    for factor in tuple(mine):
        if factor in yours and factor.bounds.low >= 0:
            mine.remove(factor)
            yours.remove(factor)
    found = [
        _product(constant // common, factors, scale_of(x.denominator.type))
        for constant, factors, x in ((first, mine, a), (second, yours, b))
    ]
    if found[0] is None or found[1] is None:
        return a.denominator, b.denominator
    return found[0], found[1]


def _factors(x: Expression) -> tuple[int, list[Expression]]:
    """A constant above 0 and other factors, of scaled integers."""
    match x:
        case Literal(value) if value is not None and value > 0:
            return value, []
        case Rescale(inner, exponent):
            constant, factors = _factors(inner)
            return constant * 10**exponent, factors
        case Multiply(left, right):
            (first, mine), (second, yours) = _factors(left), _factors(right)
            return first * second, mine + yours
        case _:
            return 1, [x]


def _product(constant: int, factors: list[Expression], scale: int) -> Expression | None:
    """The product of a scale; None where the factors alone have more decimals."""
    rest = scale - sum(scale_of(factor.type) for factor in factors)
    if rest < 0:
        return None
    found: Expression | None = None
    for factor in factors:
        found = factor if found is None else multiply(found, factor)
    first = Literal(constant, Decimal(38, rest) if rest else Integer(64))
    if found is None:
        return first
    return rescaled(found, scale) if constant == 10**rest else multiply(found, first)
