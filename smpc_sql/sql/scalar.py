"""Scalar SQL expressions to plan expressions: one method per kind of sqlglot node, by the modules scalar_*; what has
none is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlglot import exp

from smpc_sql.errors import QueryError, UnknownName, Unsupported
from smpc_sql.plan.expressions import (
    Column,
    Expression,
    Or,
)
from smpc_sql.plan.relations import Relation
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.sharing import share
from smpc_sql.sql import (
    formats,
    read_formats,
    scalar_arithmetic,
    scalar_casts,
    scalar_choice,
    scalar_dates,
    scalar_strings,
    scalar_tests,
    scalar_text,
    text_functions,
)
from smpc_sql.sql.binder import Method
from smpc_sql.sql.coercion import predicate
from smpc_sql.sql.literals import NULL, boolean, number, text_literal
from smpc_sql.sql.nodes import construct, located, only, show
from smpc_sql.sql.operations import (
    compare,
)
from smpc_sql.sql.row_values import compare_rows, items_of, rows_of
from smpc_sql.sql.scope import OUTER, Scope, shifted

Widen = Callable[[Relation, tuple[Expression, ...]], Relation]
"""Puts more fields behind a relation's own, by keys over these."""


class SubqueryBinder(Protocol):
    """Binds subqueries within expressions: what they need comes to stand beside the rows of `binder`."""

    def exists(self, binder: ScalarBinder, node: exp.Expr) -> Expression: ...

    def value(self, binder: ScalarBinder, node: exp.Expr) -> Expression: ...

    def contains(
        self, binder: ScalarBinder, values: list[Expression], node: exp.Expr, unknown_is_false: bool
    ) -> Expression: ...

    def quantified(
        self, binder: ScalarBinder, operator: str, values: list[Expression], node: exp.Expr, every: bool
    ) -> Expression: ...


class OuterNames(Protocol):
    """The columns of the queries around, under names of the scope that no SQL can write."""

    def name_of(self, node: exp.Column) -> str | None: ...


class WindowBinder(Protocol):
    """Binds window functions, whose values come to stand beside the rows of `binder`."""

    def bind(self, binder: ScalarBinder, node: exp.Expr) -> Expression: ...


class ScalarBinder:
    """Binds expressions that are evaluated row by row over a scope.

    aliases: SELECT aliases that a name may fall back to. clause: where we are, for messages. subqueries: who binds
    subqueries, whose columns come to stand beside the scope's; None refuses them. outer: who binds the query around
    this one, if its columns can be read (as columns OUTER + i). domain: or under which names of the scope they are.
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
        domain: OuterNames | None = None,
    ) -> None:
        self.scope = scope
        self.text = text
        self.clause = clause
        self.aliases = aliases or {}
        self.subqueries = subqueries
        self.outer = outer
        self.windows = windows
        self.domain = domain
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

    def of_keys(self, rows: Sequence[Expression]) -> tuple[Expression, ...]:
        """Expressions over the rows as they are read here; of groups they are keys."""
        return tuple(rows)

    def outer_column(self, node: exp.Column) -> Expression | None:
        """What a correlated subquery sees under that name."""
        found = self.resolve(node)
        return self._outside(node) if found is None and self.domain is not None else found

    def rows_around(self) -> Relation:
        """The rows that a correlated subquery is asked for, for one more reader."""
        self.scope = Scope(share(self.scope.relation), self.scope.names)
        return self.scope.relation

    def _outside(self, node: exp.Column) -> Expression | None:
        """A column of the queries around."""
        if self.domain is not None:
            name = self.domain.name_of(node)
            return next((n.expression for n in self.scope.names if n.name == name), None)
        found = None if self.outer is None else self.outer.outer_column(node)
        return None if found is None else shifted(found, OUTER)

    def bind_inner(self, node: exp.Expr) -> Expression:
        """One node; the caller adds the place."""
        if type(node) in scalar_tests.OPERATORS and isinstance(node.args["expression"], exp.Any | exp.All):
            return self._quantified(node)
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
        outside = self._outside(node)
        if outside is not None:
            return outside
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

    def _anonymous(self, node: exp.Expr) -> Expression:
        """A function that the parser does not know."""
        function = _FUNCTIONS.get(node.name.lower())
        if function is None:
            raise Unsupported(f"{construct(node)} is not supported")
        return function(self, node)

    # subqueries, windows

    def _in(self, node: exp.Expr) -> Expression:
        if node.args.get("query") is not None:
            return self._in_query(node)
        only(node, "this", "expressions")
        rows = rows_of(self, (node.this, *node.expressions))
        if rows is not None:
            terms = [compare_rows("=", rows[0], row) for row in rows[1:]]
        else:
            x = self.bind(node.this)
            terms = [compare("=", x, self.bind(item)) for item in node.expressions]
        return terms[0] if len(terms) == 1 else fold(Or(tuple(terms)))

    def _in_query(self, node: exp.Expr, *, unknown_is_false: bool = False) -> Expression:
        only(node, "this", "query")
        query = node.args["query"]
        return self._once(node, lambda s: s.contains(self, self._values(node.this), query, unknown_is_false))

    def _values(self, node: exp.Expr) -> list[Expression]:
        """A value, or those of a row value."""
        return list(map(self.bind, items_of(node) or [node]))

    def _once(self, node: exp.Expr, bind: Callable[[SubqueryBinder], Expression]) -> Expression:
        """Columns beside the rows. What is written twice, or is seen under several aliases, is bound once."""
        for known, expression in self._bound:
            if known is node or known == node:
                return expression
        if self.subqueries is None:
            raise Unsupported(f"a subquery in {self.clause} is not supported")
        expression = bind(self.subqueries)
        self._bound.append((node, expression))
        return expression

    def _quantified(self, node: exp.Expr) -> Expression:
        """x < ANY (subquery) and its like."""
        only(node, "this", "expression")
        side = node.expression
        operator, every = scalar_tests.OPERATORS[type(node)], isinstance(side, exp.All)
        return self._once(node, lambda s: s.quantified(self, operator, self._values(node.this), side.this, every))

    def _query(self, node: exp.Expr) -> Expression:
        """EXISTS and scalar subqueries."""
        if isinstance(node, exp.Exists):
            return self._once(node, lambda s: s.exists(self, node.this))
        return self._once(node, lambda s: s.value(self, node.this))

    def _window(self, node: exp.Expr) -> Expression:
        if self.windows is None:
            raise Unsupported(f"a window function (OVER) in {self.clause} is not supported")
        for known, expression in self._bound:
            if known == node:
                return expression
        expression = self.windows.bind(self, node)
        self._bound.append((node, expression))
        return expression


_FUNCTIONS: dict[str, Method] = {
    **scalar_dates.FUNCTIONS,
    **read_formats.FUNCTIONS,
    **scalar_text.FUNCTIONS,
    **scalar_strings.FUNCTIONS,
    **text_functions.FUNCTIONS,
}

_OwnMethod = Callable[[ScalarBinder, exp.Expr], Expression]
_OWN: dict[type[exp.Expr], _OwnMethod] = {
    exp.Column: ScalarBinder._column,
    exp.Literal: ScalarBinder._literal,
    exp.Boolean: ScalarBinder._boolean,
    exp.Null: ScalarBinder._null,
    exp.Paren: ScalarBinder._paren,
    exp.Alias: ScalarBinder._alias,
    exp.In: ScalarBinder._in,
    exp.Anonymous: ScalarBinder._anonymous,
    exp.Window: ScalarBinder._window,
    exp.Exists: ScalarBinder._query,
    exp.Subquery: ScalarBinder._query,
}
_METHODS: dict[type[exp.Expr], _OwnMethod] = {
    **_OWN,
    **scalar_arithmetic.METHODS,
    **scalar_tests.METHODS,
    **scalar_text.METHODS,
    **scalar_strings.METHODS,
    **text_functions.METHODS,
    **scalar_choice.METHODS,
    **scalar_casts.METHODS,
    **scalar_dates.METHODS,
    **formats.METHODS,
    **read_formats.METHODS,
}
