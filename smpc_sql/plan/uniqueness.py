"""Which fields of a relation tell its valid rows apart: declared keys, group keys, and what operators keep of them."""

from __future__ import annotations

from typing import assert_never

from smpc_sql.plan.expressions import (
    Column,
    Equal,
    Expression,
    FloorDivide,
    FromBoolean,
    InSet,
    Literal,
    Lookup,
    TextCall,
    Within,
)
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
)
from smpc_sql.plan.rules.narrow_keys import injective_operand
from smpc_sql.plan.rules.push_filters import conjuncts
from smpc_sql.plan.text import Pad

Key = frozenset[int]

_MOST_KEYS = 16


def unique_keys(relation: Relation) -> tuple[Key, ...]:
    """Sets of fields such that no two valid rows agree on all of them, none being NULL; () is of one row at most."""
    if relation.max_rows <= 1:
        return (frozenset(),)
    return tuple(dict.fromkeys(_keys(relation)))[:_MOST_KEYS]


def _keys(relation: Relation) -> tuple[Key, ...]:
    match relation:
        case Values():
            return (frozenset(),)
        case Scan(_, fields, _, keys):
            places = {field.name: i for i, field in enumerate(fields)}
            known = [key for key in keys if all(name in places for name in key)]
            return tuple(frozenset(places[name] for name in key) for key in known)
        case Aggregate(_, keys):
            return (frozenset(i for i, key in enumerate(keys) if key.nullable or key.bounds.size > 1),)
        case Filter(source, predicate):
            fixed = {i for term in conjuncts(predicate) if (i := _fixed(term)) is not None}
            return tuple(key - fixed for key in unique_keys(source))
        case Project(source, expressions):
            return _through_project(unique_keys(source), expressions)
        case Window(source):
            return (*unique_keys(source), *_numbers(relation))
        case Sort(source) | Limit(source) | Shared(source):
            return unique_keys(source)
        case Join(left, right) if relation.expansion is not None:
            width = len(left.fields)
            beside = {i: width + place for place, i in enumerate(relation.carried_fields)}
            other = tuple(frozenset(beside[i] for i in key) for key in unique_keys(right) if key <= beside.keys())
            return tuple(a | b for a in unique_keys(left) for b in other)
        case Join():
            return _looked_up(relation)
        case CrossJoin(left, right):
            width = len(left.fields)
            rights = unique_keys(right)
            return tuple(a | frozenset(width + i for i in b) for a in unique_keys(left) for b in rights)
        case Concat():
            return ()
        case _:
            assert_never(relation)


def _numbers(window: Window) -> tuple[Key, ...]:
    """ROW_NUMBER tells the rows of a partition apart."""
    parts = [injective_column(expression) for expression in window.partition]
    known = frozenset(part for part in parts if part is not None)
    width = len(window.source.fields)
    numbers = [width + i for i, call in enumerate(window.calls) if call.kind == "row_number"]
    return () if None in parts else tuple(known | {number} for number in numbers)


def _looked_up(join: Join) -> tuple[Key, ...]:
    """A row of the left has one partner at most: the left's keys, and the same with what the right calls equal."""
    keys = unique_keys(join.left)
    if join.kind == "mark":
        return keys
    beside = {i: len(join.left.fields) + place for place, i in enumerate(join.carried_fields)}
    equal = {}
    for mine, other in zip(join.left_keys, join.right_keys, strict=True):
        left, right = injective_column(mine), injective_column(other)
        if left is not None and right in beside:
            equal[left] = beside[right]
    moved = (frozenset(equal.get(i, i) for i in key) for key in keys)
    return (*keys, *(key for key in moved if key not in keys))


def _fixed(term: Expression) -> int | None:
    """The field that a filter's term holds to one value."""
    match term:
        case InSet(x, (_,)) | Equal(x, Literal()) | Equal(Literal(), x):
            return injective_column(x)
        case _:
            return None


def _through_project(keys: tuple[Key, ...], expressions: tuple[Expression, ...]) -> tuple[Key, ...]:
    places: dict[int, int] = {}
    for i, expression in enumerate(expressions):
        column = injective_column(expression)
        if column is not None:
            places.setdefault(column, i)
    return tuple(frozenset(places[i] for i in key) for key in keys if key <= places.keys())


def injective_column(expression: Expression) -> int | None:
    """The one field that tells rows apart as well as the expression does; None if there is none."""
    while not isinstance(expression, Column):
        inner = _operand(expression)
        if inner is None:
            return None
        expression = inner
    return expression.index


def _operand(expression: Expression) -> Expression | None:
    match expression:
        case FromBoolean(x) | Within(x):
            return x
        case FloorDivide(x, 1):
            return x
        case TextCall(Pad(), (x,)):
            return x
        case Lookup(x, table):
            return x if len(set(table)) == len(table) else None
        case _:
            return injective_operand(expression)
