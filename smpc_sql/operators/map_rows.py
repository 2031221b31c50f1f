"""Filter and project: every row to one row, chunk by chunk; a row that is filtered out stays, and is not valid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.errors import InternalError
from smpc_sql.operators.base import ChunkColumns, RowForRow, Tables, where
from smpc_sql.operators.datum import Bits, Datum, Public, Spelled, null_share
from smpc_sql.operators.evaluate import evaluate
from smpc_sql.operators.load import row_bytes, steps_of
from smpc_sql.operators.mask import Mask, mask_of, mask_of_chunk, resolve
from smpc_sql.operators.table import Chunk, Piece, Raw, SharedTable, chunks_of, empty_piece
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import Expression
from smpc_sql.ring import Array, unpack
from smpc_sql.schema import Boolean
from smpc_sql.session import Session


@dataclass(frozen=True, slots=True)
class MapRows(RowForRow):
    """The expressions of every row; valid where the row was and the predicate is true."""

    predicate: Expression | None
    expressions: tuple[Expression, ...]

    def describe(self) -> str:
        """See Operator."""
        return f"map rows to {', '.join(map(explain_expression, self.expressions)) or 'nothing'}{where(self.predicate)}"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        wanted = [*self.expressions, *([] if self.predicate is None else [self.predicate])]
        steps = steps_of(row_bytes(wanted))
        pieces = session.fork(self._chunk, chunks_of(table, steps.rows), lambda chunk: chunk.shape, steps.at_once)
        return SharedTable(tuple(pieces) or (empty_piece(self.expressions),))

    def _chunk(self, session: Session, chunk: Chunk) -> Piece:
        wanted = list(dict.fromkeys([*([] if self.predicate is None else [self.predicate]), *self.expressions]))
        found = evaluate(session, wanted, ChunkColumns(chunk), chunk.padded)
        values = dict(zip(wanted, found, strict=True))
        mask = mask_of_chunk(chunk)
        mask = Mask(None, mask.secret)  # padding is cut off again
        if self.predicate is not None:
            mask = mask & mask_of(session, values[self.predicate], chunk.padded)
        (mask,) = resolve(session, [mask])
        columns = tuple(_rest(session, e, values[e], chunk) for e in self.expressions)
        return Piece(chunk.rows, columns, _valid(session, mask, chunk))


def _valid(session: Session, mask: Mask, chunk: Chunk) -> Array | None:
    if mask.secret:
        return unpack(mask.bits.packed)[: chunk.rows]
    if mask.public is None:
        return None
    return session.public(unpack(mask.public)[: chunk.rows])  # type: ignore[no-any-return]


def _rest(session: Session, expression: Expression, datum: Datum, chunk: Chunk) -> Raw:
    """A column of a chunk put to rest."""
    boolean = isinstance(expression.type, Boolean)
    if isinstance(datum, Public):
        return _rest_public(datum, boolean, chunk.rows)
    if isinstance(datum, Spelled):
        raise InternalError("spelled text is no column")
    null = null_share(session, datum, chunk.padded)
    null_bytes = None if null is None else unpack(null.packed)[: chunk.rows]
    if isinstance(datum, Bits):
        return Raw(unpack(datum.bits.packed)[: chunk.rows], null_bytes, secret=True, boolean=True)
    return Raw(datum.words[: chunk.rows], null_bytes, secret=True, boolean=boolean)


def _rest_public(datum: Public, boolean: bool, rows: int) -> Raw:
    null = None if datum.null is None else datum.null.astype(np.uint8)
    if datum.values.ndim == 0 and (null is None or null.ndim == 0):
        return Raw(datum.values.astype(np.int64), null, secret=False, boolean=boolean)
    values = _rows_of(datum.values.astype(np.int64), rows)
    return Raw(values, None if null is None else _rows_of(null, rows), secret=False, boolean=boolean)


def _rows_of(values: Array, rows: int) -> Array:
    """Values of shape [] or with padding -> [rows]."""
    return np.broadcast_to(values, (rows,)) if values.ndim == 0 else values[:rows]
