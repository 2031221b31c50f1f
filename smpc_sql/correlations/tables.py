"""One-time truth tables: one-hot vectors of a random index, of such a one times words, and a word that it chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smpc_sql import ring
from smpc_sql.correlations.base import Correlation, Part
from smpc_sql.ring import Array


@dataclass(frozen=True, slots=True)
class TableMask(Correlation):
    """A one-time truth table [Ishai et al. 2013]: rho mod 2^bits, and its one-hot bits, 2^bits of them a row.

    3 <= bits <= 10; the one-hot vector is one lane of 2^bits bits, or 64-bit lanes [rows, 2^bits/64].
    """

    rows: int
    bits: int
    code: ClassVar[int] = 10

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.rows, ring.lane_for(self.bits)),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        lane = min(1 << self.bits, 64)
        return (Part((self.rows << self.bits) // lane, lane, xor=True),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        lane = min(1 << self.bits, 64)
        dtype = ring.dtype_of(lane)
        rho = values[0] & values[0].dtype.type((1 << self.bits) - 1)
        onehot = np.zeros((self.rows, (1 << self.bits) // lane), dtype=dtype)
        low = np.left_shift(dtype.type(1), (rho & rho.dtype.type(lane - 1)).astype(dtype))
        onehot[np.arange(self.rows), rho >> rho.dtype.type(lane.bit_length() - 1)] = low
        return [onehot.reshape(-1)]


@dataclass(frozen=True, slots=True)
class OneHotSums(Correlation):
    """For group sums: rho mod 2^bits, words a[measures, rows]; onehot(rho) [rows, 2^bits] as words, and
    a*onehot(rho).
    """

    rows: int
    bits: int
    measures: int
    code: ClassVar[int] = 11

    @property
    def key_lane(self) -> int:
        """The lane in which rho is shared."""
        return ring.lane_for(self.bits)

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows, self.key_lane), Part(self.measures * self.rows)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(self.rows << self.bits), Part((self.measures * self.rows) << self.bits)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        slots = 1 << self.bits
        rho = values[0] & values[0].dtype.type(slots - 1)
        words = values[1].reshape(self.measures, self.rows)
        at = np.arange(self.rows)
        onehot = np.zeros((self.rows, slots), dtype=np.uint64)
        onehot[at, rho] = 1
        products = np.zeros((self.measures, self.rows, slots), dtype=np.uint64)
        products[:, at, rho] = words
        return [onehot.reshape(-1), products.reshape(-1)]


@dataclass(frozen=True, slots=True)
class Choice(Correlation):
    """For one of 2^bits words of a row, by XOR-shared rho < 2^bits: words a[k, rows] for k >= 1, the one-hot vector
    [rho = k] of k >= 1 as words [k, rows], and the word that it chooses, a[rho] (0 for rho = 0). All mod 2^32.

    Party `turn` receives.
    """

    rows: int
    bits: int
    turn: int
    code: ClassVar[int] = 20

    @property
    def independent(self) -> tuple[Part, ...]:
        others = (1 << self.bits) - 1
        return Part(self.rows, ring.lane_for(self.bits), xor=True), Part(others * self.rows, 32)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(((1 << self.bits) - 1) * self.rows, 32), Part(self.rows, 32)

    def receiver(self, parties: int) -> int:
        return self.turn

    def relate(self, values: Sequence[Array]) -> list[Array]:
        rho = values[0] & values[0].dtype.type((1 << self.bits) - 1)
        words = values[1].reshape((1 << self.bits) - 1, self.rows)
        onehot = (rho == np.arange(1, 1 << self.bits, dtype=rho.dtype)[:, None]).astype(np.uint32)
        return [onehot.reshape(-1), (onehot * words).sum(axis=0, dtype=np.uint32)]


@dataclass(frozen=True, slots=True)
class DigitCounts(Correlation):
    """For how many rows have each digit: XOR-shared rho < 2^bits and the one-hot vector [rho = k] of k >= 1 [k, rows]
    mod 2^8; and to lift the counts of blocks of 64 rows, r mod 2^8 and the words -r and 2^8*[r >= 2^7] - r mod 2^32.

    `rows` is a multiple of 64. Party `turn` receives.
    """

    rows: int
    bits: int
    turn: int
    code: ClassVar[int] = 26

    @property
    def counts(self) -> int:
        """How many counts of blocks there are."""
        return ((1 << self.bits) - 1) * (self.rows // COUNTED)

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows, ring.lane_for(self.bits), xor=True), Part(self.counts, 8)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(((1 << self.bits) - 1) * self.rows, 8), Part(self.counts, 32), Part(self.counts, 32)

    def receiver(self, parties: int) -> int:
        return self.turn

    def relate(self, values: Sequence[Array]) -> list[Array]:
        rho = values[0] & values[0].dtype.type((1 << self.bits) - 1)
        onehot = (rho == np.arange(1, 1 << self.bits, dtype=rho.dtype)[:, None]).astype(np.uint8)
        low = np.negative(values[1].astype(np.uint32))
        return [onehot.reshape(-1), low, low + ((values[1] >> np.uint8(7)).astype(np.uint32) << np.uint32(8))]


COUNTED = 64
"""Rows of a block: so few that their count, less than 2^7, can be lifted from 2^8 in one round."""
