"""Group by what finds the group first: GROUP BY s_name of lines that look up their supplier by l_suppkey.

There may be two suppliers of one name, so the name's groups are made of the groups of l_suppkey, of which there are
few: long keys are then sorted for one row of each supplier, and the supplier is looked up for it alone (`group_first`).
[Yan-Larson 1995]
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from smpc_sql.plan.dependencies import follows
from smpc_sql.plan.expressions import AggregateCall, Case, Column, Expression, IsNull, Literal, Rescale
from smpc_sql.plan.relations import Aggregate, Filter, Join, Project, Relation, key_size, rewrite
from smpc_sql.schema import Integer

_FEWER = 4
"""The first groups are at most a quarter as many as the rows, or they do not pay."""

_AGAIN = {"count_star": "sum", "count": "sum", "sum": "sum", "min": "min", "max": "max", "any": "any"}
"""How the results of groups make that of all of them together."""


def group_twice(relation: Relation) -> Relation:
    """Every Aggregate of sorted groups over those of fewer, narrower keys that its own follow from."""
    return rewrite(relation, _group_twice)


def _group_twice(relation: Relation) -> Relation:
    if not isinstance(relation, Aggregate) or relation.enumerated or not relation.keys:
        return relation
    if not all(map(_is_made_of_parts, relation.calls)):
        return relation
    source = relation.source
    for keys in _lookups(source):
        few = prod(map(key_size, keys)) * _FEWER <= source.max_rows
        same = all(follows(source, key, relation.keys) for key in keys)  # groups that are there already
        if few and not same and all(follows(source, key, keys) for key in relation.keys):
            return _grouped(relation, keys)
    return relation


def _is_made_of_parts(call: AggregateCall) -> bool:
    return call.kind in _AGAIN and not (call.distinct or call.rest or call.by is not None or call.place is not None)


def _lookups(source: Relation) -> Iterator[tuple[Column, ...]]:
    """The keys by which the source's rows look other rows up. A join keeps its left fields where they are."""
    relation = source
    while isinstance(relation, Filter | Join):
        if isinstance(relation, Filter):
            relation = relation.source
            continue
        if relation.expansion is not None:
            return
        places = [key.index for key in relation.left_keys if isinstance(key, Column)]
        if relation.kind == "inner" and len(places) == len(relation.left_keys):
            yield tuple(map(source.column, places))
        relation = relation.left


def _grouped(aggregate: Aggregate, finding: tuple[Column, ...]) -> Relation:
    source, keys, names = aggregate.source, aggregate.keys, aggregate.key_names
    carried = tuple(AggregateCall("any", key, None, source.max_rows) for key in keys)
    first = Aggregate(
        source,
        finding,
        tuple(key.name for key in finding),
        (*aggregate.calls, *carried),
        (*aggregate.call_names, *names),
    )
    results, count = len(finding), len(aggregate.calls)
    again = tuple(
        AggregateCall(_AGAIN[call.kind], first.column(results + i), None, first.max_rows, within=call.bounds)  # type: ignore[arg-type]
        for i, call in enumerate(aggregate.calls)
    )
    own = tuple(first.column(results + count + i) for i in range(len(keys)))
    second = Aggregate(first, own, names, again, aggregate.call_names)
    outputs = [
        _counted(second.column(len(keys) + i), call)
        if call.kind in ("count", "count_star")
        else second.column(len(keys) + i)
        for i, call in enumerate(aggregate.calls)
    ]
    found = Project(second, (*(second.column(i) for i in range(len(keys))), *outputs), (*names, *aggregate.call_names))
    return found if [f.type for f in found.fields] == [f.type for f in aggregate.fields] else aggregate


def _counted(total: Column, call: AggregateCall) -> Expression:
    """A sum of counts as a count: of a group there is always a row."""
    count = Rescale(total, 0, Integer(64))
    return Case(((IsNull(count), Literal(0, call.type)),), count) if total.nullable else count
