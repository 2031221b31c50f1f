"""Scan: the stored fragments of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.base import Fragment, Operator, Tables
from smpc_sql.operators.table import Piece, Raw, SharedTable, empty_piece
from smpc_sql.plan.relations import Field
from smpc_sql.schema import Boolean, Enum
from smpc_sql.session import Session


@dataclass(frozen=True, slots=True)
class ScanFragments:
    """One piece for every fragment. The last field is `owner`, public and constant in a piece. No rounds."""

    table: str
    fields: tuple[Field, ...]
    fragments: tuple[tuple[str, int], ...]

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """None."""
        return ()

    @property
    def rows(self) -> int:
        """The public number of rows."""
        return sum(rows for _, rows in self.fragments)

    def describe(self) -> str:
        """See Operator."""
        return f"scan {self.table} ({', '.join(field.name for field in self.fields)})"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        if not self.fragments:
            return SharedTable((empty_piece(self.fields),))
        stored = tables.fragments(self.table)
        pairs = zip(self.fragments, stored, strict=True)
        return SharedTable(tuple(self._piece(owner, fragment) for (owner, _), fragment in pairs))

    def _piece(self, owner: str, fragment: Fragment) -> Piece:
        owners = self.fields[-1].type
        assert isinstance(owners, Enum)
        code = Raw(np.array(owners.labels.index(owner), dtype=np.int64), None, secret=False, boolean=False)
        return Piece(fragment.rows, (*(self._column(f, fragment) for f in self.fields[:-1]), code))

    def _column(self, field: Field, fragment: Fragment) -> Raw:
        null = None
        if field.nullable:
            null = np.unpackbits(fragment.nulls[field.name], bitorder="little", count=fragment.rows)
        return Raw(fragment.words[field.name], null, secret=True, boolean=isinstance(field.type, Boolean))


@dataclass(frozen=True, slots=True)
class OneRow:
    """One row without columns: what a SELECT without FROM reads."""

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """None."""
        return ()

    @property
    def rows(self) -> int:
        """One."""
        return 1

    def describe(self) -> str:
        """See Operator."""
        return "one row"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        return SharedTable((Piece(1, ()),))
