"""Functions of text: what a TextCall computes, in public terms. Operands are words of texts, each a scaled integer.

A long text is several words (`schema.Text`); it is NULL where its first word is, which alone says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smpc_sql.schema import Boolean, Interval, SqlType, Text, type_bounds


@dataclass(frozen=True, slots=True)
class Equals:
    """left = right of two texts of `words` words each: operands are the left's words, then the right's."""

    words: int

    @property
    def type(self) -> SqlType:
        """BOOLEAN."""
        return Boolean()

    @property
    def bounds(self) -> Interval:
        """A bit."""
        return Interval(0, 1)

    @property
    def leading(self) -> tuple[int, ...]:
        """The operands that decide whether the outcome is NULL."""
        return 0, self.words

    def compute(self, values: Sequence[int]) -> int:
        """The value of known operands."""
        return int(tuple(values[: self.words]) == tuple(values[self.words :]))

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"({_joined(operands[: self.words])} = {_joined(operands[self.words :])})"


@dataclass(frozen=True, slots=True)
class Precedes:
    """left < right of two texts of `words` words each, byte by byte: operands as of Equals."""

    words: int

    @property
    def type(self) -> SqlType:
        """BOOLEAN."""
        return Boolean()

    @property
    def bounds(self) -> Interval:
        """A bit."""
        return Interval(0, 1)

    @property
    def leading(self) -> tuple[int, ...]:
        """The operands that decide whether the outcome is NULL."""
        return 0, self.words

    def compute(self, values: Sequence[int]) -> int:
        """The value of known operands."""
        return int(tuple(values[: self.words]) < tuple(values[self.words :]))

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"({_joined(operands[: self.words])} < {_joined(operands[self.words :])})"


@dataclass(frozen=True, slots=True)
class Pad:
    """The only operand's text, a word of `length` bytes, as the word of a longer type: zeros behind it."""

    length: int
    type: Text

    @property
    def factor(self) -> int:
        """What the word is multiplied with."""
        return 1 << 8 * (self.type.length - self.length)

    @property
    def bounds(self) -> Interval:
        """Those of the shorter word, scaled."""
        return type_bounds(Text(self.length)).scale(self.factor)

    @property
    def leading(self) -> tuple[int, ...]:
        """The operand."""
        return (0,)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return values[0] * self.factor

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"pad({operands[0]}, {self.type})"


TextFunction = Equals | Precedes | Pad
"""Everything that a TextCall computes."""


def _joined(words: Sequence[str]) -> str:
    return " ".join(words)
