"""SELECT statements to relations: the last place that sees sqlglot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlglot import exp

from smpc_sql.catalog import Catalog, View
from smpc_sql.errors import Unsupported
from smpc_sql.plan.relations import Sort
from smpc_sql.plan.sharing import share
from smpc_sql.sql.ctes import ctes_of
from smpc_sql.sql.domain import Domain
from smpc_sql.sql.hints import Rooms
from smpc_sql.sql.nodes import construct, located, only
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.select import SelectBinder
from smpc_sql.sql.series import unnested
from smpc_sql.sql.set_operations import bind_set_operation, bind_values
from smpc_sql.sql.tables import Bound
from smpc_sql.sql.views import bind_view

_MAX_QUERIES = 200
_MAX_NESTED = 20


class QueryBinder:
    """Binds one statement's queries. Positions in errors refer to `text`."""

    def __init__(self, catalog: Catalog, text: str, within: Sequence[str] = (), rooms: Rooms | None = None) -> None:
        """within: the views whose definition this is, outermost first. rooms: of the statement, for pairs of rows."""
        self.catalog = catalog
        self.text = text
        self.rooms = Rooms() if rooms is None else rooms
        self._within = tuple(within)
        self._queries = 0
        self.root: exp.Expr | None = None  # the query whose outputs are the statement's
        self._named: Counter[str] = Counter()
        self._ctes: list[tuple[exp.CTE, Bound]] = []
        self._views: dict[str, Bound] = {}

    def bind(self, node: exp.Expr, ctes: Mapping[str, exp.CTE] | None = None, domain: Domain | None = None) -> Bound:
        """A query and its output columns; its ORDER BY only with a LIMIT, which depends on it.

        domain: of a correlated query, whose words are then the last columns.
        """
        self._count_names(node)
        bound = self._bind(node, ctes or {}, domain)
        relation = bound.relation
        if isinstance(relation, Sort):
            return Bound(relation.source, bound.columns)
        return bound

    def bind_root(self, node: exp.Expr) -> Bound:
        """The same, with its ORDER BY: relation is a Sort or a Limit where the statement says so."""
        self._count_names(node)
        self.root = node
        while isinstance(self.root, exp.Subquery):
            self.root = self.root.this
        return self._bind(node, {})

    def _count_names(self, root: exp.Expr) -> None:
        """How often each name is read, CTEs of one name not being told apart; called first for the whole statement."""
        self._named = self._named or Counter(table.name.lower() for table in root.find_all(exp.Table))

    def _once(self, name: str, bound: Bound) -> Bound:
        """What a name stands for, shared if the name is read more than once."""
        return Bound(share(bound.relation), bound.columns) if self._named[name.lower()] > 1 else bound

    def bind_cte(self, cte: exp.CTE, ctes: Mapping[str, exp.CTE]) -> Bound:
        """A CTE, bound once; shared if its name is read more than once. ctes: those that it sees."""
        for known, bound in self._ctes:
            if known is cte:
                return bound
        bound = self._once(cte.alias, self.bind(cte.this, ctes))
        self._ctes.append((cte, bound))
        return bound

    def _bind(self, node: exp.Expr, ctes: Mapping[str, exp.CTE], domain: Domain | None = None) -> Bound:
        with located(node, self.text):
            if isinstance(node, exp.Subquery):
                only(node, "this")
                return self._bind(node.this, ctes, domain)
            if isinstance(node, exp.SetOperation):
                seen = {**ctes, **ctes_of(node, self.text)}
                return bind_set_operation(node, seen, self.text, lambda side, its: self.bind(side, its, domain), domain)
            if isinstance(node, exp.Values):
                return bind_values(node, self.text, domain)
            if not isinstance(node, exp.Select):
                raise Unsupported(f"{construct(node)} is not supported")
            return self.select(node, ctes, domain=domain).bind()

    def view(self, view: View) -> Bound:
        """A view's query, which sees tables and views alone. Errors tell the place in the view's own text."""
        if view.name.lower() in self._within or len(self._within) >= _MAX_NESTED:
            raise Unsupported(f"view {view.name} reads itself, or views are nested deeper than {_MAX_NESTED}")
        name = view.name.lower()
        if name not in self._views:
            self._count()
            within = (*self._within, name)
            bound = bind_view(view, lambda text: QueryBinder(self.catalog, text, within, self.rooms).bind)
            self._views[name] = self._once(name, bound)
        return self._views[name]

    def _count(self) -> None:
        self._queries += 1
        if self._queries > _MAX_QUERIES:
            raise Unsupported(f"more than {_MAX_QUERIES} subqueries are not supported")

    def select(
        self,
        node: exp.Select,
        ctes: Mapping[str, exp.CTE],
        outer: ScalarBinder | None = None,
        domain: Domain | None = None,
    ) -> SelectBinder:
        """The binder of a SELECT that may be correlated. outer: who binds the query around it; or domain: see there."""
        self._count()
        return SelectBinder(self, unnested(node), ctes, outer, domain)
