"""sqlglot nodes: where in the text they are, what to call them, and that nothing in them goes unread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlglot import exp

from smpc_sql.errors import QueryError, Unsupported


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Both counted from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def position(node: exp.Expr, text: str) -> tuple[int, int]:
    """The first token of the node or below it that has a place; (0, 0) if none has."""
    starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
    return line_and_column(text, min(starts)) if starts else (0, 0)


@contextmanager
def located(node: exp.Expr, text: str) -> Iterator[None]:
    """Gives a QueryError from inside that knows no place the place of `node`."""
    try:
        yield
    except QueryError as error:
        if error.line:
            raise
        line, column = position(node, text)
        raise type(error)(error.message, line=line, column=column) from error


def show(node: exp.Expr) -> str:
    """The node as SQL, shortened: for messages."""
    sql = node.sql(dialect="duckdb", comments=False)
    return sql if len(sql) <= 80 else sql[:77] + "..."


_HARMLESS = frozenset({"big_int", "safe", "typed", "ignore_nulls", "enforced", "quoted", "nested", "_type"})


def only(node: exp.Expr, *names: str) -> None:
    """Refuses a node with an argument that nobody would read."""
    for name, value in node.args.items():
        if value and name not in names and name not in _HARMLESS:
            raise Unsupported(f"{construct(node)} with {name.strip('_').upper()} is not supported")


def construct(node: exp.Expr) -> str:
    """What to call a node that is not supported."""
    if isinstance(node, exp.Anonymous):
        return f"function {node.name}"
    if isinstance(node, exp.Func) and not isinstance(node, exp.Binary):
        return f"function {node.sql_name()}"
    return _WORDS.get(type(node).__name__, re.sub(r"(?<!^)(?=[A-Z])", " ", type(node).__name__).upper())


_WORDS = {
    "DPipe": "||",
    "Pow": "**",
    "Mod": "%",
    "IntDiv": "//",
    "Subquery": "a subquery in an expression",
    "Select": "a subquery in an expression",
    "Window": "a window function (OVER)",
    "RegexpLike": "a regular expression",
    "SimilarTo": "SIMILAR TO",
    "Interval": "INTERVAL",
    "Tuple": "a row value",
    "Bracket": "[ ]",
    "Order": "ORDER BY within an aggregate",
    "Distinct": "DISTINCT within an aggregate",
    "BitwiseAnd": "&",
    "BitwiseOr": "|",
    "BitwiseXor": "xor",
    "Placeholder": "a parameter",
}


def and_terms(node: exp.Expr) -> list[exp.Expr]:
    """The terms of an AND, as they are written."""
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.And):
        return [node]
    return [*and_terms(node.this), *and_terms(node.expression)]
