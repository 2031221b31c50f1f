"""The end of a query: ORDER BY, LIMIT and OFFSET over its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from smpc_sql.errors import UnknownName, Unsupported
from smpc_sql.plan.bounds import key_bounds
from smpc_sql.plan.expressions import (
    And,
    Divide,
    Equal,
    Expression,
    Less,
    Literal,
    Negate,
    Not,
    PlusRoot,
    Sqrt,
    WrittenDouble,
)
from smpc_sql.plan.relations import Filter, Limit, Project, Relation, Sort, SortKey, Values, Window, WindowCall
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import WORD, Integer
from smpc_sql.sql.fixed import all_words, word_of, words_of
from smpc_sql.sql.framed import order_word
from smpc_sql.sql.nodes import located, only
from smpc_sql.sql.outputs import Words
from smpc_sql.sql.quotient import positive
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import Scope
from smpc_sql.sql.tables import Bound


@dataclass(frozen=True, slots=True)
class Output:
    """One item of the SELECT list; node is None where * stood."""

    name: str
    node: exp.Expr | None
    expression: Expression


def sort_keys(query: exp.Expr, binder: ScalarBinder, outputs: Sequence[Output]) -> list[SortKey]:
    """The keys of a query's ORDER BY; constants are none."""
    order = query.args.get("order")
    shown = [output.expression for output in outputs]
    keys: list[SortKey] = []
    for item in () if order is None else order.expressions:
        with located(item, binder.text):
            only(item, "this", "desc", "nulls_first")
            descending, nulls_first = bool(item.args.get("desc")), bool(item.args.get("nulls_first"))
            for expression in _sort_expressions(item.this, binder, outputs):
                if isinstance(expression, Negate) and expression not in shown:
                    keys.append(SortKey(expression.x, not descending, nulls_first))
                elif not isinstance(expression, Literal):
                    keys.append(SortKey(_sortable(expression), descending, nulls_first))
    return keys


def _sort_expressions(node: exp.Expr, binder: ScalarBinder, outputs: Sequence[Output]) -> list[Expression]:
    """What a key stands for: ALL, an ordinal, an alias, then an expression of columns."""
    if isinstance(node, exp.Var) and node.name.upper() == "ALL":
        return [_ordered(output, binder) for output in outputs]
    if isinstance(node, exp.Literal) and not node.is_string:
        if not node.this.isdecimal() or not 1 <= int(node.this) <= len(outputs):
            raise UnknownName(f"ORDER BY {node.this}: there are {len(outputs)} outputs")
        return [_ordered(outputs[int(node.this) - 1], binder)]
    if isinstance(node, exp.Column) and not node.table:
        named = [o for o in outputs if o.name.lower() == node.name.lower() and o.node is not None]
        if named:
            return [_ordered(named[0], binder)]
    return [binder.bind(node)]


def _ordered(output: Output, binder: ScalarBinder) -> Expression:
    """An output as a key; a text that only the analyst's side writes is bound as what others can read."""
    if isinstance(output.expression, WrittenDouble) and output.node is not None:
        return binder.bind(output.node)
    return output.expression


def _sortable(expression: Expression) -> Expression:
    """What orders as an expression does: a root orders as its radicand."""
    return word_of(expression.x if isinstance(expression, Sqrt) else expression)


def row_count(query: exp.Expr, clause: str, text: str) -> int | None:
    """LIMIT and OFFSET: a constant that is not negative; None for no limit."""
    node = query.args.get(clause)
    if node is None:
        return None
    with located(node, text):
        only(node, "expression", "count", "direction", "limit_options")
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise Unsupported(f"{clause.upper()} with a percentage or ties is not supported")
        number = node.args["count"] if isinstance(node, exp.Fetch) else node.expression
        value = fold(ScalarBinder(Scope(Values(), ()), text, clause.upper()).bind(number))
        if isinstance(value, Literal) and value.value is None:
            return None
        if not isinstance(value, Literal) or not isinstance(value.type, Integer) or (value.value or 0) < 0:
            raise Unsupported(f"{clause.upper()} must be a constant integer that is not negative")
        return value.value


def finish(
    relation: Relation,
    outputs: Sequence[Output],
    keys: Sequence[SortKey],
    count: int | None,
    offset: int,
    around: int = 0,
) -> Bound:
    """The outputs as fields, then ORDER BY and LIMIT over those.

    around: how many of the last outputs say which row of the query around a row is for: LIMIT is of each of those.
    """
    words = Words()
    columns = tuple((output.name, words.over(output.expression, output.name)) for output in outputs)
    result: Relation
    if around:
        limited = count is not None or offset
        exact = [(k, order_word(k.expression)) for k in keys] if limited else []
        ordered = tuple(
            SortKey(word, k.descending, k.nulls_first) for k, e in exact for word in words_of(words.over(e, "key"))
        )
        result = Project(relation, tuple(words.expressions), tuple(words.names))
        if limited:
            result = _some_of_each(result, all_words(e for _, e in columns[-around:]), ordered, count, offset)
        return Bound(result, columns)
    shown = [] if count is not None or offset else [_sortable(output.expression) for output in outputs]
    ordered = tuple(
        SortKey(word, k.descending, k.nulls_first)
        for k in keys
        for word in words_of(
            words.over(k.expression if k.expression in shown else _ranked(k, relation.max_rows), "key")
        )
    )
    result = Project(relation, tuple(words.expressions), tuple(words.names))
    if ordered:
        result = Sort(result, ordered)
    if count is not None or offset:
        result = Limit(result, count, offset)
    return Bound(result, columns)


_COMPARED_PAIRWISE = 4096
"""Of so many rows at most the engine compares quotients pair by pair."""


def _ranked(key: SortKey, rows: int) -> Expression:
    """What the engine ranks by: of a quotient one over a denominator that is not negative; of too many rows, or if
    cross products of two may leave 64 bits, a number that orders as it does.
    """
    if isinstance(key.expression, PlusRoot):
        raise Unsupported("ORDER BY of a sum with a square root is supported of an output, without LIMIT")
    if not isinstance(key.expression, Divide):
        return key.expression
    quotient = positive(key.expression)
    bounds = key_bounds(replace(key, expression=quotient))
    spread = bounds - bounds
    if rows <= _COMPARED_PAIRWISE and spread.intersect(WORD) == spread:
        return quotient
    try:
        return order_word(key.expression)
    except Unsupported:
        return quotient


def _some_of_each(
    relation: Relation, keys: tuple[Expression, ...], order: tuple[SortKey, ...], count: int | None, offset: int
) -> Relation:
    """LIMIT and OFFSET among the rows with equal keys: by the number of a row in a window."""
    window = Window(relation, keys, order, (WindowCall("row_number"),), ("number",))
    number = window.column(len(relation.fields))
    if count == 1:
        return Filter(window, fold(Equal(number, Literal(1 + offset, number.type))))
    after = Less(Literal(offset, number.type), number)
    if count is None:
        return Filter(window, fold(after))
    upto = Not(Less(Literal(offset + count, number.type), number))
    return Filter(window, fold(And((after, upto))))
