"""Values of the last row of a group, for all of its rows. Groups are neighbours."""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import bit_product
from smpc_sql.protocol.permutation import route, rows_of
from smpc_sql.protocol.sorting import partition_destinations
from smpc_sql.ring import Array, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


def from_last(session: Session, words: Array, last: Array) -> tuple[Array, Array]:
    """Words [w, n] -> at every row those of the last row of its group, and what they are more than the group before's.

    last: bytes 0 or 1 [n], XOR shares: whether a group ends with the row; the last row must be one. Ends brought
    together stand beside those of the groups before and behind: replaced by how they differ from what is behind, put
    back, and added up from the end, they give every row its own. Two routes and a product; for two words each.
    """
    count, rows = words.shape
    places = partition_destinations(session, last ^ session.public(np.uint8(1)))
    start = np.arange(rows, dtype=np.uint32)
    mine = start if session.first else np.zeros_like(start)
    marks = last.astype(np.uint64)[None]
    apart = route(session, rows_of(rows, words=np.ascontiguousarray(words), bits=marks, places=mine[None]), places)
    own = np.diff(apart.words, axis=1, prepend=np.zeros((count, 1), dtype=np.uint64))
    ends = (apart.bits[0] & np.uint64(1)).astype(np.uint8)
    both = np.stack([pad_rows(row) for row in np.concatenate([apart.words, own])])[None]
    kept = bit_product(session, BShare(pack(pad_rows(ends))[None]), AShare(both)).words[0, :, :rows]
    steps = kept - np.concatenate([kept[:, 1:], np.zeros((2 * count, 1), dtype=np.uint64)], axis=1)
    back = route(session, rows_of(rows, words=steps), apart.places[0]).words
    found = np.cumsum(back[:, ::-1], axis=1, dtype=np.uint64)[:, ::-1]
    return found[:count], found[count:]
