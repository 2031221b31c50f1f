"""Rows repeated as often as a secret number says, into a public number of slots: what joins of many with many need.

[Krastnikov-Kerschbaum-Stebila 2020: oblivious distribution, and filling up from the row before. Here the network moves
flags only; rows are moved by routes, and filled up by prefix sums of their differences, which are local.]
"""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import bit_product
from smpc_sql.protocol.bits import conjunction_words, decompose
from smpc_sql.protocol.permutation import Rows, route, rows_of
from smpc_sql.protocol.sorting import partition_destinations
from smpc_sql.ring import Array, lane_for, narrow, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


def spread(session: Session, offsets: Array, slots: int) -> Array:
    """Where rows stand when row i moves down by offsets[i] <= slots, which do not descend: bits 0 or 1 [n + slots].

    A network of one level for each bit of an offset, the greatest first: a row whose bit is set moves down by it. Since
    offsets do not descend, no two rows meet. With u bits, in a lane L of at least u + 1:
    1 + log2 L rounds for n offsets, and u of 2 lanes for n + slots. [Goodrich 2011]
    """
    levels = slots.bit_length()
    lane = lane_for(levels + 1)
    bits = decompose(session, np.ascontiguousarray(narrow(offsets, lane)))
    kind = bits.dtype.type
    state = np.zeros(len(offsets) + slots, dtype=bits.dtype)
    state[: len(offsets)] = bits & kind((1 << levels) - 1)
    state[: len(offsets)] |= kind(session.public(1 << levels))  # here stands a row
    for level in reversed(range(levels)):
        moves = np.negative((state >> kind(level)) & kind(1))  # on XOR shares: one bit in all places of a word
        moving = conjunction_words(session, state, moves)
        state = state ^ moving
        step = 1 << level
        state[step:] ^= moving[: len(moving) - step]
    flags: Array = (state >> kind(levels)).astype(np.uint8) & np.uint8(1)
    return flags


def expand(session: Session, rows: Rows, offsets: Array, slots: int) -> Rows:
    """For every slot s < slots the last row whose offset is at most s; offsets do not descend, the first one is 0.

    Words and bits of rows; places are not moved. `spread`, and 3 routes of n + slots rows: rows and slots are merged,
    filled up by prefix sums of differences, and the slots taken out.
    """
    flags = spread(session, offsets, slots)
    total = len(flags)
    count = rows.count
    apart = partition_destinations(session, flags ^ np.uint8(session.public(1)))  # rows first, then slots
    start = np.arange(total, dtype=np.uint32)
    mine = start if session.first else np.zeros_like(start)
    merged = route(session, rows_of(total, places=mine[None]), apart).places[0]
    words = np.zeros((len(rows.words), total), dtype=np.uint64)
    words[:, :count] = np.diff(rows.words, axis=1, prepend=np.zeros((len(rows.words), 1), dtype=np.uint64))
    bits = np.zeros((len(rows.bits), total), dtype=np.uint64)
    bits[:, :count] = rows.bits
    bits[:, 1:count] ^= rows.bits[:, :-1]
    placed = route(session, rows_of(total, words=words, bits=bits), merged)
    full = rows_of(
        total, words=np.cumsum(placed.words, axis=1, dtype=np.uint64), bits=np.bitwise_xor.accumulate(placed.bits, 1)
    )
    found = route(session, full, apart)
    return rows_of(slots, words=found.words[:, count:], bits=found.bits[:, count:])


def carry(session: Session, words: Array, marks: Array) -> Array:
    """Words [w, n] -> for every row those of the last marked row up to it; the first row is marked (bytes [n]).

    The marked rows are brought together, replaced by their differences, put back, and added up. 2 routes, the places of
    a partition, and one selection.
    """
    count = words.shape[1]
    marks = np.ascontiguousarray(marks)
    places = partition_destinations(session, marks ^ np.uint8(session.public(1)))
    start = np.arange(count, dtype=np.uint32)
    mine = start if session.first else np.zeros_like(start)
    rows = rows_of(count, words=np.ascontiguousarray(words), bits=marks.astype(np.uint64)[None], places=mine[None])
    apart = route(session, rows, places)
    steps = np.diff(apart.words, axis=1, prepend=np.zeros((len(words), 1), dtype=np.uint64))
    chosen = bit_product(
        session,
        BShare(pack(pad_rows((apart.bits[0] & np.uint64(1)).astype(np.uint8)))[None]),
        AShare(np.stack([pad_rows(row) for row in steps])[None]),
    ).words[0, :, :count]
    back = route(session, rows_of(count, words=np.ascontiguousarray(chosen)), apart.places[0])
    return np.cumsum(back.words, axis=1, dtype=np.uint64)
