"""The bits that keys are sorted by, against the values themselves."""

from __future__ import annotations

import numpy as np
import pytest

from smpc_sql.operators.keys import KeyColumn, is_ascii, key_parts
from smpc_sql.operators.whole import Column
from smpc_sql.ring import Array
from smpc_sql.schema import WORD, Integer, Interval, Text, text_words, type_bounds
from smpc_sql.session import Session
from smpc_sql.sharing import combine_bits, split_words
from tests.protocol.on_shares import run

TEXTS = ("", "a", "aa", "ab", "b", "~~~~~~~", "\x01", "a\x7fc", "abcdefg", "z ")


def part_of(words: Array, bounds: Interval, *, ascii: bool, descending: bool = False) -> tuple[Array, int]:
    """The bits of a key of one column, and their number."""

    def program(session: Session, mine: Array) -> tuple[Array, int]:
        column = KeyColumn(Column(mine, None, boolean=False), bounds, descending, ascii=ascii)
        (part,) = key_parts(session, [], [column])
        return part.bits & part.bits.dtype.type((1 << part.width) - 1), part.width

    found = run(2, program, split_words(words, 2))
    return combine_bits([bits for bits, _ in found]), found[0][1]


@pytest.mark.parametrize(("length", "bits"), [(7, 49), (3, 21), (1, 7)])
@pytest.mark.parametrize("descending", [False, True])
def test_characters_have_seven_bits(length: int, bits: int, descending: bool) -> None:
    texts = [text for text in TEXTS if len(text) <= length]
    words = np.array([text_words(text, length) for text in texts], dtype=np.uint64)[:, 0]
    found, width = part_of(words, type_bounds(Text(length)), ascii=True, descending=descending)
    assert width == bits
    assert int(found.max()) < 1 << bits
    order = sorted(range(len(texts)), key=lambda i: texts[i], reverse=descending)
    assert list(np.argsort(found, kind="stable")) == order


def test_narrow_bounds_of_characters() -> None:
    """From 'b' to 'd' as bounds of a text of two characters: all bits of what may stand there remain."""
    low, high = (text_words(text, 2) for text in ("b", "d"))
    assert low and high
    words = np.array([text_words(text, 2) for text in ("b", "b~", "c", "c0", "d")], dtype=np.uint64)[:, 0]
    found, width = part_of(words, Interval(low[0], high[0]), ascii=True)
    assert width == 14
    assert list(np.argsort(found)) == [0, 1, 2, 3, 4]


def test_what_is_ascii() -> None:
    assert is_ascii(Text(7), type_bounds(Text(7)))
    assert not is_ascii(Text(7, ascii=False), type_bounds(Text(7)))
    assert not is_ascii(Text(7), WORD)
    assert not is_ascii(Integer(64), Interval(0, 5))
