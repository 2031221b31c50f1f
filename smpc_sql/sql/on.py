"""ON with subqueries: each reads one of the two sides of a join, and stands beside its rows before they are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from smpc_sql.errors import UnknownName, Unsupported
from smpc_sql.plan.expressions import Column, Expression, transform
from smpc_sql.plan.relations import Values
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import OUTER, Scope, shifted

RIGHT = 1 << 30
"""Field i of the right side is column RIGHT + i, until it is known how many the left has."""


class OnBinder(ScalarBinder):
    """Binds terms of ON. left, right: who binds what reads one side alone; subqueries put columns beside its rows."""

    def __init__(self, left: ScalarBinder, right: ScalarBinder) -> None:
        behind = tuple(replace(n, expression=shifted(n.expression, RIGHT)) for n in right.scope.names)
        super().__init__(Scope(Values(), (*left.scope.names, *behind)), left.text, "ON")
        self._left = left
        self._right = right

    def bind_inner(self, node: exp.Expr) -> Expression:
        """A subquery, with what is compared with it, is of the side that it can be bound over."""
        if not _asks(node):
            return super().bind_inner(node)
        try:
            return self._left.bind(node)
        except UnknownName:
            pass
        try:
            return shifted(self._right.bind(node), RIGHT)
        except UnknownName as error:
            reason = f"a subquery in ON of an outer join may read one of both sides alone, but {error.message}"
            raise Unsupported(reason) from error


def _asks(node: exp.Expr) -> bool:
    if isinstance(node, exp.In):
        return node.args.get("query") is not None
    quantified = isinstance(node, exp.Binary) and isinstance(node.expression, exp.Any | exp.All)
    return quantified or isinstance(node, exp.Exists | exp.Subquery)


def exists(join: exp.Join, tables: Mapping[str, str]) -> exp.Expr:
    """Whether the joined table has a row for which ON is true. tables: of the columns before, by lower-case name."""
    own = join.this.alias_or_name
    terms = [] if join.args.get("on") is None else [join.args["on"].copy()]
    for item in join.args.get("using") or ():
        if item.name.lower() not in tables:
            raise UnknownName(f"column {item.name} does not exist before the join")
        pair = [exp.column(item.name, table, quoted=True) for table in (own, tables[item.name.lower()])]
        terms.append(exp.EQ(this=pair[0], expression=pair[1]))
    clauses = {"where": exp.Where(this=exp.and_(*terms, copy=False))} if terms else {}
    one = [exp.Literal.number(1)]
    found = exp.Exists(this=exp.Select(expressions=one, from_=exp.From(this=join.this.copy()), **clauses))
    found.parent = join  # CTEs around are in sight
    return found


def settled(expression: Expression, width: int) -> Expression:
    """The expression where the left side has so many fields."""

    def read(node: Expression) -> Expression:
        if not isinstance(node, Column) or not RIGHT <= node.index < OUTER:
            return node
        return replace(node, index=node.index - RIGHT + width)

    return transform(expression, read)
