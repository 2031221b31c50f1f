"""Joins in which a row of the left matches at most one row of the right: nothing is expanded, no left row moves.

Both sides' keys are sorted together, the right row of a key before the left ones. The right rows in key order are
brought
together, and each payload is replaced by its difference from the one before; back among the left rows, a prefix sum
then
carries every right row's payload to all rows behind it, locally. A left row has a match if the key that arrived is its
own. [Asharov et al. 2023; Krastnikov-Kerschbaum-Stebila 2020, with a secret permutation instead of a sorting network]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from smpc_sql.operators.base import OfSides, Tables
from smpc_sql.operators.keys import KeyColumn, equal_rows, key_parts
from smpc_sql.operators.side_by_side import run_inputs
from smpc_sql.operators.slots import Slots, stacked
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.boolean import all_of, any_of, conjunction, negate
from smpc_sql.protocol.ordering import sort
from smpc_sql.protocol.permutation import route, routed_places, rows_of
from smpc_sql.protocol.sorting import destinations_of, partition_destinations
from smpc_sql.ring import Array, lane_of, pack, pad_rows, unpack
from smpc_sql.schema import Interval
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

JoinKind = Literal["inner", "left", "semi", "anti", "mark"]


@dataclass(frozen=True, slots=True)
class LookupJoin(OfSides):
    """left_keys = right_keys, columns of either side, compared within `bounds`; NULL matches nothing, but NULL if
    null_safe.

    inner: left rows with a match, and its columns. left: all left rows, NULLs where there is none. semi, anti: left
    rows with, without a match; mark: all left rows, and whether there is one; the right's keys need not be unique then.
    The left's columns are its first `left_width`, which stay as they are, public ones too; keys may stand behind them.
    carried: the right's columns that come to stand beside.
    """

    left_width: int
    carried: tuple[int, ...]
    left_keys: tuple[int, ...]
    right_keys: tuple[int, ...]
    bounds: tuple[Interval, ...]
    kind: JoinKind
    null_safe: bool = False

    @property
    def rows(self) -> int:
        """As many as the left has."""
        return self.left.rows

    def describe(self) -> str:
        """See Operator."""
        return f"look up {len(self.left_keys)} keys in the right rows, {self.kind} join"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        left, right = run_inputs(session, tables, self.inputs)
        payload = whole_columns(session, right, self.carried) if self.kind in ("inner", "left") else []
        if left.rows == 0:
            return self._joined(left, self._nothing(payload), None if self.kind != "inner" else _NO_BITS)
        valid = whole_valid(session, left)
        sides = StackedSides(
            session,
            SideRows(whole_columns(session, left, self.left_keys), valid, left.rows, self.null_safe),
            SideRows(
                whole_columns(session, right, self.right_keys), whole_valid(session, right), right.rows, self.null_safe
            ),
            self.bounds,
        )
        arrived, matched = sides.look_up(payload)
        if self.kind == "left":
            arrived = [_null_unless(session, column, matched) for column in arrived]
        elif self.kind == "mark":
            arrived = [Column(matched, None, boolean=True)]
        else:
            found = matched if self.kind != "anti" else matched ^ session.public(np.uint8(1))
            valid = found if valid is None else _both(session, found, valid)
        return self._joined(left, arrived, valid)

    def _nothing(self, payload: Sequence[Column]) -> list[Column]:
        """What stands beside no rows."""
        if self.kind == "mark":
            return [Column(_NO_BITS, None, boolean=True)]
        nulls = [_NO_BITS if self.kind == "left" or c.null is not None else None for c in payload]
        return [Column(c.words[:0], null, c.boolean) for c, null in zip(payload, nulls, strict=True)]

    def _joined(self, left: SharedTable, more: Sequence[Column], valid: Array | None) -> SharedTable:
        """The left's pieces with the right's columns, cut as they are, behind their own."""
        pieces, start = [], 0
        for piece in left.pieces:
            rows = slice(start, start + piece.rows)
            start += piece.rows
            beside = (
                Raw(c.words[rows], None if c.null is None else c.null[rows], secret=True, boolean=c.boolean)
                for c in more
            )
            columns = (*piece.columns[: self.left_width], *beside)
            pieces.append(Piece(piece.rows, columns, None if valid is None else valid[rows]))
        return SharedTable(tuple(pieces))


_NO_BITS = np.zeros(0, dtype=np.uint8)


def _both(session: Session, one: Array, other: Array) -> Array:
    pair = (BShare(pack(pad_rows(one))), BShare(pack(pad_rows(other))))
    (both,) = conjunction(session, [pair])
    return unpack(both.packed)[: len(one)]


def _null_unless(session: Session, column: Column, matched: Array) -> Column:
    """The column with NULL where there is no match: NULL = not matched or the column's own.

    Its words may be anything there.
    """
    missing = negate(session, BShare(pack(pad_rows(matched))))
    if column.null is not None:
        missing = any_of(session, [missing, BShare(pack(pad_rows(column.null)))])
    return Column(column.words, unpack(missing.packed)[: len(matched)], column.boolean)


@dataclass(frozen=True, slots=True)
class SideRows:
    """A side's keys and validity, of so many rows."""

    keys: Sequence[Column]
    valid: Array | None
    rows: int
    null_safe: bool

    def usable(self, session: Session) -> Array:
        """Rows that are valid and whose keys are not NULL; bytes [rows]."""
        terms = [] if self.valid is None else [BShare(pack(pad_rows(self.valid)))]
        nulls = [] if self.null_safe else [key.null for key in self.keys]
        terms += [negate(session, BShare(pack(pad_rows(null)))) for null in nulls if null is not None]
        if not terms:
            return session.public(np.ones(self.rows, dtype=np.uint8))  # type: ignore[no-any-return]
        return unpack(all_of(session, terms).packed)[: self.rows]


class StackedSides:
    """The rows of both sides behind each other, the right's first: a stable sort keeps them first among equal keys."""

    def __init__(self, session: Session, left: SideRows, right: SideRows, bounds: Sequence[Interval]) -> None:
        self.session = session
        self.left = left
        self.right = right
        self.rows = left.rows + right.rows
        usable = np.concatenate([right.usable(session), left.usable(session)])
        self.usable = usable
        columns = [
            KeyColumn(_stacked(there, here, left.null_safe), within)
            for here, there, within in zip(left.keys, right.keys, bounds, strict=True)
        ]
        self.parts = key_parts(session, [usable ^ session.public(np.uint8(1))], columns, ordered=False)

    def look_up(self, payload: Sequence[Column]) -> tuple[list[Column], Array]:
        """What arrives at the left rows of the right's columns, and whether it is of a match; bytes [left rows]."""
        session = self.session
        ids = [sort(session, self.parts)]
        right_ids, places = self._apart(ids[0])
        held = [right_ids, places]
        del right_ids, places
        steps, changes = self._steps(payload, [held.pop(0)])
        home = self._carried(steps, changes, held)
        del steps
        found, arrived = home.routed(session, ids, changes)
        return self._arrived(payload, list(found.words.values()), arrived)

    def _apart(self, ids: Array) -> tuple[Array, Array]:
        """Of the right rows in key order where they stood; and of right and left rows their places in key order."""
        session, ahead = self.session, self.right.rows
        is_left = np.concatenate([np.zeros(ahead, dtype=np.uint8), np.ones(self.left.rows, dtype=np.uint8)])
        side = route(
            session, rows_of(self.rows, bits=session.public(is_left)[None]), destinations_of(session, ids)
        ).bits[0]
        start = np.arange(self.rows, dtype=np.uint32)
        if not session.first:
            start.fill(0)
        found = routed_places(session, [ids, start, partition_destinations(session, side & np.uint8(1))])
        return found[0][:ahead].copy(), found[1].copy()

    def _steps(self, payload: Sequence[Column], ids: list[Array]) -> tuple[Slots, list[Array]]:
        """The right rows in key order as differences from the row before, and zeros for the left rows.

        Words are differences, keys (with a bit that there is one) XORs. ids: a list of one, which is used up.
        """
        session, ahead = self.session, self.right.rows
        right = Slots(dict(enumerate(self._payload_words(payload))), {})
        keys = self._keys(slice(0, ahead))
        if ahead:
            right, ordered = right.routed(session, [destinations_of(session, ids.pop())], keys)
            keys = list(ordered)
            del ordered
        behind = self.rows - ahead
        for name, words in right.words.items():
            step = np.diff(words, prepend=np.zeros(1, dtype=words.dtype))
            right.words[name] = np.concatenate([step, np.zeros(behind, dtype=words.dtype)])
        for place, bits in enumerate(keys):
            change = bits[1:] ^ bits[:-1]
            keys[place] = np.concatenate([bits[:1], change, np.zeros(behind, dtype=bits.dtype)])
        return right, keys

    def _carried(self, steps: Slots, changes: list[Array], places: list[Array]) -> Slots:
        """What stands in front, put back to places among all rows, and added up: every row has what came before it.

        The changes are replaced by keys.
        """
        found, keys = steps.routed(self.session, places, changes)
        changes[:] = [np.bitwise_xor.accumulate(each, out=each) for each in keys]
        for words in found.words.values():
            np.cumsum(words, dtype=np.uint64, out=words)
        return found

    def _keys(self, rows: slice) -> list[Array]:
        """The keys of some rows, and a bit that there is one: behind them, or where the last one has room."""
        parts = [part.bits[rows] for part in self.parts]
        last = parts[-1]
        if self.parts[-1].width < lane_of(last):
            there = last.dtype.type(1 << (lane_of(last) - 1))
            return [*parts[:-1], last ^ self.session.public(there)]
        there = np.ones(rows.stop - rows.start, dtype=last.dtype if len(parts) == 1 else np.uint64)
        return [*parts, self.session.public(there)]

    def _payload_words(self, payload: Sequence[Column]) -> list[Array]:
        """The right's columns as words: booleans and NULLs too, since what is carried is added up."""
        bits = [c.words for c in payload if c.boolean] + [c.null for c in payload if c.null is not None]
        words = [c.words for c in payload if not c.boolean]
        if bits:
            packed = np.stack([pack(pad_rows(each)) for each in bits])
            words += list(to_words(self.session, BShare(packed), 64).words[:, : self.right.rows])
        return words

    def _arrived(self, payload: Sequence[Column], carried: Sequence[Array], keys: Array) -> tuple[list[Column], Array]:
        ahead = self.right.rows
        words = [each[ahead:] for each in carried]
        plain = sum(not column.boolean for column in payload)
        values = iter(words[:plain])
        bits = ((each & np.uint64(1)).astype(np.uint8) for each in words[plain:])
        given = [next(bits) if column.boolean else next(values) for column in payload]
        nulls = [None if column.null is None else next(bits) for column in payload]
        columns = [Column(g, n, c.boolean) for g, n, c in zip(given, nulls, payload, strict=True)]
        return columns, self._matches(keys[:, ahead:])

    def _matches(self, arrived: Array) -> Array:
        """The key that arrived is the row's own, there is one, and the row's key is usable."""
        ahead = self.right.rows
        same = equal_rows(self.session, stacked(self._keys(slice(ahead, self.rows))), arrived)
        pair = (BShare(pack(pad_rows(same))), BShare(pack(pad_rows(self.usable[ahead:]))))
        (both,) = conjunction(self.session, [pair])
        return unpack(both.packed)[: self.left.rows]


def _stacked(right: Column, left: Column, null_safe: bool) -> Column:
    """A key column of both sides; NULLs count as unusable, and as values only if null_safe."""
    words = np.concatenate([right.words, left.words])
    if not null_safe or (right.null is None and left.null is None):
        return Column(words, None, left.boolean)
    nulls = [np.zeros(len(c.words), dtype=np.uint8) if c.null is None else c.null for c in (right, left)]
    return Column(words, np.concatenate(nulls), left.boolean)
