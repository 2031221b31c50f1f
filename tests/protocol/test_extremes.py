"""The minimum against numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import extremes
from smpc_sql.ring import LANES
from tests.protocol.on_shares import FEW, PATTERNS, SEEDS, integers_of, run, share_words, signed

N = st.integers(2, 5)


@FEW
@given(N, st.sampled_from(LANES), st.integers(1, 40), st.integers(1, 3), PATTERNS, SEEDS)
def test_minimum(parties: int, lane: int, width: int, groups: int, pattern: str, seed: int) -> None:
    low, high = -(1 << (lane - 2)), (1 << (lane - 2)) - 1
    x = signed(low, high, (groups, width), pattern, seed)
    found = run(parties, lambda session, share: extremes.minimum(session, share, lane), share_words(x, parties))
    np.testing.assert_array_equal(integers_of(found), x.min(axis=1, keepdims=True))


@FEW
@given(N, st.sampled_from(LANES), st.integers(1, 20), PATTERNS, PATTERNS, SEEDS)
def test_smaller(parties: int, lane: int, width: int, left: str, right: str, seed: int) -> None:
    low, high = -(1 << (lane - 2)), (1 << (lane - 2)) - 1
    x, y = signed(low, high, (2, width), left, seed), signed(low, high, (2, width), right, seed + 1)
    found = run(
        parties,
        lambda session, a, b: extremes.smaller(session, a, b, lane),
        share_words(x, parties),
        share_words(y, parties),
    )
    np.testing.assert_array_equal(integers_of(found), np.minimum(x, y))
