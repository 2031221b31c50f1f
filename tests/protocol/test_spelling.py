"""Texts as planes of bits, and back, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import spelling
from smpc_sql.ring import Array, pack, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import combine_bits, combine_words
from tests.protocol.on_shares import FEW, SEEDS, run, share_words, share_xor

SIZES = st.sampled_from([(1,), (3,), (7,), (7, 1), (7, 5), (7, 7, 2)])


def planes_of_texts(texts: list[bytes], length: int, width: int) -> Array:
    """The planes of plain texts."""
    data = np.frombuffer(b"".join(t.ljust(length, b"\0") for t in texts), np.uint8).reshape(len(texts), length)
    return np.stack([np.stack([pack((data[:, i] >> b) & 1) for b in range(width)]) for i in range(length)])


def random_words(sizes: tuple[int, ...], rows: int, width: int, seed: int) -> tuple[Array, list[bytes]]:
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 1 << width, (rows, sum(sizes)), dtype=np.uint64).astype(np.uint8)
    starts = np.cumsum([0, *sizes])
    texts = [bytes(row) for row in data]
    words = [[int.from_bytes(t[a : a + n], "big") for t in texts] for a, n in zip(starts, sizes, strict=False)]
    return np.array(words, dtype=np.uint64).reshape(len(sizes), rows), texts


@pytest.mark.parametrize("rows", [0, 8, 64])
def test_packed_bits_and_bytes_are_each_others_transpose(rows: int) -> None:
    data = np.random.default_rng(1).integers(0, 256, (3, rows), dtype=np.int64).astype(np.uint8)
    planes = spelling.planes_of(data)
    assert planes.shape == (3, 8, rows // 8)
    for bit in range(8):
        np.testing.assert_array_equal(unpack(planes[:, bit]), (data >> bit) & 1)
    np.testing.assert_array_equal(spelling.bytes_of_planes(planes), data)


@FEW
@given(st.integers(2, 4), SIZES, st.sampled_from([8, 40]), st.sampled_from([7, 8]), SEEDS)
def test_spell(parties: int, sizes: tuple[int, ...], rows: int, width: int, seed: int) -> None:
    words, texts = random_words(sizes, rows, width, seed)

    def program(session: Session, x: Array) -> Array:
        return spelling.spell(session, x.words, sizes, width)  # type: ignore[attr-defined, no-any-return]

    found = combine_bits([p.reshape(-1) for p in run(parties, program, share_words(words, parties))])
    expected = planes_of_texts(texts, sum(sizes), width)
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)


@FEW
@given(st.integers(2, 4), SIZES, st.sampled_from([8, 40]), st.sampled_from([7, 8]), SEEDS)
def test_join_words(parties: int, sizes: tuple[int, ...], rows: int, width: int, seed: int) -> None:
    words, texts = random_words(sizes, rows, width, seed)
    planes = share_xor(planes_of_texts(texts, sum(sizes), width), parties)

    def program(session: Session, x: Array) -> Array:
        return np.stack(spelling.join_words(session, x, sizes))

    np.testing.assert_array_equal(combine_words(run(parties, program, planes)), words)
