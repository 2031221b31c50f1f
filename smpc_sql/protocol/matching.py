"""LIKE on secret texts: which characters stand where, where a pattern's segments fit, and whether they fit in order.

A pattern is cut at its `%` into segments of bytes, ANY standing for `_`. The first segment stands at the text's start,
the last at its end, and the others wherever they fit first: a text matches if each fits behind the one before.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from smpc_sql.protocol.boolean import conjunction
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

ANY = -1
"""Any one character."""

Segments = tuple[tuple[int, ...], ...]

_END, _SOME = 0, -2  # no character any more; some character
_CASE = 0x20

_Key = TypeVar("_Key", bound=Hashable)


def match(session: Session, planes: Array, segments: Segments, fold: bool) -> Array:
    """Whether texts match a pattern, packed bits; see `spelling` for planes. fold: 'a' matches 'A' (width 7 only).

    A pattern without `%` is one segment, at the start and at the end. Characters take 3 rounds, the segments log2 of
    the longest one's length, each segment in the middle but the first log2 of the text's length, and the end as much.
    For each place: 3 ANDs, up to 3 for each different character, and one for each character of a segment in the middle.
    """
    fits = _spans(segments, len(planes))
    if any(span.high < span.low for span in fits):
        return np.zeros(planes.shape[-1], dtype=np.uint8)
    characters = _characters(session, planes, fits, fold)
    found = _fold_all(session, [characters.terms(span) for span in fits])
    conditions: list[Array] = []
    if segments[0]:
        conditions.append(found.pop(0)[0])
    if found:
        conditions.append(_in_order(session, found))
    if len(conditions) == 2:
        conditions = [bits.packed for bits in conjunction(session, [(BShare(conditions[0]), BShare(conditions[1]))])]
    return conditions[0]


def occurrences(session: Session, planes: Array, needle: bytes) -> Array:
    """At which places a public text starts, no longer than the texts: [length - len(needle) + 1, n/8].

    3 rounds and log2 of the needle's length.
    """
    span = _Span(tuple(needle), 0, len(planes) - len(needle))
    characters = _characters(session, planes, [span], fold=False)
    return _fold_all(session, [characters.terms(span)])[0].copy()


@dataclass(frozen=True, slots=True)
class _Span:
    """A segment, and the first and last place where it may start."""

    tokens: tuple[int, ...]
    low: int
    high: int


def _spans(segments: Segments, length: int) -> list[_Span]:
    """The segments that are not empty, the last one with the text's end behind it."""
    spans = []
    for i, segment in enumerate(segments):
        if not segment and len(segments) > 1:
            continue
        before, behind = sum(map(len, segments[:i])), sum(map(len, segments[i:]))
        tokens = list(segment)
        if tokens and tokens[-1] == ANY:  # what follows a `_` says that it is a character, if anything does
            tokens[-1] = _SOME
        if i == len(segments) - 1:
            tokens.append(_END)
        spans.append(_Span(tuple(tokens), before, before if i == 0 else length - behind))
        if i == 0 and behind > length:
            spans[-1] = _Span(tuple(tokens), 0, -1)
    return spans


@dataclass(frozen=True, slots=True)
class _Characters:
    """Where characters stand: for each of them packed bits [places, n/8], from its first place that matters."""

    places: dict[int, tuple[int, Array]]

    def terms(self, span: _Span) -> list[Array]:
        """For every token that says something, whether it fits if the segment starts at a place of the span."""
        terms = []
        for j, token in enumerate(span.tokens):
            if token != ANY:
                start, bits = self.places[token]
                terms.append(bits[span.low + j - start : span.high + 1 + j - start])
        return terms


def _characters(session: Session, planes: Array, spans: Sequence[_Span], fold: bool) -> _Characters:
    """All characters that the segments name, each at the places where it may stand. 3 rounds."""
    length = len(planes)
    named = [(t, (s.low + j, s.high + j + 1)) for s in spans for j, t in enumerate(s.tokens) if t != ANY]
    ranges = _ranges([*named, *((_END, places) for token, places in named if token == _SOME)])
    wanted = {token: (low, min(high, length)) for token, (low, high) in sorted(ranges.items()) if token != _SOME}
    found = _Decoder(session, planes, fold).decode(wanted)
    ones = session.public(np.full((1, planes.shape[-1]), 255, dtype=np.uint8))
    places: dict[int, tuple[int, Array]] = {}
    for token, bits in found.items():
        low, high = ranges[token]
        if high > length:  # behind the last place every text has ended
            bits = np.concatenate([bits, ones if token == _END else np.zeros_like(ones)])
        places[token] = low, bits
    if _SOME in ranges:
        low, bits = places[_END]
        places[_SOME] = low, bits ^ session.public(np.uint8(255))
    return _Characters(places)


class _Decoder:
    """Characters from their bits: by pairs of bits, then low and high halves, then both."""

    def __init__(self, session: Session, planes: Array, fold: bool) -> None:
        self.session = session
        self.planes = planes
        self.fold = fold
        self.wide = planes.shape[1] == 8

    def decode(self, wanted: dict[int, tuple[int, int]]) -> dict[int, Array]:
        """For every character and its range of places, whether it stands there."""
        if not wanted:
            return {}
        low, high = min(r[0] for r in wanted.values()), max(r[1] for r in wanted.values())
        if low >= high:
            return dict.fromkeys(wanted, self.planes[:0, 0])
        self.planes = self.planes[low:high]
        ranges = {c: (a - low, b - low) for c, (a, b) in wanted.items()}
        self._pairs = self._products()
        lows = _ranges((c & 15, r) for c, r in ranges.items())
        highs = _ranges((self._high(c), r) for c, r in ranges.items())
        halves = self._and(
            [(self._pair(0, v & 3)[a:b], self._pair(1, v >> 2)[a:b]) for v, (a, b) in lows.items()]
            + [self._high_factors(key, a, b) for key, (a, b) in highs.items()]
        )
        low_bits = {v: (r[0], bits) for (v, r), bits in zip(lows.items(), halves, strict=False)}
        high_bits = {k: (r[0], bits) for (k, r), bits in zip(highs.items(), halves[len(lows) :], strict=True)}
        pairs = []
        for c, (a, b) in ranges.items():
            (start, x), (begin, y) = low_bits[c & 15], high_bits[self._high(c)]
            pairs.append((x[a - start : b - start], y[a - begin : b - begin]))
        return dict(zip(ranges, self._and(pairs), strict=True))

    def _and(self, pairs: Sequence[tuple[Array, Array]]) -> list[Array]:
        return [bits.packed for bits in conjunction(self.session, [(BShare(x), BShare(y)) for x, y in pairs])]

    def _bit(self, bit: int, value: int) -> Array:
        plane: Array = self.planes[:, bit]
        return plane if value else plane ^ self.session.public(np.uint8(255))

    def _products(self) -> list[Array]:
        """Bits 0 and 1, 2 and 3, 4 and 5 (and 6 and 7)."""
        count = 4 if self.wide else 3
        even, odd = self.planes[:, 0 : 2 * count : 2], self.planes[:, 1 : 2 * count : 2]
        (found,) = self._and([(even, odd)])
        return [found[:, i] for i in range(count)]

    def _pair(self, number: int, value: int) -> Array:
        """Whether bits 2k and 2k + 1 are those of `value`: linear in their product. Local."""
        product, even, odd = self._pairs[number], self.planes[:, 2 * number], self.planes[:, 2 * number + 1]
        match value:
            case 3:
                return product
            case 1:
                return product ^ even
            case 2:
                return product ^ odd
            case _:
                both: Array = product ^ even ^ odd ^ self.session.public(np.uint8(255))
                return both

    def _high(self, c: int) -> tuple[int, bool]:
        """The high bits of a character, and whether case does not matter."""
        letter = self.fold and chr(c).isascii() and chr(c).isalpha()
        return (c >> 4) & ~(_CASE >> 4) if letter else c >> 4, letter

    def _high_factors(self, key: tuple[int, bool], low: int, high: int) -> tuple[Array, Array]:
        value, letter = key
        if letter:
            return self._bit(4, value & 1)[low:high], self._bit(6, value >> 2 & 1)[low:high]
        top = self._pair(3, value >> 2) if self.wide else self._bit(6, value >> 2 & 1)
        return self._pair(2, value & 3)[low:high], top[low:high]


def _ranges(items: Iterable[tuple[_Key, tuple[int, int]]]) -> dict[_Key, tuple[int, int]]:
    """For every key the range of places that holds all of its ranges."""
    found: dict[_Key, tuple[int, int]] = {}
    for key, (low, high) in items:
        known = found.get(key, (low, high))
        found[key] = min(known[0], low), max(known[1], high)
    return found


def _fold_all(session: Session, groups: Sequence[list[Array]]) -> list[Array]:
    """The AND of each group's terms, all groups side by side. log2 of the largest group's rounds."""
    state = [list(group) for group in groups]
    while any(len(group) > 1 for group in state):
        pairs = [
            (BShare(group[i]), BShare(group[i + len(group) // 2])) for group in state for i in range(len(group) // 2)
        ]
        found = iter(conjunction(session, pairs))
        state = [[*(next(found).packed for _ in range(len(g) // 2)), *g[2 * (len(g) // 2) :]] for g in state]
    return [group[0] for group in state]


def _in_order(session: Session, fits: Sequence[Array]) -> Array:
    """Whether segments fit one behind the other: fits[k][i] is at place i behind the first that segment k may have.

    All have as many places: those before and behind a segment leave it as much room as the others.
    """
    reached = fits[0]
    for fit in fits[1:]:
        before = prefix_or(session, reached)
        (bits,) = conjunction(session, [(BShare(before), BShare(fit))])
        reached = bits.packed
    return _or(session, reached)


def prefix_or(session: Session, bits: Array) -> Array:
    """Row i of [k, n/8] becomes the OR of rows 0 … i. [Sklansky 1960] log2 k rounds, k/2 ANDs each."""
    state = bits ^ session.public(np.uint8(255))
    rows = np.arange(len(state))
    step = 1
    while step < len(state):
        later = rows[rows & step != 0]
        before = (later & ~(step - 1)) - 1
        (both,) = conjunction(session, [(BShare(state[later]), BShare(state[before]))])
        state[later] = both.packed
        step *= 2
    negated: Array = state ^ session.public(np.uint8(255))
    return negated


def _or(session: Session, bits: Array) -> Array:
    """The OR of all rows of [k, n/8]. log2 k rounds."""
    state = bits ^ session.public(np.uint8(255))
    while len(state) > 1:
        half = len(state) // 2
        (both,) = conjunction(session, [(BShare(state[:half]), BShare(state[half : 2 * half]))])
        state = np.concatenate([both.packed, state[2 * half :]])
    negated: Array = state[0] ^ session.public(np.uint8(255))
    return negated
