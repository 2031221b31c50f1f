"""Write expressions on the relation below a Project, so that subqueries and CTEs cost nothing by themselves.

A merge that would write an expression out too often is left undone: the Project stays, and computes it once.
"""

from __future__ import annotations

from collections.abc import Callable

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import Column, walk
from smpc_sql.plan.relations import (
    Aggregate,
    CrossJoin,
    Project,
    Relation,
    expressions_of,
    rebase,
    rewrite,
)

_LARGE = 500
"""Equal subexpressions are computed once anyway; this only keeps plans short."""

_SMALL = 24


def merge_projects(relation: Relation) -> Relation:
    """Project over Project, Aggregate over Project and CrossJoin over Project without the inner Project."""
    return rewrite(relation, lambda node: _merge(node, _LARGE))


def merge_small_projects(relation: Relation) -> Relation:
    """The same of plans in which expressions have names so that they are not written out (`plan/lets.py`)."""
    return rewrite(relation, lambda node: _merge(node, _SMALL))


def _merge(relation: Relation, large: int) -> Relation:
    match relation:
        case Project(Project() as inner) | Aggregate(Project() as inner):
            return _try(lambda: rebase(relation, (inner.source,), inner.expressions), relation, inner, large)
        case CrossJoin(Project() as inner, right) if right.max_rows == 1:
            joined = CrossJoin(inner.source, right)
            start = len(inner.source.fields)
            rest = tuple(joined.column(start + i) for i in range(len(right.fields)))
            names = (*inner.names, *(field.name for field in right.fields))
            return Project(joined, (*inner.expressions, *rest), names)
        case _:
            return relation


def _try(merged: Callable[[], Relation], relation: Relation, inner: Project, large: int) -> Relation:
    """The merged relation, unless it repeats work: an operation that is used twice is better computed once."""
    if _repeats(relation, inner, large):
        return relation
    try:
        return merged()
    except Unsupported:  # too large an expression
        return relation


def _repeats(relation: Relation, inner: Project, large: int) -> bool:
    uses = [node.index for e in expressions_of(relation) for node in walk(e) if isinstance(node, Column)]
    return any(inner.expressions[i].size > large and uses.count(i) > 1 for i in set(uses))
