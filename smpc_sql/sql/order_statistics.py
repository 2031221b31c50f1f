"""Aggregates that need a group's rows in order: MEDIAN, QUANTILE, PERCENTILE, MODE, ARG_MIN, ARG_MAX."""

from __future__ import annotations

from fractions import Fraction

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    AggregateKind,
    Divide,
    Elapsed,
    Equal,
    Expression,
    FromBoolean,
    Literal,
    Multiply,
    Remainder,
    Subtract,
    Within,
)
from smpc_sql.plan.places import Place, continuous, discrete, parameter
from smpc_sql.plan.relations import Relation, Window, WindowCall
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import DAY, Boolean, Date, Decimal, Double, Integer, Interval, Timestamp, scale_of
from smpc_sql.sql import quotient, rounding, timestamps
from smpc_sql.sql.aggregate_calls import AggregateCalls
from smpc_sql.sql.coercion import as_quotient, negate
from smpc_sql.sql.fixed_point import key_word
from smpc_sql.sql.nodes import construct, only
from smpc_sql.sql.text import all_words, each_word

_WORD = Integer(64)


def bind_ordered(g: AggregateCalls, node: exp.Expr, filter_: Expression | None) -> Expression | None:
    """What an aggregate of this module stands for; None if it is none of them. Raises Unsupported, TypeMismatch."""
    if isinstance(node, exp.WithinGroup):
        return _within_group(g, node, filter_)
    if isinstance(node, exp.ArgMin | exp.ArgMax):
        return _extreme_row(g, node, filter_)
    if isinstance(node, exp.Mode):
        only(node, "this")
        return _mode(g, _argument(g, node)[0], filter_)
    if isinstance(node, exp.Median):
        only(node, "this")
        return _Values(g, node, filter_).median()
    if isinstance(node, exp.Quantile | exp.PercentileCont | exp.PercentileDisc):
        only(node, "this", "quantile", "expression")
        return _quantile(g, node, filter_)
    return None


def _quantile(g: AggregateCalls, node: exp.Expr, filter_: Expression | None) -> Expression:
    given = node.args.get("quantile") or node.args.get("expression")
    if given is None:
        raise Unsupported(f"{_name(node)} needs a value and a constant, or WITHIN GROUP (ORDER BY …)")
    p = _parameter(g, node, given, -1)
    values = _Values(g, node, filter_)
    return values.at(type(node), abs(p), descending=p < 0)


def _within_group(g: AggregateCalls, node: exp.WithinGroup, filter_: Expression | None) -> Expression:
    """PERCENTILE_CONT(p) WITHIN GROUP (ORDER BY x), or MODE()."""
    function, order = node.this, node.expression
    if not isinstance(function, exp.PercentileCont | exp.PercentileDisc | exp.Mode) or len(order.expressions) != 1:
        raise Unsupported(f"WITHIN GROUP of {construct(function)} is not supported by this order")
    (item,) = order.expressions
    only(item, "this", "desc", "nulls_first")
    inner = type(function)(this=item.this)
    if isinstance(function, exp.Mode):
        only(function)
        return _mode(g, _argument(g, inner)[0], filter_)
    only(function, "this")
    p = _parameter(g, function, function.this, 0)
    return _Values(g, inner, filter_).at(type(function), p, descending=bool(item.args.get("desc")))


def _name(node: exp.Expr) -> str:
    return construct(node).removeprefix("function ")


def _parameter(g: AggregateCalls, node: exp.Expr, given: exp.Expr, low: int) -> Fraction:
    x = fold(g.arguments.bind(given))
    value = None
    if isinstance(x, Literal) and isinstance(x.type, Integer | Decimal) and x.value is not None:
        value = Fraction(x.value, 10 ** scale_of(x.type))
    elif isinstance(x, Divide):
        above, below = fold(x.numerator), fold(x.denominator)
        if isinstance(above, Literal) and isinstance(below, Literal) and above.value is not None and below.value:
            value = Fraction(above.value, below.value)
    if value is None:
        raise Unsupported(f"{_name(node)} is supported for a constant number")
    if not low <= value <= 1:
        raise Unsupported(f"{_name(node)} is defined from {low} to 1")
    return parameter(value)


def _argument(g: AggregateCalls, node: exp.Expr) -> tuple[Expression, bool]:
    """What is aggregated, and whether DISTINCT."""
    argument, distinct = node.this, isinstance(node.this, exp.Distinct)
    if distinct:
        only(argument, "expressions")
        if len(argument.expressions) != 1:
            raise Unsupported(f"{_name(node)} of DISTINCT rows of several values is not supported")
        argument = argument.expressions[0]
    if argument is None or isinstance(argument, exp.Star | exp.Order):
        raise Unsupported(f"{_name(node)} without a value, or with ORDER BY, is not supported")
    return g.arguments.bind(argument), distinct


def _plain(x: Expression) -> tuple[Expression, Expression | None]:
    """A value as a word, and what it is over: of a DOUBLE a constant, made positive."""
    if isinstance(x.type, Boolean):
        return FromBoolean(x), None
    if isinstance(x, Elapsed):
        return _plain(x.x)
    if not isinstance(x.type, Double):
        return x, None
    q = as_quotient(x)
    below = fold(q.denominator)
    if not isinstance(below, Literal) or not below.value:
        fixed = key_word(q)
        return fixed.numerator, fixed.denominator
    if below.value < 0:
        return negate(q.numerator), Literal(-below.value, below.type)
    return q.numerator, below


def _typed(found: Expression, x: Expression, below: Expression | None) -> Expression:
    """A word as what it stands for: the reverse of `_plain`."""
    if isinstance(x, Elapsed):
        return x.alike(_typed(found, x.x, below))
    if isinstance(x.type, Boolean):
        return Equal(found, Literal(1, found.type))
    return found if below is None else Divide(found, below)


class _Values:
    """The values of an aggregate, in ascending order."""

    def __init__(self, g: AggregateCalls, node: exp.Expr, filter_: Expression | None) -> None:
        self._g, self._filter = g, filter_
        self._x, self._distinct = _argument(g, node)
        self._name = _name(node)
        self._words, self._below = _plain(self._x)

    def median(self) -> Expression:
        """The middle one, or the mean of the two in the middle where they are numbers."""
        half = Fraction(1, 2)
        if isinstance(self._x, Elapsed):
            return self._interval(self._x)
        if isinstance(self._x.type, Integer | Decimal | Double | Date | Timestamp):
            return self._continuous(half, descending=False)
        return self._discrete(half, descending=False)

    def _interval(self, x: Elapsed) -> Expression:
        """In whole microseconds, halves up."""
        if not isinstance(x.x.type, Integer):
            raise Unsupported("MEDIAN of an INTERVAL that is an average is not supported")
        lower, upper, _ = continuous(Fraction(1, 2), descending=False)
        total = Add(self._value(lower), self._value(upper), _WORD)
        middle = rounding.floor_divide(Add(total, Literal(1, _WORD), _WORD), 2)
        return x.alike(Within(middle, x.x.bounds))

    def at(self, kind: type[exp.Expr], p: Fraction, descending: bool) -> Expression:
        """PERCENTILE_CONT or _DISC, which QUANTILE is."""
        if kind is exp.PercentileCont:
            return self._continuous(p, descending)
        return self._discrete(p, descending)

    def _discrete(self, p: Fraction, descending: bool) -> Expression:
        return _typed(self._value(discrete(p, descending)), self._x, self._below)

    def _value(self, place: Place) -> Expression:
        return each_word(
            self._words,
            lambda x, rest, i: self._g.call("place", x, self._filter, self._distinct, place, rest=rest, word=i),
        )

    def _continuous(self, p: Fraction, descending: bool) -> Expression:
        """Between the values below and above, (n - 1) p mod 1 of the way: low * b + (high - low) * ((n - 1) a mod b)
        over b for p = a / b. A DECIMAL keeps its scale, cut towards 0."""
        type_ = self._x.type
        if isinstance(type_, Date | Timestamp):
            return self._moment(p, descending)
        if not isinstance(type_, Integer | Decimal | Double):
            raise TypeMismatch(f"{self._name} needs numbers, got {type_}")
        lower, upper, p = continuous(p, descending)
        if lower == upper:
            low = self._value(lower)
            return _typed(low, self._x, self._below) if isinstance(type_, Decimal | Double) else as_quotient(low)
        total = self._between(self._value(lower), self._value(upper), p)
        if isinstance(type_, Decimal):
            whole = rounding.truncated(total, p.denominator)
            return rounding.scaled(Within(whole, self._words.bounds), type_)
        below = Literal(p.denominator, _WORD)
        scale = scale_of(self._words.type)
        exact = quotient.make(rounding.scaled(total, Decimal(38, scale)) if scale else total, below, guarded=True)
        return exact if self._below is None else quotient.divide(exact, self._below)

    def _moment(self, p: Fraction, descending: bool) -> Expression:
        """Of DATEs and TIMESTAMPs a TIMESTAMP, in whole microseconds: halves away from 1970."""
        lower, upper, p = continuous(p, descending)
        low = self._value(lower)
        if lower == upper:
            return timestamps.midnight(low)
        zero = Literal(0, self._x.type)
        start, end = Subtract(low, zero), Subtract(self._value(upper), zero)
        total = Within(self._between(start, end, p), start.bounds.scale(p.denominator))
        unit = Fraction(DAY if isinstance(self._x.type, Date) else 1, p.denominator)
        micros = Multiply(total, Literal(unit.numerator, _WORD), _WORD)
        return Add(Literal(0, Timestamp()), rounding.nearest(micros, unit.denominator))

    def _between(self, low: Expression, high: Expression, p: Fraction) -> Expression:
        """An INTEGER: the digits of the value, times p's denominator."""
        low, high = rounding.whole_digits(low), rounding.whole_digits(high)
        if p == Fraction(1, 2):
            return Add(low, high, _WORD)
        count = self._g.call("count", self._words, self._filter, self._distinct)
        whole = Subtract(count, Literal(1, _WORD), _WORD)
        rest = Remainder(Multiply(whole, Literal(p.numerator, _WORD), _WORD), p.denominator)
        span = Interval(0, self._words.bounds.size - 1)
        way = Multiply(Within(Subtract(high, low, _WORD), span), rest, _WORD)
        return Add(Multiply(low, Literal(p.denominator, _WORD), _WORD), way, _WORD)


def _extreme_row(g: AggregateCalls, node: exp.Expr, filter_: Expression | None) -> Expression:
    """ARG_MIN and ARG_MAX: of several such rows the smallest argument."""
    only(node, "this", "expression")
    kind: AggregateKind = "arg_min" if isinstance(node, exp.ArgMin) else "arg_max"
    x, _ = _argument(g, node)
    words, below = _plain(x)
    by, _ = _plain(g.arguments.bind(node.expression))
    found = each_word(words, lambda first, rest, i: g.call(kind, first, filter_, by=by, rest=rest, word=i))
    return _typed(found, x, below)


def _mode(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    """The value with the most rows: each row knows how many of its group are equal. The smallest of several."""
    words, below = _plain(x)
    parts = all_words((*g.keys, words) if filter_ is None else (*g.keys, filter_, words))

    def widen(relation: Relation, mine: tuple[Expression, ...]) -> Relation:
        return Window(relation, mine, (), (WindowCall("count_star"),), ("alike",))

    (alike,) = g.arguments.attach(tuple(parts), widen)
    found = each_word(words, lambda first, rest, i: g.call("arg_max", first, filter_, by=alike, rest=rest, word=i))
    return _typed(found, x, below)
