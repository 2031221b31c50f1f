"""Ranks of few rows by comparing every pair of their keys: more bytes than a sort by digits, and far fewer rounds."""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.bits import conjunction_words
from smpc_sql.ring import Array, bit_reverse, dtype_of, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

_CHUNK, _ALIGNED = 1 << 15, 512  # words that are compared at once; pairs in multiples of which they are


def ranks_by_pairs(session: Session, key: Array) -> Array:
    """Where every row stands in the stable order of its key, from 0 on: shares uint32 [n].

    key: XOR-shared words [k, n] of a lane L, most significant first, compared as unsigned numbers. Row j stands at j,
    less the rows before it whose key is greater, and more those behind it whose key is less: c = n(n - 1)/2
    comparisons of bits, each a fold of (g, p) = (~x & y, ~(x ^ y)) by G = g_hi ^ p_hi & g_lo, P = p_hi & p_lo, first
    within words and then across. 2 + log2(L) + log2(k) rounds; about 10*c*k*L/8 bytes. [Hamada et al. 2012]
    """
    rows = key.shape[1]
    key = bit_reverse(key)  # then every fold takes the upper half of a lane against the lower
    first, second = np.triu_indices(rows, 1)
    step = _ALIGNED * max(1, _CHUNK // len(key) // _ALIGNED)
    blocks = [(first[at : at + step], second[at : at + step]) for at in range(0, len(first), step)]
    found = session.fork(lambda branch, pair: _inversions(branch, key, *pair), blocks, lambda pair: len(pair[0]))
    table = np.zeros((rows, rows), dtype=np.uint32)
    if found:
        table[first, second] = np.concatenate(found)
    ranks: Array = table.sum(axis=1, dtype=np.uint32)
    ranks -= table.sum(axis=0, dtype=np.uint32)
    ranks += np.arange(rows, dtype=np.uint32) * session.public(np.uint32(1))
    return ranks


def _inversions(session: Session, key: Array, first: Array, second: Array) -> Array:
    """For pairs of rows whether the second's key is less than the first's: words 0 or 1, shares mod 2^32."""
    less = _less(session, key[:, second], key[:, first])
    found: Array = to_words(session, BShare(pack(pad_rows(less))), 32).words[: len(first)]
    return found


def _less(session: Session, x: Array, y: Array) -> Array:
    """x < y for words [k, n], most significant first, in reversed bits: bytes 0 or 1 [n], XOR shares."""
    ones = session.public(x.dtype.type((1 << 8 * x.itemsize) - 1))
    state = np.stack([conjunction_words(session, x ^ ones, y), x ^ y ^ ones])  # the most significant pair decides
    width = 8 * x.itemsize
    while width > 1:
        width //= 2
        kind, lane = state.dtype.type, dtype_of(max(8, width))
        high, low = state >> kind(width), state & kind((1 << width) - 1)
        state = _folded(session, high.astype(lane), low.astype(lane))
    while state.shape[1] > 1:
        half = state.shape[1] // 2
        pairs = state[:, : 2 * half]
        state = np.concatenate([_folded(session, pairs[:, 0::2], pairs[:, 1::2]), state[:, 2 * half :]], axis=1)
    found: Array = state[0, 0] & np.uint8(1)
    return found


def _folded(session: Session, high: Array, low: Array) -> Array:
    """(g, p) of two neighbouring pieces -> of both together. 1 round, 4 lanes."""
    found = conjunction_words(session, np.stack([high[1], high[1]]), low)
    found[0] ^= high[0]
    return found
