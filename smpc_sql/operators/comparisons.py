"""Comparisons of the rows of a chunk: by a truth table where few differences are possible, else by the sign or by zero.

A step is a generator: it yields tasks (see `tasks`), is sent their results, and gives a datum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from smpc_sql.operators.datum import Bits, Datum, Public, add_constant, pack_public
from smpc_sql.operators.steps import Giving, Rows, Steps, all_of, null_of
from smpc_sql.operators.tasks import (
    IsZero,
    Negative,
    ToWords,
    Truth,
)
from smpc_sql.protocol.boolean import negate, public_bits
from smpc_sql.protocol.lookup import MAX_BITS, table_bits
from smpc_sql.ring import Array, lane_for, narrow, pack, unpack
from smpc_sql.schema import Interval
from smpc_sql.sharing import BShare

TRUTH_TABLE_CODES = 64
"""Up to this many codes a predicate on one value is a truth table (1 round, codes/8 bytes dealt), not a comparison."""


def _as_number(rows: Rows, part: Datum) -> Giving[Array]:
    """Booleans compare as 0 and 1."""
    if isinstance(part, Bits):
        words: Array = yield ToWords(part.bits)
        return words
    return rows.words(part)


def _difference(rows: Rows, parts: list[Datum]) -> Giving[Array]:
    left = yield from _as_number(rows, parts[0])
    if isinstance(parts[1], Public) and parts[1].values.ndim == 0:
        return add_constant(rows.session, left, -int(parts[1].values))
    right = yield from _as_number(rows, parts[1])
    return left - right


def _small(rows: Rows, bounds: Interval, d: Array, table: Sequence[bool]) -> Giving[BShare]:
    """A public predicate of a difference d within bounds, as a truth table over d - low."""
    codes = add_constant(rows.session, narrow(d, 16), -bounds.low)
    found = yield Truth(codes, table_bits(bounds.size), (tuple(int(value) for value in table),))
    return cast("BShare", found[0])


def less(rows: Rows, left: Interval, right: Interval, parts: list[Datum]) -> Steps:
    """left < right, of numbers within these bounds."""
    bounds = left - right
    d = yield from _difference(rows, parts)
    if bounds.size <= TRUTH_TABLE_CODES:
        bits = yield from _small(rows, bounds, d, [bounds.low + i < 0 for i in range(bounds.size)])
    else:
        bits = yield Negative(narrow(d, lane_for(bounds.bits)))
    null = yield from null_of(rows, parts)
    return Bits(bits, null)


def equal(rows: Rows, left: Interval, right: Interval, parts: list[Datum]) -> Steps:
    """left = right, of numbers within these bounds."""
    bounds = left - right
    d = yield from _difference(rows, parts)
    if bounds.size <= TRUTH_TABLE_CODES:
        bits = yield from _small(rows, bounds, d, [bounds.low + i == 0 for i in range(bounds.size)])
    else:
        bits = yield IsZero(narrow(d, _equality_lane(bounds)))
    null = yield from null_of(rows, parts)
    return Bits(bits, null)


def in_set(rows: Rows, bounds: Interval, codes: tuple[int, ...], part: Datum) -> Steps:
    """Whether a value within bounds is among public codes."""
    null = rows.null(part)
    inside = [code for code in codes if code in bounds]
    if not inside:
        return Bits(public_bits(rows.session, pack_public(np.array(False), rows.count)), null)
    x = rows.words(part)
    if bounds.size <= 1 << MAX_BITS:
        wanted = set(inside)
        bits = yield from _small(rows, bounds, x, [bounds.low + i in wanted for i in range(bounds.size)])
        return Bits(bits, null)
    lane = _equality_lane(bounds - bounds)
    x = narrow(x, lane)
    differences = np.concatenate([add_constant(rows.session, x, -code) for code in inside])
    found = yield IsZero(differences)
    outside = [negate(rows.session, BShare(row)) for row in _unstack(found, len(inside))]
    none = yield from all_of(outside)
    return Bits(negate(rows.session, none), null)


def _equality_lane(bounds: Interval) -> int:
    """The narrowest lane in which no value within bounds but 0 is 0."""
    return lane_for(max(abs(bounds.low), abs(bounds.high)).bit_length())


def _unstack(found: BShare, count: int) -> Array:
    """The bits of `count` columns that were tested behind each other -> packed bits of each [count, n/8]."""
    return pack(unpack(found.packed).reshape(count, -1))
