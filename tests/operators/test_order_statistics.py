"""Values carried from the last row of a group, and the rows that hold order statistics: against numpy."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from smpc_sql.operators.carry import from_last
from smpc_sql.operators.order_statistics import marked
from smpc_sql.plan.places import Place, continuous, discrete
from smpc_sql.ring import Array, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import combine_bits, combine_words, split_words
from tests.protocol.on_shares import run

SIZES = ([1], [3], [1, 1, 1], [4, 1, 9, 2], [20])


def byte_shares(bits: Array, parties: int) -> list[Array]:
    rng = np.random.default_rng(5)
    masks = [rng.integers(0, 2, len(bits)).astype(np.uint8) for _ in range(parties - 1)]
    return [*masks, np.bitwise_xor.reduce([bits.astype(np.uint8), *masks])]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("parties", [2, 3])
def test_values_of_a_groups_last_row(sizes: list[int], parties: int) -> None:
    rows = sum(sizes)
    last = np.isin(np.arange(rows) + 1, np.cumsum(sizes)).astype(np.uint8)
    words = np.random.default_rng(rows).integers(0, 2**63, (2, rows)).astype(np.uint64)

    def program(session: Session, mine: Array, ends: Array) -> Any:
        return from_last(session, mine, ends)

    results = run(parties, program, split_words(words, parties), byte_shares(last, parties))
    at = np.repeat(words[:, np.cumsum(sizes) - 1], sizes, axis=1)
    before = np.diff(words[:, np.cumsum(sizes) - 1], axis=1, prepend=np.zeros((2, 1), dtype=np.uint64))
    assert np.array_equal(combine_words([found[0] for found in results]), at)
    assert np.array_equal(combine_words([found[1] for found in results]), np.repeat(before, sizes, axis=1))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_the_row_that_holds_a_place(sizes: list[int], left_out: int) -> None:
    """In every group the first rows take no part: as many as there are to leave out, but one row stays."""
    rows = sum(sizes)
    first = np.isin(np.arange(rows), np.cumsum([0, *sizes[:-1]])).astype(np.uint8)
    part = np.concatenate([np.arange(size) >= min(left_out, size - 1) for size in sizes])
    quarter = Fraction(1, 4)
    places: tuple[Place, ...] = (*continuous(quarter, False)[:2], discrete(quarter, True), discrete(Fraction(0), True))

    def program(session: Session, taken: Array, starts: Array) -> Any:
        return marked(session, taken, starts, places, keyed=len(sizes) > 1).packed

    taken = split_words(np.cumsum(part).astype(np.uint64), 2)
    found = unpack(combine_bits(run(2, program, taken, byte_shares(first, 2))))[:, :rows]
    for place, bits in zip(places, found, strict=True):
        start = 0
        for size in sizes:
            skipped = min(left_out, size - 1)
            assert list(np.flatnonzero(bits[start : start + size])) == [skipped + place.of(size - skipped)]
            start += size
