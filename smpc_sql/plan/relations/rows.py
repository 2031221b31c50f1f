"""Relations that take or make rows one by one: scans, filters, projections, stacked rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from smpc_sql.errors import InternalError, TypeMismatch
from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations.node import Field, Node, field_of
from smpc_sql.schema import Boolean

if TYPE_CHECKING:
    from smpc_sql.plan.relations.relation import Relation


@dataclass(frozen=True, slots=True)
class Scan(Node):
    """A base table: the columns of its schema, or some of them, and last the public pseudo-column `owner`.

    A field's name is the column's name in the schema. fragments: (owner, rows) in the order in which the rows are
    stacked. The code of `owner` is its position among the owners sorted; a table without fragments has Enum(("",)).
    keys: names of columns that no two rows have alike, where none is NULL (declared PRIMARY KEY, UNIQUE).
    """

    table: str
    fields: tuple[Field, ...]
    fragments: tuple[tuple[str, int], ...]
    keys: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.fields or not self.fields[-1].public:
            raise InternalError(f"scan of {self.table}: the last field is the public owner")
        object.__setattr__(self, "max_rows", sum(rows for _, rows in self.fragments))


@dataclass(frozen=True, slots=True)
class Values(Node):
    """One row without fields: what a SELECT without FROM reads."""

    def __post_init__(self) -> None:
        self._know((), 1)


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """The rows for which `predicate` is true."""

    source: Relation
    predicate: Expression

    def __post_init__(self) -> None:
        if not isinstance(self.predicate.type, Boolean):
            raise TypeMismatch(f"filter predicate must be BOOLEAN, got {self.predicate.type}")
        self._know(self.source.fields, self.source.max_rows)


@dataclass(frozen=True, slots=True)
class Project(Node):
    """One field per expression, for every row."""

    source: Relation
    expressions: tuple[Expression, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        pairs = zip(self.names, self.expressions, strict=True)
        fields = tuple(field_of(name, e, not e.secret) for name, e in pairs)
        self._know(fields, self.source.max_rows)


@dataclass(frozen=True, slots=True)
class Concat(Node):
    """The rows of all sources, whose fields have the same types; the names are the first source's."""

    inputs: tuple[Relation, ...]

    def __post_init__(self) -> None:
        first, *others = (source.fields for source in self.inputs)
        fields = tuple(replace(f, public=False) for f in first)
        for other in others:
            if [f.type for f in other] != [f.type for f in fields]:
                raise InternalError("stacked relations have the same types")
            fields = tuple(
                replace(f, nullable=f.nullable or g.nullable, bounds=f.bounds.union(g.bounds))
                for f, g in zip(fields, other, strict=True)
            )
        self._know(fields, sum(source.max_rows for source in self.inputs))
