"""Random bits: their products, and the same bits as words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from smpc_sql import ring
from smpc_sql.correlations.base import Correlation, Part
from smpc_sql.ring import Array


@dataclass(frozen=True, slots=True)
class BitTriple(Correlation):
    """c = a & b on `count` bytes of packed bits."""

    count: int
    code: ClassVar[int] = 5

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, 8, xor=True),) * 2

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, 8, xor=True),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [values[0] & values[1]]


@dataclass(frozen=True, slots=True)
class DaBit(Correlation):
    """Random bits in both sharings [Rotaru-Wood 2019]: packed XOR bits of `rows` rows, and the same bits as words."""

    rows: int
    lane: int
    code: ClassVar[int] = 6

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.rows // 8, 8, xor=True),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.rows, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [ring.unpack(values[0]).astype(ring.dtype_of(self.lane))]


@dataclass(frozen=True, slots=True)
class RandomWords(Correlation):
    """Random words that nobody knows; there is nothing to correct."""

    count: int
    lane: int
    code: ClassVar[int] = 21

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return ()

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return []


@dataclass(frozen=True, slots=True)
class RandomIf(Correlation):
    """For `rows` random bits beta (packed) and random words r: r*beta."""

    rows: int
    lane: int
    code: ClassVar[int] = 22

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows // 8, 8, xor=True), Part(self.rows, self.lane)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.rows, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [ring.unpack(values[0]).astype(ring.dtype_of(self.lane)) * values[1]]


@dataclass(frozen=True, slots=True)
class BitProduct(Correlation):
    """For `rows` random bits beta (packed per group of rows) and words a[measures, rows]: beta as words, and a*beta.

    `groups` independent bit columns of `rows` rows each, every one with its own `measures` words.
    """

    groups: int
    rows: int
    measures: int
    lane: int
    code: ClassVar[int] = 7

    @property
    def independent(self) -> tuple[Part, ...]:
        bits = Part(self.groups * self.rows // 8, 8, xor=True)
        return bits, Part(self.groups * self.measures * self.rows, self.lane)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(self.groups * self.rows, self.lane), Part(self.groups * self.measures * self.rows, self.lane)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        bits = ring.unpack(values[0].reshape(self.groups, self.rows // 8)).astype(ring.dtype_of(self.lane))
        words = values[1].reshape(self.groups, self.measures, self.rows)
        return [bits.reshape(-1), (words * bits[:, None, :]).reshape(-1)]
