"""Filters move down, so that they meet on the scan and are evaluated once, in one batch.

Below an Aggregate a predicate on group keys would cost a comparison per row, where above it the keys are public and it
costs nothing. So only predicates that are public below, too (on `owner`), move through an Aggregate.
"""

from __future__ import annotations

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import (
    And,
    Expression,
    columns_of,
)
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    CrossJoin,
    Filter,
    Join,
    Project,
    Relation,
    Sort,
    own_columns,
    rebase,
    rewrite,
    substitute,
)
from smpc_sql.plan.sharing import is_linear


def push_filters(relation: Relation) -> Relation:
    """Every Filter one step further down, where it may go."""
    return rewrite(relation, _try_push)


def _try_push(relation: Relation) -> Relation:
    try:
        return _push(relation)
    except Unsupported:  # too large an expression
        return relation


def _push(relation: Relation) -> Relation:
    match relation:
        case Filter(Filter(source, first), second):
            return Filter(source, conjunction((*conjuncts(first), *conjuncts(second))))
        case Filter(Project() as inner, predicate):
            return _through_project(inner, conjuncts(predicate)) or relation
        case Filter(Sort(source) as inner, predicate):
            return rebase(inner, (Filter(source, predicate),))
        case Filter(CrossJoin(left, right), predicate):
            return _through_cross(left, right, conjuncts(predicate))
        case Filter(Join() as inner, predicate):
            return _through_join(inner, conjuncts(predicate)) or relation
        case Filter(Concat(inputs), predicate):
            return Concat(tuple(Filter(source, substitute(predicate, own_columns(source))) for source in inputs))
        case Filter(Aggregate(keys=keys) as inner, predicate) if keys:
            return _through_aggregate(inner, conjuncts(predicate)) or relation
        case _:
            return relation


def conjuncts(predicate: Expression) -> tuple[Expression, ...]:
    """The terms of an AND; a filter keeps a row when each is true."""
    if isinstance(predicate, And):
        return tuple(term for part in predicate.terms for term in conjuncts(part))
    return (predicate,)


def conjunction(terms: tuple[Expression, ...]) -> Expression:
    """One predicate for all of one term or more."""
    return terms[0] if len(terms) == 1 else And(terms)


def _through_project(project: Project, terms: tuple[Expression, ...]) -> Relation | None:
    """Predicates on what is free to compute twice: a score that is tested and averaged is computed once, above."""
    free = tuple(map(is_linear, project.expressions))
    down = tuple(term for term in terms if all(free[i] for i in columns_of(term)))
    up = tuple(term for term in terms if term not in down)
    if not down:
        return None
    below = substitute(conjunction(down), project.expressions)
    pushed = Project(Filter(project.source, below), project.expressions, project.names)
    return Filter(pushed, conjunction(up)) if up else pushed


def _through_join(join: Join, terms: tuple[Expression, ...]) -> Relation | None:
    """What reads one side only moves there: to the left always, to the right if rows without a match are left out."""
    width = len(join.left.fields)
    left, right, up = [], [], []
    for term in terms:
        columns = columns_of(term)
        if all(i < width for i in columns):
            left.append(substitute(term, own_columns(join.left)))
        elif join.kind == "inner" and all(i >= width for i in columns):
            beside = own_columns(join.right)
            right.append(substitute(term, (*own_columns(join.left), *(beside[i] for i in join.carried_fields))))
        else:
            up.append(term)
    if not left and not right:
        return None
    sources = (
        Filter(join.left, conjunction(tuple(left))) if left else join.left,
        Filter(join.right, conjunction(tuple(right))) if right else join.right,
    )
    moved = rebase(join, sources)
    return Filter(moved, conjunction(tuple(up))) if up else moved


def _through_cross(left: Relation, right: Relation, terms: tuple[Expression, ...]) -> Relation:
    """What reads the left side only moves there; a right side of one row keeps it."""
    width = len(left.fields)
    down = tuple(term for term in terms if all(i < width for i in columns_of(term)))
    up = tuple(term for term in terms if term not in down)
    if right.max_rows != 1:
        aside = tuple(term for term in up if all(i >= width for i in columns_of(term)))
        up = tuple(term for term in up if term not in aside)
        by = (*own_columns(left), *own_columns(right))
        right = Filter(right, conjunction(tuple(substitute(term, by) for term in aside))) if aside else right
    joined = CrossJoin(Filter(left, conjunction(down)) if down else left, right)
    return Filter(joined, conjunction(up)) if up else joined


def _through_aggregate(aggregate: Aggregate, terms: tuple[Expression, ...]) -> Relation | None:
    """Predicates on keys that are public already below the aggregate; None if there is none."""
    keys = aggregate.keys
    down, up = [], []
    for term in terms:
        on_keys = columns_of(term) and all(i < len(keys) for i in columns_of(term))
        below = substitute(term, keys) if on_keys else None
        if below is not None and not below.secret:
            down.append(below)
        else:
            up.append(term)
    if not down:
        return None
    pushed = rebase(aggregate, (Filter(aggregate.source, conjunction(tuple(down))),))
    return Filter(pushed, conjunction(tuple(up))) if up else pushed
