"""Relations of a logical plan: what is computed, on which fields, of how many rows at most. Frozen; self-printing.

A relation's rows are secret but for their number, `max_rows`: a Filter clears a row's secret validity, it does not
shrink the relation.
"""

from __future__ import annotations

from smpc_sql.plan.relations.grouping import MAX_ENUMERATED, Aggregate, key_size
from smpc_sql.plan.relations.joining import MAX_PRODUCT, CrossJoin, Expansion, Join, JoinKind, Sized
from smpc_sql.plan.relations.node import Field
from smpc_sql.plan.relations.ordering import Limit, Sort, SortKey
from smpc_sql.plan.relations.relation import Relation, Shared, digest_over, fingerprint, is_single, sources
from smpc_sql.plan.relations.rows import Concat, Filter, Project, Scan, Values
from smpc_sql.plan.relations.traversal import (
    expressions_of,
    own_columns,
    rebase,
    rewrite,
    substitute,
    substitute_call,
    walk,
)
from smpc_sql.plan.relations.windows import Window, WindowCall, WindowKind, numbered

__all__ = [
    "MAX_ENUMERATED",
    "MAX_PRODUCT",
    "Aggregate",
    "Concat",
    "CrossJoin",
    "Expansion",
    "Field",
    "Filter",
    "Join",
    "JoinKind",
    "Limit",
    "Project",
    "Relation",
    "Scan",
    "Shared",
    "Sized",
    "Sort",
    "SortKey",
    "Values",
    "Window",
    "WindowCall",
    "WindowKind",
    "digest_over",
    "expressions_of",
    "fingerprint",
    "is_single",
    "key_size",
    "numbered",
    "own_columns",
    "rebase",
    "rewrite",
    "sources",
    "substitute",
    "substitute_call",
    "walk",
]
