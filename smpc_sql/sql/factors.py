"""Quotients as products of factors: what both sides have in common goes, and so do signs, constants and choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd

from smpc_sql.plan.expressions import (
    Add,
    Case,
    Column,
    Divide,
    Equal,
    Expression,
    FloorDivide,
    IsNull,
    Less,
    Literal,
    Multiply,
    Negate,
    Or,
    Rescale,
    Subtract,
)
from smpc_sql.plan.wide import as_integer, fits
from smpc_sql.schema import Integer
from smpc_sql.sql.operations import absolute

_WORD = Integer(64)
_MOST_BRANCHES = 16


@dataclass(frozen=True, slots=True)
class Ratio:
    """over * (product of above) / (under * (product of below)), of INTEGERs; NULL where one of `zeros` is 0 or NULL.

    over and under are constants, under > 0 and the two without a common divisor. zeros: what stood below.
    """

    over: int
    under: int
    above: tuple[Expression, ...]
    below: tuple[Expression, ...]
    zeros: tuple[Expression, ...]


def ratio(numerator: Expression, denominator: Expression) -> Ratio | None:
    """numerator / denominator without common factors; None where a constant makes it NULL."""
    (over, above), (under, below) = _factors(numerator), _factors(denominator)
    if under == 0 or any(isinstance(x, Literal) for x in (*above, *below)):
        return None
    common = gcd(over, under) * (1 if under > 0 else -1)
    zeros = tuple(dict.fromkeys(below))
    rest = list(above)
    for factor in list(below):
        if factor in rest:
            rest.remove(factor)
            below.remove(factor)
    return Ratio(over // common, under // common, tuple(rest), tuple(below), zeros)


def _factors(e: Expression) -> tuple[int, list[Expression]]:
    """A constant and INTEGERs whose product a number's scaled integer is; NULL is a factor of its own."""
    match e:
        case Literal(value) if value is not None:
            return value, []
        case Literal():
            return 1, [Literal(None, _WORD)]
        case Column(nullable=False) if e.bounds.size == 1:
            return e.bounds.low, []
        case Multiply(left, right):
            (a, first), (b, second) = _factors(left), _factors(right)
            return a * b, [*first, *second]
        case Rescale(x, exponent):
            constant, found = _factors(x)
            return constant * int(10**exponent), found
        case Negate(x):
            constant, found = _factors(x)
            return -constant, found
        case FloorDivide(x, 1):
            return _factors(x)
        case Add(left, right) | Subtract(left, right):
            return _factors_of_sum(e, left, right)
        case _:
            return 1, [as_integer(e)]


def _factors_of_sum(e: Add | Subtract, left: Expression, right: Expression) -> tuple[int, list[Expression]]:
    """What all terms have in common is taken out."""
    (a, first), (b, second) = _factors(left), _factors(right)
    shared = gcd(a, b) or 1
    common = []
    for factor in list(first):
        if factor in second:
            common.append(factor)
            first.remove(factor)
            second.remove(factor)
    return shared, [*common, type(e)(_product(a // shared, first), _product(b // shared, second), _WORD)]


def _product(constant: int, factors: Sequence[Expression]) -> Expression:
    if not factors:
        return Literal(constant, _WORD)
    found = reduce(_times, factors)
    return found if constant == 1 else Negate(found) if constant == -1 else _times(Literal(constant, _WORD), found)


def _times(x: Expression, y: Expression) -> Expression:
    return Multiply(x, y, _WORD)


def is_negative(x: Expression) -> Expression:
    """x < 0, of the signs of its factors where it leaves 64 bits."""
    constant, found = _factors(x)
    if fits(x) or constant == 0 or any(isinstance(factor, Literal) for factor in found):
        return Less(x, Literal(0, x.type))
    signs: list[Expression] = [Literal(1 if constant > 0 else -1, _WORD)]
    for factor in dict.fromkeys(found):
        zero, even = Literal(0, factor.type), found.count(factor) % 2 == 0
        below = () if even or factor.bounds.low >= 0 else ((Less(factor, zero), Literal(-1, _WORD)),)
        signs.append(Case((*below, (Equal(factor, zero), Literal(0, _WORD))), Literal(1, _WORD)))
    return Less(reduce(_times, signs), Literal(0, _WORD))


def size_of(above: Sequence[Expression]) -> Expression:
    """The absolute value of a product: of every pair of equal factors the square."""
    counts = {factor: above.count(factor) for factor in above}
    parts = [_times(factor, factor) for factor, count in counts.items() for _ in range(count // 2)]
    parts += [absolute(factor) for factor, count in counts.items() if count % 2]
    return reduce(_times, parts) if parts else Literal(1, _WORD)


def sign_of(found: Ratio, guarded: bool) -> Expression | None:
    """1 or -1, and NULL where the ratio is NULL but not its factors; None where it is always 1.

    guarded: something else is NULL wherever what was below is 0.
    """
    every = [*found.above, *found.below]
    odd = [x for x in dict.fromkeys(every) if x.bounds.low < 0 and every.count(x) % 2]
    signs: list[Expression] = [
        Case(((Less(x, Literal(0, x.type)), Literal(-1, _WORD)),), Literal(1, _WORD)) for x in odd
    ]
    tests: list[Expression] = [IsNull(x) for x in found.zeros if x.nullable and x not in every]
    if not guarded:
        tests += [Equal(x, Literal(0, x.type)) for x in found.zeros if 0 in x.bounds]
    if tests:
        null = Or(tuple(tests)) if len(tests) > 1 else tests[0]
        signs.append(Case(((null, Literal(None, _WORD)),), Literal(1, _WORD)))
    return reduce(_times, signs) if signs else None


# ----------------------------------------------------------------------------------------------------------- choices


Branches = tuple[tuple[tuple[Expression, ...], Divide | None], ...]
"""Quotients and under which conditions they are meant: the first whose last condition is true, and none before it."""


def branches(q: Divide) -> tuple[tuple[Expression, ...], tuple[Divide | None, ...]]:
    """A quotient whose parts are CASEs as conditions and a quotient for each, the last being for none; None is NULL."""
    conditions = next(filter(None, map(_chosen_by, (q.numerator, q.denominator))), None)
    if conditions is None:
        return (), (q,)
    found: list[Divide | None] = []
    for place in range(len(conditions) + 1):
        parts = [_chosen(part, conditions, place) for part in (q.numerator, q.denominator)]
        null = any(isinstance(part, Literal) and part.value is None for part in parts)
        found.append(None if null else Divide(parts[0], parts[1], q.guarded))
    return conditions, tuple(found)


def _chosen_by(e: Expression) -> tuple[Expression, ...] | None:
    """The conditions of a CASE of numbers that leave 64 bits among the factors."""
    match e:
        case Case(cases) if not fits(e) and len(cases) < _MOST_BRANCHES:
            return tuple(condition for condition, _ in cases)
        case Multiply(left, right):
            return _chosen_by(left) or _chosen_by(right)
        case Rescale(x) | Negate(x) | FloorDivide(x, 1):
            return _chosen_by(x)
        case _:
            return None


def _chosen(e: Expression, conditions: tuple[Expression, ...], place: int) -> Expression:
    """The same where the first condition that is true is at a place (none: behind the last)."""
    match e:
        case Case(cases, default) if tuple(condition for condition, _ in cases) == conditions:
            return default if place == len(cases) else cases[place][1]
        case Multiply(left, right, type_):
            found = (_chosen(left, conditions, place), _chosen(right, conditions, place))
            null = next((part for part in found if isinstance(part, Literal) and part.value is None), None)
            return Literal(None, e.type) if null is not None else Multiply(found[0], found[1], type_)
        case Rescale(x, exponent, type_):
            found_x = _chosen(x, conditions, place)
            return Literal(None, type_) if _is_null(found_x) else Rescale(found_x, exponent, type_)
        case Negate(x):
            found_x = _chosen(x, conditions, place)
            return found_x if _is_null(found_x) else Negate(found_x)
        case FloorDivide(x, 1, type_):
            found_x = _chosen(x, conditions, place)
            return Literal(None, type_) if _is_null(found_x) else FloorDivide(found_x, 1, type_)
        case _:
            return e


def _is_null(e: Expression) -> bool:
    return isinstance(e, Literal) and e.value is None
