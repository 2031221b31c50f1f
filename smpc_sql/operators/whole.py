"""Whole columns: the pieces of a table stacked, for the operators that look at all rows together (few rows, as a
rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.datum import Public, share_of_words
from smpc_sql.operators.table import CHUNK_ROWS, Raw, SharedTable
from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.ring import Array, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


@dataclass(frozen=True, slots=True)
class Column:
    """A whole column of a table as this party's share: words uint64 [rows], null bytes [rows] or None."""

    words: Array
    null: Array | None
    boolean: bool


def whole_columns(session: Session, table: SharedTable, indices: Sequence[int]) -> list[Column]:
    """Columns of all pieces as shares, public ones too; booleans as bytes 0 or 1 (XOR shares). Local.

    A column of a single piece is not copied: nobody writes to it.
    """
    return [_whole(session, [(piece.columns[index], piece.rows) for piece in table.pieces]) for index in indices]


def _whole(session: Session, parts: Sequence[tuple[Raw, int]]) -> Column:
    if not parts:
        return Column(np.zeros(0, dtype=np.uint64), None, boolean=False)
    boolean = parts[0][0].boolean
    if len(parts) == 1:
        ((raw, rows),) = parts
        null = None if raw.null is None else np.ascontiguousarray(_null_bytes(session, raw, rows))
        return Column(np.ascontiguousarray(_share(session, raw, rows)), null, boolean)
    words = np.concatenate([_share(session, raw, rows) for raw, rows in parts])
    if all(raw.null is None for raw, _ in parts):
        return Column(words, None, boolean)
    return Column(words, np.concatenate([_null_bytes(session, raw, rows) for raw, rows in parts]), boolean)


def _share(session: Session, raw: Raw, rows: int) -> Array:
    if raw.boolean:
        bits = (raw.words & raw.words.dtype.type(1)).astype(np.uint8)
        return np.broadcast_to(bits if raw.secret else session.public(bits), (rows,))
    if raw.secret:
        return np.broadcast_to(raw.words, (rows,))
    return share_of_words(session, Public(raw.words), rows)


def _null_bytes(session: Session, raw: Raw, rows: int) -> Array:
    if raw.null is None:
        return np.zeros(rows, dtype=np.uint8)
    return np.broadcast_to(raw.null if raw.secret else session.public(raw.null), (rows,))


def whole_valid(session: Session, table: SharedTable) -> Array | None:
    """The validity of all pieces, one byte a row (XOR shares); None if all rows are valid. Local."""
    if all(piece.valid is None for piece in table.pieces):
        return None
    return np.concatenate(
        [session.public(np.ones(p.rows, dtype=np.uint8)) if p.valid is None else p.valid for p in table.pieces]
    )


def row_slices(rows: int) -> list[slice]:
    """Rows in steps of CHUNK_ROWS; one of none if there are none."""
    return [slice(at, min(at + CHUNK_ROWS, rows)) for at in range(0, max(1, rows), CHUNK_ROWS)]


def slice_length(rows: slice) -> int:
    """How many rows a step has: what its cost depends on."""
    return int(rows.stop - rows.start)


def selected(session: Session, bits: Sequence[Array], words: Sequence[Array]) -> list[Array]:
    """bit*word: of every column words [n] those where its bytes 0 or 1 [n] (XOR shares) are set; else 0.

    One round, in steps side by side.
    """

    def product(branch: Session, rows: slice) -> Array:
        packed = BShare(np.stack([pack(pad_rows(each[rows])) for each in bits]))
        values = AShare(np.stack([pad_rows(each[rows]) for each in words])[:, None])
        return bit_product(branch, packed, values).words[:, 0, : slice_length(rows)]

    found = session.fork(product, row_slices(len(words[0])), slice_length)
    return list(np.concatenate(found, axis=1))


def counted(session: Session, bits: Sequence[Array]) -> list[Array]:
    """Bytes 0 or 1 [n] (XOR shares) as words 0 or 1 uint64 [n]. One round, in steps side by side."""

    def words(branch: Session, rows: slice) -> Array:
        packed = BShare(np.stack([pack(pad_rows(each[rows])) for each in bits]))
        return to_words(branch, packed, 64).words[:, : slice_length(rows)]

    found = session.fork(words, row_slices(len(bits[0])), slice_length)
    return list(np.concatenate(found, axis=1))
