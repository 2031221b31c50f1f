"""The pipeline of rewrites. Removing a rule changes what a plan costs, never what it answers."""

from __future__ import annotations

from collections.abc import Callable

from smpc_sql.plan.relations import Relation
from smpc_sql.plan.rules.aggregate_early import aggregate_early
from smpc_sql.plan.rules.count_groups import count_groups
from smpc_sql.plan.rules.drop_keys import drop_keys
from smpc_sql.plan.rules.drop_limits import drop_limits
from smpc_sql.plan.rules.filter_shared import filter_shared
from smpc_sql.plan.rules.fold_constants import fold_constants
from smpc_sql.plan.rules.group_first import group_first
from smpc_sql.plan.rules.group_twice import group_twice
from smpc_sql.plan.rules.inline_shared import inline_shared
from smpc_sql.plan.rules.merge_projects import merge_projects
from smpc_sql.plan.rules.narrow_keys import narrow_keys
from smpc_sql.plan.rules.prune_columns import prune_columns
from smpc_sql.plan.rules.push_filters import push_filters
from smpc_sql.plan.rules.share_equal import share_equal

Rule = Callable[[Relation], Relation]

RULES: tuple[Rule, ...] = (
    share_equal,
    fold_constants,
    push_filters,
    filter_shared,
    merge_projects,
    narrow_keys,
    drop_keys,
    aggregate_early,
    group_twice,
    group_first,
    drop_limits,
    prune_columns,
    inline_shared,
    count_groups,
)
"""In the order in which they run, again until nothing changes."""

_ROUNDS = 64


def optimize(relation: Relation, rules: tuple[Rule, ...] = RULES) -> Relation:
    """The same rows for less. The root's fields keep their number, order, names and types."""
    for _ in range(_ROUNDS):
        before = relation
        for rule in rules:
            relation = rule(relation)
        if relation == before:
            break
    return relation
