"""Secret texts searched, split and rewritten, against Python's own."""

from __future__ import annotations

import random

import numpy as np
import pytest

from smpc_sql.protocol import rewriting
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import combine_bits, combine_words
from smpc_sql.sql import text_values
from tests.protocol.on_shares import run, share_xor
from tests.protocol.test_editing import edited
from tests.protocol.test_spelling import planes_of_texts

LENGTH = 13


def some_texts(seed: int = 1) -> list[bytes]:
    rng = random.Random(seed)
    ends = [b"", b" ", b"-" * LENGTH, b"aba" * 4, b"a-b-c--d-e", b"---a", bytes(range(1, 14)), b"aa-ab-ba-bb--"]
    return ends + [bytes(rng.choices(b"-- aab", k=rng.randint(0, LENGTH))) for _ in range(24)]


@pytest.mark.parametrize("needle", [b"a", b"-", b"--", b"aba", b"a-b", b"-" * LENGTH])
@pytest.mark.parametrize("parties", [2, 3])
def test_position(needle: bytes, parties: int) -> None:
    texts = some_texts(2)
    shares = share_xor(planes_of_texts(texts, LENGTH, 7), parties)
    found = run(parties, lambda s, x: rewriting.position(s, x, needle), shares)
    assert combine_words(found).tolist() == [text.find(needle) + 1 for text in texts]


def test_first_code() -> None:
    texts = some_texts(3)
    found = run(2, rewriting.first_code, share_xor(planes_of_texts(texts, LENGTH, 7), 2))
    assert combine_words(found).tolist() == [text[0] if text else 0 for text in texts]


@pytest.mark.parametrize("separator", [b"-", b"a", b"--", b"-a", b"aba", b"---"])
@pytest.mark.parametrize("number", [1, 2, 3, 5, 9, -1, -2, -4, -9])
def test_part(separator: bytes, number: int) -> None:
    texts = some_texts(4)
    wanted = [text_values.split_part(text.decode(), separator.decode(), number).encode() for text in texts]
    parties = 3 if number == 2 else 2
    assert edited(lambda s, x: rewriting.part(s, x, separator, number), texts, lengths=(LENGTH,), parties=parties) == (
        wanted
    )


CHANGES = [(b"a", b"x"), (b"a", b""), (b"a", b"xy"), (b"--", b"+"), (b"--", b""), (b"-a", b"A-"), (b"aba", b"ABAB")]
CHANGES += [(b"ab", b"<ab>!"), (b"aa", b"aaa"), (b"--a", b"b"), (b"-" * LENGTH, b"ends here already"), (b"-", b"   ")]


@pytest.mark.parametrize(("old", "new"), CHANGES)
@pytest.mark.parametrize("parties", [2, 3])
def test_replaced(old: bytes, new: bytes, parties: int) -> None:
    texts = some_texts(5)
    found = edited(lambda s, x: rewriting.replaced(s, x, old, new), texts, lengths=(LENGTH,), parties=parties)
    assert found == [text.replace(old, new) for text in texts]


@pytest.mark.parametrize(
    "changes",
    [
        [(b"a", ord("x")), (b"b", ord("a"))],
        [(b"a", None), (b"-", ord("+"))],
        [(b" -", None)],
        [(b"ab", ord("*")), (b"-", None)],
        [(bytes(range(1, 128)), ord("."))],
    ],
)
def test_exchanged(changes: list[tuple[bytes, int | None]]) -> None:
    texts = some_texts(6)
    table = {code: new for codes, new in changes for code in codes}
    wanted = [bytes(c for code in text if (c := table.get(code, code)) is not None) for text in texts]
    coded = [(tuple(codes), new) for codes, new in changes]
    assert edited(lambda s, x: rewriting.exchanged(s, x, coded), texts, lengths=(LENGTH,)) == wanted


def test_backwards() -> None:
    texts = some_texts(7)
    assert edited(rewriting.backwards, texts, lengths=(LENGTH,), parties=3) == [text[::-1] for text in texts]


@pytest.mark.parametrize(("width", "fill"), [(1, b"0"), (5, b"0"), (LENGTH, b"xyz"), (20, b"*"), (20, b"<=>")])
def test_padded_left(width: int, fill: bytes) -> None:
    texts = some_texts(8)
    wanted = [((fill * width)[: max(0, width - len(text))] + text)[:width] for text in texts]
    wanted = [text[:width] if len(text) > width else found for text, found in zip(texts, wanted, strict=True)]
    assert edited(lambda s, x: rewriting.padded_left(s, x, width, fill), texts, lengths=(LENGTH,)) == wanted


@pytest.mark.parametrize("most", [1, 6, 13])
def test_counted_and_compared(most: int) -> None:
    rng = np.random.default_rng(most)
    bits = (rng.random((most, 64)) < 0.7).astype(np.uint8)
    packed = np.stack([np.packbits(row, bitorder="little") for row in bits])
    totals = bits.cumsum(axis=0)

    def program(session: Session, x: Array) -> list[Array]:
        digits = rewriting.counted(session, x, most)
        return [digits, *(bit for k in (0, 1, 5, most, 40) for bit in rewriting.compared(session, digits, k))]

    found = [combine_bits(list(each)) for each in zip(*run(2, program, share_xor(packed, 2)), strict=True)]
    flat = packed.shape

    def plain(x: Array) -> Array:
        return np.stack([np.unpackbits(row, bitorder="little") for row in x.reshape(flat)])

    digits = found[0].reshape(-1, *flat)
    np.testing.assert_array_equal(sum(plain(d).astype(int) << i for i, d in enumerate(digits)), totals)
    for i, k in enumerate((0, 1, 5, most, 40)):
        np.testing.assert_array_equal(plain(found[1 + 2 * i]), totals < k)
        np.testing.assert_array_equal(plain(found[2 + 2 * i]), totals == k)
