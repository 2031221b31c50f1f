"""CAST and TRY_CAST."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    Case,
    Elapsed,
    Expression,
    FromBoolean,
    Less,
    Literal,
    Multiply,
    Or,
    Sqrt,
    Within,
)
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
from smpc_sql.sql.literals import NULL, boolean, integer, is_null, number, text_literal, text_of
from smpc_sql.sql.nodes import only
from smpc_sql.sql.operations import compare
from smpc_sql.sql.read_texts import read
from smpc_sql.sql.readable import FALSE, TRUE, never, stands_for_nothing
from smpc_sql.sql.rounding import scaled
from smpc_sql.sql.types import is_text_type, to_cast_type
from smpc_sql.sql.written import written

_Fit = Callable[[Expression, SqlType], Expression]
"""What becomes of a number that the type may not hold."""

_MOST_LABELS = 256
_T = exp.DType
_KEPT = (
    (Integer | Decimal, (_T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT, _T.DECIMAL)),
    (Date | Timestamp, (_T.DATE, _T.TIMESTAMP, _T.TIMESTAMPNTZ)),
)
"""Types whose text is read as one of the others as the value would be cast."""

_MICROS = 6


def _cast(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "to")
    return _converted(binder, node, coercion.fitting)


def _try_cast(binder: Binder, node: exp.Expr) -> Expression:
    """NULL for what the type does not hold."""
    only(node, "this", "to", "safe")
    return _converted(binder, node, _fitting_or_null)


def _converted(binder: Binder, node: exp.Expr, fit: _Fit) -> Expression:
    target = node.args["to"]
    if is_text_type(target):
        return written(binder.bind(node.this))
    x = _unwritten(binder, node.this, target)
    if isinstance(x, Elapsed) and target.this == exp.DType.INTERVAL:
        return x
    type_, decimals = to_cast_type(target)
    found = _to_type(x, type_, fit)
    return found if decimals is None else _coarser(found, decimals)


def _unwritten(binder: Binder, node: exp.Expr, target: exp.DataType) -> Expression:
    """What is cast; of a number, date or moment that is cast to text and back the value itself: nothing is lost."""
    text = node.unnest()
    if isinstance(text, exp.Cast) and is_text_type(text.args["to"]):
        only(text, "this", "to", "safe")
        x = binder.bind(text.this)
        for kinds, targets in _KEPT:
            if isinstance(x.type, kinds) and target.this in targets:
                return x
    return binder.bind(node)


def _to_type(x: Expression, type_: SqlType, fit: _Fit) -> Expression:
    if isinstance(x.type, Text):
        return _labelled(x, type_) if isinstance(type_, Enum) else read(x, type_, _fitting_or_null, (TRUE, FALSE))
    if isinstance(x.type, Enum) and text_of(x) is None and not is_null(x) and x.type != type_:
        return cast_labels(x, type_, lambda label: _cast_to(label, type_, fit))
    if fit is _fitting_or_null and not is_null(x) and never(x.type, type_):
        return _nothing(type_)
    return _cast_to(x, type_, fit)


def _nothing(type_: SqlType) -> Expression:
    return coercion.as_quotient(NULL) if isinstance(type_, Double) else Literal(None, type_)


def _labelled(x: Expression, type_: Enum) -> Expression:
    """A secret text as an ENUM; NULL where it is none of its labels."""
    if len(type_.labels) > _MOST_LABELS:
        raise Unsupported(f"CAST of secret text to an ENUM of more than {_MOST_LABELS} labels is not supported")
    found = ((compare("=", x, text_literal(label)), Literal(i, type_)) for i, label in enumerate(type_.labels))
    return Case(tuple(found), Literal(None, type_))


def _coarser(x: Expression, decimals: int) -> Expression:
    """A TIMESTAMP_S or _MS: a TIMESTAMP rounded to so many decimals of a second, halves away from 1970."""
    if is_null(x):
        return x
    seconds = scaled(timestamps.number(x), Decimal(38, _MICROS))
    rounded = rounding.whole_digits(rounding.cast_to_scale(seconds, Decimal(38, decimals)))
    unit = Literal(10 ** (_MICROS - decimals), Integer(64))
    return fold(Add(Literal(0, Timestamp()), Multiply(rounded, unit, Integer(64))))


def _cast_to(x: Expression, type_: SqlType, fit: _Fit) -> Expression:
    """CAST; to a coarser scale it rounds."""
    if isinstance(x.type, Boolean) and isinstance(type_, Decimal | Double):
        x = FromBoolean(x)
    if isinstance(x.type, Double) and isinstance(type_, Boolean) and not is_null(x):
        return compare("<>", x, integer(0))
    read = text_of(x)
    if read is not None:
        if isinstance(type_, Enum):
            return _label(read, type_, fit)
        if fit is _fitting_or_null and stands_for_nothing(read, type_):
            return _nothing(type_)
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


def _label(text: str, type_: Enum, fit: _Fit) -> Expression:
    """A text constant as an ENUM."""
    if text not in type_.labels and fit is not _fitting_or_null:
        raise TypeMismatch(f"'{text[:50]}' is not a label of {type_}")
    return Literal(type_.labels.index(text) if text in type_.labels else None, type_)


def _truth(text: str) -> Expression:
    """A text constant as a BOOLEAN."""
    if text.lower() not in (*TRUE, *FALSE):
        raise TypeMismatch(f"'{text[:50]}' is not a BOOLEAN; write it as 'true' or 'false'")
    return boolean(text.lower() in TRUE)


def _number(text: str) -> Expression:
    """A text constant as a number."""
    digits = text.strip()
    x = number(digits.lstrip("+-"))
    return coercion.negate(x) if digits.startswith("-") and coercion.is_number(x) else x


METHODS: dict[type[exp.Expr], Method] = {
    exp.Cast: _cast,
    exp.TryCast: _try_cast,
}
