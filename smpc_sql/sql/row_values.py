"""Row values: (a, b) compared as a whole. As in DuckDB they are never NULL: NULLs within are alike, and come last.

(IN with a subquery is three-valued: see contained.py.)
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import And, Case, Expression, Not, Or
from smpc_sql.plan.rules.fold_constants import FALSE, TRUE
from smpc_sql.sql.binder import Binder
from smpc_sql.sql.nodes import show
from smpc_sql.sql.operations import compare, is_null_of

Row = Sequence[Expression]


def items_of(node: exp.Expr) -> list[exp.Expr] | None:
    """The items of a row value; None for anything else."""
    while isinstance(node, exp.Paren):
        node = node.this
    written = isinstance(node, exp.Tuple) or (isinstance(node, exp.Anonymous) and node.name.lower() == "row")
    return list(node.expressions) if written else None


def rows_of(binder: Binder, nodes: Sequence[exp.Expr]) -> list[Row] | None:
    """Row values of one length, bound; None if none of them is one. Raises TypeMismatch, Unsupported."""
    items = [items_of(node) for node in nodes]
    if all(item is None for item in items):
        return None
    for node, item in zip(nodes, items, strict=True):
        if item is None:
            raise Unsupported(f"a row value compared with {show(node)} is not supported")
    known = [item for item in items if item is not None]
    if len({len(item) for item in known}) != 1 or not known[0]:
        raise TypeMismatch("row values that are compared have as many values each")
    return [[binder.bind(part) for part in item] for item in known]


def compare_rows(operator: str, left: Row, right: Row) -> Expression:
    """left = right and its like: TRUE or FALSE."""
    match operator:
        case "=":
            return _all([same(a, b) for a, b in zip(left, right, strict=True)])
        case "<>":
            return Not(compare_rows("=", left, right))
        case "<":
            return _before(left, right)
        case ">":
            return _before(right, left)
        case "<=":
            return Not(_before(right, left))
        case _:
            return Not(_before(left, right))


def same(left: Expression, right: Expression) -> Expression:
    """Whether two values are equal, NULLs being alike."""
    equal = compare("=", left, right)
    if not equal.nullable:
        return equal
    return Case(((equal, TRUE), (And((is_null_of(left), is_null_of(right))), TRUE)), FALSE)


def _before(left: Row, right: Row) -> Expression:
    """Whether the left's first value that differs is less, or not NULL where the right's is."""
    less = compare("<", left[0], right[0])
    if less.nullable:
        less = Case(((less, TRUE), (And((Not(is_null_of(left[0])), is_null_of(right[0]))), TRUE)), FALSE)
    if len(left) == 1:
        return less
    return Or((less, And((same(left[0], right[0]), _before(left[1:], right[1:])))))


def _all(terms: Sequence[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else And(tuple(terms))
