"""Percentiles as positions: against the definition, for every small number of values."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from smpc_sql.errors import InternalError, Unsupported
from smpc_sql.plan.places import Place, continuous, discrete, parameter

PARAMETERS = [Fraction(a, b) for b in (1, 2, 3, 7, 10, 100) for a in range(b + 1)]


@pytest.mark.parametrize("count", range(1, 25))
def test_a_discrete_percentile_is_the_first_value_with_enough_up_to_it(count: int) -> None:
    for p in PARAMETERS:
        wanted = next(i for i in range(count) if i + 1 >= p * count)
        assert discrete(p, False).of(count) == wanted
        assert discrete(p, True).of(count) == count - 1 - wanted


@pytest.mark.parametrize("count", range(1, 25))
def test_a_continuous_percentile_lies_between_two_values(count: int) -> None:
    for p in PARAMETERS:
        for descending in (False, True):
            lower, upper, up = continuous(p, descending)
            position = (count - 1) * up
            assert (lower.of(count), upper.of(count)) == (math.floor(position), math.ceil(position))
            assert up == (1 - p if descending else p)


def test_parameters_of_too_many_digits_are_refused() -> None:
    assert parameter(Fraction(1, 3)) == Fraction(1, 3)
    with pytest.raises(Unsupported, match="9 digits"):
        parameter(Fraction(1, 10**9 + 7))


def test_what_is_no_position_is_no_place() -> None:
    with pytest.raises(InternalError):
        Place(3, 0, 2)
