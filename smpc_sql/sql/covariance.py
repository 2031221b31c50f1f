"""Aggregate functions of two arguments: covariance, correlation and regression, of sums of products."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from smpc_sql.plan.expressions import (
    And,
    Case,
    Equal,
    Expression,
    FromBoolean,
    IsNull,
    Less,
    Literal,
    Not,
    Sqrt,
    Within,
)
from smpc_sql.schema import Integer, Interval
from smpc_sql.sql import quotient
from smpc_sql.sql.aggregate_calls import AggregateCalls
from smpc_sql.sql.aggregate_functions import over_constant_or_fixed
from smpc_sql.sql.coercion import add, as_quotient, multiply, subtract
from smpc_sql.sql.fixed import plain
from smpc_sql.sql.literals import integer
from smpc_sql.sql.operations import require_numbers


class Moments:
    """Sums over the rows in which neither of two arguments is NULL: what covariance and regression are made of."""

    def __init__(self, g: AggregateCalls, y: Expression, x: Expression, filter_: Expression | None) -> None:
        for argument in (y, x):
            require_numbers("an aggregate of two numbers", argument)
        (y, self._below_y), (x, self._below_x) = (_word(argument, g.scope.relation.max_rows) for argument in (y, x))
        known = [Not(IsNull(argument)) for argument in (y, x) if argument.nullable]
        terms = (*(() if filter_ is None else (filter_,)), *known)
        rows = None if not terms else terms[0] if len(terms) == 1 else And(terms)
        self.n = g.call("count_star", None, rows)
        self.y, self.x = g.call("sum", y, rows), g.call("sum", x, rows)
        self._arguments = y, x
        self._binder, self._rows = g, rows

    def _sum(self, a: Expression, b: Expression) -> Expression:
        return self._binder.call("sum", multiply(a, b), self._rows)

    def scaled(self, found: Expression, of_y: int, of_x: int) -> Expression:
        """What grows with so many powers of y and of x, of the words that are summed, for y and x themselves."""
        for below, power in ((self._below_y, of_y), (self._below_x, of_x)):
            for _ in range(0 if below is None else abs(power)):
                assert below is not None
                found = quotient.divide(found, below) if power > 0 else quotient.times(as_quotient(found), below)
        return found

    @property
    def xy(self) -> Expression:
        """n Σxy - Σx Σy"""
        y, x = self._arguments
        return subtract(multiply(self.n, self._sum(x, y)), multiply(self.x, self.y))

    @property
    def xx(self) -> Expression:
        """n Σx² - (Σx)²"""
        x = self._arguments[1]
        return _spread(multiply(self.n, self._sum(x, x)), multiply(self.x, self.x))

    @property
    def yy(self) -> Expression:
        """n Σy² - (Σy)²"""
        y = self._arguments[0]
        return _spread(multiply(self.n, self._sum(y, y)), multiply(self.y, self.y))

    @property
    def intercept(self) -> Expression:
        """Σy Σx² - Σx Σxy"""
        y, x = self._arguments
        return subtract(multiply(self.y, self._sum(x, x)), multiply(self.x, self._sum(x, y)))


def _spread(squares: Expression, square: Expression) -> Expression:
    """n Σx² - (Σx)² is never negative."""
    found = subtract(squares, square)
    return Within(found, Interval(0, max(0, found.bounds.high)))


def _word(x: Expression, rows: int) -> tuple[Expression, Expression | None]:
    """A number as what is summed, and the constant that it is over."""
    x = plain(x)
    q = over_constant_or_fixed(x, rows)
    return (x, None) if q is None else (q.numerator, q.denominator)


def _covariance(m: Moments, *, sample: bool) -> Expression:
    denominator = multiply(m.n, subtract(m.n, integer(1)) if sample else m.n)
    return quotient.make(m.xy, denominator, guarded=not sample)


def _corr(m: Moments) -> Expression:
    """The root of xy² / (xx yy), with the sign of xy. NULL where either is the same in all rows (DuckDB: NaN)."""
    xy = m.xy
    sign = Case(((Less(xy, Literal(0, xy.type)), Literal(-1, Integer(8))),), Literal(1, Integer(8)))
    return Sqrt(quotient.make(multiply(sign, multiply(xy, xy)), multiply(m.xx, m.yy)), signed=True, most=1)


def _r2(m: Moments) -> Expression:
    """xy² / (xx yy): 1 where y is the same in all rows, NULL where x is."""
    xy, xx, yy = m.xy, m.xx, m.yy
    flat = FromBoolean(Equal(yy, Literal(0, yy.type)))
    instead = multiply(flat, xx)  # where y is flat, xy is 0 too
    return quotient.make(add(multiply(xy, xy), instead), add(multiply(xx, yy), instead))


_Pair = Callable[[Moments], Expression]
PAIRS: dict[type[exp.Expr], _Pair] = {
    exp.CovarPop: lambda m: m.scaled(_covariance(m, sample=False), 1, 1),
    exp.CovarSamp: lambda m: m.scaled(_covariance(m, sample=True), 1, 1),
    exp.Corr: _corr,
    exp.RegrSlope: lambda m: m.scaled(quotient.make(m.xy, m.xx), 1, -1),
    exp.RegrIntercept: lambda m: m.scaled(quotient.make(m.intercept, m.xx), 1, 0),
    exp.RegrR2: _r2,
    exp.RegrCount: lambda m: m.n,
    exp.RegrAvgx: lambda m: m.scaled(quotient.make(m.x, m.n, guarded=True), 0, 1),
    exp.RegrAvgy: lambda m: m.scaled(quotient.make(m.y, m.n, guarded=True), 1, 0),
    exp.RegrSxx: lambda m: m.scaled(quotient.make(m.xx, m.n, guarded=True), 0, 2),
    exp.RegrSyy: lambda m: m.scaled(quotient.make(m.yy, m.n, guarded=True), 2, 0),
    exp.RegrSxy: lambda m: m.scaled(quotient.make(m.xy, m.n, guarded=True), 1, 1),
}
"""By what sqlglot makes of them."""
