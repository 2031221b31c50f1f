"""Rows that are chosen by chance: which of equal rows a LIMIT keeps, or a window puts first, must not tell their place.

The engine shuffles before it chooses. Such a relation is computed once for a query: two choices would differ.
"""

from __future__ import annotations

from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Limit, Relation, Sort, Window
from smpc_sql.plan.sharing import share_repeated
from smpc_sql.plan.uniqueness import injective_column, unique_keys

_WHATEVER_THE_TIES = ("rank", "dense_rank", "sum", "count", "count_star", "min", "max")
"""Window functions that give equal rows the same, if their frame tells them not apart."""


def is_by_chance(relation: Relation) -> bool:
    """Whether a LIMIT may cut, or a window function tell apart, rows that its order leaves equal."""
    match relation:
        case Limit(source, count, offset):
            cuts = offset > 0 or (count is not None and count < source.max_rows)
            keys = tuple(key.expression for key in source.keys) if isinstance(source, Sort) else ()
            return cuts and not _is_total(source, keys)
        case Window(source, partition, order, calls):
            matters = any(not call.frame.of_peers or call.kind not in _WHATEVER_THE_TIES for call in calls)
            return matters and not _is_total(source, (*partition, *(key.expression for key in order)))
        case _:
            return False


def _is_total(source: Relation, order: tuple[Expression, ...]) -> bool:
    """Whether no two rows are alike in the order: a unique key is among it, of which no column can be NULL."""
    ordered = {column for expression in order if (column := injective_column(expression)) is not None}
    known = {column for column in ordered if not source.fields[column].nullable}
    return any(key <= known for key in unique_keys(source))


def chosen_once(relation: Relation) -> Relation:
    """The relation with all that it chooses by chance, and writes more than once, shared: one choice for all."""
    return share_repeated(relation, is_by_chance)
