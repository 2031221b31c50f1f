"""Expressions in which nothing leaves 64 bits but polynomials (`plan/wide.py`): comparisons, choices, quotients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod

from smpc_sql.errors import Unsupported
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import (
    DIGIT,
    LARGEST_DIVISOR,
    Add,
    And,
    Case,
    Equal,
    Expression,
    FloorDivide,
    InSet,
    IsNull,
    Less,
    Literal,
    LongQuotient,
    Multiply,
    Negate,
    Or,
    QuotientDigit,
    Remainder,
    Rescale,
    Subtract,
    WholeQuotient,
    WholeRoot,
    Within,
    rebuild,
)
from smpc_sql.plan.wide import Let, as_integer, as_it_is, composed, digits, fits, is_null, is_number, over_words, typed
from smpc_sql.schema import Integer, Interval, SqlType

_INTEGER = Integer(64)
_LARGEST_KNOWN = 1 << 35
"""Below it, wide numbers are divided by a public number, digit by digit: 2^25 times as much is a word, too."""

_LONGEST = 5_000
"""Operations, as written out, of what is split."""


def legal(e: Expression, let: Let = as_it_is) -> Expression:
    """The same without anything that leaves 64 bits but polynomials: of a word a word, of a wide number a polynomial.

    What no rule here can make so stays as it is.
    """
    if fits(e):
        return e
    if e.size > _LONGEST:
        raise Unsupported("so long an expression of numbers beyond 64 bits is not supported")
    match e:
        case Less(left, right):
            return _less(legal(left, let), legal(right, let), let)
        case Equal(left, right):
            return _equal(legal(left, let), legal(right, let), let)
        case InSet(x, codes):
            tests = tuple(_equal(legal(x, let), Literal(code, x.type), let) for code in codes)
            return Or(tests) if len(tests) > 1 else tests[0] if tests else e
        case IsNull(x):
            return is_null(legal(x, let))
        case Case():
            return _case(rebuild(e, tuple(legal(part, let) for part in e.parts)), let)
        case FloorDivide(x, divisor, type_):
            return _floor(legal(x, let), divisor, type_, let)
        case Remainder(x, divisor):
            return _remainder(legal(x, let), divisor, let)
        case WholeQuotient():
            return _whole_quotient(e, let)
        case WholeRoot(x):
            new = legal(x, let)
            return WholeRoot(Within(new, Interval(0, new.bounds.high)) if new.bounds.low < 0 else new)
        case Within(x) if not fits(new := legal(x, let)):
            return new
        case _:
            return rebuild(e, tuple(legal(part, let) for part in e.parts))


def _less(left: Expression, right: Expression, let: Let) -> Expression:
    if fits(test := Less(left, right)):
        return test
    first = digits(Subtract(left, right, left.type), let=let)[0]
    return Less(first, Literal(0, _INTEGER))


def _equal(left: Expression, right: Expression, let: Let) -> Expression:
    if fits(test := Equal(left, right)):
        return test
    return And(tuple(Equal(digit, Literal(0, _INTEGER)) for digit in digits(Subtract(left, right, left.type), let=let)))


def _case(e: Expression, let: Let) -> Expression:
    """CASE over wide numbers: of their words, each times the bit that its value is chosen."""
    assert isinstance(e, Case)
    if fits(e) or not is_number(e):
        return e
    conditions = [let(condition) for condition, _ in e.branches]
    values = [*(value for _, value in e.branches), e.default]
    total: Expression | None = None
    for place, value in enumerate(values):
        if isinstance(value, Literal) and not value.value:
            continue
        chosen = tuple((c, Literal(int(i == place), _INTEGER)) for i, c in enumerate(conditions[: place + 1]))
        bit = Case(chosen, Literal(int(place == len(conditions)), _INTEGER))
        part = Multiply(let(bit), over_words(value, lambda word: _without_null(word, let)), e.type)
        total = part if total is None else Add(total, part, e.type)
    total = Literal(0, e.type) if total is None else total
    if not any(value.nullable for value in values):
        return total
    return Add(total, typed(_null_of(conditions, values), e.type), e.type)


def _null_of(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    """0, or NULL where what CASE chooses is."""
    nothing = Literal(0, _INTEGER)
    nulls = [Case(((is_null(value), Literal(None, _INTEGER)),), nothing) for value in values]
    return Case(tuple(zip(conditions, nulls[:-1], strict=True)), nulls[-1])


def _without_null(word: Expression, let: Let) -> Expression:
    """A word, 0 where it is NULL."""
    if not word.nullable:
        return word
    word = let(word)
    return Case(((IsNull(word), Literal(0, word.type)),), word)


def _floor(x: Expression, divisor: int, type_: SqlType, let: Let) -> Expression:
    """floor(x / divisor) as in school, digit by digit."""
    if divisor == 1 and isinstance(type_, Integer) and not fits(x):
        return _integers(x)
    if fits(whole := FloorDivide(x, divisor, type_)) or divisor >= _LARGEST_KNOWN:
        return whole
    return composed([FloorDivide(each, divisor, _INTEGER) for each in _dividends(x, divisor, let)], type_)


def _remainder(x: Expression, divisor: int, let: Let) -> Expression:
    """What the last digit of the quotient leaves."""
    if fits(rest := Remainder(x, divisor)) or divisor >= _LARGEST_KNOWN:
        return rest
    return Remainder(_dividends(x, divisor, let)[-1], divisor)


def _dividends(x: Expression, divisor: int, let: Let) -> list[Expression]:
    """What each digit of the quotient is made of: what is left by those before, and the next digit of x."""
    found: list[Expression] = []
    for digit in digits(x, let=let):
        rest = Multiply(Literal(1 << DIGIT, _INTEGER), Remainder(found[-1], divisor), _INTEGER) if found else None
        found.append(digit if rest is None else let(Add(rest, digit, _INTEGER)))
    return found


def _whole_quotient(e: WholeQuotient, let: Let) -> Expression:
    """floor(n * 2^places / d), of a secret d: long division."""
    n, d = legal(e.numerator, let), legal(e.denominator, let)
    if fits(n) and fits(d) and fits(whole := WholeQuotient(n, d, e.places, e.width)):
        return whole
    divisors = _divisors(d, let)
    if divisors is None:
        return e
    spare = e.places % DIGIT
    n = Multiply(Literal(1 << spare, _INTEGER), n, _INTEGER) if spare else n
    low, high = e.numerator.bounds.low << spare, e.numerator.bounds.high << spare
    moved = max(0, -(low // prod(d.bounds.low for d in divisors)))
    if moved:  # then it is not negative
        n = Add(n, Multiply(Literal(moved, _INTEGER), reduce(_times_each, divisors), _INTEGER), _INTEGER)
    high += moved * prod(d.bounds.high for d in divisors)
    count = max(1, -(-high.bit_length() // DIGIT))
    first, *below = digits(n, count, let)
    first = Within(first, Interval(0, high >> DIGIT * (count - 1)))
    name = f"{explain_expression(e.numerator)} / {explain_expression(e.denominator)}"
    long = LongQuotient((let(first), *map(let, below)), tuple(map(let, divisors)), high, e.places - spare, name)
    found: list[Expression] = [let(QuotientDigit(long, place)) for place in reversed(range(long.count))]
    if moved:
        return Subtract(composed(found, _INTEGER), Literal(moved, _INTEGER), _INTEGER)
    return composed(_within(found, e.bounds), _INTEGER)


def _within(found: list[Expression], bounds: Interval) -> list[Expression]:
    """The digits of what is known to lie within bounds: those in front are 0."""
    count = max(1, -(-bounds.high.bit_length() // DIGIT))
    if count > len(found):
        return found
    top, *below = found[-count:]
    limit = Interval(0, bounds.high >> DIGIT * (count - 1))
    return [top if top.bounds.high <= limit.high else Within(top, limit), *below]


def _divisors(d: Expression, let: Let) -> tuple[Expression, ...] | None:
    """Few words above 0 whose product a number is wherever it is not 0; None if it has too large factors."""
    found: list[Expression] = []
    for factor in _factors(d):
        factor = let(factor)
        if 0 in factor.bounds:  # then the quotient may be anything, but within its bounds
            one = Case(((Equal(factor, Literal(0, factor.type)), Literal(1, factor.type)),), factor)
            factor = Within(one, Interval(1, factor.bounds.high))
        for i, other in enumerate(found):
            if other.bounds.high * factor.bounds.high < LARGEST_DIVISOR:
                found[i] = Multiply(other, factor, _INTEGER)
                break
        else:
            found.append(factor)
    known = all(fits(x) and x.bounds.low > 0 and x.bounds.high < LARGEST_DIVISOR for x in found)
    return tuple(found) if known else None


def _times_each(x: Expression, y: Expression) -> Expression:
    return Multiply(x, y, _INTEGER)


def _factors(e: Expression) -> list[Expression]:
    if isinstance(e, Multiply) and not (fits(e) and e.bounds.high < LARGEST_DIVISOR):
        return [*_factors(e.left), *_factors(e.right)]
    return [e]


def _integers(e: Expression) -> Expression:
    """A polynomial's scaled integer as one of INTEGERs."""
    match e:
        case Literal(value):
            return Literal(value, _INTEGER)
        case Rescale(x, exponent):
            return Multiply(Literal(10**exponent, _INTEGER), _integers(x), _INTEGER)
        case Negate(x):
            return Negate(_integers(x))
        case Add(left, right) | Subtract(left, right) | Multiply(left, right):
            return type(e)(_integers(left), _integers(right), _INTEGER)
        case _:
            return as_integer(e)
