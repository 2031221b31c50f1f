"""Cross join with one row: its columns beside every row, without copying or sending anything."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from smpc_sql.errors import InternalError
from smpc_sql.operators.base import OfSides, Tables
from smpc_sql.operators.side_by_side import run_inputs
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.session import Session


@dataclass(frozen=True, slots=True)
class CrossRow(OfSides):
    """The left rows, each beside the right side's only row. No rounds."""

    left_width: int

    @property
    def rows(self) -> int:
        """As many as the left has."""
        return self.left.rows

    def describe(self) -> str:
        """See Operator."""
        return "beside one row"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        left, right = run_inputs(session, tables, self.inputs)
        (row,) = (piece for piece in right.pieces if piece.rows)
        if row.valid is not None:
            raise InternalError("the right row of a cross join may be absent")
        return SharedTable(tuple(self._beside(piece, row) for piece in left.pieces))

    def _beside(self, piece: Piece, row: Piece) -> Piece:
        """The left columns that the plan knows (a limited source has a rank behind them), then the row's."""
        repeated = (_repeated(raw, piece.rows) for raw in row.columns)
        return replace(piece, columns=(*piece.columns[: self.left_width], *repeated))


def _repeated(raw: Raw, rows: int) -> Raw:
    """One value for all rows: strides 0 where it is secret, shape [] where it is public."""
    if not raw.secret:
        return replace(raw, words=raw.words.reshape(()), null=None if raw.null is None else raw.null.reshape(()))
    null = None if raw.null is None else np.broadcast_to(raw.null[:1], (rows,))
    return replace(raw, words=np.broadcast_to(raw.words[:1], (rows,)), null=null)
