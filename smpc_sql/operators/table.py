"""A relation while a plan runs: shares of its columns, in pieces, with a secret validity for every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from smpc_sql.operators.datum import Bits, Datum, Public, Words, pack_public
from smpc_sql.ring import Array, pack, pad_rows, padded
from smpc_sql.schema import Boolean, SqlType
from smpc_sql.sharing import BShare

CHUNK_ROWS = 1 << 16
"""Rows that one step works on: its arrays stay in the cache, and a message is worth sending."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A column of a piece at rest. words uint64 [rows] are shares if secret, else the values (int64).

    null: one byte 0 or 1 a row [rows] (XOR shares, or public); None if never NULL. A column of shape [] or strides 0
    is the same for all rows. boolean: the words are 0 or 1, and are used as bits.
    """

    words: Array
    null: Array | None
    secret: bool
    boolean: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows with their columns. valid: one byte 0 or 1 a row [rows], XOR-shared; None if all rows are valid."""

    rows: int
    columns: tuple[Raw, ...]
    valid: Array | None = None


class _Typed(Protocol):
    """A field, or an expression: what a column is told by."""

    @property
    def type(self) -> SqlType: ...

    @property
    def nullable(self) -> bool: ...


def empty_piece(columns: Sequence[_Typed]) -> Piece:
    """No rows, of the right columns: operators tell a column's kind by its pieces."""
    words, bits = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint8)
    raws = (Raw(words, bits if c.nullable else None, secret=True, boolean=isinstance(c.type, Boolean)) for c in columns)
    return Piece(0, tuple(raws))


@dataclass(frozen=True, slots=True)
class SharedTable:
    """Pieces stacked on one another; public columns may be constant within a piece (who owns it)."""

    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        """How many rows, valid or not; public."""
        return sum(piece.rows for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows start … start + rows of a piece; `padded` is their number with padding."""

    piece: Piece
    start: int
    rows: int

    @property
    def padded(self) -> int:
        """Rows with padding: a multiple of 8."""
        return padded(self.rows)

    @property
    def shape(self) -> tuple[object, ...]:
        """What the cost of work on it depends on: equal for chunks that cost the same."""
        return self.rows, self.piece.valid is None, *(self._form(raw) for raw in self.piece.columns)

    def _form(self, raw: Raw) -> tuple[object, ...]:
        """What is public of a column here: its kind, and its values if they are."""
        kind = (raw.secret, raw.boolean, raw.null is None, raw.words.strides == (0,))
        if raw.secret:
            return kind
        rows = slice(None) if raw.words.ndim == 0 else slice(self.start, self.start + self.rows)
        values = [column[rows] if column.ndim else column for column in (raw.words, raw.null) if column is not None]
        return (*kind, *(column.tobytes() for column in values))

    def column(self, index: int) -> Datum:
        """One column of the chunk. Local."""
        raw = self.piece.columns[index]
        if raw.words.ndim == 0:
            return Public(raw.words, None if raw.null is None else raw.null.astype(np.bool_))
        rows = slice(self.start, self.start + self.rows)
        if not raw.secret:
            null = None if raw.null is None else pad_rows(raw.null[rows]).astype(np.bool_)
            return Public(pad_rows(raw.words[rows]), null)
        shared_null = None if raw.null is None else BShare(pack_rows(raw.null[rows]))
        words = raw.words[rows]
        if raw.words.strides == (0,):  # one word for all rows stays one
            words = np.broadcast_to(raw.words[:1], (self.padded,))
        words = pad_rows(words)
        # the lowest bits of additive shares are XOR shares of the sum's lowest bit
        return (
            Bits(BShare(pack((words & np.uint64(1)).astype(np.uint8))), shared_null)
            if raw.boolean
            else Words(words, shared_null)
        )

    @property
    def valid_bits(self) -> BShare:
        """The shared validity of the rows of a piece that has one; what it says of padding is anything. Local."""
        assert self.piece.valid is not None
        return BShare(pack_rows(self.piece.valid[self.start : self.start + self.rows]))

    @property
    def real(self) -> Array:
        """Packed bits: which rows are not padding."""
        return pack_public(np.arange(self.padded) < self.rows, self.padded)


def pack_rows(bits: Array) -> Array:
    """Bytes 0 or 1 [rows] -> packed bits of the padded rows."""
    return pack(pad_rows(bits))


def chunks_of(table: SharedTable, rows: int = CHUNK_ROWS) -> list[Chunk]:
    """The table in chunks of at most `rows` rows (a multiple of 8); a chunk never spans two pieces."""
    return [
        Chunk(piece, start, min(rows, piece.rows - start))
        for piece in table.pieces
        for start in range(0, piece.rows, rows)
    ]
