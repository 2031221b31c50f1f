"""Through all the relations of a plan: finding them, setting them on other sources, changing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from smpc_sql.plan.expressions import AggregateCall, Column, Expression, transform
from smpc_sql.plan.relations.grouping import Aggregate
from smpc_sql.plan.relations.joining import CrossJoin, Join
from smpc_sql.plan.relations.ordering import Limit, Sort, SortKey
from smpc_sql.plan.relations.relation import Relation, Shared, sources
from smpc_sql.plan.relations.rows import Concat, Filter, Project, Scan, Values
from smpc_sql.plan.relations.windows import Window


def walk(relation: Relation) -> Iterator[Relation]:
    """The relation and all below, parents first, left to right; what is shared once, where it is met first."""
    met: set[str] = set()
    waiting = [relation]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Shared):
            if node.digest in met:
                continue
            met.add(node.digest)
        yield node
        waiting += reversed(sources(node))


def expressions_of(relation: Relation) -> tuple[Expression | AggregateCall, ...]:
    """The expressions that a relation evaluates itself, over the fields of its source (a Join's: see left_keys)."""
    match relation:
        case Scan() | Values() | CrossJoin() | Join() | Concat() | Limit() | Shared():
            return ()
        case Filter(_, predicate):
            return (predicate,)
        case Project(_, expressions):
            return expressions
        case Aggregate(_, keys, _, calls):
            return (*keys, *calls)
        case Sort(_, keys):
            return tuple(key.expression for key in keys)
        case Window(_, partition, order, calls):
            arguments = tuple(call.argument for call in calls if call.argument is not None)
            return (*partition, *(key.expression for key in order), *arguments)
        case _:
            assert_never(relation)


def own_columns(relation: Relation) -> tuple[Column, ...]:
    """All fields of a relation as expressions over it."""
    return tuple(relation.column(i) for i in range(len(relation.fields)))


def substitute(expression: Expression, by: Sequence[Expression]) -> Expression:
    """Every Column(i) replaced by by[i]: the expression as the relation below would write it."""
    return transform(expression, lambda node: by[node.index] if isinstance(node, Column) else node)


def substitute_call(call: AggregateCall, by: Sequence[Expression], rows: int) -> AggregateCall:
    """The same in an aggregate's argument and filter, for groups of at most `rows` rows."""
    return call.over(lambda part: substitute(part, by), rows)


def rebase(relation: Relation, new: Sequence[Relation], by: Sequence[Expression] | None = None) -> Relation:
    """The same relation over new sources: its columns read by[i], or the new source's field i if `by` is None.

    Types, bounds and nullability are found anew.
    """
    if isinstance(relation, Scan | Values):
        return relation
    if isinstance(relation, CrossJoin):
        return CrossJoin(new[0], new[1])
    if isinstance(relation, Concat):
        return Concat(tuple(new))
    if isinstance(relation, Join):
        return _rebase_join(relation, new[0], new[1])
    source = new[0]
    by = by if by is not None else tuple(source.column(i) for i in range(len(source.fields)))
    match relation:
        case Filter(_, predicate):
            return Filter(source, substitute(predicate, by))
        case Project(_, expressions, names):
            return Project(source, tuple(substitute(e, by) for e in expressions), names)
        case Aggregate(_, keys, key_names, calls, call_names, most, every):
            new_keys = tuple(substitute(key, by) for key in keys)
            new_calls = tuple(substitute_call(call, by, source.max_rows) for call in calls)
            return Aggregate(source, new_keys, key_names, new_calls, call_names, most, every)
        case Sort(_, keys):
            return Sort(source, _substitute_keys(keys, by))
        case Window(_, partition, order, calls, names):
            window_calls = tuple(
                call if call.argument is None else replace(call, argument=substitute(call.argument, by))
                for call in calls
            )
            parts = tuple(substitute(key, by) for key in partition)
            return Window(source, parts, _substitute_keys(order, by), window_calls, names)
        case Limit(_, count, offset):
            return Limit(source, count, offset)
        case Shared():
            return Shared(source)
        case _:
            assert_never(relation)


def _substitute_keys(keys: tuple[SortKey, ...], by: Sequence[Expression]) -> tuple[SortKey, ...]:
    return tuple(SortKey(substitute(k.expression, by), k.descending, k.nulls_first) for k in keys)


def _rebase_join(join: Join, left: Relation, right: Relation) -> Join:
    lefts, rights = own_columns(left), own_columns(right)
    left_keys = tuple(substitute(key, lefts) for key in join.left_keys)
    right_keys = tuple(substitute(key, rights) for key in join.right_keys)
    return replace(join, left=left, right=right, left_keys=left_keys, right_keys=right_keys)


def rewrite(
    relation: Relation,
    change: Callable[[Relation], Relation],
    joint: Callable[[Shared, Relation], Relation] | None = None,
) -> Relation:
    """Every relation replaced by change(relation), from the leaves up, columns kept true to the fields they read.

    What is shared is rewritten once: joint(shared, its new source) is what takes its place everywhere.
    """
    done: dict[str, Relation] = {}

    def visit(node: Relation) -> Relation:
        if isinstance(node, Shared):
            if node.digest not in done:
                done[node.digest] = (joint or _again)(node, visit(node.source))
            return done[node.digest]
        old = sources(node)
        new = tuple(map(visit, old))
        return change(node if new == old else rebase(node, new))

    return visit(relation)


def _again(shared: Shared, source: Relation) -> Relation:
    return shared if source == shared.source else Shared(source)
