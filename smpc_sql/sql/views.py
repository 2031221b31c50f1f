"""Views: a name for the text of a query, bound anew wherever it is read."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from smpc_sql.catalog import View
from smpc_sql.errors import QueryError, SyntaxInvalid
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import Select
from smpc_sql.sql.tables import Bound


def bind_view(view: View, binder: Callable[[str], Callable[[exp.Expr], Bound]]) -> Bound:
    """A view's query with the view's names for its columns. binder: who binds the queries of a text.

    Raises QueryError whose message says where in the view's text it is; it has no place in the text around.
    """
    try:
        (statement,) = parse_statements(view.sql)
        assert isinstance(statement, Select)
        bound = binder(view.sql)(statement.query)
        return renamed(bound, view.columns, view.name)
    except QueryError as error:
        raise type(error)(f"in view {view.name}: {error}") from error


def renamed(bound: Bound, columns: tuple[str, ...], what: str) -> Bound:
    """The query's outputs, the first ones called `columns`. Raises SyntaxInvalid if there are fewer."""
    if len(columns) > len(bound.columns):
        raise SyntaxInvalid(f"{len(columns)} names are given for the {len(bound.columns)} columns of {what}")
    names = (*columns, *(name for name, _ in bound.columns[len(columns) :]))
    return Bound(bound.relation, tuple(zip(names, (expression for _, expression in bound.columns), strict=True)))
