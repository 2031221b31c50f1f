"""Comparisons against numpy, in every lane, at its ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import comparison
from smpc_sql.ring import LANES
from tests.protocol.on_shares import FEW, PARTIES, PATTERNS, SEEDS, bits_of, run, share_words, signed

LANE = st.sampled_from(LANES)
N = st.integers(2, 5)
SHAPE = st.sampled_from([(8,), (64,), (3, 40), (2, 2, 16)])


def around(lane: int) -> np.ndarray:
    """Every place where a carry, a sign or a fold could go wrong, a multiple of 8 of them."""
    powers = [1 << bit for bit in range(lane - 1)]
    found = sorted(
        {0, -1, -(1 << (lane - 1)), *(sign * (p + d) for p in powers for sign in (1, -1) for d in (-1, 0, 1))}
    )
    fits = [value for value in found if -(1 << (lane - 1)) <= value < 1 << (lane - 1)]
    return np.array(fits + [0] * (-len(fits) % 8), dtype=np.int64)


@pytest.mark.parametrize("parties", PARTIES)
@pytest.mark.parametrize("lane", LANES)
def test_powers_of_two_and_their_neighbours(parties: int, lane: int) -> None:
    d = around(lane)
    found = run(parties, comparison.negative, share_words(d, parties, lane))
    np.testing.assert_array_equal(bits_of(found), d < 0)
    found = run(parties, comparison.is_zero, share_words(d, parties, lane))
    np.testing.assert_array_equal(bits_of(found), d == 0)


def test_every_value_of_a_byte() -> None:
    d = np.arange(-128, 128)
    for _ in range(4):  # under other masks
        np.testing.assert_array_equal(bits_of(run(2, comparison.negative, share_words(d, 2, 8))), d < 0)
        np.testing.assert_array_equal(bits_of(run(2, comparison.is_zero, share_words(d, 2, 8))), d == 0)


@FEW
@given(N, LANE, SHAPE, PATTERNS, SEEDS)
def test_negative(parties: int, lane: int, shape: tuple[int, ...], pattern: str, seed: int) -> None:
    d = signed(-(1 << (lane - 1)), (1 << (lane - 1)) - 1, shape, pattern, seed)
    np.testing.assert_array_equal(bits_of(run(parties, comparison.negative, share_words(d, parties, lane))), d < 0)


@FEW
@given(N, LANE, SHAPE, PATTERNS, PATTERNS, SEEDS)
def test_less_than(parties: int, lane: int, shape: tuple[int, ...], left: str, right: str, seed: int) -> None:
    low, high = -(1 << (lane - 2)), (1 << (lane - 2)) - 1  # so that a lane holds every difference
    x, y = signed(low, high, shape, left, seed), signed(low, high, shape, right, seed + 1)
    found = run(parties, comparison.less_than, share_words(x, parties, lane), share_words(y, parties, lane))
    np.testing.assert_array_equal(bits_of(found), x < y)


@FEW
@given(N, LANE, SHAPE, PATTERNS, SEEDS)
def test_is_zero(parties: int, lane: int, shape: tuple[int, ...], pattern: str, seed: int) -> None:
    d = signed(-(1 << (lane - 1)), (1 << (lane - 1)) - 1, shape, pattern, seed)
    d[..., ::3] = 0
    np.testing.assert_array_equal(bits_of(run(parties, comparison.is_zero, share_words(d, parties, lane))), d == 0)


@pytest.mark.parametrize("lane", LANES)
def test_a_wide_share_is_compared_in_a_narrow_lane(lane: int) -> None:
    d = signed(-(1 << (lane - 1)), (1 << (lane - 1)) - 1, (64,), "random", 7)
    found = run(3, lambda session, share: comparison.negative(session, share.narrow(lane)), share_words(d, 3))
    np.testing.assert_array_equal(bits_of(found), d < 0)
