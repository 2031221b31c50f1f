"""Aggregates of a correlated subquery without GROUP BY: a row for each that they are asked for, also of no rows.

Where they are looked up, it is told behind the lookup what they are of no rows; else the rows are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions import AggregateCall, Case, Column, Expression, IsNull, Literal
from smpc_sql.plan.relations import Aggregate, Join, Project, Relation, Values, own_columns
from smpc_sql.sql.aggregate import GroupedBinder
from smpc_sql.sql.beside import Links
from smpc_sql.sql.domain import Domain
from smpc_sql.sql.scope import Scope

if TYPE_CHECKING:
    from smpc_sql.sql.select import SelectBinder


def of_none(calls: Sequence[AggregateCall], columns: Sequence[Expression]) -> list[Expression]:
    """The calls' values where there may have been no rows: COUNT is 0 then, and the rest NULL."""
    by: list[Expression] = []
    for call, column in zip(calls, columns, strict=True):
        counted = Case(((IsNull(column), Literal(0, column.type)),), column)
        by.append(column if call.nullable else counted)
    return by


class EveryBinder(GroupedBinder):
    """Binds expressions over groups, one for every row of a relation. every: that, its fields are the keys' values."""

    every: Relation = Values()

    def grouped(self, source: Relation, calls: tuple[AggregateCall, ...]) -> Relation:
        """The groups, beside each of the relation's rows."""
        groups = Aggregate(source, self.keys, self.key_names, calls, self.call_names)
        width = len(self.keys)
        found = Join(self.every, groups, "left", own_columns(self.every), own_columns(groups)[:width], null_safe=True)
        columns = own_columns(found)
        filled = of_none(calls, columns[2 * width :])
        return Project(found, (*columns[:width], *filled), (*self.key_names, *self.call_names))

    def rows_around(self) -> Relation:
        """The relation itself, which is shared."""
        return self.every


@dataclass(frozen=True, slots=True)
class Total:
    """Aggregates of the rows for one row around, grouped by what tells these apart; no group where there are no rows.

    items, having: of the SELECT, over the groups; of no rows they are found where COUNT is 0, and the rest NULL.
    links: (key of the groups, of the rows around) that must be equal, NULLs too if null_safe. words: what the rows
    around have for the groups' keys, if the items may read it.
    """

    groups: Aggregate
    items: tuple[tuple[str, Expression], ...]
    having: Expression | None
    links: Links
    null_safe: bool = False
    words: tuple[Expression, ...] = ()


def total_of(select: SelectBinder, scope: Scope, domain: Domain | None = None) -> Total | None:
    """A SELECT without GROUP BY as groups; None where it is more than its aggregates."""
    inner = select.binder(scope, every=False)
    outputs = select.outputs(scope, inner)
    having = select.select.args.get("having")
    condition = None if having is None else inner.condition(having.this)
    keys = inner.of_keys(select.around)
    groups, settled = inner.settle()
    if not isinstance(groups, Aggregate):
        return None
    items = tuple((output.name, settled(output.expression)) for output in outputs)
    condition = None if condition is None else settled(condition)
    around = [groups.column(key.index) for key in keys if isinstance(key, Column)]
    if domain is None:
        links = [(key, outer) for key, (_, outer) in zip(around, select.links, strict=True)]
        return Total(groups, items, condition, links)
    pairs = list(zip(around, domain.words, strict=True))
    return Total(groups, items, condition, [pairs[i] for i in domain.linked], True, domain.words)
