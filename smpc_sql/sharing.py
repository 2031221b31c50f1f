"""What a share is, and the two acts of an owner and an analyst: split and combine.

`AShare`: additive sharing, the secret is the sum of the parties' words mod 2^lane. `BShare`: XOR sharing of packed
bits. Both offer only what each party can do alone; everything else needs a session and is in `smpc_sql.protocol`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from smpc_sql.randomness import fresh_words
from smpc_sql.ring import Array, lane_of, narrow, words_of


@dataclass(frozen=True, slots=True)
class AShare:
    """One party's additive share: words [...] of one lane."""

    words: Array

    @property
    def lane(self) -> int:
        """Bits of a word."""
        return lane_of(self.words)

    def __len__(self) -> int:
        return int(self.words.shape[-1])

    def __bool__(self) -> NoReturn:
        raise TypeError("a share has no truth value: nobody here knows the secret")

    def __add__(self, other: AShare) -> AShare:
        return AShare(self.words + other.words)

    def __sub__(self, other: AShare) -> AShare:
        return AShare(self.words - other.words)

    def __neg__(self) -> AShare:
        return AShare(np.negative(self.words))

    def scale(self, factor: int) -> AShare:
        """Times a public integer."""
        return self if factor == 1 else AShare(self.words * words_of(factor, self.lane))

    def narrow(self, lane: int) -> AShare:
        """The secret mod 2^lane, local."""
        return AShare(narrow(self.words, lane))

    def sum(self) -> AShare:
        """The sum over the last axis, kept as an axis of length 1."""
        return AShare(self.words.sum(axis=-1, keepdims=True, dtype=self.words.dtype))


@dataclass(frozen=True, slots=True)
class BShare:
    """One party's XOR share of bits: packed bytes [..., n/8] as `ring.pack` lays them."""

    packed: Array

    def __len__(self) -> int:
        return 8 * int(self.packed.shape[-1])

    def __bool__(self) -> NoReturn:
        raise TypeError("a share has no truth value: nobody here knows the secret")

    def __xor__(self, other: BShare) -> BShare:
        return BShare(self.packed ^ other.packed)

    def mask(self, bits: Array) -> BShare:
        """AND with public packed bits, local."""
        return BShare(self.packed & bits)


def split_words(words: Array, parties: int) -> list[Array]:
    """Words -> one additive share for each party, mod 2^lane. Any parties - 1 of them are uniform."""
    shares = [fresh_words(words.shape, words.dtype) for _ in range(parties - 1)]
    last = words.copy()
    for share in shares:
        last -= share
    return [*shares, last]


def split_bits(packed: Array, parties: int) -> list[Array]:
    """Packed bits -> one XOR share for each party."""
    shares = [fresh_words(packed.shape, packed.dtype) for _ in range(parties - 1)]
    last = packed.copy()
    for share in shares:
        last ^= share
    return [*shares, last]


def combine_words(shares: Sequence[Array]) -> Array:
    """The sum of additive shares mod 2^lane."""
    total: Array = shares[0].copy()
    for share in shares[1:]:
        total += share
    return total


def combine_bits(shares: Sequence[Array]) -> Array:
    """The XOR of shares of packed bits."""
    total: Array = shares[0].copy()
    for share in shares[1:]:
        total ^= share
    return total
