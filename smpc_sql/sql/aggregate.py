"""Expressions over the groups of a SELECT: keys, and aggregate functions as the calls of an Aggregate."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from smpc_sql.errors import QueryError, UnknownName, Unsupported
from smpc_sql.plan.explain import explain_expression, field_names
from smpc_sql.plan.expressions import (
    AggregateCall,
    AggregateKind,
    Column,
    Divide,
    Elapsed,
    Expression,
    rebuild,
    transform,
)
from smpc_sql.plan.places import Place
from smpc_sql.plan.relations import Aggregate, Filter, Relation
from smpc_sql.sql.aggregate_functions import DISTINCT, FUNCTIONS, WITHOUT_REPETITION, Function, count_different
from smpc_sql.sql.covariance import PAIRS, Moments
from smpc_sql.sql.fixed import over_constant
from smpc_sql.sql.fixed_point import key_word
from smpc_sql.sql.nodes import construct, located, only, show
from smpc_sql.sql.order_statistics import bind_ordered
from smpc_sql.sql.scalar import OuterNames, ScalarBinder, SubqueryBinder, Widen, WindowBinder
from smpc_sql.sql.scope import Scope, is_outer

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
    extra_fields: between keys and calls. own_keys: how many of the keys expressions may read; None for all.
    """

    extra_fields = 0
    own_keys: int | None = None

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
        own = self.keys[: self.own_keys]
        if bound in own:
            return self.key_column(own.index(bound))
        if isinstance(bound, Column):
            return None
        if isinstance(bound, Divide) and over_constant(bound) is None and self._has_words_of(bound):
            bound = key_word(bound)
        if isinstance(bound, Elapsed):
            return self._interval_over_keys(bound)
        new = [self.over_keys(part) for part in bound.parts]
        known = tuple(part for part in new if part is not None)
        return rebuild(bound, known) if len(known) == len(new) else None

    def _interval_over_keys(self, bound: Elapsed) -> Expression | None:
        """An INTERVAL, of whose parts more may be needed than is known of groups."""
        x = self.over_keys(bound.x)
        found = [self.over_keys(part) for part in bound.split or ()]
        split = tuple(part for part in found if part is not None)
        known = bound.split is not None and len(split) == len(found)
        return None if x is None else Elapsed(x, split if known else None, bound.monthly)

    def _has_words_of(self, quotient: Divide) -> bool:
        """Whether a quotient by a secret is a key."""
        try:
            return key_word(quotient).numerator in self.keys[: self.own_keys]
        except QueryError:
            return False

    def of_keys(self, rows: Sequence[Expression]) -> tuple[Expression, ...]:
        """The keys that these expressions over rows are."""
        return tuple(self.key_column(self.keys.index(key)) for key in rows)

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
        function = FUNCTIONS.get(node.name.lower() if isinstance(node, exp.Anonymous) else type(node))
        if type(node) in PAIRS:
            only(node, "this", "expression")
            first, second = self._arguments.bind(node.this), self._arguments.bind(node.expression)
            with located(node, self.text):
                return PAIRS[type(node)](Moments(self, first, second, filter_))
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

    def _distinct(self, node: exp.Expr, function: Function, filter_: Expression | None) -> Expression:
        """An aggregate of the different values: COUNT, SUM and AVG have a way of their own, MIN and MAX need none."""
        name = construct(node).removeprefix("function ")
        only(node.this, "expressions")
        if len(node.this.expressions) != 1:
            instead = ", but COUNT(DISTINCT (a, b)) is" if isinstance(node, exp.Count) else ""
            raise Unsupported(f"{name}(DISTINCT …) of several values is not supported{instead}")
        if isinstance(node, exp.Count) and isinstance(node.this.expressions[0], exp.Tuple):
            values = [self._arguments.bind(part) for part in node.this.expressions[0].expressions]
            with located(node, self.text):
                return count_different(self, values, filter_)
        bound = self._arguments.bind(node.this.expressions[0])
        with located(node, self.text):
            if function in WITHOUT_REPETITION:
                return function(self, bound, filter_)
            if function not in DISTINCT:
                raise Unsupported(f"{name}(DISTINCT …) is not supported")
            return DISTINCT[function](self, bound, filter_)
