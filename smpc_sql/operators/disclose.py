"""Disclosure: the one row of a relation of truths, opened to all parties. Every use is listed by EXPLAIN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.correlations.fields import Zero
from smpc_sql.operators.base import RowForRow, Tables
from smpc_sql.operators.deliver import Pieces
from smpc_sql.operators.whole import whole_columns, whole_valid
from smpc_sql.plan.delivery import Delivery
from smpc_sql.session import Session


@dataclass(frozen=True, slots=True)
class Disclose(RowForRow):
    """The root of a check. The shares are re-randomised before they are opened, so that they show their sums alone.

    One round, a word for each field; and what it takes to turn bits into words.
    """

    delivery: Delivery

    def describe(self) -> str:
        """See Operator."""
        return f"disclose {len(self.delivery.columns)} truths to all parties"

    def run(self, session: Session, tables: Tables) -> tuple[bool, ...]:
        """The truths, in the order of the outputs."""
        table = self.source.run(session, tables)
        columns = whole_columns(session, table, range(len(self.delivery.relation.fields)))
        pieces = Pieces(session, self.delivery, columns, whole_valid(session, table), table.rows)
        words = np.concatenate(pieces.cleared())
        (zero,) = session.deal(Zero(len(words), 64, 0, 0))
        opened = session.open(words + zero)
        return tuple(bool(opened[column.pieces[0]]) for column in self.delivery.columns)
