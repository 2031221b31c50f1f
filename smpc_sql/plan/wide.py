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
    Add,
    AggregateCall,
    And,
    Case,
    Column,
    Equal,
    Expression,
    FloorDivide,
    InSet,
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
    WholeRoot,
    Within,
    columns_of,
    rebuild,
    walk,
)
from smpc_sql.plan.expressions.division import is_divided
from smpc_sql.schema import WORD, Boolean, Decimal, Integer, Interval, SqlType

DIGIT = 24
"""Bits of a digit below the first."""

_INTEGER = Integer(64)
_FIRST_BITS = 56
"""A first digit's bits at most: carries and several terms still fit a word."""

_SAFE = 1 << 60
_HALF_WORD = 31
"""A word is split by one shift into at most this many low bits (`protocol.division.shift`)."""

LARGEST_DIVISOR = 1 << 35
"""Below it, wide numbers are divided by a word: 2^25 times as much is one, too."""

_LEADING_BITS = 8
"""A first digit's bits where it is divided."""

_MOST_TERMS = 128
_LONGEST = 5_000
"""Operations, as written out, of what is split: products of products would take minutes to plan."""

_POLYNOMIAL = (Add, Subtract, Multiply, Negate, Rescale)


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


# ------------------------------------------------------------------------------------------------- legal expressions


def legal(e: Expression) -> Expression:
    """The same without anything that leaves 64 bits but polynomials: of a word a word, of a wide number a polynomial.

    What no rule here can make so stays as it is.
    """
    if fits(e):
        return e
    if e.size > _LONGEST:
        raise Unsupported("so long an expression of numbers beyond 64 bits is not supported")
    match e:
        case Less(left, right):
            return _less(legal(left), legal(right))
        case Equal(left, right):
            return _equal(legal(left), legal(right))
        case InSet(x, codes):
            tests = tuple(_equal(legal(x), Literal(code, x.type)) for code in codes)
            return Or(tests) if len(tests) > 1 else tests[0] if tests else e
        case IsNull(x):
            return is_null(legal(x))
        case Case():
            return _case(rebuild(e, tuple(map(legal, e.parts))))
        case FloorDivide(x, divisor, type_):
            return _floor(legal(x), divisor, type_)
        case Remainder(x, divisor):
            return _remainder(legal(x), divisor)
        case WholeQuotient():
            return _whole_quotient(e, legal(e.numerator), legal(e.denominator))
        case WholeRoot(x):
            new = legal(x)
            return WholeRoot(Within(new, Interval(0, new.bounds.high)) if new.bounds.low < 0 else new)
        case Within(x) if not fits(new := legal(x)):
            return new
        case _:
            return rebuild(e, tuple(map(legal, e.parts)))


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


def _less(left: Expression, right: Expression) -> Expression:
    if fits(test := Less(left, right)):
        return test
    first = digits(Subtract(left, right, left.type))[0]
    return Less(first, Literal(0, _INTEGER))


def _equal(left: Expression, right: Expression) -> Expression:
    if fits(test := Equal(left, right)):
        return test
    return And(tuple(Equal(digit, Literal(0, _INTEGER)) for digit in digits(Subtract(left, right, left.type))))


def _case(e: Expression) -> Expression:
    """CASE over wide numbers: of their words, each times the bit that its value is chosen."""
    assert isinstance(e, Case)
    if fits(e) or not is_number(e):
        return e
    conditions = [condition for condition, _ in e.branches]
    values = [*(value for _, value in e.branches), e.default]
    total: Expression | None = None
    for place, value in enumerate(values):
        if isinstance(value, Literal) and not value.value:
            continue
        chosen = tuple((c, Literal(int(i == place), _INTEGER)) for i, c in enumerate(conditions[: place + 1]))
        bit = Case(chosen, Literal(int(place == len(conditions)), _INTEGER))
        part = Multiply(bit, over_words(value, _without_null), e.type)
        total = part if total is None else Add(total, part, e.type)
    total = Literal(0, e.type) if total is None else total
    return Add(total, typed(_null_of(e), e.type), e.type) if any(value.nullable for value in values) else total


def _null_of(e: Case) -> Expression:
    """0, or NULL where what CASE chooses is."""
    nothing = Literal(0, _INTEGER)
    of = [Case(((is_null(value), Literal(None, _INTEGER)),), nothing) for _, value in e.branches]
    default = Case(((is_null(e.default), Literal(None, _INTEGER)),), nothing)
    return Case(tuple((c, null) for (c, _), null in zip(e.branches, of, strict=True)), default)


def _without_null(word: Expression) -> Expression:
    """A word, 0 where it is NULL."""
    return Case(((IsNull(word), Literal(0, word.type)),), word) if word.nullable else word


def _floor(x: Expression, divisor: int, type_: SqlType) -> Expression:
    """floor(x / divisor) as in school, digit by digit."""
    if fits(whole := FloorDivide(x, divisor, type_)) or divisor >= LARGEST_DIVISOR:
        return whole
    return composed([FloorDivide(each, divisor, _INTEGER) for each in _dividends(x, divisor)], type_)


def _remainder(x: Expression, divisor: int) -> Expression:
    """What the last digit of the quotient leaves."""
    if fits(rest := Remainder(x, divisor)) or divisor >= LARGEST_DIVISOR:
        return rest
    return Remainder(_dividends(x, divisor)[-1], divisor)


def _dividends(x: Expression, divisor: int) -> list[Expression]:
    """What each digit of the quotient is made of: what is left by those before, and the next digit of x."""
    found: list[Expression] = []
    for digit in digits(x):
        rest = Multiply(Literal(1 << DIGIT, _INTEGER), Remainder(found[-1], divisor), _INTEGER) if found else None
        found.append(digit if rest is None else Add(rest, digit, _INTEGER))
    return found


def _whole_quotient(e: WholeQuotient, n: Expression, d: Expression) -> Expression:
    """floor(n * 2^places / d), of a secret d: digit by digit, the rest of each before the next."""
    whole = WholeQuotient(n, d, e.places, e.width, e.part_of)
    if fits(whole) or not fits(d) or d.bounds.high >= LARGEST_DIVISOR:
        return whole
    x = Multiply(Literal(1 << e.places, _INTEGER), n, _INTEGER) if e.places else n
    count = 1 + max(0, -(-(x.bounds.bits - _LEADING_BITS) // DIGIT))
    first, *below = digits(x, count)
    shift = DIGIT * (count - 1)
    first = Within(first, Interval(x.bounds.low >> shift, x.bounds.high >> shift))
    if 0 in d.bounds:  # then the quotient may be anything, but within its bounds
        d = Within(Case(((Equal(d, Literal(0, d.type)), Literal(1, d.type)),), d), Interval(1, d.bounds.high))
    found: list[Expression] = [WholeQuotient(first, d)]
    rest = _rest(first, found[0], d)
    for digit in below:
        value = Add(Multiply(Literal(1 << DIGIT, _INTEGER), rest, _INTEGER), digit, _INTEGER)
        found.append(WholeQuotient(value, d, 0, DIGIT, e.places))
        rest = _rest(value, found[-1], d)
    return composed(_within(found, e.bounds), _INTEGER)


def _within(found: list[Expression], bounds: Interval) -> list[Expression]:
    """The digits of what is known to lie within bounds: those in front are 0."""
    if bounds.low < 0:
        return found
    count = max(1, -(-bounds.high.bit_length() // DIGIT))
    if count > len(found):
        return found
    top, *below = found[-count:]
    return [Within(top, Interval(0, bounds.high >> DIGIT * (count - 1))), *below]


def _rest(value: Expression, quotient: Expression, divisor: Expression) -> Expression:
    taken = Subtract(value, Multiply(quotient, divisor, _INTEGER), _INTEGER)
    return Within(taken, Interval(0, divisor.bounds.high - 1))


# ------------------------------------------------------------------------------------------------------------- terms


def terms(e: Expression, limit: int) -> list[Term]:
    """Words of at most `limit` whose weighted sum a polynomial is; a constant is the weight of 1."""
    found: dict[Expression, int] = {}
    for term in _terms(e, limit):
        found[term.word] = found.get(term.word, 0) + term.weight
    return [Term(weight, word) for word, weight in found.items() if weight]


def _terms(e: Expression, limit: int) -> list[Term]:
    if isinstance(e, Literal) and e.value is not None:
        return [Term(e.value, Literal(1, _INTEGER))]
    if fits(e) and greatest(e.bounds) <= limit:
        return [Term(1, as_integer(e))]
    match e:
        case Add(left, right):
            return [*_terms(left, limit), *_terms(right, limit)]
        case Subtract(left, right) if is_number(left) and not (_is_moment(left) and _is_moment(right)):
            return [*_terms(left, limit), *_times(_terms(right, limit), -1)]
        case Negate(x):
            return _times(_terms(x, limit), -1)
        case Rescale(x, exponent):
            return _times(_terms(x, limit), 10**exponent)
        case Multiply(Literal(factor), x) | Multiply(x, Literal(factor)) if factor is not None:
            return _times(_terms(x, limit), factor)
        case Multiply(left, right):
            return _products(left, right, limit)
        case _:
            return _split(e, limit)


def _is_moment(e: Expression) -> bool:
    """Whether it is a TIMESTAMP as a number: the difference of two is split, and not each."""
    return isinstance(e, Subtract) and not is_number(e.left)


def _times(found: Sequence[Term], factor: int) -> list[Term]:
    return [Term(term.weight * factor, term.word) for term in found]


def _products(left: Expression, right: Expression, limit: int) -> list[Term]:
    """Every term of one times every term of the other; of a square only half of them."""
    a, b = greatest(left.bounds), greatest(right.bounds)
    root = isqrt(limit)
    first, second = (a, limit // max(a, 1)) if a < root else (limit // max(b, 1), b) if b < root else (root, root)
    lefts = terms(left, first)
    if left == right:
        pairs = [(x, y, 1 if i == j else 2) for i, x in enumerate(lefts) for j, y in enumerate(lefts) if i <= j]
    else:
        pairs = [(x, y, 1) for x in lefts for y in terms(right, second)]
    if len(pairs) > _MOST_TERMS or sum(x.word.size + y.word.size for x, y, _ in pairs) > _LONGEST:
        raise Unsupported("a product of numbers in so many parts is not supported")
    return [Term(times * x.weight * y.weight, _product(x.word, y.word)) for x, y, times in pairs]


def _product(x: Expression, y: Expression) -> Expression:
    for one, other in ((x, y), (y, x)):
        if isinstance(one, Literal):
            return other
    return Multiply(x, y, _INTEGER)


def _split(word: Expression, limit: int) -> list[Term]:
    """A word by one shift, and again where its parts are too great."""
    if limit < 2 or not fits(word):
        return [Term(1, word)]
    width = (word.bounds.high - word.bounds.low).bit_length()
    bits = min(_HALF_WORD, max(limit.bit_length() - 1, width - _HALF_WORD))
    low, high = Remainder(word, 1 << bits), FloorDivide(word, 1 << bits, _INTEGER)
    return [*_times(_terms(high, limit), 1 << bits), *_terms(low, limit)]


# ------------------------------------------------------------------------------------------------------------ digits


def digit_count(bounds: Interval) -> int:
    """How many digits numbers within bounds have, whose canonical form is compared."""
    return 1 + max(0, -(-(bounds.bits - _FIRST_BITS) // DIGIT))


def digits(e: Expression, count: int | None = None) -> list[Expression]:
    """The canonical digits of a polynomial, the first one first: INTEGER words."""
    count = digit_count(e.bounds) if count is None else count
    places: list[list[Expression]] = [[] for _ in range(count)]
    for term in terms(e, _SAFE):
        _place(term.weight, term.word, 0, places)
    found: list[Expression] = []
    for place in range(count - 1):
        value = _total(places[place])
        found.append(Remainder(value, 1 << DIGIT))
        places[place + 1].append(FloorDivide(value, 1 << DIGIT, _INTEGER))
    found.append(_total(places[-1]))
    return [_null_with(digit, e) for digit in reversed(found)]


def _place(weight: int, word: Expression, place: int, places: list[list[Expression]]) -> None:
    """Adds weight * word to the digits from `place` on."""
    while place < len(places) - 1 and weight % (1 << DIGIT) == 0 and weight:
        weight, place = weight >> DIGIT, place + 1
    if abs(weight) * greatest(word.bounds) < _SAFE or place == len(places) - 1 or not fits(word):
        places[place].append(word if weight == 1 else Multiply(Literal(weight, _INTEGER), word, _INTEGER))
        return
    for term in terms(word, 1 << (_FIRST_BITS - DIGIT)):
        factor = weight * term.weight
        low = factor % (1 << DIGIT)
        for part, at in ((low, place), (factor >> DIGIT, place + 1)):
            if part:
                _place(part, term.word, at, places)


def _total(words: Sequence[Expression]) -> Expression:
    if not words:
        return Literal(0, _INTEGER)
    total = words[0]
    for word in words[1:]:
        total = Add(total, word, _INTEGER)
    return total


def _null_with(digit: Expression, e: Expression) -> Expression:
    """The digit, NULL where e is, although it may not read all of e's words."""
    if not e.nullable or _nullable(digit) == _nullable(e):
        return digit
    return Case(((is_null(e), Literal(None, digit.type)),), digit)


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
