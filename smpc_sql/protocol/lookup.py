"""Public functions of secrets from a small domain, by one-time truth tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.correlations.tables import TableMask
from smpc_sql.ring import Array, dtype_of, lane_for, pack
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare

MAX_BITS = 10
"""Domains of at most 2^10 codes; a row's one-hot vector is then 128 bytes."""


def table_bits(size: int) -> int:
    """The bits of a domain of `size` codes as TableMask takes them (at least 3)."""
    return max(3, (size - 1).bit_length())


def truth_tables(
    session: Session, x: AShare, bits: int, tables: Sequence[Sequence[Sequence[int]]]
) -> list[list[BShare]]:
    """For x [k, n] in [0, 2^bits): table[x[i]] for every public 0/1 table of tables[i] (short tables end in zeros).

    With rho and its one-hot bits dealt, open z = x + rho mod 2^bits; then [x = j] is bit z - j of the one-hot vector,
    and any table is the parity of the vector under a public mask that depends on z. 1 round, 1 byte (2 above 8 bits).
    [Ishai et al. 2013]
    """
    count, rows = x.words.shape
    dtype = dtype_of(lane_for(bits))
    rho, onehot = session.deal(TableMask(count * rows, bits))
    last = dtype.type((1 << bits) - 1)
    z = session.open((x.words.astype(dtype) + rho.reshape(count, rows)) & last) & last
    vectors = onehot.reshape(count, rows, max(1, (1 << bits) // 64))
    return [[_parity(vectors[i], z[i], table, bits) for table in tables[i]] for i in range(count)]


def one_hot(session: Session, x: AShare, bits: int, codes: int) -> BShare:
    """For x [n] in [0, 2^bits): the bits [x = j] for every j < codes, [codes, n]. 1 round, 1 byte (2 above 8 bits)."""
    (rows,) = x.words.shape
    dtype = dtype_of(lane_for(bits))
    rho, vector = session.deal(TableMask(rows, bits))
    last = dtype.type((1 << bits) - 1)
    z = session.open((x.words.astype(dtype) + rho) & last) & last
    vectors = vector.reshape(rows, max(1, (1 << bits) // 64))
    lane = min(1 << bits, 64)
    at, kind = np.arange(rows), vectors.dtype.type
    out = np.empty((codes, rows // 8), dtype=np.uint8)
    for code in range(codes):
        place = (z - dtype.type(code)) & last
        words = vectors[at, place >> dtype.type(lane.bit_length() - 1)]
        low = (place & dtype.type(lane - 1)).astype(vectors.dtype)
        out[code] = pack(((words >> low) & kind(1)).astype(np.uint8))
    return BShare(out)


def _parity(vectors: Array, z: Array, table: Sequence[int], bits: int) -> BShare:
    masks = _masks(table, bits)
    selected = np.bitwise_count(vectors[:, 0] & masks[z, 0])
    for word in range(1, vectors.shape[1]):
        selected ^= np.bitwise_count(vectors[:, word] & masks[z, word])
    return BShare(pack(selected & np.uint8(1)))


def _masks(table: Sequence[int], bits: int) -> Array:
    """[z, word]: the bits t of a one-hot vector with table[(z - t) mod 2^bits] = 1."""
    size = 1 << bits
    padded = np.zeros(size, dtype=np.uint8)
    padded[: min(size, len(table))] = np.asarray(table[:size], dtype=np.uint8)
    twice = np.concatenate([padded, padded])[::-1]  # row z reads it backwards from z: no matrix of places is built
    rows = np.lib.stride_tricks.sliding_window_view(twice, size)[size - 1 - np.arange(size)]
    return np.packbits(rows, axis=1, bitorder="little").view(dtype_of(min(size, 64)))
