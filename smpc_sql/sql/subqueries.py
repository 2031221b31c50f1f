"""Subqueries within expressions, as columns beside the rows that they are asked for.

EXISTS and IN become a mark: whether a row finds its key among the subquery's. A scalar subquery without correlation is
one row beside all; with equalities to the query around it, an aggregate is grouped by them, and looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from smpc_sql.errors import QueryError, UnknownName, Unsupported
from smpc_sql.plan.expressions import (
    AggregateCall,
    AggregateKind,
    And,
    Case,
    Column,
    Equal,
    Expression,
    FromBoolean,
    IsNull,
    Less,
    Literal,
    Not,
    Or,
    columns_of,
)
from smpc_sql.plan.relations import (
    Aggregate,
    CrossJoin,
    Filter,
    Join,
    JoinKind,
    Project,
    Relation,
    Sort,
    is_single,
    own_columns,
    substitute,
)
from smpc_sql.plan.rules.fold_constants import FALSE, TRUE, UNKNOWN
from smpc_sql.plan.rules.push_filters import conjunction
from smpc_sql.plan.sharing import share
from smpc_sql.plan.uniqueness import injective_column, unique_keys
from smpc_sql.schema import Boolean, Double, Enum, Integer, Text
from smpc_sql.sql.coercion import unify
from smpc_sql.sql.domain import Domain, with_domain
from smpc_sql.sql.fixed import words_of, wrapped
from smpc_sql.sql.joined import ONE
from smpc_sql.sql.nodes import show
from smpc_sql.sql.operations import compare, is_null_of
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import OUTER, Scope, is_outer, shifted

if TYPE_CHECKING:
    from smpc_sql.sql.bind import QueryBinder, SelectBinder
    from smpc_sql.sql.source import Bound

_ZERO = Literal(0, Integer(64))
_COUNT = "count(*)"
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Subqueries:
    """Binds the subqueries of one SELECT. ctes: those in sight."""

    queries: QueryBinder
    ctes: Mapping[str, exp.CTE]

    def exists(self, binder: ScalarBinder, node: exp.Expr) -> Expression:
        """EXISTS: never NULL."""
        try:
            relation, select = self._rows(binder, node)
        except QueryError as error:
            return self._exists_of_domain(binder, node, error)
        if select is None or not (select.links or select.rest):
            count = self._beside_all(binder, _totals(relation, (), None))[0]
            return Less(_ZERO, count)
        outer = [shifted(term, -OUTER) for term in select.rest if all(i >= OUTER for i in columns_of(term))]
        mixed = [term for term in select.rest if not all(i >= OUTER for i in columns_of(term))]
        found: Expression
        if mixed:
            parts = _comparison(mixed[0]) if len(mixed) == 1 else None
            if parts is None:
                return self._exists_of_domain(binder, node, None)
            found = self._compared(binder, relation, select, parts)
        elif select.links:
            found = self._mark(binder, relation, select.links)
        else:
            found = Less(_ZERO, self._beside_all(binder, _totals(relation, (), None))[0])
        return And((*outer, found)) if outer else found

    def _exists_of_domain(self, binder: ScalarBinder, node: exp.Expr, error: QueryError | None) -> Expression:
        asked = self._asked(binder, node, error, _only_rows)
        return self._mark(binder, asked.relation, asked.links, null_safe=True)

    def value(self, binder: ScalarBinder, node: exp.Expr) -> Expression:
        """A scalar subquery; NULL without a row. Refused where there may be several."""
        if not isinstance(node, exp.Select):
            return self._one_row(binder, self.queries.bind(node, self.ctes), node)
        try:
            select = self.queries.select(node, self.ctes, binder)
            scope = select.rows()
            if not select.links and not select.rest:
                return self._one_row(binder, select.bind_rows(scope), node)
        except QueryError as error:
            return self._value_of_domain(binder, node, error)
        if select.rest:
            return self._value_of_domain(binder, node, None)
        if not _is_plain(node):
            raise _not_plain(node)
        try:
            relation, items = _values(select, scope)
        except QueryError as error:
            return self._value_of_domain(binder, node, error)
        if len(items) != 1:
            raise Unsupported("a scalar subquery has one column")
        if isinstance(relation, Aggregate):
            return self._grouped(binder, relation, items[0], select.links)
        return self._looked_up(binder, relation, items[0], select.links, node)

    def _value_of_domain(self, binder: ScalarBinder, node: exp.Select, error: QueryError | None) -> Expression:
        asked = self._asked(binder, node, error, _values)
        if len(asked.items) != 1:
            raise Unsupported("a scalar subquery has one column")
        if not isinstance(asked.relation, Aggregate):
            return self._looked_up(binder, asked.relation, asked.items[0], asked.links, node, null_safe=True)
        columns = self._join(binder, asked.relation, "left", asked.links, null_safe=True)[len(asked.words) :]
        return substitute(asked.items[0], [*asked.words, *_of_none(asked.relation, columns)])

    def contains(
        self, binder: ScalarBinder, values: list[Expression], node: exp.Expr, unknown_is_false: bool
    ) -> Expression:
        """x IN (subquery): TRUE if it is there, else NULL if it or a value there is NULL (x of an empty set: FALSE)."""
        relation, items, links, null_safe = self._items(binder, node)
        if len(items) != len(values):
            raise Unsupported(f"IN: {len(values)} values, but the subquery has {len(items)} columns")
        pairs = [pair for value, item in zip(values, items, strict=True) for pair in _pairs(value, item)]
        relation = share(relation)
        known_items = [Not(IsNull(item)) for _, item in pairs if item.nullable] if null_safe else []
        sought = Filter(relation, conjunction(tuple(known_items))) if known_items else relation
        found = self._mark(binder, sought, [*((item, value) for value, item in pairs), *links], null_safe)
        if unknown_is_false or not any(x.nullable or y.nullable for x, y in pairs):
            return found
        if len(values) > 1:
            raise Unsupported("IN of several values that may be NULL is not supported in an expression")
        value, item = pairs[0]
        count, known = self._totals_of(binder, relation, links, item, null_safe=null_safe)
        lost = And((IsNull(value), Less(_ZERO, count)))
        return Case(((found, TRUE), (lost, UNKNOWN), (Less(known, count), UNKNOWN)), FALSE)

    def quantified(
        self, binder: ScalarBinder, operator: str, value: Expression, node: exp.Expr, every: bool
    ) -> Expression:
        """value < ANY (subquery): less than the greatest; NULL where that is not so, but might be were NULLs known.

        value < ALL (subquery) is NOT value >= ANY (subquery).
        """
        if every:
            return Not(self.quantified(binder, _OPPOSITE[operator], value, node, False))
        if operator == "=":
            return self.contains(binder, [value], node, False)
        relation, items, links, null_safe = self._items(binder, node)
        if len(items) != 1:
            raise Unsupported(f"ANY and ALL need a subquery of one column, got {len(items)}")
        item = FromBoolean(items[0]) if isinstance(items[0].type, Boolean) else items[0]
        if isinstance(item.type, Double | Text) or (isinstance(item.type, Enum) and item.type != value.type):
            raise Unsupported(f"{operator} ANY or ALL (subquery) of {item.type} is not supported")
        count, known, least, most = self._totals_of(binder, relation, links, item, True, null_safe)
        outcomes = [compare(operator, value, most)] if operator not in (">", ">=") else []
        outcomes += [compare(operator, value, least)] if operator not in ("<", "<=") else []
        lost = [is_null_of(value)] if value.nullable else []
        lost += [Less(known, count)] if item.nullable else []
        unknown = ((And((Less(_ZERO, count), _any_of(lost))), UNKNOWN),) if lost else ()
        return Case(((_any_of(outcomes), TRUE), *unknown), FALSE)

    # the subquery's own rows

    def _rows(self, binder: ScalarBinder, node: exp.Expr) -> tuple[Relation, SelectBinder | None]:
        """The rows of which EXISTS asks whether there is one."""
        if not isinstance(node, exp.Select):
            return self.queries.bind(node, self.ctes).relation, None
        select = self.queries.select(node, self.ctes, binder)
        scope = select.rows()
        simple = _is_plain(node) and not select.aggregates
        if simple:
            return scope.relation, select
        if select.links or select.rest:
            raise Unsupported(
                "a correlated subquery with aggregates, GROUP BY or LIMIT in EXISTS or IN is not supported"
            )
        return select.bind_rows(scope).relation, None

    def _items(
        self, binder: ScalarBinder, node: exp.Expr
    ) -> tuple[Relation, list[Expression], Sequence[tuple[Expression, Expression]], bool]:
        """What IN looks into: rows, the values of a row, equalities (inner, outer) that a row must fulfil, and whether
        NULLs are equal for these.
        """
        while isinstance(node, exp.Subquery):
            node = node.this
        if not isinstance(node, exp.Select):
            bound = self.queries.bind(node, self.ctes)
            return bound.relation, [e for _, e in bound.columns], [], False
        try:
            select = self.queries.select(node, self.ctes, binder)
            scope = select.rows()
            if not select.links and not select.rest:
                bound = select.bind_rows(scope)
                return bound.relation, [e for _, e in bound.columns], [], False
            if not select.rest:
                return *_rows_and_items(select, scope, node), select.links, False
            failed = None
        except QueryError as error:
            failed = error
        asked = self._asked(binder, node, failed, lambda select, scope: _rows_and_items(select, scope, node))
        return asked.relation, asked.items, asked.links, True

    def _asked(
        self,
        binder: ScalarBinder,
        node: exp.Expr,
        error: QueryError | None,
        bind: Callable[[SelectBinder, Scope], tuple[Relation, list[Expression]]],
    ) -> _Asked:
        """A subquery over its domain. error: why simpler ways failed, which is raised where this can be no better."""
        if not isinstance(node, exp.Select) or not _is_plain(node):
            raise error or _not_plain(node)

        def attempt(domain: Domain) -> _Asked:
            select = self.queries.select(node, self.ctes, domain=domain)
            scope = select.rows()
            relation, items = bind(select, scope)
            if not domain.words:
                raise error or _not_plain(node)
            mine = domain.fields(scope.names)
            keys = own_columns(relation)[: len(mine)] if isinstance(relation, Aggregate) else mine
            pairs = tuple(zip(keys, domain.words, strict=True))
            return _Asked(relation, items, domain.words, tuple(pairs[i] for i in domain.linked))

        try:
            return with_domain(binder, attempt)
        except UnknownName as other:
            raise (error or other) from other

    # what comes to stand beside

    def _beside_all(self, binder: ScalarBinder, row: Relation) -> tuple[Column, ...]:
        return binder.attach((), lambda relation, _: CrossJoin(relation, row))

    def _join(
        self,
        binder: ScalarBinder,
        right: Relation,
        kind: JoinKind,
        links: Sequence[tuple[Expression, Expression]],
        null_safe: bool = False,
    ) -> tuple[Column, ...]:
        """links: (key of the right, key of the binder's rows)."""
        right_keys = tuple(inner for inner, _ in links)
        keys = tuple(outer for _, outer in links)
        return binder.attach(keys, lambda relation, mine: Join(relation, right, kind, mine, right_keys, null_safe))

    def _mark(
        self,
        binder: ScalarBinder,
        relation: Relation,
        links: Sequence[tuple[Expression, Expression]],
        null_safe: bool = False,
    ) -> Expression:
        (found,) = self._join(binder, relation, "mark", links, null_safe)
        return found

    def _compared(
        self, binder: ScalarBinder, relation: Relation, select: SelectBinder, parts: _Comparison
    ) -> Expression:
        """EXISTS under equalities and one more comparison: the smallest and the greatest value of a group decide."""
        test, inner, outer, inner_first, negated = parts
        calls = tuple(AggregateCall(kind, inner, None, relation.max_rows) for kind in ("min", "max"))
        keys = tuple(key for key, _ in select.links)
        grouped = Aggregate(relation, keys, tuple(f"key{i}" for i in range(len(keys))), calls, ("smallest", "greatest"))
        if keys:
            links = [(grouped.column(i), mine) for i, (_, mine) in enumerate(select.links)]
            columns = self._join(binder, grouped, "left", links)[len(keys) :]
        else:
            columns = self._beside_all(binder, grouped)
        outcomes = [test(x, outer) if inner_first else test(outer, x) for x in columns]
        some = Or(tuple(Not(outcome) if negated else outcome for outcome in outcomes))
        if test is Equal and not negated:
            raise Unsupported("EXISTS under an equality that does not name one side each is not supported")
        return Case(((some, TRUE),), FALSE)

    def _totals_of(
        self,
        binder: ScalarBinder,
        relation: Relation,
        links: Sequence[tuple[Expression, Expression]],
        item: Expression,
        extremes: bool = False,
        null_safe: bool = False,
    ) -> tuple[Expression, ...]:
        """How many rows there are, and how many values are not NULL; the least and the greatest of them."""
        totals = _totals(relation, tuple(key for key, _ in links), item, extremes)
        if not links:
            columns = self._beside_all(binder, totals)
        else:
            pairs = [(totals.column(i), mine) for i, (_, mine) in enumerate(links)]
            columns = self._join(binder, totals, "left", pairs, null_safe)[len(links) :]
        return columns

    # scalar subqueries

    def _one_row(self, binder: ScalarBinder, bound: Bound, node: exp.Expr) -> Expression:
        relation = bound.relation.source if isinstance(bound.relation, Sort) else bound.relation
        if len(bound.columns) != 1:
            raise Unsupported("a scalar subquery has one column")
        if is_single(relation):
            columns = self._beside_all(binder, relation)
        elif frozenset() in unique_keys(relation):
            columns = self._join(binder, relation, "left", [(ONE, ONE)])
        else:
            raise Unsupported(f"a scalar subquery that may have several rows is not supported: {show(node)}")
        return substitute(bound.columns[0][1], columns)

    def _grouped(
        self,
        binder: ScalarBinder,
        total: Aggregate,
        expression: Expression,
        links: Sequence[tuple[Expression, Expression]],
    ) -> Expression:
        """An aggregate of the rows with equal keys; of no rows COUNT is 0, and the rest NULL."""
        names = tuple(f"key{i}" for i in range(len(links)))
        grouped = Aggregate(total.source, tuple(key for key, _ in links), names, total.calls, total.call_names)
        pairs = [(grouped.column(i), mine) for i, (_, mine) in enumerate(links)]
        columns = self._join(binder, grouped, "left", pairs)[len(links) :]
        return substitute(expression, _of_none(total, columns))

    def _looked_up(
        self,
        binder: ScalarBinder,
        relation: Relation,
        expression: Expression,
        links: Sequence[tuple[Expression, Expression]],
        node: exp.Expr,
        null_safe: bool = False,
    ) -> Expression:
        columns = {injective_column(key) for key, _ in links}
        if not any(key <= columns for key in unique_keys(relation)):
            raise Unsupported(
                f"a scalar subquery that may have several rows is not supported: {show(node)}; "
                "PRIMARY KEY or UNIQUE on what it is correlated by would allow it"
            )
        words = words_of(expression)
        if isinstance(words[0].type, Double):
            raise Unsupported("a correlated scalar subquery of a quotient that is no aggregate is not supported")
        names = (*(f.name for f in relation.fields), *["value"] * len(words))
        right = Project(relation, (*own_columns(relation), *words), names)
        keys = [(substitute(key, own_columns(right)), mine) for key, mine in links]
        return wrapped(expression, self._join(binder, right, "left", keys, null_safe)[-len(words) :])


@dataclass(frozen=True, slots=True)
class _Asked:
    """A subquery over its domain: rows, the values of a row, what the rows around have for the domain's fields, and
    (field, the same around) for those that they are found by.
    """

    relation: Relation
    items: list[Expression]
    words: tuple[Expression, ...]
    links: tuple[tuple[Expression, Expression], ...]


_Comparison = tuple[type[Less] | type[Equal], Expression, Expression, bool, bool]


def _only_rows(select: SelectBinder, scope: Scope) -> tuple[Relation, list[Expression]]:
    if select.aggregates:
        raise Unsupported("a correlated subquery with aggregates in EXISTS is not supported")
    return scope.relation, []


def _rows_and_items(select: SelectBinder, scope: Scope, node: exp.Select) -> tuple[Relation, list[Expression]]:
    if not _is_plain(node) or select.aggregates:
        raise Unsupported("a correlated subquery with aggregates, GROUP BY or LIMIT in EXISTS or IN is not supported")
    inner = select.binder(scope)
    items = [output.expression for output in select.outputs(scope, inner)]
    return inner.scope.relation, items


def _values(select: SelectBinder, scope: Scope) -> tuple[Relation, list[Expression]]:
    """The SELECT list over rows, or over their aggregates."""
    inner = select.binder(scope)
    outputs = select.outputs(scope, inner)
    relation, settled = inner.settle()
    if inner.scope is not scope and select.aggregates and not isinstance(relation, Aggregate):
        raise Unsupported("a subquery beside an aggregate of a correlated subquery is not supported")
    return relation, [settled(output.expression) for output in outputs]


def _of_none(total: Aggregate, columns: Sequence[Expression]) -> list[Expression]:
    """The calls' values where there may have been no rows: COUNT is 0 then, and the rest NULL."""
    by: list[Expression] = []
    for call, column in zip(total.calls, columns, strict=True):
        counted = Case(((IsNull(column), Literal(0, column.type)),), column)
        by.append(column if call.nullable else counted)
    return by


def _not_plain(node: exp.Expr) -> Unsupported:
    return Unsupported(
        f"a correlated subquery with GROUP BY, HAVING, LIMIT or a set operation is not supported: {show(node)}"
    )


def _any_of(terms: Sequence[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Or(tuple(terms))


def _totals(
    relation: Relation, keys: tuple[Expression, ...], item: Expression | None, extremes: bool = False
) -> Aggregate:
    calls = [AggregateCall("count_star", None, None, relation.max_rows)]
    if item is not None:
        kinds: tuple[AggregateKind, ...] = ("count", "min", "max") if extremes else ("count",)
        calls += [AggregateCall(kind, item, None, relation.max_rows) for kind in kinds]
    names = tuple(f"key{i}" for i in range(len(keys)))
    return Aggregate(relation, keys, names, tuple(calls), (_COUNT, "known", "least", "greatest")[: len(calls)])


def _is_plain(node: exp.Select) -> bool:
    """Without what changes how many rows there are, but WHERE."""
    return not any(node.args.get(clause) for clause in ("group", "having", "limit", "offset", "with_", "qualify"))


def _pairs(value: Expression, item: Expression) -> list[tuple[Expression, Expression]]:
    """Both sides of value = item in one type, texts word by word."""
    kinds = (value.type, item.type)
    if any(isinstance(kind, Text) for kind in kinds) and all(isinstance(kind, Text | Enum) for kind in kinds):
        both = unify([value, item])
        return list(zip(words_of(both[0]), words_of(both[1]), strict=True))
    return [_pair(value, item)]


def _pair(value: Expression, item: Expression) -> tuple[Expression, Expression]:
    """The same of one word."""
    marked = shifted(item, OUTER)
    test = compare("=", value, marked)
    if not isinstance(test, Equal) or is_outer(test.left) or any(i < OUTER for i in columns_of(test.right)):
        raise Unsupported("IN with a subquery is not supported for a DOUBLE or the constant NULL")
    return test.left, shifted(test.right, -OUTER)


def _comparison(term: Expression) -> _Comparison | None:
    """(test, inner, outer, whether inner is on the left, whether it is negated) of inner < outer and its like."""
    negated = isinstance(term, Not)
    test = term.x if isinstance(term, Not) else term
    if not isinstance(test, Less | Equal):
        return None
    for inner, outer in ((test.left, test.right), (test.right, test.left)):
        columns, others = columns_of(inner), columns_of(outer)
        if columns and all(i < OUTER for i in columns) and others and all(i >= OUTER for i in others):
            return type(test), inner, shifted(outer, -OUTER), inner is test.left, negated
    return None
