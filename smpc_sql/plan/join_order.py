"""In which order inner joins are made: a tree of pairs, the cheapest by estimate, found without looking at a row.

A pair is a lookup where one side is known to be unique on what is compared: the other side keeps its rows, so that the
side of many rows should look up, and small tables should be joined with each other first. Sets of tables, places and
keys are bits of an integer. Up to MOST tables all trees are searched, by the best tree of every set of tables; above,
the cheapest pair comes first. Deterministic: among equals the first one found, in the order of FROM.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from smpc_sql.plan.cost import FURTHER, MOVED_WORD, expand_cost, lookup_cost, pairs_cost
from smpc_sql.plan.relations import MAX_PRODUCT

MOST = 10
"""Tables for which all trees are searched."""

How = Literal["table", "row", "lookup", "many", "pairs"]


@dataclass(frozen=True, slots=True)
class Table:
    """What is joined. keys: places whose values tell its rows apart; an empty key is of one row at most.

    words: how many of its columns somebody reads.
    """

    rows: int
    keys: tuple[int, ...]
    words: int


@dataclass(frozen=True, slots=True)
class Member:
    """One of several expressions that are equal in the result: the tables that it reads, and the place that tells its
    values apart (0 if there is none)."""

    tables: int
    place: int


@dataclass(frozen=True, slots=True)
class Equals:
    """Expressions that are all equal. bits: of a key that holds any of them."""

    members: tuple[Member, ...]
    bits: int

    def within(self, tables: int) -> tuple[Member, ...]:
        """The members that can be computed from these tables."""
        return tuple(member for member in self.members if not member.tables & ~tables)


@dataclass(frozen=True, slots=True)
class Step:
    """A table, or two steps joined. compared: the places of the Equals that are compared.

    row: the right has one row at most, which comes to stand beside all. many: neither side is unique on what is
    compared. pairs: nothing is compared. cost: of all steps below, too.
    """

    tables: int
    rows: int
    keys: tuple[int, ...]
    words: int
    cost: int
    how: How
    parts: tuple[Step, ...] = ()
    compared: tuple[int, ...] = ()

    @property
    def worth(self) -> int:
        """The cost, and what its rows will cost those who read them."""
        return self.cost + self.rows * FURTHER


def cheapest(tables: Sequence[Table], equals: Sequence[Equals], limit: int | None = None) -> Step | None:
    """The tree of all tables; None if some can only be put side by side, and are too large.

    limit: pairs of rows at most that a join of many with many gives, if somebody said so.
    """
    search = _Search(tuple(equals), limit)
    steps = [Step(1 << i, t.rows, t.keys, t.words, 0, "table") for i, t in enumerate(tables)]
    return search.all_trees(steps) if len(steps) <= MOST else search.greedy(steps)


@dataclass(frozen=True, slots=True)
class _Search:
    """found: by a set of tables, a bit for each of the Equals that can be computed from it."""

    equals: tuple[Equals, ...]
    limit: int | None
    found: dict[int, int] = field(default_factory=dict)

    def all_trees(self, steps: list[Step]) -> Step | None:
        best = {step.tables: step for step in steps}
        every = (1 << len(steps)) - 1
        for tables in range(1, every + 1):
            for left, right in _splits(tables):
                a, b, known = best.get(left), best.get(right), best.get(tables)
                if a is None or b is None or (known is not None and a.cost + b.cost >= known.worth):
                    continue
                step = self.pair(a, b)
                if step is not None and (known is None or step.worth < known.worth):
                    best[tables] = step
        return best.get(every)

    def greedy(self, steps: list[Step]) -> Step | None:
        while len(steps) > 1:
            pairs = [self.pair(a, b) for a in steps for b in steps if a is not b]
            found = [step for step in pairs if step is not None]
            if not found:
                return None
            chosen = min(found, key=_haste)
            steps = [*(step for step in steps if step not in chosen.parts), chosen]
        return steps[0]

    def pair(self, left: Step, right: Step) -> Step | None:
        """The right beside the left; None if that takes too many pairs of rows, or is another order's work."""
        tables, below, words = left.tables | right.tables, left.cost + right.cost, left.words + right.words
        if any(key == 0 for key in right.keys):
            cost = below + left.rows * MOVED_WORD * (1 + right.words)
            keys = _fewest((*left.keys, *right.keys) if 0 in left.keys else left.keys)
            return Step(tables, left.rows, keys, words, cost, "row", (left, right))
        both = self._readable(left.tables) & self._readable(right.tables)
        linked = [i for i in range(len(self.equals)) if both >> i & 1]
        compared = self._unique(right, linked) if linked else None
        if compared:
            bits = sum(self.equals[i].bits for i in compared)
            cost = below + lookup_cost(left.rows, right.rows, bits, right.words)
            either = self._unique(left, list(compared)) is not None
            keys = _fewest((*left.keys, *right.keys) if either else left.keys)
            return Step(tables, left.rows, keys, words, cost, "lookup", (left, right), compared)
        if self._unique(left, linked) is not None:
            return None
        return self._many(left, right, tuple(linked))

    def _many(self, left: Step, right: Step, linked: tuple[int, ...]) -> Step | None:
        tables, words, pairs = left.tables | right.tables, left.words + right.words, left.rows * right.rows
        rows = pairs if self.limit is None or not linked else min(self.limit, pairs)
        cost = pairs_cost(left.rows, right.rows, words)
        if rows < pairs or pairs > MAX_PRODUCT:
            if not linked:
                return None
            cost = expand_cost(left.rows, right.rows, sum(self.equals[i].bits for i in linked), words, rows)
        keys = _fewest(tuple(a | b for a in left.keys for b in right.keys))
        how: How = "many" if linked else "pairs"
        return Step(tables, rows, keys, words, left.cost + right.cost + cost, how, (left, right), linked)

    def _readable(self, tables: int) -> int:
        known = self.found.get(tables)
        if known is None:
            known = sum(1 << i for i, e in enumerate(self.equals) if e.within(tables))
            self.found[tables] = known
        return known

    def _unique(self, side: Step, linked: Sequence[int]) -> tuple[int, ...] | None:
        """The fewest bits of what is compared on which a side is unique; None if it is not."""
        places: dict[int, int] = {}
        for i in linked:
            for member in self.equals[i].within(side.tables):
                if member.place:
                    places.setdefault(member.place, i)
        known = 0
        for place in places:
            known |= place
        choices = [tuple(sorted({places[place] for place in _bits(key)})) for key in side.keys if not key & ~known]
        return min(choices, key=lambda chosen: (sum(self.equals[i].bits for i in chosen), chosen), default=None)


def _haste(step: Step) -> tuple[bool, int]:
    """The least is joined first: pairs last, since their rows multiply; then by what it costs more than its parts."""
    return step.how in ("many", "pairs"), step.worth - sum(part.worth for part in step.parts)


def _splits(tables: int) -> Iterator[tuple[int, int]]:
    """Both parts of every way to part a set of tables in two."""
    left = (tables - 1) & tables
    while left:
        yield tables ^ left, left
        left = (left - 1) & tables


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest
        number ^= lowest


def _fewest(keys: tuple[int, ...]) -> tuple[int, ...]:
    """Without keys that hold another; a few of them."""
    distinct = tuple(dict.fromkeys(keys))
    return tuple(key for key in distinct if not any(other != key and not other & ~key for other in distinct))[:16]
