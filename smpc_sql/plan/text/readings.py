"""What is read off a spelled text: patterns, its length, its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smpc_sql.plan.text.automaton import Automaton
from smpc_sql.plan.text.function import Function, bytes_of, shown, spelled
from smpc_sql.schema import WORD_BYTES, Integer, Interval, SqlType, Text

ANY = -1
"""`_` in a segment of a pattern: any one character."""


@dataclass(frozen=True, slots=True)
class Like(Function):
    """A spelled text LIKE a pattern, cut at every % into segments of bytes and ANY. fold: ILIKE, of ASCII."""

    text: Text
    segments: tuple[tuple[int, ...], ...]
    fold: bool = False

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return int(self.matches(bytes_of(values[0], self.text.length)))

    def matches(self, data: bytes) -> bool:
        """Whether a text's bytes match."""
        if self.fold:
            data = data.lower()
        parts = (b"".join(b"." if c == ANY else re.escape(bytes([c])) for c in segment) for segment in self.segments)
        return re.fullmatch(b".*".join(parts), data, re.DOTALL) is not None

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        texts = ("".join("_" if c == ANY else shown(c) for c in segment) for segment in self.segments)
        return f"({operands[0]} {'ILIKE' if self.fold else 'LIKE'} '{'%'.join(texts)}')"


@dataclass(frozen=True, slots=True)
class Accepted(Function):
    """Whether an automaton of a regular expression, which is shown, accepts a spelled text."""

    text: Text
    automaton: Automaton
    pattern: str

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return int(self.automaton.accepts(bytes_of(values[0], self.text.length)))

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"({operands[0]} ~ {self.pattern!a})"


@dataclass(frozen=True, slots=True)
class Length(Function):
    """How many characters a spelled text of ASCII has, or bytes any text."""

    text: Text

    @property
    def type(self) -> SqlType:
        """BIGINT."""
        return Integer(64)

    @property
    def bounds(self) -> Interval:
        """At most the declared length."""
        return Interval(0, self.text.length)

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return len(bytes_of(values[0], self.text.length))

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"length({operands[0]})"


@dataclass(frozen=True, slots=True)
class WordOf(Function):
    """A word of a spelled text, by its number."""

    text: Text
    number: int

    @property
    def type(self) -> SqlType:
        """The word's."""
        return self.text.words[self.number]

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    @property
    def start(self) -> int:
        """The place of its first character."""
        return WORD_BYTES * self.number

    @property
    def size(self) -> int:
        """How many characters it has."""
        return self.text.words[self.number].length

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        data = bytes_of(values[0], self.text.length).ljust(self.text.length, b"\0")
        return int.from_bytes(data[self.start : self.start + self.size], "big")

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"word {self.number + 1} of {operands[0]}"
