"""UNION ALL: the rows of several relations stacked. Local."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.base import Operator, Tables
from smpc_sql.operators.side_by_side import run_inputs
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.plan.relations import Field
from smpc_sql.ring import Array
from smpc_sql.schema import Boolean
from smpc_sql.session import Session


@dataclass(frozen=True, slots=True)
class ConcatRows:
    """The first columns of every source, which are `fields`, as one piece of shares. No rounds."""

    sources: tuple[Operator, ...]
    fields: tuple[Field, ...]

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """The sources."""
        return self.sources

    @property
    def rows(self) -> int:
        """The sum."""
        return sum(source.rows for source in self.sources)

    def describe(self) -> str:
        """See Operator."""
        return f"rows of {len(self.sources)} relations"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        found = run_inputs(session, tables, self.sources)
        parts = [whole_columns(session, table, range(len(self.fields))) for table in found]
        raws = [self._column(i, [columns[i] for columns in parts]) for i in range(len(self.fields))]
        return SharedTable((Piece(self.rows, tuple(raws), _valid(session, found)),))

    def _column(self, i: int, parts: list[Column]) -> Raw:
        field = self.fields[i]
        words = np.concatenate([part.words for part in parts if len(part.words)] or [parts[0].words])
        boolean = isinstance(field.type, Boolean)
        if not field.nullable:
            return Raw(words, None, secret=True, boolean=boolean)
        nulls = [np.zeros(len(p.words), dtype=np.uint8) if p.null is None else p.null for p in parts]
        return Raw(words, np.concatenate(nulls), secret=True, boolean=boolean)


def _valid(session: Session, tables: list[SharedTable]) -> Array | None:
    valid = [whole_valid(session, table) for table in tables]
    if all(each is None for each in valid):
        return None
    return np.concatenate(
        [
            session.public(np.ones(table.rows, dtype=np.uint8)) if each is None else each
            for table, each in zip(tables, valid, strict=True)
        ]
    )
