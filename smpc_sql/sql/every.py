"""Aggregates of a correlated subquery without GROUP BY: a row for each that they are asked for, also of no rows."""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.plan.expressions import AggregateCall, Case, Expression, IsNull, Literal
from smpc_sql.plan.relations import Aggregate, Join, Project, Relation, Values, own_columns
from smpc_sql.sql.aggregate import GroupedBinder


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
