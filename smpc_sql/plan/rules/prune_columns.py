"""Read, carry and compute only the columns that somebody above uses. The root keeps all of its fields.

What is shared keeps the columns of all its readers: they are asked first, then it is pruned, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import assert_never

from smpc_sql.plan.expressions import Column, Expression, columns_of
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    CrossJoin,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Scan,
    Shared,
    Sort,
    Values,
    Window,
    expressions_of,
    rebase,
    substitute,
)
from smpc_sql.plan.sharing import shared_below

Pruned = tuple[Relation, dict[int, int]]
"""A relation with fewer fields, and where those that are left are now."""

Joint = Callable[[Shared, tuple[int, ...]], Pruned]
"""What becomes of something shared, for a reader of these fields."""


def prune_columns(relation: Relation) -> Relation:
    """The same root fields from fewer columns below."""
    everything = tuple(range(len(relation.fields)))
    joints = shared_below(relation)
    if not joints:
        return _prune(relation, everything, _unchanged)[0]
    needs: dict[str, set[int]] = {}
    done: dict[str, Pruned] = {}

    def ask(shared: Shared, keep: tuple[int, ...]) -> Pruned:
        needs.setdefault(shared.digest, set()).update(keep)
        return _unchanged(shared, keep)

    def answer(shared: Shared, keep: tuple[int, ...]) -> Pruned:
        return done[shared.digest]

    _prune(relation, everything, ask)
    for shared in reversed(joints):
        if shared.digest in needs:
            _prune(shared.source, needs[shared.digest], ask)
    for shared in joints:
        if shared.digest in needs:
            source, places = _prune(shared.source, needs[shared.digest], answer)
            done[shared.digest] = shared if source == shared.source else Shared(source), places
    return _prune(relation, everything, answer)[0]


def _unchanged(shared: Shared, keep: tuple[int, ...]) -> Pruned:
    return shared, {i: i for i in range(len(shared.fields))}


def _prune(relation: Relation, needed: Iterable[int], joint: Joint) -> Pruned:
    """The relation with at least the needed fields, and where each of them is now."""
    keep = tuple(sorted(set(needed)))
    match relation:
        case Values():
            return relation, {}
        case Scan(table, fields, fragments, keys):
            columns = (*(i for i in keep if i < len(fields) - 1), len(fields) - 1)  # the owner stays, last
            return Scan(table, tuple(fields[i] for i in columns), fragments, keys), _places(columns)
        case Filter(source) | Sort(source):
            below, places = _prune(source, (*keep, *columns_of(*expressions_of(relation))), joint)
            return rebase(relation, (below,), _moved(source, below, places)), places
        case Limit(source):
            below, places = _prune(source, keep, joint)
            return rebase(relation, (below,)), places
        case CrossJoin(left, right):
            return _prune_cross(left, right, keep, joint)
        case Join():
            return _prune_join(relation, keep, joint)
        case Concat(inputs):
            return _prune_concat(inputs, keep, joint)
        case Project(source, expressions, names):
            below, places = _prune(source, columns_of(*(expressions[i] for i in keep)), joint)
            kept = Project(source, tuple(expressions[i] for i in keep), tuple(names[i] for i in keep))
            return rebase(kept, (below,), _moved(source, below, places)), _places(keep)
        case Aggregate():
            return _prune_aggregate(relation, keep, joint)
        case Window():
            return _prune_window(relation, keep, joint)
        case Shared():
            return joint(relation, keep)
        case _:
            assert_never(relation)


def _prune_aggregate(aggregate: Aggregate, keep: tuple[int, ...], joint: Joint) -> Pruned:
    """Keys make the groups and stay; calls that nobody reads go."""
    source, width = aggregate.source, len(aggregate.keys)
    calls = tuple(i for i in keep if i >= width)
    kept = Aggregate(
        source,
        aggregate.keys,
        aggregate.key_names,
        tuple(aggregate.calls[i - width] for i in calls),
        tuple(aggregate.call_names[i - width] for i in calls),
        every=aggregate.every,
    )
    below, places = _prune(source, columns_of(*kept.keys, *kept.calls), joint)
    return rebase(kept, (below,), _moved(source, below, places)), _places((*range(width), *calls))


def _prune_window(window: Window, keep: tuple[int, ...], joint: Joint) -> Pruned:
    """Calls that nobody reads go, and with the last of them the window."""
    source, width = window.source, len(window.source.fields)
    wanted = tuple(i for i in keep if i >= width)
    if not wanted:
        return _prune(source, keep, joint)
    calls = tuple(window.calls[i - width] for i in wanted)
    kept = Window(source, window.partition, window.order, calls, tuple(window.call_names[i - width] for i in wanted))
    below, places = _prune(source, (*(i for i in keep if i < width), *columns_of(*expressions_of(kept))), joint)
    start = len(below.fields)
    moved = {old: start + new for new, old in enumerate(wanted)}
    return rebase(kept, (below,), _moved(source, below, places)), {**places, **moved}


def _prune_join(join: Join, keep: tuple[int, ...], joint: Joint) -> Pruned:
    """Keys are carried only where somebody reads them; a mark that nobody reads goes with its right side."""
    width = len(join.left.fields)
    beside = join.carried_fields
    marked = join.kind == "mark"
    read = tuple(i - width for i in keep if i >= width)
    if marked and not read:
        return _prune(join.left, keep, joint)
    wanted = () if marked else tuple(beside[i] for i in read)
    below, left_places = _prune(join.left, (*(i for i in keep if i < width), *columns_of(*join.left_keys)), joint)
    right, right_places = _prune(join.right, (*wanted, *columns_of(*join.right_keys)), joint)
    left_keys = tuple(substitute(key, _moved(join.left, below, left_places)) for key in join.left_keys)
    right_keys = tuple(substitute(key, _moved(join.right, right, right_places)) for key in join.right_keys)
    carried = tuple(right_places[i] for i in wanted)
    every = marked or carried == tuple(range(len(right.fields)))
    pruned = replace(
        join,
        left=below,
        right=right,
        left_keys=left_keys,
        right_keys=right_keys,
        carried=None if every else carried,
    )
    start = len(below.fields)
    places = {width + old: start + new for new, old in enumerate(read)}
    return pruned, {**left_places, **places}


def _prune_concat(inputs: tuple[Relation, ...], keep: tuple[int, ...], joint: Joint) -> Pruned:
    """Every source the same columns, in the same places."""
    pruned = []
    for source in inputs:
        below, places = _prune(source, keep, joint)
        if tuple(places[i] for i in keep) != tuple(range(len(below.fields))):
            names = tuple(source.fields[i].name for i in keep)
            below = Project(below, tuple(below.column(places[i]) for i in keep), names)
        pruned.append(below)
    return Concat(tuple(pruned)), _places(keep)


def _prune_cross(left: Relation, right: Relation, keep: tuple[int, ...], joint: Joint) -> Pruned:
    width = len(left.fields)
    new_left, left_places = _prune(left, (i for i in keep if i < width), joint)
    new_right, right_places = _prune(right, (i - width for i in keep if i >= width), joint)
    start = len(new_left.fields)
    places = {**left_places, **{width + old: start + new for old, new in right_places.items()}}
    return CrossJoin(new_left, new_right), places


def _places(kept: tuple[int, ...]) -> dict[int, int]:
    return {old: new for new, old in enumerate(kept)}


def _moved(before: Relation, after: Relation, places: dict[int, int]) -> tuple[Expression, ...]:
    """For each old field the column that reads it now; nobody reads those that are gone."""
    columns: list[Column] = []
    for i in range(len(before.fields)):
        columns.append(after.column(places[i]) if i in places else before.column(i))
    return tuple(columns)
