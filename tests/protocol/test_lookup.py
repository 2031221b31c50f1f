"""Truth tables and one-hot vectors against numpy's indexing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import lookup
from tests.protocol.on_shares import FEW, PATTERNS, SEEDS, bits_of, run, share_words, signed

N = st.integers(2, 5)
BITS = st.integers(3, lookup.MAX_BITS)


def test_table_bits() -> None:
    assert [lookup.table_bits(size) for size in (1, 2, 8, 9, 256, 257, 1024)] == [3, 3, 3, 4, 8, 9, 10]


@FEW
@given(N, BITS, st.sampled_from([8, 40]), st.integers(1, 3), PATTERNS, SEEDS)
def test_truth_tables(parties: int, bits: int, rows: int, count: int, pattern: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 1 << bits, endpoint=True))
    codes = signed(0, size - 1, (count, rows), pattern, seed)
    tables = [[rng.integers(0, 2, size).tolist() for _ in range(i + 1)] for i in range(count)]
    found = run(parties, lambda session, x: lookup.truth_tables(session, x, bits, tables), share_words(codes, parties))
    for i in range(count):
        for j, table in enumerate(tables[i]):
            np.testing.assert_array_equal(bits_of([each[i][j] for each in found]), np.array(table)[codes[i]])


@pytest.mark.parametrize("bits", [3, 6, 8, 9])
def test_every_code_and_short_tables(bits: int) -> None:
    codes = np.arange(1 << bits)
    table = [1, 0, 1]  # ends in zeros
    found = run(
        2, lambda session, x: lookup.truth_tables(session, x, bits, [[table]])[0][0], share_words(codes[None], 2)
    )
    np.testing.assert_array_equal(bits_of(found), (codes == 0) | (codes == 2))


@FEW
@given(N, BITS, st.sampled_from([8, 40]), PATTERNS, SEEDS)
def test_one_hot(parties: int, bits: int, rows: int, pattern: str, seed: int) -> None:
    codes = int(np.random.default_rng(seed).integers(1, 1 << bits, endpoint=True))
    x = signed(0, (1 << bits) - 1, (rows,), pattern, seed)
    found = run(parties, lambda session, share: lookup.one_hot(session, share, bits, codes), share_words(x, parties))
    np.testing.assert_array_equal(bits_of(found), x[None] == np.arange(codes)[:, None])
