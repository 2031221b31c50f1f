"""Words lifted into a prime field, where polynomials of them neither wrap nor need bounds of 63 bits.

Field elements are shared additively mod p = 2^exponent - 1, as limbs [count, limbs] (see `smpc_sql.field`).
"""

from __future__ import annotations

import numpy as np

from smpc_sql import field
from smpc_sql.correlations.fields import FieldRandom, FieldTriple, LiftMask
from smpc_sql.correlations.masks import fold_widths
from smpc_sql.protocol.boolean import conjunction
from smpc_sql.protocol.comparison import sign_and_borrow, split_masks
from smpc_sql.ring import Array, pack, pad_rows, unpack, words_of
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare

_OFFSET = 1 << 63


def lift(session: Session, x: AShare, exponent: int) -> Array:
    """Signed words [n] as shared field elements [n, limbs]. 8 rounds.

    Shift x to x' = x + 2^63 in [0, 2^64), open z = x' + r mod 2^64 for a dealt r that is known in both sharings; then
    x' = z - r + 2^64*[z < r] over the integers, and the comparison of a public with a shared number is that of
    `comparison.negative`. Its bit enters the field by a daBit.
    """
    rows = len(x)
    words = pad_rows(x.words + session.public(words_of(_OFFSET)))
    padded_rows = len(words)
    beta, r_bits, *rest = session.deal(LiftMask(padded_rows, exponent))
    folds, dependent = split_masks(rest, len(fold_widths(64)) - 1)
    beta_field, r_field, r_word, *products = dependent
    z = session.open(words + r_word)
    wrapped = _wrapped(session, z, r_bits, folds, products)
    opened = unpack(session.open_bits(wrapped ^ beta)).astype(object)
    sign = 1 - 2 * opened
    bit = sign * field.to_integers(beta_field) + session.public(opened)
    whole = session.public(z.astype(object) - _OFFSET) - field.to_integers(r_field) + bit * (1 << 64)
    return field.from_integers(whole[:rows], exponent)


def _wrapped(
    session: Session, z: Array, r_bits: Array, folds: list[tuple[Array, Array]], products: list[Array]
) -> Array:
    """z < r, unsigned, as packed shares.

    Below the top bits the comparison gives a borrow. Where z's top bit is 0, z < r if r's is 1 or there is a borrow;
    where it is 1, if r's is 1 and there is a borrow. One shared AND for both. 1 round more.
    """
    tops, borrow = sign_and_borrow(session, z, r_bits, folds, products)
    z_top = pack((z >> np.uint64(63)).astype(np.uint8))
    r_top = tops ^ session.public(z_top)
    (both,) = conjunction(session, [(BShare(r_top), BShare(borrow))])
    either: Array = r_top ^ borrow ^ both.packed
    return (either & ~z_top) ^ (both.packed & z_top)


def multiply(session: Session, x: Array, y: Array, exponent: int) -> Array:
    """Products of field elements [n, limbs]. 1 round, 2 elements each. [Beaver 1991]"""
    a, b, c = session.deal(FieldTriple(len(x), exponent))
    mine = np.stack([field.subtract(x, a, exponent), field.subtract(y, b, exponent)])
    d, e = np.zeros(len(x), dtype=object), np.zeros(len(x), dtype=object)
    for share in [mine, *(other.view(np.uint64).reshape(mine.shape) for other in session.exchange(mine))]:
        d = d + field.to_integers(share[0])
        e = e + field.to_integers(share[1])
    product = field.to_integers(c) + d * field.to_integers(b) + e * field.to_integers(a) + session.public(d * e)
    return field.from_integers(product, exponent)


def blind(
    session: Session, numerators: Array, denominators: Array, factors: Array, exponent: int
) -> tuple[Array, Array]:
    """Both times factor*rho for a random rho: what is left of (n, d) is their ratio, and (0, 0) where the factor is 0.

    rho is zero with probability 2^-exponent. 2 rounds. [Bar-Ilan-Beaver 1989]
    """
    (rho,) = session.deal(FieldRandom(len(factors), exponent))
    mask = multiply(session, factors, rho, exponent)
    both = multiply(session, np.concatenate([numerators, denominators]), np.concatenate([mask, mask]), exponent)
    return both[: len(factors)], both[len(factors) :]
