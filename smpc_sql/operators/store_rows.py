"""Storing: the shares of a relation's rows as a table keeps them. Nothing is opened, nothing leaves a party."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.base import RowForRow, Tables
from smpc_sql.operators.deliver import Pieces
from smpc_sql.operators.whole import whole_columns, whole_valid
from smpc_sql.plan.delivery import Delivery
from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.ring import Array, pack, pad_rows, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import BShare


@dataclass(frozen=True, slots=True)
class StoredRows:
    """One party's shares of rows. See `base.Fragment`."""

    rows: int
    words: dict[str, Array]
    nulls: dict[str, Array]


@dataclass(frozen=True, slots=True)
class StoreRows(RowForRow):
    """The root of a CREATE TABLE AS: a column for every field, and if `valid` names one, a bit for every row.

    What is NULL, or not valid, is 0, as in a table that was loaded: a few rounds, as in a delivery.
    """

    delivery: Delivery
    columns: tuple[str, ...]
    valid: str

    def describe(self) -> str:
        """See Operator."""
        return f"store ({', '.join(self.columns)}){' and which rows are valid' if self.valid else ''}"

    def run(self, session: Session, tables: Tables) -> StoredRows:
        """This party's shares of the rows."""
        table = self.source.run(session, tables)
        columns = whole_columns(session, table, range(len(self.columns)))
        valid = whole_valid(session, table) if self.valid else None
        pieces = Pieces(session, self.delivery, columns, valid, table.rows)
        stored = dict(zip(self.columns, pieces.cleared(), strict=True))
        if self.valid:
            bits = session.public(np.ones(table.rows, dtype=np.uint8)) if valid is None else valid
            stored[self.valid] = _as_words(session, bits)
        nulls = {
            name: _at_rest(pieces.null_share(i), table.rows)
            for i, (name, field) in enumerate(zip(self.columns, self.delivery.relation.fields, strict=True))
            if field.nullable
        }
        return StoredRows(table.rows, {n: np.ascontiguousarray(w, dtype=np.uint64) for n, w in stored.items()}, nulls)


def _as_words(session: Session, bits: Array) -> Array:
    if not len(bits):
        return np.zeros(0, dtype=np.uint64)
    words: Array = to_words(session, BShare(pack(pad_rows(bits))[None]), 64).words[0, : len(bits)]
    return words


def _at_rest(bits: BShare, rows: int) -> Array:
    """Packed bits in the order in which a table keeps them."""
    return np.packbits(unpack(bits.packed)[:rows], bitorder="little")
