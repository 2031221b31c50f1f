"""CAST and TRY_CAST."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from smpc_sql.errors import TypeMismatch
from smpc_sql.plan.expressions import Case, Expression, FromBoolean, Less, Literal, Or, Sqrt, Within
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import (
    Boolean,
    Date,
    Decimal,
    Double,
    Enum,
    Integer,
    Interval,
    SqlType,
    Text,
    Timestamp,
    scale_of,
    type_bounds,
)
from smpc_sql.sql import coercion, roots, rounding, timestamps
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.label_casts import cast_labels
from smpc_sql.sql.literals import boolean, integer, is_null, number, text_of
from smpc_sql.sql.nodes import only
from smpc_sql.sql.operations import compare
from smpc_sql.sql.read_texts import read
from smpc_sql.sql.types import is_text_type, to_type
from smpc_sql.sql.written import written

_Fit = Callable[[Expression, SqlType], Expression]
"""What becomes of a number that the type may not hold."""

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_IMPOSSIBLE_DATE = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}\s*", re.ASCII)
_NAMED = ("inf", "infinity", "nan", "epoch")


def _cast(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "to")
    return _converted(binder, node, coercion.fitting)


def _try_cast(binder: Binder, node: exp.Expr) -> Expression:
    """NULL for what the type does not hold."""
    only(node, "this", "to", "safe")
    return _converted(binder, node, _fitting_or_null)


def _converted(binder: Binder, node: exp.Expr, fit: _Fit) -> Expression:
    x, target = binder.bind(node.this), node.args["to"]
    if is_text_type(target):
        return written(x)
    type_ = to_type(target)
    if isinstance(x.type, Text):
        return read(x, type_, _fitting_or_null, (_TRUE, _FALSE))
    if isinstance(x.type, Enum) and text_of(x) is None and not is_null(x) and not isinstance(type_, Enum):
        return cast_labels(x, type_, lambda label: _cast_to(label, type_, fit))
    return _cast_to(x, type_, fit)


def _cast_to(x: Expression, type_: SqlType, fit: _Fit) -> Expression:
    """CAST; to a coarser scale it rounds."""
    if isinstance(x.type, Boolean) and isinstance(type_, Decimal | Double):
        x = FromBoolean(x)
    if isinstance(x.type, Double) and isinstance(type_, Boolean) and not is_null(x):
        return compare("<>", x, integer(0))
    read = text_of(x)
    if read is not None:
        if fit is _fitting_or_null and _stands_for_nothing(read, type_):
            return Literal(None, Integer(32) if isinstance(type_, Double) else type_)
        if isinstance(type_, Boolean):
            return _truth(read)
        if isinstance(type_, Integer | Decimal | Double):
            x = _number(read)
    if isinstance(type_, Integer | Decimal):
        if isinstance(x, Sqrt):
            return fit(roots.cast_root(x, type_), type_)
        if isinstance(x.type, Double):
            return fit(rounding.cast_quotient(x, type_), type_)
        if coercion.is_number(x) and scale_of(x.type) > scale_of(type_):
            return fit(rounding.cast_to_scale(x, type_), type_)
        if coercion.is_number(x) and not is_null(x):
            return fit(x if fit is _fitting_or_null else coercion.rescaled(x, scale_of(type_)), type_)
    if isinstance(type_, Date) and isinstance(x.type, Timestamp):
        return timestamps.date_of(x)
    return coercion.cast(x, type_)


def _fitting_or_null(x: Expression, type_: SqlType) -> Expression:
    """A number at a scale that is not finer than the type's, in the type; NULL where that does not hold it."""
    x, held = fold(x), type_bounds(type_)
    unit = 10 ** (scale_of(type_) - scale_of(x.type))
    inside = Interval(-(-held.low // unit), held.high // unit)
    tests: list[Expression] = []
    if x.bounds.low < inside.low:
        tests.append(Less(x, Literal(inside.low, x.type)))
    if x.bounds.high > inside.high:
        tests.append(Less(Literal(inside.high, x.type), x))
    if not tests:
        return coercion.fitting(coercion.rescaled(x, scale_of(type_)), type_)
    if x.bounds.intersect(inside) is None:
        return Literal(None, type_)
    beyond = tests[0] if len(tests) == 1 else Or(tuple(tests))
    kept = Within(Case(((beyond, Literal(None, x.type)),), x), inside)
    return coercion.fitting(coercion.rescaled(kept, scale_of(type_)), type_)


def _stands_for_nothing(text: str, type_: SqlType) -> bool:
    """Whether a text is certainly no value of a type: nothing else is said to be NULL that DuckDB might read."""
    if isinstance(type_, Boolean):
        return text.lower() not in (*_TRUE, *_FALSE)
    bare = text.strip().lstrip("+-").lower()
    if isinstance(type_, Date) and _IMPOSSIBLE_DATE.fullmatch(text):
        try:
            coercion.cast(Literal(0, Enum((text,))), type_)
        except TypeMismatch:
            return True
    return not any(c.isdigit() for c in text) and bare not in _NAMED


def _truth(text: str) -> Expression:
    """A text constant as a BOOLEAN."""
    if text.lower() not in (*_TRUE, *_FALSE):
        raise TypeMismatch(f"'{text[:50]}' is not a BOOLEAN; write it as 'true' or 'false'")
    return boolean(text.lower() in _TRUE)


def _number(text: str) -> Expression:
    """A text constant as a number."""
    digits = text.strip()
    x = number(digits.lstrip("+-"))
    return coercion.negate(x) if digits.startswith("-") and coercion.is_number(x) else x


METHODS: dict[type[exp.Expr], Method] = {
    exp.Cast: _cast,
    exp.TryCast: _try_cast,
}
