"""Compute once what a query writes twice: the same tables joined in a subquery, one aggregate of two windows."""

from __future__ import annotations

from smpc_sql.plan.relations import Relation, Sort
from smpc_sql.plan.sharing import is_free, share_repeated


def share_equal(relation: Relation) -> Relation:
    """Equal relations shared, where they cost anything; not a Sort, whose order would be lost."""
    return share_repeated(relation, lambda node: not isinstance(node, Sort) and not is_free(node))
