"""A LIMIT that holds more rows than there can be is no limit: the rows need not be ranked under MPC."""

from __future__ import annotations

from smpc_sql.plan.relations import Limit, Relation, rewrite


def drop_limits(relation: Relation) -> Relation:
    """Every Limit without effect removed."""
    return rewrite(relation, _drop)


def _drop(relation: Relation) -> Relation:
    match relation:
        case Limit(source, count, 0) if count is None or count >= source.max_rows:
            return source
        case _:
            return relation
