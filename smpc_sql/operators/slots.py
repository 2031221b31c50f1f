"""Columns that are moved together, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.whole import Column
from smpc_sql.protocol.permutation import Rows
from smpc_sql.ring import Array, dtype_of, lane_for

_NONE: Array = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Slots:
    """words: shares mod 2^64 [n]; bits: bytes 0 or 1 [n], XOR shares. Names are the operator's own."""

    words: dict[object, Array]
    bits: dict[object, Array]

    def rows(self, count: int) -> Rows:
        """As rows: all bits in words of 64, or few ones in a narrower lane."""
        words = np.stack(list(self.words.values())) if self.words else np.empty((0, count), dtype=np.uint64)
        lane = lane_for(min(64, len(self.bits)))
        kind = dtype_of(lane).type
        packed = np.zeros((-(-len(self.bits) // lane), count), dtype=kind)
        for place, bits in enumerate(self.bits.values()):
            packed[place // lane] |= bits.astype(kind) << kind(place % lane)
        return Rows(words, packed, np.empty((0, count), dtype=np.uint32))

    def taken(self, count: int) -> Rows:
        """The same; only the names stay here, for `of`."""
        rows = self.rows(count)
        for columns in (self.words, self.bits):
            columns.update(dict.fromkeys(columns, _NONE))
        return rows

    def of(self, rows: Rows) -> Slots:
        """The same columns of rows that `rows` made, moved; their bits may have come into a wider lane."""
        lane, kind = lane_for(min(64, len(self.bits))), rows.bits.dtype.type
        bits = {
            name: (rows.bits[place // lane] >> kind(place % lane)).astype(np.uint8) & np.uint8(1)
            for place, name in enumerate(self.bits)
        }
        return Slots(dict(zip(self.words, rows.words, strict=True)), bits)


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
