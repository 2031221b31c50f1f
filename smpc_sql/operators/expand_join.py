"""Joins in which a row may match many rows on either side: one row for every pair, in a public number of slots.

Both sides' keys are sorted together. Counts along the order give every row its degree (how many partners it has), so
running sums of degrees say in which slots its copies begin. Both sides are expanded to the slots; in the block of a key
the left's copies of a row are neighbours, and a copy q of the right's row r goes to place r + q * (how many right rows
the key has), which is a permutation. Slots that are left over are no valid rows. Whether all pairs found a slot is
opened; if not, the query fails. [Krastnikov-Kerschbaum-Stebila 2020, with secret permutations for sorting networks]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.errors import QueryError
from smpc_sql.operators.base import OfSides, Tables
from smpc_sql.operators.keys import differs_from_previous
from smpc_sql.operators.lookup_join import SideRows, StackedSides
from smpc_sql.operators.side_by_side import run_inputs
from smpc_sql.operators.slots import Slots, slots_of
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.protocol.arithmetic import bit_product, multiply, to_words
from smpc_sql.protocol.comparison import negative
from smpc_sql.protocol.expansion import carry, expand
from smpc_sql.protocol.ordering import sort
from smpc_sql.protocol.permutation import Rows, route, rows_of
from smpc_sql.protocol.sorting import destinations_of, in_order, partition_destinations
from smpc_sql.ring import Array, narrow, pack, pad_rows, unpack
from smpc_sql.schema import Interval
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


@dataclass(frozen=True, slots=True)
class ExpandJoin(OfSides):
    """Every left row beside every right row with equal keys, compared within `bounds`; a NULL key matches nothing.

    The left's columns are its first `left_width`, of the right's those that are `carried`. limit: slots, which must do.
    sized: they are as many as were opened as the join's size.
    """

    left_width: int
    carried: tuple[int, ...]
    left_keys: tuple[int, ...]
    right_keys: tuple[int, ...]
    bounds: tuple[Interval, ...]
    limit: int
    sized: bool = False

    @property
    def rows(self) -> int:
        """The slots; none if a side has no rows."""
        return self.limit if self.left.rows and self.right.rows else 0

    @property
    def discloses(self) -> str:
        """What all parties learn."""
        opened = ", as was opened before" if self.sized else ""
        return f"whether a join has more than {self.limit} pairs of rows{opened} (then the query fails)"

    def describe(self) -> str:
        """See Operator."""
        return f"expand rows with {len(self.left_keys)} equal keys to pairs"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        left, right = run_inputs(session, tables, self.inputs)
        columns = whole_columns(session, left, range(self.left_width))
        beside = whole_columns(session, right, self.carried)
        if not self.rows:
            empty = [_no_rows(column) for column in (*columns, *beside)]
            return SharedTable((Piece(0, tuple(map(_raw, empty)), np.zeros(0, dtype=np.uint8)),))
        pairs = Pairs(session, stacked(session, left, right, self.left_keys, self.right_keys, self.bounds))
        self._check(session, pairs)
        mine, others, valid = pairs.expanded(slots_of(columns, None), slots_of(beside, None), self.limit)
        found = [*_columns(columns, mine), *_columns(beside, others)]
        return SharedTable((Piece(self.limit, tuple(map(_raw, found)), valid),))

    def _check(self, session: Session, pairs: Pairs) -> None:
        """Opens whether there are too many pairs, and then raises QueryError."""
        room = np.full(1, session.public(np.uint64(self.limit)), dtype=np.uint64) - pairs.total
        too_many = unpack(negative(session, AShare(pad_rows(room))).packed)[:1]
        if session.disclosed(too_many):
            why = "were opened as its size: give it a bound, JOIN_ROWS" if self.sized else "JOIN_ROWS allows for"
            raise QueryError(f"a join has more than the {self.limit} pairs of rows that {why}")


def stacked(
    session: Session,
    left: SharedTable,
    right: SharedTable,
    left_keys: Sequence[int],
    right_keys: Sequence[int],
    bounds: tuple[Interval, ...],
) -> StackedSides:
    """Both sides' keys, to be sorted together."""
    return StackedSides(
        session,
        SideRows(whole_columns(session, left, left_keys), whole_valid(session, left), left.rows, False),
        SideRows(whole_columns(session, right, right_keys), whole_valid(session, right), right.rows, False),
        bounds,
    )


def _raw(column: Column) -> Raw:
    return Raw(column.words, column.null, secret=True, boolean=column.boolean)


def _no_rows(column: Column) -> Column:
    return Column(column.words[:0], None if column.null is None else column.null[:0], column.boolean)


def _columns(like: Sequence[Column], slots: Slots) -> list[Column]:
    return [
        Column((slots.bits if c.boolean else slots.words)["value", i], slots.bits.get(("is NULL", i)), c.boolean)
        for i, c in enumerate(like)
    ]


class Pairs:
    """The pairs of both sides. words: mod 2^64; row numbers, degrees and slots are below 2^32.

    total: shares of how many pairs there are, uint64 [1].
    """

    def __init__(self, session: Session, sides: StackedSides) -> None:
        self.session = session
        self.ahead = sides.right.rows
        self.rows = sides.rows
        self.ids = sort(session, sides.parts)
        self.sorted, key = self._sorted(sides, np.arange(self.rows) >= self.ahead)
        self._degrees(differs_from_previous(session, key))

    def expanded(self, left: Slots, right: Slots, limit: int) -> tuple[Slots, Slots, Array]:
        """The left's and the right's columns for every slot, and whether a pair stands there; bytes [limit]."""
        self._part()
        session, behind = self.session, self.rows - self.ahead
        own = np.uint32(session.public(np.uint32(self.ahead)))
        mine = self._ordered(left.rows(behind), self.left_ids - own)
        mine = expand(session, mine, self.left_offset, limit)
        ordered = self._ordered(right.rows(self.ahead), self.right_ids)
        numbers = self.right_numbers
        # behind the last pair stands a row without values, whose copies stay where they are
        end = np.stack([self.total, self.total, np.full(1, session.public(np.uint64(1)), dtype=np.uint64)])
        words = np.concatenate([_with_end(ordered.words), np.concatenate([numbers, end], axis=1)])
        real = np.concatenate([np.full(self.ahead, session.public(np.uint64(1))), np.zeros(1, dtype=np.uint64)])
        bits = np.concatenate([_with_end(ordered.bits), real.astype(np.uint64)[None]])
        filled = expand(session, rows_of(self.ahead + 1, words=words, bits=bits), words[-3], limit)
        aligned = route(session, rows_of(limit, words=filled.words[:-3], bits=filled.bits), self._places(filled, limit))
        valid = (aligned.bits[-1] & np.uint64(1)).astype(np.uint8)
        return left.of(mine), right.of(rows_of(limit, words=aligned.words, bits=aligned.bits[:-1])), valid

    def _places(self, filled: Rows, limit: int) -> Array:
        """The block's start + r + q * (right rows of the key), for the copy q that stands in a slot. Mod 2^32."""
        offset, base, often = (narrow(words, 32) for words in filled.words[-3:])
        slot = np.arange(limit, dtype=np.uint32)
        copy = (slot if self.session.first else np.zeros_like(slot)) - offset
        moved = multiply(self.session, AShare(pad_rows(copy)), AShare(pad_rows(often))).words[:limit]
        places: Array = base + moved
        return places

    def _sorted(self, sides: StackedSides, is_left: Array) -> tuple[Array, Array]:
        """In sorted order: right rows that may match, left ones that may, all left ones: bytes [3, n]; and the keys."""
        session, usable = self.session, sides.usable
        bits = np.stack([usable & ~is_left, usable & is_left, session.public(is_left.astype(np.uint8))])
        packed = sum(row.astype(np.uint64) << np.uint64(i) for i, row in enumerate(bits))
        moved, key = in_order(session, rows_of(self.rows, bits=np.stack([packed])), sides.parts, self.ids)
        flags = [(moved.bits[0] >> np.uint64(i)).astype(np.uint8) & np.uint8(1) for i in range(3)]
        return np.stack(flags), key

    def _degrees(self, starts: Array) -> None:
        session = self.session
        flags = BShare(np.stack([pack(pad_rows(row)) for row in self.sorted[:2]]))
        rights, lefts = to_words(session, flags, 64).words[:, : self.rows]
        right_count, left_count = np.cumsum(rights, dtype=np.uint64), np.cumsum(lefts, dtype=np.uint64)
        (right_start,) = carry(session, (right_count - rights)[None], starts)
        ends = np.concatenate([starts[1:], np.full(1, session.public(1), dtype=np.uint8)])
        backwards = carry(session, np.stack([right_count, left_count])[:, ::-1], ends[::-1])
        right_end, left_end = backwards[:, ::-1]
        often = right_end - right_start
        # the right's rows of a key come first: behind them all left rows of the key are still to come
        degrees = np.stack([left_end - left_count, often])
        chosen = bit_product(session, flags, AShare(np.stack([pad_rows(row)[None] for row in degrees])))
        of_right, of_left = chosen.words[:, 0, : self.rows]
        slots = np.cumsum(of_left, dtype=np.uint64)
        self.total = slots[-1:]
        own = right_count - np.uint64(session.public(np.uint64(1))) - right_start
        copies = np.cumsum(of_right, dtype=np.uint64)
        self.numbers = np.stack([slots - of_left, copies - of_right, slots + own, often])

    def _part(self) -> None:
        """The sorted rows by side: their numbers, and where they stood."""
        session = self.session
        places = partition_destinations(session, self.sorted[2])
        apart = route(session, rows_of(self.rows, words=self.numbers, places=self.ids[None]), places)
        self.left_offset = apart.words[0, self.ahead :]
        self.right_numbers = apart.words[1:, : self.ahead]
        self.right_ids, self.left_ids = apart.places[0, : self.ahead], apart.places[0, self.ahead :]

    def _ordered(self, rows: Rows, ids: Array) -> Rows:
        return route(self.session, rows, destinations_of(self.session, ids))


def _with_end(columns: Array) -> Array:
    return np.concatenate([columns, np.zeros((len(columns), 1), dtype=np.uint64)], axis=1)
