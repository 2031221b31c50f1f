"""Sorting by secret keys, and what an order is good for. Everything has a fixed transcript: it depends on sizes only.

A key is XOR-shared bits, and is sorted bit by bit from the least significant (radix): each pass is a stable partition,
whose destinations are prefix sums, and a route. [Hamada-Ikarashi-Chida-Takahashi 2014; Asharov et al. 2022]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.protocol.permutation import Rows, route, rows_of
from smpc_sql.ring import Array, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


def partition_destinations(session: Session, bits: Array) -> Array:
    """Where rows go if those with bit 0 come first, each kind in its old order: places uint32 [n].

    bits: bytes 0 or 1 [n], XOR-shared. With z = 1 - b:
    z*(prefix sum of z - 1) + b*(number of zeros + prefix sum of b - 1).
    2 rounds, 4 bytes and 2 bits.
    """
    rows = len(bits)
    if not rows:
        return np.zeros(0, dtype=np.uint32)
    packed = BShare(pack(pad_rows(bits))[None])
    b = to_words(session, packed, 32).words[0, :rows]
    z = session.public(np.uint32(1)) - b
    zeros = np.cumsum(z, dtype=np.uint32)
    ones = np.cumsum(b, dtype=np.uint32)
    step = zeros[-1] + ones - zeros
    moved = bit_product(session, packed, AShare(pad_rows(step)[None, None])).words[0, 0, :rows]
    places: Array = zeros - session.public(np.uint32(1)) + moved
    return places


def partition(session: Session, rows: Rows, bits: Array) -> Rows:
    """The rows whose bit is 0, then the others, stably. See `partition_destinations` and `route`."""
    return route(session, rows, partition_destinations(session, bits))


@dataclass(frozen=True, slots=True)
class KeyPart:
    """The lowest `width` bits of XOR-shared words [n]: one part of a key."""

    bits: Array
    width: int


def sort(session: Session, key: Sequence[KeyPart]) -> tuple[Array, Array]:
    """Sorts by a key, most significant part first; stable.

    Returns the places uint32 [n] where the sorted rows stood (`ids`), and the sorted key's parts [parts, n].
    For every bit of the key 2 + parties + 1 rounds.
    """
    count = len(key[0].bits)
    start = np.arange(count, dtype=np.uint32)
    ids = start if session.first else np.zeros(count, dtype=np.uint32)
    rows = rows_of(count, bits=np.stack([part.bits for part in key]), places=ids[None])
    for number in reversed(range(len(key))):
        for bit in range(key[number].width):
            bits = (rows.bits[number] >> np.uint64(bit)).astype(np.uint8) & np.uint8(1)
            rows = partition(session, rows, bits)
    return rows.places[0], rows.bits


def to_old_places(session: Session, rows: Rows, ids: Array) -> Rows:
    """Sorted rows back to where they stood before the sort that gave `ids`."""
    return route(session, rows, ids)


def destinations_of(session: Session, ids: Array) -> Array:
    """For every old place the row's rank: the inverse of `ids`. A route of one place."""
    ranks = np.arange(len(ids), dtype=np.uint32)
    mine = ranks if session.first else np.zeros_like(ranks)
    found: Array = route(session, rows_of(len(ids), places=mine[None]), ids).places[0]
    return found
