"""Sorting by whatever way costs the least."""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.protocol.dense_ranks import sort_by_ranks
from smpc_sql.protocol.sorting import KeyPart, sort_by_pairs
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sort_cost import by_ranks, pairs_cost


def sort(session: Session, key: Sequence[KeyPart]) -> Array:
    """Sorts by a key, most significant part first; stable. The places uint32 [n] where the sorted rows stood: `ids`.

    By all pairs, by digits, or by ranks of the key's pieces and then by digits: see `sort_cost.py`.
    """
    rows, widths = len(key[0].bits), [part.width for part in key]
    cost, levels = by_ranks(rows, sum(widths), session.parties)
    if any(widths) and pairs_cost(rows, widths, session.parties) < cost:
        return sort_by_pairs(session, key)
    held = [key]
    del key  # who sorts lets go of the key
    return sort_by_ranks(session, held.pop(), levels)
