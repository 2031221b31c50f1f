"""WITH: which CTEs a query has, and which of them a CTE sees."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.sql.nodes import located, only


def ctes_of(node: exp.Expr, text: str) -> dict[str, exp.CTE]:
    """The CTEs of a query's WITH, by lower-case name."""
    clause = node.args.get("with_")
    if clause is None:
        return {}
    only(clause, "expressions")
    for cte in clause.expressions:
        with located(cte, text):
            only(cte, "this", "alias", "materialized")
    return {cte.alias.lower(): cte for cte in clause.expressions}


def in_sight(cte: exp.CTE) -> dict[str, exp.CTE]:
    """The CTEs that a CTE's definition sees: those before it in its WITH, and those of the queries around it."""
    seen: dict[str, exp.CTE] = {}
    node: exp.Expr = cte
    while node.parent is not None:
        around = node.parent
        clause = around if isinstance(around, exp.With) else around.args.get("with_")
        for other in clause.expressions if clause is not None and clause is not node else ():
            if other is node:
                break
            seen.setdefault(other.alias.lower(), other)
        # a WITH belongs to a query, of which it must not be taken for a part
        node = around.parent if isinstance(around, exp.With) and around.parent is not None else around
    return seen
