"""Logic on XOR-shared packed bits. Public bits are packed bytes; XOR and AND with them are local."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.correlations.bits import BitTriple
from smpc_sql.ring import Array
from smpc_sql.session import Session, join
from smpc_sql.sharing import BShare


def negate(session: Session, x: BShare) -> BShare:
    """NOT x: one party flips. Local. A new share at every party: what is the same object must be so everywhere."""
    return BShare(~x.packed if session.first else x.packed)


def public_bits(session: Session, packed: Array) -> BShare:
    """Public packed bits as a share. Local."""
    return BShare(packed if session.first else np.zeros_like(packed))


def conjunction(session: Session, pairs: Sequence[tuple[BShare, BShare]]) -> list[BShare]:
    """x & y for every pair, all in 1 round; 2 bits for each. [Beaver 1991 over GF(2)]"""
    if not pairs:
        return []
    x, y = join(*(left.packed for left, _ in pairs)), join(*(right.packed for _, right in pairs))
    a, b, c = session.deal(BitTriple(x.size))
    opened = session.open_bits(join(x ^ a, y ^ b))
    d, e = opened[: x.size], opened[x.size :]
    if session.first:
        b = b ^ e
    z = c ^ (d & b) ^ (e & a)
    results, at = [], 0
    for left, _ in pairs:
        results.append(BShare(z[at : at + left.packed.size].reshape(left.packed.shape)))
        at += left.packed.size
    return results


def all_of(session: Session, terms: Sequence[BShare]) -> BShare:
    """The AND of all terms. log2(terms) rounds."""
    left = list(terms)
    while len(left) > 1:
        half = len(left) // 2
        left = [*conjunction(session, list(zip(left[:half], left[half : 2 * half], strict=True))), *left[2 * half :]]
    return left[0]


def any_of(session: Session, terms: Sequence[BShare]) -> BShare:
    """The OR of all terms. log2(terms) rounds."""
    return negate(session, all_of(session, [negate(session, term) for term in terms]))
