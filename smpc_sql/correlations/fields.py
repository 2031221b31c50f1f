"""Randomness in prime fields, and zeros with which results are re-randomised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smpc_sql import field, ring
from smpc_sql.correlations.base import Correlation, Part
from smpc_sql.correlations.masks import SignMask
from smpc_sql.ring import Array


@dataclass(frozen=True, slots=True)
class Zero(Correlation):
    """A sharing of zeros, with which result shares are re-randomised: words, packed bits, or field elements."""

    count: int
    lane: int
    xor: int
    field: int
    code: ClassVar[int] = 12

    @property
    def independent(self) -> tuple[Part, ...]:
        return ()

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane, xor=bool(self.xor), field=self.field),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        (part,) = self.dependent
        return [part.view(np.zeros(part.size, dtype=np.uint8))]


@dataclass(frozen=True, slots=True)
class LiftMask(Correlation):
    """To lift words mod 2^64 into a field: SignMask's parts for the 64-bit lane and also r in the field, and daBits
    there.
    """

    rows: int
    field: int
    code: ClassVar[int] = 13

    @property
    def sign(self) -> SignMask:
        """The parts for the comparison that finds the wrap."""
        return SignMask(self.rows, 64)

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows // 8, 8, xor=True), *self.sign.independent

    @property
    def dependent(self) -> tuple[Part, ...]:
        elements = Part(self.rows, field=self.field)
        return elements, elements, *self.sign.dependent

    def relate(self, values: Sequence[Array]) -> list[Array]:
        bits = field.from_words(ring.unpack(values[0]).astype(np.uint64), self.field)
        rest = self.sign.relate(values[1:])
        return [bits, field.from_words(rest[0], self.field), *rest]


@dataclass(frozen=True, slots=True)
class FieldTriple(Correlation):
    """c = a*b in F_(2^field - 1)."""

    count: int
    field: int
    code: ClassVar[int] = 14

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, field=self.field),) * 2

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, field=self.field),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [field.multiply(values[0], values[1], self.field)]


@dataclass(frozen=True, slots=True)
class FieldRandom(Correlation):
    """Random elements of F_(2^field - 1); there is nothing to correct."""

    count: int
    field: int
    code: ClassVar[int] = 15

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, field=self.field),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return ()

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return []
