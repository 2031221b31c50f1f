"""Groups that were sorted are cut to as many as there can be: of orders no more than the orders' table has rows."""

from __future__ import annotations

from dataclasses import replace

from smpc_sql.plan.distinct import values_at_most
from smpc_sql.plan.relations import Aggregate, Relation, rewrite


def count_groups(relation: Relation) -> Relation:
    """Every Aggregate of sorted groups with the smallest number of them that public sizes prove."""
    return rewrite(relation, _count)


def _count(relation: Relation) -> Relation:
    match relation:
        case Aggregate(source, keys, enumerated=False) if keys:
            most = values_at_most(source, keys)
            return relation if most >= relation.max_rows else replace(relation, most=most)
        case _:
            return relation
