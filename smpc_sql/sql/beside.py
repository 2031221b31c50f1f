"""What comes to stand beside the rows of a query: another relation's one row, or the row with equal keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smpc_sql.plan.expressions import AggregateCall, AggregateKind, Column, Expression
from smpc_sql.plan.relations import Aggregate, CrossJoin, Join, JoinKind, Relation
from smpc_sql.sql.scalar import ScalarBinder

Links = Sequence[tuple[Expression, Expression]]
"""(key of another relation, key of the rows that it comes to stand beside) that must be equal."""


def beside_all(binder: ScalarBinder, row: Relation) -> tuple[Column, ...]:
    """The columns of a relation of one row."""
    return binder.attach((), lambda relation, _: CrossJoin(relation, row))


def join(
    binder: ScalarBinder, right: Relation, kind: JoinKind, links: Links, null_safe: bool = False
) -> tuple[Column, ...]:
    """The columns of the right's row with equal keys; see Join."""
    right_keys = tuple(inner for inner, _ in links)
    keys = tuple(outer for _, outer in links)
    return binder.attach(keys, lambda relation, mine: Join(relation, right, kind, mine, right_keys, null_safe))


def mark(binder: ScalarBinder, relation: Relation, links: Links, null_safe: bool = False) -> Expression:
    """Whether there is a row with equal keys."""
    (found,) = join(binder, relation, "mark", links, null_safe)
    return found


def calls_of(
    binder: ScalarBinder,
    relation: Relation,
    links: Links,
    calls: Mapping[str, AggregateCall],
    null_safe: bool = False,
) -> tuple[Column, ...]:
    """The calls over the rows with equal keys, beside the rows that have such; without links over all."""
    keys, names = tuple(key for key, _ in links), tuple(f"key{i}" for i in range(len(links)))
    groups = Aggregate(relation, keys, names, tuple(calls.values()), tuple(calls))
    if not links:
        return beside_all(binder, groups)
    pairs = [(groups.column(i), outer) for i, (_, outer) in enumerate(links)]
    return join(binder, groups, "left", pairs, null_safe)[len(links) :]


def call(
    kind: AggregateKind, relation: Relation, argument: Expression | None = None, only: Expression | None = None
) -> AggregateCall:
    """An aggregate of a relation's rows, or of those for which a condition is true."""
    return AggregateCall(kind, argument, only, relation.max_rows)
