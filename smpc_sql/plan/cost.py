"""What operators cost, in nanoseconds: estimates to choose by, from `python -m benchmarks.primitives` with 2 parties on
one machine. The exact rounds and bytes of a plan are the dry run's to tell.
"""

from __future__ import annotations

from collections.abc import Iterable

from smpc_sql import sort_cost as sorts

ROUND = sorts.ROUND
VECTOR_WORD = 10
"""A word of a row's dealt vector of all groups: dealt, multiplied, added up."""
COMPARED = 150
"""A row in the tournament of one group."""
MOVED_WORD = 40
"""A word of a row that is moved once."""
PAIR = 100
"""A pair of rows whose keys are compared."""
FURTHER = 2_000
"""A row of a result, for whatever is done with it later."""


def sort_cost(rows: int, bits: int) -> int:
    """Sorting by a key of so many bits: by digits, or of few rows by all pairs."""
    return sorts.sort_cost(rows, [*[64] * (bits // 64), bits % 64])


def lookup_cost(left: int, right: int, bits: int, words: int) -> int:
    """A lookup join: both sides' keys sorted together, the right's words moved three times, the keys compared."""
    rows = left + right
    return sort_cost(rows, bits + 1) + rows * MOVED_WORD * (3 * words + 12) + 40 * ROUND


def pairs_cost(left: int, right: int, words: int) -> int:
    """All pairs of rows side by side, and a condition on each."""
    return left * right * (PAIR + 4 * words) + 10 * ROUND


def expand_cost(left: int, right: int, bits: int, words: int, slots: int) -> int:
    """A join of many with many: both sides' keys sorted together, counted, and either side expanded to the slots."""
    rows = left + right
    moved = MOVED_WORD * (3 * words + 24)
    return sort_cost(rows, bits + 1) + rows * MOVED_WORD * 60 + (rows + 2 * slots) * moved + 140 * ROUND


def key_bits(sizes: Iterable[int]) -> int:
    """The bits of a key of columns that take so many values each."""
    return sum((size - 1).bit_length() for size in sizes)
