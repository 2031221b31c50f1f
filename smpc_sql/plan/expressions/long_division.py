"""Quotients of numbers that leave 64 bits: long division, whose result is digits."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.node import Node, require
from smpc_sql.schema import Integer, Interval

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression

DIGIT = 24
"""Bits of a digit below the first."""

LARGEST_DIVISOR = 1 << 58
"""Long division divides by numbers below it."""


@dataclass(frozen=True, slots=True)
class LongQuotient(Node):
    """floor(n * 2^places / (d1 * d2 * …)) of a number of digits, 0 <= n <= greatest, by words from 1 to 2^58 - 1.

    n's digits are INTEGERs from 0 to 2^24 - 1, the first one first; places is a multiple of 24. Its type and bounds are
    those of each of its digits. It is no word, but what `QuotientDigit`s are taken of. name: for people.
    """

    digits: tuple[Expression, ...]
    divisors: tuple[Expression, ...]
    greatest: int
    places: int
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        parts = (*self.digits, *self.divisors)
        require(all(isinstance(part.type, Integer) for part in parts), "a long division of what is no INTEGER")
        require(all(d.bounds.low > 0 and d.bounds.high < LARGEST_DIVISOR for d in self.divisors), "too wide a divisor")
        require(all(x.bounds.low >= 0 and x.bounds.high < 1 << DIGIT for x in self.digits), "too wide a digit")
        require(self.places % DIGIT == 0 and len(self.divisors) > 0, "a long division needs divisors, whole places")
        nullable = any(part.nullable for part in parts)
        self._know(Integer(64), nullable, Interval(0, (1 << DIGIT) - 1), any(part.secret for part in parts), *parts)

    @property
    def highest(self) -> int:
        """The greatest quotient."""
        return (self.greatest << self.places) // prod(d.bounds.low for d in self.divisors)

    @property
    def count(self) -> int:
        """How many digits the quotient has."""
        return max(1, -(-self.highest.bit_length() // DIGIT))


@dataclass(frozen=True, slots=True)
class QuotientDigit(Node):
    """The digit that counts 2^(24 * place) of a long quotient: an INTEGER from 0 to 2^24 - 1."""

    x: Expression
    place: int

    def __post_init__(self) -> None:
        require(isinstance(self.x, LongQuotient), "a digit of what is no long quotient")
        whole = self.x
        assert isinstance(whole, LongQuotient)
        above = whole.highest >> DIGIT * self.place
        bounds = Interval(0, min(above, (1 << DIGIT) - 1))
        self._know(whole.type, whole.nullable, bounds, whole.secret, whole)
