"""Shuffles: a permutation that one party knows, of rows that nobody does."""

from __future__ import annotations

import struct
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smpc_sql.correlations.base import Correlation, Part
from smpc_sql.errors import InternalError
from smpc_sql.randomness import expand
from smpc_sql.ring import Array


@dataclass(frozen=True, slots=True)
class Shuffle(Correlation):
    """One turn of a shuffle of `rows` rows: party `turn` permutes by its own pi.

    A row has `words` words mod 2^64, `bits` XOR-shared words of a lane, and `places` words mod 2^32; arrays are
    [columns, rows] for each. Every other party j has masks a_j and b_j; party `turn` has pi and receives
    pi(sum a_j) - sum b_j [Chase-Ghosh-Poburinnaya 2020, with a provider].
    """

    rows: int
    words: int
    bits: int
    places: int
    turn: int
    lane: int = 64
    code: ClassVar[int] = 16

    @property
    def masks(self) -> tuple[Part, ...]:
        """The parts of a masked row."""
        return (
            Part(self.words * self.rows),
            Part(self.bits * self.rows, self.lane, xor=True),
            Part(self.places * self.rows, 32),
        )

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows), *self.masks, *self.masks

    @property
    def dependent(self) -> tuple[Part, ...]:
        return self.masks

    def receiver(self, parties: int) -> int:
        return self.turn

    def unused(self, *, whole: bool) -> tuple[int, ...]:
        """The receiver needs no masks; the others nothing but them."""
        return (0, 7, 8, 9) if whole else (1, 2, 3, 4, 5, 6)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        raise InternalError("a shuffle's correction depends on who holds what: see correct")

    def correct(self, expanded: Sequence[list[Array]]) -> list[Array]:
        order = permutation_of(expanded[self.turn][0])
        expanded[self.turn].clear()
        others = [e for i, e in enumerate(expanded) if i != self.turn]
        shares = []
        for i, part in enumerate(self.masks, start=1):
            into, out = part.total([e[i] for e in others]), part.total([e[3 + i] for e in others])
            for e in others:
                e[i] = e[3 + i] = order[:0]
            if part.count:
                _fill(part, into.reshape(-1, self.rows), order, out.reshape(-1, self.rows))
            shares.append(out)
        return shares


@dataclass(frozen=True, slots=True)
class Order(Correlation):
    """The permutation pi of `rows` rows by which party `turn` shuffles columns one by one (`ShuffledColumn`), uint32.

    Only that party and the provider ever work it out.
    """

    rows: int
    turn: int
    code: ClassVar[int] = 24

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.rows, 32),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return ()

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return []

    def expand(self, seed: bytes, use: bytes, *, whole: bool, without: Collection[int] = ()) -> list[Array]:
        return [self.expand_part(seed, use, 0)]

    def expand_part(self, seed: bytes, use: bytes, number: int) -> Array:
        """The permutation, not a share of one."""
        return permutation_in_place(expand(seed, use, 8 * self.rows))


@dataclass(frozen=True, slots=True)
class ShuffledColumn(Correlation):
    """One turn of a shuffle of one column, in a branch of a fork; pi is the `Order` that was dealt `back` acts before
    that fork.

    The column has words of a lane, shared by XOR or not. Every party but `turn` has masks a_j, b_j; party `turn`
    receives pi(sum a_j) - sum b_j.
    """

    rows: int
    turn: int
    lane: int
    xor: int
    back: int
    code: ClassVar[int] = 25

    @property
    def mask(self) -> Part:
        """A masked column."""
        return Part(self.rows, self.lane, xor=bool(self.xor))

    @property
    def independent(self) -> tuple[Part, ...]:
        return self.mask, self.mask

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (self.mask,)

    def receiver(self, parties: int) -> int:
        return self.turn

    def use(self, session: bytes, path: bytes) -> bytes:
        """That of the order, and behind it what tells the columns apart."""
        cut = max(0, len(path) - _BRANCH)
        place = int.from_bytes(path[max(0, cut - _PLACE) : cut], "big") - self.back
        origin = path[: max(0, cut - _PLACE)] + (place % (1 << 8 * _PLACE)).to_bytes(_PLACE, "big")
        whole = Order(self.rows, self.turn).use(session, origin)
        return whole + struct.pack("<BQQQ", *self._head) + path[cut:] + struct.pack("<H", len(whole))

    @property
    def _head(self) -> tuple[int, int, int, int]:
        return self.code, self.lane, self.xor, self.back

    def unused(self, *, whole: bool) -> tuple[int, ...]:
        """The receiver needs no masks; the others nothing but them."""
        return (2,) if whole else (0, 1)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        raise InternalError("a column's correction depends on an order: see permuted")

    def permuted(self, order: Array, others: Sequence[list[Array]]) -> Array:
        """The correction, given pi and the other parties' expansions, which are used up."""
        into, out = (self.mask.total([each[i] for each in others]) for i in range(2))
        for each in others:
            each.clear()
        _fill(self.mask, into[None], order, out[None])
        return out


_PLACE, _BRANCH = 3, 7
"""Bytes of a path: an act's number; a branch's number, and that of an act in it."""


class Orders:
    """The provider's: permutations that were worked out lately, for the other columns of a shuffle. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[bytes, bytes], Array] = {}

    def of(self, kind: ShuffledColumn, seed: bytes, use: bytes) -> Array:
        """The permutation for a use of a column, by the seed of the party whose turn it is."""
        (length,) = struct.unpack("<H", use[-2:])
        whole = use[:length]
        with self._lock:
            order = self._known.pop((seed, whole), None)
            if order is None:
                order = Order(kind.rows, kind.turn).expand_part(seed, whole, 0)
            self._known[seed, whole] = order
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
            return order

    def forget(self, session: bytes) -> None:
        """Of a session that has ended."""
        with self._lock:
            self._known = {key: order for key, order in self._known.items() if not key[1].startswith(session)}


_KEPT = 6


def _fill(part: Part, columns: Array, order: Array, out: Array) -> None:
    """columns [k, n] in an order, minus out, in its place."""
    for column, into in zip(columns, out, strict=True):
        for at in range(0, len(order), _PIECE):  # numpy widens indices to 64 bits, a piece at a time
            rows = slice(at, at + _PIECE)
            into[rows] = part.subtract(np.take(column, order[rows]), into[rows])


_PIECE = 1 << 16


def permutation_of(keys: Array) -> Array:
    """The permutation uint32 [n] that uniform 64-bit keys [n] stand for: their order; equal keys are redrawn.

    The keys are used up. Where the high bits alone hardly ever repeat, they are sorted together with the row number in
    one word: no argsort.
    """
    rows = len(keys)
    while True:
        again = keys[:4].tobytes()
        if _is_short(rows):
            if _sorted_with_rows(keys):
                order = keys.astype(np.uint32)
                order &= np.uint32((1 << _row_bits(rows)) - 1)
                return order
        else:
            order = np.argsort(keys).astype(np.uint32)
            ordered = keys[order]
            if not (ordered[1:] == ordered[:-1]).any():
                return order
        keys = expand(again, b"redrawn", 8 * rows).view(np.uint64)


def permutation_in_place(raw: Array) -> Array:
    """`permutation_of` keys that are given as bytes [8 n], an array of its own: in its memory, which is cut by half."""
    rows = len(raw) // 8
    keys = raw.view(np.uint64)
    again = keys[:4].copy()
    if not _is_short(rows) or not _sorted_with_rows(keys):
        keys[: len(again)] = again
        return permutation_of(keys)
    places, ones = raw.view(np.uint32), np.uint64((1 << _row_bits(rows)) - 1)
    for at in range(0, rows, _PIECE):  # never written where keys are still to be read
        piece = slice(at, min(rows, at + _PIECE))
        places[piece] = keys[piece] & ones
    del keys, places
    raw.resize(4 * rows, refcheck=False)  # nobody has seen it but this function
    return raw.view(np.uint32)


def _row_bits(rows: int) -> int:
    return max(1, rows - 1).bit_length()


def _is_short(rows: int) -> bool:
    """Whether keys hardly ever repeat in the bits that are left beside a row's number."""
    return rows * rows >> 2 < 1 << (64 - _row_bits(rows))


def _sorted_with_rows(keys: Array) -> bool:
    """Sorts keys whose low bits become the row's number; False if other bits repeat. In place."""
    rows, low = len(keys), np.uint64(_row_bits(len(keys)))
    keys >>= low
    keys <<= low
    for at in range(0, rows, _PIECE):
        keys[at : at + _PIECE] |= np.arange(at, min(rows, at + _PIECE), dtype=np.uint64)
    keys.sort()
    for at in range(0, rows, _PIECE):
        high = keys[at : at + _PIECE + 1] >> low
        if (high[1:] == high[:-1]).any():
            return False
    return True
