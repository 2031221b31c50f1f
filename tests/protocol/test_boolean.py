"""Logic on shared bits against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql import ring
from smpc_sql.protocol import boolean
from tests.protocol.on_shares import FEW, PATTERNS, SEEDS, bits_of, run, share_bits, some_bits

N = st.integers(2, 5)
SHAPE = st.sampled_from([(8,), (64,), (3, 40), (0,)])


@FEW
@given(N, SHAPE, PATTERNS, PATTERNS, SEEDS)
def test_conjunction(parties: int, shape: tuple[int, ...], left: str, right: str, seed: int) -> None:
    x, y = some_bits(shape, left, seed), some_bits(shape, right, seed + 1)
    found = run(
        parties,
        lambda session, a, b: boolean.conjunction(session, [(a, b)])[0],
        share_bits(x, parties),
        share_bits(y, parties),
    )
    np.testing.assert_array_equal(bits_of(found), x & y)


def test_conjunction_of_pairs_of_many_shapes_takes_one_round() -> None:
    x, y = some_bits((3, 40), "random", 1), some_bits((3, 40), "random", 2)
    u, v = some_bits((8,), "random", 3), some_bits((8,), "random", 4)

    def program(session, a, b, c, d):  # type: ignore[no-untyped-def]
        found = boolean.conjunction(session, [(a, b), (c, d), (b, b)])
        return (*found, session.rounds)

    found = run(3, program, *(share_bits(bits, 3) for bits in (x, y, u, v)))
    for place, expected in enumerate((x & y, u & v, y)):
        np.testing.assert_array_equal(bits_of([each[place] for each in found]), expected)
    assert [each[3] for each in found] == [1, 1, 1]


def test_conjunction_of_nothing_costs_nothing() -> None:
    assert run(2, lambda session: (boolean.conjunction(session, []), session.rounds)) == [([], 0), ([], 0)]


@FEW
@given(N, st.integers(1, 9), st.sampled_from([(8,), (2, 16)]), SEEDS)
def test_all_and_any(parties: int, terms: int, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    chance = rng.choice([0.1, 0.5, 0.9])
    bits = [(rng.random(shape) < chance).astype(np.uint8) for _ in range(terms)]
    shares = [share_bits(each, parties) for each in bits]
    for function, expected in ((boolean.all_of, np.bitwise_and), (boolean.any_of, np.bitwise_or)):
        found = run(parties, lambda session, *mine, function=function: function(session, mine), *shares)
        np.testing.assert_array_equal(bits_of(found), expected.reduce(bits))


@pytest.mark.parametrize("parties", [2, 5])
def test_what_is_local(parties: int) -> None:
    bits = some_bits((3, 16), "random", 5)
    mask = some_bits((3, 16), "random", 6)
    packed = ring.pack(mask)

    def program(session, share):  # type: ignore[no-untyped-def]
        found = boolean.negate(session, share), boolean.public_bits(session, packed), share.mask(packed), share ^ share
        assert session.rounds == 0
        return found

    found = run(parties, program, share_bits(bits, parties))
    for place, expected in enumerate((1 - bits, mask, bits & mask, bits * 0)):
        np.testing.assert_array_equal(bits_of([each[place] for each in found]), expected)
