"""Fractions out of a prime field, and correctly rounded doubles."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpc_sql.plan.delivery import FIELD_BITS
from smpc_sql.rational import reconstruct, root_to_float, to_float


@pytest.mark.parametrize("bits", FIELD_BITS)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_masked_quotient_gives_its_fraction_in_lowest_terms(bits: int, data: st.DataObject) -> None:
    modulus = (1 << bits) - 1
    deepest = data.draw(st.integers(1, 1 << (bits // 2)))
    highest = (modulus - 1) // (2 * deepest)
    numerator = data.draw(st.integers(-highest, highest))
    denominator = data.draw(st.integers(1, deepest)) * data.draw(st.sampled_from([1, -1]))
    rho = data.draw(st.integers(1, modulus - 1))
    found = reconstruct(numerator * rho, denominator * rho, modulus, highest, deepest)
    assert found == Fraction(numerator, denominator)


def test_the_ends_of_the_bounds() -> None:
    modulus = (1 << 127) - 1
    deepest = 1 << 20
    highest = (modulus - 1) // (2 * deepest)
    for numerator in (-highest, -1, 0, 1, highest):
        for denominator in (1, deepest - 1, deepest):
            found = reconstruct(numerator * 12345, denominator * 12345, modulus, highest, deepest)
            assert found == Fraction(numerator, denominator)
    assert reconstruct(0, 7, modulus, 0, 7) == 0


def test_null_and_nonsense() -> None:
    modulus = (1 << 127) - 1
    assert reconstruct(0, 0, modulus, 10, 10) is None
    assert reconstruct(modulus, modulus, modulus, 10, 10) is None
    with pytest.raises(ValueError, match="denominator of 0"):
        reconstruct(1, 0, modulus, 10, 10)
    with pytest.raises(ValueError, match="no fraction"):
        reconstruct(1, 3, modulus, 10, 2)


@given(st.fractions())
def test_doubles_are_the_nearest(value: Fraction) -> None:
    assert to_float(value) == float(value)


def test_beyond_the_largest_double() -> None:
    assert to_float(Fraction(10**400)) == math.inf
    assert to_float(Fraction(-(10**400))) == -math.inf
    assert to_float(Fraction(1, 10**400)) == 0.0


def _judged_root(value: Fraction) -> float:
    context = Context(prec=1200, Emax=10**6, Emin=-(10**6))
    return float(context.sqrt(context.divide(Decimal(value.numerator), Decimal(value.denominator))))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 640), st.integers(1, 1 << 640))
def test_roots_are_the_nearest(numerator: int, denominator: int) -> None:
    value = Fraction(numerator, denominator)
    assert root_to_float(value) == _judged_root(value)


@given(st.integers(1, 1 << 70), st.integers(1, 1 << 70))
def test_roots_of_squares(numerator: int, denominator: int) -> None:
    assert root_to_float(Fraction(numerator, denominator) ** 2) == numerator / denominator


def test_roots_between_two_doubles() -> None:
    half = Fraction(2**53 + 1, 2**53)  # exactly between 1 and its successor: ties to even
    assert root_to_float(half**2) == 1.0
    assert root_to_float(half**2 + Fraction(1, 10**200)) == math.nextafter(1.0, 2.0)
    assert root_to_float(Fraction(0)) == 0.0
    with pytest.raises(ValueError, match="negative"):
        root_to_float(Fraction(-1))
