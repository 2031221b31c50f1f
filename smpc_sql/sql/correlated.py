"""The rows of a subquery, and for which rows of the query around it each is.

A subquery that reads the query around it in equalities of its WHERE alone is bound without it: its rows belong to their
own side of these. Any other is bound over a domain (see domain.py), whose words its rows have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlglot import exp

from smpc_sql.errors import QueryError, UnknownName, Unsupported
from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Relation, Sort
from smpc_sql.sql.asked_along import last_along
from smpc_sql.sql.beside import Links
from smpc_sql.sql.domain import Domain, with_domain
from smpc_sql.sql.nodes import show
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.tables import Bound

if TYPE_CHECKING:
    from smpc_sql.sql.bind import QueryBinder
    from smpc_sql.sql.select import SelectBinder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """A subquery's rows, and the values of a row. links: (of a row, of the rows around) what must be equal for a row to
    be for one; null_safe: NULLs are. Without links all rows are for all. around: what of a row follows from these.
    """

    relation: Relation
    items: tuple[Expression, ...]
    links: Links = ()
    null_safe: bool = False
    around: tuple[Expression, ...] = ()


def unwrapped(node: exp.Expr) -> exp.Expr:
    """A query without the brackets around it."""
    while isinstance(node, exp.Subquery) and not any(v for name, v in node.args.items() if name != "this"):
        node = node.this
    return node


@dataclass(frozen=True, slots=True)
class Correlated:
    """Binds the subqueries of one SELECT to their rows. ctes: those in sight."""

    queries: QueryBinder
    ctes: Mapping[str, exp.CTE]

    def rows(self, binder: ScalarBinder, node: exp.Expr, *, there: bool = False) -> Rows:
        """The rows of a subquery of the binder's query. there: no values, as it only matters whether there are rows."""
        try:
            return self._linked(binder, node, there)
        except QueryError as error:
            failed = error
        return self.over_domain(binder, node, failed, lambda domain: split(domain, self._bound(node, domain, there)))

    def _linked(self, binder: ScalarBinder, node: exp.Expr, there: bool) -> Rows:
        if not isinstance(node, exp.Select):
            bound = self.queries.bind(node, self.ctes)
            return Rows(bound.relation, tuple(e for _, e in bound.columns))
        select = self.queries.select(node, self.ctes, binder)
        scope = select.rows()
        if select.rest and not last_along(binder, select, scope):
            raise refusal(node)
        return linked_rows(select, select.bind_there(scope) if there else select.bind_rows(scope))

    def _bound(self, node: exp.Expr, domain: Domain, there: bool) -> Bound:
        if not there or not isinstance(node, exp.Select):
            return self.queries.bind(node, self.ctes, domain)
        select = self.queries.select(node, self.ctes, domain=domain)
        return select.bind_there(select.rows())

    def over_domain(
        self, binder: ScalarBinder, node: exp.Expr, error: QueryError | None, bind: Callable[[Domain], T]
    ) -> T:
        """What is bound over a domain. error: why simpler ways failed, which is raised where this can be no better."""

        def attempt(domain: Domain) -> T:
            found = bind(domain)
            if not domain.words:
                raise error or refusal(node)
            return found

        try:
            return with_domain(binder, attempt)
        except UnknownName as other:
            raise (error or other) from other


def refusal(node: exp.Expr) -> Unsupported:
    """Of a subquery for which there is no way."""
    return Unsupported(f"a subquery that reads the query around it like this is not supported: {show(node)}")


def linked_rows(select: SelectBinder, bound: Bound) -> Rows:
    """Rows that belong to what their side of equalities is."""
    own = len(bound.columns) - len(select.links)
    relation = _unsorted(bound.relation)
    keys = [e for _, e in bound.columns[own:]]
    links = [(key, outer) for key, (_, outer) in zip(keys, select.links, strict=True)]
    return Rows(relation, tuple(e for _, e in bound.columns[:own]), links, around=tuple(keys))


def split(domain: Domain, bound: Bound) -> Rows:
    """Rows whose last columns are the domain's words."""
    words = domain.words
    own = len(bound.columns) - len(words)
    pairs = [(key, word) for (_, key), word in zip(bound.columns[own:], words, strict=True)]
    items = tuple(e for _, e in bound.columns[:own])
    around = tuple(key for key, _ in pairs)
    return Rows(_unsorted(bound.relation), items, [pairs[i] for i in domain.linked], True, around)


def _unsorted(relation: Relation) -> Relation:
    return relation.source if isinstance(relation, Sort) else relation
