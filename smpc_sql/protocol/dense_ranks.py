"""Long keys made short: pieces of them are sorted side by side, and each is replaced by its rank among its like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.bits import decompose, words_are_zero
from smpc_sql.protocol.permutation import rows_of
from smpc_sql.protocol.sorting import KeyPart, bits_at, in_order, sort_groups, to_old_places
from smpc_sql.ring import Array, dtype_of, lane_for, pack, pad_rows
from smpc_sql.session import CHUNKS_IN_FLIGHT, Session
from smpc_sql.sharing import BShare

_TOGETHER = 1 << 17  # rows of pieces that are sorted as one
_AT_ONCE = 1 << 19  # and that are on their way at the same time
_CHUNK = 1 << 16


def sort_by_ranks(session: Session, key: Sequence[KeyPart], levels: Sequence[int]) -> Array:
    """Sorts by a long key. levels: in how many pieces it is cut, one time after the other.

    At every level all pieces are sorted side by side, by digits, and each is replaced by its rank among the different
    values that it has: log2(n) bits that order as it does. What is left in the end is sorted by digits.
    """
    for pieces in levels:
        key = _ranked(session, key, pieces)
    parts = list(key)
    del key
    return sort_groups(session, parts)


def _ranked(session: Session, key: Sequence[KeyPart], pieces: int) -> list[KeyPart]:
    """The key with each piece of it replaced by its rank, most significant first."""
    rows, whole = len(key[0].bits), sum(part.width for part in key)
    width = -(-whole // pieces)
    bits = (rows - 1).bit_length()
    together = max(1, _TOGETHER // rows)
    cuts = [tuple(range(at, min(at + together, pieces))) for at in range(0, pieces, together)]

    def work(branch: Session, numbers: tuple[int, ...]) -> list[Array]:
        return _ranks(branch, _piece(key, numbers, width), len(numbers))

    at_once = max(1, min(CHUNKS_IN_FLIGHT, _AT_ONCE // rows))
    found = [each for ranks in session.fork(work, cuts, len, at_once) for each in ranks]
    return [KeyPart(each, bits) for each in reversed(found)]


def _piece(key: Sequence[KeyPart], numbers: Sequence[int], width: int) -> list[KeyPart]:
    """Pieces of a key, by their numbers from the least significant, behind each other: each a key of so many bits."""
    parts = []
    for low in reversed(range(0, width, 64)):
        own = min(64, width - low)
        parts.append(KeyPart(np.concatenate([bits_at(key, number * width + low, own) for number in numbers]), own))
    return parts


def _ranks(session: Session, key: list[KeyPart], groups: int) -> list[Array]:
    """For lists of rows behind each other, each row's rank in its own list: XOR-shared words [n], from 0 on.

    Equal rows have the same rank, and the next ones the rank behind it: how many rows before differ from theirs.
    """
    count = len(key[0].bits)
    rows = count // groups
    lane = dtype_of(lane_for(max(part.width for part in key)))
    moved = [KeyPart(part.bits.astype(lane, copy=False), part.width) for part in key]
    ids = sort_groups(session, key, groups)
    _, ordered = in_order(session, rows_of(count, bits=np.empty((0, count), lane)), moved, ids)
    del moved
    ordered = ordered ^ np.roll(ordered, 1, axis=1)  # of two neighbours
    chunks = [ordered[:, at : at + _CHUNK] for at in range(0, count, _CHUNK)]
    new = np.concatenate(session.fork(words_are_zero, chunks, np.shape)) ^ session.public(np.uint8(1))
    new.reshape(groups, rows)[:, 0] = 0
    del ordered, chunks
    ranks = to_words(session, BShare(pack(pad_rows(new))), 32).words[:count].reshape(groups, rows)
    ranks = np.cumsum(ranks, axis=1, dtype=np.uint32).reshape(1, count)
    ranks = to_old_places(session, rows_of(count, places=ranks), ids).places[0]
    del ids
    short = ranks.astype(dtype_of(lane_for((rows - 1).bit_length())))
    chunks = [short[at : at + _CHUNK] for at in range(0, count, _CHUNK)]
    return list(np.concatenate(session.fork(decompose, chunks, len)).reshape(groups, rows))
