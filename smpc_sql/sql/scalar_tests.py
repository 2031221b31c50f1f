"""What is true or false: comparisons, IS, and logic over them."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import And, Case, Expression, Not, Or
from smpc_sql.plan.rules.fold_constants import FALSE, TRUE
from smpc_sql.sql.binder import Binder, Method, operands
from smpc_sql.sql.coercion import predicate
from smpc_sql.sql.nodes import only, show
from smpc_sql.sql.operations import compare, is_null_of
from smpc_sql.sql.row_values import compare_rows, rows_of, same

OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def _comparison(binder: Binder, node: exp.Expr) -> Expression:
    rows = rows_of(binder, (node.this, node.expression))
    if rows is not None:
        return compare_rows(OPERATORS[type(node)], *rows)
    left, right = operands(binder, node)
    return compare(OPERATORS[type(node)], left, right)


def _between(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "low", "high")
    rows = rows_of(binder, (node.this, node.args["low"], node.args["high"]))
    if rows is not None:
        return And((compare_rows(">=", rows[0], rows[1]), compare_rows("<=", rows[0], rows[2])))
    x, low, high = binder.bind(node.this), binder.bind(node.args["low"]), binder.bind(node.args["high"])
    return And((compare(">=", x, low), compare("<=", x, high)))


def _is(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "expression")
    x, what = binder.bind(node.this), node.expression
    if isinstance(what, exp.Null):
        return is_null_of(x)
    if isinstance(what, exp.Boolean):
        condition = predicate(x)
        return Case((((condition if what.this else Not(condition)), TRUE),), FALSE)
    raise Unsupported(f"IS {show(what)} is not supported")


def _distinct_from(binder: Binder, node: exp.Expr) -> Expression:
    rows = rows_of(binder, (node.this, node.expression))
    alike = same(*operands(binder, node)) if rows is None else compare_rows("=", *rows)
    return alike if isinstance(node, exp.NullSafeEQ) else Not(alike)


def _not(binder: Binder, node: exp.Expr) -> Expression:
    return Not(binder.condition(node.this))


def _and(binder: Binder, node: exp.Expr) -> Expression:
    assert isinstance(node, exp.Connector)
    terms = tuple(binder.condition(term) for term in node.flatten(unnest=False))
    return And(terms) if isinstance(node, exp.And) else Or(terms)


METHODS: dict[type[exp.Expr], Method] = {
    **dict.fromkeys(OPERATORS, _comparison),
    exp.Between: _between,
    exp.Is: _is,
    exp.NullSafeEQ: _distinct_from,
    exp.NullSafeNEQ: _distinct_from,
    exp.Not: _not,
    exp.And: _and,
    exp.Or: _and,
}
