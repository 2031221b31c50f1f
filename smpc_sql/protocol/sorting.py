"""Sorting by secret keys, and what an order is good for. Everything has a fixed transcript: it depends on sizes only.

A key is XOR-shared bits, and is sorted digit by digit from the least significant (radix): each pass moves the rows to
destinations that are prefix sums of the digit's one-hot vector. [Hamada-Ikarashi-Chida-Takahashi 2014; Asharov et al.
2022; digits of several bits here by a dealt choice]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from smpc_sql.correlations.tables import Choice
from smpc_sql.protocol.columns import Shares, are_many, routed_columns
from smpc_sql.protocol.counting import digit_counts, turned
from smpc_sql.protocol.permutation import Rows, routed, rows_of
from smpc_sql.protocol.ranking import ranks_by_pairs
from smpc_sql.ring import Array, dtype_of, lane_for
from smpc_sql.session import Session
from smpc_sql.sort_cost import digit_bits

_Word = tuple[Array, list[int]]
"""A word of a key, and the widths of the digits in it, the lowest first."""

_CHUNK = 1 << 15  # rows that a choice works on at once: what is dealt for them is seven words a row
_SMALL = 1 << 14  # the same of many rows
_COUNTED = 1 << 16  # rows that are counted at once


def partition_destinations(session: Session, digits: Array, bits: int = 1, groups: int = 1) -> Array:
    """Where rows go if those of digit 0 come first, then those of 1, and so on, each in its old order: uint32 [n].

    groups: so many lists of equally many rows stand behind each other, and each keeps its places.

    digits: XOR-shared uint8 [n], below 2^bits. Dealt (`Choice`): rho, its one-hot vector as words, words a, and a[rho].
    Open z = digit ^ rho: the digit's one-hot vector is that of rho, its places XORed with z. Prefix sums of it are
    local: c[j] is where the row goes if its digit is j. With c' = c, turned alike, open e[k] = c'[k] - c'[0] - a[k];
    then c[digit] = c'[0] + the sum of onehot[k]*e[k] + a[rho]. 2 rounds, 1 byte and 2^bits - 1 words of 32 bits.
    """
    if not len(digits):
        return np.zeros(0, dtype=np.uint32)
    key = partition_destinations, len(digits), bits, groups
    return session.alike(key, lambda session: _destinations(session, digits, bits, groups))


def _destinations(session: Session, digits: Array, bits: int, groups: int) -> Array:
    if groups == 1 and are_many(len(digits)):
        return _destinations_of_many(session, digits, bits)
    each = len(digits) // groups
    chunks = _chunks(digits.reshape(groups, each))
    turns = [_turn(session, i) for i in range(len(chunks))]

    def counted(branch: Session, item: tuple[Array, int]) -> tuple[_Masked, Array]:
        chunk = _masked(branch, item[0], bits, item[1])
        return chunk, chunk.totals(branch)

    found = session.fork(counted, list(zip(chunks, turns, strict=True)), lambda item: (item[0].shape, item[1]))
    masked = [chunk for chunk, _ in found]
    totals = np.concatenate([each for _, each in found], axis=1).reshape(1 << bits, groups, -1)
    del found
    before = _before(session, totals, each)
    ends = np.cumsum([len(chunk) for chunk in chunks])[:-1]
    work = list(zip(masked, np.split(before, ends, axis=1), strict=True))
    return np.concatenate(session.fork(_chosen, work, lambda item: (len(item[0].z), item[1].shape)))


def _destinations_of_many(session: Session, digits: Array, bits: int) -> Array:
    """The rows are counted first, so that nothing but their digits is kept until their places are known."""
    rows = len(digits)

    def counted(branch: Session, number: int) -> Array:
        mine = digits[number * _COUNTED : (number + 1) * _COUNTED]
        return digit_counts(branch, mine, bits, _turn(branch, number), _SMALL)

    def form(size: int, number: int) -> tuple[int, int]:
        return min(size, rows - number * size), _turn(session, number)

    counts = session.fork(counted, range(-(-rows // _COUNTED)), lambda number: form(_COUNTED, number), 2)
    before = _before(session, np.concatenate(counts).T[:, None], rows)
    found = np.empty_like(digits, dtype=np.uint32)

    def chosen(branch: Session, number: int) -> None:
        mine = slice(number * _SMALL, (number + 1) * _SMALL)
        masked = _masked(branch, digits[mine][None], bits, _turn(branch, number))
        found[mine] = _chosen(branch, (masked, before[:, number, None]))

    session.fork(chosen, range(-(-rows // _SMALL)), lambda number: form(_SMALL, number), 2)
    return found


def _turn(session: Session, number: int) -> int:
    """The party that receives what is dealt for a chunk: each in turn, so that none holds all of it."""
    return (-1 - number) % session.parties


def _before(session: Session, totals: Array, each: int) -> Array:
    """Where the rows of each digit begin, less 1, in every chunk of every group of so many rows [2^bits, all chunks];
    of how many rows of a chunk have each digit [2^bits, groups, chunks].
    """
    whole = totals.sum(axis=2, dtype=np.uint32)
    before = np.cumsum(totals, axis=2, dtype=np.uint32) - totals  # rows of the digit in the chunks before,
    before += (np.cumsum(whole, axis=0, dtype=np.uint32) - whole)[:, :, None]  # rows of lower digits,
    starts = np.arange(totals.shape[1], dtype=np.uint32) * np.uint32(each) - np.uint32(1)
    before += session.public(starts)[:, None]  # and the groups before
    return before.reshape(len(totals), -1)


def _chunks(digits: Array) -> list[Array]:
    """Digits of groups [g, n] -> of whole groups, or of parts of one, in their order: [groups, rows] each."""
    groups, each = digits.shape
    together = max(1, _CHUNK // each)
    return [
        digits[at : at + together, row : row + _CHUNK]
        for at in range(0, groups, together)
        for row in range(0, each, _CHUNK)
    ]


@dataclass(slots=True)
class _Masked:
    """A chunk's masked digits [n] of groups (shape [groups, rows]), and what is dealt for them.

    onehot: of the masks. The other parts are made when they are used; what was dealt is then let go.
    """

    shape: tuple[int, ...]
    z: Array
    onehot: Array | None
    part: Callable[[int], Array] | None

    def totals(self, session: Session) -> Array:
        """How many rows of the groups have each digit [2^bits, groups] (shares)."""
        assert self.onehot is not None
        digits = _digits_of(session, self.onehot, self.z).reshape(-1, *self.shape)
        found: Array = digits.sum(axis=2, dtype=np.uint32)
        return found

    def taken(self) -> tuple[Array, Array, Array]:
        """The words a, onehot, and the chosen words; once."""
        onehot, part = self.onehot, self.part
        assert onehot is not None
        assert part is not None
        self.onehot = self.part = None
        return part(1).reshape(onehot.shape), onehot, part(3)


def _masked(session: Session, digits: Array, bits: int, turn: int) -> _Masked:
    part = session.draw(Choice(digits.size, bits, turn))
    z = session.open_bits(digits.reshape(-1) ^ part(0))
    return _Masked(digits.shape, z, part(2).reshape(-1, digits.size), part)


def _chosen(session: Session, work: tuple[_Masked, Array]) -> Array:
    """Where the rows of a chunk go; with where those of each digit, in each of its groups, begin, less 1."""
    chunk, before = work
    a, onehot, chosen = chunk.taken()
    places = _digits_of(session, onehot, chunk.z)
    of_groups = places.reshape(*before.shape, -1)
    np.cumsum(of_groups, axis=2, dtype=np.uint32, out=of_groups)
    of_groups += before[:, :, None]
    places = turned(places, chunk.z)
    start = places[0]
    e = session.open(places[1:] - start - a)
    e *= onehot
    found: Array = e.sum(axis=0, dtype=np.uint32)
    found += start
    found += chosen
    return found


def _digits_of(session: Session, onehot: Array, z: Array) -> Array:
    """The one-hot vectors [2^bits, n] of digits, from those of their masks, of which that of 0 is left out."""
    found = np.empty_like(onehot, shape=(1 + len(onehot), len(z)))
    np.subtract(session.public(np.uint32(1)), onehot.sum(axis=0, dtype=np.uint32), out=found[0])
    found[1:] = onehot
    return turned(found, z)


def partition(session: Session, rows: Rows, bits: Array) -> Rows:
    """The rows whose bit is 0, then the others, stably. See `partition_destinations` and `route`."""
    parts = [rows.words, rows.bits, rows.places]
    del rows
    parts[2] = np.concatenate([parts[2], partition_destinations(session, bits)[None]])
    return routed(session, parts)


@dataclass(frozen=True, slots=True)
class KeyPart:
    """The lowest `width` bits of XOR-shared words [n]: one part of a key."""

    bits: Array
    width: int


def sort_by_pairs(session: Session, key: Sequence[KeyPart]) -> Array:
    """Sorts few rows: every row goes to its rank (see `ranks_by_pairs`). Its rounds, and parties + 1."""
    parts = [part for part in key if part.width]
    kind = dtype_of(lane_for(max(part.width for part in parts))).type
    words = np.stack([part.bits.astype(kind) & kind((1 << part.width) - 1) for part in parts])
    return destinations_of(session, ranks_by_pairs(session, words))


def sort_by_digits(session: Session, key: Sequence[KeyPart]) -> Array:
    """Sorts many rows. For every digit of the key 2 + parties + 1 rounds.

    Only what is left of the key moves on, in the narrowest lane.
    """
    return sort_groups(session, list(key))


def sort_groups(session: Session, key: list[KeyPart], groups: int = 1) -> Array:
    """`sort_by_digits` of so many lists of rows that stand behind each other, each for itself. The key is used up."""
    count = len(key[0].bits)
    words = _packed(key, _digits(sum(part.width for part in key), digit_bits(count)))
    key.clear()
    if are_many(count) and words:
        return _by_columns(session, words, groups)
    start = np.arange(count, dtype=np.uint32)
    ids = start if session.first else np.zeros(count, dtype=np.uint32)
    del start
    while words:
        found, words = _pass(session, words, groups)
        places = np.stack([ids, found])
        del ids, found
        parts = [*_parts(count, [each for each, _ in words]), places]
        widths_left = [ahead for _, ahead in words]
        words.clear()
        del places
        rows = routed(session, parts)
        ids = rows.places[0]
        words = [(each, ahead) for each, ahead in zip(rows.bits, widths_left, strict=False)]
        del rows
    return ids


def _by_columns(session: Session, words: list[_Word], groups: int) -> Array:
    """A sort's passes over many rows: the ids and the words of the key are moved column by column."""
    count = len(words[0][0])
    moved = [np.arange(count, dtype=np.uint32)]
    if not session.first:
        moved[0].fill(0)
    while words:
        places, words = _pass(session, words, groups)
        widths_left = [ahead for _, ahead in words]
        columns = [Shares(moved.pop(), xor=False), *(Shares(each, xor=True) for each, _ in words)]
        columns.append(Shares(places, xor=False))
        words.clear()
        del places
        moved = routed_columns(session, columns)
        words = list(zip(moved[1:], widths_left, strict=True))
        del moved[1:]
    return moved[0]


def _parts(count: int, bits: Sequence[Array]) -> tuple[Array, Array]:
    """No words, and so many bits."""
    none = rows_of(count)
    return none.words, none.bits if not bits else bits[0][None] if len(bits) == 1 else np.stack(bits)


def _pass(session: Session, words: list[_Word], groups: int) -> tuple[Array, list[_Word]]:
    """Where the rows go by the lowest digit, and what is left of the key, in the narrowest lane."""
    (bits, (width, *rest)), *others = words
    words.clear()
    digits = (bits & bits.dtype.type((1 << width) - 1)).astype(np.uint8)
    left = [(bits >> bits.dtype.type(width), rest)] if rest else []
    del bits
    lane = dtype_of(lane_for(max((sum(ahead) for _, ahead in [*left, *others]), default=8)))
    left = [(each.astype(lane, copy=False), ahead) for each, ahead in [*left, *others]]
    del others
    return partition_destinations(session, digits, width, groups), left


def _digits(width: int, most: int) -> list[int]:
    """The bits of every pass, of about the same number each."""
    passes = -(-width // most)
    return [width // passes + (i < width % passes) for i in range(passes)] if passes else []


def _packed(key: Sequence[KeyPart], widths: Sequence[int]) -> list[_Word]:
    """The key's bits in words of at most 64, least significant first, with the widths of the digits in each.

    No digit is torn.
    """
    words: list[list[int]] = []
    for width in widths:
        if words and sum(words[-1]) + width <= 64:
            words[-1].append(width)
        else:
            words.append([width])
    ends = accumulate(map(sum, words))
    return [(bits_at(key, end - sum(digits), sum(digits)), digits) for end, digits in zip(ends, words, strict=True)]


def bits_at(key: Sequence[KeyPart], place: int, width: int) -> Array:
    """Bits place … place + width - 1 of the whole key, 0 being the least significant; in the narrowest lane.

    Behind its end there are zeros.
    """
    kind = dtype_of(lane_for(width)).type
    pieces: list[Array] = []
    start = 0
    for part in reversed(key):
        low, high = max(place, start), min(place + width, start + part.width)
        if low < high:
            piece = (part.bits >> part.bits.dtype.type(low - start)).astype(kind, copy=False)
            piece &= kind((1 << (high - low)) - 1)
            piece <<= kind(low - place)
            pieces.append(piece)
        start += part.width
    found = pieces[0] if pieces else np.zeros(len(key[0].bits), dtype=kind)
    for piece in pieces[1:]:
        found |= piece
    return found


def to_old_places(session: Session, rows: Rows, ids: Array) -> Rows:
    """Sorted rows back to where they stood before the sort that gave `ids`."""
    parts = [rows.words, rows.bits, np.concatenate([rows.places, ids[None]])]
    del rows, ids
    return routed(session, parts)


def destinations_of(session: Session, ids: Array) -> Array:
    """For every old place the row's rank: the inverse of `ids`. A route of one place."""
    count = len(ids)
    ranks = np.arange(count, dtype=np.uint32)
    if are_many(count):
        columns = [Shares(ranks if session.first else np.zeros_like(ranks), xor=False), Shares(ids, xor=False)]
        del ranks, ids
        return routed_columns(session, columns)[0]
    parts = [*_parts(count, ()), np.stack([ranks if session.first else np.zeros_like(ranks), ids])]
    del ranks, ids
    found: Array = routed(session, parts).places[0]
    return found


def in_order(session: Session, rows: Rows, key: Sequence[KeyPart], ids: Array) -> tuple[Rows, Array]:
    """The rows, and their key's parts [parts, n], in the order of the sort by that key that gave `ids`.

    Two routes: of one place, and of the rows with their keys.
    """
    cut = len(rows.bits)
    bits = np.concatenate([rows.bits, *(part.bits[None] for part in key)])
    parts = [rows.words, bits, rows.places]
    del rows, bits, key
    parts[2] = np.concatenate([parts[2], destinations_of(session, ids)[None]])
    del ids
    moved = routed(session, parts)
    return Rows(moved.words, moved.bits[:cut], moved.places), moved.bits[cut:]
