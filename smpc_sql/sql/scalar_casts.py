"""CAST."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.plan.expressions import Expression, FromBoolean
from smpc_sql.schema import Boolean, Date, Decimal, Double, Integer, SqlType, Timestamp, scale_of
from smpc_sql.sql import coercion, rounding, timestamps
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.literals import integer, is_null, number, text_of
from smpc_sql.sql.nodes import only
from smpc_sql.sql.operations import compare
from smpc_sql.sql.types import is_text_type, to_type
from smpc_sql.sql.written import written


def _cast(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "to")
    x, target = binder.bind(node.this), node.args["to"]
    if is_text_type(target):
        return written(x)
    return _cast_to(x, to_type(target))


def _cast_to(x: Expression, type_: SqlType) -> Expression:
    """CAST; to a coarser scale it rounds."""
    if isinstance(x.type, Boolean) and isinstance(type_, Decimal | Double):
        x = FromBoolean(x)
    if isinstance(x.type, Double) and isinstance(type_, Boolean) and not is_null(x):
        return compare("<>", x, integer(0))
    written = text_of(x)
    if written is not None and isinstance(type_, Integer | Decimal | Double):
        x = _number(written)
    if isinstance(type_, Integer | Decimal):
        if isinstance(x.type, Double):
            return coercion.fitting(rounding.cast_quotient(x, type_), type_)
        if coercion.is_number(x) and scale_of(x.type) > scale_of(type_):
            return coercion.fitting(rounding.cast_to_scale(x, type_), type_)
    if isinstance(type_, Date) and isinstance(x.type, Timestamp):
        return timestamps.date_of(x)
    return coercion.cast(x, type_)


def _number(text: str) -> Expression:
    """A text constant as a number."""
    digits = text.strip()
    x = number(digits.lstrip("+-"))
    return coercion.negate(x) if digits.startswith("-") and coercion.is_number(x) else x


METHODS: dict[type[exp.Expr], Method] = {
    exp.Cast: _cast,
}
