"""Reading numbers from secret texts, as planes of bits (see `spelling`); whatever stands in them."""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.boolean import conjunction
from smpc_sql.protocol.characters import BLANKS, DIGITS, END, kinds
from smpc_sql.protocol.editing import shifted
from smpc_sql.protocol.matching import prefix_or
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

PLUS, MINUS, ZERO = 0x2B, 0x2D, 0x30


def read_number(session: Session, planes: Array, ones: int, decimals: int) -> Array:
    """A sign and the digits of a number: [1 + ones + decimals + 1, 7, n/8], of which the last one is for rounding.

    A number is blanks, a sign or none, digits with a point or none among them, blanks. What is none, or has more than
    `ones` digits in front of the point (but for zeros), has a first character whose lowest bit is 0, and any behind.

    Characters take 3 rounds. Where the text begins and ends, and whether the point has come, are prefix ORs. The digits
    before the point move to the end by as many places as it is away from there, those behind it to the start; both are
    scales (see `editing`).
    """
    length = len(planes)
    digit, blank, end, plus, minus, point = kinds(session, planes, (DIGITS, BLANKS, END, b"+", b"-", b"."))
    something = inverted(session, blank ^ end)
    runs = prefix_or(session, np.stack([inverted(session, blank), point, something[::-1]], axis=1))
    begun, seen, alive = runs[:, 0], runs[:, 1], runs[::-1, 2]
    first = begun ^ _before(begun)
    before, inside, negative, signed, twice, whole = products(
        session,
        (inverted(session, seen), alive),
        (begun, alive),
        (first, minus),
        (first, plus ^ minus),
        (point, _before(seen)),
        (digit, inverted(session, seen)),
    )
    low = planes[:, :4]
    gap, ones_bits, behind_bits = products(
        session, (inside, blank), (low, _each(whole, low)), (low, _each(digit ^ whole, low))
    )
    # the digits behind the point stand backwards, so that both move to the end
    away = np.stack([inverted(session, before)[::-1], inverted(session, seen)], axis=1)[:, :, None]
    moved = shifted(session, np.stack([ones_bits, behind_bits[::-1]], axis=1), away, -1)
    grid, behind = moved[:, 0], moved[::-1, 1][1:]
    strange = something ^ digit ^ point ^ signed
    refused = [strange, twice, gap, grid[: length - ones].reshape(-1, *strange.shape[1:])]
    none = inverted(session, digit)
    valid, empty = every(session, [inverted(session, np.concatenate(refused)), none])
    (valid,) = products(session, (valid, inverted(session, empty)))
    digits = np.zeros((ones + decimals + 1, 4, planes.shape[-1]), dtype=np.uint8)
    digits[:ones] = grid[length - ones :]
    kept = behind[: decimals + 1]
    digits[ones : ones + len(kept)] = kept
    return written(session, valid, np.bitwise_xor.reduce(negative), digits)


def digits(session: Session, planes: Array) -> Array:
    """The number that texts of digits alone stand for: words [n], mod 2^64. 1 round."""
    size, eighth = len(planes), planes.shape[-1]
    bits = to_words(session, BShare(planes[:, :4].reshape(4 * size, eighth)), 64).words
    total = np.zeros(8 * eighth, dtype=np.uint64)
    for place in range(size):
        total *= np.uint64(10)
        for bit in range(4):
            total += bits[4 * place + bit] << np.uint64(bit)
    return total


def written(session: Session, valid: Array, negative: Array, digits: Array) -> Array:
    """A sign where it is valid, and the digits [k, 4, n/8] as characters."""
    result = np.zeros((1 + len(digits), 7, digits.shape[-1]), dtype=np.uint8)
    for bit in range(7):
        result[0, bit] = (valid if PLUS >> bit & 1 else 0) ^ (negative if (PLUS ^ MINUS) >> bit & 1 else 0)
    result[1:, :4] = digits
    result[1:] ^= known(session, ZERO, 7)
    return result


def known(session: Session, c: int, width: int) -> Array:
    """A public character at every row, as a share: [width, 1]."""
    bits = np.array([255 if c >> bit & 1 else 0 for bit in range(width)], dtype=np.uint8)[:, None]
    return bits if session.first else np.zeros_like(bits)


def inverted(session: Session, bits: Array) -> Array:
    """NOT. Local."""
    flipped: Array = bits ^ session.public(np.uint8(255))
    return flipped


def _before(bits: Array) -> Array:
    """What is known at the place before."""
    return np.concatenate([np.zeros_like(bits[:1]), bits[:-1]])


def _each(bits: Array, planes: Array) -> Array:
    """A bit for every plane of its character."""
    return np.broadcast_to(bits[:, None], planes.shape)


def every(session: Session, groups: list[Array]) -> list[Array]:
    """The AND of all rows of each of the groups [k, n/8], side by side. log2 of the longest group's rounds."""
    state = list(groups)
    while any(len(group) > 1 for group in state):
        pairs = [(group[: len(group) // 2], group[len(group) // 2 : len(group) // 2 * 2]) for group in state]
        found = products(session, *pairs)
        state = [np.concatenate([new, old[len(old) // 2 * 2 :]]) for new, old in zip(found, state, strict=True)]
    return [group[0] for group in state]


def products(session: Session, *pairs: tuple[Array, Array]) -> list[Array]:
    """The ANDs of pairs of packed bits of any shapes. 1 round."""
    return [bits.packed for bits in conjunction(session, [(BShare(x), BShare(y)) for x, y in pairs])]
