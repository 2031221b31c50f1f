"""Shuffle: the same rows in an order that nobody knows, so that a position says nothing about where a row came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.base import RowForRow, Tables
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.permutation import shuffled_words
from smpc_sql.ring import Array, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import BShare


@dataclass(frozen=True, slots=True)
class ShuffleRows(RowForRow):
    """All columns, NULLs and validities as words in one table, shuffled at once.

    One round for bits, one for each party.
    """

    columns: int

    def describe(self) -> str:
        """See Operator."""
        return "shuffle rows"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        columns = whole_columns(session, table, range(self.columns))
        valid = whole_valid(session, table)
        bits = _bits(columns, valid)
        words = [column.words for column in columns if not column.boolean]
        if bits:
            words += _as_words(session, bits)
        if not words:
            return table
        return SharedTable((_rebuilt(columns, valid, shuffled_words(session, words), table.rows),))


def _bits(columns: list[Column], valid: Array | None) -> list[Array]:
    """Everything that is one byte a row: boolean columns, NULLs, validity; in this order."""
    found = [column.words for column in columns if column.boolean]
    found += [column.null for column in columns if column.null is not None]
    return found if valid is None else [*found, valid]


def _as_words(session: Session, bits: list[Array]) -> list[Array]:
    rows = len(bits[0])
    packed = np.stack([pack(pad_rows(each)) for each in bits])
    return [row[:rows] for row in to_words(session, BShare(packed), 64).words]


def _rebuilt(columns: list[Column], valid: Array | None, shuffled: list[Array], rows: int) -> Piece:
    plain = sum(not column.boolean for column in columns)
    words = iter(shuffled[:plain])
    bits = ((each & np.uint64(1)).astype(np.uint8) for each in shuffled[plain:])
    values = {i: next(bits) if column.boolean else next(words) for i, column in enumerate(columns)}
    nulls = {i: next(bits) for i, column in enumerate(columns) if column.null is not None}
    raws = tuple(Raw(values[i], nulls.get(i), secret=True, boolean=column.boolean) for i, column in enumerate(columns))
    return Piece(rows, raws, None if valid is None else next(bits))
