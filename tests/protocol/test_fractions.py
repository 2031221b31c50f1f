"""Words lifted into prime fields, products and blinding there, against Python's integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql import field
from smpc_sql.protocol import fractions
from smpc_sql.rational import reconstruct
from tests.protocol.on_shares import FEW, PATTERNS, SEEDS, field_of, run, share_field, share_words, signed

N = st.integers(2, 5)
EXPONENT = st.sampled_from(field.EXPONENTS)
LIMIT = (1 << 62) - 1


@FEW
@given(N, EXPONENT, st.sampled_from([1, 7, 16]), PATTERNS, SEEDS)
def test_lift(parties: int, exponent: int, rows: int, pattern: str, seed: int) -> None:
    x = signed(-LIMIT, LIMIT, (rows,), pattern, seed)
    found = run(parties, lambda session, share: fractions.lift(session, share, exponent), share_words(x, parties))
    assert field_of(found, exponent) == [int(value) % field.modulus(exponent) for value in x]


def test_lift_around_powers_of_two() -> None:
    x = np.array([sign * (1 << bit) + d for bit in range(62) for sign in (1, -1) for d in (-1, 0, 1)], dtype=np.int64)
    for _ in range(3):  # under other masks, some of which wrap
        found = run(2, lambda session, share: fractions.lift(session, share, 127), share_words(x, 2))
        assert field_of(found, 127) == [int(value) % field.modulus(127) for value in x]


@FEW
@given(N, EXPONENT, SEEDS)
def test_multiply(parties: int, exponent: int, seed: int) -> None:
    p = field.modulus(exponent)
    rng = np.random.default_rng(seed)
    some = [int.from_bytes(rng.bytes(exponent // 8), "little") for _ in range(4)]
    x, y = [0, 1, p - 1, p - 1, *some], [5, p - 1, p - 1, 1, *reversed(some)]
    found = run(
        parties,
        lambda session, a, b: fractions.multiply(session, a, b, exponent),
        share_field(x, exponent, parties),
        share_field(y, exponent, parties),
    )
    assert field_of(found, exponent) == [a * b % p for a, b in zip(x, y, strict=True)]


@pytest.mark.parametrize("exponent", field.EXPONENTS)
@pytest.mark.parametrize("parties", [2, 3])
def test_blinding_leaves_the_ratio_and_nothing_else(parties: int, exponent: int) -> None:
    p = field.modulus(exponent)
    numerators, denominators = [14, 7, -3, 0, 5, 10**9], [6, 3, 9, 4, 0, 10**9 + 7]
    known = [1, 1, 1, 1, 1, 0]
    factors = [d * k for d, k in zip(denominators, known, strict=True)]

    def program(session, n, d, f):  # type: ignore[no-untyped-def]
        return fractions.blind(session, n, d, f, exponent)

    shares = [share_field(values, exponent, parties) for values in (numerators, denominators, factors)]
    found = [run(parties, program, *shares) for _ in range(2)]
    runs = [[field_of([each[i] for each in result], exponent) for i in range(2)] for result in found]
    for top, bottom in runs:
        assert (top[3], top[4], bottom[4], top[5], bottom[5]) == (0, 0, 0, 0, 0)
        ratios = [reconstruct(n, d, p, 1 << 40, 1 << 40) for n, d in zip(top, bottom, strict=True)]
        assert ratios == [Fraction(7, 3), Fraction(7, 3), Fraction(-1, 3), 0, None, None]
        assert top[0] != 2 * top[1]  # other factors for equal ratios
    assert runs[0][1][:4] != runs[1][1][:4]  # and in every run
