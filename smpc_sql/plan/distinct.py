"""How many different values there are at most, as public sizes tell: of a key that finds its row in a small table, no
more than that table has rows."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from smpc_sql.plan.expressions import Column, Expression, columns_of
from smpc_sql.plan.relations import (
    Aggregate,
    CrossJoin,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Shared,
    Sort,
    Window,
    key_size,
)


def values_at_most(relation: Relation, expressions: Sequence[Expression]) -> int:
    """How many different rows of values, NULL being one, the expressions take over the valid rows at most."""
    known = min(relation.max_rows, prod(key_size(expression) for expression in expressions))
    fields = columns_of(*expressions)
    if not fields:
        return min(known, 1)
    return min(known, _values(relation, fields))


def _values(relation: Relation, fields: Sequence[int]) -> int:
    match relation:
        case Filter(source) | Sort(source) | Limit(source) | Shared(source):
            return _columns(source, fields)
        case Window(source) if all(i < len(source.fields) for i in fields):
            return _columns(source, fields)
        case Project(source, expressions):
            return values_at_most(source, [expressions[i] for i in fields])
        case Aggregate(source, keys) if keys and all(i < len(keys) for i in fields):
            return values_at_most(source, [keys[i] for i in fields])
        case CrossJoin(left, right):
            width = len(left.fields)
            mine, others = [i for i in fields if i < width], [i - width for i in fields if i >= width]
            return (_columns(left, mine) if mine else 1) * (_columns(right, others) if others else 1)
        case Join(kind="inner"):
            return _joined(relation, fields)
        case Join(left) if all(i < len(left.fields) for i in fields):
            return _columns(left, fields)
        case _:
            return relation.max_rows


def _columns(relation: Relation, fields: Sequence[int]) -> int:
    return values_at_most(relation, [relation.column(i) for i in fields])


def _joined(join: Join, fields: Sequence[int]) -> int:
    """Read of either side, where equal keys stand for one another; a lookup's left keys tell the right row."""
    width, beside = len(join.left.fields), join.carried_fields
    pairs = list(zip(join.left_keys, join.right_keys, strict=True))
    to_right = {a.index: b for a, b in pairs if isinstance(a, Column)}
    to_left = {b.index: a for a, b in pairs if isinstance(b, Column)}
    found = join.max_rows
    if all(i < width or beside[i - width] in to_left for i in fields):
        mine = [join.left.column(i) if i < width else to_left[beside[i - width]] for i in fields]
        found = min(found, values_at_most(join.left, mine))
    elif join.expansion is None:
        keys = [*(join.left.column(i) for i in fields if i < width), *join.left_keys]
        found = min(found, values_at_most(join.left, keys))
    if all(i >= width or i in to_right for i in fields):
        others = [join.right.column(beside[i - width]) if i >= width else to_right[i] for i in fields]
        found = min(found, values_at_most(join.right, others))
    return found
