"""Shuffles: a permutation that one party knows, of rows that nobody does."""

from __future__ import annotations

from collections.abc import Sequence
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
    low = np.uint64(max(1, rows - 1).bit_length())
    short = rows * rows >> 2 < 1 << (64 - int(low))
    while True:
        again = keys[:4].tobytes()
        if short:
            ordered = keys
            ordered >>= low
            ordered <<= low
            ordered |= np.arange(rows, dtype=np.uint32)
            ordered.sort()
            order = ordered.astype(np.uint32)
            order &= np.uint32((1 << int(low)) - 1)
            ordered >>= low
        else:
            order = np.argsort(keys).astype(np.uint32)
            ordered = keys[order]
        if not (ordered[1:] == ordered[:-1]).any():
            return order
        keys = expand(again, b"redrawn", 8 * rows).view(np.uint64)
