"""Scalar expressions of a logical plan: frozen, typed when they are built, equal when they are written alike.

Every node knows, from its parts alone:

  type      its SQL type
  nullable  whether it can be NULL
  bounds    an interval that holds every value it can take (scaled integers; NULL aside). Of a DOUBLE: of no meaning
  secret    whether any party may not know it
  size      how many nodes it has, as written out

Arithmetic is on scaled integers. The operands of Add, Subtract, Less, Equal and the values of a Case have one scale
(and, for ENUMs, one dictionary); the binder inserts Rescale and Lookup. Booleans have bounds [0, 1].

A node whose parts do not fit raises TypeMismatch. Leaving 64 bits is *not* refused here but by plan/bounds.py, since a
rewrite may still remove the node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import assert_never, cast

from smpc_sql.errors import InternalError, TypeMismatch, Unsupported
from smpc_sql.plan.places import Place
from smpc_sql.plan.text import TextFunction, WordOf
from smpc_sql.schema import (
    WORD,
    Boolean,
    Date,
    Decimal,
    Double,
    Enum,
    Integer,
    Interval,
    SqlType,
    Text,
    Timestamp,
    scale_of,
    type_bounds,
)

MAX_TABLE = 4096
"""Values of a Lookup: an ENUM that is recoded, a constant expression over a small domain."""

BIT = Interval(0, 1)
MAX_SIZE = 20_000
"""Nested aliases, COALESCEs and the like double an expression at every level: this ends it."""

_BOOLEAN = Boolean()
_DOUBLE = Double()


class _Node:
    """What every expression knows; set by `_know` while it is built, and no part of its identity."""

    __slots__ = ("bounds", "nullable", "secret", "size", "type")

    type: SqlType
    nullable: bool
    bounds: Interval
    secret: bool
    size: int

    def _know(self, type_: SqlType, nullable: bool, bounds: Interval, secret: bool) -> None:
        object.__setattr__(self, "type", type_)
        object.__setattr__(self, "nullable", nullable)
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "secret", secret)
        object.__setattr__(self, "size", 1 + sum(part.size for part in parts(cast("Expression", self))))
        if self.size > MAX_SIZE:
            raise Unsupported(f"an expression of more than {MAX_SIZE} operations is not supported")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise TypeMismatch(message)


def _is_word(type_: SqlType) -> bool:
    return type_.is_word if isinstance(type_, Text) else not isinstance(type_, Double)


def _is_number(type_: SqlType) -> bool:
    return isinstance(type_, Integer | Decimal)


def _require_alike(what: str, left: SqlType, right: SqlType) -> None:
    """Comparable as they stand: one kind, one scale, one dictionary."""
    if _is_number(left) and _is_number(right):
        _require(scale_of(left) == scale_of(right), f"{what}: scales of {left} and {right} differ")
    elif isinstance(left, Enum):
        _require(left == right, f"{what}: dictionaries of {left} and {right} differ")
    elif isinstance(left, Text) and isinstance(right, Text):
        _require(_is_word(left) and left.length == right.length, f"{what}: lengths of {left} and {right} differ")
    else:
        _require(_is_word(left) and type(left) is type(right), f"{what}: {left} and {right} do not fit")


@dataclass(frozen=True, slots=True)
class Column(_Node):
    """Field `index` of the input relation. `name` is for people and takes no part in equality."""

    index: int
    name: str = field(compare=False)
    type: SqlType
    nullable: bool
    bounds: Interval
    public: bool = False

    def __post_init__(self) -> None:
        self._know(self.type, self.nullable, self.bounds, not self.public)


@dataclass(frozen=True, slots=True)
class Literal(_Node):
    """A public constant, as a scaled integer; None is NULL."""

    value: int | None
    type: SqlType

    def __post_init__(self) -> None:
        _require(_is_word(self.type), "a constant is one word")
        at = Interval(0, 0) if self.value is None else Interval(self.value, self.value)
        self._know(self.type, self.value is None, at, False)


def _sum_type(left: Expression, right: Expression, result: SqlType | None, what: str) -> SqlType:
    if result is not None:
        return result
    if isinstance(left.type, Integer) and isinstance(right.type, Integer):
        return Integer(max(left.type.bits, right.type.bits))
    _require(_is_number(left.type), f"{what}: {left.type} is not a number")
    return left.type


@dataclass(frozen=True, slots=True)
class Add(_Node):
    """left + right, of one scale. DATE + INTEGER is a DATE, TIMESTAMP + INTEGER (microseconds) a TIMESTAMP."""

    left: Expression
    right: Expression
    result: SqlType | None = None

    def __post_init__(self) -> None:
        left, right = self.left, self.right
        if isinstance(left.type, Date | Timestamp):
            _require(isinstance(right.type, Integer), f"+: {left.type} and {right.type} do not fit")
            type_: SqlType = left.type
        else:
            _require_numbers("+", left, right)
            type_ = _sum_type(left, right, self.result, "+")
        self._know(type_, left.nullable or right.nullable, left.bounds + right.bounds, left.secret or right.secret)


@dataclass(frozen=True, slots=True)
class Subtract(_Node):
    """left - right, of one scale. DATE - DATE is an INTEGER of days, DATE - INTEGER a DATE; TIMESTAMPs alike."""

    left: Expression
    right: Expression
    result: SqlType | None = None

    def __post_init__(self) -> None:
        left, right = self.left, self.right
        if isinstance(left.type, Date | Timestamp):
            alike = type(right.type) is type(left.type)
            _require(alike or isinstance(right.type, Integer), f"-: {left.type} and {right.type} do not fit")
            type_: SqlType = Integer(64) if alike else left.type
        else:
            _require_numbers("-", left, right)
            type_ = _sum_type(left, right, self.result, "-")
        self._know(type_, left.nullable or right.nullable, left.bounds - right.bounds, left.secret or right.secret)


def _require_numbers(what: str, *parts: Expression) -> None:
    for part in parts:
        _require(_is_number(part.type), f"{what}: {part.type} is not a number")
    scales = {scale_of(part.type) for part in parts}
    _require(len(scales) == 1, f"{what}: scales differ")


@dataclass(frozen=True, slots=True)
class Multiply(_Node):
    """left * right; the scales add up. A square (left == right) is never negative."""

    left: Expression
    right: Expression
    result: SqlType | None = None

    def __post_init__(self) -> None:
        left, right = self.left, self.right
        for part in (left, right):
            _require(_is_number(part.type), f"*: {part.type} is not a number")
        scale = scale_of(left.type) + scale_of(right.type)
        default = Decimal(38, scale) if scale else Integer(64)
        type_ = self.result or default
        _require(scale_of(type_) == scale, f"*: the scale of {type_} is not {scale}")
        bounds = _product(left, right)
        self._know(type_, left.nullable or right.nullable, bounds, left.secret or right.secret)


def _product(left: Expression, right: Expression) -> Interval:
    """Squares are not negative, and neither is n * (n - 1) of an integer."""
    if left == right:
        return _square(left.bounds)
    bounds = left.bounds * right.bounds
    match right:
        case Subtract(minuend, Literal(1)) if minuend == left and scale_of(left.type) == 0:
            return Interval(max(bounds.low, 0), bounds.high)
        case _:
            return bounds


def _square(bounds: Interval) -> Interval:
    low, high = bounds.low**2, bounds.high**2
    return Interval(0 if 0 in bounds else min(low, high), max(low, high))


@dataclass(frozen=True, slots=True)
class Negate(_Node):
    """-x"""

    x: Expression

    def __post_init__(self) -> None:
        _require(_is_number(self.x.type), f"-: {self.x.type} is not a number")
        self._know(self.x.type, self.x.nullable, -self.x.bounds, self.x.secret)


@dataclass(frozen=True, slots=True)
class Rescale(_Node):
    """x times 10^exponent (exponent >= 0): the same number at a finer scale; with exponent 0 only the type changes."""

    x: Expression
    exponent: int
    type: SqlType

    def __post_init__(self) -> None:
        x = self.x
        _require(_is_number(x.type) and _is_number(self.type), f"cannot rescale {x.type} to {self.type}")
        _require(
            self.exponent >= 0 and scale_of(self.type) == scale_of(x.type) + self.exponent,
            f"cannot rescale {x.type} to {self.type} by 10^{self.exponent}",
        )
        self._know(self.type, x.nullable, x.bounds.scale(10**self.exponent), x.secret)


@dataclass(frozen=True, slots=True)
class FromBoolean(_Node):
    """BOOLEAN as INTEGER 0 or 1."""

    x: Expression

    def __post_init__(self) -> None:
        _require(isinstance(self.x.type, Boolean), f"{self.x.type} is not BOOLEAN")
        self._know(Integer(32), self.x.nullable, self.x.bounds, self.x.secret)


@dataclass(frozen=True, slots=True)
class Less(_Node):
    """left < right, of one scale; ENUMs by dictionary position; NULL if either is."""

    left: Expression
    right: Expression

    def __post_init__(self) -> None:
        _require_alike("<", self.left.type, self.right.type)
        self._know(_BOOLEAN, self.left.nullable or self.right.nullable, BIT, self.left.secret or self.right.secret)


@dataclass(frozen=True, slots=True)
class Equal(_Node):
    """left = right, of one scale; NULL if either is."""

    left: Expression
    right: Expression

    def __post_init__(self) -> None:
        _require_alike("=", self.left.type, self.right.type)
        self._know(_BOOLEAN, self.left.nullable or self.right.nullable, BIT, self.left.secret or self.right.secret)


@dataclass(frozen=True, slots=True)
class InSet(_Node):
    """x is one of the scaled integers `codes` (ascending, distinct, maybe none); NULL if x is."""

    x: Expression
    codes: tuple[int, ...]

    def __post_init__(self) -> None:
        _require(_is_word(self.x.type), f"IN: {self.x.type} is not supported")
        _require(list(self.codes) == sorted(set(self.codes)), "IN: codes must ascend")
        self._know(_BOOLEAN, self.x.nullable, BIT, self.x.secret)


@dataclass(frozen=True, slots=True)
class IsNull(_Node):
    """x IS NULL: never NULL itself."""

    x: Expression

    def __post_init__(self) -> None:
        _require(_is_word(self.x.type), f"IS NULL: {self.x.type} is not supported")
        self._know(_BOOLEAN, False, BIT, self.x.secret and self.x.nullable)


@dataclass(frozen=True, slots=True)
class Not(_Node):
    """NOT x; NULL stays NULL."""

    x: Expression

    def __post_init__(self) -> None:
        _require(isinstance(self.x.type, Boolean), f"NOT: {self.x.type} is not BOOLEAN")
        self._know(_BOOLEAN, self.x.nullable, BIT, self.x.secret)


def _know_terms(node: And | Or, what: str) -> None:
    _require(len(node.terms) >= 2, f"{what} needs two terms")
    for term in node.terms:
        _require(isinstance(term.type, Boolean), f"{what}: {term.type} is not BOOLEAN")
    node._know(_BOOLEAN, any(t.nullable for t in node.terms), BIT, any(t.secret for t in node.terms))


@dataclass(frozen=True, slots=True)
class And(_Node):
    """Three-valued AND of two terms or more: false if any is false, else NULL if any is NULL."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        _know_terms(self, "AND")


@dataclass(frozen=True, slots=True)
class Or(_Node):
    """Three-valued OR of two terms or more: true if any is true, else NULL if any is NULL."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        _know_terms(self, "OR")


@dataclass(frozen=True, slots=True)
class Case(_Node):
    """The value of the first branch whose condition is true (NULL counts as false), else the default. One type."""

    branches: tuple[tuple[Expression, Expression], ...]
    default: Expression

    def __post_init__(self) -> None:
        _require(len(self.branches) >= 1, "CASE needs a branch")
        type_ = self.default.type
        for condition, value in self.branches:
            _require(isinstance(condition.type, Boolean), f"CASE: condition is {condition.type}, not BOOLEAN")
            _require(value.type == type_ and _is_word(type_), f"CASE: branches are {value.type} and {type_}")
        values = [*(value for _, value in self.branches), self.default]
        # a NULL constant adds nothing to the bounds: its value is never seen
        seen = [v.bounds for v in values if not (isinstance(v, Literal) and v.value is None)] or [Interval(0, 0)]
        bounds = seen[0]
        for other in seen[1:]:
            bounds = bounds.union(other)
        conditions = [condition for condition, _ in self.branches]
        secret = any(part.secret for part in [*values, *conditions])
        self._know(type_, self._can_be_null(), bounds, secret)

    def _can_be_null(self) -> bool:
        """COALESCE is CASE WHEN x IS NULL THEN … ELSE x END: its last x is never NULL."""
        tested = {_null_root(c.x) for c, _ in self.branches if isinstance(c, IsNull)}
        default = self.default.nullable and _null_root(self.default) not in tested
        return default or any(value.nullable for _, value in self.branches)


def _null_root(x: Expression) -> Expression:
    """What is NULL exactly when x is: x without the functions of one argument around it."""
    while True:
        match x:
            case Rescale() | Negate() | FromBoolean() | Lookup() | Not() | FloorDivide() | Remainder() | Within():
                x = x.x
            case TextCall(leading=(only,)):
                x = only
            case _:
                return x


@dataclass(frozen=True, slots=True)
class Lookup(_Node):
    """table[x - x.bounds.low]: a public table over a small domain (len(table) == x.bounds.size); NULL if x is."""

    x: Expression
    table: tuple[int, ...]
    type: SqlType

    def __post_init__(self) -> None:
        _require(_is_word(self.x.type), f"lookup: {self.x.type} is not supported")
        _require(len(self.table) == self.x.bounds.size, "lookup: the table does not cover the domain")
        if len(self.table) > MAX_TABLE:
            raise Unsupported(f"a table of {len(self.table)} values: at most {MAX_TABLE} are supported")
        bounds = Interval(min(self.table), max(self.table))
        self._know(self.type, self.x.nullable, bounds, self.x.secret)


@dataclass(frozen=True, slots=True)
class FloorDivide(_Node):
    """floor(x / divisor) of the scaled integer, for a public divisor > 0, as a number of the given type."""

    x: Expression
    divisor: int
    type: SqlType

    def __post_init__(self) -> None:
        _require(_is_number(self.x.type) and _is_number(self.type), f"cannot divide {self.x.type} to {self.type}")
        _require(self.divisor > 0, "a whole quotient needs a divisor > 0")
        bounds = Interval(self.x.bounds.low // self.divisor, self.x.bounds.high // self.divisor)
        self._know(self.type, self.x.nullable, bounds, self.x.secret)


@dataclass(frozen=True, slots=True)
class WholeQuotient(_Node):
    """floor(numerator * 2^places / denominator) of two INTEGERs, denominator >= 0; anything where that is 0.

    With places > 0 the numerator is not negative either.
    """

    numerator: Expression
    denominator: Expression
    places: int = 0

    def __post_init__(self) -> None:
        n, d = self.numerator, self.denominator
        for part in (n, d):
            _require(isinstance(part.type, Integer), f"a whole quotient of {part.type} is not supported")
        _require(d.bounds.low >= 0, "a whole quotient needs a denominator that is not negative")
        _require(self.places == 0 or n.bounds.low >= 0, "binary places need a numerator that is not negative")
        ends = [
            (end << self.places) // divisor for end in (n.bounds.low, n.bounds.high) for divisor in self._divisors()
        ]
        bounds = Interval(min(ends), max(ends))
        self._know(Integer(64), n.nullable or d.nullable, bounds, n.secret or d.secret)

    def _divisors(self) -> tuple[int, int]:
        bounds = self.denominator.bounds
        return max(1, bounds.low), max(1, bounds.high)

    @property
    def shift(self) -> int:
        """What the quotient is made greater by, so that it is not negative."""
        return max(0, -self.bounds.low)

    @property
    def bits(self) -> int:
        """The binary digits of the shifted quotient before its places."""
        return max(1, ((self.bounds.high >> self.places) + self.shift).bit_length())


@dataclass(frozen=True, slots=True)
class Remainder(_Node):
    """x - divisor * floor(x / divisor) of an INTEGER, for a public divisor > 0: from 0 to divisor - 1."""

    x: Expression
    divisor: int

    def __post_init__(self) -> None:
        _require(isinstance(self.x.type, Integer), f"a remainder of {self.x.type} is not supported")
        _require(self.divisor > 0, "a remainder needs a divisor > 0")
        low, high = self.x.bounds.low, self.x.bounds.high
        bounds = Interval(0, self.divisor - 1)
        if low // self.divisor == high // self.divisor:
            bounds = Interval(low % self.divisor, high % self.divisor)
        self._know(self.x.type, self.x.nullable, bounds, self.x.secret)


@dataclass(frozen=True, slots=True)
class Within(_Node):
    """x, which what intervals cannot follow guarantees to be within `interval` where it is not NULL."""

    x: Expression
    interval: Interval

    def __post_init__(self) -> None:
        whole = _is_word(self.x.type) and not isinstance(self.x.type, Boolean)
        _require(whole, f"{self.x.type} has no bounds to narrow")
        bounds = self.x.bounds.intersect(self.interval) or self.interval
        self._know(self.x.type, self.x.nullable, bounds, self.x.secret)


@dataclass(frozen=True, slots=True)
class Divide(_Node):
    """numerator / denominator, of one scale: a DOUBLE, an exact fraction until the analyst's side divides.

    NULL if either is, or the denominator is 0: AVG of no rows, VAR_SAMP of one. (DuckDB since 1.2 gives inf or nan for
    a written x / 0, and NULL with its settings ieee_floating_point_ops and error_on_division_by_zero both false; we
    follow the latter.) guarded: the numerator is known to be NULL wherever the denominator is 0, as in AVG.
    """

    numerator: Expression
    denominator: Expression
    guarded: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        num, den = self.numerator, self.denominator
        for part in (num, den):
            _require(_is_number(part.type), f"/: {part.type} is not a number")
        _require(scale_of(num.type) == scale_of(den.type), f"/: scales of {num.type} and {den.type} differ")
        nullable = num.nullable or den.nullable or 0 in den.bounds
        self._know(_DOUBLE, nullable, type_bounds(_DOUBLE), num.secret or den.secret)


@dataclass(frozen=True, slots=True)
class Sqrt(_Node):
    """The square root of a quotient; only the analyst's side computes it. signed: of x < 0 it is -sqrt(-x) (CORR)."""

    x: Expression
    signed: bool = False

    def __post_init__(self) -> None:
        _require(isinstance(self.x.type, Double), f"sqrt: {self.x.type} is not DOUBLE")
        self._know(_DOUBLE, self.x.nullable, self.x.bounds, self.x.secret)


@dataclass(frozen=True, slots=True)
class LongText(_Node):
    """A text of several words. Like a quotient it is no word itself: whatever takes texts takes its words."""

    words: tuple[Expression, ...]
    type: Text

    def __post_init__(self) -> None:
        _require(self.type.is_long, f"{self.type} is one word")
        sizes = [word.type.length if isinstance(word.type, Text) else 0 for word in self.words]
        _require(sizes == [word.length for word in self.type.words], f"words of {sizes} bytes are no {self.type}")
        first = self.words[0]
        self._know(self.type, first.nullable, first.bounds, any(word.secret for word in self.words))


@dataclass(frozen=True, slots=True)
class TextCall(_Node):
    """A function of words of texts, or that gives one."""

    function: TextFunction
    operands: tuple[Expression, ...]

    def __post_init__(self) -> None:
        takes = self.function.takes
        for operand in self.operands:
            text = isinstance(operand.type, Text) and (operand.type.spelled or _is_word(operand.type))
            _require(text if takes is None else takes == operand.type, f"{operand.type} is not what {takes} is")
        nullable = any(self.operands[i].nullable for i in self.function.leading)
        # what is spelled is shared, even if it was public
        secret = self.is_spelled or any(operand.secret for operand in self.operands)
        self._know(self.function.type, nullable, self.function.bounds, secret)
        if isinstance(self.function, WordOf) and self.function.number > 0:
            object.__setattr__(self, "size", 2)  # the text is counted with its first word

    @property
    def is_spelled(self) -> bool:
        """Whether it is a text whose bits are shared, and no word."""
        return isinstance(self.function.type, Text) and self.function.type.spelled

    @property
    def leading(self) -> tuple[Expression, ...]:
        """The operands that decide whether it is NULL."""
        return tuple(self.operands[i] for i in self.function.leading)


AggregateKind = OneOf["count_star", "count", "sum", "min", "max", "any", "place", "arg_min", "arg_max", "presence"]

_ORDERED = ("any", "place", "arg_min", "arg_max")


@dataclass(frozen=True, slots=True)
class AggregateCall(_Node):
    """One aggregate over the rows of a group that pass `filter` (NULL does not pass).

    rows: at most how many rows a group has (public). SUM, MIN and MAX of no rows, or of NULLs only, are NULL.
    distinct: every value counts once (COUNT, SUM and places; it makes no difference to MIN and MAX).
    any: the argument of any row, which is the same in all rows of a group; of sorted groups only, and without a filter.
    place: of kind "place", which of the values in ascending order. by: of arg_min and arg_max, what is smallest or
    greatest in the row whose argument is wanted; rows where either is NULL take no part, and of several such rows the
    smallest argument counts. All are NULL where no row takes part.
    rest: of a long text the words behind the first, which is the argument. word: which of them all the call gives.
    within: what bounds of the result intervals cannot follow, or None.
    filled: where no row takes part, SUM is 0, MIN its upper and MAX its lower bound, instead of NULL.
    presence: 0 where no row takes part (as for COUNT), else a random word.
    Only in Aggregate.calls, never inside another expression.
    """

    kind: AggregateKind
    argument: Expression | None
    filter: Expression | None
    rows: int
    distinct: bool = False
    place: Place | None = None
    by: Expression | None = None
    rest: tuple[Expression, ...] = ()
    word: int = 0
    within: Interval | None = None
    filled: bool = False

    def __post_init__(self) -> None:
        argument = self.argument
        _require(not self.filled or self.kind in ("sum", "min", "max"), f"{self.kind} is never NULL, or always may be")
        _require(not self.distinct or self.kind in ("count", "sum", "place"), f"{self.kind}: DISTINCT does not apply")
        _require((self.place is None) == (self.kind != "place"), f"{self.kind}: no place, or one too many")
        _require((self.by is None) == (self.kind not in ("arg_min", "arg_max")), f"{self.kind}: wrong arguments")
        _require(
            self.by is None or _is_word(self.by.type), f"{self.kind.upper()} by a DOUBLE or long text is not supported"
        )
        if self.filter is not None:
            _require(isinstance(self.filter.type, Boolean), f"FILTER: {self.filter.type} is not BOOLEAN")
        if self.kind != "presence":
            _require((argument is None) == (self.kind == "count_star"), f"{self.kind}: wrong number of arguments")
        domain = None if not self.distinct or argument is None or self.rest else argument.bounds.size
        rows = self.rows if domain is None else min(self.rows, domain)
        counted = Interval(0, rows)
        if self.kind == "presence":
            self._know(Integer(64), False, WORD, True)
        elif argument is None or self.kind == "count":
            _require(argument is None or _is_word(argument.type), "COUNT of a DOUBLE is not supported")
            self._know(Integer(64), False, counted, True)
        elif self.kind == "sum":
            _require(_is_number(argument.type), f"SUM: {argument.type} is not a number")
            type_: SqlType = Integer(128)
            if isinstance(argument.type, Decimal):
                type_ = Decimal(38, argument.type.scale)
            self._know(type_, not self.filled, self._narrowed(counted * argument.bounds), True)
        else:
            _require(_is_word(argument.type), f"{self.kind.upper()} of a DOUBLE is not supported")
            given = (argument, *self.rest)[self.word]
            nullable = (argument.nullable or self.kind != "any") and not self.filled
            self._know(given.type, nullable, self._narrowed(given.bounds), True)

    def _narrowed(self, bounds: Interval) -> Interval:
        return bounds if self.within is None else bounds.intersect(self.within) or self.within

    @property
    def filling(self) -> int:
        """What stands in the place of NULL where `filled`."""
        if self.kind == "sum" or self.argument is None:
            return 0
        return self.argument.bounds.high if self.kind == "min" else self.argument.bounds.low

    @property
    def in_order(self) -> bool:
        """Whether it is of sorted groups only."""
        return self.distinct or bool(self.rest) or self.kind in _ORDERED

    def over(self, change: Callable[[Expression], Expression], rows: int) -> AggregateCall:
        """The same of changed parts, for groups of at most `rows` rows."""
        argument, filter_, by = (None if x is None else change(x) for x in (self.argument, self.filter, self.by))
        rest = tuple(map(change, self.rest))
        return AggregateCall(
            self.kind, argument, filter_, rows, self.distinct, self.place, by, rest, self.word, self.within, self.filled
        )


Expression = (
    Column
    | Literal
    | Add
    | Subtract
    | Multiply
    | Negate
    | Rescale
    | FromBoolean
    | Less
    | Equal
    | InSet
    | IsNull
    | Not
    | And
    | Or
    | Case
    | Lookup
    | FloorDivide
    | WholeQuotient
    | Remainder
    | Within
    | Divide
    | Sqrt
    | LongText
    | TextCall
)
"""Every scalar expression; AggregateCall stands apart."""


def parts(expression: Expression | AggregateCall) -> tuple[Expression, ...]:
    """The expressions right below, in the order in which `rebuild` takes them."""
    match expression:
        case Column() | Literal():
            return ()
        case Add(left, right) | Subtract(left, right) | Multiply(left, right) | Less(left, right) | Equal(left, right):
            return (left, right)
        case Negate(x) | Rescale(x) | FromBoolean(x) | InSet(x) | IsNull(x) | Not(x) | Lookup(x) | Sqrt(x):
            return (x,)
        case FloorDivide(x) | Remainder(x) | Within(x):
            return (x,)
        case And(terms) | Or(terms):
            return terms
        case Case(branches, default):
            return (*(part for branch in branches for part in branch), default)
        case Divide(numerator, denominator) | WholeQuotient(numerator, denominator):
            return (numerator, denominator)
        case LongText(words) | TextCall(_, words):
            return words
        case AggregateCall(_, argument, filter_):
            return (*(part for part in (argument, filter_, expression.by) if part is not None), *expression.rest)
        case _:
            assert_never(expression)


def rebuild(expression: Expression, new: tuple[Expression, ...]) -> Expression:
    """The same node over other parts; type, bounds and the rest are found anew."""
    match expression:
        case Column() | Literal():
            return expression
        case Add(_, _, result):
            return Add(new[0], new[1], result)
        case Subtract(_, _, result):
            return Subtract(new[0], new[1], result)
        case Multiply(_, _, result):
            return Multiply(new[0], new[1], result)
        case Divide(_, _, guarded):
            return Divide(new[0], new[1], guarded)
        case Less() | Equal() | Negate() | FromBoolean() | IsNull() | Not():
            return type(expression)(*new)
        case Sqrt(_, signed):
            return Sqrt(new[0], signed)
        case Rescale(_, exponent, type_):
            return Rescale(new[0], exponent, type_)
        case InSet(_, codes):
            return InSet(new[0], codes)
        case FloorDivide(_, divisor, type_):
            return FloorDivide(new[0], divisor, type_)
        case WholeQuotient(_, _, places):
            return WholeQuotient(new[0], new[1], places)
        case Remainder(_, divisor):
            return Remainder(new[0], divisor)
        case Within(_, interval):
            return Within(new[0], interval)
        case And() | Or():
            return type(expression)(new)
        case Case():
            return Case(tuple(zip(new[:-1:2], new[1::2], strict=True)), new[-1])
        case LongText(_, text):
            return LongText(new, text)
        case TextCall(function):
            return TextCall(function, new)
        case Lookup(x, table, type_):
            operand = new[0]
            if x.bounds.intersect(operand.bounds) != operand.bounds:
                if not operand.nullable:
                    raise InternalError("a lookup's operand has left the table's domain")
                operand = Within(operand, x.bounds)  # an outer join widens bounds by what its NULLs hold
            start = operand.bounds.low - x.bounds.low
            return Lookup(operand, table[start : start + operand.bounds.size], type_)
        case _:
            assert_never(expression)


def transform(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Every node replaced by change(node), from the leaves up; `change` sees a node over changed parts."""
    old = parts(expression)
    new = tuple(transform(part, change) for part in old)
    return change(expression if new == old else rebuild(expression, new))


def walk(expression: Expression | AggregateCall) -> Iterator[Expression | AggregateCall]:
    """The node and every node below, parents first, left to right."""
    yield expression
    for part in parts(expression):
        yield from walk(part)


def columns_of(*expressions: Expression | AggregateCall) -> tuple[int, ...]:
    """The indices of the input fields that the expressions read, ascending, each once."""
    return tuple(sorted({node.index for e in expressions for node in walk(e) if isinstance(node, Column)}))
