"""FROM: tables, subqueries and CTEs as one relation, and the names that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from smpc_sql.errors import UnknownName, Unsupported
from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Filter, Values, own_columns
from smpc_sql.plan.rules.fold_constants import TRUE, fold
from smpc_sql.plan.rules.push_filters import conjunction
from smpc_sql.sql.asof import as_lateral
from smpc_sql.sql.ctes import in_sight
from smpc_sql.sql.domain import Domain
from smpc_sql.sql.joined import Inner, Leaf, Outer, Tree
from smpc_sql.sql.lateral import Beside, Known, LateralBinder, alike, joined_before
from smpc_sql.sql.literals import NULL
from smpc_sql.sql.nodes import and_terms, construct, located, only, position
from smpc_sql.sql.on import OnBinder, exists, settled
from smpc_sql.sql.operations import choose
from smpc_sql.sql.pivot import before_pivot, is_pivoted, pivoted
from smpc_sql.sql.scalar import ScalarBinder, SubqueryBinder
from smpc_sql.sql.scope import Name, Scope, shifted
from smpc_sql.sql.series import is_series, series_name, series_rows
from smpc_sql.sql.stored_tables import scan_of
from smpc_sql.sql.tables import Bound, From
from smpc_sql.sql.using import in_common, nullable_name, using_columns

if TYPE_CHECKING:
    from smpc_sql.sql.bind import QueryBinder


@dataclass(frozen=True, slots=True)
class SourceBinder:
    """Binds FROM. ctes: those in sight, by lower-case name. domain: of a correlated query; a table that reads it
    has its words.
    """

    queries: QueryBinder
    ctes: Mapping[str, exp.CTE]
    subqueries: SubqueryBinder
    known: Known
    domain: Domain | None = None

    @property
    def text(self) -> str:
        return self.queries.text

    def bind(self, select: exp.Select) -> From:
        """A SELECT's FROM clause; of a correlated query with the domain."""
        source = select.args.get("from_")
        clause = From(Leaf(Values(), 0, "", select), (), 0) if source is None else self._first(source.this)
        for join in select.args.get("joins") or ():
            with located(join, self.text):
                clause = self._join(clause, join)
        if self.domain is None or not self.domain.words:
            return clause
        clause = self._with_domain(clause, select)
        return replace(clause, names=(*clause.names, *self.domain.names_of(clause.around or ())))

    def _with_domain(self, clause: From, node: exp.Expr) -> From:
        """With the domain beside the tables, if none of these has its words."""
        if self.domain is None or clause.around is not None:
            return clause
        leaf = self.domain.leaf(clause.width, node)
        words = tuple(shifted(field, clause.width) for field in own_columns(leaf.relation))
        tree = Inner((clause.tree, leaf), ())
        return replace(clause, tree=tree, width=clause.width + len(words), around=words)

    def _first(self, node: exp.Expr) -> From:
        try:
            return self._leaf(node, 0)
        except UnknownName as error:
            return self._correlated(node, 0, error)

    def _leaf(self, node: exp.Expr, start: int) -> From:
        return _placed(self._table(node), start, node)

    def _correlated(self, node: exp.Expr, start: int, error: UnknownName) -> From:
        """A subquery or CTE that reads the domain, whose words it has."""
        query, ctes, name = self._written(node)
        if self.domain is None or query is None:
            raise error
        try:
            bound = self.queries.bind(query, ctes, self.domain)
        except UnknownName as other:
            raise error from other
        own = len(bound.columns) - len(self.domain.words)
        outputs = _outputs(Bound(bound.relation, bound.columns[:own]))
        leaf = _placed(self._named(outputs, name, node.args.get("alias")), start, node)
        return replace(leaf, around=tuple(shifted(word, start) for _, word in bound.columns[own:]))

    def _written(self, node: exp.Expr) -> tuple[exp.Expr | None, Mapping[str, exp.CTE], str]:
        """The query that a table of FROM is, the CTEs that it sees, and the table's name."""
        if isinstance(node, exp.Table):
            cte = self.ctes.get(node.name.lower())
            return (None, {}, "") if cte is None else (cte.this, in_sight(cte), node.name)
        if isinstance(node, exp.Values):
            return node, {}, "values"
        inner = node.this.this if isinstance(node, exp.Lateral) else node.this
        line, column = position(node, self.text)
        return inner, self.ctes, node.alias_or_name or f"subquery {line}:{column}"

    def _join(self, left: From, join: exp.Join) -> From:
        words = (join.args.get("method"), join.side, join.kind)
        name = " ".join(str(word).upper() for word in words if word and str(word).upper() not in ("OUTER", "INNER"))
        natural, side = name.startswith("NATURAL"), name.removeprefix("NATURAL").strip()
        if side in ("SEMI", "ANTI") and not natural:
            return self._filtering(left, join, side)
        if name in ("ASOF", "ASOF LEFT"):
            return self._join(left, as_lateral(join, left.names))
        if side not in ("", "CROSS", "LEFT", "RIGHT", "FULL"):
            raise Unsupported(f"{name} JOIN is not supported")
        only(join, "this", "method", "kind", "side", "on", "using")
        side = "" if side == "CROSS" else side.lower()
        condition = join.args.get("on")
        terms = [] if condition is None else and_terms(condition)
        asked = [term for term in terms if term.find(exp.Query) is not None]
        right = self._right(left, join.this, side)
        given = join.args.get("using")
        if isinstance(right, Beside):
            if natural or given or (asked and side):
                raise Unsupported("USING, NATURAL or a subquery in ON beside LATERAL is not supported")
            return self._lateral(right, join, side, [term for term in terms if term not in asked], asked)
        if side in ("right", "full") and (left.around or right.around):
            raise Unsupported(f"a correlated subquery in FROM beside a {side.upper()} JOIN is not supported")
        if right.around is not None and (side or left.around is not None):
            left = self._with_domain(left, join)
            right = self._moved(right, left)
        _check_distinct(left, right.names)
        later: Sequence[exp.Expr] = ()
        on: list[Expression] = []
        if asked and (side or self.known.brings):
            left, right, on = self._on(left, right, asked, side, join)
        else:
            later = asked
        using = in_common(left, right) if natural else given or ()
        names, conditions = using_columns(left, right, using, side)
        conditions += on
        scope = Scope(Values(), (*left.names, *right.names))
        binder = ScalarBinder(scope, self.text, "ON")
        conditions += [binder.condition(term) for term in terms if term not in asked]
        if left.around is not None and right.around is not None:
            conditions += [test for pair in zip(left.around, right.around, strict=True) for test in alike(*pair)]
        tree = _tree(side, left.tree, right.tree, tuple(conditions), join)
        return From(tree, names, right.width, (*left.later, *later), left.around or right.around, left.taken)

    def _filtering(self, left: From, join: exp.Join, side: str) -> From:
        """SEMI and ANTI JOIN: whether there is a row is a term of WHERE."""
        only(join, "this", "side", "kind", "on", "using")
        if self.known.brings:
            raise Unsupported(f"{side} JOIN beside a RIGHT or FULL JOIN is not supported")
        there: exp.Expr = exists(join, {n.name.lower(): n.table for n in reversed(left.names) if n.table})
        if side == "ANTI":
            there = exp.Not(this=there)
            there.parent = join
        return replace(left, later=(*left.later, there))

    def _on(
        self, left: From, right: From, terms: Sequence[exp.Expr], side: str, join: exp.Join
    ) -> tuple[From, From, list[Expression]]:
        """Both sides with what subqueries in ON put beside their rows, and the terms that are left as conditions."""
        assert isinstance(right.tree, Leaf)
        at_zero = Scope(right.tree.relation, _moved(right.names, -right.tree.start))
        own = ScalarBinder(at_zero, self.text, "ON", subqueries=self.subqueries)
        rest = []
        for term in terms:
            try:
                tests = (own.filter_condition(term),) if side == "left" else ()
            except UnknownName:
                tests = ()
            if tests:
                own.scope = Scope(Filter(own.scope.relation, tests[0]), own.scope.names)
            else:
                rest.append(term)
        bound: list[Expression] = []
        if rest:
            left = joined_before(left, self.known, self.text, join, keyed=False)
            assert isinstance(left.tree, Leaf)
            mine = ScalarBinder(Scope(left.tree.relation, left.names), self.text, "ON", subqueries=self.subqueries)
            binder = OnBinder(mine, own)
            bound = [binder.condition(term) for term in rest]
            tree = replace(left.tree, relation=mine.scope.relation)
            left = replace(left, tree=tree, width=len(mine.scope.relation.fields))
        leaf = replace(right.tree, relation=own.scope.relation)
        right = replace(right, tree=leaf, width=leaf.start + len(leaf.relation.fields))
        return left, self._moved(right, left), [settled(condition, left.width) for condition in bound]

    def _right(self, left: From, node: exp.Expr, side: str) -> From | Beside:
        """The table that is joined; a subquery may read the tables before it, or the query around."""
        try:
            return self._leaf(node, left.width)
        except UnknownName as error:
            query, ctes, _ = self._written(node)
            if query is None or side in ("right", "full"):
                raise
            failed = error
        if not isinstance(node, exp.Table):
            try:
                return LateralBinder(self.queries, ctes, self.known).bind(left, query)
            except UnknownName:
                pass
        return self._correlated(node, left.width, failed)

    def _moved(self, right: From, left: From) -> From:
        """The table behind the tables before it, which have become wider."""
        assert isinstance(right.tree, Leaf)
        by = left.width - right.tree.start
        around = None if right.around is None else tuple(shifted(word, by) for word in right.around)
        tree = replace(right.tree, start=left.width)
        return replace(right, tree=tree, names=_moved(right.names, by), width=right.width + by, around=around)

    def _lateral(
        self, found: Beside, join: exp.Join, side: str, terms: Sequence[exp.Expr], asked: Sequence[exp.Expr]
    ) -> From:
        """A subquery that reads the tables before it, beside these."""
        left, optional = found.left, side == "left"
        _, _, name = self._written(join.this)
        names = self._named(Scope(Values(), found.names), name, join.this.args.get("alias")).names
        _check_distinct(left, names)
        binder = ScalarBinder(Scope(Values(), (*left.names, *names)), self.text, "ON")
        more = [] if found.only is None else [found.only]
        more += [condition for term in terms if (condition := fold(binder.condition(term))) != TRUE]
        tree, width = left.tree, left.width
        if found.relation is not None:
            leaf = Leaf(found.relation, width, name, join.this)
            width += len(found.relation.fields)
            own = found.conditions if found.every else (*found.conditions, *more)
            tree = _tree("left" if optional or found.every else "", tree, leaf, own, join)
        if not found.every:
            names = tuple(map(nullable_name, names)) if optional else names
        elif more and optional:
            there = conjunction(tuple(more))
            names = tuple(replace(n, expression=choose([there], [n.expression, NULL])) for n in names)
        elif more:
            tree = Inner((tree,), tuple(more))
        return From(tree, (*left.names, *names), width, (*left.later, *asked), left.around, left.taken)

    def _table(self, node: exp.Expr) -> Scope:
        with located(node, self.text):
            if is_pivoted(node):
                return self._pivoted(node)
            if isinstance(node, exp.Subquery | exp.Lateral):
                return self._subquery(node)
            if isinstance(node, exp.Values):
                only(node, "expressions", "alias")
                return self._named(_outputs(self.queries.bind(node, {})), "values", node.args.get("alias"))
            if is_series(node):
                return self._series(node)
            if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
                raise Unsupported(f"{construct(getattr(node, 'this', node))} in FROM is not supported")
            only(node, "this", "alias")
            cte = self.ctes.get(node.name.lower())
            if cte is not None:
                return self._named(self._cte(node.name.lower(), cte), node.name, node.args.get("alias"))
            view = self.queries.catalog.views.get(node.name.lower())
            if view is not None:
                return self._named(_outputs(self.queries.view(view)), view.name, node.args.get("alias"))
            return self._named(scan_of(self.queries.catalog.table(node.name)), node.name, node.args.get("alias"))

    def _pivoted(self, node: exp.Expr) -> Scope:
        source, pivot = before_pivot(node)
        columns = [name.name for name in self._table(source).names if name.starred]
        query = pivoted(source, pivot, columns, self.text)
        return self._named(_outputs(self.queries.bind(query, self.ctes)), "pivot", pivot.args.get("alias"))

    def _series(self, node: exp.Expr) -> Scope:
        """A series, whose column is called as the alias is."""
        name, alias = series_name(node), node.args.get("alias")
        table = (alias.name if alias is not None else "") or name
        columns = [] if alias is None else alias.args.get("columns") or []
        named = exp.TableAlias(this=exp.to_identifier(table), columns=columns or [exp.to_identifier(table)])
        return self._named(_outputs(self.queries.bind(series_rows(node, self.text), {})), name, named)

    def _cte(self, name: str, cte: exp.CTE) -> Scope:
        """A CTE sees the CTEs before it."""
        return self._named(_outputs(self.queries.bind_cte(cte, in_sight(cte))), name, cte.args.get("alias"))

    def _subquery(self, node: exp.Subquery | exp.Lateral) -> Scope:
        only(node, "this", "alias")
        if isinstance(node.this, exp.Table):
            table = self._table(node.this)
            return self._named(table, table.tables()[0], node.args.get("alias"))
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Table):
            return self._table(
                exp.Table(this=node.this.this, alias=node.args.get("alias") or node.this.args.get("alias"))
            )
        if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery):
            raise Unsupported(f"{construct(node.this)} in FROM is not supported")
        query, ctes, name = self._written(node)
        assert query is not None
        return self._named(_outputs(self.queries.bind(query, ctes)), name, node.args.get("alias"))

    def _named(self, scope: Scope, name: str, alias: exp.TableAlias | None) -> Scope:
        """The scope under the table's name or alias, the first columns renamed where the alias lists names."""
        table, columns = name, []
        if alias is not None:
            table = alias.name or name
            columns = [column.name for column in alias.args.get("columns") or ()]
        stars = [n for n in scope.names if n.starred]
        if len(columns) > len(stars):
            raise Unsupported(f"table {table} has {len(stars)} columns, but {len(columns)} names are given")
        renamed = [*columns, *(n.name for n in stars[len(columns) :]), *(n.name for n in scope.names if not n.starred)]
        names = (Name(table, new, n.expression, n.starred) for n, new in zip(scope.names, renamed, strict=True))
        return Scope(scope.relation, tuple(names))


def _placed(scope: Scope, start: int, node: exp.Expr) -> From:
    """A table at places from `start` on."""
    tables = scope.tables()
    leaf = Leaf(scope.relation, start, tables[0] if tables else "", node)
    return From(leaf, _moved(scope.names, start), start + len(scope.relation.fields))


def _check_distinct(left: From, names: Sequence[Name]) -> None:
    duplicate = {n.table.lower() for n in left.names if n.table} & {n.table.lower() for n in names}
    if duplicate:
        raise Unsupported(f"two tables named {min(duplicate)} in FROM; give one an alias")


def _outputs(query: Bound) -> Scope:
    return Scope(query.relation, tuple(Name("", name, expression) for name, expression in query.columns))


def _tree(side: str, left: Tree, right: Tree, conditions: tuple[Expression, ...], node: exp.Expr) -> Tree:
    if side in ("left", "full"):
        return Outer("left" if side == "left" else "full", left, right, conditions, node)
    if side == "right":
        return Outer("left", right, left, conditions, node)
    return Inner((left, right), conditions)


def _moved(names: tuple[Name, ...], by: int) -> tuple[Name, ...]:
    return tuple(replace(n, expression=shifted(n.expression, by)) for n in names)
