"""Products of shared words. Lanes of any width; arrays of any shape unless said otherwise."""

from __future__ import annotations

import numpy as np

from smpc_sql.correlations.bits import BitProduct, DaBit, RandomIf
from smpc_sql.correlations.products import InnerProduct, MatrixTriple, ScaledTriple, SquarePair, SquareSums, Triple
from smpc_sql.ring import Array, unpack
from smpc_sql.session import Session, join
from smpc_sql.sharing import AShare, BShare


def _open_pair(session: Session, left: Array, right: Array) -> tuple[Array, Array]:
    """Opens two arrays of one dtype in one message."""
    opened = session.open(join(left, right).view(left.dtype))
    return opened[: left.size].reshape(left.shape), opened[left.size :].reshape(right.shape)


def multiply(session: Session, x: AShare, y: AShare) -> AShare:
    """x*y elementwise: c + d*b + e*a + d*e with d = x-a, e = y-b opened. 1 round, 2 words. [Beaver 1991]"""
    if x.words is y.words:
        return square(session, x)
    a, b, c = (part.reshape(x.words.shape) for part in session.deal(Triple(x.words.size, x.lane)))
    d, e = _open_pair(session, x.words - a, y.words - b)
    if session.first:
        b = b + e  # d*b + d*e
    b = d * b
    b += c
    e *= a
    b += e
    return AShare(b)


def square(session: Session, x: AShare) -> AShare:
    """x*x: c + 2*d*a + d*d with d = x-a opened. 1 round, 1 word. [Beaver 1991]"""
    a, c = (part.reshape(x.words.shape) for part in session.deal(SquarePair(x.words.size, x.lane)))
    d = session.open(x.words - a)
    a = a + a
    if session.first:
        a += d
    a *= d
    a += c
    return AShare(a)


def inner_product(session: Session, x: AShare, y: AShare) -> AShare:
    """sum over i of x[k, i]*y[k, i] -> [k]. 1 round, 2 words for each pair; one word for each k is dealt."""
    count, length = x.words.shape
    a, b, c = session.deal(InnerProduct(count, length, x.lane))
    a, b = a.reshape(count, length), b.reshape(count, length)
    d, e = _open_pair(session, x.words - a, y.words - b)
    if session.first:
        b = b + e
    b = d * b
    e *= a
    b += e
    return AShare(c + b.sum(axis=1, dtype=b.dtype))


def square_sum(session: Session, x: AShare) -> AShare:
    """sum over i of x[k, i]^2 -> [k]. 1 round, 1 word each; one word for each k is dealt."""
    count, length = x.words.shape
    a, c = session.deal(SquareSums(count, length, x.lane))
    a = a.reshape(count, length)
    d = session.open(x.words - a)
    a = a + a
    if session.first:
        a += d
    a *= d
    return AShare(c + a.sum(axis=1, dtype=a.dtype))


def scaled_product(session: Session, x: AShare, factors: AShare) -> AShare:
    """x[k, i]*factors[k] for x [k, n], factors [k]. 1 round, 1 word each and one for each factor."""
    count, length = x.words.shape
    a, b, c = session.deal(ScaledTriple(count, length, x.lane))
    a = a.reshape(count, length)
    d, e = _open_pair(session, x.words - a, factors.words - b)
    if session.first:
        b = b + e
    out = d * b[:, None]
    out += a * e[:, None]
    out += c.reshape(count, length)
    return AShare(out)


def matrix_product(session: Session, x: AShare, y: AShare) -> AShare:
    """X @ Y for X [m, k], Y [k, l]. 1 round, mk + kl words; ml words are dealt. [SecureML 2017]"""
    (rows, inner), columns = x.words.shape, y.words.shape[1]
    a, b, c = session.deal(MatrixTriple(rows, inner, columns, x.lane))
    a, b = a.reshape(rows, inner), b.reshape(inner, columns)
    d, e = _open_pair(session, x.words - a, y.words - b)
    if session.first:
        b = b + e
    return AShare(c.reshape(rows, columns) + d @ b + a @ e)


def bit_product(session: Session, bits: BShare, words: AShare) -> AShare:
    """bit*word for bits [groups, rows] and words [groups, measures, rows]: a measure of the rows that a bit selects.

    With v = b ^ beta and d = x - a opened, t = d*beta + a*beta: b*x is t where v = 0 and x - t where v = 1.
    1 round, 1 word and 1/measures bits for each word.
    """
    groups, measures, rows = words.words.shape
    beta, a, beta_word, a_beta = session.deal(BitProduct(groups, rows, measures, words.lane))
    x = words.words
    v, d = session.open_both(bits.packed ^ beta.reshape(groups, rows // 8), x - a.reshape(x.shape))
    d *= beta_word.reshape(groups, 1, rows)
    d += a_beta.reshape(x.shape)
    negate = np.negative(unpack(v).astype(x.dtype))[:, None, :]  # all ones where v = 1
    # v=0: t; v=1: x - t = x + ~t + 1
    d ^= negate
    d -= negate
    d += x & negate
    return AShare(d)


def to_words(session: Session, bits: BShare, lane: int) -> AShare:
    """Bits [..., n] as words 0 or 1 of a lane: v + (1 - 2v)*beta with v = b ^ beta opened. 1 round, 1 bit each.

    [daBits, Rotaru-Wood 2019]
    """
    shape = (*bits.packed.shape[:-1], len(bits))
    beta, beta_word = session.deal(DaBit(bits.packed.size * 8, lane))
    # daBits are packed as one long row: keep that layout while the masks are applied
    flat = np.ascontiguousarray(bits.packed).reshape(-1)
    rows = unpack(session.open_bits(flat ^ beta))
    negate = np.negative(rows.astype(beta_word.dtype))
    words = beta_word ^ negate
    words -= negate
    if session.first:
        words += rows
    return AShare(_from_flat(words, bits.packed.shape).reshape(shape))


def random_if(session: Session, bits: BShare) -> AShare:
    """Fresh uniform words r that nobody knows where a bit is set, 0 elsewhere; bits [..., n].

    Dealt beta, r and r*beta; with v = b ^ beta opened, b*r is r*beta where v = 0, and r - r*beta where v = 1.
    1 round, 1 bit each.
    """
    shape = (*bits.packed.shape[:-1], len(bits))
    beta, r, words = session.deal(RandomIf(bits.packed.size * 8, 64))
    flat = np.ascontiguousarray(bits.packed).reshape(-1)  # packed as one long row, as in `to_words`
    negate = np.negative(unpack(session.open_bits(flat ^ beta)).astype(np.uint64))
    # v=1: r - words = r + ~words + 1
    chosen: Array = words ^ negate
    chosen -= negate
    chosen += r & negate
    return AShare(_from_flat(chosen, bits.packed.shape).reshape(shape))


def _from_flat(words: Array, packed_shape: tuple[int, ...]) -> Array:
    """Rows in the order of one long packed array -> rows in the order of each packed row of [..., n/8]."""
    return np.moveaxis(words.reshape(8, *packed_shape), 0, -2)
