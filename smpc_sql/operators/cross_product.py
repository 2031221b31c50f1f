"""Cross join of small tables: every row of the left beside every row of the right, without sending a share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.base import OfSides, Tables
from smpc_sql.operators.side_by_side import run_inputs
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.protocol.boolean import conjunction
from smpc_sql.ring import Array, pack, pad_rows, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import BShare


@dataclass(frozen=True, slots=True)
class CrossProduct(OfSides):
    """The left's rows, each as often as the right has rows. One round, for rows that are valid on both sides."""

    left_width: int
    right_width: int

    @property
    def rows(self) -> int:
        """The product."""
        return self.left.rows * self.right.rows

    def describe(self) -> str:
        """See Operator."""
        return "every pair of rows"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        left, right = run_inputs(session, tables, self.inputs)
        often, times = right.rows, left.rows
        columns = [_repeated(c, often) for c in whole_columns(session, left, range(self.left_width))]
        columns += [_tiled(c, times) for c in whole_columns(session, right, range(self.right_width))]
        valid_left, valid_right = whole_valid(session, left), whole_valid(session, right)
        valid = _both(
            session,
            None if valid_left is None else np.repeat(valid_left, often),
            None if valid_right is None else np.tile(valid_right, times),
        )
        raws = tuple(Raw(c.words, c.null, secret=True, boolean=c.boolean) for c in columns)
        return SharedTable((Piece(self.rows, raws, valid),))


def _repeated(column: Column, often: int) -> Column:
    null = None if column.null is None else np.repeat(column.null, often)
    return Column(np.repeat(column.words, often), null, column.boolean)


def _tiled(column: Column, times: int) -> Column:
    null = None if column.null is None else np.tile(column.null, times)
    return Column(np.tile(column.words, times), null, column.boolean)


def _both(session: Session, left: Array | None, right: Array | None) -> Array | None:
    if left is None or right is None or not len(left):
        return right if left is None else left
    (both,) = conjunction(session, [(BShare(pack(pad_rows(left))), BShare(pack(pad_rows(right))))])
    return unpack(both.packed)[: len(left)]
