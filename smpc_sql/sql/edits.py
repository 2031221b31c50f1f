"""Texts cut and put together, whatever they are: constants and dictionaries in public, VARCHARs under MPC."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import Expression, Literal, Lookup, Not, TextCall
from smpc_sql.plan.text import Affix, Clip, Join, Slice, Tail, TextFunction
from smpc_sql.schema import LONGEST_TEXT, Enum, Text
from smpc_sql.sql.literals import NULL, is_null, text_literal, text_of
from smpc_sql.sql.operations import choose, is_null_of
from smpc_sql.sql.text import fitted, spell, text_type, unspelled


def mapped(x: Expression, labels: Enum, edit: Callable[[str], str]) -> Expression:
    """An ENUM or a constant, through its dictionary."""
    if isinstance(x, Literal):
        return text_literal(edit(labels.labels[x.value or 0]))
    edited = [edit(label) for label in labels.labels[x.bounds.low : x.bounds.high + 1]]
    after = Enum(tuple(sorted(set(edited))))
    return Lookup(x, tuple(after.labels.index(label) for label in edited), after)


def require_ascii(name: str, type_: Text) -> None:
    """For functions that count or change characters. Raises Unsupported."""
    if not type_.ascii:
        raise Unsupported(f"{name} of {type_} is not supported, since its characters may be of several bytes")


def cut(text: str, start: int, length: int | None) -> str:
    """SUBSTRING as DuckDB has it: 1 is the first place, -1 the last, 0 before the first; a length < 0 goes back."""
    low = start - 1 if start > 0 else len(text) + start if start < 0 else -1
    if length is None:
        return text[max(low, 0) :]
    low, high = (low, low + length) if length >= 0 else (low + length, low)
    return text[max(low, 0) : max(high, 0)]


def substring(x: Expression, type_: Text, start: int, length: int | None) -> Expression:
    """The same of secret text: places counted from its start are known; from its end they depend on its length."""
    size = type_.length
    if start >= 0:
        first = start - 1
        low, high = (first, size) if length is None else (first, first + length)
        return sliced(x, type_, min(low, high), min(max(low, high), size))
    if length is None:
        return tail(x, type_, -start)
    if length < 0:
        start, length = start + length, -length
    if length == 0:
        return empty(x)
    spelled = TextCall(Tail(type_, min(-start, size)), (spell(x),))
    kept = spelled.function.type
    assert isinstance(kept, Text)
    plain = Text(kept.length, kept.ascii)
    return unspelled(TextCall(Clip(plain, min(length, plain.length), -start - length), (spelled,)))


def sliced(x: Expression, type_: Text, low: int, high: int) -> Expression:
    """The places from `low`, counted from 0, to `high`."""
    low = max(low, 0)
    if high <= low:
        return empty(x)
    return call(x, Slice(type_, low, high - low))


def tail(x: Expression, type_: Text, count: int) -> Expression:
    """The last characters."""
    if count == 0:
        return empty(x)
    return x if count >= type_.length else call(x, Tail(type_, count))


def empty(x: Expression) -> Expression:
    """An empty text where x is not NULL."""
    return choose([Not(is_null_of(x))], [text_literal(""), NULL])


def call(x: Expression, function: TextFunction) -> Expression:
    """A function of a secret text that gives another."""
    return unspelled(TextCall(function, (spell(x),)))


def concatenated(name: str, items: Sequence[Expression]) -> Expression:
    """Texts behind one another; NULL if any is. Raises Unsupported."""
    if any(is_null(item) for item in items):
        return NULL
    merged: list[Expression] = []
    for item in items:
        before = text_of(merged[-1]) if merged else None
        after = text_of(item)
        if before is not None and after is not None:
            merged[-1] = text_literal(before + after)
        else:
            merged.append(item)
    found = merged[0]
    for item in merged[1:]:
        found = _pair(name, found, item)
    return found


def _pair(name: str, left: Expression, right: Expression) -> Expression:
    a, b = text_of(left), text_of(right)
    if a is not None and b is not None:
        return text_literal(a + b)
    if a is not None and isinstance(right.type, Enum):
        return mapped(right, right.type, lambda text: a + text)
    if b is not None and isinstance(left.type, Enum):
        return mapped(left, left.type, lambda text: text + b)
    sizes = [text_type(x.type).length for x in (left, right) if isinstance(x.type, Text | Enum)]
    if sum(sizes) > LONGEST_TEXT:
        raise Unsupported(f"{name} to a text of more than {LONGEST_TEXT} bytes is not supported")
    if a is not None:
        return _affixed(right, a, "")
    if b is not None:
        return _affixed(left, "", b)
    (x, s), (y, t) = map(_as_text, (left, right))
    return unspelled(TextCall(Join(s, t), (spell(x), spell(y))))


def _affixed(x: Expression, before: str, after: str) -> Expression:
    x, type_ = _as_text(x)
    return call(x, Affix(type_, before.encode(), after.encode())) if before or after else x


def _as_text(x: Expression) -> tuple[Expression, Text]:
    assert isinstance(x.type, Text | Enum)
    type_ = text_type(x.type)
    return fitted(x, type_), type_
