"""Joins: from the tables of a FROM clause and all conditions on them to relations in which every row has one partner.

Columns are numbered through in the order of FROM ("places"). An inner join of many tables is built from pairs: one side
keeps its rows and looks up the other, which must be unique on the compared columns, smallest pairs first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import (
    And,
    Case,
    Column,
    Equal,
    Expression,
    Literal,
    Not,
    Or,
    columns_of,
    transform,
)
from smpc_sql.plan.relations import (
    MAX_PRODUCT,
    Concat,
    CrossJoin,
    Filter,
    Join,
    JoinKind,
    Project,
    Relation,
    is_single,
    own_columns,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.rules.push_filters import conjunction, conjuncts
from smpc_sql.plan.uniqueness import Key, injective_column, unique_keys
from smpc_sql.schema import Integer
from smpc_sql.sql.nodes import located
from smpc_sql.sql.scope import OUTER

ONE = Literal(1, Integer(8))
"""A key that is the same everywhere."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A table, whose fields stand at the places from `start` on. alias, node: for messages."""

    relation: Relation
    start: int
    alias: str
    node: exp.Expr


@dataclass(frozen=True, slots=True)
class Inner:
    """An inner or cross join of all parts, under the conditions of ON."""

    parts: tuple[Tree, ...]
    conditions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Outer:
    """LEFT or FULL JOIN under the conditions of ON (a RIGHT JOIN is a LEFT JOIN of the other side)."""

    kind: OneOf["left", "full"]
    left: Tree
    right: Tree
    conditions: tuple[Expression, ...]
    node: exp.Expr


Tree = Leaf | Inner | Outer


def leaves(tree: Tree) -> tuple[Leaf, ...]:
    """The tables of a FROM clause, in its order."""
    match tree:
        case Leaf():
            return (tree,)
        case Inner(parts):
            return tuple(leaf for part in parts for leaf in leaves(part))
        case Outer(_, left, right):
            return tuple(sorted((*leaves(left), *leaves(right)), key=lambda leaf: leaf.start))


@dataclass(frozen=True, slots=True)
class Joined:
    """A relation, and for every place the field that stands for it. tables: what it was joined from."""

    relation: Relation
    fields: Mapping[int, int]
    tables: tuple[Leaf, ...]

    def covers(self, expression: Expression) -> bool:
        """Whether the expression reads nothing else (but what an outer query gives)."""
        return all(i in self.fields or i >= OUTER for i in columns_of(expression))

    def over(self, expression: Expression) -> Expression:
        """The expression over the relation's fields."""

        def read(node: Expression) -> Expression:
            if isinstance(node, Column) and node.index < OUTER:
                return self.relation.column(self.fields[node.index])
            return node

        return transform(expression, read)

    def filtered(self, conditions: Sequence[Expression]) -> Joined:
        """The rows for which all conditions are true."""
        if not conditions:
            return self
        predicate = self.over(conjunction(tuple(conditions)))
        return Joined(Filter(self.relation, predicate), self.fields, self.tables)


def join_all(tree: Tree, conditions: Iterable[Expression], text: str) -> Joined:
    """The tables joined, and the rows for which all conditions (of WHERE) are true. Raises Unsupported, located."""
    return _Joiner(text).join(tree, _terms(conditions))


def _terms(conditions: Iterable[Expression]) -> list[Expression]:
    return [part for condition in conditions for term in conjuncts(fold(condition)) for part in _factored(term)]


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


@dataclass(frozen=True, slots=True)
class _Link:
    """left = right, each over one side; the condition says it."""

    left: Expression
    right: Expression
    condition: Expression


def _flipped(links: Sequence[_Link]) -> list[_Link]:
    return [_Link(link.right, link.left, link.condition) for link in links]


def _links(left: Joined, right: Joined, conditions: Sequence[Expression]) -> list[_Link]:
    found = []
    for condition in conditions:
        pair = _sides(condition)
        for a, b in () if pair is None else (pair, pair[::-1]):
            if _reads(a, left) and _reads(b, right):
                found.append(_Link(a, b, condition))
                break
    return found


def _sides(condition: Expression) -> tuple[Expression, Expression] | None:
    return (condition.left, condition.right) if isinstance(condition, Equal) else None


def _reads(expression: Expression, side: Joined) -> bool:
    columns = columns_of(expression)
    return bool(columns) and all(i in side.fields for i in columns)


def _by_size(key: Key) -> tuple[int, list[int]]:
    return len(key), sorted(key)


def _unique_links(right: Joined, links: Sequence[_Link]) -> list[_Link] | None:
    """The fewest links on which the right side is unique; None if it is not."""
    places: dict[int, _Link] = {}
    for link in links:
        column = injective_column(right.over(link.right))
        if column is not None:
            places.setdefault(column, link)
    keys = sorted((key for key in unique_keys(right.relation) if key <= places.keys()), key=_by_size)
    return [places[i] for i in sorted(keys[0])] if keys else None


class _Joiner:
    def __init__(self, text: str) -> None:
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

    # inner joins

    def _inner(self, trees: list[Tree], pool: list[Expression]) -> Joined:
        """Conditions on one table go down to it; then pair by pair."""
        sides = []
        for tree in trees:
            places = {leaf.start + i for leaf in leaves(tree) for i in range(len(leaf.relation.fields))}
            mine = [c for c in pool if columns_of(c) and places.issuperset(columns_of(c))]
            pool = [c for c in pool if c not in mine]
            sides.append(self.join(tree, mine))
        while len(sides) > 1:
            i, j, links = self._cheapest(sides, pool)
            pair = self._pair(sides[i], sides[j], links)
            done = [link.condition for link in links or ()]
            pool = [c for c in pool if c not in done]
            covered = [c for c in pool if columns_of(c) and pair.covers(c)]
            pool = [c for c in pool if c not in covered]
            sides[min(i, j)] = pair.filtered(covered)
            del sides[max(i, j)]
        return sides[0].filtered(pool)

    def _cheapest(self, sides: list[Joined], pool: list[Expression]) -> tuple[int, int, list[_Link] | None]:
        """The next pair (left, right), and the links of a lookup; None for a cross join."""
        best: tuple[tuple[int, ...], list[_Link] | None] | None = None
        for i, left in enumerate(sides):
            for j, right in enumerate(sides):
                if i == j:
                    continue
                cost, links = _cost(left, right, pool)
                if best is None or (*cost, i, j) < best[0]:
                    best = ((*cost, i, j), links)
        assert best is not None
        (rank, size, *_, i, j), links = best
        if rank >= 3 and size > MAX_PRODUCT:
            raise self._too_large(sides[i], sides[j], pool)
        return i, j, links

    def _too_large(self, left: Joined, right: Joined, pool: list[Expression]) -> Unsupported:
        links = _links(left, right, pool)
        rows = f"{left.relation.max_rows} and {right.relation.max_rows}"
        if links:
            what = _not_unique(left, right, links)
        else:
            what = f"CROSS JOIN of relations of up to {rows} rows: at most {MAX_PRODUCT} rows together are supported"
        later = max((*left.tables, *right.tables), key=lambda leaf: leaf.start)
        try:
            with located(later.node, self.text):
                raise Unsupported(what)
        except Unsupported as error:
            return error

    def _pair(self, left: Joined, right: Joined, links: list[_Link] | None) -> Joined:
        if links:
            return self._lookup(left, right, "inner", links)
        relation, predicate = _unfiltered(right.relation)
        if is_single(relation):
            cross = _crossed(left, Joined(relation, right.fields, right.tables))
            if predicate is None:
                return cross
            moved = _shift(predicate, len(left.relation.fields), cross.relation)
            return Joined(Filter(cross.relation, moved), cross.fields, cross.tables)
        if right.relation.max_rows <= 1:
            return self._lookup(left, right, "inner", [])
        return _crossed(left, right)

    def _lookup(self, left: Joined, right: Joined, kind: JoinKind, links: Sequence[_Link]) -> Joined:
        left_keys = tuple(left.over(link.left) for link in links) or (ONE,)
        right_keys = tuple(right.over(link.right) for link in links) or (ONE,)
        relation = Join(left.relation, right.relation, kind, left_keys, right_keys)
        return _beside(relation, left, right)

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
        links = _links(left, right, terms)
        rest = [c for c in terms if all(c is not link.condition for link in links)]
        unique = right.relation.max_rows <= 1 or _unique_links(right, links) is not None
        if not unique and _unique_links(left, _flipped(links)) is not None:
            return self._left_of_unique(left, right, links, rest).filtered([c for c in conditions if c not in down])
        self._require_unique(tree, left, right, links)
        joined = self._lookup(left, right, "left", links)
        if rest:
            joined = _null_unless(joined, len(left.relation.fields), joined.over(conjunction(tuple(rest))))
        return joined.filtered([c for c in conditions if c not in down])

    def _require_unique(self, tree: Outer, left: Joined, right: Joined, links: list[_Link]) -> None:
        if right.relation.max_rows > 1 and _unique_links(right, links) is None:
            with located(tree.node, self.text):
                raise Unsupported(_not_unique(left, right, links, either=False))

    def _left_of_unique(self, left: Joined, right: Joined, links: list[_Link], rest: Sequence[Expression]) -> Joined:
        """A LEFT JOIN that repeats left rows: the right rows look up the left; below, the left rows without any."""
        joined = self._lookup(right, left, "inner", _flipped(links)).filtered(rest)
        found = joined if rest else right
        keys = [_Link(link.left, link.left if rest else link.right, link.condition) for link in links]
        marked = self._lookup(left, found, "mark", keys)
        return _with_lonely(joined, marked.relation, len(right.relation.fields))

    def _full(self, tree: Outer) -> Joined:
        """The LEFT JOIN, and below it the right rows without a match."""
        left, right = self.join(tree.left, []), self.join(tree.right, [])
        terms = _terms(tree.conditions)
        links = _links(left, right, terms)
        if len(links) < len(terms) or not links:
            with located(tree.node, self.text):
                raise Unsupported("a FULL JOIN on anything but equalities of both sides is not supported")
        if _unique_links(right, links) is None and _unique_links(left, _flipped(links)) is not None:
            left, right = right, left
            links = _flipped(links)
        self._require_unique(tree, left, right, links)
        joined = self._lookup(left, right, "left", links)
        marked = self._lookup(right, left, "mark", _flipped(links))
        return _with_lonely(joined, marked.relation, len(left.relation.fields))


def _with_lonely(joined: Joined, marked: Relation, width: int) -> Joined:
    """Below the joined rows those that found no partner, behind `width` fields of NULL."""
    own = len(marked.fields) - 1
    lonely = Filter(marked, Not(marked.column(own)))
    fields = joined.relation.fields
    nothing = tuple(Literal(None, field.type) for field in fields[:width])
    below = Project(lonely, (*nothing, *own_columns(lonely)[:own]), tuple(field.name for field in fields))
    return Joined(Concat((joined.relation, below)), joined.fields, joined.tables)


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


def _cost(left: Joined, right: Joined, pool: list[Expression]) -> tuple[tuple[int, int, int], list[_Link] | None]:
    """How early to join two sides: one row, one row at most, a lookup, a product under a condition, a product."""
    links = _links(left, right, pool)
    rows, others = left.relation.max_rows, right.relation.max_rows
    related = any(
        any(i in left.fields for i in columns_of(c)) and any(i in right.fields for i in columns_of(c)) for c in pool
    )
    if is_single(_unfiltered(right.relation)[0]):
        return (0, 0 if related else 1, rows), None
    if others <= 1:
        return (1, 0 if related else 1, rows), None
    unique = _unique_links(right, links)
    if unique:
        return (2, rows + others, 0), unique
    if unique is not None:  # one row at most
        return (1, 0 if related else 1, rows), []
    return (3 if links else 4, rows * others, 0), None


def _beside(relation: Relation, left: Joined, right: Joined) -> Joined:
    width = len(left.relation.fields)
    fields = {**left.fields, **{place: width + i for place, i in right.fields.items()}}
    return Joined(relation, fields, (*left.tables, *right.tables))


def _crossed(left: Joined, right: Joined) -> Joined:
    return _beside(CrossJoin(left.relation, right.relation), left, right)


def _shift(expression: Expression, by: int, relation: Relation) -> Expression:
    return transform(expression, lambda n: relation.column(n.index + by) if isinstance(n, Column) else n)


def _null_unless(joined: Joined, width: int, condition: Expression) -> Joined:
    """The right side's fields NULL where the condition is not true."""
    relation = joined.relation
    columns: list[Expression] = list(own_columns(relation)[:width])
    for column in own_columns(relation)[width:]:
        columns.append(Case(((condition, column),), Literal(None, column.type)))
    names = tuple(field.name for field in relation.fields)
    return Joined(Project(relation, tuple(columns), names), joined.fields, joined.tables)


def _not_unique(left: Joined, right: Joined, links: Sequence[_Link], *, either: bool = True) -> str:
    if not links:
        return "an outer join without an equality of both sides is not supported"
    sides = [_named(right, [link.right for link in links])]
    if either:
        sides.insert(0, _named(left, [link.left for link in links]))
    what = " nor ".join(sides)
    rows = f"{left.relation.max_rows} with {right.relation.max_rows} rows"
    known = f"neither {what} is" if either else f"{what} is not"
    return f"a join of {rows} where {known} known to be unique; PRIMARY KEY or UNIQUE on it would allow it"


def _named(side: Joined, keys: Sequence[Expression]) -> str:
    names = []
    for place in columns_of(*keys):
        leaf = max((t for t in side.tables if t.start <= place), key=lambda t: t.start)
        names.append(f"{leaf.alias}.{leaf.relation.fields[place - leaf.start].name}")
    return "(" + ", ".join(names) + ")"


def _unfiltered(relation: Relation) -> tuple[Relation, Expression | None]:
    """The relation without its filters, maybe with more fields at its end, and their predicate over its fields."""
    match relation:
        case Filter(source, predicate):
            below, first = _unfiltered(source)
            return below, predicate if first is None else And((first, predicate))
        case Project(source, expressions, names):
            below, predicate_below = _unfiltered(source)
            if predicate_below is None:
                return relation, None
            project = Project(below, (*expressions, predicate_below), (*names, "kept"))
            return project, project.column(len(expressions))
        case _:
            return relation, None
