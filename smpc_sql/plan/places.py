"""Which of a group's sorted values an aggregate is: percentiles as positions, in exact arithmetic of integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from smpc_sql.errors import InternalError, Unsupported

MAX_DIVISOR = 10**9
"""The largest denominator of a percentile, in lowest terms."""


@dataclass(frozen=True, slots=True)
class Place:
    """Of n >= 1 values in ascending order that at position floor((n * factor + offset) / divisor), from 0.

    For every n from 1 the position is one of 0 … n - 1.
    """

    factor: int
    offset: int
    divisor: int

    def __post_init__(self) -> None:
        if not 0 <= self.factor <= self.divisor or self.divisor < 1 or abs(self.offset) > self.divisor:
            raise InternalError(f"{self} is no position for every number of values")

    def __str__(self) -> str:
        return f"({self.factor}n{self.offset:+})/{self.divisor}"

    def of(self, count: int) -> int:
        """The position among `count` values."""
        return (count * self.factor + self.offset) // self.divisor


def parameter(value: Fraction) -> Fraction:
    """A percentile's parameter, checked. Raises Unsupported for one of too many digits."""
    if value.denominator > MAX_DIVISOR:
        raise Unsupported(f"a percentile of more than {len(str(MAX_DIVISOR)) - 1} digits is not supported")
    return value


def discrete(p: Fraction, descending: bool) -> Place:
    """PERCENTILE_DISC: the first value that has at least p of all up to it: position ceil(n p) - 1, or 0 if p is 0."""
    a, b = p.numerator, p.denominator
    if descending:  # position n - 1 - (ceil(n p) - 1) from below
        return Place(b - a, 0, b) if a else Place(1, -1, 1)
    return Place(a, -1, b) if a else Place(0, 0, 1)


def continuous(p: Fraction, descending: bool) -> tuple[Place, Place, Fraction]:
    """PERCENTILE_CONT: position (n - 1) p, whole parts below and above, and p counted from the smallest value."""
    p = 1 - p if descending else p
    a, b = p.numerator, p.denominator
    return Place(a, -a, b), Place(a, b - 1 - a, b), p
