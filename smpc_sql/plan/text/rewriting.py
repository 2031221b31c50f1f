"""Spelled texts searched, split at separators and rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smpc_sql.plan.text.edits import OfText
from smpc_sql.plan.text.function import Function, bytes_of, shown, spelled
from smpc_sql.schema import Integer, Interval, SqlType, Text


def _quoted(data: bytes) -> str:
    return f"'{''.join(map(shown, data))}'"


@dataclass(frozen=True, slots=True)
class Position(Function):
    """Where a constant is first found in a spelled text, counted from 1; 0 if nowhere."""

    text: Text
    needle: bytes

    @property
    def type(self) -> SqlType:
        """BIGINT."""
        return Integer(64)

    @property
    def bounds(self) -> Interval:
        """The last place where there is room for it."""
        return Interval(0, self.text.length - len(self.needle) + 1)

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return bytes_of(values[0], self.text.length).find(self.needle) + 1

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"position({_quoted(self.needle)} in {operands[0]})"


@dataclass(frozen=True, slots=True)
class FirstCode(Function):
    """The code of a spelled text's first character, of ASCII; 0 if there is none."""

    text: Text

    @property
    def type(self) -> SqlType:
        """BIGINT."""
        return Integer(64)

    @property
    def bounds(self) -> Interval:
        """Those of ASCII."""
        return Interval(0, 127)

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return values[0] >> 8 * (self.text.length - 1)

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"ascii({operands[0]})"


@dataclass(frozen=True, slots=True)
class Part(OfText):
    """What stands between two separators, by number: from 1, or from the end from -1."""

    separator: bytes
    number: int

    @property
    def type(self) -> SqlType:
        """Shorter by the separators that it needs."""
        needed = (abs(self.number) - 1) * len(self.separator)
        return spelled(Text(max(1, self.text.length - needed), self.text.ascii))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        parts = data.split(self.separator)
        place = self.number - 1 if self.number > 0 else len(parts) + self.number
        return parts[place] if 0 <= place < len(parts) else b""

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"part {self.number} of {operands[0]} at {_quoted(self.separator)}"


@dataclass(frozen=True, slots=True)
class Replace(OfText):
    """Every occurrence of a constant as another."""

    old: bytes
    new: bytes

    @property
    def type(self) -> SqlType:
        """As long as it may become."""
        longer = max(0, len(self.new) - len(self.old)) * (self.text.length // len(self.old))
        return spelled(Text(self.text.length + longer, self.text.ascii and self.new.isascii()))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return data.replace(self.old, self.new)

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"replace({operands[0]}, {_quoted(self.old)}, {_quoted(self.new)})"


@dataclass(frozen=True, slots=True)
class Exchange(OfText):
    """Characters of ASCII as others, or without them: (codes, another's code or None), each code once."""

    changes: tuple[tuple[tuple[int, ...], int | None], ...]

    @property
    def type(self) -> SqlType:
        """The same."""
        return spelled(self.text)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        table = {code: new for codes, new in self.changes for code in codes}
        return bytes(c for code in data if (c := table.get(code, code)) is not None)

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        changes = (f"{_quoted(bytes(codes))} to {_quoted(bytes([new] if new else []))}" for codes, new in self.changes)
        return f"exchange({', '.join((operands[0], *changes))})"


@dataclass(frozen=True, slots=True)
class Backwards(OfText):
    """From the last character to the first."""

    @property
    def type(self) -> SqlType:
        """The same."""
        return spelled(self.text)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return data[::-1]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"reverse({operands[0]})"


@dataclass(frozen=True, slots=True)
class PadLeft(OfText):
    """The first `width` characters, behind as much of a constant as there is room."""

    width: int
    fill: bytes

    @property
    def type(self) -> SqlType:
        """Of that width."""
        return spelled(Text(self.width, self.text.ascii))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return (self.fill * self.width)[: max(0, self.width - len(data))] + data[: self.width]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"lpad({operands[0]}, {self.width}, {_quoted(self.fill)})"
