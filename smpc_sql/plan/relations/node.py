"""What every relation knows of itself: its fields, and how many rows it has at most."""

from __future__ import annotations

from dataclasses import dataclass

from smpc_sql.plan.expressions import AggregateCall, Column, Expression
from smpc_sql.schema import Interval, SqlType


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a relation. public: every party knows its values (not whether the row is valid)."""

    name: str
    type: SqlType
    nullable: bool
    bounds: Interval
    public: bool = False


class Node:
    """What every relation knows; set by `_know` while it is built, and no part of its identity."""

    __slots__ = ("fields", "max_rows")

    fields: tuple[Field, ...]
    max_rows: int

    def _know(self, fields: tuple[Field, ...], max_rows: int) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "max_rows", max_rows)

    def column(self, index: int) -> Column:
        """The expression that reads field `index` of this relation."""
        f = self.fields[index]
        return Column(index, f.name, f.type, f.nullable, f.bounds, f.public)


def field_of(name: str, e: Expression | AggregateCall, public: bool) -> Field:
    """The field that an expression gives."""
    return Field(name, e.type, e.nullable, e.bounds, public)
