"""Sums by a secret key from a small public domain, in one round."""

from __future__ import annotations

import numpy as np

from smpc_sql.correlations.tables import OneHotSums
from smpc_sql.ring import Array, dtype_of, lane_for
from smpc_sql.session import Session
from smpc_sql.sharing import AShare

_SLICE_WORDS = 1 << 17  # of dealt vectors: 1 MiB


def group_sums(session: Session, key: AShare, bits: int, measures: AShare) -> AShare:
    """For keys [n] in [0, 2^bits) and words [measures, n]: counts, then sums, of every key: [1 + measures, 2^bits].

    Dealt: rho mod 2^bits, onehot(rho) as words, and a*onehot(rho) for every measure. Open z = key + rho and d = x - a:
    then x*onehot(key) = d*onehot(rho) + a*onehot(rho), rotated by the public z. Rows with the same z are added up
    first, so that only 2^bits vectors are rotated. 1 round, 1 byte (2 above 8 bits) and a word for each measure.
    """
    count, rows = measures.words.shape
    slots, dtype = 1 << bits, dtype_of(lane_for(bits))
    last = dtype.type(slots - 1)
    # dealt in slices, so that the vectors of a slice stay in the cache; opened at once
    step = max(8, _SLICE_WORDS // (slots * (1 + count)))
    slices = [slice(at, min(at + step, rows)) for at in range(0, max(1, rows), step)]
    masks = [session.deal(OneHotSums(part.stop - part.start, bits, count)) for part in slices]
    codes = (key.words.astype(dtype) + np.concatenate([dealt[0] for dealt in masks])) & last
    own = measures.words - np.concatenate(
        [m[1].reshape(count, p.stop - p.start) for m, p in zip(masks, slices, strict=True)], axis=1
    )
    z, d = session.open_sums(codes, own)
    z &= last
    sums = np.zeros((1 + count, slots), dtype=np.uint64)
    for part, (_, _, onehot, products) in zip(slices, masks, strict=True):
        sums += _slice_sums(
            z[part], d[:, part], onehot.reshape(-1, slots), products.reshape(count, part.stop - part.start, slots)
        )
    return AShare(sums)


def _slice_sums(z: Array, d: Array, onehot: Array, products: Array) -> Array:
    slots = onehot.shape[1]
    order = np.argsort(z, kind="stable")
    ends = np.cumsum(np.bincount(z, minlength=slots))
    sums = [_rotated_total(onehot[order], ends)]
    for words, product in zip(d, products, strict=True):
        sums.append(_rotated_total((onehot * words[:, None] + product)[order], ends))
    return np.stack(sums)


def _rotated_total(vectors: Array, ends: Array) -> Array:
    """Vectors [n, slots] sorted by z, z's rows ending before ends[z]: total[j] = the sum of vectors[i, z_i - j].

    Places are taken mod slots. Rows of one z are added up before they are rotated.
    """
    slots = vectors.shape[1]
    if not len(vectors):
        return np.zeros(slots, dtype=np.uint64)
    starts = np.concatenate([[0], ends[:-1]])
    codes = np.flatnonzero(ends > starts)
    sums = np.add.reduceat(vectors, starts[codes], axis=0, dtype=np.uint64)
    places = (codes[:, None] - np.arange(slots)) % slots
    total: Array = np.take_along_axis(sums, places, axis=1).sum(axis=0, dtype=np.uint64)
    return total
