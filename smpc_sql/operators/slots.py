"""Columns that are moved together, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.whole import Column
from smpc_sql.protocol.columns import Shares, are_many, routed_columns
from smpc_sql.protocol.permutation import Rows, route
from smpc_sql.protocol.sorting import KeyPart, destinations_of
from smpc_sql.ring import Array, dtype_of, lane_for
from smpc_sql.session import Session

_NONE: Array = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Slots:
    """words: shares mod 2^64 [n]; bits: bytes 0 or 1 [n], XOR shares. Names are the operator's own."""

    words: dict[object, Array]
    bits: dict[object, Array]

    def rows(self, count: int) -> Rows:
        """As rows: all bits in words of 64, or few ones in a narrower lane."""
        words = np.stack(list(self.words.values())) if self.words else np.empty((0, count), dtype=np.uint64)
        return Rows(words, self._packed(count), np.empty((0, count), dtype=np.uint32))

    def _packed(self, count: int) -> Array:
        lane = lane_for(min(64, len(self.bits)))
        kind = dtype_of(lane).type
        packed = np.zeros((-(-len(self.bits) // lane), count), dtype=kind)
        for place, bits in enumerate(self.bits.values()):
            packed[place // lane] |= bits.astype(kind) << kind(place % lane)
        return packed

    def taken(self, count: int) -> Rows:
        """The same; only the names stay here, for `of`."""
        rows = self.rows(count)
        self._let_go()
        return rows

    def _let_go(self) -> None:
        for columns in (self.words, self.bits):
            columns.update(dict.fromkeys(columns, _NONE))

    def routed(self, session: Session, places: list[Array], more: Sequence[Array] = ()) -> tuple[Slots, Array]:
        """These columns, and behind them words of XOR-shared bits [k, n], at their places uint32 [n], a list of one.

        The places and these columns are used up. A route: many rows move column by column, none of them copied.
        """
        count = len(places[0])
        if not are_many(count):
            rows = self.taken(count)
            bits, cut = np.concatenate([rows.bits, *(each[None] for each in more)]), len(rows.bits)
            found = route(session, Rows(rows.words, bits, rows.places), places.pop())
            return self.of(Rows(found.words, found.bits[:cut], found.places)), found.bits[cut:]
        packed = self._packed(count)
        columns = [Shares(each, xor=False) for each in self.words.values()]
        columns += [Shares(each, xor=True) for each in (*packed, *more)]
        columns.append(Shares(places.pop(), xor=False))
        cut, behind = len(self.words), len(self.words) + len(packed)
        self._let_go()
        del packed, more
        moved = routed_columns(session, columns)
        kept = stacked(moved[behind:], count)
        del moved[behind:]
        bits = stacked(moved[cut:], count)
        return Slots(dict(zip(self.words, moved[:cut], strict=True)), self._bits_of(bits)), kept

    def of(self, rows: Rows) -> Slots:
        """The same columns of rows that `rows` made, moved; their bits may have come into a wider lane."""
        return Slots(dict(zip(self.words, rows.words, strict=True)), self._bits_of(rows.bits))

    def _bits_of(self, packed: Array) -> dict[object, Array]:
        lane, kind = lane_for(min(64, len(self.bits))), packed.dtype.type
        return {
            name: (packed[place // lane] >> kind(place % lane)).astype(np.uint8) & np.uint8(1)
            for place, name in enumerate(self.bits)
        }


def stacked(columns: Sequence[Array], count: int = 0) -> Array:
    """Columns [k, n] in the widest of their lanes; a single one is not copied."""
    if not columns:
        return np.empty((0, count), dtype=np.uint8)
    return columns[0][None] if len(columns) == 1 else np.stack(columns)


def sorted_slots(session: Session, slots: Slots, key: Sequence[KeyPart], ids: list[Array]) -> tuple[Slots, Array]:
    """`in_order` of named columns: they, and their key's parts [parts, n], in the order of the sort that gave `ids`.

    ids: a list of one; it and the columns are used up.
    """
    places = [destinations_of(session, ids.pop())]
    return slots.routed(session, places, [part.bits for part in key])


def slots_of(columns: Sequence[Column], valid: Array | None) -> Slots:
    """Whole columns by ("value", i) and ("is NULL", i), and "valid" where there is a validity."""
    slots = Slots({}, {})
    for i, column in enumerate(columns):
        (slots.bits if column.boolean else slots.words)["value", i] = column.words
        if column.null is not None:
            slots.bits["is NULL", i] = column.null
    if valid is not None:
        slots.bits["valid"] = valid
    return slots
