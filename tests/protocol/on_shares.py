"""For the tests of protocol code: secrets to shares and back, and values at the ends of what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from smpc_sql import field, ring
from smpc_sql.protocol.permutation import Rows
from smpc_sql.ring import Array
from smpc_sql.sharing import AShare, BShare, combine_bits, combine_words, split_bits, split_words
from smpc_sql.testing import run_parties

PARTIES = (2, 3, 4, 5)
FEW = settings(max_examples=12, deadline=None, derandomize=True)
"""Every example is a run of all parties and the provider on threads: few of them, and the same ones every time."""

SEEDS = st.integers(0, 2**32 - 1)
PATTERNS = st.sampled_from(["random", "low", "high", "ends", "equal", "zero"])


def run(parties: int, program: Callable[..., Any], *shares: Sequence[Any]) -> list[Any]:
    """The program at every party."""
    return run_parties(parties, program, *shares, timeout=30)


def signed(low: int, high: int, shape: tuple[int, ...], pattern: str, seed: int) -> Array:
    """Integers int64 within [low, high] (64-bit ends too) in a pattern."""
    rng = np.random.default_rng(seed)
    some = rng.integers(low, high, shape, dtype=np.int64, endpoint=True)
    match pattern:
        case "random":
            return some
        case "low" | "high":
            return np.full(shape, low if pattern == "low" else high, dtype=np.int64)
        case "ends":
            ends = np.array([low, high, max(low, -1), 0 if low <= 0 <= high else low, min(high, 1)], dtype=np.int64)
            return rng.choice(ends, shape)
        case "equal":
            return np.full(shape, some.flat[0] if some.size else 0, dtype=np.int64)
        case _:
            return np.zeros(shape, dtype=np.int64)


def some_bits(shape: tuple[int, ...], pattern: str, seed: int) -> Array:
    """0/1 bytes in a pattern."""
    return signed(0, 1, shape, pattern, seed).astype(np.uint8)


def share_words(values: Array, parties: int, lane: int = 64) -> list[AShare]:
    """Integers of any sign -> additive shares in a lane."""
    words = ring.narrow(np.asarray(values).astype(np.uint64), lane)
    return [AShare(share) for share in split_words(words, parties)]


def share_bits(bits: Array, parties: int) -> list[BShare]:
    """0/1 bytes [..., n] -> XOR shares."""
    return [BShare(share) for share in split_bits(ring.pack(bits), parties)]


def share_field(values: Sequence[int], exponent: int, parties: int) -> list[Array]:
    """Integers of any sign -> additive shares mod 2^exponent - 1, limbs [n, limbs]."""
    rng = np.random.default_rng(0)
    size = (len(values), field.limbs(exponent))
    shares = [field.from_uniform(rng.integers(0, 1 << 64, size, dtype=np.uint64), exponent) for _ in range(parties - 1)]
    last = field.from_integers(values, exponent)
    for share in shares:
        last = field.subtract(last, share, exponent)
    return [*shares, last]


def share_xor(words: Array, parties: int) -> list[Array]:
    """Words of any lane -> XOR shares."""
    return [
        share.view(words.dtype).reshape(words.shape) for share in split_bits(words.reshape(-1).view(np.uint8), parties)
    ]


def share_rows(words: Array, bits: Array, places: Array, parties: int) -> list[Rows]:
    """Columns of the three kinds [w, n], [b, n], [p, n] -> shares of rows."""
    parts = (split_words(words, parties), share_xor(bits, parties), split_words(places, parties))
    return [Rows(*mine) for mine in zip(*parts, strict=True)]


def rows_found(shares: Sequence[Rows]) -> tuple[Array, Array, Array]:
    """Shares of rows -> the columns of the three kinds."""
    return (
        combine_words([share.words for share in shares]),
        combine_bits([share.bits for share in shares]),
        combine_words([share.places for share in shares]),
    )


def words_of(shares: Sequence[AShare]) -> Array:
    """The secret words, unsigned."""
    return combine_words([share.words for share in shares])


def integers_of(shares: Sequence[AShare]) -> Array:
    """The secret words in two's complement."""
    words = words_of(shares)
    return words.view(f"<i{words.dtype.itemsize}")


def bits_of(shares: Sequence[BShare]) -> Array:
    """The secret bits, 0/1 bytes."""
    return ring.unpack(combine_bits([share.packed for share in shares]))


def field_of(shares: Sequence[Array], exponent: int) -> list[int]:
    """The secret field elements in [0, p)."""
    total = sum(field.to_integers(share) for share in shares)
    return [int(value) % field.modulus(exponent) for value in total]


def wrapped(values: Array, lane: int) -> Array:
    """Integers of any size mod 2^lane, in two's complement."""
    words = ring.narrow(np.asarray(values).astype(np.uint64), lane)
    return words.view(f"<i{lane // 8}")
