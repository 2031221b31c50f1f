"""Which fields of a relation follow from others: two valid rows that agree on these agree on those, NULLs being alike.

It follows from declared keys (see docs/sql.md on keys between owners), from groups, from filters, and from
joins, whose left row has one partner at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from smpc_sql.plan.expressions import Column, Equal, Expression, InSet, IsNull, columns_of
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    CrossJoin,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Scan,
    Shared,
    Sort,
    Values,
    Window,
)
from smpc_sql.plan.rules.push_filters import conjuncts
from smpc_sql.plan.uniqueness import Key, injective_column, unique_keys

Fields = frozenset[int]


def determined(relation: Relation, known: Iterable[int]) -> Fields:
    """All fields that follow from the known ones, which are among them."""
    return _Closures({}).of(relation, known)


def follows(relation: Relation, expression: Expression, others: Iterable[Expression]) -> bool:
    """Whether an expression over a relation is the same for all rows that agree on the others."""
    known = [column for other in others if (column := injective_column(other)) is not None]
    return determined(relation, known).issuperset(columns_of(expression))


def _all(relation: Relation) -> Fields:
    return frozenset(range(len(relation.fields)))


@dataclass(frozen=True, slots=True)
class _Closures:
    """seen: what was found already, of which relation (by its place in memory) from which fields."""

    seen: dict[tuple[int, Fields], Fields]

    def of(self, relation: Relation, known: Iterable[int]) -> Fields:
        fields = frozenset(known)
        place = id(relation), fields
        if place not in self.seen:
            self.seen[place] = self._closed(relation, fields)
        return self.seen[place]

    def _closed(self, relation: Relation, fields: Fields) -> Fields:
        if relation.max_rows <= 1:
            return _all(relation)
        keys = [key for key in unique_keys(relation) if not any(relation.fields[i].nullable for i in key)]
        while True:
            more = fields | self._step(relation, fields)
            if any(key <= more for key in keys):
                return _all(relation)
            if more == fields:
                return fields
            fields = more

    def _step(self, relation: Relation, known: Fields) -> Fields:
        """Some of what follows."""
        match relation:
            case Scan() | Values() | Concat():
                return known
            case Sort(source) | Limit(source) | Shared(source):
                return self.of(source, known)
            case Filter(source, predicate):
                return _by_filter(predicate, self.of(source, known))
            case Project(source, expressions):
                return self._by_expressions(source, expressions, known)
            case Aggregate(source, keys):
                groups = self._by_expressions(source, keys, frozenset(i for i in known if i < len(keys)))
                return _all(relation) if len(groups) == len(keys) else groups
            case Window(source):
                return self.of(source, (i for i in known if i < len(source.fields)))
            case CrossJoin(left, right):
                return self._by_sides(left, right, known)
            case Join():
                return self._by_join(relation, known)
            case _:
                assert_never(relation)

    def _by_expressions(self, source: Relation, expressions: tuple[Expression, ...], known: Fields) -> Fields:
        """What is computed from what follows below."""
        columns = [injective_column(expressions[i]) for i in sorted(known)]
        below = self.of(source, (column for column in columns if column is not None))
        return known | {i for i, expression in enumerate(expressions) if below.issuperset(columns_of(expression))}

    def _by_sides(self, left: Relation, right: Relation, known: Fields) -> Fields:
        width = len(left.fields)
        here = self.of(left, (i for i in known if i < width))
        there = self.of(right, (i - width for i in known if i >= width))
        return here | {width + i for i in there}

    def _by_join(self, join: Join, known: Fields) -> Fields:
        """The left's keys find the one row of the right; of an inner join equal keys follow from one another."""
        width, beside = len(join.left.fields), join.carried_fields
        here = known | self.of(join.left, (i for i in known if i < width))
        if join.expansion is None and here.issuperset(columns_of(*join.left_keys)):
            return here | frozenset(range(width, len(join.fields)))
        right = {beside[i - width] for i in known if i >= width and join.kind != "mark"}
        # of a left join: rows without a partner have NULL everywhere, and are told from others by what is never NULL
        if join.kind == "mark" or (join.kind == "left" and all(join.right.fields[i].nullable for i in right)):
            return here
        there = self.of(join.right, right)
        found = set(here) | {width + place for place, i in enumerate(beside) if i in there}
        if join.kind == "inner":
            for mine, other in zip(join.left_keys, join.right_keys, strict=True):
                column = injective_column(mine)
                if column is not None and there.issuperset(columns_of(other)):
                    found.add(column)
        return frozenset(found)


def _by_filter(predicate: Expression, known: Fields) -> Fields:
    """A field that is held to one value, or to be equal to another."""
    found = set(known)
    for term in conjuncts(predicate):
        match term:
            case InSet(Column(index), (_,)) | IsNull(Column(index)):
                found.add(index)
            case Equal(Column(left), Column(right)) if left in found or right in found:
                found |= {left, right}
            case _:
                pass
    return frozenset(found)


def minimal_keys(relation: Relation) -> tuple[Key, ...]:
    """The unique keys, without fields that follow from the others of a key, none of which can be NULL."""
    found = []
    for key in unique_keys(relation):
        kept = key
        for i in sorted(key):
            less = kept - {i}
            if not any(relation.fields[j].nullable for j in key) and i in determined(relation, less):
                kept = less
        found.append(kept)
    return tuple(dict.fromkeys(found))
