"""What is bound: a query, and a FROM clause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Relation
from smpc_sql.sql.joined import Tree
from smpc_sql.sql.scope import Name


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound query: a relation, and its output columns as expressions over the relation's fields."""

    relation: Relation
    columns: tuple[tuple[str, Expression], ...]


BindQuery = Callable[[exp.Expr, Mapping[str, exp.CTE]], Bound]


@dataclass(frozen=True, slots=True)
class From:
    """A FROM clause: tables and how they are joined, and the names that it gives, over the places of all columns.

    later: terms of ON with subqueries, which may as well stand in WHERE. around: the words of the domain, where one of
    the tables has them. taken: terms of WHERE that hold already.
    """

    tree: Tree
    names: tuple[Name, ...]
    width: int
    later: tuple[exp.Expr, ...] = ()
    around: tuple[Expression, ...] | None = None
    taken: tuple[exp.Expr, ...] = ()
