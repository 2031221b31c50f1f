"""Texts made of digits at fixed places, and of few possible values: what CAST to text and STRFTIME write with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from smpc_sql.plan.expressions import Add, Expression, Literal, Lookup, Multiply, TextCall, Within
from smpc_sql.plan.text import Letters
from smpc_sql.schema import WORD_BYTES, Enum, Integer, Interval, Text
from smpc_sql.sql.rounding import floor_divide, remainder
from smpc_sql.sql.text import joined

_WORD = Integer(64)

Layout = Sequence["str | Expression"]
"""What stands at each place: a character of ASCII, or a digit as an INTEGER of 0 to 9."""


def of_few(x: Expression, show: Callable[[int], str]) -> Expression:
    """What is shown of each value, from a public dictionary."""
    shown = [show(value) for value in range(x.bounds.low, x.bounds.high + 1)]
    labels = Enum(tuple(sorted(set(shown))))
    place = {label: code for code, label in enumerate(labels.labels)}
    return Lookup(x, tuple(place[text] for text in shown), labels)


def digits_of(x: Expression, count: int) -> Iterator[Expression]:
    """The `count` digits of an INTEGER that is not negative and has no more: each of what those before it leave."""
    for place in reversed(range(count)):
        yield Within(floor_divide(x, 10**place), Interval(0, 9))
        if place:
            x = remainder(x, 10**place)


def laid_out(layout: Layout) -> Expression:
    """The characters in words of text: a digit is added to the code of 0."""
    type_ = Text(len(layout))
    words = []
    for start, word in zip(range(0, len(layout), WORD_BYTES), type_.words, strict=True):
        total: Expression | None = None
        known = 0
        for place, each in enumerate(layout[start : start + word.length]):
            unit = 1 << 8 * (word.length - 1 - place)
            known += unit * ord(each if isinstance(each, str) else "0")
            if not isinstance(each, str):
                term = Multiply(each, Literal(unit, _WORD), _WORD)
                total = term if total is None else Add(total, term, _WORD)
        letters = Literal(known, _WORD) if total is None else Add(total, Literal(known, _WORD), _WORD)
        words.append(TextCall(Letters(word), (letters,)))
    return joined(words, type_)
