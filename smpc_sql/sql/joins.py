"""Joins: from the tables of a FROM clause and all conditions on them to relations in which every row has one partner.

Columns are numbered through in the order of FROM ("places"). Inner joins of many tables are inner_joins.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from smpc_sql.plan.dependencies import minimal_keys
from smpc_sql.plan.expressions import (
    Case,
    Expression,
    Literal,
    Not,
    Or,
    columns_of,
)
from smpc_sql.plan.relations import (
    Concat,
    Filter,
    Project,
    Relation,
    numbered,
    own_columns,
)
from smpc_sql.plan.rules.fold_constants import TRUE, fold
from smpc_sql.plan.rules.push_filters import conjunction, conjuncts
from smpc_sql.sql.hints import Pairs
from smpc_sql.sql.inner_joins import join_inner
from smpc_sql.sql.joined import (
    Inner,
    Joined,
    Leaf,
    Link,
    Outer,
    Tree,
    crossed,
    expanded,
    flipped,
    leaves,
    links_of,
    looked_up,
    unique_links,
)
from smpc_sql.sql.nodes import located
from smpc_sql.sql.scope import OUTER
from smpc_sql.sql.text import equalities


def join_all(tree: Tree, conditions: Iterable[Expression], names: frozenset[str], pairs: Pairs, text: str) -> Joined:
    """The tables joined, and the rows for which all conditions (of WHERE) are true. Raises Unsupported, located.

    names: of the columns that somebody reads, in lower case. pairs: how many a join of many with many has.
    """
    return _Joiner(names, pairs, text).join(tree, _terms(conditions))


def _terms(conditions: Iterable[Expression]) -> list[Expression]:
    terms = [part for condition in conditions for term in conjuncts(fold(condition)) for part in _factored(term)]
    return [part for term in terms for whole in conjuncts(term) for part in equalities(whole)]


def _factored(term: Expression) -> tuple[Expression, ...]:
    """(a AND b) OR (a AND c) as a, b OR c: a may be what joins."""
    if not isinstance(term, Or):
        return (term,)
    branches = [conjuncts(branch) for branch in term.terms]
    common = tuple(part for part in branches[0] if all(part in branch for branch in branches[1:]))
    rest = [tuple(part for part in branch if part not in common) for branch in branches]
    if not common:
        return (term,)
    if any(not branch for branch in rest):
        return common
    return (*common, Or(tuple(conjunction(branch) for branch in rest)))


_NUMBERS = 1 << 20
"""The numbers of a side's rows stand at its first place behind this."""


class _Joiner:
    def __init__(self, names: frozenset[str], pairs: Pairs, text: str) -> None:
        self.names = names
        self.pairs = pairs
        self.text = text

    def join(self, tree: Tree, conditions: list[Expression]) -> Joined:
        match tree:
            case Leaf(relation, start):
                fields = {start + i: i for i in range(len(relation.fields))}
                return Joined(relation, fields, (tree,)).filtered(conditions)
            case Inner():
                parts, terms = _flat(tree)
                return self._inner(parts, [*_terms(terms), *conditions])
            case Outer(kind="left"):
                return self._left(tree, conditions)
            case Outer():
                return self._full(tree).filtered(conditions)

    def _inner(self, trees: list[Tree], pool: list[Expression]) -> Joined:
        """Conditions on one table go down to it; the others join."""
        sides = []
        for tree in trees:
            places = {leaf.start + i for leaf in leaves(tree) for i in range(len(leaf.relation.fields))}
            mine = [c for c in pool if columns_of(c) and places.issuperset(columns_of(c))]
            pool = [c for c in pool if c not in mine]
            sides.append(self.join(tree, mine))
        return join_inner(sides, pool, self.names, self.pairs, self.text)

    # outer joins

    def _left(self, tree: Outer, conditions: list[Expression]) -> Joined:
        left_places = {leaf.start + i for leaf in leaves(tree.left) for i in range(len(leaf.relation.fields))}
        down = [c for c in conditions if left_places.issuperset(columns_of(c))]
        left = self.join(tree.left, down)
        right_places = {leaf.start + i for leaf in leaves(tree.right) for i in range(len(leaf.relation.fields))}
        terms = _terms(tree.conditions)
        aside = [c for c in terms if columns_of(c) and all(i in right_places or i >= OUTER for i in columns_of(c))]
        right = self.join(tree.right, aside)
        terms = [c for c in terms if c not in aside]
        links = links_of(left, right, terms)
        rest = [c for c in terms if all(c is not link.condition for link in links)]
        if right.relation.max_rows > 1 and unique_links(right, links) is None:
            repeated = self._left_of_many(tree, left, right, links, rest)
            return repeated.filtered([c for c in conditions if c not in down])
        joined = looked_up(left, right, "left", links)
        if rest:
            joined = _null_unless(joined, len(left.relation.fields), joined.over(conjunction(tuple(rest))))
        return joined.filtered([c for c in conditions if c not in down])

    def _pairs(self, tree: Outer, left: Joined, right: Joined, links: list[Link]) -> Joined:
        """Every pair with equal keys; the right's fields come first."""
        if not links:
            with located(tree.node, self.text):
                return crossed(right, left)
        if unique_links(left, flipped(links)) is not None:
            return looked_up(right, left, "inner", flipped(links))
        return expanded(right, left, flipped(links), self.pairs, self.text)

    def _left_of_many(
        self, tree: Outer, left: Joined, right: Joined, links: list[Link], rest: Sequence[Expression]
    ) -> Joined:
        """A LEFT JOIN that repeats left rows: the pairs, and below them the left rows without any."""
        own = [Link(link.left, link.left, link.condition) for link in links]
        if rest and unique_links(left, flipped(links)) is None:
            left, own = told_apart(left)
        left, right = left.shared, right.shared
        joined = self._pairs(tree, left, right, links).filtered(rest)
        if not rest:
            return _with_lonely(joined, looked_up(left, right, "mark", links).relation, len(right.relation.fields))
        joined = joined.shared
        return _with_lonely(joined, looked_up(left, joined, "mark", own).relation, len(right.relation.fields))

    def _full(self, tree: Outer) -> Joined:
        """The LEFT JOIN, and below it the right rows without a match."""
        left, right = self.join(tree.left, []), self.join(tree.right, [])
        terms = _terms(tree.conditions)
        links = links_of(left, right, terms)
        rest = [c for c in terms if all(c is not link.condition for link in links)]
        if unique_links(right, links) is None and unique_links(left, flipped(links)) is not None:
            left, right = right, left
            links = flipped(links)
        if unique_links(right, links) is None:
            right, own = told_apart(right) if rest else (right, flipped(links))
            left, right, width = left.shared, right.shared, len(left.relation.fields)
            found = self._pairs(tree, left, right, links).filtered(rest) if rest else left
            marked = looked_up(right, found.shared, "mark", own)
            joined = self._left_of_many(tree, left, right, links, rest)
            return _with_lonely(joined, marked.relation, width, behind=True)
        left, right, width = left.shared, right.shared, len(left.relation.fields)
        joined = looked_up(left, right, "left", links)
        if not rest:
            return _with_lonely(joined, looked_up(right, left, "mark", flipped(links)).relation, width)
        joined = joined.shared
        own = [Link(link.right, link.right, link.condition) for link in links]
        marked = looked_up(right, joined.filtered(rest), "mark", own)
        joined = _null_unless(joined, width, joined.over(conjunction(tuple(rest))))
        return _with_lonely(joined, marked.relation, width)


def told_apart(side: Joined) -> tuple[Joined, list[Link]]:
    """What tells the rows of a side apart, wherever it stands: a key, or a number that they are given."""
    places = {i: place for place, i in side.fields.items()}
    for key in minimal_keys(side.relation):
        if key and key <= places.keys() and not any(side.relation.fields[i].nullable for i in key):
            columns = [replace(side.relation.column(i), index=places[i]) for i in sorted(key)]
            return side, [Link(column, column, TRUE) for column in columns]
    relation = numbered(side.relation)
    number = len(relation.fields) - 1
    place = _NUMBERS + min(side.fields, default=0)
    column = replace(relation.column(number), index=place)
    return Joined(relation, {**side.fields, place: number}, side.tables), [Link(column, column, TRUE)]


def _with_lonely(joined: Joined, marked: Relation, width: int, *, behind: bool = False) -> Joined:
    """Below the joined rows those that found no partner, behind `width` fields of NULL, or before as many."""
    own = len(marked.fields) - 1
    lonely = Filter(marked, Not(marked.column(own)))
    fields = joined.relation.fields
    nothing = tuple(Literal(None, field.type) for field in (fields[own:] if behind else fields[:width]))
    mine = own_columns(lonely)[:own]
    columns: tuple[Expression, ...] = (*mine, *nothing) if behind else (*nothing, *mine)
    below = Project(lonely, columns, tuple(field.name for field in fields))
    seen = {place: i for place, i in joined.fields.items() if place < _NUMBERS}
    return Joined(Concat((joined.relation, below)), seen, joined.tables)


def _flat(tree: Inner) -> tuple[list[Tree], list[Expression]]:
    """Inner joins of inner joins as one."""
    parts: list[Tree] = []
    conditions = list(tree.conditions)
    for part in tree.parts:
        if isinstance(part, Inner):
            inner, more = _flat(part)
            parts += inner
            conditions += more
        else:
            parts.append(part)
    return parts, conditions


def _null_unless(joined: Joined, width: int, condition: Expression) -> Joined:
    """The right side's fields NULL where the condition is not true."""
    relation = joined.relation
    columns: list[Expression] = list(own_columns(relation)[:width])
    for column in own_columns(relation)[width:]:
        columns.append(Case(((condition, column),), Literal(None, column.type)))
    names = tuple(field.name for field in relation.fields)
    return Joined(Project(relation, tuple(columns), names), joined.fields, joined.tables)
