"""Prime fields against Python's integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql import field
from smpc_sql.plan.delivery import FIELD_BITS

EXPONENT = st.sampled_from(field.EXPONENTS)
VALUES = st.lists(st.integers(-(1 << 1300), 1 << 1300), min_size=1, max_size=5)


def values_of(elements: np.ndarray) -> list[int]:
    return [int(value) for value in field.to_integers(elements)]


def test_the_fields_are_those_of_deliveries_and_prime() -> None:
    assert field.EXPONENTS == FIELD_BITS
    for exponent in field.EXPONENTS:
        p, s = field.modulus(exponent), 4
        for _ in range(exponent - 2):  # Lucas and Lehmer
            s = (s * s - 2) % p
        assert s == 0
        assert 64 * field.limbs(exponent) >= exponent > 64 * (field.limbs(exponent) - 1)


@given(EXPONENT, VALUES)
def test_integers_come_back_reduced(exponent: int, values: list[int]) -> None:
    elements = field.from_integers(values, exponent)
    assert elements.shape == (len(values), field.limbs(exponent))
    assert elements.dtype == np.uint64
    assert values_of(elements) == [value % field.modulus(exponent) for value in values]


@given(EXPONENT, VALUES, st.integers(-(1 << 200), 1 << 200))
def test_arithmetic(exponent: int, values: list[int], factor: int) -> None:
    p = field.modulus(exponent)
    left, right = field.from_integers(values, exponent), field.from_integers(values[::-1], exponent)
    pairs = list(zip(values, values[::-1], strict=True))
    assert values_of(field.add(left, right, exponent)) == [(a + b) % p for a, b in pairs]
    assert values_of(field.subtract(left, right, exponent)) == [(a - b) % p for a, b in pairs]
    assert values_of(field.multiply(left, right, exponent)) == [a * b % p for a, b in pairs]
    assert values_of(field.scale(left, factor, exponent)) == [a * factor % p for a in values]


@given(EXPONENT, st.lists(st.integers(0, (1 << 64) - 1), max_size=5))
def test_words(exponent: int, words: list[int]) -> None:
    assert values_of(field.from_words(np.array(words, dtype=np.uint64), exponent)) == words


@pytest.mark.parametrize("exponent", field.EXPONENTS)
def test_uniform_limbs_keep_their_low_bits(exponent: int) -> None:
    raw = np.random.default_rng(1).integers(0, 1 << 64, (200, field.limbs(exponent)), dtype=np.uint64)
    raw[0] = ~np.uint64(0)  # the one value that is p counts as 0
    before = raw.copy()
    found = values_of(field.from_uniform(raw, exponent))
    assert found[0] == 0
    assert found[1:] == [value & field.modulus(exponent) for value in values_of(raw)[1:]]
    assert max(value.bit_length() for value in found) == exponent
    np.testing.assert_array_equal(raw, before)


def test_no_elements() -> None:
    for exponent in field.EXPONENTS:
        nothing = field.from_integers([], exponent)
        assert nothing.shape == (0, field.limbs(exponent))
        assert field.add(nothing, nothing, exponent).shape == nothing.shape
