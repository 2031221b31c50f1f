"""Arithmetic and comparison of DOUBLEs: every DOUBLE is one exact fraction (Divide), or the square root of one.

A quotient is NULL where its denominator is 0, so an operation must keep a zero denominator zero, and it does where the
denominators are multiplied. Only division turns a denominator up: there it is multiplied to both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.errors import InternalError, Unsupported
from smpc_sql.plan.expressions import (
    And,
    Case,
    Divide,
    Equal,
    Expression,
    IsNull,
    Less,
    Literal,
    Multiply,
    Negate,
    Not,
    Or,
    PlusRoot,
    Rescale,
    Sqrt,
    Within,
    columns_of,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import WORD, Boolean, Double, Integer, scale_of
from smpc_sql.sql.cancelling import cancelled
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
    if isinstance(left, PlusRoot):
        return PlusRoot(_divide(left.x, as_quotient(right)), divide(left.root, right))
    if isinstance(right, PlusRoot):
        right = as_quotient(right)  # which is refused
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
    if isinstance(right, PlusRoot):
        left, right = right, left
    if isinstance(left, PlusRoot):
        return PlusRoot(_product(left.x, as_quotient(right)), times(left.root, right))
    if isinstance(left, Sqrt) and left == right:
        q = as_quotient(left.x)
        return Divide(_size(q.numerator), _size(q.denominator), q.guarded) if left.signed else q
    if isinstance(left, Sqrt) or isinstance(right, Sqrt):
        return Sqrt(_product(_radicand(left), _radicand(right)), _may_be_negative(left) or _may_be_negative(right))
    return _product(left, right)


def _product(left: Expression, right: Expression) -> Divide:
    a, b = as_quotient(left), as_quotient(right)
    numerator, denominator = _times(a.numerator, b.numerator), _times(a.denominator, b.denominator)
    return make(numerator, denominator, _safe(a) and _safe(b))


def plus(left: Expression, right: Expression) -> Expression:
    """left + right where one is a DOUBLE."""
    if _has_root(left) or _has_root(right):
        return _plus_root(left, right)
    a, b = as_quotient(left), as_quotient(right)
    fixed = common((a, b))
    if fixed is not None:
        return make(add(fixed[0][0], fixed[0][1]), fixed[1], guarded=True)
    guarded = _safe(a) and _safe(b)
    if a.denominator == b.denominator:
        return make(add(a.numerator, b.numerator), a.denominator, guarded)
    numerator = add(_times(a.numerator, b.denominator), _times(b.numerator, a.denominator))
    return make(numerator, _times(a.denominator, b.denominator), guarded)


def _has_root(x: Expression) -> bool:
    return isinstance(x, Sqrt | PlusRoot)


def _parts(x: Expression) -> tuple[Expression | None, Expression | None]:
    """What a sum has without a root, and the root."""
    if isinstance(x, PlusRoot):
        return x.x, x.root
    return (None, x) if isinstance(x, Sqrt) else (as_quotient(x), None)


def _plus_root(left: Expression, right: Expression) -> PlusRoot:
    """left + right, of which one has a root. Raises Unsupported."""
    (a, root), (b, other) = _parts(left), _parts(right)
    if root is not None and root == other:
        root, other = times(root, Literal(2, Integer(32))), None
    if root is not None and other is not None:
        raise Unsupported("a sum of two square roots (STDDEV, SQRT) is not supported")
    alone = b if a is None else a if b is None else plus(a, b)
    alone = as_quotient(Literal(0, Integer(32))) if alone is None else alone
    found = other if root is None else root
    if found is None:
        raise InternalError("a sum of nothing with a root")
    return PlusRoot(alone, found)


def known_together(x: PlusRoot) -> PlusRoot:
    """A sum of which both parts are NULL where either is: nobody is to learn one of them where the sum is NULL."""
    first, second = as_quotient(x.x), as_quotient(x.root.parts[0])
    root = x.root
    assert isinstance(root, Sqrt)
    other = Sqrt(_null_with(second, first), root.signed, root.most)
    return PlusRoot(_null_with(first, second), other, together=True)


def _null_with(x: Divide, other: Divide) -> Divide:
    if not other.nullable:
        return x
    known = Case(((is_null_double(other), Literal(None, Integer(8))),), Literal(1, Integer(8)))
    return Divide(x.numerator, multiply(fold(known), x.denominator), x.guarded)


def minus(x: Expression) -> Expression:
    """-x of a DOUBLE."""
    if isinstance(x, PlusRoot):
        return PlusRoot(minus(x.x), minus(x.root))
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


def _size(x: Expression) -> Expression:
    """|x| of a number."""
    if x.bounds.low >= 0:
        return x
    return Case(((Less(x, Literal(0, x.type)), negate(x)),), x)


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
    if isinstance(left, PlusRoot) or isinstance(right, PlusRoot):
        return _compare_sums(left, right, test)
    if isinstance(left, Sqrt) or isinstance(right, Sqrt):
        return _compare_roots(left, right, test)
    a, b = positive(as_quotient(left)), positive(as_quotient(right))
    fixed = common((a, b))
    if fixed is not None:
        return test(*fixed[0])
    if a.denominator == b.denominator:
        sides = (a.numerator, b.numerator)
    else:
        mine, yours = cancelled(a, b)
        sides = (_times(a.numerator, yours), _times(b.numerator, mine))
    outcome: Expression = test(*same_scale(*sides))
    for quotient in (a, b):
        if not _safe(quotient) or quotient.denominator.nullable:
            outcome = Case(((is_null_double(quotient), Literal(None, Boolean())),), outcome)
    return outcome


def _compare_sums(left: Expression, right: Expression, test: type[Less] | type[Equal]) -> Expression:
    """a + root < b as root < b - a, and a < b + root as a - b < root. Raises Unsupported where both have roots."""
    (a, root), (b, other) = _parts(left), _parts(right)
    if root is not None and other is not None:
        raise Unsupported("a comparison of sums that both have a square root (STDDEV, SQRT) is not supported")
    zero = as_quotient(Literal(0, Integer(32)))
    if root is not None:
        return _compare_root(root, difference(b or zero, a or zero), test, root_first=True)
    assert other is not None
    return _compare_root(other, difference(a or zero, b or zero), test, root_first=False)


def _compare_root(root: Expression, x: Expression, test: type[Less] | type[Equal], *, root_first: bool) -> Expression:
    """A root and a number: by the number's sign, and its square, which is in fewer parts than if it had the sign."""
    assert isinstance(root, Sqrt)
    if root.signed:
        return compare(root, x, test) if root_first else compare(x, root, test)
    z = positive(as_quotient(x))
    size = _without_size(z.numerator)
    square = make(multiply(size, size), multiply(z.denominator, z.denominator), _safe(z))
    below: Expression = Literal(0, Boolean())
    if z.numerator.bounds.low < 0:
        below = Less(z.numerator, Literal(0, z.numerator.type))
    if test is Less and not root_first:
        outcome: Expression = fold(Or((below, compare(square, root.x, Less))))
    else:
        outcome = fold(And((Not(below), compare(root.x, square, test))))
    for part in (root, Divide(size, z.denominator, z.guarded)):
        if part.nullable:
            outcome = Case(((is_null_double(part), Literal(None, Boolean())),), outcome)
    return outcome


def _without_size(x: Expression) -> Expression:
    """A number with the same square: of |y| it is y."""
    match x:
        case Within(Case(((Less(y, Literal(0)), Negate(z)),), w)) if y == z == w:
            return y
        case Rescale(y, exponent):
            return Rescale(_without_size(y), exponent, x.type)
        case _:
            return x


def _compare_roots(left: Expression, right: Expression, test: type[Less] | type[Equal]) -> Expression:
    """Roots compare as their radicands do; a root with a constant below 0 has one outcome."""
    for root, x in ((left, right), (right, left)):
        if isinstance(root, Sqrt) and not root.signed and not isinstance(x, Sqrt | Literal):
            return _compare_root(root, x, test, root_first=root is left)
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
    if isinstance(x, PlusRoot):
        return Or((is_null_double(x.x), is_null_double(x.root)))
    q = as_quotient(x.x if isinstance(x, Sqrt) else x)
    if over_constant(q) is not None:
        return IsNull(q.numerator)
    zero = () if _safe(q) else (_is_zero(q.denominator),)
    return Or((IsNull(q.numerator), IsNull(q.denominator), *zero))


def choose(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    """CASE over DOUBLEs, the last value being the default: one CASE for numerators, one for denominators."""
    if any(isinstance(value, PlusRoot) for value in values):
        return _chosen_sum(conditions, values)
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


def _chosen_sum(conditions: Sequence[Expression], values: Sequence[Expression]) -> PlusRoot:
    """One CASE for what has no root, one for roots, 0 where there is none."""
    zero = as_quotient(Literal(0, Integer(32)))
    parts = [(value, None) if is_null(value) else _parts(value) for value in values]
    rational = choose(conditions, [zero if x is None else x for x, _ in parts])
    return PlusRoot(rational, choose(conditions, [Sqrt(zero) if root is None else root for _, root in parts]))


def _case(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    if all(value == values[0] for value in values):
        return values[0]
    return Case(tuple(zip(conditions, values[:-1], strict=True)), values[-1])


def difference(left: Expression, right: Expression) -> Expression:
    """left - right where one is a DOUBLE."""
    if _has_root(left) or _has_root(right):
        return plus(left, minus(right if isinstance(right.type, Double) else as_quotient(right)))
    a, b = as_quotient(left), as_quotient(right)
    fixed = common((a, b))
    if fixed is not None:
        return make(subtract(fixed[0][0], fixed[0][1]), fixed[1], guarded=True)
    if a.denominator == b.denominator:
        return make(subtract(a.numerator, b.numerator), a.denominator, _safe(a) and _safe(b))
    return plus(a, minus(b))
