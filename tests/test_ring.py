"""Lanes and packed bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql import ring
from smpc_sql.ring import LANES

LANE = st.sampled_from(LANES)


def test_lanes() -> None:
    assert [ring.lane_for(bits) for bits in (0, 1, 8, 9, 16, 17, 32, 33, 64)] == [8, 8, 8, 16, 16, 32, 32, 64, 64]
    with pytest.raises(ValueError, match="65"):
        ring.lane_for(65)
    for lane in LANES:
        assert ring.dtype_of(lane).itemsize * 8 == lane
        assert ring.dtype_of(lane).kind == "u"
        assert ring.lane_of(np.zeros(3, dtype=ring.dtype_of(lane))) == lane


@given(st.integers(-(1 << 70), 1 << 70), LANE)
def test_a_public_integer_is_a_word_mod_its_lane(value: int, lane: int) -> None:
    word = ring.words_of(value, lane)
    assert word.dtype == ring.dtype_of(lane)
    assert int(word) == value % (1 << lane)


@given(st.lists(st.integers(0, (1 << 64) - 1), max_size=20), LANE)
def test_narrowing_is_a_reduction(values: list[int], lane: int) -> None:
    found = ring.narrow(np.array(values, dtype=np.uint64), lane)
    assert [int(each) for each in found] == [value % (1 << lane) for value in values]


def test_narrowing_to_the_same_lane_copies_nothing() -> None:
    words = np.arange(4, dtype=np.uint64)
    assert ring.narrow(words, 64) is words


@given(st.integers(0, 40), st.integers(0, 3))
def test_padding(rows: int, columns: int) -> None:
    array = np.arange(1, 1 + columns * rows, dtype=np.uint32).reshape(columns, rows)
    found = ring.pad_rows(array)
    assert ring.padded(rows) == found.shape[-1] == -(-rows // 8) * 8
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found[:, :rows], array)
    assert not found[:, rows:].any()


@given(st.integers(0, 10), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_packing_puts_row_j_times_an_eighth_plus_i_into_bit_j_of_byte_i(eighth: int, columns: int, seed: int) -> None:
    bits = np.random.default_rng(seed).integers(0, 2, (columns, 8 * eighth)).astype(np.uint8)
    packed = ring.pack(bits)
    assert packed.shape == (columns, eighth)
    for i in range(eighth):
        for j in range(8):
            np.testing.assert_array_equal(packed[:, i] >> j & 1, bits[:, j * eighth + i])
    np.testing.assert_array_equal(ring.unpack(packed), bits)


def test_packing_does_not_change_its_argument() -> None:
    bits = np.ones(16, dtype=np.uint8)
    ring.pack(bits)
    assert bits.sum() == 16


@given(LANE, st.integers(0, 2**32 - 1))
def test_bit_reverse(lane: int, seed: int) -> None:
    words = np.random.default_rng(seed).integers(0, 1 << 64, (2, 5), dtype=np.uint64).astype(ring.dtype_of(lane))
    before = words.copy()
    found = ring.bit_reverse(words)
    index_bits = lane.bit_length() - 1
    for bit in range(lane):
        place = int(f"{bit:0{index_bits}b}"[::-1], 2)
        np.testing.assert_array_equal(found >> found.dtype.type(place) & 1, words >> words.dtype.type(bit) & 1)
    np.testing.assert_array_equal(ring.bit_reverse(found), words)
    np.testing.assert_array_equal(words, before)
