"""Functions of secret texts with constants, as what is computed on their spelled form.

What these refuse they say without the function's name, which the caller puts in front.
"""

from __future__ import annotations

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Expression, Literal, Multiply, Not, TextCall
from smpc_sql.plan.text import (
    Affix,
    Backwards,
    Exchange,
    FirstCode,
    Join,
    Length,
    PadLeft,
    Part,
    Position,
    Replace,
    Slice,
)
from smpc_sql.schema import LONGEST_TEXT, Integer, Text
from smpc_sql.sql.edits import call, concatenated, empty, sliced, substring
from smpc_sql.sql.literals import integer, text_literal
from smpc_sql.sql.operations import choose, compare, is_null_of
from smpc_sql.sql.text import spell, unspelled

_FEW = 4
"""Characters that become the same, up to which each is looked for by itself."""


def position(x: Expression, needle: str) -> Expression:
    """POSITION of a constant in a text."""
    type_ = _counted(x)
    if not needle:
        return _where_known(x, 1)
    if not _may_occur(needle, type_):
        return _where_known(x, 0)
    return TextCall(Position(type_, needle.encode()), (spell(x),))


def split_part(x: Expression, separator: str, number: int) -> Expression:
    """SPLIT_PART with a constant separator and number."""
    type_ = _type(x)
    if number == 0:
        return empty(x)
    if not separator:
        return substring(x, _counted(x), number, 1)
    if not _may_occur(separator, type_):
        return x if abs(number) == 1 else empty(x)
    if abs(number) > type_.length // len(separator.encode()) + 1:
        return empty(x)
    return call(x, Part(type_, separator.encode(), number))


def replace(x: Expression, old: str, new: str) -> Expression:
    """REPLACE of a constant by another."""
    type_ = _type(x)
    if not old or old == new or not _may_occur(old, type_):
        return x
    before, after = old.encode(), new.encode()
    if b"\0" in after:
        raise Unsupported("by a NUL character is not supported")
    _held(type_.length + max(0, len(after) - len(before)) * (type_.length // len(before)))
    return call(x, Replace(type_, before, after))


def translate(x: Expression, old: str, new: str) -> Expression:
    """TRANSLATE of constant characters."""
    type_ = _type(x)
    if not type_.ascii and not old.isascii():
        raise Unsupported(f"of {type_} is supported for characters of ASCII only")
    table: dict[int, int | None] = {}
    for place, c in enumerate(old):
        if c.isascii() and c != "\0":
            table.setdefault(ord(c), ord(new[place]) if place < len(new) else None)
    if not all(code is None or 0 < code < 128 for code in table.values()):
        raise Unsupported("of secret text to characters beyond ASCII is not supported")
    return exchanged(x, table)


def exchanged(x: Expression, table: dict[int, int | None]) -> Expression:
    """Characters of ASCII as others, or without them."""
    targets: dict[int | None, list[int]] = {}
    for code, new in sorted(table.items()):
        if code != new:
            targets.setdefault(new, []).append(code)
    changes: list[tuple[tuple[int, ...], int | None]] = []
    for target, codes in targets.items():
        groups = [tuple(codes)] if len(codes) > _FEW else [(code,) for code in codes]
        changes += [(group, target) for group in groups]
    return call(x, Exchange(_type(x), tuple(changes))) if changes else x


def repeat(x: Expression, times: int) -> Expression:
    """REPEAT a constant number of times: twice as many with each step, and one more."""
    if times <= 0:
        return empty(x)
    _held(_type(x).length * times)
    found = x
    for bit in bin(times)[3:]:
        found = _behind(found, found)
        if bit == "1":
            found = _behind(found, x)
    return found


def _behind(x: Expression, y: Expression) -> Expression:
    return unspelled(TextCall(Join(_type(x), _type(y)), (spell(x), spell(y))))


def reverse(x: Expression) -> Expression:
    """REVERSE."""
    return call(x, Backwards(_counted(x)))


def overlay(x: Expression, new: str, start: int, length: int | None = None) -> Expression:
    """OVERLAY at constant places."""
    if length is not None and length < 0:
        raise Unsupported("of a length below 0 is not supported")
    type_ = _counted(x)
    behind = max(start + (len(new) if length is None else length) - 1, 0)
    ends = [sliced(x, type_, 0, min(max(start - 1, 0), type_.length)), sliced(x, type_, behind, type_.length)]
    return concatenated("OVERLAY", [ends[0], text_literal(new), ends[1]])


def pad_left(x: Expression, width: int, fill: str) -> Expression:
    """LPAD to a constant width."""
    type_, known = _padding(x, width, fill)
    return call(x, PadLeft(type_, width, known)) if width > 0 else empty(x)


def pad_right(x: Expression, width: int, fill: str) -> Expression:
    """RPAD to a constant width: a text as long as that put behind it, and cut."""
    type_, known = _padding(x, width, fill)
    if width <= 0:
        return empty(x)
    size = min(width, type_.length)
    _held(size + width)
    head = TextCall(Slice(type_, 0, size), (spell(x),))
    longer = TextCall(Affix(Text(size), b"", (known * width)[:width]), (head,))
    return unspelled(TextCall(Slice(Text(size + width), 0, width), (longer,)))


def ascii_code(x: Expression) -> Expression:
    """ASCII: the first character's code, 0 of an empty text."""
    return TextCall(FirstCode(_counted(x)), (spell(x),))


def unicode_code(x: Expression) -> Expression:
    """UNICODE, ORD: the same, -1 of an empty text."""
    code = ascii_code(x)
    return choose([compare("=", code, integer(0))], [Literal(-1, Integer(64)), code])


def bit_length(x: Expression) -> Expression:
    """BIT_LENGTH: eight times the bytes."""
    return Multiply(TextCall(Length(_type(x)), (spell(x),)), integer(8), Integer(64))


def _type(x: Expression) -> Text:
    assert isinstance(x.type, Text)
    return Text(x.type.length, x.type.ascii)


def _counted(x: Expression) -> Text:
    """The type of a text in which characters are counted."""
    type_ = _type(x)
    if not type_.ascii:
        raise Unsupported(f"of {type_} is not supported, since its characters may be of several bytes")
    return type_


def _may_occur(needle: str, type_: Text) -> bool:
    data = needle.encode()
    return b"\0" not in data and len(data) <= type_.length and (data.isascii() or not type_.ascii)


def _held(size: int) -> None:
    if size > LONGEST_TEXT:
        raise Unsupported(f"to a text of more than {LONGEST_TEXT} bytes is not supported")


def _where_known(x: Expression, value: int) -> Expression:
    """A number; NULL where the text is."""
    return choose([Not(is_null_of(x))], [Literal(value, Integer(64)), Literal(None, Integer(64))])


def _padding(x: Expression, width: int, fill: str) -> tuple[Text, bytes]:
    type_ = _counted(x)
    if not fill:
        raise TypeMismatch("padding needs something to pad with")
    if not fill.isascii() or "\0" in fill:
        raise Unsupported("of secret text with characters beyond ASCII is not supported")
    _held(width)
    return type_, fill.encode()
