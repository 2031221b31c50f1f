"""How many rows have each digit, without a word for each of them."""

from __future__ import annotations

import numpy as np

from smpc_sql.correlations.tables import COUNTED, DigitCounts
from smpc_sql.ring import Array
from smpc_sql.session import Session


def digit_counts(session: Session, digits: Array, bits: int, turn: int, per: int) -> Array:
    """How many of every `per` digits are 0, 1, … 2^bits - 1: shares uint32 [ceil(n / per), 2^bits].

    digits: XOR-shared uint8 [n], below 2^bits. per: a multiple of 64. Dealt (`DigitCounts`, to party `turn`): rho and
    its one-hot vector mod 2^8. Open z = digit ^ rho: as in `partition_destinations` that vector, turned, is the
    digit's. Its sums x over 64 rows are lifted from 2^8: open c = x + r mod 2^8; since x < 2^7, c = x + r -
    2^8*[r >= 2^7 and c < 2^7], hence x is c and one of two dealt words. 2 rounds; of a row a byte, and of 64 rows one
    for each digit but 0.
    """
    rows, steps = len(digits), -(-len(digits) // per)
    part = session.draw(DigitCounts(steps * per, bits, turn))
    masked = part(0)
    masked[:rows] ^= digits
    z = session.open_bits(masked)
    onehot = part(2).reshape(-1, steps * per)
    found = np.empty_like(onehot, shape=(1 + len(onehot), steps * per))
    np.subtract(session.public(np.uint8(1)), onehot.sum(axis=0, dtype=np.uint8), out=found[0])
    found[1:] = onehot
    cut = turned(found, z)[1:].reshape(len(onehot), steps, COUNTED, -1)
    c = session.open(cut.sum(axis=2, dtype=np.uint8).reshape(-1) + part(1))
    lifted = np.where(c < np.uint8(1 << 7), part(4), part(3))
    lifted += session.public(c.astype(np.uint32))
    counts = lifted.reshape(len(onehot), steps, -1).sum(axis=2, dtype=np.uint32)
    each = np.full(steps, per, dtype=np.uint32)
    each[-1] = rows - (steps - 1) * per
    return np.concatenate([(session.public(each) - counts.sum(axis=0, dtype=np.uint32))[None], counts]).T


def turned(columns: Array, z: Array) -> Array:
    """columns [2^bits, n] with the column of place k ^ z at place k. In place."""
    for bit in range(len(columns).bit_length() - 1):
        turn = np.negative((z >> np.uint8(bit) & np.uint8(1)).astype(columns.dtype))
        pairs = columns.reshape(-1, 2, 1 << bit, columns.shape[1])
        swap = pairs[:, 0] ^ pairs[:, 1]
        swap &= turn
        pairs[:, 0] ^= swap
        pairs[:, 1] ^= swap
    return columns
