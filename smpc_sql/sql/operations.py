"""Operations on bound expressions of any type: what SQL's operators mean, whatever they are applied to."""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.errors import TypeMismatch
from smpc_sql.plan.expressions import (
    Case,
    Elapsed,
    Equal,
    Expression,
    FromBoolean,
    IsNull,
    Less,
    Literal,
    LongText,
    Not,
    Within,
)
from smpc_sql.schema import Boolean, Date, Double, Enum, Integer, Interval, Text
from smpc_sql.sql import coercion, quotient, text
from smpc_sql.sql.coercion import is_number, is_numeric, same_scale, unify
from smpc_sql.sql.literals import is_null, text_of


def compare(operator: str, left: Expression, right: Expression) -> Expression:
    """A comparison of any two values that fit; NULL if either is."""
    if is_null(left) or is_null(right):
        return Literal(None, Boolean())
    if operator in (">", "<="):
        left, right = right, left
    test: type[Less] | type[Equal] = Equal if operator in ("=", "<>") else Less
    if isinstance(left, Elapsed) and isinstance(right, Elapsed):
        left, right = left.x, right.x
    if isinstance(left.type, Double) or isinstance(right.type, Double):
        require_numbers(operator, left, right)
        outcome: Expression = quotient.compare(left, right, test)
    elif _are_texts(left, right):
        outcome = text.compare(left, right, test)
    else:
        outcome = test(*_comparable(left, right))
    return Not(outcome) if operator in ("<=", ">=", "<>") else outcome


def _are_texts(left: Expression, right: Expression) -> bool:
    """Whether at least one is secret text, and the other text of some kind."""
    kinds = (left.type, right.type)
    return any(isinstance(kind, Text) for kind in kinds) and all(isinstance(kind, Text | Enum) for kind in kinds)


def _comparable(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """Two words of one scale or dictionary; BOOLEANs as 0 and 1."""
    if isinstance(left.type, Boolean):
        left = FromBoolean(left)
    if isinstance(right.type, Boolean):
        right = FromBoolean(right)
    if is_number(left) and is_number(right):
        return same_scale(left, right)
    if isinstance(left.type, Date) and isinstance(right.type, Date):
        return left, right
    both = unify([left, right])
    return both[0], both[1]


def is_null_of(x: Expression) -> Expression:
    """x IS NULL, of any type."""
    if isinstance(x.type, Double):
        return quotient.is_null_double(x)
    if isinstance(x, Elapsed):
        return is_null_of(x.x)
    return IsNull(text.words_of(x)[0])


def choose(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    """CASE: values in their common type, the last one being the default."""
    if any(isinstance(value.type, Double) for value in values):
        return quotient.choose(conditions, values)
    if all(isinstance(value, Elapsed) or is_null(value) for value in values):
        return _chosen_interval(conditions, values)
    unified = unify(values)
    if isinstance(unified[-1], LongText):
        return text.choose(conditions, unified)
    return Case(tuple(zip(conditions, unified[:-1], strict=True)), unified[-1])


def _chosen_interval(conditions: Sequence[Expression], values: Sequence[Expression]) -> Elapsed:
    """A CASE of INTERVALs and NULLs; of parts that are known of all their CASEs."""
    null = Literal(None, Integer(64))
    given = [value if isinstance(value, Elapsed) else Elapsed(null) for value in values]
    known = [value for value, written in zip(given, values, strict=True) if not is_null(written)]
    chosen = choose(conditions, [value.x for value in given])
    monthly = any(value.monthly for value in given)
    if all(value.split == () for value in known):
        return Elapsed(chosen, (), monthly)
    if not all(value.split for value in known):
        return Elapsed(chosen, None, monthly)
    splits = [value.split or (null, null, null) for value in given]
    return Elapsed(chosen, tuple(choose(conditions, parts) for parts in zip(*splits, strict=True)), monthly)


def unified(values: list[Expression]) -> list[Expression]:
    """Words in their common type; DOUBLEs as they are, since they have one each."""
    if not values or any(isinstance(value.type, Double) for value in values):
        return values
    return values if any(isinstance(value, Elapsed) for value in values) else list(unify(values))


def absolute(x: Expression) -> Expression:
    """ABS of a word."""
    if x.bounds.low >= 0:
        return x
    negative = Less(x, Literal(0, x.type))
    chosen = Case(((negative, coercion.negate(x)),), x)
    return Within(chosen, Interval(0, max(-x.bounds.low, x.bounds.high)))


def without_null(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """NULL of no type becomes NULL of the other's."""
    if is_null(left) and is_null(right):
        return left, right
    if is_null(left) and not isinstance(right.type, Double):
        return Literal(None, right.type if is_number(right) else Integer(32)), right
    if is_null(right) and not isinstance(left.type, Double):
        return left, Literal(None, left.type if is_number(left) else Integer(32))
    return left, right


def require_numbers(what: str, *operands: Expression) -> None:
    """Raises TypeMismatch for an operand that is no number."""
    for x in operands:
        if not is_numeric(x):
            kind = "text" if text_of(x) is not None else str(x.type)
            hint = "; CAST it to INTEGER first" if isinstance(x.type, Boolean) else ""
            raise TypeMismatch(f"{what} needs numbers, got {kind}{hint}")


def whole_days(x: Expression) -> Expression:
    """The operand of DATE + and -."""
    if not isinstance(x.type, Integer):
        raise TypeMismatch(f"a DATE plus or minus days needs an INTEGER, got {x.type}")
    return x
