"""Secret texts cut, joined and changed, as planes of bits (see `spelling`); whatever their lengths are.

A number d of 0 … k is often shared as a *scale*: k bits [k, n/8] of which the first d are set. Its binary digits are
then linear: every multiple of 2^b up to d turns digit b, so digit b is the XOR of the scale's bits 2^b, 2*2^b, 3*2^b, …
"""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.boolean import conjunction
from smpc_sql.protocol.matching import prefix_or
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

_SPACE, _MINUS = 0x20, 0x2D
_CASE = 5  # the bit that tells 'a' from 'A'


def present(session: Session, planes: Array) -> Array:
    """Whether there is a character at each place: the scale of the length, [length, n/8]. 3 rounds."""
    return _negated(session, _all_bits(session, _negated(session, planes)))


def lengths(session: Session, planes: Array) -> Array:
    """How many characters, as words [n]. 4 rounds."""
    bits = to_words(session, BShare(present(session, planes)), 64).words
    total: Array = bits.sum(axis=0, dtype=np.uint64)
    return total


def changed_case(session: Session, planes: Array, upper: bool) -> Array:
    """LOWER or UPPER of ASCII. 5 rounds, 10 ANDs a place.

    A letter of the other case has bit 6, bit 5 as that case has it, and a number of 1 to 26 = 11010 in the lower five
    bits: not 0, and not above, which is b4 b3 (b2 or b1 b0).
    """
    b = [planes[:, i] for i in range(7)]
    other = b[_CASE] if upper else _negated(session, b[_CASE])
    low, high, or23, case = _and(session, (b[1], b[0]), (b[4], b[3]), (b[2], b[3]), (b[6], other))
    or23 = or23 ^ b[2] ^ b[3]
    or01 = low ^ b[0] ^ b[1]
    (mixed, some) = _and(session, (b[2], low), (or01, or23))
    over, some4 = _and(session, (high, mixed ^ b[2] ^ low), (some ^ or01 ^ or23, b[4]))
    number = some4 ^ some ^ or01 ^ or23 ^ b[4]
    (inside,) = _and(session, (number, _negated(session, over)))
    (letter,) = _and(session, (inside, case))
    result = planes.copy()
    result[:, _CASE] ^= letter
    return result


def joined(session: Session, left: Array, right: Array) -> Array:
    """left || right: the right text moved behind the left one's end. 3 rounds, and one for each digit of a length."""
    moved = np.concatenate([right, np.zeros((len(left), *right.shape[1:]), dtype=np.uint8)])
    moved = shifted(session, moved, present(session, left), -1)
    moved[: len(left)] ^= left
    return moved


def affixed(session: Session, planes: Array, before: bytes, after: bytes) -> Array:
    """before || text || after, which are public; local without `after`. 3 rounds with it.

    The text ends at place e where the scale of its length has its last bit, a difference of neighbours: behind it a
    known character's bits are that difference or 0.
    """
    length, width, eighth = planes.shape
    size = len(before) + length + len(after)
    result = np.zeros((size, width, eighth), dtype=np.uint8)
    result[len(before) : len(before) + length] = planes
    for place, c in enumerate(before):
        result[place] ^= _known(session, c, width)
    if after:
        scale = present(session, planes)
        start = np.full((1, eighth), session.public(np.uint8(255)), dtype=np.uint8)
        ends = np.concatenate([start, scale]) ^ np.concatenate([scale, np.zeros_like(start)])
        for place, c in enumerate(after):
            first = len(before) + place
            for bit in range(width):
                if c >> bit & 1:
                    result[first : first + length + 1, bit] ^= ends
    return result


def clipped(session: Session, planes: Array, size: int, offset: int) -> Array:
    """The first `size` places; place i stays if there is a character at i + offset, or that is below 0. 4 rounds."""
    scale = present(session, planes)
    head = planes[:size].copy()
    first = max(0, -offset)  # before it everything stays
    if first >= size:
        return head
    kept = scale[first + offset : size + offset]
    head[first + len(kept) :] = 0
    if len(kept):
        some = head[first : first + len(kept)]
        (some[...],) = _and(session, (some, np.broadcast_to(kept[:, None], some.shape)))
    return head


def tail(session: Session, planes: Array, size: int) -> Array:
    """The last `size` characters, or all if there are fewer. 3 rounds, and one for each digit of what may be cut."""
    scale = present(session, planes)
    return shifted(session, planes, scale[size:], 1)[:size]


def trimmed(session: Session, planes: Array, left: bool, right: bool, character: int = _SPACE) -> Array:
    """Without the spaces, or the characters of another code, at its ends.

    At the right a place stays if from there on something else than a space comes: a suffix OR. At the left the spaces
    before anything else are a scale of how far the text moves.
    """
    scale, spaces = present(session, planes), _all_of(session, planes, character)
    if left:
        leading = _negated(session, prefix_or(session, _negated(session, spaces)))
    if right:
        stays = prefix_or(session, (scale ^ spaces)[::-1])[::-1]
        (planes,) = _and(session, (planes, np.broadcast_to(stays[:, None], planes.shape)))
    return shifted(session, planes, leading, 1) if left else planes


def numeral(session: Session, planes: Array, signed: bool, kept: int) -> Array:
    """A number that fills its text -> without zeros in front of the last `kept` characters, and without a +.

    signed: the first character is + (2B) or - (2D), which bit 2 tells; else there is none. A digit is 0 where its lower
    four bits are. The zeros in front of any other digit are a scale of how far the digits move to the start; then they
    move back by one where a - stands before them.
    """
    digits = planes[1:] if signed else planes
    zero = _all_bits(session, _negated(session, digits[: len(digits) - kept, :4]))
    if len(zero):
        leading = _negated(session, prefix_or(session, _negated(session, zero)))
        digits = shifted(session, digits, leading, 1)
    if not signed:
        return digits
    negative = planes[:1, 2]
    result = shifted(session, np.concatenate([digits, np.zeros_like(planes[:1])]), negative, -1)
    for bit in range(planes.shape[1]):
        if _MINUS >> bit & 1:
            result[0, bit] ^= negative[0]
    return result


def _all_of(session: Session, planes: Array, character: int) -> Array:
    """Where a character stands. 3 rounds."""
    width = planes.shape[1]
    return _all_bits(session, planes ^ _known(session, character ^ 0xFF, width))


def _known(session: Session, c: int, width: int) -> Array:
    """A public character at every row, as a share: [width, 1]."""
    bits = np.array([255 if c >> bit & 1 else 0 for bit in range(width)], dtype=np.uint8)[:, None]
    return bits if session.first else np.zeros_like(bits)


def _negated(session: Session, bits: Array) -> Array:
    flipped: Array = bits ^ session.public(np.uint8(255))
    return flipped


def _and(session: Session, *pairs: tuple[Array, Array]) -> list[Array]:
    return [bits.packed for bits in conjunction(session, [(BShare(x), BShare(y)) for x, y in pairs])]


def _all_bits(session: Session, planes: Array) -> Array:
    """The AND of each character's bits: [length, width, n/8] -> [length, n/8]. log2 of the width rounds."""
    state = planes
    while state.shape[1] > 1:
        half = state.shape[1] // 2
        (both,) = _and(session, (state[:, :half], state[:, half : 2 * half]))
        state = np.concatenate([both, state[:, 2 * half :]], axis=1)
    bits: Array = state[:, 0]
    return bits


def shifted(session: Session, planes: Array, scale: Array, direction: int) -> Array:
    """The text moved by the number of a scale, to its start (1) or its end (-1): one round a digit."""
    length = len(planes)
    step = 1
    while step <= len(scale):
        digit = np.bitwise_xor.reduce(scale[step - 1 :: step], axis=0)
        moved = np.zeros_like(planes)
        if step < length:
            if direction > 0:
                moved[: length - step] = planes[step:]
            else:
                moved[step:] = planes[: length - step]
        (change,) = _and(session, (planes ^ moved, np.broadcast_to(digit, planes.shape)))
        planes = planes ^ change
        step *= 2
    return planes
