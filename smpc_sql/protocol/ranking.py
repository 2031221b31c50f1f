"""Keys that are compared in pairs: ranks of few rows, by more bytes than a sort by digits and far fewer rounds; and the
row of the greatest key.
"""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.protocol.bits import conjunction_words
from smpc_sql.ring import Array, bit_reverse, dtype_of, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare

_CHUNK, _ALIGNED = 1 << 15, 512  # words that are compared at once; pairs in multiples of which they are
_PAIRS = 1 << 11  # that a level of a contest compares all the same


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


def greatest(session: Session, key: Array, words: Array) -> Array:
    """The words [w] of the row whose key is the greatest, of several the first's.

    key: XOR-shared words [k, n], most significant first, n >= 1; words: additive [w, n]. Level by level groups of rows
    are replaced by their `winners`: of as many rows as n/2 comparisons allow. So groups are of 2, 3, 7, 43, … rows:
    log log n levels, 2.5*n comparisons. [Valiant 1975]
    """
    budget = max(key.shape[1] // 2, _PAIRS)
    while (rows := key.shape[1]) > 1:
        groups = -(-rows // (1 + max(1, 2 * budget // rows)))
        size = -(-rows // groups)
        spare = (0, 0), (0, groups * size - rows)  # keys of 0 behind all others never win
        shape = -1, groups, size
        key, words = winners(session, np.pad(key, spare).reshape(shape), np.pad(words, spare).reshape(shape))
    found: Array = words[:, 0]
    return found


def winners(session: Session, key: Array, words: Array) -> tuple[Array, Array]:
    """Of groups of m rows the one with the greatest key, of several the first: its key [k, g] and words [w, g].

    key: XOR-shared words [k, g, m]; words: additive [w, g, m]. All pairs of a group are compared: a row wins that is
    less than none behind it, and greater than all before it; so just one does. All rows but the last are tested, and
    the winner is the last row + the difference of the one that wins, if any does. The rounds of a comparison,
    log2(m - 1), and 2.
    """
    _, groups, size = key.shape
    wins = _wins(session, key)

    def chosen(branch: Session, part: slice) -> tuple[Array, Array]:
        mine = wins[:, part]
        return _chosen_bits(branch, key[:, part], mine), _chosen_words(branch, words[:, part], mine)

    step = _ALIGNED * max(1, _CHUNK // size // _ALIGNED)
    parts = [slice(at, min(at + step, groups)) for at in range(0, groups, step)]
    found = session.fork(chosen, parts, lambda part: part.stop - part.start)
    return np.concatenate([bits for bits, _ in found], axis=1), np.concatenate([sums for _, sums in found], axis=1)


def _wins(session: Session, key: Array) -> Array:
    """Whether a row but the last is the first of its group's greatest: bytes 0 or 1 [m - 1, g], XOR shares."""
    _, groups, size = key.shape
    first, second = np.triu_indices(size, 1)
    begin = np.arange(groups)[:, None] * size
    left, right = (begin + first).reshape(-1), (begin + second).reshape(-1)
    rows = bit_reverse(key.reshape(len(key), -1))
    step = _ALIGNED * max(1, _CHUNK // len(key) // _ALIGNED)
    blocks = [slice(at, min(at + step, len(left))) for at in range(0, len(left), step)]

    def less(branch: Session, block: slice) -> Array:
        return _less(branch, np.take(rows, left[block], axis=1), np.take(rows, right[block], axis=1))

    found = np.concatenate(session.fork(less, blocks, lambda block: block.stop - block.start))
    pairs = np.ascontiguousarray(found.reshape(groups, -1).T)
    number = np.zeros((size, size), dtype=np.int64)
    number[first, second] = number[second, first] = np.arange(len(first))
    row, place = np.arange(size - 1), np.arange(size - 1)[:, None]
    other = place + (place >= row)  # [others, rows]: all but the row itself
    state = pairs[number[row, other]]
    state ^= (other > row).astype(np.uint8)[:, :, None] * session.public(np.uint8(1))  # not less than those behind
    while len(state) > 1:
        half = len(state) // 2
        both = conjunction_words(session, state[:half], state[half : 2 * half])
        state = np.concatenate([both, state[2 * half :]])
    wins: Array = state[0] & np.uint8(1)
    return wins


def _chosen_bits(session: Session, key: Array, wins: Array) -> Array:
    """The key of the row that wins, else the last's: words [k, g, m] -> [k, g]. 1 round, 2 words a row but the last."""
    last = key[:, :, -1]
    others = np.moveaxis(key[:, :, :-1] ^ last[:, :, None], 2, 1)
    taken = np.broadcast_to(np.negative(wins.astype(key.dtype)), others.shape)
    found: Array = np.bitwise_xor.reduce(conjunction_words(session, np.ascontiguousarray(others), taken), axis=1)
    return found ^ last


def _chosen_words(session: Session, words: Array, wins: Array) -> Array:
    """The same of additive words [w, g, m] -> [w, g]. 1 round, 1 word and a bit a row but the last."""
    last = words[:, :, -1]
    others = pad_rows(np.ascontiguousarray(np.moveaxis(words[:, :, :-1] - last[:, :, None], 2, 0)))
    chosen = bit_product(session, BShare(pack(pad_rows(wins))), AShare(others)).words
    found: Array = chosen.sum(axis=0, dtype=np.uint64)[:, : last.shape[1]]
    return found + last
