"""The relations of a FROM clause: trees of tables as they are written, and what is joined of them already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal as OneOf

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.plan.dependencies import minimal_keys
from smpc_sql.plan.expressions import And, Column, Expression, Literal, columns_of, transform
from smpc_sql.plan.relations import CrossJoin, Expansion, Filter, Join, JoinKind, Project, Relation
from smpc_sql.plan.rules.push_filters import conjunction
from smpc_sql.plan.sharing import share
from smpc_sql.plan.uniqueness import Key, injective_column
from smpc_sql.schema import Integer, Text
from smpc_sql.sql.hints import Pairs
from smpc_sql.sql.nodes import located
from smpc_sql.sql.scope import OUTER
from smpc_sql.sql.text import sides

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

    @property
    def shared(self) -> Joined:
        """The same for more than one reader."""
        return replace(self, relation=share(self.relation))

    def filtered(self, conditions: Sequence[Expression]) -> Joined:
        """The rows for which all conditions are true."""
        if not conditions:
            return self
        predicate = self.over(conjunction(tuple(conditions)))
        return Joined(Filter(self.relation, predicate), self.fields, self.tables)


@dataclass(frozen=True, slots=True)
class Link:
    """left = right, each over one side; the condition says it."""

    left: Expression
    right: Expression
    condition: Expression


def flipped(links: Sequence[Link]) -> list[Link]:
    return [Link(link.right, link.left, link.condition) for link in links]


def links_of(left: Joined, right: Joined, conditions: Sequence[Expression]) -> list[Link]:
    found = []
    for condition in conditions:
        pair = sides(condition)
        for a, b in () if pair is None else (pair, pair[::-1]):
            if _reads(a, left) and _reads(b, right):
                found.append(Link(a, b, condition))
                break
    return found


def _reads(expression: Expression, side: Joined) -> bool:
    columns = columns_of(expression)
    constant = isinstance(expression, Literal) and isinstance(expression.type, Text)
    return bool(columns or constant) and all(i in side.fields for i in columns)


def _by_size(key: Key) -> tuple[int, list[int]]:
    return len(key), sorted(key)


def unique_links(right: Joined, links: Sequence[Link]) -> list[Link] | None:
    """The fewest links on which the right side is unique; None if it is not."""
    places: dict[int, Link] = {}
    for link in links:
        column = injective_column(right.over(link.right))
        if column is not None:
            places.setdefault(column, link)
    keys = sorted((key for key in minimal_keys(right.relation) if key <= places.keys()), key=_by_size)
    return [places[i] for i in sorted(keys[0])] if keys else None


def looked_up(left: Joined, right: Joined, kind: JoinKind, links: Sequence[Link]) -> Joined:
    left_keys = tuple(left.over(link.left) for link in links) or (ONE,)
    right_keys = tuple(right.over(link.right) for link in links) or (ONE,)
    relation = Join(left.relation, right.relation, kind, left_keys, right_keys)
    return beside(relation, left, right)


def beside(relation: Relation, left: Joined, right: Joined) -> Joined:
    width = len(left.relation.fields)
    fields = {**left.fields, **{place: width + i for place, i in right.fields.items()}}
    return Joined(relation, fields, (*left.tables, *right.tables))


def crossed(left: Joined, right: Joined) -> Joined:
    return beside(CrossJoin(left.relation, right.relation), left, right)


def shifted_into(expression: Expression, by: int, relation: Relation) -> Expression:
    return transform(expression, lambda n: relation.column(n.index + by) if isinstance(n, Column) else n)


def expanded(left: Joined, right: Joined, links: Sequence[Link], pairs: Pairs, text: str) -> Joined:
    """A join of many with many, of as many pairs as `pairs` says."""
    left_keys = tuple(left.over(link.left) for link in links)
    right_keys = tuple(right.over(link.right) for link in links)
    later = max((*left.tables, *right.tables), key=lambda leaf: leaf.start)
    error = located_at(later, not_unique(left, right, links), text)
    expansion = Expansion(None, (error.message, error.line, error.column))
    relation = Join(left.relation, right.relation, "inner", left_keys, right_keys, expansion=expansion)
    return beside(replace(relation, expansion=pairs.expansion(relation)), left, right)


def not_unique(left: Joined, right: Joined, links: Sequence[Link]) -> str:
    """Why a join needs to be told how many pairs there may be."""
    neither = f"{_named(left, [link.left for link in links])} nor {_named(right, [link.right for link in links])}"
    return (
        f"a join of {left.relation.max_rows} with {right.relation.max_rows} rows where neither {neither} is known to "
        "be unique; PRIMARY KEY or UNIQUE on it would allow it, or a public bound on how many pairs there are: "
        "SELECT /*+ JOIN_ROWS(n) */; or if that may be known, SELECT /*+ JOIN_SIZE */ opens it"
    )


def _named(side: Joined, keys: Sequence[Expression]) -> str:
    names = []
    for place in columns_of(*keys):
        leaf = max((t for t in side.tables if t.start <= place), key=lambda t: t.start)
        names.append(f"{leaf.alias}.{leaf.relation.fields[place - leaf.start].name}")
    return "(" + ", ".join(names) + ")"


def unfiltered(relation: Relation) -> tuple[Relation, Expression | None]:
    """The relation without its filters, maybe with more fields at its end, and their predicate over its fields."""
    match relation:
        case Filter(source, predicate):
            below, first = unfiltered(source)
            return below, predicate if first is None else And((first, predicate))
        case Project(source, expressions, names):
            below, predicate_below = unfiltered(source)
            if predicate_below is None:
                return relation, None
            project = Project(below, (*expressions, predicate_below), (*names, "kept"))
            return project, project.column(len(expressions))
        case _:
            return relation, None


def located_at(leaf: Leaf, what: str, text: str) -> Unsupported:
    """The refusal of a join, where its later table stands in the text."""
    try:
        with located(leaf.node, text):
            raise Unsupported(what)
    except Unsupported as error:
        return error
