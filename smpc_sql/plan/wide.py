"""Numbers that may leave 64 bits, as sums of words with public weights: what `plan/widen.py` makes plans of.

A *polynomial* is made of Add, Subtract, Multiply, Negate and Rescale over words; it may be any number, and leaves a
query through a prime field (`plan/delivery.py`). Its *terms* are words, each so small that what is done with it stays
within 64 bits: value = sum of weight * word. Its *digits* are canonical: floor(value / 2^(24 (n-1))), which has the
value's sign, and below it n - 1 digits from 0 to 2^24 - 1. So equal numbers have equal digits, and digits are ordered
as numbers are. Digits are NULL where the number is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import (
    DIGIT,
    Add,
    AggregateCall,
    Case,
    Column,
    Expression,
    FloorDivide,
    IsNull,
    Less,
    Literal,
    Multiply,
    Negate,
    Or,
    Remainder,
    Rescale,
    Subtract,
    WholeQuotient,
    columns_of,
    rebuild,
    walk,
)
from smpc_sql.plan.expressions.division import is_divided
from smpc_sql.schema import WORD, Boolean, Decimal, Integer, Interval, SqlType

_INTEGER = Integer(64)
_FIRST_BITS = 56
"""A first digit's bits at most: carries and several terms still fit a word."""

_SAFE = 1 << 60
_HALF_WORD = 31
"""A word is split by one shift into at most this many low bits (`protocol.division.shift`)."""

_LARGEST_KNOWN = 1 << 35
"""Below it, wide numbers are divided by a public number, digit by digit: 2^25 times as much is a word, too."""

_MOST_TERMS = 1024
_FEW = 16
_LONGEST = 5_000
"""Operations, as written out, of what is split: products of products would take minutes to plan."""

_POLYNOMIAL = (Add, Subtract, Multiply, Negate, Rescale)


Let = Callable[[Expression], Expression]
"""Gives a name to what is used more than once: a column that has its value, or the same."""


def as_it_is(e: Expression) -> Expression:
    """No name."""
    return e


@dataclass(frozen=True, slots=True)
class Term:
    """weight * word; the word is an INTEGER."""

    weight: int
    word: Expression


def greatest(bounds: Interval) -> int:
    """The greatest absolute value."""
    return max(abs(bounds.low), abs(bounds.high))


def fits(e: Expression) -> bool:
    """Whether it is a word, made of words alone."""
    return not any(map(_leaves, walk(e)))


def _leaves(node: Expression | AggregateCall) -> bool:
    if isinstance(node, FloorDivide | Remainder) and not is_divided(node.x.bounds, node.divisor):
        return True
    if isinstance(node, WholeQuotient):
        bounds = Interval(-1, node.denominator.bounds.high << node.bits + 1).union(node.bounds)
    elif isinstance(node, Less):
        bounds = node.left.bounds - node.right.bounds
    elif is_number(node):
        bounds = node.bounds
    else:
        return False
    return bounds.intersect(WORD) != bounds


def is_number(e: Expression | AggregateCall) -> bool:
    """Whether it may be wide."""
    return isinstance(e.type, Integer | Decimal)


def as_integer(word: Expression) -> Expression:
    """A word's scaled integer as an INTEGER."""
    return word if isinstance(word.type, Integer) else FloorDivide(word, 1, _INTEGER)


def typed(word: Expression, type_: SqlType) -> Expression:
    """A scaled integer as a number of a type."""
    return word if word.type == type_ else FloorDivide(word, 1, type_)


def is_null(e: Expression) -> Expression:
    """x IS NULL of a polynomial: of any of its words."""
    tests = tuple(IsNull(word) for word in dict.fromkeys(words_of(e)) if word.nullable)
    if not tests:
        return Literal(0, Boolean())
    return Or(tests) if len(tests) > 1 else tests[0]


def words_of(e: Expression) -> list[Expression]:
    """What a polynomial is made of."""
    if isinstance(e, _POLYNOMIAL):
        return [word for part in e.parts for word in words_of(part)]
    return [e]


# ------------------------------------------------------------------------------------------------------------- terms


def terms(e: Expression, limit: int, let: Let = as_it_is) -> list[Term]:
    """Words of at most `limit` whose weighted sum a polynomial is; a constant is the weight of 1."""
    found: dict[Expression, int] = {}
    for term in _terms(e, limit, let):
        found[term.word] = found.get(term.word, 0) + term.weight
    return [Term(weight, word) for word, weight in found.items() if weight]


def _terms(e: Expression, limit: int, let: Let) -> list[Term]:
    if isinstance(e, Literal) and e.value is not None:
        return [Term(e.value, Literal(1, _INTEGER))]
    if fits(e) and greatest(e.bounds) <= limit:
        return [Term(1, as_integer(e))]
    match e:
        case Add() | Subtract() if _is_moment_or_product(e):
            return _split(e, limit, let)
        case Add(left, right):
            return [*_terms(left, limit, let), *_terms(right, limit, let)]
        case Subtract(left, right):
            return [*_terms(left, limit, let), *_times(_terms(right, limit, let), -1)]
        case Negate(x):
            return _times(_terms(x, limit, let), -1)
        case Rescale(x, exponent):
            return _times(_terms(x, limit, let), 10**exponent)
        case Multiply(Literal(factor), x) | Multiply(x, Literal(factor)) if factor is not None:
            return _times(_terms(x, limit, let), factor)
        case Multiply(left, right):
            return _products(left, right, limit, let)
        case _:
            return _split(e, limit, let)


def _is_moment_or_product(e: Add | Subtract) -> bool:
    """Whether a sum is split, and not what it is of: of TIMESTAMPs, or a word with products of what is not constant."""
    if not is_number(e.left) or all(isinstance(part, Subtract) and not is_number(part.left) for part in e.parts):
        return True
    products = (node.parts for node in walk(e) if isinstance(node, Multiply))
    return fits(e) and any(not any(isinstance(part, Literal) for part in parts) for parts in products)


def _times(found: Sequence[Term], factor: int) -> list[Term]:
    return [Term(term.weight * factor, term.word) for term in found]


def _products(left: Expression, right: Expression, limit: int, let: Let) -> list[Term]:
    """Every term of one times every term of the other; of a square only half of them."""
    a, b = greatest(left.bounds), greatest(right.bounds)
    root = isqrt(limit)
    first, second = (a, limit // max(a, 1)) if a < root else (limit // max(b, 1), b) if b < root else (root, root)
    lefts = [Term(x.weight, let(x.word)) for x in terms(left, first, let)]
    if left == right:
        pairs = [(x, y, 1 if i == j else 2) for i, x in enumerate(lefts) for j, y in enumerate(lefts) if i <= j]
    else:
        rights = [Term(y.weight, let(y.word)) for y in terms(right, second, let)]
        pairs = [(x, y, 1) for x in lefts for y in rights]
    if len(pairs) > _MOST_TERMS or sum(x.word.size + y.word.size for x, y, _ in pairs) > _LONGEST:
        raise Unsupported("a product of numbers in so many parts is not supported")
    return [Term(times * x.weight * y.weight, _product(x.word, y.word)) for x, y, times in pairs]


def _product(x: Expression, y: Expression) -> Expression:
    for one, other in ((x, y), (y, x)):
        if isinstance(one, Literal):
            return other
    return Multiply(x, y, _INTEGER)


def _split(word: Expression, limit: int, let: Let) -> list[Term]:
    """A word by one shift, and again where its parts are too great."""
    if limit < 2 or not fits(word):
        return [Term(1, word)]
    width = (word.bounds.high - word.bounds.low).bit_length()
    bits = min(_HALF_WORD, max(limit.bit_length() - 1, width - _HALF_WORD))
    word = let(word)
    low, high = Remainder(word, 1 << bits), FloorDivide(word, 1 << bits, _INTEGER)
    return [*_times(_terms(high, limit, let), 1 << bits), *_terms(low, limit, let)]


# ------------------------------------------------------------------------------------------------------------ digits


def digit_count(bounds: Interval) -> int:
    """How many digits numbers within bounds have, whose canonical form is compared."""
    return 1 + max(0, -(-(bounds.bits - _FIRST_BITS) // DIGIT))


def digits(e: Expression, count: int | None = None, let: Let = as_it_is) -> list[Expression]:
    """The canonical digits of a polynomial, the first one first: INTEGER words."""
    count = digit_count(e.bounds) if count is None else count
    places: list[list[Expression]] = [[] for _ in range(count)]
    for term in terms(e, _SAFE, let):
        _place(term.weight, let(term.word), 0, places, let)
    found: list[Expression] = []
    for place in range(count - 1):
        value = let(_total(places[place]))
        found.append(Remainder(value, 1 << DIGIT))
        places[place + 1].append(FloorDivide(value, 1 << DIGIT, _INTEGER))
    found.append(_total(places[-1]))
    return [_null_with(digit, e, let) for digit in reversed(found)]


def _place(weight: int, word: Expression, place: int, places: list[list[Expression]], let: Let) -> None:
    """Adds weight * word to the digits from `place` on."""
    while place < len(places) - 1 and weight % (1 << DIGIT) == 0 and weight:
        weight, place = weight >> DIGIT, place + 1
    if abs(weight) * greatest(word.bounds) < _SAFE or place == len(places) - 1 or not fits(word):
        places[place].append(word if weight == 1 else Multiply(Literal(weight, _INTEGER), word, _INTEGER))
        return
    for term in terms(word, 1 << (_FIRST_BITS - DIGIT), let):
        factor = weight * term.weight
        low = factor % (1 << DIGIT)
        for part, at in ((low, place), (factor >> DIGIT, place + 1)):
            if part:
                _place(part, term.word, at, places, let)


def _total(words: Sequence[Expression]) -> Expression:
    if not words:
        return Literal(0, _INTEGER)
    if len(words) > _FEW:  # not so deep a tree
        half = len(words) // 2
        return Add(_total(words[:half]), _total(words[half:]), _INTEGER)
    total = words[0]
    for word in words[1:]:
        total = Add(total, word, _INTEGER)
    return total


def _null_with(digit: Expression, e: Expression, let: Let) -> Expression:
    """The digit, NULL where e is, although it may not read all of e's words."""
    if not e.nullable or _nullable(digit) == _nullable(e):
        return digit
    return Case(((let(is_null(e)), Literal(None, digit.type)),), digit)


def _nullable(e: Expression) -> tuple[int, ...]:
    return columns_of(*(node for node in walk(e) if isinstance(node, Column) and node.nullable))


def composed(found: Sequence[Expression], type_: SqlType) -> Expression:
    """The number that has these digits, as a polynomial of a type."""
    return total_of([(1 << DIGIT * i, digit) for i, digit in enumerate(reversed(found))], type_)


def total_of(weighted: Sequence[tuple[int, Expression]], type_: SqlType) -> Expression:
    """The sum of words with weights, as a polynomial of a type."""
    total: Expression | None = None
    for weight, word in weighted:
        mine = typed(word, type_)
        part = mine if weight == 1 else Multiply(Literal(weight, _INTEGER), mine, type_)
        total = part if total is None else Add(total, part, type_)
    return Literal(0, type_) if total is None else total


def over_words(e: Expression, field: Callable[[Expression], Expression]) -> Expression:
    """A polynomial over fields: each of its words, and as much of it as is one, is replaced by field(word)."""
    if isinstance(e, Literal):
        return e
    if isinstance(e, _POLYNOMIAL) and not fits(e):
        return rebuild(e, tuple(over_words(part, field) for part in e.parts))
    return field(e)
