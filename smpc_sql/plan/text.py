"""Functions of text: what a TextCall computes, in public terms. Operands are words of texts, each a scaled integer.

A long text is several words (`schema.Text`); it is NULL where its first word is, which alone says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smpc_sql.schema import WORD_BYTES, Boolean, Integer, Interval, SqlType, Text, type_bounds


class _Function:
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


@dataclass(frozen=True, slots=True)
class Equals(_Function):
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
        return f"({_joined(operands[: self.words])} = {_joined(operands[self.words :])})"


@dataclass(frozen=True, slots=True)
class Precedes(_Function):
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
        return f"({_joined(operands[: self.words])} < {_joined(operands[self.words :])})"


@dataclass(frozen=True, slots=True)
class Pad(_Function):
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
class Letters(_Function):
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
class Spell(_Function):
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
        return f"spell({_joined(operands)})"


ANY = -1
"""`_` in a segment of a pattern: any one character."""


@dataclass(frozen=True, slots=True)
class Like(_Function):
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
        return int(self.matches(_bytes(values[0], self.text.length)))

    def matches(self, data: bytes) -> bool:
        """Whether a text's bytes match."""
        if self.fold:
            data = data.lower()
        parts = (b"".join(b"." if c == ANY else re.escape(bytes([c])) for c in segment) for segment in self.segments)
        return re.fullmatch(b".*".join(parts), data, re.DOTALL) is not None

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        texts = ("".join("_" if c == ANY else _shown(c) for c in segment) for segment in self.segments)
        return f"({operands[0]} {'ILIKE' if self.fold else 'LIKE'} '{'%'.join(texts)}')"


@dataclass(frozen=True, slots=True)
class _OfText(_Function):
    """A function of one spelled text, which gives another."""

    text: Text

    @property
    def takes(self) -> Text | None:
        """The spelled text."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        assert isinstance(self.type, Text)
        return _number(self.edit(_bytes(values[0], self.text.length)), self.type.length)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Slice(_OfText):
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
class Clip(_OfText):
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
class Tail(_OfText):
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
class ChangeCase(_OfText):
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
class Trim(_OfText):
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
        known = "" if self.character == ord(" ") else f", '{_shown(self.character)}'"
        return f"{'l' * (not self.right)}{'r' * (not self.left)}trim({operands[0]}{known})"


@dataclass(frozen=True, slots=True)
class Numeral(_OfText):
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
class Affix(_OfText):
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
        shown = ["'" + "".join(map(_shown, part)) + "'" for part in (self.before, self.after)]
        return f"({shown[0]} || {operands[0]} || {shown[1]})"


@dataclass(frozen=True, slots=True)
class Join(_Function):
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
        left, right = _bytes(values[0], self.left.length), _bytes(values[1], self.right.length)
        return _number(left + right, self.left.length + self.right.length)

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"({operands[0]} || {operands[1]})"


@dataclass(frozen=True, slots=True)
class Length(_Function):
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
        return len(_bytes(values[0], self.text.length))

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"length({operands[0]})"


@dataclass(frozen=True, slots=True)
class WordOf(_Function):
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
        data = _bytes(values[0], self.text.length).ljust(self.text.length, b"\0")
        return int.from_bytes(data[self.start : self.start + self.size], "big")

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"word {self.number + 1} of {operands[0]}"


TextFunction = (
    Equals
    | Precedes
    | Pad
    | Letters
    | Spell
    | Like
    | Slice
    | Clip
    | Tail
    | ChangeCase
    | Trim
    | Numeral
    | Affix
    | Join
    | Length
    | WordOf
)
"""Everything that a TextCall computes."""


def spelled(text: Text) -> Text:
    """The type of a text whose bits are shared."""
    return replace(text, spelled=True)


def _bytes(value: int, length: int) -> bytes:
    """The text that a number of `length` bytes stands for."""
    return value.to_bytes(length, "big").rstrip(b"\0")


def _number(data: bytes, length: int) -> int:
    """The reverse."""
    return int.from_bytes(data.ljust(length, b"\0"), "big")


def _shown(c: int) -> str:
    """A byte in a pattern; what could be mistaken for something else by its number."""
    return chr(c) if 32 <= c < 127 and chr(c) not in "%_'\\" else f"\\x{c:02x}"


def _joined(words: Sequence[str]) -> str:
    return " ".join(words)
