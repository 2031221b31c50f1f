"""Keys that follow from other keys need not be compared: GROUP BY c_custkey, c_name sorts by the customer's number.

Of a group such a key is the same in all rows, so it is carried from any of them. The same for ORDER BY and PARTITION
BY. Groups whose few possible keys are enumerated are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.plan.dependencies import follows
from smpc_sql.plan.expressions import AggregateCall, Expression
from smpc_sql.plan.relations import Aggregate, Project, Relation, Sort, SortKey, Window, key_size, rewrite


def drop_keys(relation: Relation) -> Relation:
    """Every Aggregate, Sort and Window with as few keys as there need be."""
    return rewrite(relation, _drop)


def _drop(relation: Relation) -> Relation:
    match relation:
        case Aggregate(enumerated=False, keys=keys) if len(keys) > 1:
            return _grouped(relation)
        case Sort(source, keys):
            kept = _ordered(source, (), keys)
            return Sort(source, kept) if len(kept) < len(keys) else relation
        case Window(source, partition, order):
            parts = tuple(partition[i] for i in _needed(source, partition))
            # a distance is measured by the key, even where that is the same in all rows of a partition
            measured = any(call.frame.of_distances for call in relation.calls)
            kept = order if measured else _ordered(source, parts, order)
            if len(parts) == len(partition) and len(kept) == len(order):
                return relation
            return Window(source, parts, kept, relation.calls, relation.call_names)
        case _:
            return relation


def _needed(source: Relation, keys: Sequence[Expression]) -> tuple[int, ...]:
    """The places of keys that the others follow from: the widest are dropped first, and the last one never."""
    kept = list(range(len(keys)))
    for i in sorted(kept, key=lambda i: (-key_size(keys[i]), -i)):
        others = [j for j in kept if j != i]
        if others and follows(source, keys[i], [keys[j] for j in others]):
            kept = others
    return tuple(kept)


def _ordered(source: Relation, before: tuple[Expression, ...], keys: tuple[SortKey, ...]) -> tuple[SortKey, ...]:
    """A key that follows from those before it never decides."""
    kept: list[SortKey] = []
    for key in keys:
        known = [*before, *(other.expression for other in kept)]
        if not known or not follows(source, key.expression, known):
            kept.append(key)
    return tuple(kept)


def _grouped(aggregate: Aggregate) -> Relation:
    source, keys, names = aggregate.source, aggregate.keys, aggregate.key_names
    kept = _needed(source, keys)
    if len(kept) == len(keys):
        return aggregate
    gone = tuple(i for i in range(len(keys)) if i not in kept)
    carried = tuple(AggregateCall("any", keys[i], None, source.max_rows) for i in gone)
    grouped = Aggregate(
        source,
        tuple(keys[i] for i in kept),
        tuple(names[i] for i in kept),
        (*aggregate.calls, *carried),
        (*aggregate.call_names, *(names[i] for i in gone)),
    )
    start = len(kept) + len(aggregate.calls)
    places = {old: new for new, old in enumerate(kept)} | {old: start + new for new, old in enumerate(gone)}
    calls = range(len(kept), start)
    columns = (*(grouped.column(places[i]) for i in range(len(keys))), *map(grouped.column, calls))
    return Project(grouped, columns, (*names, *aggregate.call_names))
