"""Sums by a secret key against numpy's indexed addition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import grouping
from tests.protocol.on_shares import FEW, PATTERNS, SEEDS, integers_of, run, share_words, signed

WORD = -(1 << 63), (1 << 63) - 1


def expected(keys: np.ndarray, measures: np.ndarray, bits: int) -> np.ndarray:
    sums = np.zeros((1 + len(measures), 1 << bits), dtype=np.int64)
    np.add.at(sums[0], keys, 1)
    for total, measure in zip(sums[1:], measures, strict=True):
        np.add.at(total, keys, measure)
    return sums


@FEW
@given(st.integers(2, 5), st.integers(1, 10), st.integers(0, 2), st.sampled_from([1, 8, 41]), PATTERNS, PATTERNS, SEEDS)
def test_group_sums(parties: int, bits: int, count: int, rows: int, left: str, right: str, seed: int) -> None:
    keys = signed(0, (1 << bits) - 1, (rows,), left, seed)
    measures = signed(*WORD, (count, rows), right, seed + 1)
    found = run(
        parties,
        lambda session, key, values: grouping.group_sums(session, key, bits, values),
        share_words(keys, parties),
        share_words(measures, parties),
    )
    np.testing.assert_array_equal(integers_of(found), expected(keys, measures, bits))


@pytest.mark.parametrize("parties", [2, 3])
def test_dealt_in_several_slices_it_still_takes_one_round(parties: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "_SLICE_WORDS", 16 * 3 * 24)
    keys, measures = signed(0, 15, (100,), "random", 1), signed(-9, 9, (2, 100), "random", 2)

    def program(session, key, values):  # type: ignore[no-untyped-def]
        return grouping.group_sums(session, key, 4, values), session.rounds

    found = run(parties, program, share_words(keys, parties), share_words(measures, parties))
    np.testing.assert_array_equal(integers_of([each for each, _ in found]), expected(keys, measures, 4))
    assert {rounds for _, rounds in found} == {1}
