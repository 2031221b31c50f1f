"""Words as shared bits against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import bits
from smpc_sql.ring import LANES, Array, dtype_of
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, combine_bits
from tests.protocol.on_shares import FEW, PARTIES, PATTERNS, SEEDS, run, share_words, share_xor, signed

LANE = st.sampled_from(LANES)
N = st.integers(2, 5)


def decompose(session: Session, x: AShare) -> Array:
    return bits.decompose(session, x.words)


@FEW
@given(N, LANE, st.sampled_from([(8,), (3, 5), (0,)]), PATTERNS, PATTERNS, SEEDS)
def test_conjunction_words(parties: int, lane: int, shape: tuple[int, ...], left: str, right: str, seed: int) -> None:
    low, high = -(1 << (lane - 1)), (1 << (lane - 1)) - 1
    x = signed(low, high, shape, left, seed).astype(dtype_of(lane))
    y = signed(low, high, shape, right, seed + 1).astype(dtype_of(lane))
    found = run(parties, bits.conjunction_words, share_xor(x, parties), share_xor(y, parties))
    np.testing.assert_array_equal(combine_bits(found), x & y)


@FEW
@given(N, LANE, st.sampled_from([0, 1, 7, 64]), PATTERNS, SEEDS)
def test_decompose(parties: int, lane: int, rows: int, pattern: str, seed: int) -> None:
    x = signed(-(1 << (lane - 1)), (1 << (lane - 1)) - 1, (rows,), pattern, seed)
    found = run(parties, decompose, share_words(x, parties, lane))
    np.testing.assert_array_equal(combine_bits(found), x.astype(np.uint64).astype(dtype_of(lane)))


@pytest.mark.parametrize("parties", PARTIES)
@pytest.mark.parametrize("lane", LANES)
def test_powers_of_two_and_their_neighbours(parties: int, lane: int) -> None:
    x = np.array([(1 << bit) + d for bit in range(lane) for d in (-1, 0, 1)], dtype=object) % (1 << lane)
    words = x.astype(np.uint64).astype(dtype_of(lane))
    found = run(parties, decompose, share_words(words, parties, lane))
    np.testing.assert_array_equal(combine_bits(found), words)


@FEW
@given(N, st.integers(1, 5), st.sampled_from([0, 1, 40]), st.integers(0, 63), SEEDS)
def test_words_are_zero(parties: int, count: int, rows: int, bit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = np.zeros((count, rows), dtype=np.uint64)
    words[rng.integers(0, count), ::3] = np.uint64(1) << np.uint64(bit)
    words[:, 1::5] = rng.integers(0, 1 << 64, words[:, 1::5].shape, dtype=np.uint64)
    found = run(parties, bits.words_are_zero, share_xor(words, parties))
    np.testing.assert_array_equal(combine_bits(found), (words == 0).all(axis=0))


@FEW
@given(N, st.integers(1, 4), st.sampled_from([8, 48, 64, 72, 128]), SEEDS)
def test_compressed_words_are_equal_where_the_words_are(parties: int, count: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 1 << 64, (count, 40), dtype=np.uint64)
    words[:, 0] = 0
    words[:, 20:] = words[:, :20]
    words[-1, 30:] ^= np.uint64(1) << np.uint64(int(rng.integers(0, 64)))

    def program(session: Session, x: Array) -> Array:
        return bits.compress(session, x, width)

    found = combine_bits([each.reshape(-1) for each in run(parties, program, share_xor(words, parties))])
    images = found.reshape(-1, 40)
    assert len(images) == -(-width // 64) and (images[:, 0] == 0).all()
    np.testing.assert_array_equal(images[:, 20:30], images[:, :10])
    if width >= 48:
        assert len(np.unique(images, axis=1).T) == len(np.unique(words, axis=1).T)
    if width % 64:
        assert (images[-1] >> np.uint64(width % 64) == 0).all()


def test_compression_is_linear_and_another_one_each_time() -> None:
    words = np.random.default_rng(3).integers(0, 1 << 64, (2, 24), dtype=np.uint64)
    words[:, 16:] = words[:, :8] ^ words[:, 8:16]

    def program(session: Session, x: Array) -> Array:
        return np.stack([bits.compress(session, x, 64), bits.compress(session, x, 64)])

    first, second = combine_bits([each.reshape(-1) for each in run(2, program, share_xor(words, 2))]).reshape(2, 24)
    np.testing.assert_array_equal(first[16:], first[:8] ^ first[8:16])
    assert (first != second).all()
