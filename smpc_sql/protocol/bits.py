"""Words as XOR-shared bits, and logic on them in lanes of 64 bits."""

from __future__ import annotations

import numpy as np

from smpc_sql.correlations.bits import BitTriple
from smpc_sql.correlations.masks import PrefixMask
from smpc_sql.ring import Array, dtype_of
from smpc_sql.session import Session, join


def conjunction_words(session: Session, x: Array, y: Array) -> Array:
    """x & y for XOR-shared words of any lane and shape. 1 round, 2 lanes."""
    a, b, c = (part.view(x.dtype).reshape(x.shape) for part in session.deal(BitTriple(x.nbytes)))
    opened = session.open_bits(join(x ^ a, y ^ b))
    d = opened[: x.nbytes].view(x.dtype).reshape(x.shape)
    e = opened[x.nbytes :].view(x.dtype).reshape(x.shape)
    if session.first:
        b = b ^ e
    found: Array = c ^ (d & b) ^ (e & a)
    return found


def decompose(session: Session, x: Array) -> Array:
    """The bits of words [n] of a lane L, as XOR-shared words of the same lane. log2 L rounds.

    Open z = x + r for an edaBit r; the bits of z - r are z ^ r ^ borrows. The borrow into bit i comes from below: with
    g = r & ~z and p = ~(r ^ z), it is the prefix (G) of g and p over the bits below i. Prefixes by doubling: in step s
    every (G, P) takes in that of the bits 2^s below. The first step is local, since the products of neighbouring bits
    of r are dealt; the last one needs G only. 3*(log2(L) - 1)*L/8 bytes. [Kogge-Stone 1973; Escudero et al. 2020]
    """
    lane = x.dtype.itemsize * 8
    kind = x.dtype.type
    mask = PrefixMask(len(x), lane)
    r_bits, *masks = session.deal(mask)
    folds, (r, neighbours, *products) = masks[: 2 * mask.steps], masks[2 * mask.steps :]
    z = session.open(x + r)
    state = _first_step(session, r_bits, ~z, neighbours)
    for step in range(mask.steps):
        shape = 1 + (step + 1 < mask.steps), len(x)
        a, pair, product = folds[2 * step], folds[2 * step + 1].reshape(shape), products[step].reshape(shape)
        below = state[: len(pair)] << kind(2 << step)
        if session.first and len(pair) == 2:  # nothing comes from below bit 0, and it passes on nothing: p = 1
            below[1] |= kind((1 << (2 << step)) - 1)
        mine = np.concatenate([(state[1] ^ a)[None], below ^ pair])
        opened = session.open_bits(mine)
        e, f = opened[0], opened[1:]
        if session.first:
            pair = pair ^ f
        taken = (pair & e) ^ product ^ (f & a)
        taken[0] ^= state[0]
        state = taken
    borrow = state[0] << kind(1)
    found: Array = r_bits ^ borrow
    if session.first:
        found ^= z
    return found


def _first_step(session: Session, r_bits: Array, not_z: Array, neighbours: Array) -> Array:
    """(G, P) [2, n] of every bit and the one below, from q = r_i & r_(i-1). Local.

    With c = ~z: G = r_i & c_i ^ c_(i-1) & (q ^ c_i & r_(i-1)), and P = q ^ r_i & c_(i-1) ^ c_i & (r ^ c)_(i-1).
    Nothing comes from below bit 0, and p = 1 there.
    """
    one = not_z.dtype.type(1)
    below = not_z << one | one
    state = np.empty_like(r_bits, shape=(2, *r_bits.shape))
    np.bitwise_xor(neighbours, not_z & r_bits << one, out=state[1])
    np.bitwise_and(state[1], below, out=state[0])
    state[0] ^= r_bits & not_z
    state[1] ^= r_bits & below
    if session.first:
        state[1] ^= not_z & below
    return state


def words_are_zero(session: Session, words: Array) -> Array:
    """Whether all of the words [k, n] (XOR-shared bits of any lane) of a row are zero: bytes 0 or 1 [n], XOR shares.

    An AND of all inverted bits, folded by halves. log2(lane) + log2 k rounds, about lane/4*k bytes.
    """
    state = ~words if session.first else words
    while len(state) > 1:
        half = len(state) // 2
        both = conjunction_words(session, state[:half], state[half : 2 * half])
        state = np.concatenate([both, state[2 * half :]])
    lanes = state[0]
    while (width := lanes.dtype.itemsize * 4) >= 8:
        high = (lanes >> lanes.dtype.type(width)).astype(dtype_of(width))
        lanes = conjunction_words(session, high, lanes.astype(dtype_of(width)))
    for width in (4, 2, 1):
        lanes = conjunction_words(session, lanes >> np.uint8(width), lanes & np.uint8((1 << width) - 1))
    bits: Array = lanes & np.uint8(1)
    return bits


def compress(session: Session, words: Array, width: int) -> Array:
    """Words [k, n] (64 XOR-shared bits) of rows -> [ceil(width / 64), n], equal where they were equal. 1 round.

    A random linear map over GF(2), the same for all rows, is drawn now, by opening dealt random bits; applying it is
    local. Two rows that differ become equal with a chance of 2^-width, whatever they are, since the map does not depend
    on them: among n rows any two do with less than n^2 / 2 times that. [Carter-Wegman 1979] width: a multiple of 8.
    """
    count, rows = words.shape
    coin, _, _ = session.deal(BitTriple(8 * count * width))
    drawn = session.open_bits(coin).reshape(64 * count, width // 8)
    out_words = -(-width // 64)
    images = np.zeros((64 * count, 8 * out_words), dtype=np.uint8)
    images[:, : width // 8] = drawn
    columns = images.view("<u8").T.reshape(out_words, 8 * count, 8)
    data = np.ascontiguousarray(words, dtype="<u8").view(np.uint8).reshape(count, rows, 8)
    found = np.zeros((out_words, rows), dtype=np.uint64)
    for out, column in zip(found, columns, strict=True):
        for place, bits in enumerate(column):
            table = np.zeros(256, dtype=np.uint64)  # the image of each byte at this place
            for bit in range(8):
                table[1 << bit : 2 << bit] = table[: 1 << bit] ^ bits[bit]
            out ^= table[data[place // 8, :, place % 8]]
    return found
