"""Arithmetic and comparison of DOUBLEs: every DOUBLE is one exact fraction (Divide), or the square root of one.

A quotient is NULL where its denominator is 0, so an operation must keep a zero denominator zero, and it does where the
denominators are multiplied. Only division turns a denominator up: there it is multiplied to both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.plan.expressions import (
    Case,
    Divide,
    Equal,
    Expression,
    IsNull,
    Less,
    Literal,
    Multiply,
    Or,
    Sqrt,
    columns_of,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import WORD, Boolean, Integer, scale_of
from smpc_sql.sql.coercion import add, as_quotient, multiply, negate, rescaled, same_scale, subtract, unify
from smpc_sql.sql.fixed import common, is_one, over_constant, plain
from smpc_sql.sql.literals import is_null


def make(numerator: Expression, denominator: Expression, guarded: bool = False) -> Divide:
    """numerator / denominator of two numbers; a constant denominator as one constant that is not negative."""
    numerator, denominator = same_scale(numerator, denominator)
    if not columns_of(denominator):
        denominator = fold(denominator)
    if isinstance(denominator, Literal) and (denominator.value or 0) < 0:
        numerator, denominator = negate(numerator), negate(denominator)
    return Divide(numerator, denominator, guarded)


def divide(left: Expression, right: Expression) -> Expression:
    """left / right of numbers or DOUBLEs."""
    if isinstance(left, Sqrt) or isinstance(right, Sqrt):
        return Sqrt(_divide(_radicand(left), _radicand(right)), _may_be_negative(left) or _may_be_negative(right))
    return _divide(left, right)


def _divide(left: Expression, right: Expression) -> Divide:
    left, right = plain(left), plain(right)
    if not isinstance(left, Divide) and not isinstance(right, Divide):
        return make(left, right)
    a, b = as_quotient(left), as_quotient(right)
    numerator, denominator = _times(a.numerator, b.denominator), _times(a.denominator, b.numerator)
    if not _safe(b):
        numerator, denominator = multiply(numerator, b.denominator), multiply(denominator, b.denominator)
    return make(numerator, denominator)


def times(left: Expression, right: Expression) -> Expression:
    """left * right where one is a DOUBLE."""
    if isinstance(left, Sqrt) or isinstance(right, Sqrt):
        return Sqrt(_product(_radicand(left), _radicand(right)), _may_be_negative(left) or _may_be_negative(right))
    return _product(left, right)


def _product(left: Expression, right: Expression) -> Divide:
    a, b = as_quotient(left), as_quotient(right)
    numerator, denominator = _times(a.numerator, b.numerator), _times(a.denominator, b.denominator)
    return make(numerator, denominator, _safe(a) and _safe(b))


def plus(left: Expression, right: Expression) -> Expression:
    """left + right where one is a DOUBLE."""
    a, b = as_quotient(left), as_quotient(right)
    fixed = common((a, b))
    if fixed is not None:
        return make(add(fixed[0][0], fixed[0][1]), fixed[1], guarded=True)
    guarded = _safe(a) and _safe(b)
    if a.denominator == b.denominator:
        return make(add(a.numerator, b.numerator), a.denominator, guarded)
    numerator = add(_times(a.numerator, b.denominator), _times(b.numerator, a.denominator))
    return make(numerator, _times(a.denominator, b.denominator), guarded)


def minus(x: Expression) -> Expression:
    """-x of a DOUBLE."""
    a = as_quotient(x.x if isinstance(x, Sqrt) else x)
    negative = Divide(negate(a.numerator), a.denominator, a.guarded)
    return Sqrt(negative, signed=True) if isinstance(x, Sqrt) else negative


def _times(x: Expression, y: Expression) -> Expression:
    """x * y, without a factor of 1."""
    if is_one(y):
        return rescaled(x, scale_of(x.type) + scale_of(y.type))
    if is_one(x):
        return rescaled(y, scale_of(x.type) + scale_of(y.type))
    return multiply(x, y)


def _safe(x: Divide) -> bool:
    """Whether the numerator is NULL wherever the denominator is 0."""
    return x.guarded or 0 not in x.denominator.bounds


def _may_be_negative(x: Expression) -> bool:
    if isinstance(x, Sqrt):
        return x.signed
    q = as_quotient(x)
    return q.numerator.bounds.low < 0 or q.denominator.bounds.low < 0


def _radicand(x: Expression) -> Divide:
    """x * |x|, which orders as x does: what x is the (signed) root of. That of a product is the product of both."""
    if isinstance(x, Sqrt):
        return as_quotient(x.x)
    q = as_quotient(x)
    numerator = multiply(q.numerator, q.numerator)
    for part in (q.numerator, q.denominator):
        if part.bounds.low < 0:
            sign = Case(((Less(part, Literal(0, part.type)), Literal(-1, Integer(8))),), Literal(1, Integer(8)))
            numerator = multiply(sign, numerator)
    return make(numerator, multiply(q.denominator, q.denominator), _safe(q))


def positive(x: Divide) -> Divide:
    """The same quotient over a denominator that is never negative, so that cross products keep their order."""
    if x.denominator.bounds.low >= 0:
        return x
    if x.denominator.bounds.high <= 0:
        return Divide(negate(x.numerator), negate(x.denominator), x.guarded)
    return make(multiply(x.numerator, x.denominator), multiply(x.denominator, x.denominator), x.guarded)


def compare(left: Expression, right: Expression, test: type[Less] | type[Equal]) -> Expression:
    """left < right or left = right where one is a DOUBLE: by cross products, NULL where a denominator is 0."""
    if isinstance(left, Sqrt) or isinstance(right, Sqrt):
        return _compare_roots(left, right, test)
    a, b = positive(as_quotient(left)), positive(as_quotient(right))
    fixed = common((a, b))
    if fixed is not None:
        return test(*fixed[0])
    if a.denominator == b.denominator:
        sides = (a.numerator, b.numerator)
    else:
        sides = (_times(a.numerator, b.denominator), _times(b.numerator, a.denominator))
    outcome: Expression = test(*same_scale(*sides))
    for quotient in (a, b):
        if not _safe(quotient) or quotient.denominator.nullable:
            outcome = Case(((is_null_double(quotient), Literal(None, Boolean())),), outcome)
    return outcome


def _compare_roots(left: Expression, right: Expression, test: type[Less] | type[Equal]) -> Expression:
    """Roots compare as their radicands do; a root with a constant below 0 has one outcome."""
    low = [x for x in (left, right) if isinstance(x, Literal) and x.value is not None and x.value < 0]
    if not low or any(isinstance(x, Sqrt) and x.signed for x in (left, right)):
        return compare(_radicand(left), _radicand(right), test)
    root = right if low[0] is left else left
    assert isinstance(root, Sqrt)
    truth = test is Less and low[0] is left
    known = Literal(int(truth), Boolean())
    return Case(((is_null_double(root), Literal(None, Boolean())),), known)


def _is_zero(x: Expression) -> Expression:
    if isinstance(x, Multiply) and x.bounds.intersect(WORD) != x.bounds:  # the factors may be words still
        return Or((_is_zero(x.left), _is_zero(x.right)))
    return Equal(x, Literal(0, x.type))


def is_null_double(x: Expression) -> Expression:
    """x IS NULL of a DOUBLE."""
    q = as_quotient(x.x if isinstance(x, Sqrt) else x)
    if over_constant(q) is not None:
        return IsNull(q.numerator)
    zero = () if _safe(q) else (_is_zero(q.denominator),)
    return Or((IsNull(q.numerator), IsNull(q.denominator), *zero))


def choose(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    """CASE over DOUBLEs, the last value being the default: one CASE for numerators, one for denominators."""
    if any(isinstance(value, Sqrt) for value in values):
        radicands = [value if is_null(value) else _radicand(value) for value in values]
        return Sqrt(choose(conditions, radicands), any(_may_be_negative(v) for v in values if not is_null(v)))
    quotients = [as_quotient(value) for value in values]
    fixed = common(quotients)
    if fixed is not None:
        return Divide(_case(conditions, unify(fixed[0])), fixed[1], guarded=True)
    scale = max(scale_of(q.numerator.type) for q in quotients)
    numerators = unify([rescaled(q.numerator, scale) for q in quotients])
    denominators = unify([rescaled(q.denominator, scale) for q in quotients])
    return Divide(_case(conditions, numerators), _case(conditions, denominators), all(map(_safe, quotients)))


def _case(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    if all(value == values[0] for value in values):
        return values[0]
    return Case(tuple(zip(conditions, values[:-1], strict=True)), values[-1])


def difference(left: Expression, right: Expression) -> Expression:
    """left - right where one is a DOUBLE."""
    a, b = as_quotient(left), as_quotient(right)
    fixed = common((a, b))
    if fixed is not None:
        return make(subtract(fixed[0][0], fixed[0][1]), fixed[1], guarded=True)
    if a.denominator == b.denominator:
        return make(subtract(a.numerator, b.numerator), a.denominator, _safe(a) and _safe(b))
    return plus(a, minus(b))
