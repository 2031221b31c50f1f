"""CAST of what a public dictionary says, number or date by number or date: a table lookup."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from smpc_sql.errors import QueryError, TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Case, Divide, Expression, InSet, Literal, Lookup
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Boolean, Decimal, Double, Enum, Integer, SqlType, scale_of
from smpc_sql.sql.coercion import as_quotient
from smpc_sql.sql.literals import text_literal

_MAX_SCALE = 18

Convert = Callable[[Expression], Expression]
"""CAST or TRY_CAST of a text constant."""


def cast_labels(x: Expression, type_: SqlType, convert: Convert) -> Expression:
    """CAST of an ENUM; NULL where `convert` gives NULL. Raises TypeMismatch for a label that it cannot convert."""
    assert isinstance(x.type, Enum)
    first = x.bounds.low
    values = [_value(label, type_, convert) for label in x.type.labels[first : x.bounds.high + 1]]
    known = [value for value in values if value is not None]
    word = _word_type(type_, known)
    if not known:
        found: Expression = Literal(None, word)
    elif isinstance(type_, Boolean):
        found = InSet(x, tuple(first + i for i, value in enumerate(values) if value))
    else:
        unit = 10 ** scale_of(word) if isinstance(type_, Double) else 1
        found = Lookup(x, tuple(int((known[0] if value is None else value) * unit) for value in values), word)
    missing = tuple(first + i for i, value in enumerate(values) if value is None)
    if known and missing:
        found = Case(((InSet(x, missing), Literal(None, word)),), found)
    return as_quotient(found) if isinstance(type_, Double) else found


def _value(label: str, type_: SqlType, convert: Convert) -> Fraction | None:
    """The scaled integer that a label stands for, of a DOUBLE the number; None for NULL."""
    try:
        x = fold(convert(text_literal(label)))
    except QueryError as error:
        raise TypeMismatch(f"CAST of the label '{label[:50]}' to {type_}: {error.message}") from None
    if isinstance(x, Literal):
        return None if x.value is None else Fraction(x.value)
    if isinstance(x, Divide):
        above, below = fold(x.numerator), fold(x.denominator)
        if isinstance(above, Literal) and isinstance(below, Literal) and below.value:
            return None if above.value is None else Fraction(above.value, below.value)
    raise Unsupported(f"CAST of the label '{label[:50]}' to {type_} is not supported")


def _word_type(type_: SqlType, known: list[Fraction]) -> SqlType:
    """The type of the table: of a DOUBLE the coarsest DECIMAL that holds all values."""
    if not isinstance(type_, Double):
        return type_
    for scale in range(_MAX_SCALE + 1):
        if all((value * 10**scale).denominator == 1 for value in known):
            return Decimal(38, scale) if scale else Integer(64)
    raise Unsupported(f"CAST of labels of more than {_MAX_SCALE} decimals to DOUBLE is not supported")
