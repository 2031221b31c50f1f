"""Shares: split, combine, and what each party can do alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.ring import LANES, dtype_of, pack, unpack
from smpc_sql.sharing import AShare, BShare, combine_bits, combine_words, split_bits, split_words

N = st.integers(2, 5)
SHAPE = st.sampled_from([(), (0,), (7,), (2, 16)])


def some_words(shape: tuple[int, ...], lane: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1 << 64, shape, dtype=np.uint64).astype(dtype_of(lane))


@given(N, st.sampled_from(LANES), SHAPE, st.integers(0, 2**32 - 1))
def test_words_come_back(parties: int, lane: int, shape: tuple[int, ...], seed: int) -> None:
    words = np.asarray(some_words(shape, lane, seed))
    before = words.copy()
    shares = split_words(words, parties)
    assert len(shares) == parties
    assert all(share.dtype == words.dtype and share.shape == words.shape for share in shares)
    np.testing.assert_array_equal(combine_words(shares), words)
    np.testing.assert_array_equal(words, before)


@given(N, st.sampled_from([(0,), (5,), (2, 3)]), st.integers(0, 2**32 - 1))
def test_bits_come_back(parties: int, shape: tuple[int, ...], seed: int) -> None:
    packed = some_words(shape, 8, seed)
    shares = split_bits(packed, parties)
    assert len(shares) == parties
    np.testing.assert_array_equal(combine_bits(shares), packed)


def test_combining_does_not_change_the_shares() -> None:
    shares = split_words(np.arange(5, dtype=np.uint64), 3)
    before = [share.copy() for share in shares]
    combine_words(shares)
    combine_bits(shares)
    for share, old in zip(shares, before, strict=True):
        np.testing.assert_array_equal(share, old)


def test_two_splits_of_the_same_words_share_nothing() -> None:
    words = np.zeros(1000, dtype=np.uint64)
    shares = [share.tolist() for _ in range(2) for share in split_words(words, 3)]
    assert len({word for share in shares for word in share}) == 6000


@given(N, st.sampled_from(LANES), st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, 2**32 - 1))
def test_what_is_linear_is_local(parties: int, lane: int, factor: int, seed: int) -> None:
    x, y = some_words((2, 6), lane, seed), some_words((2, 6), lane, seed + 1)
    xs, ys = [AShare(s) for s in split_words(x, parties)], [AShare(s) for s in split_words(y, parties)]
    pairs = list(zip(xs, ys, strict=True))

    def secret(shares: list[AShare]) -> np.ndarray:
        assert all(share.lane == lane for share in shares)
        return combine_words([share.words for share in shares])

    np.testing.assert_array_equal(secret([a + b for a, b in pairs]), x + y)
    np.testing.assert_array_equal(secret([a - b for a, b in pairs]), x - y)
    np.testing.assert_array_equal(secret([-a for a in xs]), np.negative(x))
    np.testing.assert_array_equal(secret([a.scale(factor) for a in xs]), x * x.dtype.type(factor % (1 << lane)))
    np.testing.assert_array_equal(secret([a.sum() for a in xs]), x.sum(axis=1, keepdims=True, dtype=x.dtype))
    narrow = [a.narrow(8) for a in xs]
    np.testing.assert_array_equal(combine_words([a.words for a in narrow]), x.astype(np.uint8))


@given(N, st.integers(0, 2**32 - 1))
def test_xor_and_public_masks_are_local(parties: int, seed: int) -> None:
    x, y, mask = (unpack(some_words((2, 3), 8, seed + i)) for i in range(3))
    xs, ys = ([BShare(s) for s in split_bits(pack(bits), parties)] for bits in (x, y))
    found = [a ^ b for a, b in zip(xs, ys, strict=True)]
    np.testing.assert_array_equal(unpack(combine_bits([a.packed for a in found])), x ^ y)
    found = [a.mask(pack(mask)) for a in xs]
    np.testing.assert_array_equal(unpack(combine_bits([a.packed for a in found])), x & mask)
    assert len(xs[0]) == 24


@pytest.mark.parametrize("share", [AShare(np.zeros(8, dtype=np.uint64)), BShare(np.zeros(1, dtype=np.uint8))])
def test_a_share_cannot_be_branched_on_or_multiplied_or_changed(share: AShare | BShare) -> None:
    assert len(share) == 8
    with pytest.raises(TypeError, match="truth value"):
        bool(share)
    with pytest.raises(TypeError):
        share * share  # type: ignore[operator]
    with pytest.raises(TypeError):
        share < share  # type: ignore[operator]  # noqa: B015, PLR0124
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(share, dataclasses.fields(share)[0].name, None)
