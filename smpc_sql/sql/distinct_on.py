"""DISTINCT ON: of the rows with equal keys the first in the query's order; among ties by chance."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from smpc_sql.errors import UnknownName
from smpc_sql.plan.expressions import Equal, Expression
from smpc_sql.plan.frames import UP_TO_PEERS
from smpc_sql.plan.relations import SortKey, WindowCall
from smpc_sql.sql.fixed import all_words
from smpc_sql.sql.framed import Over, order_word
from smpc_sql.sql.literals import integer
from smpc_sql.sql.nodes import located, only
from smpc_sql.sql.ordering import Output
from smpc_sql.sql.scalar import ScalarBinder


def first_of_keys(
    distinct: exp.Expr,
    binder: ScalarBinder,
    outputs: Sequence[Output],
    order: Sequence[SortKey],
    around: Sequence[Expression] = (),
) -> Expression:
    """Whether a row is the first of those with its keys: the number of the row in a window is 1.

    around: more keys, of a correlated subquery.
    """
    only(distinct, "on")
    keys = list(around)
    for item in distinct.args["on"].expressions:
        with located(item, binder.text):
            keys.append(order_word(_key(item, binder, outputs)))
    ordered = tuple(
        SortKey(word, key.descending, key.nulls_first)
        for key in order
        for word in all_words([order_word(key.expression)])
    )
    number = Over(binder, all_words(keys), ordered, UP_TO_PEERS).attach(WindowCall("row_number"))
    return Equal(number, integer(1))


def _key(item: exp.Expr, binder: ScalarBinder, outputs: Sequence[Output]) -> Expression:
    """A number is an output's."""
    if not isinstance(item, exp.Literal) or item.is_string:
        return binder.bind(item)
    if not item.this.isdecimal() or not 1 <= int(item.this) <= len(outputs):
        raise UnknownName(f"DISTINCT ON {item.this}: there are {len(outputs)} outputs")
    return outputs[int(item.this) - 1].expression
