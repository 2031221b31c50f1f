"""Aggregate functions, and expressions over the groups of a SELECT.

COUNT, SUM, MIN and MAX are what an Aggregate computes; the others are arithmetic on those.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlglot import exp

from smpc_sql.errors import QueryError, TypeMismatch, UnknownName, Unsupported
from smpc_sql.plan.explain import explain_expression, field_names
from smpc_sql.plan.expressions import (
    AggregateCall,
    AggregateKind,
    And,
    Case,
    Column,
    Divide,
    Equal,
    Expression,
    FromBoolean,
    IsNull,
    Less,
    Literal,
    LongText,
    Not,
    Sqrt,
    rebuild,
    transform,
)
from smpc_sql.plan.places import Place
from smpc_sql.plan.relations import Aggregate, Filter, Relation
from smpc_sql.schema import Boolean, Double, Integer
from smpc_sql.sql import quotient
from smpc_sql.sql.coercion import add, as_quotient, multiply, subtract
from smpc_sql.sql.fixed import over_constant, plain
from smpc_sql.sql.fixed_point import fixed_point
from smpc_sql.sql.literals import integer
from smpc_sql.sql.nodes import construct, located, only, show
from smpc_sql.sql.operations import require_numbers
from smpc_sql.sql.order_statistics import bind_ordered
from smpc_sql.sql.scalar import OuterNames, ScalarBinder, SubqueryBinder, Widen, WindowBinder
from smpc_sql.sql.scope import Scope, is_outer
from smpc_sql.sql.text import each_word, words_of

BEHIND = 1 << 20
"""Columns from here on stand behind the groups' own."""


def is_aggregate(node: exp.Expr) -> bool:
    """Whether the node is an aggregate function itself."""
    if isinstance(node, exp.IgnoreNulls):
        return isinstance(node.this, exp.AnyValue)
    return isinstance(node, exp.AggFunc | exp.WithinGroup) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in ("mean", "arbitrary")
    )


def has_aggregate(node: exp.Expr) -> bool:
    """Whether an aggregate function is in the node, outside of windows and subqueries."""
    return any(map(is_aggregate, node.walk(prune=lambda n: isinstance(n, exp.Window | exp.Query))))


class GroupedBinder(ScalarBinder):
    """Binds expressions that are evaluated once per group: over the group keys first, then the calls found on the way.

    arguments: who binds the arguments of aggregates, if not a binder of the scope's rows (then settle is not used).
    rows: who bound the keys.
    extra_fields: between keys and calls.
    """

    extra_fields = 0

    def __init__(
        self,
        scope: Scope,
        text: str,
        clause: str,
        aliases: dict[str, exp.Expr],
        keys: tuple[Expression, ...],
        key_names: tuple[str, ...],
        subqueries: SubqueryBinder | None = None,
        windows: WindowBinder | None = None,
        arguments: ScalarBinder | None = None,
        rows: ScalarBinder | None = None,
    ) -> None:
        super().__init__(scope, text, clause, aliases, subqueries, windows=windows)
        self.keys = keys
        self.key_names = key_names
        self.calls: list[AggregateCall] = []
        self._rows = rows or ScalarBinder(scope, text, "GROUP BY")
        self._arguments = arguments or ScalarBinder(scope, text, "an aggregate's argument", aliases, subqueries)
        self._looks_up = arguments is not None
        self._attached: list[tuple[tuple[Expression, ...], Widen, int]] = []

    def attach(self, keys: tuple[Expression, ...], widen: Widen) -> tuple[Column, ...]:
        """Columns beside the groups: their places are known when all calls are, so till then they count from BEHIND."""
        start = BEHIND + sum(count for _, _, count in self._attached)
        # any relation shows which fields are added, as long as it has what the keys read
        fields = widen(self._groups(), tuple(map(self._settled(self._groups()), keys))).fields
        new = fields[self._width :]
        new = new[sum(count for _, _, count in self._attached) :]
        self._attached.append((keys, widen, len(new)))
        return tuple(Column(start + i, f.name, f.type, f.nullable, f.bounds) for i, f in enumerate(new))

    def restrict(self, condition: Expression) -> None:
        """Only the groups for which the condition is true, before whatever is attached from now on."""
        self._attached.append(((condition,), lambda relation, mine: Filter(relation, mine[0]), 0))

    def settle(self) -> tuple[Relation, Callable[[Expression], Expression]]:
        """The groups, beside them what was attached, and how an expression reads this."""
        relation = self._groups()
        return relation, self._settled(relation)

    def _groups(self) -> Relation:
        calls = tuple(self.calls)
        relation = self.grouped(self._arguments.scope.relation, calls)
        for keys, widen, _ in self._attached:
            relation = widen(relation, tuple(map(self._settled(relation), keys)))
        return relation

    def grouped(self, source: Relation, calls: tuple[AggregateCall, ...]) -> Relation:
        """The groups of rows: keys, extra fields, calls."""
        return Aggregate(source, self.keys, self.key_names, calls, self.call_names)

    @property
    def _width(self) -> int:
        return len(self.keys) + self.extra_fields + len(self.calls)

    def _settled(self, relation: Relation) -> Callable[[Expression], Expression]:
        width = self._width

        def read(node: Expression) -> Expression:
            if not isinstance(node, Column):
                return node
            return relation.column(node.index if node.index < BEHIND else width + node.index - BEHIND)

        return lambda expression: transform(expression, read)

    def outer_column(self, node: exp.Column) -> Expression | None:
        """A correlated subquery sees the group keys."""
        return self.as_key(node)

    def rows_around(self) -> Relation:
        """The groups, without the calls, of which a subquery reads nothing."""
        return Aggregate(self._arguments.scope.relation, self.keys, self.key_names, (), ())

    def reads(self, domain: OuterNames | None) -> None:
        """The same columns of the queries around for all that is bound here."""
        self.domain = self._rows.domain = self._arguments.domain = domain

    @property
    def call_names(self) -> tuple[str, ...]:
        """A name for each call, for people only: what it computes, where that is short."""
        if self._looks_up:
            return tuple(f"agg{i}" for i in range(len(self.calls)))
        names = field_names(self._arguments.scope.relation.fields)
        texts = [explain_expression(call, names) for call in self.calls]
        return tuple(text if len(text) <= 40 else f"agg{i}" for i, text in enumerate(texts))

    def bind_inner(self, node: exp.Expr) -> Expression:
        """A node with a group key's value is that key; an aggregate function becomes a call."""
        if isinstance(node, exp.Filter):
            only(node, "this", "expression")
            if not is_aggregate(node.this):
                raise Unsupported(f"FILTER on {construct(node.this)} is not supported")
            return self._aggregate(node.this, self._arguments.condition(node.expression.this))
        if is_aggregate(node):
            return self._aggregate(node, None)
        if not has_aggregate(node) and node.find(exp.Window) is None:
            key = self.as_key(node)
            if key is not None:
                return key
        return super().bind_inner(node)

    def resolve(self, node: exp.Column) -> Expression | None:
        """A column that is no key stands for nothing here."""
        return None

    def missing(self, node: exp.Column) -> QueryError:
        """The error for a name that is neither a key nor an alias."""
        if self.scope.find(node.name, node.table) is None:
            return super().missing(node)
        return UnknownName(f"column {show(node)} must be in GROUP BY or within an aggregate function")

    def as_key(self, node: exp.Expr) -> Expression | None:
        """A node that reads nothing but group keys, over these; else None."""
        try:
            return self.over_keys(self._rows.bind(node))
        except QueryError:
            return None

    def over_keys(self, bound: Expression) -> Expression | None:
        """An expression over rows as one over group keys; None if it reads anything else."""
        if bound in self.keys:
            return self.key_column(self.keys.index(bound))
        if isinstance(bound, Column):
            return None
        new = [self.over_keys(part) for part in bound.parts]
        known = tuple(part for part in new if part is not None)
        return rebuild(bound, known) if len(known) == len(new) else None

    def key_column(self, i: int) -> Column:
        """A group key."""
        key = self.keys[i]
        return Column(i, self.key_names[i], key.type, key.nullable, key.bounds, public=True)

    @property
    def arguments(self) -> ScalarBinder:
        """Who binds the arguments of aggregates."""
        return self._arguments

    def call(
        self,
        kind: AggregateKind,
        argument: Expression | None,
        filter_: Expression | None,
        distinct: bool = False,
        place: Place | None = None,
        by: Expression | None = None,
        rest: tuple[Expression, ...] = (),
        word: int = 0,
    ) -> Expression:
        """The column of a call; the same call twice is one. See AggregateCall."""
        if any(is_outer(part) for part in (argument, filter_, by, *rest) if part is not None):
            raise Unsupported("an aggregate over a column of the query around it is not supported")
        if kind == "count" and argument is not None and not argument.nullable and not distinct:
            kind, argument = "count_star", None
        call = AggregateCall(kind, argument, filter_, self.scope.relation.max_rows, distinct, place, by, rest, word)
        if call not in self.calls:
            self.calls.append(call)
        i = self.calls.index(call)
        return Column(len(self.keys) + self.extra_fields + i, self.call_names[i], call.type, call.nullable, call.bounds)

    def _aggregate(self, node: exp.Expr, filter_: Expression | None) -> Expression:
        node = node.this if isinstance(node, exp.IgnoreNulls) else node
        with located(node, self.text):
            found = bind_ordered(self, node, filter_)
        if found is not None:
            return found
        function = _FUNCTIONS.get(node.name.lower() if isinstance(node, exp.Anonymous) else type(node))
        if type(node) in _PAIRS:
            only(node, "this", "expression")
            first, second = self._arguments.bind(node.this), self._arguments.bind(node.expression)
            with located(node, self.text):
                return _PAIRS[type(node)](_Moments(self, first, second, filter_))
        if function is None:
            hint = ": rows have no order; ANY_VALUE and ARG_MIN are" if isinstance(node, exp.First | exp.Last) else ""
            written = self.text[node.meta["start"] : node.meta["end"] + 1].upper() if "start" in node.meta else ""
            name = f"function {written}" if written.isidentifier() else construct(node)
            raise Unsupported(f"{name} is not supported{hint}")
        if isinstance(node.this, exp.Distinct):
            return self._distinct(node, function, filter_)
        if isinstance(node, exp.Anonymous):
            only(node, "this", "expressions")
            if len(node.expressions) != 1:
                raise Unsupported(f"{show(node)}: one argument is expected")
            argument = node.expressions[0]
        else:
            only(node, "this")
            argument = node.this
        if argument is None or isinstance(argument, exp.Star):
            if not isinstance(node, exp.Count):
                raise Unsupported(f"{show(node)} is not supported")
            return self.call("count_star", None, filter_)
        bound = self._arguments.bind(argument)
        with located(node, self.text):
            return function(self, bound, filter_)

    def _distinct(self, node: exp.Expr, function: _Function, filter_: Expression | None) -> Expression:
        """An aggregate of the different values: COUNT, SUM and AVG have a way of their own, MIN and MAX need none."""
        name = construct(node).removeprefix("function ")
        only(node.this, "expressions")
        if len(node.this.expressions) != 1:
            raise Unsupported(f"{name}(DISTINCT …) of several values is not supported")
        bound = self._arguments.bind(node.this.expressions[0])
        with located(node, self.text):
            if function in _WITHOUT_REPETITION:
                return function(self, bound, filter_)
            if function not in _DISTINCT:
                raise Unsupported(f"{name}(DISTINCT …) is not supported")
            return _DISTINCT[function](self, bound, filter_)


def _over_constant(x: Expression, what: str, rows: int = 0) -> Divide | None:
    """A DOUBLE argument over a constant denominator; one by a secret in fixed point, if so many rows may be summed."""
    if not isinstance(x.type, Double):
        return None
    q = as_quotient(x)
    if over_constant(q) is None and rows:
        return fixed_point(q, rows)
    if over_constant(q) is None:
        raise Unsupported(f"{what} of a quotient is not supported, but of one by a constant other than 0")
    return q


def _count(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
    if isinstance(x.type, Double):
        present = Not(quotient.is_null_double(x))
        return g.call("count_star", None, present if filter_ is None else And((filter_, present)))
    return g.call("count", words_of(x)[0], filter_)


def _count_if(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
    """As in DuckDB a sum: NULL where there is nothing to count."""
    if not isinstance(x.type, Boolean):
        raise TypeMismatch(f"COUNT_IF needs a BOOLEAN, got {x.type}")
    return g.call("sum", FromBoolean(x), filter_)


def _sum(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
    if isinstance(x.type, Boolean):
        x = FromBoolean(x)
    require_numbers("SUM", x)
    q = _over_constant(x, "SUM", g.scope.relation.max_rows)
    if q is not None:
        return quotient.make(g.call("sum", q.numerator, filter_), q.denominator)
    return g.call("sum", x, filter_)


def _avg(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
    require_numbers("AVG", x)
    q = _over_constant(x, "AVG", g.scope.relation.max_rows)
    if q is not None:
        count = g.call("count", q.numerator, filter_)
        return quotient.make(g.call("sum", q.numerator, filter_), multiply(count, q.denominator), guarded=True)
    return quotient.make(g.call("sum", x, filter_), g.call("count", x, filter_), guarded=True)


def _count_distinct(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
    x = FromBoolean(x) if isinstance(x.type, Boolean) else x
    if isinstance(x, LongText):
        return g.call("count", x.words[0], filter_, distinct=True, rest=x.words[1:])
    q = _over_constant(x, "COUNT(DISTINCT …)")
    return g.call("count", x if q is None else q.numerator, filter_, distinct=True)


def _sum_distinct(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
    x = FromBoolean(x) if isinstance(x.type, Boolean) else x
    require_numbers("SUM", x)
    q = _over_constant(x, "SUM(DISTINCT …)")
    if q is not None:
        return quotient.make(g.call("sum", q.numerator, filter_, distinct=True), q.denominator)
    return g.call("sum", x, filter_, distinct=True)


def _avg_distinct(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
    require_numbers("AVG", x)
    count = _count_distinct(g, x, filter_)
    return quotient.divide(_sum_distinct(g, x, filter_), count)


def _extreme(kind: AggregateKind) -> Callable[[GroupedBinder, Expression, Expression | None], Expression]:
    def bind(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
        if isinstance(x.type, Boolean):
            return _truth(g, kind, x, filter_)
        if isinstance(x, LongText):
            return each_word(x, lambda first, rest, word: g.call(kind, first, filter_, rest=rest, word=word))
        q = _over_constant(x, kind.upper(), rows=1)
        if q is not None:
            return Divide(g.call(kind, q.numerator, filter_), q.denominator)
        return g.call(kind, x, filter_)

    return bind


def _truth(g: GroupedBinder, kind: AggregateKind, x: Expression, filter_: Expression | None) -> Expression:
    extreme = g.call(kind, FromBoolean(x), filter_)
    return Equal(extreme, Literal(1, extreme.type))


def _bool(kind: AggregateKind, name: str) -> Callable[[GroupedBinder, Expression, Expression | None], Expression]:
    def bind(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
        if not isinstance(x.type, Boolean):
            raise TypeMismatch(f"{name} needs a BOOLEAN, got {x.type}")
        return _truth(g, kind, x, filter_)

    return bind


def _variance(sample: bool, root: bool) -> Callable[[GroupedBinder, Expression, Expression | None], Expression]:
    """VAR = (n Σx² - (Σx)²) / n², or over n (n - 1) for a sample: NULL for one row, since that is 0."""

    def bind(g: GroupedBinder, x: Expression, filter_: Expression | None) -> Expression:
        require_numbers("a variance", x)
        x = plain(x)
        q = _over_constant(x, "a variance")
        x = x if q is None else q.numerator
        n = g.call("count", x, filter_)
        total, squares = g.call("sum", x, filter_), g.call("sum", multiply(x, x), filter_)
        numerator = subtract(multiply(n, squares), multiply(total, total))
        denominator = multiply(n, subtract(n, integer(1)) if sample else n)
        if q is not None:
            denominator = multiply(denominator, multiply(q.denominator, q.denominator))
        variance = quotient.make(numerator, denominator, guarded=not sample)
        return Sqrt(variance) if root else variance

    return bind


class _Moments:
    """Sums over the rows in which neither of two arguments is NULL: what covariance and regression are made of."""

    def __init__(self, g: GroupedBinder, y: Expression, x: Expression, filter_: Expression | None) -> None:
        for argument in (y, x):
            require_numbers("an aggregate of two numbers", argument)
        y, x = plain(y), plain(x)
        if isinstance(y.type, Double) or isinstance(x.type, Double):
            raise Unsupported("CORR, COVAR and REGR functions of a quotient are not supported")
        known = [Not(IsNull(argument)) for argument in (y, x) if argument.nullable]
        terms = (*(() if filter_ is None else (filter_,)), *known)
        rows = None if not terms else terms[0] if len(terms) == 1 else And(terms)
        self.n = g.call("count_star", None, rows)
        self.y, self.x = g.call("sum", y, rows), g.call("sum", x, rows)
        self._arguments = y, x
        self._binder, self._rows = g, rows

    def _sum(self, a: Expression, b: Expression) -> Expression:
        return self._binder.call("sum", multiply(a, b), self._rows)

    @property
    def xy(self) -> Expression:
        """n Σxy - Σx Σy"""
        y, x = self._arguments
        return subtract(multiply(self.n, self._sum(x, y)), multiply(self.x, self.y))

    @property
    def xx(self) -> Expression:
        """n Σx² - (Σx)²"""
        x = self._arguments[1]
        return subtract(multiply(self.n, self._sum(x, x)), multiply(self.x, self.x))

    @property
    def yy(self) -> Expression:
        """n Σy² - (Σy)²"""
        y = self._arguments[0]
        return subtract(multiply(self.n, self._sum(y, y)), multiply(self.y, self.y))

    @property
    def intercept(self) -> Expression:
        """Σy Σx² - Σx Σxy"""
        y, x = self._arguments
        return subtract(multiply(self.y, self._sum(x, x)), multiply(self.x, self._sum(x, y)))


def _covariance(m: _Moments, *, sample: bool) -> Expression:
    denominator = multiply(m.n, subtract(m.n, integer(1)) if sample else m.n)
    return quotient.make(m.xy, denominator, guarded=not sample)


def _corr(m: _Moments) -> Expression:
    """The root of xy² / (xx yy), with the sign of xy. NULL where either is the same in all rows (DuckDB: NaN)."""
    xy = m.xy
    sign = Case(((Less(xy, Literal(0, xy.type)), Literal(-1, Integer(8))),), Literal(1, Integer(8)))
    return Sqrt(quotient.make(multiply(sign, multiply(xy, xy)), multiply(m.xx, m.yy)), signed=True)


def _r2(m: _Moments) -> Expression:
    """xy² / (xx yy): 1 where y is the same in all rows, NULL where x is."""
    xy, xx, yy = m.xy, m.xx, m.yy
    flat = FromBoolean(Equal(yy, Literal(0, yy.type)))
    instead = multiply(flat, xx)  # where y is flat, xy is 0 too
    return quotient.make(add(multiply(xy, xy), instead), add(multiply(xx, yy), instead))


_Pair = Callable[[_Moments], Expression]
_PAIRS: dict[type[exp.Expr], _Pair] = {
    exp.CovarPop: partial(_covariance, sample=False),
    exp.CovarSamp: partial(_covariance, sample=True),
    exp.Corr: _corr,
    exp.RegrSlope: lambda m: quotient.make(m.xy, m.xx),
    exp.RegrIntercept: lambda m: quotient.make(m.intercept, m.xx),
    exp.RegrR2: _r2,
    exp.RegrCount: lambda m: m.n,
    exp.RegrAvgx: lambda m: quotient.make(m.x, m.n, guarded=True),
    exp.RegrAvgy: lambda m: quotient.make(m.y, m.n, guarded=True),
    exp.RegrSxx: lambda m: quotient.make(m.xx, m.n, guarded=True),
    exp.RegrSyy: lambda m: quotient.make(m.yy, m.n, guarded=True),
    exp.RegrSxy: lambda m: quotient.make(m.xy, m.n, guarded=True),
}


_Function = Callable[[GroupedBinder, Expression, Expression | None], Expression]
_FUNCTIONS: dict[type[exp.Expr] | str, _Function] = {
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

_DISTINCT: dict[_Function, _Function] = {_count: _count_distinct, _sum: _sum_distinct, _avg: _avg_distinct}
_WITHOUT_REPETITION = tuple(_FUNCTIONS[kind] for kind in (exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr))
