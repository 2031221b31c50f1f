"""Products of shared words against numpy, which wraps as the ring does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import arithmetic
from smpc_sql.ring import LANES
from tests.protocol.on_shares import (
    FEW,
    PATTERNS,
    SEEDS,
    integers_of,
    run,
    share_bits,
    share_words,
    signed,
    some_bits,
    wrapped,
)

LANE = st.sampled_from(LANES)
N = st.integers(2, 5)
SHAPE = st.sampled_from([(0,), (1,), (7,), (64,), (3, 5), (2, 3, 8), (2, 0)])


def ends(lane: int) -> tuple[int, int]:
    return -(1 << (lane - 1)), (1 << (lane - 1)) - 1


@FEW
@given(N, LANE, SHAPE, PATTERNS, PATTERNS, SEEDS)
def test_multiply(parties: int, lane: int, shape: tuple[int, ...], left: str, right: str, seed: int) -> None:
    x, y = signed(*ends(lane), shape, left, seed), signed(*ends(lane), shape, right, seed + 1)
    found = run(parties, arithmetic.multiply, share_words(x, parties, lane), share_words(y, parties, lane))
    np.testing.assert_array_equal(integers_of(found), wrapped(x * y, lane))


@FEW
@given(N, LANE, SHAPE, PATTERNS, SEEDS)
def test_square(parties: int, lane: int, shape: tuple[int, ...], pattern: str, seed: int) -> None:
    x = signed(*ends(lane), shape, pattern, seed)
    found = run(parties, arithmetic.square, share_words(x, parties, lane))
    np.testing.assert_array_equal(integers_of(found), wrapped(x * x, lane))
    found = run(
        parties, lambda session, share: arithmetic.multiply(session, share, share), share_words(x, parties, lane)
    )
    np.testing.assert_array_equal(integers_of(found), wrapped(x * x, lane))


VECTORS = st.sampled_from([(1, 1), (1, 100), (3, 40), (5, 1), (2, 0), (0, 3)])


@FEW
@given(N, LANE, VECTORS, PATTERNS, PATTERNS, SEEDS)
def test_inner_product(parties: int, lane: int, shape: tuple[int, int], left: str, right: str, seed: int) -> None:
    x, y = signed(*ends(lane), shape, left, seed), signed(*ends(lane), shape, right, seed + 1)
    found = run(parties, arithmetic.inner_product, share_words(x, parties, lane), share_words(y, parties, lane))
    np.testing.assert_array_equal(integers_of(found), wrapped((x * y).sum(axis=1), lane))


@FEW
@given(N, LANE, VECTORS, PATTERNS, SEEDS)
def test_square_sum(parties: int, lane: int, shape: tuple[int, int], pattern: str, seed: int) -> None:
    x = signed(*ends(lane), shape, pattern, seed)
    found = run(parties, arithmetic.square_sum, share_words(x, parties, lane))
    np.testing.assert_array_equal(integers_of(found), wrapped((x * x).sum(axis=1), lane))


@FEW
@given(N, LANE, VECTORS, PATTERNS, PATTERNS, SEEDS)
def test_scaled_product(parties: int, lane: int, shape: tuple[int, int], left: str, right: str, seed: int) -> None:
    x, factors = signed(*ends(lane), shape, left, seed), signed(*ends(lane), shape[:1], right, seed + 1)
    found = run(parties, arithmetic.scaled_product, share_words(x, parties, lane), share_words(factors, parties, lane))
    np.testing.assert_array_equal(integers_of(found), wrapped(x * factors[:, None], lane))


@FEW
@given(N, LANE, st.sampled_from([(1, 1, 1), (3, 40, 2), (8, 1, 8), (2, 5, 0), (0, 4, 3)]), PATTERNS, PATTERNS, SEEDS)
def test_matrix_product(parties: int, lane: int, shape: tuple[int, int, int], left: str, right: str, seed: int) -> None:
    rows, inner, columns = shape
    x = signed(*ends(lane), (rows, inner), left, seed)
    y = signed(*ends(lane), (inner, columns), right, seed + 1)
    found = run(parties, arithmetic.matrix_product, share_words(x, parties, lane), share_words(y, parties, lane))
    np.testing.assert_array_equal(integers_of(found), wrapped(x @ y, lane))


@FEW
@given(N, LANE, st.sampled_from([(1, 1, 8), (3, 2, 40), (2, 4, 64), (1, 1, 0)]), PATTERNS, PATTERNS, SEEDS)
def test_bit_product(parties: int, lane: int, shape: tuple[int, int, int], left: str, right: str, seed: int) -> None:
    groups, _, rows = shape
    bits, words = some_bits((groups, rows), left, seed), signed(*ends(lane), shape, right, seed + 1)
    found = run(parties, arithmetic.bit_product, share_bits(bits, parties), share_words(words, parties, lane))
    np.testing.assert_array_equal(integers_of(found), wrapped(bits[:, None, :] * words, lane))


@FEW
@given(N, LANE, st.sampled_from([(8,), (64,), (3, 40), (2, 2, 16), (0,)]), PATTERNS, SEEDS)
def test_to_words(parties: int, lane: int, shape: tuple[int, ...], pattern: str, seed: int) -> None:
    bits = some_bits(shape, pattern, seed)
    found = run(parties, lambda session, share: arithmetic.to_words(session, share, lane), share_bits(bits, parties))
    assert all(share.lane == lane for share in found)
    np.testing.assert_array_equal(integers_of(found), bits)


@FEW
@given(N, st.sampled_from([(8,), (64,), (3, 40), (2, 2, 16), (0,)]), PATTERNS, SEEDS)
def test_random_if(parties: int, shape: tuple[int, ...], pattern: str, seed: int) -> None:
    bits = some_bits(shape, pattern, seed)
    found = integers_of(run(parties, arithmetic.random_if, share_bits(bits, parties)))
    assert found.shape == bits.shape
    assert ((found != 0) == bits).all()
    assert len(set(found[bits != 0].tolist())) == bits.sum()


@pytest.mark.parametrize("lane", LANES)
def test_products_keep_their_lane(lane: int) -> None:
    x = share_words(np.arange(8), 2, lane)
    y = share_words(np.arange(8), 2, lane)
    assert [share.lane for share in run(2, arithmetic.multiply, x, y)] == [lane, lane]
