"""Quotients over public constants: DOUBLE columns in fixed precision, x / 3, averages of nothing secret.

They are words over one denominator, and what words can do they can: order, groups, joins, sets, windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import lcm

from smpc_sql.plan.expressions import Divide, Elapsed, Expression, Literal
from smpc_sql.schema import Decimal, Integer, Text, scale_of
from smpc_sql.sql import text
from smpc_sql.sql.coercion import multiply, rescaled
from smpc_sql.sql.literals import integer


def over_constant(x: Expression) -> Divide | None:
    """The quotient, if its denominator is a constant above 0 (`quotient.make` turns one below 0 round)."""
    if not isinstance(x, Divide) or not isinstance(x.denominator, Literal):
        return None
    return x if (x.denominator.value or 0) > 0 else None


def is_one(x: Expression) -> bool:
    """Whether it is the constant 1, of any scale."""
    return isinstance(x, Literal) and x.value == 10 ** scale_of(x.type)


def plain(x: Expression) -> Expression:
    """The number itself, where it is a quotient over 1; else the expression as it is."""
    return x.numerator if isinstance(x, Divide) and is_one(x.denominator) else x


def word_of(x: Expression) -> Expression:
    """What tells values apart and orders them as x does: the numerator over a constant above 0, else x."""
    if isinstance(x, Elapsed):
        return word_of(x.x)
    fixed = over_constant(x)
    return x if fixed is None else fixed.numerator


def words_of(x: Expression) -> tuple[Expression, ...]:
    """The same as words: a text has several, a quotient by what is not constant is none."""
    return text.words_of(word_of(x))


def all_words(expressions: Iterable[Expression]) -> tuple[Expression, ...]:
    """The words of all: what groups, keys and orders are made of."""
    return tuple(word for expression in expressions for word in words_of(expression))


def wrapped(x: Expression, words: Sequence[Expression]) -> Expression:
    """The value whose words are those of x, at other places."""
    fixed = over_constant(x)
    if isinstance(x, Elapsed):
        return x.alike(wrapped(x.x, words))
    if fixed is not None:
        return Divide(words[0], fixed.denominator, guarded=True)
    return text.joined(words, x.type) if isinstance(x.type, Text) else words[0]


def common(values: Sequence[Divide]) -> tuple[list[Expression], Literal] | None:
    """Numerators over one denominator, where all denominators are constants above 0; else None."""
    known = [over_constant(value) for value in values]
    fixed = [value for value in known if value is not None]
    if len(fixed) < len(values):
        return None
    scale = max((scale_of(value.numerator.type) for value in fixed), default=0)
    type_ = Decimal(38, scale) if scale else Integer(64)
    if all(is_one(value.denominator) for value in fixed):
        return [rescaled(value.numerator, scale) for value in fixed], Literal(10**scale, type_)
    denominators = [_value(rescaled(value.denominator, scale)) for value in fixed]
    shared = lcm(*denominators)
    numerators = [
        times_constant(rescaled(value.numerator, scale), shared // denominator)
        for value, denominator in zip(fixed, denominators, strict=True)
    ]
    return numerators, Literal(shared, type_)


def _value(x: Expression) -> int:
    assert isinstance(x, Literal) and x.value is not None
    return x.value


def times_constant(x: Expression, factor: int) -> Expression:
    """x times a whole constant, at its own scale."""
    if factor == 1:
        return x
    if isinstance(x, Literal):
        return Literal(None if x.value is None else x.value * factor, x.type)
    return multiply(x, integer(factor))
