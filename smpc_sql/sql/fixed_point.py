"""Quotients by secrets as fixed-point words: what a sum of many quotients is made of.

Such a word is floor(|n| * 2^p / |d|) with the quotient's sign, so it is off by less than 2^-p. p is chosen so that

  - where it fits, every quotient but 0 keeps 31 bits: |q| >= 1 / D for denominators up to D, and p = 31 + log2(D), so
    that a sum of quotients of one sign is off by less than 2^-31 of it, 5e-10;
  - of many rows else as many as the sum's 64 bits leave, and at least 31 below the greatest quotient that bounds allow;
  - of few rows, such as groups, and where that does not fit, as in the first place: of numbers in parts, without what
    numerator and denominator have in common, where denominators are products of words of 58 bits at most.
"""

from __future__ import annotations

from functools import reduce
from math import lcm

from smpc_sql.errors import OverflowPossible
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import (
    DIGIT,
    LARGEST_DIVISOR,
    Case,
    Divide,
    Elapsed,
    Equal,
    Expression,
    Less,
    Literal,
    Multiply,
    Negate,
    Rescale,
    WholeQuotient,
)
from smpc_sql.schema import WORD, Integer
from smpc_sql.sql.coercion import as_quotient, multiply
from smpc_sql.sql.factors import Ratio, branches, ratio, sign_of, size_of
from smpc_sql.sql.fixed import over_constant
from smpc_sql.sql.literals import integer
from smpc_sql.sql.operations import absolute
from smpc_sql.sql.rounding import whole_digits

PRECISION = 31
"""Binary digits that are kept of every quotient: more than nine decimal ones."""

_FEW = 1 << 12
"""Up to so many rows a sum has all its digits, and takes the rounds that they need."""

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
    short = places < wanted and (1 < rows <= _FEW or places + greatest < PRECISION)
    if places < least or not fits or short:
        return _in_parts(q, least)
    word: Expression = WholeQuotient(size, divisor, places)
    below = [part for part in (numerator, denominator) if part.bounds.low < 0]
    for part in below:
        word = Case(((Less(part, Literal(0, part.type)), Negate(word)),), word)
    if 0 in denominator.bounds and not q.guarded:
        word = Case(((Equal(denominator, Literal(0, denominator.type)), Literal(None, word.type)),), word)
    return Divide(word, Literal(factor << places, _WORD), guarded=True)


def _in_parts(q: Divide, least: int) -> Divide:
    """The same of numbers that leave 64 bits, by as many places as every quotient but 0 needs.

    Choices are made among the words, and not before the division.
    """
    conditions, chosen = branches(q)
    ratios = [None if each is None else ratio(each.numerator, each.denominator) for each in chosen]
    known = [each for each in ratios if each is not None]
    for factor in {factor: None for each in known for factor in each.below}:
        if absolute(factor).bounds.high >= LARGEST_DIVISOR:
            raise OverflowPossible(
                f"the quotient {explain_expression(q)} of numbers as large as bounds allow cannot be computed within a "
                "query; declare tighter bounds, as in CHECK (column BETWEEN a AND b)"
            )
    widths = [sum(absolute(factor).bounds.high.bit_length() for factor in each.below) for each in known]
    places = -(-max((PRECISION + max(widths, default=0), least)) // DIGIT) * DIGIT
    under = lcm(*(each.under for each in known))
    words: list[Expression] = []
    for x in ratios:
        times = 0 if x is None else x.over * (under // x.under)
        words.append(Literal(None, _WORD) if x is None else _whole(x, times, places, q.guarded, bool(conditions)))
    word = Case(tuple(zip(conditions, words[:-1], strict=True)), words[-1]) if conditions else words[0]
    return Divide(word, Literal(under << places, _WORD), guarded=True)


def _whole(found: Ratio, factor: int, places: int, guarded: bool, at_once: bool) -> Expression:
    """floor(2^places * factor * the quotient of above and below), with its sign.

    at_once: the factor is part of what is divided, so that equal quotients of other factors are equal; else it waits.
    """
    inside = abs(factor) or 1 if at_once else 1
    above = size_of(found.above)
    above = above if inside == 1 else multiply(integer(inside), above)
    below = [absolute(x) for x in found.below]
    word: Expression = Literal(0, _WORD)
    if factor:
        word = WholeQuotient(above, reduce(multiply, below) if below else integer(1), places)
    sign = sign_of(found, guarded)
    if sign is not None:
        word = Multiply(sign, word, _WORD)
    outside = factor if inside == 1 else factor // inside
    return word if outside in (0, 1) else Multiply(Literal(outside, _WORD), word, _WORD)


def unscaled(x: Expression) -> tuple[Expression, int]:
    """(y, f) with x = f * y: a finer scale's power of ten need not be divided under MPC."""
    if isinstance(x, Rescale):
        inner, factor = unscaled(x.x)
        return inner, int(factor * 10**x.exponent)
    return x, 1
