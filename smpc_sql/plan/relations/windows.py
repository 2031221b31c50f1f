"""Window functions: values beside every row, of the rows around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import AggregateCall, Expression
from smpc_sql.plan.frames import UP_TO_PEERS, Frame
from smpc_sql.plan.relations.node import Field, Node
from smpc_sql.plan.relations.ordering import SortKey
from smpc_sql.schema import Double, Integer, Interval

if TYPE_CHECKING:
    from smpc_sql.plan.relations.relation import Relation

WindowKind = OneOf[
    "row_number",
    "rank",
    "dense_rank",
    "count_star",
    "count",
    "sum",
    "min",
    "max",
    "lag",
    "lead",
    "nth_value",
    "last_value",
]


@dataclass(frozen=True, slots=True)
class WindowCall:
    """A window function. frame: which rows aggregates and values are of; the others see their whole partition.

    offset: of lag and lead, by how many rows; of nth_value which row of the frame, from 1.
    """

    kind: WindowKind
    argument: Expression | None = None
    frame: Frame = UP_TO_PEERS
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Window(Node):
    """The same rows, and for each the calls over its partition up to it, in the order of the keys: fields behind."""

    source: Relation
    partition: tuple[Expression, ...]
    order: tuple[SortKey, ...]
    calls: tuple[WindowCall, ...]
    call_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for key in (*self.partition, *(key.expression for key in self.order)):
            if isinstance(key.type, Double):
                raise Unsupported("PARTITION BY and ORDER BY of a window over a DOUBLE is not supported")
        if len(self.order) != 1 and any(call.frame.of_distances for call in self.calls):
            raise Unsupported("a window frame of RANGE with a distance needs one ORDER BY key of one word")
        rows = self.source.max_rows
        fields = [_call_field(name, call, rows) for name, call in zip(self.call_names, self.calls, strict=True)]
        self._know((*(replace(f, public=False) for f in self.source.fields), *fields), rows)


def numbered(relation: Relation) -> Window:
    """The same rows, told apart by a last field: a number each, in an order left to chance."""
    return Window(relation, (), (), (WindowCall("row_number"),), ("number",))


def _call_field(name: str, call: WindowCall, rows: int) -> Field:
    argument = call.argument
    if call.kind in ("count_star", "count") or argument is None:
        counts = call.kind in ("count_star", "count")
        low = 0 if call.kind == "count" or (counts and call.frame.may_be_empty) else 1
        return Field(name, Integer(64), False, Interval(low, max(low, call.frame.rows(rows) if counts else rows)))
    if call.kind == "sum":
        total = AggregateCall("sum", argument, None, call.frame.rows(rows))
        return Field(name, total.type, True, total.bounds)
    return Field(name, argument.type, True, argument.bounds)
