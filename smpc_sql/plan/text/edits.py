"""Functions of spelled texts that give another: parts, case, ends, texts put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smpc_sql.plan.text.function import Function, bytes_of, number_of, shown, spelled
from smpc_sql.schema import SqlType, Text


@dataclass(frozen=True, slots=True)
class OfText(Function):
    """A function of one spelled text, which gives another."""

    text: Text

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        assert isinstance(self.type, Text)
        return number_of(self.edit(bytes_of(values[0], self.text.length)), self.type.length)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Slice(OfText):
    """The characters from place `start` on, counted from 0, at most `size` of them."""

    start: int
    size: int

    @property
    def type(self) -> SqlType:
        """As long as the slice."""
        return spelled(Text(self.size, self.text.ascii))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return data[self.start : self.start + self.size]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"{operands[0]}[{self.start}:{self.start + self.size}]"


@dataclass(frozen=True, slots=True)
class Clip(OfText):
    """The first `size` characters, of which number i stays if there is one at i + offset, or if that is below 0."""

    size: int
    offset: int

    @property
    def type(self) -> SqlType:
        """As long as what may stay."""
        return spelled(Text(self.size, self.text.ascii))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return data[: max(0, min(self.size, len(data) - self.offset))]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"clip({operands[0]}, {self.size}, {self.offset})"


@dataclass(frozen=True, slots=True)
class Tail(OfText):
    """The last `size` characters."""

    size: int

    @property
    def type(self) -> SqlType:
        """As long as the tail."""
        return spelled(Text(self.size, self.text.ascii))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return data[-self.size :]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"right({operands[0]}, {self.size})"


@dataclass(frozen=True, slots=True)
class ChangeCase(OfText):
    """LOWER or UPPER, of ASCII."""

    upper: bool

    @property
    def type(self) -> SqlType:
        """The same."""
        return spelled(self.text)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return data.upper() if self.upper else data.lower()

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"{'upper' if self.upper else 'lower'}({operands[0]})"


@dataclass(frozen=True, slots=True)
class Trim(OfText):
    """Without spaces at its ends, or another character of ASCII."""

    left: bool
    right: bool
    character: int = ord(" ")

    @property
    def type(self) -> SqlType:
        """The same."""
        return spelled(self.text)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        known = bytes([self.character])
        data = data.lstrip(known) if self.left else data
        return data.rstrip(known) if self.right else data

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        known = "" if self.character == ord(" ") else f", '{shown(self.character)}'"
        return f"{'l' * (not self.right)}{'r' * (not self.left)}trim({operands[0]}{known})"


@dataclass(frozen=True, slots=True)
class Numeral(OfText):
    """A number that fills its text, without the zeros in front of the last `kept` characters.

    signed: the first character is + or -, of which + goes too.
    """

    signed: bool
    kept: int

    @property
    def type(self) -> SqlType:
        """The same."""
        return spelled(self.text)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        sign, digits = (data[:1], data[1:]) if self.signed else (b"", data)
        return sign.strip(b"+") + digits[: -self.kept].lstrip(b"0") + digits[-self.kept :]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"numeral({operands[0]})"


@dataclass(frozen=True, slots=True)
class Affix(OfText):
    """Constants before and behind it."""

    before: bytes
    after: bytes

    @property
    def type(self) -> SqlType:
        """Longer by both."""
        known = self.before + self.after
        return spelled(Text(len(known) + self.text.length, self.text.ascii and known.isascii()))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return self.before + data + self.after

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        ends = ["'" + "".join(map(shown, part)) + "'" for part in (self.before, self.after)]
        return f"({ends[0]} || {operands[0]} || {ends[1]})"


@dataclass(frozen=True, slots=True)
class Join(Function):
    """left || right of two spelled texts."""

    left: Text
    right: Text

    @property
    def type(self) -> SqlType:
        """As long as both."""
        return spelled(Text(self.left.length + self.right.length, self.left.ascii and self.right.ascii))

    @property
    def leading(self) -> tuple[int, ...]:
        """Both operands."""
        return 0, 1

    def compute(self, values: Sequence[int]) -> int:
        """The value of known operands."""
        left, right = bytes_of(values[0], self.left.length), bytes_of(values[1], self.right.length)
        return number_of(left + right, self.left.length + self.right.length)

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"({operands[0]} || {operands[1]})"
