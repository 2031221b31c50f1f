"""Secret texts searched, split at separators and rewritten, as planes of bits (see `spelling`).

How many matches came before a place is counted in binary digits: digit 0 of a running count is a running XOR; it
carries where a bit meets a digit that is set, and the carries are counted by the next digit in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.boolean import conjunction
from smpc_sql.protocol.characters import kinds
from smpc_sql.protocol.editing import present, shifted
from smpc_sql.protocol.matching import occurrences, prefix_or
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

Changes = Sequence[tuple[Sequence[int], "int | None"]]
"""Codes of characters, and what becomes of each of them: another, or nothing."""


def position(session: Session, planes: Array, needle: bytes) -> Array:
    """Where a public text is first found, counted from 1, or 0: words [n].

    Rounds of `occurrences`, of a prefix OR over the places, and 1: the first place is a difference of neighbours, and
    the digits of its number are XORs of those of which at most one is set.
    """
    some = prefix_or(session, occurrences(session, planes, needle))
    first = some ^ _before(some)
    numbers = np.arange(1, len(first) + 1)
    digits = [_xor(first[numbers >> b & 1 == 1]) for b in range(len(first).bit_length())]
    bits = to_words(session, BShare(np.stack(digits)), 64).words
    total: Array = (bits << np.arange(len(digits), dtype=np.uint64)[:, None]).sum(axis=0, dtype=np.uint64)
    return total


def first_code(session: Session, planes: Array) -> Array:
    """The first character's code, or 0: words [n]. 1 round."""
    bits = to_words(session, BShare(planes[0]), 64).words
    total: Array = (bits << np.arange(len(bits), dtype=np.uint64)[:, None]).sum(axis=0, dtype=np.uint64)
    return total


def part(session: Session, planes: Array, separator: bytes, number: int) -> Array:
    """The text between two separators, by the number of the first (from 1), or counted from the end (from -1).

    A place stays if as many separators as that have ended before it, and none covers it; places where fewer have are a
    scale of how far the text moves. Rounds of `occurrences`, of counting, of comparing the count with a constant, and
    of moving.
    """
    size, wanted = len(separator), abs(number) - 1
    starts = _starts(session, planes, separator)
    covered = _window(starts, 0, size)
    most = len(planes) // size
    if number > 0:
        counts = counted(session, _late(starts, size), most)
        less, equal = compared(session, counts, wanted)
    else:
        # from the end: of those that start behind a place, or end at it or behind
        behind = counted(session, np.concatenate([starts, np.zeros_like(starts[:1])])[::-1], most)[:, ::-1]
        ends = np.concatenate([np.repeat(behind[:, :1], size - 1, axis=1), behind[:, : len(planes) - size + 1]], axis=1)
        _, equal = compared(session, behind[:, 1:], wanted)
        less = _negated(session, compared(session, ends, wanted + 1)[0])
    (inside,) = _and(session, (equal, _negated(session, covered)))
    (kept,) = _and(session, (planes, np.broadcast_to(inside[:, None], planes.shape)))
    return shifted(session, kept, less, 1)[: max(1, len(planes) - wanted * size)]


def replaced(session: Session, planes: Array, old: bytes, new: bytes) -> Array:
    """Every occurrence of a public text as another; from the start on, where occurrences overlap.

    As many characters as both have are changed in place, locally; of what is too much nothing remains, and the rest
    moves up, or it moves apart, and between stand the others. Rounds of `occurrences`, of counting and of moving.
    """
    starts = _starts(session, planes, old)
    length, width = len(planes), planes.shape[1]
    result = planes.copy()
    for place, c in enumerate(old):
        change = c ^ (new[place] if place < len(new) else 0)
        _paint(result, starts, place, change)
    if len(old) == len(new):
        return result
    counts = counted(session, _late(starts, len(old)), length // len(old))
    if len(new) < len(old):
        gone = _window(starts, len(new), len(old))
        return _closed(session, result, gone, counts, len(old) - len(new))
    wider = len(new) - len(old)
    total = length + wider * (length // len(old))
    ends = np.concatenate([np.zeros((len(old) - 1, planes.shape[-1]), dtype=np.uint8), starts])[:length]
    state = np.concatenate([result, ends[:, None], counts.swapaxes(0, 1)], axis=1)
    state = np.concatenate([state, np.zeros((total - length, *state.shape[1:]), dtype=np.uint8)])
    for digit in reversed(range(len(counts))):
        step, kept = wider << digit, width + 1 + digit
        moving, state = state[:, kept], state[:, :kept]
        (leave,) = _and(session, (state, np.broadcast_to(moving[:, None], state.shape)))
        state = state ^ leave
        state[step:] ^= leave[:-step]
    result, ends = state[:, :width].copy(), state[:, width]
    for place, c in enumerate(new[len(old) :], start=1):
        _paint(result, ends, place, c)
    return result


def exchanged(session: Session, planes: Array, changes: Changes) -> Array:
    """Characters of some codes as others, or without them; what is changed is changed once.

    3 rounds for the characters, and 1 where one of several becomes something; without any, rounds of counting and
    moving.
    """
    found = kinds(session, planes, [codes for codes, _ in changes])
    result = planes.copy()
    several = [bits for bits, (codes, _) in zip(found, changes, strict=True) if len(codes) > 1]
    if several:
        others = _negated(session, _xor(np.stack(several)))
        (result,) = _and(session, (planes, np.broadcast_to(others[:, None], planes.shape)))
    for bits, (codes, new) in zip(found, changes, strict=True):
        _paint(result, bits, 0, (codes[0] if len(codes) == 1 else 0) ^ (new or 0))
    gone = [bits for bits, (_, new) in zip(found, changes, strict=True) if new is None]
    if not gone:
        return result
    without = _xor(np.stack(gone))
    return _closed(session, result, without, counted(session, _before(without), len(planes)), 1)


def backwards(session: Session, planes: Array) -> Array:
    """REVERSE: read from the end, where as many places are empty as the text has to move. 3 rounds, 1 a digit."""
    empty = _negated(session, present(session, planes))
    return shifted(session, planes[::-1], empty[::-1], 1)


def padded_left(session: Session, planes: Array, width: int, fill: bytes) -> Array:
    """The first `width` characters behind as much of a public text as there is room: [width, 7, n/8].

    The places that are empty are a scale of how far the text moves, and of how much is filled. 3 rounds, 1 a digit.
    """
    head = planes[:width]
    head = np.concatenate([head, np.zeros((width - len(head), *head.shape[1:]), dtype=np.uint8)])
    empty = _negated(session, present(session, head))[::-1]
    result = shifted(session, head, empty, -1)
    for place in range(width):
        _paint(result[place : place + 1], empty[place : place + 1], 0, fill[place % len(fill)])
    return result


def counted(session: Session, bits: Array, most: int) -> Array:
    """How many of rows 0 … i of [k, n/8] are set, `most` at most: digits [d, k, n/8]. One round for each but the first.

    One AND for each row and digit but the first.
    """
    digits: list[Array] = []
    for digit in range(max(1, most.bit_length())):
        if digit:
            (bits,) = _and(session, (bits, _before(digits[-1])))
        digits.append(np.bitwise_xor.accumulate(bits, axis=0))
    return np.stack(digits)


def compared(session: Session, digits: Array, constant: int) -> tuple[Array, Array]:
    """Whether numbers [d, …] are less than a constant, and whether they equal it. log2 d rounds, 2 ANDs a digit."""
    ones = session.public(np.uint8(255))
    if constant >> len(digits):
        return np.full_like(digits[0], ones), np.zeros_like(digits[0])
    state = []
    for bit, digit in enumerate(digits):
        if constant >> bit & 1:
            state.append((digit ^ ones, digit))
        else:
            state.append((np.zeros_like(digit), digit ^ ones))
    while len(state) > 1:
        pairs = [(state[i + 1][1], np.stack(state[i])) for i in range(0, len(state) - 1, 2)]
        found = _and(session, *((np.broadcast_to(high, low.shape), low) for high, low in pairs))
        folded = [(state[2 * i + 1][0] ^ both[0], both[1]) for i, both in enumerate(found)]
        state = folded + state[2 * len(folded) :]
    return state[0]


def _starts(session: Session, planes: Array, needle: bytes) -> Array:
    """Where a public text starts, [length, n/8]; of those that overlap the first, and then the next behind it.

    It overlaps with itself at its periods alone: places up to the smallest of them are decided together, and among the
    last few at most one is set.
    """
    found = occurrences(session, planes, needle)
    size = len(needle)
    periods = [p for p in range(1, size) if needle.startswith(needle[p:])]
    if periods:
        step = periods[0]
        for start in range(step, len(found), step):
            places = range(start, min(start + step, len(found)))
            taken = np.stack([_xor(found[[i - p for p in periods if p <= i]]) for i in places])
            (clash,) = _and(session, (found[places.start : places.stop], taken))
            found[places.start : places.stop] ^= clash
    return np.concatenate([found, np.zeros((size - 1, *found.shape[1:]), dtype=np.uint8)])


def _late(bits: Array, places: int) -> Array:
    """Bits moved to later places."""
    return np.concatenate([np.zeros((min(places, len(bits)), *bits.shape[1:]), dtype=np.uint8), bits[:-places]])


def _window(starts: Array, low: int, high: int) -> Array:
    """Places that are `low` to `high` - 1 behind a start; no two starts are as near."""
    total = np.zeros_like(starts)
    for place in range(low, high):
        total[place:] ^= starts[: len(starts) - place]
    return total


def _paint(planes: Array, bits: Array, place: int, change: int) -> None:
    """Changes the character `place` places behind every bit that is set. Local."""
    for bit in range(planes.shape[1]):
        if change >> bit & 1:
            planes[place:, bit] ^= bits[: len(planes) - place]


def _closed(session: Session, planes: Array, gone: Array, counts: Array, size: int) -> Array:
    """Without the places that are gone, which are empty already; `size` of them for each that is counted before.

    A place moves by its count, the lowest digit first, so that none moves onto another. [Goodrich 2011] A round for
    each digit, and one.
    """
    width = planes.shape[1]
    (digits,) = _and(session, (counts, np.broadcast_to(_negated(session, gone), counts.shape)))
    state = np.concatenate([planes, digits.swapaxes(0, 1)], axis=1)
    for digit in range(len(counts)):
        step = size << digit
        moving = state[:, width]
        state = np.delete(state, width, axis=1)
        (leave,) = _and(session, (state, np.broadcast_to(moving[:, None], state.shape)))
        state = state ^ leave
        state[: len(state) - step] ^= leave[step:]
    return state


def _before(bits: Array) -> Array:
    """What is known at the place before."""
    return np.concatenate([np.zeros_like(bits[:1]), bits[:-1]])


def _xor(bits: Array) -> Array:
    found: Array = np.bitwise_xor.reduce(bits, axis=0)
    return found


def _negated(session: Session, bits: Array) -> Array:
    flipped: Array = bits ^ session.public(np.uint8(255))
    return flipped


def _and(session: Session, *pairs: tuple[Array, Array]) -> list[Array]:
    return [bits.packed for bits in conjunction(session, [(BShare(x), BShare(y)) for x, y in pairs])]
