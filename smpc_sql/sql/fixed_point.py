"""Quotients by secrets as fixed-point words: what a sum of many quotients is made of.

Such a word is floor(|n| * 2^p / |d|) with the quotient's sign, so it is off by less than 2^-p. p is chosen so that

  - where it fits, every quotient but 0 keeps 31 bits: |q| >= 1 / D for denominators up to D, and p = 31 + log2(D), so
    that a sum of quotients of one sign is off by less than 2^-31 of it, 5e-10;
  - else as many as the sum's 64 bits leave, and at least 31 below the greatest quotient that bounds allow;
  - where that does not fit, but denominators have 35 bits at most, as in the first place, of numbers that are split.
"""

from __future__ import annotations

from smpc_sql.errors import OverflowPossible
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import (
    Case,
    Divide,
    Elapsed,
    Equal,
    Expression,
    Less,
    Literal,
    Negate,
    Rescale,
    WholeQuotient,
)
from smpc_sql.plan.wide import LARGEST_DIVISOR
from smpc_sql.schema import WORD, Integer
from smpc_sql.sql.coercion import as_quotient
from smpc_sql.sql.fixed import over_constant
from smpc_sql.sql.operations import absolute
from smpc_sql.sql.rounding import whole_digits

PRECISION = 31
"""Binary digits that are kept of every quotient: more than nine decimal ones."""

_DOUBLE = 53
_WORD_BITS = 62
_WORD = Integer(64)


def keyed(x: Expression) -> Expression:
    """A key as what words can tell apart: a quotient by a secret in fixed point."""
    if isinstance(x, Elapsed):
        return x.alike(keyed(x.x))
    return x if not isinstance(x, Divide) or over_constant(x) is not None else key_word(x)


def key_word(x: Expression) -> Divide:
    """A quotient as a word over a power of two that tells it from any other, as near as a double is, NULL where it is.

    Fractions with denominators up to 2^b that differ do so by 2^-2b at least.
    """
    bits = _divisor_bits(as_quotient(x).denominator)
    return fixed_point(x, least=max(2 * bits, _DOUBLE + bits))


def _divisor_bits(denominator: Expression) -> int:
    return absolute(whole_digits(unscaled(denominator)[0])).bounds.high.bit_length()


def fixed_point(x: Expression, rows: int = 1, least: int = 0) -> Divide:
    """A quotient as a word over a power of two, NULL where it is; or a number in parts, where sums of `rows` leave 64
    bits (`plan/widen.py`). least: so many binary places, at least.

    Raises OverflowPossible where bounds leave too few digits.
    """
    q = as_quotient(x)
    denominator, factor = unscaled(q.denominator)
    numerator, denominator = whole_digits(q.numerator), whole_digits(denominator)
    size, divisor = absolute(numerator), absolute(denominator)
    greatest = (size.bounds.high // max(1, divisor.bounds.low)).bit_length()
    room = _WORD_BITS - greatest - (rows - 1).bit_length()
    wanted = max(PRECISION + divisor.bounds.high.bit_length(), least)
    places = max(0, min(wanted, room))
    fits = room >= 0 and divisor.bounds.high << greatest + 1 in WORD
    if places < least or not fits or (places < wanted and places + greatest < PRECISION):
        places = wanted  # of a number in parts
        fits = False
    if not fits and divisor.bounds.high >= LARGEST_DIVISOR:
        raise OverflowPossible(
            f"the quotient {explain_expression(x)} of numbers as large as bounds allow keeps fewer than {PRECISION} "
            "bits in a sum; declare tighter bounds, as in CHECK (column BETWEEN a AND b)"
        )
    word: Expression = WholeQuotient(size, divisor, places)
    below = [part for part in (numerator, denominator) if part.bounds.low < 0]
    for part in below:
        word = Case(((Less(part, Literal(0, part.type)), Negate(word)),), word)
    if 0 in denominator.bounds and not q.guarded:
        word = Case(((Equal(denominator, Literal(0, denominator.type)), Literal(None, word.type)),), word)
    return Divide(word, Literal(factor << places, _WORD), guarded=True)


def unscaled(x: Expression) -> tuple[Expression, int]:
    """(y, f) with x = f * y: a finer scale's power of ten need not be divided under MPC."""
    if isinstance(x, Rescale):
        inner, factor = unscaled(x.x)
        return inner, int(factor * 10**x.exponent)
    return x, 1
