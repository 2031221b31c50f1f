"""Quotients of numbers of many digits by several secrets, exactly: long division as in school, several at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.bits import decompose
from smpc_sql.protocol.division import reached
from smpc_sql.ring import Array, lane_for, narrow, pack
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

DIGIT = 24
"""Bits of a digit, of what is divided and of the quotient."""

_DIGIT_LANE = 32


def divide_digits(
    session: Session, digits: Array, divisors: Array, bits: int, places: int, step: int, width: int
) -> Array:
    """floor(x * 2^places / (d1 * d2 * …)) of numbers x < 2^bits as digits [k, n], the first one first, by words [m, n].

    Divisors are from 1 to 2^width - 1, with width + step below 63; n is a multiple of 8, places of 24; step (1 to 4)
    divides 24. Returns digits of 24 bits, the last one first.

    floor(floor(x / d1) / d2) = floor(x / (d1 * d2)), so each division takes the digits of the one before as they come,
    of `step` bits: r = 2^step * rest + digit is less than 2^step * d, and the next digit is how many of d, 2d, … r
    reaches, all compared at once. Rounds: 6 for the digits' own bits, and for each of ceil(bits / step) + places / step
    + m - 1 steps those of a comparison, and one.
    """
    groups = _groups(session, digits, -(-bits // step), step)
    zero = np.zeros_like(groups[0])
    count, stages = len(groups) + places // step, len(divisors)
    lane = lane_for(width + step + 1)
    found: list[list[Array]] = [[*groups, *[zero] * (places // step)], *([] for _ in range(stages))]
    rest = np.zeros_like(divisors)
    for time in range(count + stages - 1):
        active = [stage for stage in range(stages) if 0 <= time - stage < count]
        value = (rest[active] << np.uint64(step)) + np.stack([found[stage][time - stage] for stage in active])
        digit, taken = reached(session, value, divisors[active], step, lane)
        rest[active] = value - taken
        for stage, mine in zip(active, digit, strict=True):
            found[stage + 1].append(mine)
    return _joined(found[-1], step)


def _groups(session: Session, digits: Array, count: int, step: int) -> list[Array]:
    """The last count * step bits of digits [k, n] as words below 2^step [n], the first one first."""
    k, rows = digits.shape
    bits = decompose(session, narrow(digits.reshape(-1), _DIGIT_LANE)).reshape(k, rows)
    kind = bits.dtype.type
    each = [(bits[-1 - at // DIGIT] >> kind(at % DIGIT)) & kind(1) for at in range(min(count * step, k * DIGIT))]
    packed = np.stack([pack(bit.astype(np.uint8)) for bit in each])
    words = to_words(session, BShare(packed), 64).words
    found = []
    for start in range(0, len(words), step):
        found.append(_weighted(words[start : start + step], 1))
    return found[::-1]


def _joined(found: Sequence[Array], step: int) -> Array:
    """Words below 2^step, the first one first, as digits [count, n], the last one first."""
    each = DIGIT // step
    backwards = found[::-1]
    return np.stack([_weighted(backwards[start : start + each], step) for start in range(0, len(found), each)])


def _weighted(words: Sequence[Array] | Array, step: int) -> Array:
    """The sum of words, each counting 2^step times as much as the one before."""
    total = np.zeros_like(words[0])
    for i, word in enumerate(words):
        total = total + (word << np.uint64(i * step))
    return total
