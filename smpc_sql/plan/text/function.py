"""What every function of text knows of itself, and texts as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smpc_sql.schema import Boolean, Interval, SqlType, Text, type_bounds


class Function:
    """What every function of text knows; here of a test of words.

    type, bounds: of what it gives. leading: the operands that decide whether that is NULL. takes: the type of its
    operands, or None for words of any length. compute: what it gives for known operands. show: the call as text.
    """

    __slots__ = ()

    @property
    def type(self) -> SqlType:
        """BOOLEAN."""
        return Boolean()

    @property
    def bounds(self) -> Interval:
        """Those of the type; of a spelled text its bytes as one number."""
        type_ = self.type
        return Interval(0, (1 << 8 * type_.length) - 1) if isinstance(type_, Text) else type_bounds(type_)

    @property
    def leading(self) -> tuple[int, ...]:
        """The first operand."""
        return (0,)

    @property
    def takes(self) -> SqlType | None:
        """Words."""
        return None


def spelled(text: Text) -> Text:
    """The type of a text whose bits are shared."""
    return replace(text, spelled=True)


def bytes_of(value: int, length: int) -> bytes:
    """The text that a number of `length` bytes stands for."""
    return value.to_bytes(length, "big").rstrip(b"\0")


def number_of(data: bytes, length: int) -> int:
    """The reverse."""
    return int.from_bytes(data.ljust(length, b"\0"), "big")


def shown(c: int) -> str:
    """A byte in a pattern; what could be mistaken for something else by its number."""
    return chr(c) if 32 <= c < 127 and chr(c) not in "%_'\\" else f"\\x{c:02x}"


def joined(words: Sequence[str]) -> str:
    """The words of one text."""
    return " ".join(words)
