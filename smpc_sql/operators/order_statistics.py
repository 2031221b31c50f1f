"""Which rows of sorted groups hold an order statistic: one comparison a row. Nothing is disclosed.

With r the row's number among those of its group that take part, from 0, and n how many these are, the wanted row is the
last with divisor * r <= factor * n + offset: rows up to there say yes, those behind it no.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.operators.carry import from_last
from smpc_sql.plan.places import Place
from smpc_sql.protocol.boolean import conjunction
from smpc_sql.protocol.comparison import negative
from smpc_sql.ring import Array, lane_for, narrow, pack, pad_rows, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


def marked(session: Session, taken: Array, first: Array, places: Sequence[Place], *, keyed: bool) -> BShare:
    """For sorted rows and every place the row of each group that holds it: packed bits [places, n].

    taken: words [n], how many rows up to this one take part, over all groups; within a group those that do not come
    first, or beside an equal one that does. first: bytes [n], XOR shares: whether a group starts with the row. keyed:
    whether there may be several groups with such rows. Where no row takes part, any row or none is marked.
    """
    rows = len(taken)
    last = np.concatenate([first[1:], np.full(1, session.public(1), dtype=np.uint8)])
    if keyed:
        (end,), (size,) = from_last(session, taken[None], last)
    else:
        end = size = np.broadcast_to(taken[-1:], (rows,))
    number = taken - end + size  # r + 1
    beyond = [_beyond(session, place, number, size) for place in places]
    reach = max(rows * max(p.factor, p.divisor) + 2 * p.divisor for p in places)
    lane = lane_for(reach.bit_length() + 1)
    stacked = np.stack([pad_rows(narrow(words, lane)) for words in beyond])
    passed = negative(session, AShare(stacked)).packed
    return _edges(session, passed, pack(pad_rows(last)), rows)


def _beyond(session: Session, place: Place, number: Array, size: Array) -> Array:
    """n * factor + offset - divisor * r: negative behind the wanted row. Local."""
    words = size * np.uint64(place.factor) - number * np.uint64(place.divisor)
    if session.first:
        words = words + np.uint64((place.offset + place.divisor) % (1 << 64))
    return words


def _edges(session: Session, passed: Array, last: Array, rows: int) -> BShare:
    """Rows that are not passed and whose next one is, or that are the last of their group. All packed bits."""
    within = BShare(np.broadcast_to(~last if session.first else last, passed.shape))
    here = BShare(~passed if session.first else passed)
    (goes_on,) = conjunction(session, [(_next(here, rows), within)])
    return BShare(here.packed ^ goes_on.packed)


def _next(bits: BShare, rows: int) -> BShare:
    """Every row's bit of the row behind it. Local."""
    unpacked = unpack(bits.packed)[..., :rows]
    return BShare(np.stack([pack(pad_rows(np.append(row[1:], np.uint8(0)))) for row in unpacked]))
