"""Subqueries within expressions, as columns beside the rows that they are asked for.

EXISTS and IN become a mark: whether a row finds its key among the subquery's. A scalar subquery without correlation is
one row beside all; a correlated one is looked up, by what tells for which rows around it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from smpc_sql.errors import QueryError, Unsupported
from smpc_sql.plan.expressions import (
    AggregateKind,
    And,
    Case,
    Equal,
    Expression,
    FromBoolean,
    Less,
    Literal,
    Not,
    Or,
    columns_of,
)
from smpc_sql.plan.relations import Project, Relation, is_single, substitute
from smpc_sql.plan.rules.fold_constants import FALSE, TRUE, UNKNOWN
from smpc_sql.plan.uniqueness import injective_column, unique_keys
from smpc_sql.schema import Boolean, Double, Enum, Integer, Text
from smpc_sql.sql import contained
from smpc_sql.sql.asked_along import last_along, total_along
from smpc_sql.sql.beside import Links, beside_all, call, calls_of, join, mark
from smpc_sql.sql.correlated import Correlated, Rows, linked_rows, refusal, split, unwrapped
from smpc_sql.sql.every import Total, of_none, total_of
from smpc_sql.sql.fixed import word_of, wrapped
from smpc_sql.sql.joined import ONE
from smpc_sql.sql.literals import NULL
from smpc_sql.sql.nodes import show
from smpc_sql.sql.operations import choose, compare, is_null_of
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import OUTER, shifted
from smpc_sql.sql.two_comparisons import Comparison, comparison, within_both

if TYPE_CHECKING:
    from smpc_sql.sql.bind import QueryBinder
    from smpc_sql.sql.domain import Domain

_ZERO = Literal(0, Integer(64))
_COUNT = "count(*)"
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Values:
    """A subquery's values, which stand beside the rows around already."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Subqueries:
    """Binds the subqueries of one SELECT. ctes: those in sight."""

    queries: QueryBinder
    ctes: Mapping[str, exp.CTE]

    @property
    def _correlated(self) -> Correlated:
        return Correlated(self.queries, self.ctes)

    def exists(self, binder: ScalarBinder, node: exp.Expr) -> Expression:
        """EXISTS: never NULL."""
        node = unwrapped(node)
        found = self._simply_there(binder, node) if isinstance(node, exp.Select) else None
        if found is not None:
            return found
        return _there(binder, self._correlated.rows(binder, node, there=True))

    def _simply_there(self, binder: ScalarBinder, node: exp.Select) -> Expression | None:
        """EXISTS of a total's row, or of rows under equalities and at most two comparisons more; None: neither."""
        try:
            select = self.queries.select(node, self.ctes, binder)
            scope = select.rows()
            total = total_of(select, scope) if select.one_row and not select.rest else None
        except QueryError:
            return None
        if total is not None:
            return TRUE if total.having is None else Case(((_of_total(binder, total)[0], TRUE),), FALSE)
        if select.total or select.changes_rows:
            return None
        outer = [shifted(term, -OUTER) for term in select.rest if all(i >= OUTER for i in columns_of(term))]
        mixed = [term for term in select.rest if not all(i >= OUTER for i in columns_of(term))]
        tests = [test for test in map(comparison, mixed) if test is not None]
        if len(tests) < len(mixed):
            return None
        found: Expression | None
        if not tests:
            found = _there(binder, Rows(scope.relation, (), select.links))
        elif len(tests) == 1:
            found = _compared(binder, scope.relation, select.links, tests[0])
        elif self.queries.rooms.of(node).room.said:
            return None
        else:
            found = within_both(binder, scope.relation, select.links, tests)
        if not outer or found is None:
            return found
        both = And((*outer, found))
        return Case(((both, TRUE),), FALSE) if both.nullable else both

    def value(self, binder: ScalarBinder, node: exp.Expr) -> Expression:
        """A scalar subquery; NULL without a row. Refused where there may be several."""
        node = unwrapped(node)
        try:
            found = self._linked_value(binder, node)
        except QueryError as error:
            found = self._correlated.over_domain(binder, node, error, lambda d: self._value_of_domain(node, d))
        if len(found.items) != 1:
            raise Unsupported("a scalar subquery has one column")
        if isinstance(found, Total):
            return _of_total(binder, found)[1][0]
        if isinstance(found, Values):
            return found.items[0]
        return _looked_up(binder, found, node) if found.links else _one_row(binder, found, node)

    def _linked_value(self, binder: ScalarBinder, node: exp.Expr) -> Total | Rows | Values:
        if not isinstance(node, exp.Select):
            bound = self.queries.bind(node, self.ctes)
            return Rows(bound.relation, tuple(e for _, e in bound.columns))
        select = self.queries.select(node, self.ctes, binder)
        scope = select.rows()
        if select.rest and select.one_row:
            totals = total_along(binder, select, scope)
            if totals is None:
                raise refusal(node)
            return Values(totals.values)
        if select.rest and not last_along(binder, select, scope):
            raise refusal(node)
        total = total_of(select, scope) if select.one_row and select.links else None
        return total or linked_rows(select, select.bind_rows(scope))

    def _value_of_domain(self, node: exp.Expr, domain: Domain) -> Total | Rows:
        if not isinstance(node, exp.Select):
            return split(domain, self.queries.bind(node, self.ctes, domain))
        select = self.queries.select(node, self.ctes, domain=domain)
        scope = select.rows()
        total = total_of(select, scope, domain) if select.one_row and domain.words else None
        return total or split(domain, select.bind_rows(scope))

    def contains(
        self, binder: ScalarBinder, values: list[Expression], node: exp.Expr, unknown_is_false: bool
    ) -> Expression:
        """x IN (subquery): TRUE if it is there, else NULL if it or a value there is NULL (x of an empty set: FALSE)."""
        return contained.contains(binder, self._correlated.rows(binder, unwrapped(node)), values, unknown_is_false)

    def quantified(
        self, binder: ScalarBinder, operator: str, values: list[Expression], node: exp.Expr, every: bool
    ) -> Expression:
        """value < ANY (subquery): less than the greatest; NULL where that is not so, but might be were NULLs known.

        value < ALL (subquery) is NOT value >= ANY (subquery).
        """
        if every:
            return Not(self.quantified(binder, _OPPOSITE[operator], values, node, False))
        if operator == "=":
            return self.contains(binder, values, node, False)
        rows = self._correlated.rows(binder, unwrapped(node))
        if len(rows.items) != 1 or len(values) != 1:
            raise Unsupported(f"ANY and ALL need a subquery of one column, got {len(rows.items)}")
        (value,), (item,) = values, rows.items
        item = FromBoolean(item) if isinstance(item.type, Boolean) else item
        word = word_of(item)
        texts = isinstance(word.type, Text) and word.type.is_long
        if texts or isinstance(word.type, Double) or (isinstance(word.type, Enum) and word.type != value.type):
            raise Unsupported(f"{operator} ANY or ALL (subquery) of {item.type} is not supported")
        kinds: tuple[tuple[str, AggregateKind], ...] = (("known", "count"), ("least", "min"), ("greatest", "max"))
        calls = {_COUNT: call("count_star", rows.relation)}
        calls |= {name: call(kind, rows.relation, word) for name, kind in kinds}
        count, known, *extremes = calls_of(binder, rows.relation, rows.links, calls, rows.null_safe)
        least, most = (wrapped(item, [extreme]) for extreme in extremes)
        outcomes = [compare(operator, value, most)] if operator not in (">", ">=") else []
        outcomes += [compare(operator, value, least)] if operator not in ("<", "<=") else []
        lost = [is_null_of(value)] if value.nullable else []
        lost += [Less(known, count)] if item.nullable else []
        unknown = ((And((Less(_ZERO, count), _any_of(lost))), UNKNOWN),) if lost else ()
        return Case(((_any_of(outcomes), TRUE), *unknown), FALSE)


def _there(binder: ScalarBinder, rows: Rows) -> Expression:
    """Whether there is a row."""
    if rows.links:
        return mark(binder, rows.relation, rows.links, rows.null_safe)
    return Less(_ZERO, calls_of(binder, rows.relation, (), {_COUNT: call("count_star", rows.relation)})[0])


def _compared(binder: ScalarBinder, relation: Relation, links: Links, test: Comparison) -> Expression:
    """EXISTS under equalities and one more comparison: the smallest and the greatest value of a group decide."""
    calls = {"smallest": call("min", relation, test.inner), "greatest": call("max", relation, test.inner)}
    columns = calls_of(binder, relation, links, calls)
    some = Or(tuple(test.of(x, test.outer) for x in columns))
    if test.test is Equal and not test.negated:
        raise Unsupported("EXISTS under an equality that does not name one side each is not supported")
    return Case(((some, TRUE),), FALSE)


# totals


def _of_total(binder: ScalarBinder, total: Total) -> tuple[Expression, tuple[Expression, ...]]:
    """Whether the total's row is there, and its values, NULL where it is not."""
    width = len(total.groups.keys)
    by: list[Expression]
    if total.links:
        columns = join(binder, total.groups, "left", total.links, total.null_safe)
        by = [*(total.words or columns[:width]), *of_none(total.groups.calls, columns[width:])]
    else:
        by = list(beside_all(binder, total.groups))
    items = [substitute(item, by) for _, item in total.items]
    if total.having is None:
        return TRUE, tuple(items)
    having = substitute(total.having, by)
    return having, tuple(choose([having], [item, NULL]) for item in items)


# rows


def _one_row(binder: ScalarBinder, rows: Rows, node: exp.Expr) -> Expression:
    if is_single(rows.relation):
        columns = beside_all(binder, rows.relation)
    elif frozenset() in unique_keys(rows.relation):
        columns = join(binder, rows.relation, "left", [(ONE, ONE)])
    else:
        raise Unsupported(f"a scalar subquery that may have several rows is not supported: {show(node)}")
    return substitute(rows.items[0], columns)


def _looked_up(binder: ScalarBinder, rows: Rows, node: exp.Expr) -> Expression:
    if not _unique(rows):
        raise Unsupported(
            f"a scalar subquery that may have several rows is not supported: {show(node)}; "
            "LIMIT 1, or PRIMARY KEY or UNIQUE on what it is correlated by, would allow it"
        )
    return substitute(rows.items[0], join(binder, rows.relation, "left", rows.links, rows.null_safe))


def _unique(rows: Rows) -> bool:
    """Whether there is one row at most for each row around."""
    relation, words = rows.relation, rows.around
    if isinstance(relation, Project):
        words = tuple(substitute(word, relation.expressions) for word in words)
        relation = relation.source
    known = set(map(injective_column, words))
    return any(key <= known for key in unique_keys(relation))


def _any_of(terms: Sequence[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Or(tuple(terms))
