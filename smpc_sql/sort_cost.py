"""What sorting costs, in nanoseconds, and which way is the cheapest: estimates with parties on one machine.

There are three ways (`protocol/sorting.py`, `protocol/dense_ranks.py`): by all pairs of few rows, digit by digit, and
by the ranks of pieces of a long key. What is chosen depends on public sizes only, so that all parties choose alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

ROUND = 500_000
"""A round: the way of a message and back, and what is done around it for few rows."""

_PAIR_BYTE = 60
"""A byte of two rows' keys that are compared."""
_PASS = 180
"""A row in a pass by one digit."""
_CARRIED_BYTE = 3
"""A byte of a key that waits for its digit while a row passes."""
_RANK = 600
"""A row of a piece that is replaced by its rank, after it has been sorted."""
_LEAST, _MOST = 8, 256
"""Bits of a piece."""

FEW_ROWS = 1 << 12
"""Up to so many rows a pass costs its rounds, above it its bytes."""


def digit_bits(rows: int) -> int:
    """How many bits one pass of a sort takes at most: 4 of few rows, 3 of many.

    A key of 17 bits and 2 parties: 313, 229, 237, 275 bytes sent and 456, 304, 286, 316 dealt a row, in 85, 45, 30, 25
    rounds, for digits of 1 … 4 bits.
    """
    return 4 if rows <= FEW_ROWS else 3


def pairs_cost(rows: int, widths: Sequence[int], parties: int) -> int:
    """Comparing all pairs of rows by a key of parts of so many bits."""
    used = [width for width in widths if width]
    lane = max(8, 1 << (max(used, default=1) - 1).bit_length())
    rounds = parties + 9 + len(used).bit_length()
    return rounds * ROUND + rows * (rows - 1) // 2 * len(used) * lane // 8 * _PAIR_BYTE


def digits_cost(rows: int, bits: int, parties: int) -> int:
    """A pass for each digit; what is left of the key moves on."""
    return _passes_cost(rows, 1, bits, parties)


def _passes_cost(rows: int, pieces: int, bits: int, parties: int) -> int:
    """The same of so many lists side by side."""
    passes = -(-bits // digit_bits(rows * pieces))
    carried = passes * (bits // 16) * _CARRIED_BYTE
    return passes * (parties + 3) * ROUND + rows * pieces * (passes * _PASS + carried)


@lru_cache(maxsize=4096)
def by_ranks(rows: int, bits: int, parties: int) -> tuple[int, tuple[int, ...]]:
    """The cheapest sort by digits, with nothing or something ranked before: its cost, and in how many pieces the key is
    cut at each level.
    """
    best: tuple[int, tuple[int, ...]] = digits_cost(rows, bits, parties), ()
    if rows < 2:
        return best
    short = (rows - 1).bit_length()
    seen = 0
    for width in range(max(_LEAST, short + 1), min(bits // 2, _MOST) + 1):
        pieces = -(-bits // width)
        if pieces == seen or pieces * short * 4 > bits * 3:
            continue  # the same pieces, filled up with zeros; or too little gained
        seen = pieces
        cost = _passes_cost(rows, pieces, -(-bits // pieces), parties) + _ranking_cost(rows, pieces, parties)
        if cost >= best[0]:
            continue
        rest, levels = by_ranks(rows, pieces * short, parties)
        best = min(best, (cost + rest, (pieces, *levels)))
    return best


def _ranking_cost(rows: int, pieces: int, parties: int) -> int:
    return (3 * (parties + 1) + 13) * ROUND + rows * pieces * _RANK


def sort_cost(rows: int, widths: Sequence[int], parties: int = 2) -> int:
    """The cheapest way to sort by a key of parts of so many bits."""
    return min(pairs_cost(rows, widths, parties), by_ranks(rows, sum(widths), parties)[0])
