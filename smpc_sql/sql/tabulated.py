"""Functions of arguments of few values: evaluated in public for every combination of these, and looked up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

from smpc_sql.plan.expressions import Add, Expression, InSet, Literal, Lookup, Multiply
from smpc_sql.plan.expressions.choice import MAX_TABLE
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Boolean, Enum, Integer, SqlType
from smpc_sql.sql.literals import NULL, boolean, integer, is_null, text_literal
from smpc_sql.sql.operations import choose

Value = str | int | bool | None
"""A text, a number, a truth value, NULL."""

_WORD = Integer(64)


def tabulated(function: Callable[..., Value], args: Sequence[Expression], type_: SqlType) -> Expression | None:
    """function(*args) of texts and integers, of a type (for texts any ENUM); NULL where an argument is.

    None where an argument has too many values: secret text, numbers of wide bounds.
    """
    if any(is_null(arg) for arg in args):
        return NULL if isinstance(type_, Enum) else Literal(None, type_)
    if any(not isinstance(arg.type, Enum | Integer) for arg in args):
        return None
    if prod(_size(arg) for arg in args) > MAX_TABLE:
        return None
    outcomes = [function(*values) for values in product(*map(_values, args))]
    moving = [arg for arg in args if not isinstance(arg, Literal)]
    if not moving:
        return known(outcomes[0], type_)
    return looked_up(_index(moving), outcomes, type_)


def _size(x: Expression) -> int:
    return 1 if isinstance(x, Literal) else x.bounds.size


def _values(x: Expression) -> list[Value]:
    codes = [x.value or 0] if isinstance(x, Literal) else range(x.bounds.low, x.bounds.high + 1)
    return [x.type.labels[code] for code in codes] if isinstance(x.type, Enum) else list(codes)


def _index(args: Sequence[Expression]) -> Expression:
    """A number for each combination of values, the last argument's running fastest."""
    if len(args) == 1:
        return args[0]
    total: Expression = _place(args[0])
    for arg in args[1:]:
        total = Add(Multiply(total, Literal(arg.bounds.size, _WORD), _WORD), _place(arg), _WORD)
    return total


def _place(x: Expression) -> Expression:
    return Lookup(x, tuple(range(x.bounds.size)), _WORD)


def known(value: Value, type_: SqlType) -> Expression:
    """A constant."""
    if value is None:
        return NULL if isinstance(type_, Enum) else Literal(None, type_)
    if isinstance(value, str):
        return text_literal(value)
    return boolean(bool(value)) if isinstance(type_, Boolean) else integer(value)


def looked_up(index: Expression, outcomes: Sequence[Value], type_: SqlType) -> Expression:
    """outcomes[index - index.bounds.low]; NULL where the index is."""
    codes = range(index.bounds.low, index.bounds.high + 1)
    absent = tuple(code for code, value in zip(codes, outcomes, strict=True) if value is None)
    some = next((value for value in outcomes if value is not None), None)
    if some is None:
        return known(None, type_)
    found = _of_table(index, [some if value is None else value for value in outcomes], type_)
    return choose([InSet(index, absent)], [known(None, type_), found]) if absent else found


def _of_table(index: Expression, outcomes: Sequence[str | int], type_: SqlType) -> Expression:
    if isinstance(type_, Boolean):
        return InSet(index, tuple(code for code, value in enumerate(outcomes, index.bounds.low) if value))
    if not isinstance(type_, Enum):
        return fold(Lookup(index, tuple(map(int, outcomes)), type_))
    labels = tuple(sorted({str(value) for value in outcomes}))
    place = {label: code for code, label in enumerate(labels)}
    return Lookup(index, tuple(place[str(value)] for value in outcomes), Enum(labels))
