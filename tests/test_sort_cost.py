"""Which way a sort takes."""

from __future__ import annotations

import pytest

from smpc_sql.sort_cost import by_ranks, digits_cost, pairs_cost, sort_cost


@pytest.mark.parametrize("parties", [2, 5])
@pytest.mark.parametrize("rows", [1000, 10**5])
def test_short_keys_are_sorted_by_digits(rows: int, parties: int) -> None:
    for bits in (1, 8, 32, 64):
        assert by_ranks(rows, bits, parties) == (digits_cost(rows, bits, parties), ())
        assert pairs_cost(rows, [bits], parties) > digits_cost(rows, bits, parties)


def test_few_rows_are_compared_pair_by_pair() -> None:
    for widths in ([64], [64] * 12):
        assert sort_cost(100, widths) == pairs_cost(100, widths, 2)


@pytest.mark.parametrize("rows", [2, 3, 600, 1000, 10**4, 10**5, 10**6])
@pytest.mark.parametrize("bits", [700, 7000])
def test_long_keys_become_shorter_at_every_level(rows: int, bits: int) -> None:
    cost, levels = by_ranks(rows, bits, 2)
    assert levels
    assert cost < digits_cost(rows, bits, 2)
    left = bits
    for pieces in levels:
        assert pieces * (rows - 1).bit_length() < left
        left = pieces * (rows - 1).bit_length()


def test_no_rows() -> None:
    assert by_ranks(0, 700, 2)[1] == by_ranks(1, 700, 2)[1] == ()
