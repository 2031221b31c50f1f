"""What the parts of the expression binder see of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlglot import exp

from smpc_sql.plan.expressions import Expression
from smpc_sql.sql.nodes import only


class Binder(Protocol):
    """Binds the parts of a node. text: the whole query, for places in messages."""

    text: str

    def bind(self, node: exp.Expr) -> Expression: ...

    def condition(self, node: exp.Expr) -> Expression: ...


Method = Callable[[Binder, exp.Expr], Expression]
"""Binds one kind of node."""


def operands(binder: Binder, node: exp.Expr) -> tuple[Expression, Expression]:
    """Both sides of a binary node."""
    only(node, "this", "expression")
    return binder.bind(node.this), binder.bind(node.expression)
