"""ORDER BY under MPC by sorting: the rows in order, the valid ones first; and LIMIT by cutting at a public place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.base import OfRows, Tables
from smpc_sql.operators.keys import KeyColumn, is_ascii, key_parts
from smpc_sql.operators.slots import slots_of
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.plan.expressions import Expression
from smpc_sql.protocol.ordering import sort
from smpc_sql.protocol.sorting import destinations_of
from smpc_sql.schema import Interval
from smpc_sql.session import Session


@dataclass(frozen=True, slots=True)
class SortColumn:
    """A sort key: a column of the source, within bounds. ascii: of text whose characters have seven bits."""

    index: int
    bounds: Interval
    descending: bool
    nulls_first: bool
    ascii: bool

    def of(self, columns: Sequence[Column]) -> KeyColumn:
        """The column, as part of a key."""
        return KeyColumn(columns[self.index], self.bounds, self.descending, self.nulls_first, self.ascii)


def sort_column(
    index: int, expression: Expression, *, descending: bool = False, nulls_first: bool = False
) -> SortColumn:
    """A column that holds an expression, as a sort key."""
    bounds = expression.bounds
    return SortColumn(index, bounds, descending, nulls_first, is_ascii(expression.type, bounds))


@dataclass(frozen=True, slots=True)
class SortRows(OfRows):
    """The source's rows sorted by `keys`, those that are not valid last; rows offset … offset + count - 1 of them.

    The first `width` columns are kept, and behind them stands the rank, which is public here: a row's place.
    """

    width: int
    keys: tuple[SortColumn, ...]
    count: int | None
    offset: int

    @property
    def rows(self) -> int:
        """What the limit leaves at most."""
        left = max(0, self.source.rows - self.offset)
        return left if self.count is None else min(self.count, left)

    def describe(self) -> str:
        """See Operator."""
        limit = "" if self.count is None else f", keep {self.count}"
        return f"sort rows by {len(self.keys)} keys{limit}{f' after {self.offset}' if self.offset else ''}"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        reach = max([self.width, *(key.index + 1 for key in self.keys)])
        columns, valid = whole_columns(session, table, range(reach)), whole_valid(session, table)
        del table  # what is not needed any more is let go at once: these are whole columns
        if self.rows == 0:
            return SharedTable((_cut(columns[: self.width], None, slice(0, 0)),))
        invalid = [] if valid is None else [valid ^ session.public(np.uint8(1))]
        keys = [key.of(columns) for key in self.keys]
        del columns[self.width :]
        slots = slots_of(columns, valid)
        kinds = [column.boolean for column in columns]
        del columns, valid
        parts = key_parts(session, invalid, keys)
        del invalid, keys
        if parts:
            ids = [sort(session, parts)]
            moved, _ = slots.routed(session, [destinations_of(session, ids.pop())])
        else:  # nothing to sort by, and all rows count: they stay where they are
            moved = slots
        del slots
        kept = slice(self.offset, self.offset + self.rows)
        ordered = [
            Column((moved.bits if boolean else moved.words)["value", i], moved.bits.get(("is NULL", i)), boolean)
            for i, boolean in enumerate(kinds)
        ]
        piece = _cut(ordered, moved.bits.get("valid"), kept)
        return SharedTable((piece,))


def _cut(columns: list[Column], valid: object, rows: slice) -> Piece:
    """Copies of the rows: the whole columns need not be kept."""
    raws = [
        Raw(c.words[rows].copy(), None if c.null is None else c.null[rows].copy(), secret=True, boolean=c.boolean)
        for c in columns
    ]
    count = rows.stop - rows.start
    rank = Raw(np.arange(count, dtype=np.int64), None, secret=False, boolean=False)
    return Piece(count, (*raws, rank), valid[rows].copy() if isinstance(valid, np.ndarray) else None)
