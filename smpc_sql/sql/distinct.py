"""SELECT DISTINCT: groups of all outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import Column, Expression, Literal, rebuild
from smpc_sql.plan.relations import Aggregate, Relation, SortKey
from smpc_sql.sql.fixed import words_of
from smpc_sql.sql.fixed_point import keyed
from smpc_sql.sql.group_by import group_key
from smpc_sql.sql.nodes import located
from smpc_sql.sql.ordering import Output


def distinct_rows(
    relation: Relation, outputs: Sequence[Output], keys: Sequence[SortKey], select: exp.Select, text: str
) -> tuple[Relation, list[Output], list[SortKey]]:
    """The distinct rows of a SELECT's outputs, and its outputs and ORDER BY over these.

    Raises Unsupported for outputs that no words tell apart, and for ORDER BY of what is not an output.
    """
    outputs = [_as_key(output, select, text) for output in outputs]
    expressions = list(dict.fromkeys(word for output in outputs for word in words_of(output.expression)))
    names = [next(o.name for o in outputs if e in words_of(o.expression)) for e in expressions]
    grouped = Aggregate(relation, tuple(expressions), tuple(names), (), ())

    def over(expression: Expression) -> Expression:
        expression = keyed(expression)
        if expression in expressions:
            return grouped.column(expressions.index(expression))
        if isinstance(expression, Literal):
            return expression
        if isinstance(expression, Column):
            raise Unsupported("SELECT DISTINCT with ORDER BY of what is not an output is not supported")
        return rebuild(expression, tuple(map(over, expression.parts)))

    with located(select.args.get("order") or select, text):
        new_keys = [SortKey(over(k.expression), k.descending, k.nulls_first) for k in keys]
    return grouped, [Output(o.name, o.node, over(o.expression)) for o in outputs], new_keys


def _as_key(output: Output, select: exp.Select, text: str) -> Output:
    node = output.node if output.node is not None else select
    with located(node, text):
        return replace(output, expression=group_key(output.expression, node))
