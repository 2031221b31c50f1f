"""Whole quotients of secrets, exactly."""

from __future__ import annotations

import numpy as np

from smpc_sql.correlations.masks import ShiftMask, fold_widths
from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.protocol.boolean import negate
from smpc_sql.protocol.comparison import negative, sign_and_borrow, split_masks
from smpc_sql.ring import Array, lane_for, narrow, words_of
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare

MAX_STEPS = 64
"""Up to this many values of a quotient by a public number, all comparisons are made at once."""

_HALF = 31
"""The most bits that one shift takes from a word."""

_FEW_STEPS = 3
"""So few comparisons cost less than `shift`."""


def divide_by_public(session: Session, x: Array, divisor: int, low: int, high: int) -> Array:
    """floor(x / divisor) for words [n], low <= x <= high, n a multiple of 8, divisor > 0.

    Few values: how many multiples of the divisor x reaches, all compared in one batch (the rounds of a comparison, and
    1). Else digit by digit, see `divide`.
    """
    lane = shift_lane(divisor, low, high)
    if lane:
        return shift(session, x, divisor.bit_length() - 1, low, lane)
    if high - low // divisor * divisor >= 1 << 63 and divisor == 1 << divisor.bit_length() - 1:
        return _divide_any(session, x, divisor)
    first, last = low // divisor, high // divisor
    wide = high - (low >> _HALF << _HALF) >= 1 << 63
    if last - first > MAX_STEPS and divisor == 1 << divisor.bit_length() - 1 < 1 << _HALF and not wide:
        return _shift_twice(session, x, divisor, low)
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


def _shift_twice(session: Session, x: Array, divisor: int, low: int) -> Array:
    """floor(x / divisor) by a power of two, of words too wide for one shift: x >> 31, and what is left / divisor."""
    high = shift(session, x, _HALF, low >> _HALF << _HALF, 64)
    rest = x - (high << np.uint64(_HALF))
    below = divide_by_public(session, rest, divisor, 0, (1 << _HALF) - 1)
    found: Array = below + high * words_of((1 << _HALF) // divisor)
    return found


def _divide_any(session: Session, x: Array, divisor: int) -> Array:
    """floor(x / divisor) of any words by a power of two: x + 2^63 where x < 0 is not negative."""
    below = to_words(session, negative(session, AShare(x[None])), 64).words[0]
    whole = divide_by_public(session, x + (below << np.uint64(63)), divisor, 0, (1 << 63) - 1)
    found: Array = whole - below * words_of((1 << 63) // divisor)
    return found


def shift_lane(divisor: int, low: int, high: int) -> int:
    """The lane in which `shift` divides by a power of two; 0 for another divisor, or where comparisons are cheaper."""
    bits = divisor.bit_length() - 1
    if divisor != 1 << bits or high // divisor - low // divisor < _FEW_STEPS:
        return 0
    width = (high - (low >> bits << bits)).bit_length()
    return next((lane for lane in (16, 32, 64) if bits < lane // 2 and width <= lane // 2 + bits), 0)


def shift(session: Session, x: Array, bits: int, low: int, lane: int) -> Array:
    """floor(x / 2^bits) for words [n], n a multiple of 8, x - low below 2^(lane/2 + bits). log2(lane) rounds.

    y = x - low, which differs from x by a multiple of 2^bits, is moved up, so that h = lane/2 - 1 bits are to go, and
    stays below 2^(lane-1). Open z = y + r mod 2^lane, r dealt in three parts: then y >> h = (z >> h) - (r >> h) -
    [z mod 2^h < r mod 2^h] + 2^(lane-h)*wrap, and z has wrapped just where r's top bit is 1 and z's is 0: only the low
    bits are compared. [Escudero et al. 2020, with the top bit of Catrina-de Hoogh 2010]
    """
    start = low >> bits
    spare = lane // 2 - 1 - bits
    y = narrow(x - session.public(words_of(start << bits)), lane) << narrow(np.array(spare, dtype=np.uint64), lane)
    _, r_bits, *masks = session.deal(ShiftMask(len(x), lane))
    folds, (r, r_high, r_top, *products) = split_masks(masks, len(fold_widths(lane // 2)) - 1)
    z = session.open(y + r)
    kind = z.dtype.type
    h = lane // 2 - 1
    _, borrow = sign_and_borrow(session, narrow(z & kind((1 << h) - 1), lane // 2), r_bits, folds, products)
    carried = to_words(session, BShare(borrow), 64).words
    wrapped = r_top * (np.uint64(1) - (z >> kind(lane - 1)).astype(np.uint64)) << np.uint64(lane - h)
    known = (z >> kind(h)).astype(np.uint64) + words_of(start)
    found: Array = session.public(known) - r_high - carried + wrapped
    return found


def divide(
    session: Session, numerator: Array, denominator: Array, bits: int, lane: int, step: int = 1
) -> tuple[Array, Array]:
    """floor(numerator / denominator) and the rest, for words [n] >= 0 and > 0, n a multiple of 8, quotients < 2^bits.

    Restoring division, `step` bits of the quotient at a time: 2^bits * denominator and its negative must fit the lane.
    For every step the rounds of a comparison and one; 2^step - 1 multiples are compared at once. Where the denominator
    is 0 the quotient is 2^bits - 1.
    """
    rest, quotient = numerator, np.zeros_like(numerator)
    while bits:
        taken = bits % step or step
        bits -= taken
        digit, part = reached(session, rest[None], (denominator << np.uint64(bits))[None], taken, lane)
        rest = rest - part[0]
        quotient = quotient + (digit[0] << np.uint64(bits))
    return quotient, rest


def reached(session: Session, value: Array, divisors: Array, step: int, lane: int) -> tuple[Array, Array]:
    """How many multiples of divisors, from 1 to 2^step - 1 times, values reach, and the last of them: both [m, n].

    The rounds of a comparison in the lane, which holds the differences, and one.
    """
    m, n = value.shape
    times = (1 << step) - 1
    multiples = np.arange(1, times + 1, dtype=np.uint64)[:, None, None] * divisors
    below = negative(session, AShare(narrow(value - multiples, lane).reshape(times * m, n)))
    one = np.full_like(divisors, session.public(np.uint64(1)))
    each = np.broadcast_to(np.stack([one, divisors], axis=1), (times, m, 2, n)).reshape(times * m, 2, n)
    chosen = bit_product(session, BShare(negate(session, below).packed), AShare(each)).words
    total = chosen.reshape(times, m, 2, n).sum(axis=0, dtype=np.uint64)
    return total[:, 0], total[:, 1]


def root(session: Session, x: Array, bits: int, lane: int) -> Array:
    """floor(sqrt(x)) for words [n], 0 <= x < 4^bits, n a multiple of 8; 2^(2 bits + 1) must fit the lane.

    One bit b of the root r at a time: (r + 2^b)^2 = r^2 + 2^(b+1) r + 4^b is at most x just where the rest x - r^2 is
    at least 2^(b+1) r + 4^b. For every bit the rounds of a comparison and one.
    """
    rest, found = x, np.zeros_like(x)
    one = np.full_like(x, session.public(np.uint64(1)))
    for bit in reversed(range(bits)):
        step = (found << np.uint64(bit + 1)) + (one << np.uint64(2 * bit))
        reached = negate(session, negative(session, AShare(narrow(rest - step, lane)[None])))
        chosen = bit_product(session, BShare(reached.packed), AShare(np.stack([step, one])[None])).words[0]
        rest = rest - chosen[0]
        found = found + (chosen[1] << np.uint64(bit))
    return found


def places(session: Session, rest: Array, denominator: Array, count: int, lane: int, step: int = 1) -> Array:
    """floor(rest * 2^count / denominator) for words [n], 0 <= rest < denominator; n a multiple of 8.

    Digit by digit as in `divide`, but here the rest is multiplied by 2^step and stays below the denominator, so that
    2^step times the denominator must fit the lane, however many places there are. The error is below 2^-count. Where
    the denominator is 0 the result means nothing.
    """
    quotient = np.zeros_like(rest)
    while count:
        taken = count % step or step
        count -= taken
        rest = rest << np.uint64(taken)
        digit, part = reached(session, rest[None], denominator[None], taken, lane)
        rest = rest - part[0]
        quotient = (quotient << np.uint64(taken)) + digit[0]
    return quotient
