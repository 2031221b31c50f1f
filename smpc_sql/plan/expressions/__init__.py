"""Scalar expressions of a logical plan: frozen, typed when they are built, equal when they are written alike.

Every node knows, from its parts alone:

  type      its SQL type
  nullable  whether it can be NULL
  bounds    an interval that holds every value it can take (scaled integers; NULL aside). Of a DOUBLE: of no meaning
  secret    whether any party may not know it
  parts     the expressions right below, in the order in which `rebuild` takes them
  size      how many nodes it has, as written out

Arithmetic is on scaled integers. The operands of Add, Subtract, Less, Equal and the values of a Case have one scale
(and, for ENUMs, one dictionary); the binder inserts Rescale and Lookup. Booleans have bounds [0, 1].

A node whose parts do not fit raises TypeMismatch. Leaving 64 bits is *not* refused here but by plan/bounds.py, since a
rewrite may still remove the node.
"""

from __future__ import annotations

from smpc_sql.plan.expressions.aggregate_call import AggregateCall, AggregateKind
from smpc_sql.plan.expressions.arithmetic import Add, FromBoolean, Multiply, Negate, Rescale, Subtract, Within
from smpc_sql.plan.expressions.choice import MAX_TABLE, Case, Lookup
from smpc_sql.plan.expressions.division import Divide, FloorDivide, PlusRoot, Remainder, Sqrt, WholeQuotient, WholeRoot
from smpc_sql.plan.expressions.expression import Expression, rebuild
from smpc_sql.plan.expressions.leaves import Column, Elapsed, Literal
from smpc_sql.plan.expressions.logic import And, Equal, InSet, IsNull, Less, Not, Or
from smpc_sql.plan.expressions.long_division import DIGIT, LARGEST_DIVISOR, LongQuotient, QuotientDigit
from smpc_sql.plan.expressions.long_text import LongText
from smpc_sql.plan.expressions.node import BIT
from smpc_sql.plan.expressions.texts import TextCall, WrittenDouble
from smpc_sql.plan.expressions.traversal import columns_of, transform, walk

__all__ = [
    "BIT",
    "DIGIT",
    "LARGEST_DIVISOR",
    "MAX_TABLE",
    "Add",
    "AggregateCall",
    "AggregateKind",
    "And",
    "Case",
    "Column",
    "Divide",
    "Elapsed",
    "Equal",
    "Expression",
    "FloorDivide",
    "FromBoolean",
    "InSet",
    "IsNull",
    "Less",
    "Literal",
    "LongQuotient",
    "LongText",
    "Lookup",
    "Multiply",
    "Negate",
    "Not",
    "Or",
    "PlusRoot",
    "QuotientDigit",
    "Remainder",
    "Rescale",
    "Sqrt",
    "Subtract",
    "TextCall",
    "WholeQuotient",
    "WholeRoot",
    "Within",
    "WrittenDouble",
    "columns_of",
    "rebuild",
    "transform",
    "walk",
]
