"""One SELECT to a relation, clause by clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from smpc_sql.errors import SyntaxInvalid, UnknownName, Unsupported
from smpc_sql.plan.expressions import (
    Elapsed,
    Expression,
    Literal,
    WrittenDouble,
    columns_of,
)
from smpc_sql.plan.relations import (
    Filter,
    Relation,
    SortKey,
    Values,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.rules.push_filters import conjunction, conjuncts
from smpc_sql.schema import Double, Text
from smpc_sql.sql import intervals
from smpc_sql.sql.aggregate import GroupedBinder, has_aggregate
from smpc_sql.sql.ctes import ctes_of
from smpc_sql.sql.distinct import distinct_rows
from smpc_sql.sql.distinct_on import first_of_keys
from smpc_sql.sql.domain import Domain
from smpc_sql.sql.every import EveryBinder
from smpc_sql.sql.fixed import words_of
from smpc_sql.sql.group_by import GroupBy, group_key
from smpc_sql.sql.grouping_sets import GroupingSetsBinder
from smpc_sql.sql.hints import Pairs
from smpc_sql.sql.joins import join_all
from smpc_sql.sql.lateral import Known
from smpc_sql.sql.literals import is_null
from smpc_sql.sql.nodes import and_terms, located, only
from smpc_sql.sql.ordering import Output, finish, row_count, sort_keys
from smpc_sql.sql.outputs import column_name, delivered, is_star, starred, unaliased
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import OUTER, Scope, is_outer, shifted
from smpc_sql.sql.source import SourceBinder
from smpc_sql.sql.subqueries import Subqueries
from smpc_sql.sql.tables import Bound
from smpc_sql.sql.text import equalities, sides
from smpc_sql.sql.types import is_text_type
from smpc_sql.sql.windows import Windows

if TYPE_CHECKING:
    from smpc_sql.sql.bind import QueryBinder


class SelectBinder:
    """Binds one SELECT, clause by clause in the order in which SQL evaluates them.

    After `rows` there are links and rest, the terms of WHERE that read the query around it: inner = outer, and others;
    and around, words over the rows that tell for which rows of the query around a row is: the domain's, or the links'.
    """

    def __init__(
        self,
        queries: QueryBinder,
        select: exp.Select,
        ctes: Mapping[str, exp.CTE],
        outer: ScalarBinder | None = None,
        domain: Domain | None = None,
    ) -> None:
        only(
            select, "with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit",
            "offset", "qualify", "windows",
        )  # fmt: skip
        self.queries = queries
        self.text = queries.text
        self.select = select
        self.outer = outer
        self.domain = domain
        self.links: list[tuple[Expression, Expression]] = []
        self.rest: list[Expression] = []
        self.around: tuple[Expression, ...] = ()
        self.ctes = {**ctes, **ctes_of(select, self.text)}
        self.subqueries = Subqueries(queries, self.ctes)
        self.windows = Windows({w.name.lower(): w for w in select.args.get("windows") or ()})
        self.aliases = {
            item.alias.lower(): item.this for item in reversed(select.expressions) if isinstance(item, exp.Alias)
        }

    def bind(self) -> Bound:
        """The whole SELECT, which reads the query around it by the domain alone."""
        return self.bind_rows(self.rows())

    def bind_there(self, scope: Scope) -> Bound:
        """Rows of which it only matters for which rows of the query around there are any."""
        if self.total or self.changes_rows:
            return self.bind_rows(scope)
        return Bound(scope.relation, tuple(("around", word) for word in self.around))

    def bind_rows(self, scope: Scope) -> Bound:
        """The SELECT over its rows, and as last columns what is around."""
        binder = self.binder(scope)
        having, qualify = self.select.args.get("having"), self.select.args.get("qualify")
        condition = None
        if having is not None and self._has_windows and isinstance(binder, GroupedBinder):
            binder.restrict(binder.condition(having.this))
            having = None
        outputs = self.outputs(scope, binder)
        for clause in (having, qualify):
            condition = condition if clause is None else binder.condition(clause.this)
        keys = sort_keys(self.select, binder, outputs)
        if self._distinct_on is not None:
            if qualify is not None:
                raise Unsupported("QUALIFY with DISTINCT ON is not supported")
            condition = first_of_keys(self._distinct_on, binder, outputs, keys, binder.of_keys(self.around))
        outputs += [Output("around", self.select, word) for word in binder.of_keys(self.around)]
        relation, settled = binder.settle()
        outputs = [replace(output, expression=settled(output.expression)) for output in outputs]
        keys = [replace(key, expression=settled(key.expression)) for key in keys]
        if condition is not None:
            relation = Filter(relation, fold(settled(condition)))
        return self._finish(relation, outputs, keys)

    @property
    def _has_windows(self) -> bool:
        return self.select.find(exp.Window) is not None or self._distinct_on is not None

    @property
    def _distinct_on(self) -> exp.Expr | None:
        distinct = self.select.args.get("distinct")
        return distinct if distinct is not None and distinct.args.get("on") is not None else None

    # rows

    def rows(self) -> Scope:
        """FROM, joined under the terms of WHERE, and filtered by them."""
        where = self.select.args.get("where")
        written = [] if where is None else and_terms(where.this)
        known = _known(self.select, written, self.queries.rooms.of(self.select))
        source = SourceBinder(self.queries, self.ctes, self.subqueries, known, self.domain).bind(self.select)
        terms = [*source.later, *(term for term in written if all(term is not other for other in source.taken))]
        plain = [term for term in terms if term.find(exp.Query) is None]
        scope = Scope(Values(), source.names)
        binder = ScalarBinder(scope, self.text, "WHERE", self.aliases, outer=self.outer, domain=self.domain)
        bound = [binder.condition(term) for term in plain]
        conditions = [part for c in bound for whole in conjuncts(c) for part in equalities(whole)]
        mine = [c for c in conditions if not is_outer(c)]
        with located(self.select.args.get("from_") or self.select, self.text):
            joined = join_all(source.tree, mine, known.names, known.pairs, self.text)
        names = tuple(replace(n, expression=joined.over(n.expression)) for n in source.names)
        for condition in conditions:
            if is_outer(condition):
                self._correlate(joined.over(fold(condition)))
        scope = self._filtered(Scope(joined.relation, names), [term for term in terms if term not in plain])
        if self.domain is not None and self.domain.words:
            self.around = self.domain.fields(scope.names)
        else:
            self.around = tuple(inner for inner, _ in self.links)
        return scope

    def _filtered(self, scope: Scope, terms: list[exp.Expr]) -> Scope:
        """The rows for which terms with subqueries are true."""
        if not terms:
            return scope
        binder = ScalarBinder(scope, self.text, "WHERE", self.aliases, self.subqueries, domain=self.domain)
        predicate = conjunction(tuple(binder.filter_condition(term) for term in terms))
        return Scope(Filter(binder.scope.relation, predicate), scope.names)

    def _correlate(self, condition: Expression) -> None:
        for term in conjuncts(condition):
            pair = _link(term)
            if pair is None:
                self.rest.append(term)
            else:
                self.links.append(pair)

    # groups

    @property
    def total(self) -> bool:
        """Whether it is one row of aggregates (or none, by HAVING)."""
        order = self.select.args.get("order")
        clauses = [*self.select.expressions, *([order] if order else [])]
        having = self.select.args.get("having") is not None
        return self.select.args.get("group") is None and (having or any(map(has_aggregate, clauses)))

    @property
    def one_row(self) -> bool:
        """Whether it is a total of which neither a window nor a LIMIT takes its row away."""
        return self.total and not self._takes_rows

    @property
    def changes_rows(self) -> bool:
        """Whether anything behind WHERE may leave no row where there was one."""
        return self.select.args.get("having") is not None or self._takes_rows

    @property
    def _takes_rows(self) -> bool:
        if any(self.select.args.get(clause) for clause in ("qualify", "offset")):
            return True
        return row_count(self.select, "limit", self.text) == 0

    def binder(self, scope: Scope, *, every: bool = True) -> ScalarBinder:
        """Who binds what comes after WHERE: rows, or groups.

        every: a correlated total has a row also for those of the query around that have no rows.
        """
        group = self.select.args.get("group")
        windows = replace(self.windows, around=self.around)
        if group is None and not self.total:
            return ScalarBinder(
                scope, self.text, "SELECT", self.aliases, self.subqueries, windows=windows, domain=self.domain
            )
        sets = GroupBy(self.select, scope, self.aliases, self.text).sets() if group is not None else [()]
        return self._of_groups(scope, sets, windows, every=every)

    def _of_groups(
        self, scope: Scope, sets: Sequence[Sequence[exp.Expr]], windows: Windows, *, every: bool
    ) -> GroupedBinder:
        """sets: the keys of each grouping set."""
        rows = ScalarBinder(scope, self.text, "GROUP BY", subqueries=self.subqueries, domain=self.domain)
        keys: dict[Expression, exp.Expr] = {}
        chosen = []
        for items in sets:
            bound = [(word, item) for item in items for word in words_of(self._key(rows, item))]
            for word, item in bound:
                keys.setdefault(word, item)
            chosen.append([word for word, _ in bound])
        names = tuple(column_name(item, self.text) for item in keys.values())
        own = len(keys)
        for word in self.around:
            keys.setdefault(word, self.select)
        names += tuple(f"outer{i}" for i in range(len(keys) - own))
        aliases, subqueries = self.aliases, self.subqueries
        several = len(chosen) > 1 or self.select.find(exp.Grouping, exp.GroupingId) is not None
        filled = every and self.total and bool(self.around)
        kind = GroupingSetsBinder if several else EveryBinder if filled else GroupedBinder
        rows.subqueries = None  # the keys' own are known, and there is no place for others
        binder = kind(
            rows.scope, self.text, "an aggregate", aliases, tuple(keys), names, subqueries, windows, rows=rows
        )
        binder.reads(self.domain)
        if self.domain is None:
            binder.own_keys = own
        if isinstance(binder, EveryBinder):
            if self.domain is None:
                raise Unsupported("an aggregate of a correlated subquery is not supported here")
            binder.every = self.domain.relation()
        if isinstance(binder, GroupingSetsBinder):
            if self.around:
                raise Unsupported("GROUPING SETS in a correlated subquery are not supported")
            binder.sets = tuple(tuple(sorted({list(keys).index(key) for key in bound})) for bound in chosen)
        return binder

    def _key(self, rows: ScalarBinder, item: exp.Expr) -> Expression:
        key = rows.bind(item)
        with located(item, self.text):
            return group_key(key, item)

    # outputs

    def outputs(self, scope: Scope, binder: ScalarBinder) -> list[Output]:
        """The SELECT list."""
        outputs: list[Output] = []
        for item in self.select.expressions:
            with located(item, self.text):
                if is_star(item):
                    outputs += _star(item, scope, binder)
                else:
                    written = unaliased(item)
                    expression = self._written(written, binder) or binder.bind(written)
                    outputs.append(Output(column_name(item, self.text, scope), written, expression))
        if not outputs:
            raise SyntaxInvalid("SELECT needs at least one output")
        return outputs

    def _written(self, item: exp.Expr, binder: ScalarBinder) -> Expression | None:
        """A DOUBLE that is CAST to text as an output of the whole statement, and so is written where it is divided."""
        cast = isinstance(item, exp.Cast) and is_text_type(item.args["to"])
        if not cast or self.select is not self.queries.root or self._distinct:
            return None
        try:
            x = binder.bind(item.this)
        except UnknownName:  # the text is a key of groups, and not what it is made of
            return None
        if isinstance(x, Elapsed) and x.split is not None:
            return intervals.text_of(x)
        return WrittenDouble(x) if isinstance(x.type, Double) and not is_null(x) else None

    # the end

    def _finish(self, relation: Relation, outputs: list[Output], keys: list[SortKey]) -> Bound:
        """The outputs as fields, then DISTINCT, ORDER BY and LIMIT over those."""
        if self._distinct:
            relation, outputs, keys = distinct_rows(relation, outputs, keys, self.select, self.text)
        if self.select is self.queries.root:
            outputs = [replace(o, expression=delivered(o.expression)) for o in outputs]
            keys = [replace(k, expression=delivered(k.expression)) for k in keys]
        count, offset = (row_count(self.select, clause, self.text) for clause in ("limit", "offset"))
        return finish(relation, outputs, keys, count, offset or 0, len(self.around))

    @property
    def _distinct(self) -> bool:
        return self.select.args.get("distinct") is not None and self._distinct_on is None


def _known(select: exp.Select, terms: Sequence[exp.Expr], pairs: Pairs) -> Known:
    """What FROM is part of. Terms of WHERE are tested early only if no join brings rows later; any column's name in the
    statement, of whatever table, may have to be carried.
    """
    brings = any(join.side.upper() in ("RIGHT", "FULL") for join in select.args.get("joins") or ())
    early = () if brings else tuple(term for term in terms if term.find(exp.Query) is None)
    names = frozenset(column.name.lower() for column in select.find_all(exp.Column))
    return Known(early, brings, names, pairs)


def _link(term: Expression) -> tuple[Expression, Expression] | None:
    """(inner, outer) of an equality between the two."""
    pair = sides(term)
    for inner, outer in () if pair is None else (pair, pair[::-1]):
        known = columns_of(inner) or (isinstance(inner, Literal) and isinstance(inner.type, Text))
        if not is_outer(inner) and known and columns_of(outer) and all(i >= OUTER for i in columns_of(outer)):
            return inner, shifted(outer, -OUTER)
    return None


def _star(item: exp.Expr, scope: Scope, binder: ScalarBinder) -> list[Output]:
    """* or table.*; of groups, where all of these columns are keys."""
    outputs = []
    for name in starred(item, scope):
        expression = binder.over_keys(name.expression) if isinstance(binder, GroupedBinder) else name.expression
        if expression is None:
            raise UnknownName(f"column {name.name} of * must be in GROUP BY")
        outputs.append(Output(name.name, None, expression))
    return outputs
