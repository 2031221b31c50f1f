"""Functions of the words of texts: comparisons, a word as one of another type, and all words as bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smpc_sql.plan.text.function import Function, joined, spelled
from smpc_sql.schema import Integer, Interval, SqlType, Text, type_bounds


@dataclass(frozen=True, slots=True)
class Equals(Function):
    """left = right of two texts of `words` words each: operands are the left's words, then the right's."""

    words: int

    @property
    def leading(self) -> tuple[int, ...]:
        """The operands that decide whether the outcome is NULL."""
        return 0, self.words

    def compute(self, values: Sequence[int]) -> int:
        """The value of known operands."""
        return int(tuple(values[: self.words]) == tuple(values[self.words :]))

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"({joined(operands[: self.words])} = {joined(operands[self.words :])})"


@dataclass(frozen=True, slots=True)
class Precedes(Function):
    """left < right of two texts of `words` words each, byte by byte: operands as of Equals."""

    words: int

    @property
    def leading(self) -> tuple[int, ...]:
        """The operands that decide whether the outcome is NULL."""
        return 0, self.words

    def compute(self, values: Sequence[int]) -> int:
        """The value of known operands."""
        return int(tuple(values[: self.words]) < tuple(values[self.words :]))

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"({joined(operands[: self.words])} < {joined(operands[self.words :])})"


@dataclass(frozen=True, slots=True)
class Pad(Function):
    """The only operand's text, a word of `length` bytes, as the word of a longer type: zeros behind it."""

    length: int
    longer: Text

    @property
    def type(self) -> SqlType:
        """The longer one."""
        return self.longer

    @property
    def factor(self) -> int:
        """What the word is multiplied with."""
        return 1 << 8 * (self.longer.length - self.length)

    @property
    def bounds(self) -> Interval:
        """Those of the shorter word, scaled."""
        return type_bounds(Text(self.length)).scale(self.factor)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return values[0] * self.factor

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"pad({operands[0]}, {self.longer})"


@dataclass(frozen=True, slots=True)
class Letters(Function):
    """An INTEGER that is a word of text: its bytes, of which none is 0."""

    word: Text

    @property
    def type(self) -> SqlType:
        """The word's."""
        return self.word

    @property
    def takes(self) -> SqlType | None:
        """BIGINT."""
        return Integer(64)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return values[0]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"letters({operands[0]})"


@dataclass(frozen=True, slots=True)
class Spell(Function):
    """The words of a text as its bits."""

    text: Text

    @property
    def type(self) -> SqlType:
        """The same text, spelled."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of known operands: all bytes as one number."""
        total = 0
        for value, word in zip(values, self.text.words, strict=True):
            total = total << 8 * word.length | value
        return total

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"spell({joined(operands)})"
