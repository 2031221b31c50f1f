"""Sums, products and changes of scale: exact, on scaled integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.leaves import Literal
from smpc_sql.plan.expressions.node import Node, is_number, is_word, require, require_numbers
from smpc_sql.schema import Boolean, Date, Decimal, Integer, Interval, SqlType, Timestamp, scale_of

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression


def _sum_type(left: Expression, right: Expression, result: SqlType | None, what: str) -> SqlType:
    if result is not None:
        return result
    if isinstance(left.type, Integer) and isinstance(right.type, Integer):
        return Integer(max(left.type.bits, right.type.bits))
    require(is_number(left.type), f"{what}: {left.type} is not a number")
    return left.type


@dataclass(frozen=True, slots=True)
class Add(Node):
    """left + right, of one scale. DATE + INTEGER is a DATE, TIMESTAMP + INTEGER (microseconds) a TIMESTAMP."""

    left: Expression
    right: Expression
    result: SqlType | None = None

    def __post_init__(self) -> None:
        left, right = self.left, self.right
        if isinstance(left.type, Date | Timestamp):
            require(isinstance(right.type, Integer), f"+: {left.type} and {right.type} do not fit")
            type_: SqlType = left.type
        else:
            require_numbers("+", left, right)
            type_ = _sum_type(left, right, self.result, "+")
        self._know(
            type_, left.nullable or right.nullable, left.bounds + right.bounds, left.secret or right.secret, left, right
        )


@dataclass(frozen=True, slots=True)
class Subtract(Node):
    """left - right, of one scale. DATE - DATE is an INTEGER of days, DATE - INTEGER a DATE; TIMESTAMPs alike."""

    left: Expression
    right: Expression
    result: SqlType | None = None

    def __post_init__(self) -> None:
        left, right = self.left, self.right
        if isinstance(left.type, Date | Timestamp):
            alike = type(right.type) is type(left.type)
            require(alike or isinstance(right.type, Integer), f"-: {left.type} and {right.type} do not fit")
            type_: SqlType = Integer(64) if alike else left.type
        else:
            require_numbers("-", left, right)
            type_ = _sum_type(left, right, self.result, "-")
        self._know(
            type_, left.nullable or right.nullable, left.bounds - right.bounds, left.secret or right.secret, left, right
        )


@dataclass(frozen=True, slots=True)
class Multiply(Node):
    """left * right; the scales add up. A square (left == right) is never negative."""

    left: Expression
    right: Expression
    result: SqlType | None = None

    def __post_init__(self) -> None:
        left, right = self.left, self.right
        for part in (left, right):
            require(is_number(part.type), f"*: {part.type} is not a number")
        scale = scale_of(left.type) + scale_of(right.type)
        default = Decimal(38, scale) if scale else Integer(64)
        type_ = self.result or default
        require(scale_of(type_) == scale, f"*: the scale of {type_} is not {scale}")
        bounds = _product(left, right)
        self._know(type_, left.nullable or right.nullable, bounds, left.secret or right.secret, left, right)


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
class Negate(Node):
    """-x"""

    x: Expression

    def __post_init__(self) -> None:
        require(is_number(self.x.type), f"-: {self.x.type} is not a number")
        self._know(self.x.type, self.x.nullable, -self.x.bounds, self.x.secret, self.x)


@dataclass(frozen=True, slots=True)
class Rescale(Node):
    """x times 10^exponent (exponent >= 0): the same number at a finer scale; with exponent 0 only the type changes."""

    x: Expression
    exponent: int
    type: SqlType

    def __post_init__(self) -> None:
        x = self.x
        require(is_number(x.type) and is_number(self.type), f"cannot rescale {x.type} to {self.type}")
        require(
            self.exponent >= 0 and scale_of(self.type) == scale_of(x.type) + self.exponent,
            f"cannot rescale {x.type} to {self.type} by 10^{self.exponent}",
        )
        self._know(self.type, x.nullable, x.bounds.scale(10**self.exponent), x.secret, x)


@dataclass(frozen=True, slots=True)
class FromBoolean(Node):
    """BOOLEAN as INTEGER 0 or 1."""

    x: Expression

    def __post_init__(self) -> None:
        require(isinstance(self.x.type, Boolean), f"{self.x.type} is not BOOLEAN")
        self._know(Integer(32), self.x.nullable, self.x.bounds, self.x.secret, self.x)


@dataclass(frozen=True, slots=True)
class Within(Node):
    """x, which what intervals cannot follow guarantees to be within `interval` where it is not NULL."""

    x: Expression
    interval: Interval

    def __post_init__(self) -> None:
        whole = is_word(self.x.type) and not isinstance(self.x.type, Boolean)
        require(whole, f"{self.x.type} has no bounds to narrow")
        bounds = self.x.bounds.intersect(self.interval) or self.interval
        self._know(self.x.type, self.x.nullable, bounds, self.x.secret, self.x)
