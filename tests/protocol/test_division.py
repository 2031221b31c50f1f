"""Whole quotients against Python's floor division."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.plan.expressions.division import COMPARED, is_divided
from smpc_sql.protocol import division
from smpc_sql.ring import Array, lane_for
from smpc_sql.schema import Interval
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, combine_words
from tests.protocol.on_shares import FEW, PATTERNS, SEEDS, run, share_words, signed

N = st.integers(2, 5)


@FEW
@given(N, st.integers(1, 10**6), st.integers(-(10**9), 10**9), st.integers(0, 10**7), PATTERNS, SEEDS)
def test_divide_by_public(parties: int, divisor: int, low: int, width: int, pattern: str, seed: int) -> None:
    check_by_public(parties, divisor, low, low + width, signed(low, low + width, (16,), pattern, seed))


@pytest.mark.parametrize("divisor", [1, 2, 3, 7, 10, 127, 128, 255, 256])
@pytest.mark.parametrize(("low", "high"), [(0, 127), (-128, -1), (-64, 63), (126, 253), (-1, 255), (5, 5), (0, 65535)])
def test_the_ends_of_lanes(divisor: int, low: int, high: int) -> None:
    edges = [low, high, (low + high) // 2, high // divisor * divisor, high // divisor * divisor - 1, 0, -1, 1]
    check_by_public(2, divisor, low, high, np.array([min(max(edge, low), high) for edge in edges]))


@FEW
@given(N, st.integers(1, 62), st.integers(0, 63), st.booleans(), PATTERNS, SEEDS)
def test_powers_of_two(parties: int, bits: int, width: int, below: bool, pattern: str, seed: int) -> None:
    low = -(1 << width) // (1 if below else 3)
    high = min(low + (1 << width + 1) - 1, (1 << 63) - 1)
    if division.shift_lane(1 << bits, low, high) or width == 63:
        check_by_public(parties, 1 << bits, low, high, signed(low, high, (16,), pattern, seed))


def check_by_public(parties: int, divisor: int, low: int, high: int, x: Array) -> None:
    x = np.clip(x, low, high)

    def program(session: Session, share: AShare) -> Array:
        return division.divide_by_public(session, share.words, divisor, low, high)

    found = combine_words(run(parties, program, share_words(x, parties))).view(np.int64)
    np.testing.assert_array_equal(found, x // divisor)


@FEW
@given(N, st.integers(1, 12), st.sampled_from([3, 10, 30]), SEEDS)
def test_divide(parties: int, bits: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    denominator = rng.integers(1, 1 << width, 16, endpoint=True)
    numerator = rng.integers(0, (denominator << bits) - 1, endpoint=True)
    numerator[:4] = denominator[:4] * [0, 1, 1, (1 << bits) - 1]
    numerator[2] -= 1
    lane = lane_for(bits + width + 2)

    def program(session: Session, x: AShare, y: AShare) -> Array:
        return np.stack(division.divide(session, x.words, y.words, bits, lane))

    shares = share_words(numerator, parties), share_words(denominator, parties)
    found = combine_words(run(parties, program, *shares))
    np.testing.assert_array_equal(found, np.stack(np.divmod(numerator, denominator)))


@FEW
@given(N, st.integers(1, 40), st.sampled_from([3, 14, 20]), SEEDS)
def test_places(parties: int, count: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    denominator = rng.integers(1, 1 << width, 16, endpoint=True)
    rest = rng.integers(0, denominator)
    rest[:2], denominator[2], rest[2] = [0, denominator[1] - 1], 1 << width, (1 << width) - 1
    lane = lane_for(width + 3)

    def program(session: Session, x: AShare, y: AShare) -> Array:
        return division.places(session, x.words, y.words, count, lane)

    shares = share_words(rest, parties), share_words(denominator, parties)
    np.testing.assert_array_equal(combine_words(run(parties, program, *shares)), (rest << count) // denominator)


def test_what_a_denominator_of_zero_gives() -> None:
    def program(session: Session, x: AShare, y: AShare) -> Array:
        return division.divide(session, x.words, y.words, 4, 16)[0]

    found = run(2, program, share_words(np.arange(8), 2), share_words(np.zeros(8), 2))
    np.testing.assert_array_equal(combine_words(found), [15] * 8)


@FEW
@given(N, st.integers(1, 31), SEEDS)
def test_root(parties: int, bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    roots = rng.integers(0, 1 << bits, 16)
    x = np.concatenate([roots * roots, np.maximum(roots * roots - 1, 0), [0, (1 << 2 * bits) - 1] * 4])

    def program(session: Session, shared: AShare) -> Array:
        return division.root(session, shared.words, bits, lane_for(2 * bits + 2))

    found = combine_words(run(parties, program, share_words(x, parties)))
    np.testing.assert_array_equal(found, [math.isqrt(value) for value in x.tolist()])


def test_the_planner_knows_what_is_compared() -> None:
    assert COMPARED == division.MAX_STEPS
    assert is_divided(Interval(0, (1 << 62) - 8), 7) and not is_divided(Interval(0, 1 << 62), 7)
