"""Rows in an order, and the first of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations.node import Node

if TYPE_CHECKING:
    from smpc_sql.plan.relations.relation import Relation


@dataclass(frozen=True, slots=True)
class SortKey:
    """One ORDER BY key; ENUMs order by dictionary position. A DOUBLE key is a Divide (or Sqrt of one)."""

    expression: Expression
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Sort(Node):
    """The same rows, ordered."""

    source: Relation
    keys: tuple[SortKey, ...]

    def __post_init__(self) -> None:
        self._know(self.source.fields, self.source.max_rows)


@dataclass(frozen=True, slots=True)
class Limit(Node):
    """At most `count` of the valid rows (None: all), after the first `offset` valid ones."""

    source: Relation
    count: int | None
    offset: int = 0

    def __post_init__(self) -> None:
        rows = max(0, self.source.max_rows - self.offset)
        self._know(self.source.fields, rows if self.count is None else min(rows, self.count))
