"""Aggregate functions of one argument: COUNT, SUM, MIN and MAX as they are, the others as arithmetic on those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil

from sqlglot import exp

from smpc_sql.errors import TypeMismatch
from smpc_sql.plan.expressions import (
    AggregateKind,
    And,
    Case,
    Divide,
    Elapsed,
    Equal,
    Expression,
    FromBoolean,
    IsNull,
    Literal,
    LongText,
    Not,
    Sqrt,
    Within,
)
from smpc_sql.schema import Boolean, Double, Interval, scale_of
from smpc_sql.sql import intervals, quotient
from smpc_sql.sql.aggregate_calls import AggregateCalls
from smpc_sql.sql.coercion import as_quotient, multiply, subtract
from smpc_sql.sql.fixed import over_constant, plain
from smpc_sql.sql.fixed_point import fixed_point, key_word
from smpc_sql.sql.literals import integer
from smpc_sql.sql.operations import require_numbers
from smpc_sql.sql.text import each_word, words_of

Function = Callable[[AggregateCalls, Expression, Expression | None], Expression]
"""The calls of a SELECT, an argument and the rows it is of, to what the function stands for."""


def over_constant_or_fixed(x: Expression, rows: int = 0) -> Divide | None:
    """A DOUBLE argument over a constant denominator; one by a secret in fixed point, so that so many rows may be
    summed, or of 0 rows so that it is told from any other. None for any other type.
    """
    if not isinstance(x.type, Double):
        return None
    q = as_quotient(x)
    if over_constant(q) is not None:
        return q
    return fixed_point(q, rows) if rows else key_word(q)


def _count(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    x = x.x if isinstance(x, Elapsed) else x
    if isinstance(x.type, Double):
        present = Not(quotient.is_null_double(x))
        return g.call("count_star", None, present if filter_ is None else And((filter_, present)))
    return g.call("count", words_of(x)[0], filter_)


def _count_if(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    """As in DuckDB a sum: NULL where there is nothing to count."""
    if not isinstance(x.type, Boolean):
        raise TypeMismatch(f"COUNT_IF needs a BOOLEAN, got {x.type}")
    return g.call("sum", FromBoolean(x), filter_)


def _sum(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    if isinstance(x.type, Boolean):
        x = FromBoolean(x)
    require_numbers("SUM", x)
    q = over_constant_or_fixed(x, g.scope.relation.max_rows)
    if q is not None:
        return quotient.make(g.call("sum", q.numerator, filter_), q.denominator)
    return g.call("sum", x, filter_)


def _avg(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    if isinstance(x, Elapsed):
        days = intervals.days_between(x)
        days = days if days is None else _avg(g, days, filter_)
        return intervals.average(x, _avg(g, x.x, filter_), days)
    require_numbers("AVG", x)
    q = over_constant_or_fixed(x, g.scope.relation.max_rows)
    if q is not None:
        count = g.call("count", q.numerator, filter_)
        return quotient.make(g.call("sum", q.numerator, filter_), multiply(count, q.denominator), guarded=True)
    return quotient.make(g.call("sum", x, filter_), g.call("count", x, filter_), guarded=True)


def _count_distinct(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    x = FromBoolean(x) if isinstance(x.type, Boolean) else x.x if isinstance(x, Elapsed) else x
    if isinstance(x, LongText):
        return g.call("count", x.words[0], filter_, distinct=True, rest=x.words[1:])
    q = over_constant_or_fixed(x)
    return g.call("count", x if q is None else q.numerator, filter_, distinct=True)


def count_different(g: AggregateCalls, values: Sequence[Expression], filter_: Expression | None) -> Expression:
    """COUNT(DISTINCT (a, b)): of row values, in which NULL is a value like any other."""
    words: list[Expression] = []
    for x in values:
        x = FromBoolean(x) if isinstance(x.type, Boolean) else x.x if isinstance(x, Elapsed) else x
        q = over_constant_or_fixed(x)
        first, *rest = words_of(x if q is None else q.numerator)
        if first.nullable:
            missing = IsNull(first)
            words += [FromBoolean(missing), Case(((missing, Literal(0, first.type)),), first)]
        else:
            words.append(first)
        words += rest
    return g.call("count", words[0], filter_, distinct=True, rest=tuple(words[1:]))


def _sum_distinct(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    x = FromBoolean(x) if isinstance(x.type, Boolean) else x
    require_numbers("SUM", x)
    q = over_constant_or_fixed(x)
    if q is not None:
        return quotient.make(g.call("sum", q.numerator, filter_, distinct=True), q.denominator)
    return g.call("sum", x, filter_, distinct=True)


def _avg_distinct(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
    if isinstance(x, Elapsed):
        return Elapsed(_avg_distinct(g, x.x, filter_), None, x.monthly)
    require_numbers("AVG", x)
    count = _count_distinct(g, x, filter_)
    return quotient.divide(_sum_distinct(g, x, filter_), count)


def _extreme(kind: AggregateKind) -> Callable[[AggregateCalls, Expression, Expression | None], Expression]:
    def bind(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
        if isinstance(x.type, Boolean):
            return _truth(g, kind, x, filter_)
        if isinstance(x, Elapsed):
            return x.alike(bind(g, x.x, filter_))
        if isinstance(x, LongText):
            return each_word(x, lambda first, rest, word: g.call(kind, first, filter_, rest=rest, word=word))
        q = over_constant_or_fixed(x, rows=1)
        if q is not None:
            return Divide(g.call(kind, q.numerator, filter_), q.denominator)
        return g.call(kind, x, filter_)

    return bind


def _truth(g: AggregateCalls, kind: AggregateKind, x: Expression, filter_: Expression | None) -> Expression:
    extreme = g.call(kind, FromBoolean(x), filter_)
    return Equal(extreme, Literal(1, extreme.type))


def _bool(kind: AggregateKind, name: str) -> Callable[[AggregateCalls, Expression, Expression | None], Expression]:
    def bind(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
        if not isinstance(x.type, Boolean):
            raise TypeMismatch(f"{name} needs a BOOLEAN, got {x.type}")
        return _truth(g, kind, x, filter_)

    return bind


def _widest(x: Expression, q: Divide | None) -> int:
    """No standard deviation is greater than how far apart two values may be."""
    spread = Fraction(x.bounds.high - x.bounds.low, 10 ** scale_of(x.type))
    divisor = 1 if q is None else q.denominator
    if isinstance(divisor, Literal):
        spread /= Fraction(divisor.value or 1, 10 ** scale_of(divisor.type))
    elif not isinstance(divisor, int):
        return 0
    return ceil(abs(spread)) + 1


def _variance(sample: bool, root: bool) -> Callable[[AggregateCalls, Expression, Expression | None], Expression]:
    """VAR = (n Σx² - (Σx)²) / n², or over n (n - 1) for a sample: NULL for one row, since that is 0."""

    def bind(g: AggregateCalls, x: Expression, filter_: Expression | None) -> Expression:
        require_numbers("a variance", x)
        x = plain(x)
        q = over_constant_or_fixed(x, g.scope.relation.max_rows)
        x = x if q is None else q.numerator
        n = g.call("count", x, filter_)
        total, squares = g.call("sum", x, filter_), g.call("sum", multiply(x, x), filter_)
        numerator = subtract(multiply(n, squares), multiply(total, total))
        numerator = Within(numerator, Interval(0, max(0, numerator.bounds.high)))
        denominator = multiply(n, subtract(n, integer(1)) if sample else n)
        if q is not None:
            denominator = multiply(denominator, multiply(q.denominator, q.denominator))
        variance = quotient.make(numerator, denominator, guarded=not sample)
        return Sqrt(variance, most=_widest(x, q)) if root else variance

    return bind


FUNCTIONS: dict[type[exp.Expr] | str, Function] = {
    exp.Count: _count,
    exp.CountIf: _count_if,
    exp.Sum: _sum,
    exp.Avg: _avg,
    "mean": _avg,
    exp.Min: _extreme("min"),
    exp.AnyValue: _extreme("min"),
    "arbitrary": _extreme("min"),
    exp.Max: _extreme("max"),
    exp.LogicalAnd: _bool("min", "BOOL_AND"),
    exp.LogicalOr: _bool("max", "BOOL_OR"),
    exp.Variance: _variance(sample=True, root=False),
    exp.VariancePop: _variance(sample=False, root=False),
    exp.Stddev: _variance(sample=True, root=True),
    exp.StddevSamp: _variance(sample=True, root=True),
    exp.StddevPop: _variance(sample=False, root=True),
}
"""By what sqlglot makes of them, or their names where it does not know them."""

DISTINCT: dict[Function, Function] = {_count: _count_distinct, _sum: _sum_distinct, _avg: _avg_distinct}
"""What a function of the different values is."""

WITHOUT_REPETITION = tuple(FUNCTIONS[kind] for kind in (exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr))
"""To which it makes no difference whether a value comes twice."""
