"""Every scalar expression, and each of them over other parts."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from smpc_sql.plan.expressions.arithmetic import Add, FromBoolean, Multiply, Negate, Rescale, Subtract, Within
from smpc_sql.plan.expressions.choice import Case, Lookup
from smpc_sql.plan.expressions.division import Divide, FloorDivide, PlusRoot, Remainder, Sqrt, WholeQuotient, WholeRoot
from smpc_sql.plan.expressions.leaves import Column, Elapsed, Literal
from smpc_sql.plan.expressions.logic import And, Equal, InSet, IsNull, Less, Not, Or
from smpc_sql.plan.expressions.long_division import LongQuotient, QuotientDigit
from smpc_sql.plan.expressions.long_text import LongText
from smpc_sql.plan.expressions.texts import TextCall, WrittenDouble

Expression = (
    Column
    | Literal
    | Add
    | Subtract
    | Multiply
    | Negate
    | Rescale
    | FromBoolean
    | Less
    | Equal
    | InSet
    | IsNull
    | Not
    | And
    | Or
    | Case
    | Lookup
    | FloorDivide
    | WholeQuotient
    | WholeRoot
    | LongQuotient
    | QuotientDigit
    | Remainder
    | Within
    | Divide
    | Sqrt
    | PlusRoot
    | LongText
    | TextCall
    | WrittenDouble
    | Elapsed
)
"""Every scalar expression; AggregateCall stands apart."""


def rebuild(expression: Expression, new: tuple[Expression, ...]) -> Expression:
    """The same node over other parts; type, bounds and the rest are found anew."""
    match expression:
        case Column() | Literal():
            return expression
        case Add(_, _, result):
            return Add(new[0], new[1], result)
        case Subtract(_, _, result):
            return Subtract(new[0], new[1], result)
        case Multiply(_, _, result):
            return Multiply(new[0], new[1], result)
        case Divide(_, _, guarded):
            return Divide(new[0], new[1], guarded)
        case Less() | Equal() | Negate() | FromBoolean() | IsNull() | Not():
            return type(expression)(*new)
        case WrittenDouble():
            return WrittenDouble(new[0])
        case Elapsed(_, split, monthly):
            return Elapsed(new[0], None if split is None else new[1:], monthly)
        case PlusRoot(_, _, together):
            return PlusRoot(new[0], new[1], together)
        case Sqrt(_, signed, most):
            return Sqrt(new[0], signed, most)
        case WholeRoot():
            return WholeRoot(new[0])
        case Rescale(_, exponent, type_):
            return Rescale(new[0], exponent, type_)
        case InSet(_, codes):
            return InSet(new[0], codes)
        case FloorDivide(_, divisor, type_):
            return FloorDivide(new[0], divisor, type_)
        case WholeQuotient(_, _, places, width):
            return WholeQuotient(new[0], new[1], places, width)
        case LongQuotient(digits):
            return replace(expression, digits=new[: len(digits)], divisors=new[len(digits) :])
        case QuotientDigit(_, place):
            return QuotientDigit(new[0], place)
        case Remainder(_, divisor):
            return Remainder(new[0], divisor)
        case Within(_, interval):
            return Within(new[0], interval)
        case And() | Or():
            return type(expression)(new)
        case Case():
            return Case(tuple(zip(new[:-1:2], new[1::2], strict=True)), new[-1])
        case LongText(_, text):
            return LongText(new, text)
        case TextCall(function):
            return TextCall(function, new)
        case Lookup(x, table, type_):
            operand = new[0]
            if x.bounds.intersect(operand.bounds) != operand.bounds:
                # the values are the same; an outer join widens bounds by what its NULLs hold, and groups that come
                # to be enumerated may be more than the rows were that an aggregate counts
                operand = Within(operand, x.bounds)
            start = operand.bounds.low - x.bounds.low
            return Lookup(operand, table[start : start + operand.bounds.size], type_)
        case _:
            assert_never(expression)
