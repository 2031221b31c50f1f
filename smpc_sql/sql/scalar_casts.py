"""CAST."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import Expression
from smpc_sql.schema import Date, Decimal, Double, Enum, Integer, SqlType, Text, Timestamp, scale_of
from smpc_sql.sql import coercion, rounding, timestamps
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.nodes import only
from smpc_sql.sql.types import is_text_type, to_type


def _cast(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "to")
    x, target = binder.bind(node.this), node.args["to"]
    if is_text_type(target):
        if isinstance(x.type, Enum):
            return coercion.recoded(x, Enum(tuple(sorted(x.type.labels))))
        if isinstance(x.type, Text):
            return x
        raise Unsupported(f"CAST of {x.type} to text is not supported")
    return _cast_to(x, to_type(target))


def _cast_to(x: Expression, type_: SqlType) -> Expression:
    """CAST; to a coarser scale it rounds."""
    if isinstance(type_, Integer | Decimal):
        if isinstance(x.type, Double):
            return coercion.fitting(rounding.cast_quotient(x, type_), type_)
        if coercion.is_number(x) and scale_of(x.type) > scale_of(type_):
            return coercion.fitting(rounding.cast_to_scale(x, type_), type_)
    if isinstance(type_, Date) and isinstance(x.type, Timestamp):
        return timestamps.date_of(x)
    return coercion.cast(x, type_)


METHODS: dict[type[exp.Expr], Method] = {
    exp.Cast: _cast,
}
