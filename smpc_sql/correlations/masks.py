"""Masks of words whose bits are shared too: for comparisons, tests of equality and decompositions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smpc_sql import ring
from smpc_sql.correlations.base import Correlation, Part
from smpc_sql.ring import Array


def fold_widths(lane: int) -> tuple[int, ...]:
    """The widths to which a lane is folded: lane/2, …, 2, 1."""
    return tuple(lane >> step for step in range(1, lane.bit_length()))


def _fold_parts(rows: int, lane: int, *, second: bool) -> list[tuple[Part, Part]]:
    """For each fold of `rows` lanes: the masks a of one half, and b or (b, c) of what it is ANDed with."""
    levels = []
    for width in fold_widths(lane):
        count, words = (rows, width) if width >= 8 else (rows * width // 8, 8)
        masks = Part(count * (2 if second and width > 1 else 1), words, xor=True)
        levels.append((Part(count, words, xor=True), masks))
    return levels


def _fold_products(levels: Sequence[tuple[Array, Array]]) -> list[Array]:
    return [(masks.reshape(len(masks) // max(1, len(a)), len(a)) & a).reshape(-1) for a, masks in levels]


def _pairs(values: Sequence[Array]) -> list[tuple[Array, Array]]:
    return list(zip(values[0::2], values[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class SignMask(Correlation):
    """For comparisons in a lane: r as bits (XOR-shared, bit i where i's bits reversed point) and as a word mod 2^lane
    (an edaBit [Escudero et al. 2020]), the products q of r's neighbouring bits (its upper half & its lower half, so
    that the first fold needs no word), and for each further fold of a lane to its half the masks a, (b, c) with a&b
    and a&c.

    `rows` is a multiple of 8. Halves of 4 bits stand two to a byte, those of the first rows low.
    """

    rows: int
    lane: int
    code: ClassVar[int] = 8

    @property
    def independent(self) -> tuple[Part, ...]:
        folds = _fold_parts(self.rows, self.lane, second=True)[1:]
        return Part(self.rows, self.lane, xor=True), *(part for level in folds for part in level)

    @property
    def dependent(self) -> tuple[Part, ...]:
        (neighbours, _), *folds = _fold_parts(self.rows, self.lane, second=True)
        return Part(self.rows, self.lane), neighbours, *(level[1] for level in folds)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [ring.bit_reverse(values[0]), _neighbours(values[0], self.lane), *_fold_products(_pairs(values[1:]))]


def _neighbours(r_bits: Array, lane: int) -> Array:
    """The upper half of every lane & the lower half."""
    found: Array = r_bits >> r_bits.dtype.type(lane // 2)
    found &= r_bits
    if lane > 8:
        return found.astype(ring.dtype_of(lane // 2))
    half = len(found) // 2
    found[:half] |= found[half:] << np.uint8(4)
    return found[:half]


@dataclass(frozen=True, slots=True)
class ZeroMask(Correlation):
    """For tests of equality in a lane: r as bits and as a word, the products of the upper and the lower half of its
    bits as in SignMask, and for each further fold masks a, b with a&b."""

    rows: int
    lane: int
    code: ClassVar[int] = 9

    @property
    def independent(self) -> tuple[Part, ...]:
        folds = _fold_parts(self.rows, self.lane, second=False)[1:]
        return Part(self.rows, self.lane, xor=True), *(part for level in folds for part in level)

    @property
    def dependent(self) -> tuple[Part, ...]:
        folds = _fold_parts(self.rows, self.lane, second=False)
        return Part(self.rows, self.lane), *(level[1] for level in folds)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [values[0].copy(), _neighbours(values[0], self.lane), *_fold_products(_pairs(values[1:]))]


@dataclass(frozen=True, slots=True)
class PrefixMask(Correlation):
    """For the bits of a word: r as bits (XOR-shared, in order) and as a word mod 2^lane, the products of every bit of r
    and the one below, and for each of log2(lane) - 1 steps masks a, (b, c) in the lane with a&b and a&c; in the last
    only b."""

    rows: int
    lane: int
    code: ClassVar[int] = 19

    @property
    def steps(self) -> int:
        """How often prefixes double after the first time."""
        return self.lane.bit_length() - 2

    @property
    def independent(self) -> tuple[Part, ...]:
        one, two = Part(self.rows, self.lane, xor=True), Part(2 * self.rows, self.lane, xor=True)
        return one, *((one, two) * (self.steps - 1)), one, one

    @property
    def dependent(self) -> tuple[Part, ...]:
        one, two = Part(self.rows, self.lane, xor=True), Part(2 * self.rows, self.lane, xor=True)
        return Part(self.rows, self.lane), one, *((two,) * (self.steps - 1)), one

    def relate(self, values: Sequence[Array]) -> list[Array]:
        r = values[0]
        return [r.copy(), r & r << r.dtype.type(1), *_fold_products(_pairs(values[1:]))]


@dataclass(frozen=True, slots=True)
class ShiftMask(Correlation):
    """To shift words below 2^(lane-1) by lane/2 - 1 bits: SignMask's parts for half the lane, whose bits but the top
    one are the low bits of r; r mod 2^lane as a word, and r >> (lane/2 - 1) and r >> (lane-1), each mod 2^64.
    """

    rows: int
    lane: int
    code: ClassVar[int] = 23

    @property
    def sign(self) -> SignMask:
        """The parts for the comparison of the low bits."""
        return SignMask(self.rows, self.lane // 2)

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows, self.lane, xor=True), *self.sign.independent

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(self.rows, self.lane), Part(self.rows), Part(self.rows), *self.sign.dependent[1:]

    def relate(self, values: Sequence[Array]) -> list[Array]:
        low, *products = self.sign.relate(values[1:])
        kind = values[0].dtype.type
        bits = kind(self.lane // 2 - 1)
        r = (values[0] >> bits << bits) | (low.astype(values[0].dtype) & ((kind(1) << bits) - kind(1)))
        return [r, (r >> bits).astype("<u8"), (r >> kind(self.lane - 1)).astype("<u8"), *products]
