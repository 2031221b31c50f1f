"""Through all the parts of an expression: changing them, finding them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from smpc_sql.plan.expressions.aggregate_call import AggregateCall
from smpc_sql.plan.expressions.expression import Expression, rebuild
from smpc_sql.plan.expressions.leaves import Column


def transform(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Every node replaced by change(node), from the leaves up; `change` sees a node over changed parts."""
    old = expression.parts
    new = tuple(transform(part, change) for part in old)
    return change(expression if new == old else rebuild(expression, new))


def walk(expression: Expression | AggregateCall) -> Iterator[Expression | AggregateCall]:
    """The node and every node below, parents first, left to right."""
    yield expression
    for part in expression.parts:
        yield from walk(part)


def columns_of(*expressions: Expression | AggregateCall) -> tuple[int, ...]:
    """The indices of the input fields that the expressions read, ascending, each once."""
    return tuple(sorted({node.index for e in expressions for node in walk(e) if isinstance(node, Column)}))
