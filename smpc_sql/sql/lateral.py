"""LATERAL: a subquery of FROM that reads the tables before it.

One that reads them in equalities of its WHERE alone is a table that is joined by these. Any other is bound over the
rows before it, joined by then, as its domain (see domain.py), and joined with them by what tells these apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from smpc_sql.errors import QueryError, UnknownName
from smpc_sql.plan.expressions import Case, Equal, Expression, FromBoolean, IsNull, Literal
from smpc_sql.plan.relations import Relation, Sort, Values, substitute
from smpc_sql.plan.sharing import share
from smpc_sql.sql.asked_along import last_along, total_along
from smpc_sql.sql.correlated import refusal
from smpc_sql.sql.domain import Domain, with_domain
from smpc_sql.sql.every import Total, of_none, total_of
from smpc_sql.sql.hints import Pairs
from smpc_sql.sql.joined import Leaf
from smpc_sql.sql.joins import join_all, told_apart
from smpc_sql.sql.outputs import column_name, is_star
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import Name, Scope, as_nullable, shifted
from smpc_sql.sql.tables import From

if TYPE_CHECKING:
    from smpc_sql.sql.bind import QueryBinder
    from smpc_sql.sql.select import SelectBinder


@dataclass(frozen=True, slots=True)
class Known:
    """What a FROM clause is part of: terms of WHERE that hold for all its rows, names of columns that are read, and how
    many pairs its joins have. brings: whether a RIGHT or FULL JOIN brings rows after others are joined.
    """

    terms: tuple[exp.Expr, ...]
    brings: bool
    names: frozenset[str]
    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Beside:
    """What comes to stand beside the tables before. relation: None where values of these do; names, conditions: over
    places; only: what more must be true for it to be there; every: it has something for every row before.
    """

    left: From
    relation: Relation | None
    names: tuple[Name, ...]
    conditions: tuple[Expression, ...] = ()
    every: bool = False
    only: Expression | None = None


@dataclass(frozen=True, slots=True)
class LateralBinder:
    """Binds LATERAL subqueries of one FROM clause."""

    queries: QueryBinder
    ctes: Mapping[str, exp.CTE]
    known: Known

    def bind(self, left: From, node: exp.Expr) -> Beside:
        """The subquery beside the tables before it. Raises QueryError."""
        before = ScalarBinder(Scope(Values(), left.names), self.queries.text, "LATERAL")
        if _is_row(node):
            return self._row(left, before, node)
        try:
            return self._linked(left, before, node)
        except QueryError as error:
            return self._along(left, node) or self._over_domain(left, node, error)

    def _row(self, left: From, before: ScalarBinder, node: exp.Expr) -> Beside:
        """SELECT without FROM: values of the tables before."""
        text = self.queries.text
        names = tuple(Name("", column_name(item, text), before.bind(item.unalias())) for item in node.expressions)
        return Beside(left, None, names, every=True)

    def _linked(self, left: From, before: ScalarBinder, node: exp.Expr) -> Beside:
        if not isinstance(node, exp.Select):
            raise refusal(node)
        select = self.queries.select(node, self.ctes, before)
        scope = select.rows()
        if select.rest or not select.links:
            raise refusal(node)
        total = total_of(select, scope) if select.one_row else None
        if total is not None:
            return _of_total(left, total)
        return _of_links(left, select, scope)

    def _along(self, left: From, node: exp.Expr) -> Beside | None:
        """Of rows that come along in an order (see along.py); None: they do not."""
        if not isinstance(node, exp.Select):
            return None
        try:
            left = joined_before(left, self.known, self.queries.text, node, keyed=False)
            assert isinstance(left.tree, Leaf)
            before = ScalarBinder(Scope(left.tree.relation, left.names), self.queries.text, "LATERAL")
            select = self.queries.select(node, self.ctes, before)
            scope = select.rows()
            totals = total_along(before, select, scope) if select.one_row else None
            if totals is None and not last_along(before, select, scope):
                return None
        except QueryError:
            return None
        relation = before.scope.relation
        after = replace(left, tree=replace(left.tree, relation=relation), width=len(relation.fields))
        if totals is None:
            return _of_links(after, select, scope)
        names = tuple(Name("", name, item) for name, item in totals.items)
        return Beside(after, None, names, every=True, only=totals.having)

    def _over_domain(self, left: From, node: exp.Expr, error: QueryError) -> Beside:
        text = self.queries.text
        left = joined_before(left, self.known, text, node, keyed=True)
        assert isinstance(left.tree, Leaf)
        before = ScalarBinder(Scope(left.tree.relation, left.names), text, "LATERAL")

        def attempt(domain: Domain) -> Beside:
            bound = self.queries.bind(node, self.ctes, domain)
            words = domain.words
            if not words:
                raise error
            after = replace(left, tree=Leaf(before.scope.relation, 0, "the tables before", node))
            own = len(bound.columns) - len(words)
            keys = [shifted(key, left.width) for _, key in bound.columns[own:]]
            conditions = tuple(test for i in domain.linked for test in alike(words[i], keys[i]))
            return Beside(after, _unsorted(bound.relation), _names(bound.columns[:own], left.width), conditions)

        try:
            return with_domain(before, attempt, keyed=True)
        except UnknownName as other:
            raise error from other


def joined_before(left: From, known: Known, text: str, node: exp.Expr, *, keyed: bool) -> From:
    """The tables before as one, under what is known of their rows. keyed: something tells its rows apart."""
    binder = ScalarBinder(Scope(Values(), left.names), text, "WHERE")
    terms, conditions = list(left.taken), []
    for term in known.terms:
        try:
            conditions += [] if any(term is other for other in terms) else [binder.condition(term)]
        except QueryError:
            continue  # it reads what comes later, or the query around
        terms.append(term)
    joined = join_all(left.tree, conditions, known.names, known.pairs, text)
    relation = share(told_apart(joined)[0].relation if keyed else joined.relation)
    names = tuple(replace(n, expression=joined.over(n.expression)) for n in left.names)
    around = None if left.around is None else tuple(map(joined.over, left.around))
    tree = Leaf(relation, 0, "the tables before", node)
    return From(tree, names, len(relation.fields), left.later, around, tuple(terms))


def alike(left: Expression, right: Expression) -> tuple[Expression, ...]:
    """Conditions for two words to be equal, NULLs being alike."""
    if not left.nullable and not right.nullable:
        return (Equal(left, right),)
    known = [Case(((IsNull(x), Literal(0, x.type)),), x) for x in (left, right)]
    missing = [FromBoolean(IsNull(x)) for x in (left, right)]
    return (Equal(known[0], known[1]), Equal(missing[0], missing[1]))


def _of_links(left: From, select: SelectBinder, scope: Scope) -> Beside:
    """Rows that belong to what their side of equalities is."""
    bound = select.bind_rows(scope)
    own = len(bound.columns) - len(select.links)
    keys = [shifted(key, left.width) for _, key in bound.columns[own:]]
    links = tuple(Equal(outer, key) for key, (_, outer) in zip(keys, select.links, strict=True))
    return Beside(left, _unsorted(bound.relation), _names(bound.columns[:own], left.width), links)


def _of_total(left: From, total: Total) -> Beside:
    groups, start = total.groups, left.width
    columns = [shifted(as_nullable(groups.column(i)), start) for i in range(len(groups.fields))]
    width = len(groups.keys)
    by = [*columns[:width], *of_none(groups.calls, columns[width:])]
    names = tuple(Name("", name, substitute(item, by)) for name, item in total.items)
    links = tuple(Equal(outer, shifted(key, start)) for key, outer in total.links)
    only = None if total.having is None else substitute(total.having, by)
    return Beside(left, groups, names, links, True, only)


def _names(columns: Sequence[tuple[str, Expression]], start: int) -> tuple[Name, ...]:
    return tuple(Name("", name, shifted(expression, start)) for name, expression in columns)


def _is_row(node: exp.Expr) -> bool:
    """Whether it is SELECT and expressions, nothing else."""
    if not isinstance(node, exp.Select) or any(value for name, value in node.args.items() if name != "expressions"):
        return False
    kinds = (exp.Query, exp.Window, exp.AggFunc, exp.Star)
    return not any(is_star(item) or item.find(*kinds) for item in node.expressions)


def _unsorted(relation: Relation) -> Relation:
    return relation.source if isinstance(relation, Sort) else relation
