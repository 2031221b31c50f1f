"""Secret texts cut, joined and changed, against Python's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from smpc_sql.protocol import editing, spelling
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import combine_bits, combine_words
from tests.protocol.on_shares import run, share_xor
from tests.protocol.test_spelling import planes_of_texts

LENGTH = 11


def some_texts(seed: int = 1) -> list[bytes]:
    rng = random.Random(seed)
    ends = [b"", b" ", b" " * LENGTH, b"a" * LENGTH, b" a b ", b"@AZ[`az{", bytes(range(1, 12))]
    return ends + [bytes(rng.choices(b"  abYZ1", k=rng.randint(0, LENGTH))) for _ in range(25)]


def edited(
    program: Callable[..., Array], *texts: Sequence[bytes], lengths: Sequence[int] = (LENGTH,), parties: int = 2
) -> list[bytes]:
    """The texts that a function gives."""
    shares = [share_xor(planes_of_texts(list(t), n, 7), parties) for t, n in zip(texts, lengths, strict=True)]
    found = run(parties, program, *shares)
    planes = combine_bits([each.reshape(-1) for each in found]).reshape(found[0].shape)
    wide = spelling.widened(planes, 8)
    return [bytes(column).rstrip(b"\0") for column in spelling.bytes_of_planes(wide).T]


@pytest.mark.parametrize("parties", [2, 3])
def test_lengths(parties: int) -> None:
    texts = some_texts()
    found = run(parties, editing.lengths, share_xor(planes_of_texts(texts, LENGTH, 7), parties))
    assert combine_words(found).tolist() == [len(text) for text in texts]


@pytest.mark.parametrize("upper", [False, True])
def test_case_of_every_character(upper: bool) -> None:
    texts = [bytes([code]) for code in range(1, 128)] + [b""]
    found = edited(lambda s, x: editing.changed_case(s, x, upper), texts, lengths=(1,))
    assert found == [text.upper() if upper else text.lower() for text in texts]


@pytest.mark.parametrize("parties", [2, 4])
@pytest.mark.parametrize("length", [1, 4, LENGTH])
def test_joined(length: int, parties: int) -> None:
    left, right = some_texts(2), [text[:length] for text in some_texts(3)]
    found = edited(editing.joined, left, right, lengths=(LENGTH, length), parties=parties)
    assert found == [a + b for a, b in zip(left, right, strict=True)]
    assert edited(editing.joined, right, left, lengths=(length, LENGTH)) == [
        b + a for a, b in zip(left, right, strict=True)
    ]


@pytest.mark.parametrize(("before", "after"), [(b"", b"!"), (b"<", b""), (b"<<", b" and more>"), (b"\x7f", b"a")])
def test_affixed(before: bytes, after: bytes) -> None:
    texts = some_texts(4)
    assert edited(lambda s, x: editing.affixed(s, x, before, after), texts) == [before + t + after for t in texts]


@pytest.mark.parametrize("size", [1, 2, 5, LENGTH])
def test_tail(size: int) -> None:
    texts = some_texts(5)
    assert edited(lambda s, x: editing.tail(s, x, size), texts) == [text[-size:] for text in texts]


@pytest.mark.parametrize(("size", "offset"), [(4, 0), (4, 3), (LENGTH, 0), (5, -2), (3, -7), (2, LENGTH), (7, 4)])
def test_clipped(size: int, offset: int) -> None:
    texts = some_texts(6)
    wanted = [bytes(c for i, c in enumerate(t[:size]) if i + offset < 0 or i + offset < len(t)) for t in texts]
    assert edited(lambda s, x: editing.clipped(s, x, size, offset), texts) == wanted


@pytest.mark.parametrize(("left", "right"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("parties", [2, 3])
def test_trimmed(left: bool, right: bool, parties: int) -> None:
    texts = some_texts(7)
    found = edited(lambda s, x: editing.trimmed(s, x, left, right), texts, parties=parties)
    wanted = [text.lstrip(b" ") if left else text for text in texts]
    assert found == [text.rstrip(b" ") if right else text for text in wanted]


def test_no_rows() -> None:
    def program(session: Session, x: Array) -> Array:
        return editing.joined(session, editing.trimmed(session, x, True, True), editing.tail(session, x, 2))

    found = run(2, program, [np.zeros((LENGTH, 7, 0), dtype=np.uint8)] * 2)
    assert found[0].shape == (LENGTH + 2, 7, 0)


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize(("size", "kept"), [(1, 1), (4, 1), (6, 3), (6, 6), (9, 1)])
@pytest.mark.parametrize("signed", [False, True])
def test_numerals(signed: bool, size: int, kept: int, parties: int) -> None:
    digits = [str(value).rjust(size, "0") for value in (0, 1, 9, 10**size - 1, *(10**i for i in range(size)))]
    signs = ("+", "-") if signed else ("",)
    texts = [(sign + each).encode() for sign in signs for each in digits]
    texts += texts[:1] * (-len(texts) % 8)
    program = lambda s, x: editing.numeral(s, x, signed, kept)  # noqa: E731
    found = edited(program, texts, lengths=(size + signed,), parties=parties)
    body = [text[-size:] for text in texts]
    wanted = [each[:-kept].lstrip(b"0") + each[-kept:] for each in body]
    assert found == [text[:1].strip(b"+0123456789") + each for text, each in zip(texts, wanted, strict=True)]
