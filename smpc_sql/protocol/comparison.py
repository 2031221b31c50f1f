"""Comparisons in a lane: of differences, so the caller chooses the narrowest lane that holds them (plan bounds).

All take words [..., n] with n a multiple of 8 and give bits [..., n].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql import ring
from smpc_sql.correlations.masks import SignMask, ZeroMask, fold_widths
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


def negative(session: Session, d: AShare) -> BShare:
    """d < 0 for d in two's complement, |d| < 2^(lane-1). log2(lane) rounds; lane/8 + 3*lane/16 bytes in all.

    Open z = d + r, with r dealt as a word and as bits (an edaBit). Then sign(d) = z_top ^ r_top ^ borrow, where
    borrow = (z without top) < (r without top): a public against a shared number, so its leaves are local:
    g_i = r_i & ~z_i, p_i = ~(r_i ^ z_i). Pairs fold by G = g_hi ^ p_hi & g_lo, P = p_hi & p_lo; leaf i stands where i's
    bits reversed point, so that every fold takes the upper half of a lane against the lower. The first fold is local
    as well: its products are those of neighbouring bits of r, which are dealt, and of public bits.
    [Escudero-Ghosh-Keller-Rachuri-Scholl 2020; Catrina-de Hoogh 2010]
    """
    shape, lane = d.words.shape, d.lane
    r_bits, *masks = session.deal(SignMask(d.words.size, lane))
    folds, products = split_masks(masks, len(fold_widths(lane)) - 1)
    r = products.pop(0)
    z = session.open(d.words + r.reshape(shape))
    top, borrow = sign_and_borrow(session, z, r_bits.reshape(shape), folds, products)
    return BShare(top ^ borrow)


def sign_and_borrow(
    session: Session, z: Array, r_bits: Array, folds: Sequence[tuple[Array, Array]], products: Sequence[Array]
) -> tuple[Array, Array]:
    """For public z [..., n] and r's bits (reversed order): packed shares of z_top ^ r_top, and of the borrow below.

    products: those of r's neighbouring bits, and those of the folds.
    """
    lane = ring.lane_of(z)
    kind = z.dtype.type
    top_bit = kind(1 << (lane - 1))
    top = ring.pack(((z ^ r_bits if session.first else r_bits) >> kind(lane - 1)).astype(np.uint8))
    not_z = ring.bit_reverse(z)
    np.invert(not_z, out=not_z)
    np.bitwise_and(not_z, kind(top_bit - 1), out=not_z)  # the top leaf is neutral: g = 0, p = 1
    neighbours, *products = products
    state = _first_fold(session, r_bits & kind(top_bit - 1), not_z, neighbours)
    for width, (a, masks), product in zip(fold_widths(lane)[1:], folds, products, strict=True):
        state = _fold(session, state, width, a, masks, product)
    return top, state[0]


def _first_fold(session: Session, r_bits: Array, not_z: Array, neighbours: Array) -> Array:
    """(g, p) [2, ...] of half lanes, from r's bits and those of ~z, both without their top, and q = r_hi & r_lo. Local.

    With c = ~z, and c' = c but 1 for the top: g_hi = r_hi & c_hi, p_hi = r_hi ^ c'_hi, g_lo = r_lo & c_lo,
    p_lo = r_lo ^ c_lo. So G = g_hi ^ p_hi & g_lo = r_hi & c_hi ^ c_lo & (q ^ c'_hi & r_lo), and
    P = p_hi & p_lo = q ^ r_hi & c_lo ^ c'_hi & (r_lo ^ c_lo).
    """
    width = ring.lane_of(not_z) // 2
    (r_high, r_low), (high, low) = _parted(r_bits, width), _parted(not_z, width)
    q = _whole(neighbours, width).reshape(not_z.shape)
    kind = q.dtype.type
    q = q & kind((1 << width - 1) - 1)  # r's top bit takes no part
    passing = high | kind(1 << width - 1)
    state = np.empty_like(q, shape=(2, *q.shape))
    np.bitwise_and(passing, r_low, out=state[0])
    np.bitwise_xor(q, state[0], out=state[1])
    state[0] ^= q
    state[0] &= low
    state[0] ^= r_high & high
    state[1] ^= r_high & low
    if session.first:
        state[1] ^= passing & low
    return state if width >= 8 else _compact(state, width)


def _whole(neighbours: Array, width: int) -> Array:
    """Dealt products of halves, of 4 bits each in a byte of its own."""
    return neighbours if width >= 8 else np.concatenate([neighbours & np.uint8(15), neighbours >> np.uint8(4)])


def _parted(words: Array, width: int) -> tuple[Array, Array]:
    """Lanes of 2*width bits -> their upper and lower halves; of 4 bits each in a byte of its own."""
    dtype = ring.dtype_of(max(8, width))
    low = words.astype(dtype)
    return (words >> words.dtype.type(width)).astype(dtype), low if width >= 8 else low & np.uint8(15)


def split_masks(masks: Sequence[Array], folds: int) -> tuple[list[tuple[Array, Array]], list[Array]]:
    """A dealt mask's parts behind r's bits: the folds' masks (a, b or a, bc), and the rest."""
    cut = 2 * folds
    pairs = list(zip(masks[0:cut:2], masks[1:cut:2], strict=True))
    return pairs, list(masks[cut:])


def _halve(state: Array, width: int) -> tuple[Array, Array]:
    """Fields of 2*width bits -> their upper and lower halves, fields of `width` bits, eight bits filled by two
    fields.
    """
    kind = state.dtype.type
    if width >= 8:
        dtype = ring.dtype_of(width)
        return (state >> kind(width)).astype(dtype), state.astype(dtype)
    mask = np.uint8(sum(((1 << width) - 1) << at for at in range(0, 8, 2 * width)))
    return _compact((state >> np.uint8(width)) & mask, width), _compact(state & mask, width)


def _compact(fields: Array, width: int) -> Array:
    """Bytes whose fields fill every other `width` bits -> half as many bytes: the second half between the first's."""
    half = fields.shape[-1] // 2
    out = fields[..., half:] << np.uint8(width)
    out |= fields[..., :half]
    return out


def _fold(session: Session, state: Array, width: int, a: Array, masks: Array, product: Array) -> Array:
    """(g, p) [2, ...] of lanes of 2*width bits -> of `width` bits. The last fold leaves g only [1, ...]. 1 round."""
    high, low = _halve(state, width)
    if width == 1:
        low = low[:1]
    shape = low.shape
    a, masks, product = a.reshape(shape[1:]), masks.reshape(shape), product.reshape(shape)
    mine = np.empty((len(low) + 1, *shape[1:]), dtype=low.dtype)
    np.bitwise_xor(high[1], a, out=mine[0])
    np.bitwise_xor(low, masks, out=mine[1:])
    opened = session.open_bits(mine)
    e, f = opened[0], opened[1:]
    if session.first:
        masks = masks ^ f
    out: Array = masks & e
    out ^= product
    f &= a
    out ^= f
    out[0] ^= high[0]
    return out


def less_than(session: Session, x: AShare, y: AShare) -> BShare:
    """x < y where the lane holds x - y in two's complement. See `negative`."""
    return negative(session, x - y)


def is_zero(session: Session, d: AShare) -> BShare:
    """d = 0 mod 2^lane. log2(lane) rounds; lane/8 + lane/8 bytes in all.

    Open z = d + r; d is zero where all bits of ~(z ^ r) = r ^ ~z are one: an AND folded by halves. The first fold is
    local: (r_hi ^ c_hi) & (r_lo ^ c_lo) with public c = ~z takes the product r_hi & r_lo alone, which is dealt.
    """
    shape, lane = d.words.shape, d.lane
    r_bits, *masks = session.deal(ZeroMask(d.words.size, lane))
    folds, (r, neighbours, *products) = split_masks(masks, len(fold_widths(lane)) - 1)
    not_z = ~session.open(d.words + r.reshape(shape))
    width = lane // 2
    (r_high, r_low), (high, low) = _parted(r_bits.reshape(shape), width), _parted(not_z, width)
    state = _whole(neighbours, width).reshape(shape) ^ (r_high & low) ^ (high & r_low)
    if session.first:
        state ^= high & low
    state = state if width >= 8 else _compact(state, width)
    for width, (a, b), product in zip(fold_widths(lane)[1:], folds, products, strict=True):
        high, low = _halve(state, width)
        a, b, product = (part.reshape(low.shape) for part in (a, b, product))
        mine = np.empty((2, *low.shape), dtype=low.dtype)
        np.bitwise_xor(high, a, out=mine[0])
        np.bitwise_xor(low, b, out=mine[1])
        e, f = session.open_bits(mine)
        if session.first:
            b = b ^ f
        state = (e & b) ^ (f & a) ^ product
    return BShare(state)
