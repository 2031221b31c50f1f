"""Whole quotients of secrets, exactly."""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.protocol.boolean import negate
from smpc_sql.protocol.comparison import negative
from smpc_sql.ring import Array, lane_for, narrow, words_of
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare

MAX_STEPS = 64
"""Up to this many values of a quotient by a public number, all comparisons are made at once."""


def divide_by_public(session: Session, x: Array, divisor: int, low: int, high: int) -> Array:
    """floor(x / divisor) for words [n], low <= x <= high, n a multiple of 8, divisor > 0.

    Few values: how many multiples of the divisor x reaches, all compared in one batch (the rounds of a comparison, and
    1). Else digit by digit, see `divide`.
    """
    first, last = low // divisor, high // divisor
    rest = x - session.public(words_of(first * divisor))
    if last - first > MAX_STEPS:
        start = np.full(len(x), session.public(words_of(divisor)), dtype=np.uint64)
        lane = lane_for((high - low + divisor).bit_length() + 2)
        digits, _ = divide(session, rest, start, (last - first).bit_length(), lane)
        shifted: Array = digits + session.public(words_of(first))
        return shifted
    if last == first:
        return np.full(len(x), session.public(words_of(first)), dtype=np.uint64)
    lane = lane_for(max(high - low, divisor).bit_length() + 1)
    limits = [divisor * step for step in range(1, last - first + 1)]
    below = np.stack([narrow(rest - session.public(words_of(limit)), lane) for limit in limits])
    reached = negate(session, negative(session, AShare(below)))
    steps = to_words(session, reached, 64).words.sum(axis=0, dtype=np.uint64)
    found: Array = steps + session.public(words_of(first))
    return found


def divide(session: Session, numerator: Array, denominator: Array, bits: int, lane: int) -> tuple[Array, Array]:
    """floor(numerator / denominator) and the rest, for words [n] >= 0 and > 0, n a multiple of 8, quotients < 2^bits.

    Restoring division, one bit of the quotient at a time: 2^bits * denominator and its negative must fit the lane. For
    every bit the rounds of a comparison and one. Where the denominator is 0 the quotient is 2^bits - 1.
    """
    rest, quotient = numerator, np.zeros_like(numerator)
    for bit in reversed(range(bits)):
        step = denominator << np.uint64(bit)
        reached = negate(session, negative(session, AShare(narrow(rest - step, lane)[None])))
        one = np.full_like(step, session.public(np.uint64(1)))
        chosen = bit_product(session, BShare(reached.packed), AShare(np.stack([step, one])[None])).words[0]
        rest = rest - chosen[0]
        quotient = quotient + (chosen[1] << np.uint64(bit))
    return quotient, rest


def places(session: Session, rest: Array, denominator: Array, count: int, lane: int) -> Array:
    """floor(rest * 2^count / denominator) for words [n], 0 <= rest < denominator; n a multiple of 8.

    Digit by digit as in `divide`, but here the rest is doubled and stays below the denominator, so that twice the
    denominator must fit the lane, however many places there are. The error is below 2^-count. Where the denominator is
    0 the result means nothing.
    """
    quotient = np.zeros_like(rest)
    one = np.full_like(rest, session.public(np.uint64(1)))
    for _ in range(count):
        rest = rest << np.uint64(1)
        reached = negate(session, negative(session, AShare(narrow(rest - denominator, lane)[None])))
        chosen = bit_product(session, BShare(reached.packed), AShare(np.stack([denominator, one])[None])).words[0]
        rest = rest - chosen[0]
        quotient = (quotient << np.uint64(1)) + chosen[1]
    return quotient
