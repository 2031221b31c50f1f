"""Numbers, dates and moments in spelled texts: read into a sign and digits at fixed places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smpc_sql.moments import moment_digits
from smpc_sql.plan.text.edits import OfText
from smpc_sql.plan.text.function import Function, bytes_of, shown, spelled
from smpc_sql.schema import Integer, Interval, SqlType, Text

_NUMBER = re.compile(rb"[ \t-\r]*([+-]?)([0-9]*)(?:\.([0-9]*))?[ \t-\r]*")
_DATE = re.compile(rb"[ \t-\r]*([0-9]{4})([-/\\ ])([0-9]{1,2})\2([0-9]{1,2})[ \t-\r]*")
_BLANKS = b" \t\n\v\f\r"
_YMD = Text(9)
_MOMENT = Text(21)


@dataclass(frozen=True, slots=True)
class ReadNumber(OfText):
    """A number as its sign, `ones` digits before the point, `decimals` behind it, and one more to round by.

    Nothing for what is no number, or has more digits before its point (but for zeros).
    """

    ones: int
    decimals: int

    @property
    def type(self) -> SqlType:
        """As long as that."""
        return spelled(Text(self.ones + self.decimals + 2))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        found = _NUMBER.fullmatch(data)
        if found is None:
            return b""
        sign, whole, behind = found[1] or b"+", found[2], found[3] or b""
        if not whole + behind or len(whole.lstrip(b"0")) > self.ones:
            return b""
        places = self.decimals + 1
        return sign + whole.rjust(self.ones, b"0")[-self.ones :] + behind.ljust(places, b"0")[:places]

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"read_number({operands[0]}, {self.ones}, {self.decimals})"


@dataclass(frozen=True, slots=True)
class ReadDate(OfText):
    """A date as + and its digits YYYYMMDD; nothing for what does not have the form of one."""

    @property
    def type(self) -> SqlType:
        """As long as that."""
        return spelled(_YMD)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        found = _DATE.fullmatch(data)
        return b"" if found is None else b"+" + found[1] + found[3].rjust(2, b"0") + found[4].rjust(2, b"0")

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"read_date({operands[0]})"


@dataclass(frozen=True, slots=True)
class ReadTimestamp(OfText):
    """A moment as + and its digits YYYYMMDDhhmmssffffff; nothing for what does not have the form of one.

    loose: behind a date without a time may be blanks, as where a DATE is read.
    """

    loose: bool = False

    @property
    def type(self) -> SqlType:
        """As long as that."""
        return spelled(_MOMENT)

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        if self.loose and _DATE.fullmatch(data):
            data = data.strip(_BLANKS)
        found = moment_digits(data.decode("latin-1"))
        return b"" if found is None else b"+" + found[: _MOMENT.length - 1].encode()

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"read_timestamp({operands[0]}{', loose' if self.loose else ''})"


DIGIT, LONE = -1, -2
"""Places of a form: a digit; the first of two, or the only one."""


@dataclass(frozen=True, slots=True)
class ReadFields(OfText):
    """A text of a form as + and its digits; nothing for any other.

    form: codes of characters, of which a space stands for any blank, DIGITs, and LONEs with a DIGIT behind.
    """

    form: tuple[int, ...]

    @property
    def type(self) -> SqlType:
        """As long as that."""
        return spelled(Text(1 + sum(c < 0 for c in self.form)))

    def edit(self, data: bytes) -> bytes:
        """What becomes of a text's bytes."""
        return read_fields(data, self.form)

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        form = "".join("?" if c == LONE else "d" if c == DIGIT else shown(c) for c in self.form)
        return f"read_fields({operands[0]}, {form})"


def read_fields(data: bytes, form: Sequence[int]) -> bytes:
    """What ReadFields makes of known bytes."""
    pattern = ""
    sizes: list[int] = []
    places = iter(form)
    for c in places:
        if c >= 0:
            pattern += r"[ \t-\r]" if bytes([c]).isspace() else re.escape(chr(c))
            continue
        sizes.append(2 if c == LONE else 1)
        pattern += "([0-9])" if c == DIGIT else "([0-9]{2}|[0-9](?![0-9]))"
        if c == LONE:
            next(places)
    found = re.fullmatch(rf"[ \t-\r]*{pattern}[ \t-\r]*".encode("latin-1"), data)
    if found is None:
        return b""
    return b"+" + b"".join(each.rjust(size, b"0") for each, size in zip(found.groups(), sizes, strict=True))


@dataclass(frozen=True, slots=True)
class SignBit(Function):
    """Whether something was read, or whether that is negative: bits 0 and 2 of a sign."""

    text: Text
    negative: bool

    @property
    def takes(self) -> Text | None:
        """What was read."""
        return spelled(self.text)

    @property
    def bit(self) -> int:
        """The bit of the first character that says so."""
        return 2 if self.negative else 0

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        return bytes_of(values[0], self.text.length).ljust(1, b"\0")[0] >> self.bit & 1

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"{'is_negative' if self.negative else 'is_read'}({operands[0]})"


@dataclass(frozen=True, slots=True)
class Digits(Function):
    """The number of `size` digits from place `start` on, of what was read."""

    text: Text
    start: int
    size: int

    @property
    def type(self) -> SqlType:
        """BIGINT."""
        return Integer(64)

    @property
    def bounds(self) -> Interval:
        """As many digits."""
        return Interval(0, 10**self.size - 1)

    @property
    def takes(self) -> Text | None:
        """What was read."""
        return spelled(self.text)

    def compute(self, values: Sequence[int]) -> int:
        """The value of a known operand."""
        digits = bytes_of(values[0], self.text.length).ljust(self.text.length, b"0")
        return int(digits[self.start : self.start + self.size])

    def show(self, operands: Sequence[str]) -> str:
        """The call as text."""
        return f"digits({operands[0]}, {self.start}, {self.size})"
