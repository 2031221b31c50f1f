"""Expressions of public values, in three-valued logic, on numpy arrays: what every party computes for itself."""

from __future__ import annotations

from math import isqrt
from typing import assert_never

import numpy as np

from smpc_sql.errors import InternalError
from smpc_sql.operators.datum import Public
from smpc_sql.plan.expressions import (
    DIGIT,
    Add,
    And,
    Case,
    Column,
    Divide,
    Elapsed,
    Equal,
    Expression,
    FloorDivide,
    FromBoolean,
    InSet,
    IsNull,
    Less,
    Literal,
    LongQuotient,
    LongText,
    Lookup,
    Multiply,
    Negate,
    Not,
    Or,
    PlusRoot,
    QuotientDigit,
    Remainder,
    Rescale,
    Sqrt,
    Subtract,
    TextCall,
    WholeQuotient,
    WholeRoot,
    Within,
    WrittenDouble,
)
from smpc_sql.ring import Array

_FALSE = np.array(False)


def evaluate_public(node: Expression, parts: list[Public]) -> Public:
    """The value of one node over its evaluated parts."""
    values = [part.values for part in parts]
    match node:
        case Column():
            raise InternalError("a column is an input, not computed")
        case Literal(value):
            return Public(np.array(value or 0, dtype=np.int64), np.array(True) if value is None else None)
        case Add():
            return Public(values[0] + values[1], _either(parts))
        case Subtract():
            return Public(values[0] - values[1], _either(parts))
        case Multiply():
            return Public(values[0] * values[1], _either(parts))
        case Negate():
            return Public(-values[0], parts[0].null)
        case Rescale(_, exponent):
            return Public(values[0] * 10**exponent, parts[0].null)
        case FromBoolean():
            return parts[0]
        case Less():
            return _truth(values[0] < values[1], _either(parts))
        case Equal():
            return _truth(values[0] == values[1], _either(parts))
        case InSet(_, codes):
            return _truth(np.isin(values[0], np.array(codes, dtype=np.int64)), parts[0].null)
        case IsNull():
            return _truth(np.broadcast_to(_null(parts[0]), values[0].shape), None)
        case Not():
            return _truth(values[0] == 0, parts[0].null)
        case And():
            return _and(parts)
        case Or():
            return _negated(_and([_negated(part) for part in parts]))
        case Case():
            return _case(parts)
        case Lookup(x, table):
            at = np.clip(values[0] - x.bounds.low, 0, len(table) - 1)
            return Public(np.array(table, dtype=np.int64)[at], parts[0].null)
        case FloorDivide(_, divisor):
            return Public(values[0] // divisor, parts[0].null)
        case WholeQuotient(_, _, places):
            exact = (values[0].astype(object) << places) // np.maximum(values[1], 1)
            return Public(np.asarray(exact).astype(np.int64), _either(parts))
        case WholeRoot():
            return Public(np.array([isqrt(int(value)) for value in values[0]], dtype=np.int64), parts[0].null)
        case LongQuotient():
            return _long_quotient(node, parts)
        case QuotientDigit(_, place):
            return Public(values[0][place], parts[0].null)
        case Remainder(_, divisor):
            return Public(values[0] % divisor, parts[0].null)
        case Within():
            return parts[0]
        case TextCall(function):
            null = _either([parts[i] for i in function.leading])
            compute = np.vectorize(lambda *operands: function.compute(operands), otypes=[np.int64])
            return Public(compute(*values), null)
        case Divide() | Sqrt() | PlusRoot() | LongText() | WrittenDouble() | Elapsed():
            raise InternalError(f"{type(node).__name__} is not evaluated on words")
        case _:
            assert_never(node)


def _long_quotient(node: LongQuotient, parts: list[Public]) -> Public:
    """All digits, the last one first: values of one axis more."""
    total = np.array(0, dtype=object)
    for part in parts[: len(node.digits)]:
        total = (total << DIGIT) + part.values.astype(object)
    total = total << node.places
    for part in parts[len(node.digits) :]:
        total = total // np.maximum(part.values, 1).astype(object)
    mask = (1 << DIGIT) - 1
    digits = [np.asarray(total >> DIGIT * place & mask).astype(np.int64) for place in range(node.count)]
    return Public(np.stack(digits), _either(parts))


def _null(part: Public) -> Array:
    return _FALSE if part.null is None else part.null


def _either(parts: list[Public]) -> Array | None:
    nulls = [part.null for part in parts if part.null is not None]
    if not nulls:
        return None
    total = nulls[0]
    for null in nulls[1:]:
        total = total | null
    return total


def _truth(values: Array, null: Array | None) -> Public:
    return Public(np.asarray(values).astype(np.int64), null)


def _negated(part: Public) -> Public:
    return _truth(part.values == 0, part.null)


def _and(parts: list[Public]) -> Public:
    true, false = np.array(True), _FALSE
    for part in parts:
        true = true & (part.values != 0) & ~_null(part)
        false = false | ((part.values == 0) & ~_null(part))
    return _truth(true, None if all(part.null is None for part in parts) else ~(true | false))


def _case(parts: list[Public]) -> Public:
    values, null = parts[-1].values, _null(parts[-1])
    for condition, value in reversed(list(zip(parts[:-1:2], parts[1::2], strict=True))):
        true = (condition.values != 0) & ~_null(condition)
        values, null = np.where(true, value.values, values), np.where(true, _null(value), null)
    return Public(values, null if null.any() else None)
