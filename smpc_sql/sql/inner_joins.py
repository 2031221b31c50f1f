"""Inner joins of many tables, under all conditions on them at once.

Conditions a = b make classes of expressions that are equal in the result, also where nobody wrote it (a = b AND b = c).
plan/join_order.py chooses the tree; a pair compares as few bits as make one side unique, and what else must be equal is
tested as soon as it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from smpc_sql.errors import Unsupported
from smpc_sql.plan.cost import key_bits
from smpc_sql.plan.dependencies import minimal_keys
from smpc_sql.plan.expressions import Equal, Expression, columns_of
from smpc_sql.plan.join_order import Equals, Member, Step, Table, cheapest
from smpc_sql.plan.relations import MAX_PRODUCT, Filter, is_single
from smpc_sql.plan.uniqueness import injective_column
from smpc_sql.sql.hints import Pairs
from smpc_sql.sql.joined import (
    Joined,
    Link,
    crossed,
    expanded,
    links_of,
    located_at,
    looked_up,
    shifted_into,
    unfiltered,
)
from smpc_sql.sql.scope import OUTER


def join_inner(
    sides: Sequence[Joined], pool: Sequence[Expression], names: frozenset[str], pairs: Pairs, text: str
) -> Joined:
    """All sides joined, and the rows for which all conditions are true.

    names: of the columns that somebody reads. pairs: how many a join of many with many has.

    Raises Unsupported, located, where the sides can only be put side by side and are too large.
    """
    if len(sides) == 1:
        return sides[0].filtered(pool)
    classes = _classes(sides, pool)
    rest = [c for c in pool if not any(c in one.conditions for one in classes)]
    step = cheapest([_table(side, names) for side in sides], [one.equals for one in classes], pairs.limit)
    if step is None:
        raise _too_large(sides, pool, text)
    joined, left_over = _Builder(sides, classes, pairs, text).build(step, rest)
    return joined.filtered(left_over)


@dataclass(frozen=True, slots=True)
class _Class:
    """Expressions over places that the conditions make equal, and what they are for the search of an order."""

    expressions: tuple[Expression, ...]
    conditions: tuple[Expression, ...]
    equals: Equals

    def within(self, tables: int) -> list[tuple[Expression, Member]]:
        """Those that can be computed from these tables."""
        pairs = zip(self.expressions, self.equals.members, strict=True)
        return [(e, member) for e, member in pairs if not member.tables & ~tables]


def _classes(sides: Sequence[Joined], pool: Sequence[Expression]) -> list[_Class]:
    groups: list[tuple[list[Expression], list[Expression]]] = []
    for condition in pool:
        if not isinstance(condition, Equal):
            continue
        ends = (condition.left, condition.right)
        if not all(columns_of(end) and max(columns_of(end)) < OUTER for end in ends):
            continue
        if _tables(sides, ends[0]) & _tables(sides, ends[1]):
            continue
        touched = [group for group in groups if any(end in group[0] for end in ends)]
        members = list(dict.fromkeys([*(e for group in touched for e in group[0]), *ends]))
        conditions = [*(c for group in touched for c in group[1]), condition]
        groups = [*(group for group in groups if group not in touched), (members, conditions)]
    return [_class(sides, members, conditions) for members, conditions in groups]


def _class(sides: Sequence[Joined], members: list[Expression], conditions: list[Expression]) -> _Class:
    bounds = members[0].bounds
    found = []
    for member in members:
        bounds = bounds.union(member.bounds)
        place = injective_column(member)
        found.append(Member(_tables(sides, member), 0 if place is None else 1 << place))
    return _Class(tuple(members), tuple(conditions), Equals(tuple(found), key_bits([bounds.size])))


def _tables(sides: Sequence[Joined], expression: Expression) -> int:
    """The sides that an expression reads, as bits."""
    return sum(1 << i for i, side in enumerate(sides) if any(place in side.fields for place in columns_of(expression)))


def _table(side: Joined, names: frozenset[str]) -> Table:
    places = {field: place for place, field in side.fields.items()}
    keys = [key for key in minimal_keys(side.relation) if all(field in places for field in key)]
    if is_single(unfiltered(side.relation)[0]):
        keys = [frozenset()]
    words = sum(field.name.lower().partition("[")[0] in names for field in side.relation.fields)
    return Table(side.relation.max_rows, tuple(sum(1 << places[field] for field in key) for key in keys), words)


@dataclass(frozen=True, slots=True)
class _Builder:
    sides: Sequence[Joined]
    classes: Sequence[_Class]
    pairs: Pairs
    text: str

    def build(self, step: Step, pool: list[Expression]) -> tuple[Joined, list[Expression]]:
        """The step's tables joined, and the conditions that need others, too."""
        if not step.parts:
            alike = [test for one in self.classes for test in _chain(one.within(step.tables))]
            return self.sides[step.tables.bit_length() - 1].filtered(alike), pool
        left_step, right_step = step.parts
        left, pool = self.build(left_step, pool)
        right, pool = self.build(right_step, pool)
        links = [self._link(i, left_step.tables, right_step) for i in step.compared]
        if step.how == "many":
            joined = expanded(left, right, links, self.pairs, self.text)
        else:
            joined = looked_up(left, right, "inner", links) if links else _row_or_pairs(left, right, step)
        equal = [
            condition
            for i, one in enumerate(self.classes)
            for condition in self._tests(one, left_step.tables, right_step.tables, compared=i in step.compared)
        ]
        covered = [c for c in pool if columns_of(c) and joined.covers(c)]
        return joined.filtered([*equal, *covered]), [c for c in pool if c not in covered]

    def _link(self, number: int, left: int, right: Step) -> Link:
        one = self.classes[number]
        keys = 0
        for key in right.keys:
            keys |= key
        mine = one.within(left)[0][0]
        other = min(one.within(right.tables), key=lambda pair: not pair[1].place & keys)[0]
        return Link(mine, other, Equal(mine, other))

    def _tests(self, one: _Class, left: int, right: int, *, compared: bool) -> list[Expression]:
        """What must be equal and is not yet: across the sides if it was not compared, and what reads both."""
        mine, others = one.within(left), one.within(right)
        both = [e for e, member in one.within(left | right) if member.tables & ~left and member.tables & ~right]
        known = [e for e, _ in (mine or others)][:1]
        tests = [Equal(mine[0][0], others[0][0])] if mine and others and not compared else []
        tests += [Equal(a, b) for a, b in zip([*known, *both], [*known, *both][1:], strict=False)]
        return list(tests)


def _chain(members: Sequence[tuple[Expression, Member]]) -> list[Expression]:
    """What makes members that one table has of a class equal: each to the next."""
    expressions = [expression for expression, _ in members]
    return [Equal(a, b) for a, b in pairwise(expressions)]


def _row_or_pairs(left: Joined, right: Joined, step: Step) -> Joined:
    """The right's only row beside all; of one that may be missing where the left's rows stay; else every pair."""
    if step.how == "pairs":
        return crossed(left, right)
    relation, predicate = unfiltered(right.relation)
    if not is_single(relation):
        return looked_up(left, right, "inner", [])
    cross = crossed(left, Joined(relation, right.fields, right.tables))
    if predicate is None:
        return cross
    moved = shifted_into(predicate, len(left.relation.fields), cross.relation)
    return Joined(Filter(cross.relation, moved), cross.fields, cross.tables)


def _too_large(sides: Sequence[Joined], pool: Sequence[Expression], text: str) -> Unsupported:
    """Names the first two tables that nothing joins."""
    pairs = [(a, b) for i, a in enumerate(sides) for b in sides[i + 1 :] if not links_of(a, b, pool)]
    left, right = max(pairs, key=lambda pair: pair[0].relation.max_rows * pair[1].relation.max_rows)
    rows = f"{left.relation.max_rows} and {right.relation.max_rows}"
    what = f"CROSS JOIN of relations of up to {rows} rows: at most {MAX_PRODUCT} rows together are supported"
    return located_at(max((*left.tables, *right.tables), key=lambda leaf: leaf.start), what, text)
