"""Joins of many with many: how many pairs of rows there may be must be known, or be few."""

from __future__ import annotations

from smpc_sql.errors import Unsupported
from smpc_sql.plan.relations import MAX_PRODUCT, Join, Relation, walk


def check_pairs(relation: Relation) -> None:
    """Raises Unsupported, located, for a join whose pairs nobody limits and that are too many to be looked at."""
    for node in walk(relation):
        if isinstance(node, Join) and node.expansion is not None and needs_limit(node):
            message, line, column = node.expansion.refusal
            raise Unsupported(message, line=line, column=column)


def needs_limit(join: Join) -> bool:
    """Whether a join of many with many can only be made if it is known how many pairs there are."""
    return join.expansion is not None and join.expansion.limit is None and join.max_rows > MAX_PRODUCT


def every_pair(join: Join) -> bool:
    """Whether its pairs are no fewer than all there are, which then are simply put side by side, if they are few."""
    return join.max_rows == join.left.max_rows * join.right.max_rows <= MAX_PRODUCT
