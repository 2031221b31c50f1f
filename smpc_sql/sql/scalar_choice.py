"""CASE, COALESCE and the like: one of several values."""

from __future__ import annotations

from functools import reduce

from sqlglot import exp

from smpc_sql.plan.expressions import Expression, Or
from smpc_sql.sql.binder import Binder, Method, operands
from smpc_sql.sql.literals import NULL, is_null
from smpc_sql.sql.nodes import located, only
from smpc_sql.sql.operations import choose, compare, is_null_of, unified


def _case(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "ifs", "default")
    subject = binder.bind(node.this) if node.this is not None else None
    conditions, values = [], []
    for branch in node.args["ifs"]:
        if subject is None:
            conditions.append(binder.condition(branch.this))
        else:
            with located(branch.this, binder.text):
                conditions.append(compare("=", subject, binder.bind(branch.this)))
        values.append(binder.bind(branch.args["true"]))
    default = node.args.get("default")
    return choose(conditions, [*values, NULL if default is None else binder.bind(default)])


def _if(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "true", "false")
    other = node.args.get("false")
    values = [binder.bind(node.args["true"]), NULL if other is None else binder.bind(other)]
    return choose([binder.condition(node.this)], values)


def _coalesce(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "expressions")
    values = [binder.bind(value) for value in (node.this, *node.expressions)]
    values = unified([value for value in values if not is_null(value)]) or [NULL]
    return reduce(lambda rest, x: choose([is_null_of(x)], [rest, x]), reversed(values[:-1]), values[-1])


def _nullif(binder: Binder, node: exp.Expr) -> Expression:
    left, right = operands(binder, node)
    return choose([compare("=", left, right)], [NULL, left])


def _extreme(binder: Binder, node: exp.Expr) -> Expression:
    """GREATEST and LEAST: NULLs are passed over."""
    only(node, "this", "expressions")
    values = [binder.bind(value) for value in (node.this, *node.expressions)]
    values = unified([value for value in values if not is_null(value)]) or [NULL]
    operator = "<" if isinstance(node, exp.Greatest) else ">"
    return reduce(lambda a, b: choose([Or((compare(operator, a, b), is_null_of(a)))], [b, a]), values)


METHODS: dict[type[exp.Expr], Method] = {
    exp.Case: _case,
    exp.If: _if,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Greatest: _extreme,
    exp.Least: _extreme,
}
