"""Scalar SQL expressions to plan expressions: one method per kind of sqlglot node; what has none is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from typing import Protocol

from sqlglot import exp

from smpc_sql.errors import QueryError, UnknownName, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    And,
    Case,
    Column,
    Divide,
    Expression,
    InSet,
    Literal,
    Not,
    Or,
    Sqrt,
    Subtract,
)
from smpc_sql.plan.relations import Relation
from smpc_sql.plan.rules.fold_constants import FALSE, TRUE, fold
from smpc_sql.schema import Boolean, Date, Decimal, Double, Enum, Integer, SqlType, scale_of
from smpc_sql.sql import coercion, dates, quotient, rounding
from smpc_sql.sql.coercion import predicate
from smpc_sql.sql.literals import NULL, boolean, integer, is_null, number, text_literal, text_of
from smpc_sql.sql.nodes import construct, located, only, show
from smpc_sql.sql.operations import (
    absolute,
    choose,
    compare,
    is_null_of,
    require_numbers,
    unified,
    whole_days,
    without_null,
)
from smpc_sql.sql.scope import OUTER, Scope, shifted
from smpc_sql.sql.types import is_text_type, to_type

Widen = Callable[[Relation, tuple[Expression, ...]], Relation]
"""Puts more fields behind a relation's own, by keys over these."""


class SubqueryBinder(Protocol):
    """Binds subqueries within expressions: what they need comes to stand beside the rows of `binder`."""

    def exists(self, binder: ScalarBinder, node: exp.Expr) -> Expression: ...

    def value(self, binder: ScalarBinder, node: exp.Expr) -> Expression: ...

    def contains(
        self, binder: ScalarBinder, values: list[Expression], node: exp.Expr, unknown_is_false: bool
    ) -> Expression: ...


class WindowBinder(Protocol):
    """Binds window functions, whose values come to stand beside the rows of `binder`."""

    def bind(self, binder: ScalarBinder, node: exp.Expr) -> Expression: ...


class ScalarBinder:
    """Binds expressions that are evaluated row by row over a scope.

    aliases: SELECT aliases that a name may fall back to. clause: where we are, for messages. subqueries: who binds
    subqueries, whose columns come to stand beside the scope's; None refuses them. outer: who binds the query around
    this one, if its columns can be read (as columns OUTER + i).
    """

    def __init__(
        self,
        scope: Scope,
        text: str,
        clause: str,
        aliases: dict[str, exp.Expr] | None = None,
        subqueries: SubqueryBinder | None = None,
        outer: ScalarBinder | None = None,
        windows: WindowBinder | None = None,
    ) -> None:
        self.scope = scope
        self.text = text
        self.clause = clause
        self.aliases = aliases or {}
        self.subqueries = subqueries
        self.outer = outer
        self.windows = windows
        self._bound: list[tuple[exp.Expr, Expression]] = []  # subqueries, each bound once
        self._open: list[str] = []  # aliases that are being expanded

    def bind(self, node: exp.Expr) -> Expression:
        """The expression that a node stands for. Raises QueryError with line and column."""
        with located(node, self.text):
            return self.bind_inner(node)

    def condition(self, node: exp.Expr) -> Expression:
        """The same, as a BOOLEAN."""
        bound = self.bind(node)
        with located(node, self.text):
            return predicate(bound)

    def filter_condition(self, node: exp.Expr) -> Expression:
        """A condition of which it matters only whether it is true."""
        if isinstance(node, exp.In) and node.args.get("query") is not None:
            with located(node, self.text):
                return self._in_query(node, unknown_is_false=True)
        return self.condition(node)

    def attach(self, keys: tuple[Expression, ...], widen: Widen) -> tuple[Column, ...]:
        """More columns beside the scope's: widen(relation, keys) has the relation's fields first, then the new ones."""
        before = self.scope.relation
        after = widen(before, keys)
        self.scope = Scope(after, self.scope.names)
        return tuple(after.column(i) for i in range(len(before.fields), len(after.fields)))

    def settle(self) -> tuple[Relation, Callable[[Expression], Expression]]:
        """When all is bound: the relation, and how an expression reads it."""
        return self.scope.relation, lambda expression: expression

    def outer_column(self, node: exp.Column) -> Expression | None:
        """What a correlated subquery sees under that name."""
        return self.resolve(node)

    def bind_inner(self, node: exp.Expr) -> Expression:
        """One node; the caller adds the place."""
        method = _METHODS.get(type(node))
        if method is None and isinstance(node, exp.AggFunc | exp.Filter):
            raise Unsupported(f"an aggregate function is not allowed in {self.clause}: {show(node)}")
        if method is None:
            raise Unsupported(f"{construct(node)} is not supported")
        return method(self, node)

    # names and constants

    def _column(self, node: exp.Expr) -> Expression:
        assert isinstance(node, exp.Column)
        if isinstance(node.this, exp.Star):
            raise Unsupported("* within an expression is not supported")
        only(node, "this", "table")
        found = self.resolve(node)
        if found is not None:
            return found
        if not node.table and node.name.lower() in self.aliases:
            return self.expand(node.name.lower())
        outside = None if self.outer is None else self.outer.outer_column(node)
        if outside is not None:
            return shifted(outside, OUTER)
        raise self.missing(node)

    def missing(self, node: exp.Column) -> QueryError:
        """The error for a name that stands for nothing."""
        return self.scope.unknown(node.name, node.table)

    def resolve(self, node: exp.Column) -> Expression | None:
        """The column of the scope that a name stands for, or None."""
        return self.scope.find(node.name, node.table)

    def expand(self, alias: str) -> Expression:
        """What a SELECT alias stands for."""
        if alias in self._open:
            raise UnknownName(f"column {alias} does not exist, and the alias {alias} is defined by itself")
        self._open.append(alias)
        try:
            return self.bind(self.aliases[alias])
        finally:
            self._open.pop()

    def _literal(self, node: exp.Expr) -> Expression:
        assert isinstance(node, exp.Literal)
        return text_literal(node.this) if node.is_string else number(node.this)

    def _boolean(self, node: exp.Expr) -> Expression:
        return boolean(bool(node.this))

    def _null(self, node: exp.Expr) -> Expression:
        return NULL

    def _paren(self, node: exp.Expr) -> Expression:
        only(node, "this")
        return self.bind(node.this)

    def _alias(self, node: exp.Expr) -> Expression:
        return self.bind(node.this)

    # arithmetic

    def _operands(self, node: exp.Expr) -> tuple[Expression, Expression]:
        only(node, "this", "expression")
        return self.bind(node.this), self.bind(node.expression)

    def _add(self, node: exp.Expr) -> Expression:
        if isinstance(node.this, exp.Interval):
            return self._moved(node.expression, node.this, 1)
        if isinstance(node.expression, exp.Interval):
            return self._moved(node.this, node.expression, 1)
        left, right = without_null(*self._operands(node))
        if isinstance(right.type, Date):
            left, right = right, left
        if isinstance(left.type, Date):
            return Add(left, whole_days(right))
        require_numbers("+", left, right)
        if isinstance(left.type, Double) or isinstance(right.type, Double):
            return quotient.plus(left, right)
        return coercion.add(left, right)

    def _sub(self, node: exp.Expr) -> Expression:
        if isinstance(node.expression, exp.Interval):
            return self._moved(node.this, node.expression, -1)
        left, right = without_null(*self._operands(node))
        if isinstance(left.type, Date):
            return Subtract(left, right if isinstance(right.type, Date) else whole_days(right))
        require_numbers("-", left, right)
        if isinstance(left.type, Double) or isinstance(right.type, Double):
            return quotient.difference(left, right)
        return coercion.subtract(left, right)

    def _mul(self, node: exp.Expr) -> Expression:
        left, right = without_null(*self._operands(node))
        require_numbers("*", left, right)
        if isinstance(left.type, Double) or isinstance(right.type, Double):
            return quotient.times(left, right)
        return coercion.multiply(left, right)

    def _div(self, node: exp.Expr) -> Expression:
        left, right = without_null(*self._operands(node))
        require_numbers("/", left, right)
        return quotient.divide(left, right)

    def _neg(self, node: exp.Expr) -> Expression:
        x = self.bind(node.this)
        require_numbers("-", x)
        return quotient.minus(x) if isinstance(x.type, Double) else coercion.negate(x)

    def _abs(self, node: exp.Expr) -> Expression:
        only(node, "this")
        x = self.bind(node.this)
        require_numbers("ABS", x)
        if isinstance(x, Sqrt):
            return x
        if isinstance(x, Divide):
            return Divide(absolute(x.numerator), absolute(x.denominator), x.guarded)
        return absolute(x)

    def _sign(self, node: exp.Expr) -> Expression:
        only(node, "this")
        x = self.bind(node.this)
        require_numbers("SIGN", x)
        zero = integer(0)
        below, above = compare("<", x, zero), compare("<", zero, x)
        one, minus_one = Literal(1, Integer(8)), Literal(-1, Integer(8))
        null = is_null_of(x)
        return Case(((null, Literal(None, Integer(8))), (above, one), (below, minus_one)), Literal(0, Integer(8)))

    def _sqrt(self, node: exp.Expr) -> Expression:
        only(node, "this")
        x = self.bind(node.this)
        require_numbers("SQRT", x)
        q = coercion.as_quotient(x)
        if q.numerator.bounds.low < 0 or q.denominator.bounds.low < 0:
            raise Unsupported(f"SQRT of what may be negative is not supported: {show(node)}")
        return Sqrt(q)

    def _integer_division(self, node: exp.Expr) -> Expression:
        left, right = without_null(*self._operands(node))
        divisor = self._divisor(node, right)
        if not isinstance(left.type, Integer) or not isinstance(right.type, Integer):
            raise Unsupported(f"// is supported for INTEGERs only: {show(node)}")
        return rounding.whole_quotient(left, divisor)

    def _modulo(self, node: exp.Expr) -> Expression:
        left, right = without_null(*self._operands(node))
        require_numbers("%", left, right)
        if isinstance(left.type, Double) or isinstance(right.type, Double):
            raise Unsupported(f"% of a quotient is not supported: {show(node)}")
        left, right = coercion.same_scale(left, right)
        return rounding.modulo(left, self._divisor(node, right))

    def _divisor(self, node: exp.Expr, x: Expression) -> int:
        x = fold(x)
        if not isinstance(x, Literal) or not x.value:
            raise Unsupported(f"{construct(node)} is supported only by a constant other than 0: {show(node)}")
        return x.value

    def _round(self, node: exp.Expr) -> Expression:
        """FLOOR, CEIL, TRUNC and ROUND."""
        only(node, "this", "decimals")
        name = _ROUNDINGS[type(node)]
        x = self.bind(node.this)
        require_numbers(name, x)
        if is_null(x):
            return x
        digits = node.args.get("decimals")
        places = Literal(0, Integer(32)) if digits is None else fold(self.bind(digits))
        if not isinstance(places, Literal) or not isinstance(places.type, Integer) or places.value is None:
            raise Unsupported(f"{name} to a number of digits that is not constant is not supported")
        if abs(places.value) > _MOST_DIGITS:
            raise Unsupported(f"{name} to more than {_MOST_DIGITS} digits is not supported")
        return rounding.rounded(name, x, places.value)

    # dates

    def _moved(self, start: exp.Expr, interval: exp.Expr, sign: int) -> Expression:
        """DATE + INTERVAL; a count of days or weeks need not be constant."""
        x = self.bind(start)
        if not isinstance(interval, exp.Interval):
            raise Unsupported(f"a DATE plus or minus {show(interval)} is not supported")
        only(interval, "this", "unit")
        unit = interval.text("unit") or "day"
        count = interval.this
        if isinstance(count, exp.Literal) and count.is_string:
            if not re.fullmatch(r"\s*[+-]?\d{1,6}\s*", count.this):
                raise Unsupported(f"the interval {show(interval)} is not supported")
            return dates.moved(x, sign * int(count.this), unit)
        steps = fold(self.bind(count))
        if isinstance(steps, Literal) and isinstance(steps.type, Integer) and steps.value is not None:
            return dates.moved(x, sign * steps.value, unit)
        if dates.unit_of(unit) not in ("day", "week"):
            raise Unsupported("an INTERVAL of months or years that is not constant is not supported")
        dates.require_date("INTERVAL", x)
        days = coercion.multiply(whole_days(steps), integer(7 if dates.unit_of(unit) == "week" else 1))
        return Add(x, days) if sign > 0 else Subtract(x, days)

    def _date_add(self, node: exp.Expr) -> Expression:
        """DATE_ADD and DATE_SUB of an INTERVAL."""
        only(node, "this", "expression", "unit")
        sign = -1 if isinstance(node, exp.DateSub) else 1
        interval = node.expression
        if not isinstance(interval, exp.Interval):
            interval = exp.Interval(this=interval, unit=node.args.get("unit"))
        return self._moved(node.this, interval, sign)

    def _extract(self, node: exp.Expr) -> Expression:
        only(node, "this", "expression")
        return dates.part(node.this.name, self.bind(node.expression))

    def _part(self, node: exp.Expr) -> Expression:
        """YEAR(x) and its like."""
        only(node, "this")
        return dates.part(_DATE_PARTS[type(node)], self.bind(node.this))

    def _date_trunc(self, node: exp.Expr) -> Expression:
        only(node, "this", "unit")
        return dates.truncated(node.text("unit"), self.bind(node.this))

    def _date_diff(self, node: exp.Expr) -> Expression:
        only(node, "this", "expression", "unit", "date_part_boundary")
        return dates.difference(node.text("unit") or "day", self.bind(node.expression), self.bind(node.this))

    def _last_day(self, node: exp.Expr) -> Expression:
        only(node, "this")
        return dates.last_day(self.bind(node.this))

    def _anonymous(self, node: exp.Expr) -> Expression:
        """DATE_PART('month', x)."""
        name, items = node.name.lower(), node.expressions
        named = len(items) == 2 and isinstance(items[0], exp.Literal) and items[0].is_string
        if name not in ("date_part", "datepart") or not named:
            raise Unsupported(f"{construct(node)} is not supported")
        return dates.part(items[0].this, self.bind(items[1]))

    # comparison

    def _comparison(self, node: exp.Expr) -> Expression:
        left, right = self._operands(node)
        return compare(_OPERATORS[type(node)], left, right)

    def _between(self, node: exp.Expr) -> Expression:
        only(node, "this", "low", "high")
        x, low, high = self.bind(node.this), self.bind(node.args["low"]), self.bind(node.args["high"])
        return And((compare(">=", x, low), compare("<=", x, high)))

    def _in(self, node: exp.Expr) -> Expression:
        if node.args.get("query") is not None:
            return self._in_query(node)
        only(node, "this", "expressions")
        x = self.bind(node.this)
        terms = [compare("=", x, self.bind(item)) for item in node.expressions]
        return terms[0] if len(terms) == 1 else fold(Or(tuple(terms)))

    def _in_query(self, node: exp.Expr, *, unknown_is_false: bool = False) -> Expression:
        only(node, "this", "query")
        if self.subqueries is None:
            raise Unsupported(f"a subquery in {self.clause} is not supported")
        if isinstance(node.this, exp.Tuple):
            return self.subqueries.contains(
                self, [self.bind(x) for x in node.this.expressions], node.args["query"], unknown_is_false
            )
        return self.subqueries.contains(self, [self.bind(node.this)], node.args["query"], unknown_is_false)

    def _query(self, node: exp.Expr) -> Expression:
        """EXISTS and scalar subqueries: columns beside the rows. The same node is bound once, under all its aliases."""
        if self.subqueries is None:
            raise Unsupported(f"a subquery in {self.clause} is not supported")
        for known, expression in self._bound:
            if known is node:
                return expression
        bind = self.subqueries.exists if isinstance(node, exp.Exists) else self.subqueries.value
        expression = bind(self, node.this)
        self._bound.append((node, expression))
        return expression

    def _window(self, node: exp.Expr) -> Expression:
        if self.windows is None:
            raise Unsupported(f"a window function (OVER) in {self.clause} is not supported")
        for known, expression in self._bound:
            if known == node:
                return expression
        expression = self.windows.bind(self, node)
        self._bound.append((node, expression))
        return expression

    def _is(self, node: exp.Expr) -> Expression:
        only(node, "this", "expression")
        x, what = self.bind(node.this), node.expression
        if isinstance(what, exp.Null):
            return is_null_of(x)
        if isinstance(what, exp.Boolean):
            condition = predicate(x)
            return Case((((condition if what.this else Not(condition)), TRUE),), FALSE)
        raise Unsupported(f"IS {show(what)} is not supported")

    def _distinct_from(self, node: exp.Expr) -> Expression:
        left, right = self._operands(node)
        null_left, null_right = is_null_of(left), is_null_of(right)
        same = Case(((compare("=", left, right), TRUE), (And((null_left, null_right)), TRUE)), FALSE)
        return same if isinstance(node, exp.NullSafeEQ) else Not(same)

    def _like(self, node: exp.Expr) -> Expression:
        only(node, "this", "expression", "negate")
        x, pattern = self.bind(node.this), self.bind(node.expression)
        wanted = text_of(pattern)
        if is_null(x) or is_null(pattern):
            return Literal(None, Boolean())
        if not isinstance(x.type, Enum) or wanted is None:
            raise Unsupported("LIKE is supported for an ENUM and a constant pattern only")
        flags = re.DOTALL | (re.IGNORECASE if isinstance(node, exp.ILike) else 0)
        parts = ("." if c == "_" else ".*" if c == "%" else re.escape(c) for c in re.sub("%+", "%", wanted))
        like = re.compile("".join(parts), flags)
        codes = tuple(code for code, label in enumerate(x.type.labels) if like.fullmatch(label))
        found = InSet(x, codes)
        return Not(found) if node.args.get("negate") else found

    # logic

    def _not(self, node: exp.Expr) -> Expression:
        return Not(self.condition(node.this))

    def _and(self, node: exp.Expr) -> Expression:
        assert isinstance(node, exp.Connector)
        terms = tuple(self.condition(term) for term in node.flatten(unnest=False))
        return And(terms) if isinstance(node, exp.And) else Or(terms)

    # choice

    def _case(self, node: exp.Expr) -> Expression:
        only(node, "this", "ifs", "default")
        subject = self.bind(node.this) if node.this is not None else None
        conditions, values = [], []
        for branch in node.args["ifs"]:
            if subject is None:
                conditions.append(self.condition(branch.this))
            else:
                with located(branch.this, self.text):
                    conditions.append(compare("=", subject, self.bind(branch.this)))
            values.append(self.bind(branch.args["true"]))
        default = node.args.get("default")
        return choose(conditions, [*values, NULL if default is None else self.bind(default)])

    def _if(self, node: exp.Expr) -> Expression:
        only(node, "this", "true", "false")
        other = node.args.get("false")
        values = [self.bind(node.args["true"]), NULL if other is None else self.bind(other)]
        return choose([self.condition(node.this)], values)

    def _coalesce(self, node: exp.Expr) -> Expression:
        only(node, "this", "expressions")
        values = [self.bind(value) for value in (node.this, *node.expressions)]
        values = unified([value for value in values if not is_null(value)]) or [NULL]
        return reduce(lambda rest, x: choose([is_null_of(x)], [rest, x]), reversed(values[:-1]), values[-1])

    def _nullif(self, node: exp.Expr) -> Expression:
        left, right = self._operands(node)
        return choose([compare("=", left, right)], [NULL, left])

    def _extreme(self, node: exp.Expr) -> Expression:
        """GREATEST and LEAST: NULLs are passed over."""
        only(node, "this", "expressions")
        values = [self.bind(value) for value in (node.this, *node.expressions)]
        values = unified([value for value in values if not is_null(value)]) or [NULL]
        operator = "<" if isinstance(node, exp.Greatest) else ">"
        return reduce(lambda a, b: choose([Or((compare(operator, a, b), is_null_of(a)))], [b, a]), values)

    # types

    def _cast(self, node: exp.Expr) -> Expression:
        only(node, "this", "to")
        x, target = self.bind(node.this), node.args["to"]
        if is_text_type(target):
            if isinstance(x.type, Enum):
                return coercion.recoded(x, Enum(tuple(sorted(x.type.labels))))
            raise Unsupported(f"CAST of {x.type} to text is not supported")
        return self._cast_to(x, to_type(target))

    def _cast_to(self, x: Expression, type_: SqlType) -> Expression:
        """CAST; to a coarser scale it rounds."""
        if isinstance(type_, Integer | Decimal):
            if isinstance(x.type, Double):
                return coercion.fitting(rounding.cast_quotient(x, type_), type_)
            if coercion.is_number(x) and scale_of(x.type) > scale_of(type_):
                return coercion.fitting(rounding.cast_to_scale(x, type_), type_)
        return coercion.cast(x, type_)


_MOST_DIGITS = 15
_ROUNDINGS: dict[type[exp.Expr], str] = {exp.Floor: "FLOOR", exp.Ceil: "CEIL", exp.Trunc: "TRUNC", exp.Round: "ROUND"}

_DATE_PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Month: "month",
    exp.Day: "day",
    exp.Quarter: "quarter",
    exp.Week: "week",
    exp.WeekOfYear: "week",
    exp.DayOfMonth: "day",
    exp.DayOfWeek: "dow",
    exp.DayOfWeekIso: "isodow",
    exp.DayOfYear: "doy",
}

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}

_Method = Callable[[ScalarBinder, exp.Expr], Expression]
_METHODS: dict[type[exp.Expr], _Method] = {
    exp.Column: ScalarBinder._column,
    exp.Literal: ScalarBinder._literal,
    exp.Boolean: ScalarBinder._boolean,
    exp.Null: ScalarBinder._null,
    exp.Paren: ScalarBinder._paren,
    exp.Alias: ScalarBinder._alias,
    exp.Add: ScalarBinder._add,
    exp.Sub: ScalarBinder._sub,
    exp.Mul: ScalarBinder._mul,
    exp.Div: ScalarBinder._div,
    exp.Neg: ScalarBinder._neg,
    exp.Abs: ScalarBinder._abs,
    exp.Sign: ScalarBinder._sign,
    exp.Sqrt: ScalarBinder._sqrt,
    exp.IntDiv: ScalarBinder._integer_division,
    exp.Mod: ScalarBinder._modulo,
    **dict.fromkeys(_ROUNDINGS, ScalarBinder._round),
    **dict.fromkeys(_OPERATORS, ScalarBinder._comparison),
    exp.Between: ScalarBinder._between,
    exp.In: ScalarBinder._in,
    exp.Is: ScalarBinder._is,
    exp.NullSafeEQ: ScalarBinder._distinct_from,
    exp.NullSafeNEQ: ScalarBinder._distinct_from,
    exp.Like: ScalarBinder._like,
    exp.ILike: ScalarBinder._like,
    exp.Not: ScalarBinder._not,
    exp.And: ScalarBinder._and,
    exp.Or: ScalarBinder._and,
    exp.Case: ScalarBinder._case,
    exp.If: ScalarBinder._if,
    exp.Coalesce: ScalarBinder._coalesce,
    exp.Nullif: ScalarBinder._nullif,
    exp.Greatest: ScalarBinder._extreme,
    exp.Least: ScalarBinder._extreme,
    exp.Cast: ScalarBinder._cast,
    exp.Extract: ScalarBinder._extract,
    **dict.fromkeys(_DATE_PARTS, ScalarBinder._part),
    exp.TimestampTrunc: ScalarBinder._date_trunc,
    exp.DateTrunc: ScalarBinder._date_trunc,
    exp.DateDiff: ScalarBinder._date_diff,
    exp.DateAdd: ScalarBinder._date_add,
    exp.DateSub: ScalarBinder._date_add,
    exp.LastDay: ScalarBinder._last_day,
    exp.Anonymous: ScalarBinder._anonymous,
    exp.Window: ScalarBinder._window,
    exp.Exists: ScalarBinder._query,
    exp.Subquery: ScalarBinder._query,
}
