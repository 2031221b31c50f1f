"""Quotients: whole ones, remainders, and the fractions that only the analyst's side divides."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.node import Node, is_number, require
from smpc_sql.schema import Double, Integer, Interval, SqlType, scale_of, type_bounds

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression


COMPARED = 64
"""Up to so many values a quotient by a public number is found by comparisons, all at once; see `protocol/division`."""

_SHIFTED = 31


def is_divided(bounds: Interval, divisor: int) -> bool:
    """Whether a word is divided by a public number within 64 bits, steps and all."""
    bits = divisor.bit_length() - 1
    if divisor == 1 << bits and bits <= _SHIFTED:
        return True
    reach = bounds.high - bounds.low
    if bounds.high // divisor - bounds.low // divisor <= COMPARED:
        return max(reach, divisor).bit_length() < 64
    return (reach + divisor).bit_length() + 2 <= 64


@dataclass(frozen=True, slots=True)
class FloorDivide(Node):
    """floor(x / divisor) of the scaled integer, for a public divisor > 0, as a number of the given type."""

    x: Expression
    divisor: int
    type: SqlType

    def __post_init__(self) -> None:
        require(is_number(self.x.type) and is_number(self.type), f"cannot divide {self.x.type} to {self.type}")
        require(self.divisor > 0, "a whole quotient needs a divisor > 0")
        bounds = Interval(self.x.bounds.low // self.divisor, self.x.bounds.high // self.divisor)
        self._know(self.type, self.x.nullable, bounds, self.x.secret, self.x)


@dataclass(frozen=True, slots=True)
class WholeQuotient(Node):
    """floor(numerator * 2^places / denominator) of two INTEGERs, denominator >= 0; anything where that is 0.

    With places > 0 the numerator is not negative either. width: if not 0, the quotient is known to be from 0 to
    2^width - 1.
    """

    numerator: Expression
    denominator: Expression
    places: int = 0
    width: int = 0

    def __post_init__(self) -> None:
        n, d = self.numerator, self.denominator
        for part in (n, d):
            require(isinstance(part.type, Integer), f"a whole quotient of {part.type} is not supported")
        require(d.bounds.low >= 0, "a whole quotient needs a denominator that is not negative")
        require(self.places == 0 or n.bounds.low >= 0, "binary places need a numerator that is not negative")
        ends = [
            (end << self.places) // divisor for end in (n.bounds.low, n.bounds.high) for divisor in self._divisors()
        ]
        bounds = Interval(0, (1 << self.width) - 1) if self.width else Interval(min(ends), max(ends))
        self._know(Integer(64), n.nullable or d.nullable, bounds, n.secret or d.secret, n, d)

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
class WholeRoot(Node):
    """floor(sqrt(x)) of an INTEGER that is not negative."""

    x: Expression

    def __post_init__(self) -> None:
        require(isinstance(self.x.type, Integer), f"a whole root of {self.x.type} is not supported")
        require(self.x.bounds.low >= 0, "a whole root needs a number that is not negative")
        bounds = Interval(isqrt(self.x.bounds.low), isqrt(self.x.bounds.high))
        self._know(Integer(64), self.x.nullable, bounds, self.x.secret, self.x)

    @property
    def bits(self) -> int:
        """The root's binary digits."""
        return max(1, self.bounds.high.bit_length())


@dataclass(frozen=True, slots=True)
class Remainder(Node):
    """x - divisor * floor(x / divisor) of the scaled integer, for a public divisor > 0: an INTEGER below it."""

    x: Expression
    divisor: int

    def __post_init__(self) -> None:
        require(is_number(self.x.type), f"a remainder of {self.x.type} is not supported")
        require(self.divisor > 0, "a remainder needs a divisor > 0")
        low, high = self.x.bounds.low, self.x.bounds.high
        bounds = Interval(0, self.divisor - 1)
        if low // self.divisor == high // self.divisor:
            bounds = Interval(low % self.divisor, high % self.divisor)
        type_ = self.x.type if isinstance(self.x.type, Integer) else Integer(64)
        self._know(type_, self.x.nullable, bounds, self.x.secret, self.x)


@dataclass(frozen=True, slots=True)
class Divide(Node):
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
            require(is_number(part.type), f"/: {part.type} is not a number")
        require(scale_of(num.type) == scale_of(den.type), f"/: scales of {num.type} and {den.type} differ")
        nullable = num.nullable or den.nullable or 0 in den.bounds
        self._know(Double(), nullable, type_bounds(Double()), num.secret or den.secret, num, den)


@dataclass(frozen=True, slots=True)
class PlusRoot(Node):
    """x + root, a quotient and the square root of one; only the analyst's side adds them.

    together: each is NULL where the other is, as it must be of what is delivered.
    """

    x: Expression
    root: Expression
    together: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        x, root = self.x, self.root
        require(isinstance(x, Divide) and isinstance(root, Sqrt), f"{x.type} + {root.type} is no sum with a root")
        self._know(Double(), x.nullable or root.nullable, x.bounds, x.secret or root.secret, x, root)


@dataclass(frozen=True, slots=True)
class Sqrt(Node):
    """The square root of a quotient; only the analyst's side computes it. signed: of x < 0 it is -sqrt(-x) (CORR).

    most: if not 0, no root is greater than that.
    """

    x: Expression
    signed: bool = False
    most: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        require(isinstance(self.x.type, Double), f"sqrt: {self.x.type} is not DOUBLE")
        self._know(Double(), self.x.nullable, self.x.bounds, self.x.secret, self.x)
