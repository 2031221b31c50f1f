"""The smallest of many secrets, by a tournament."""

from __future__ import annotations

import numpy as np

from smpc_sql.protocol.arithmetic import bit_product
from smpc_sql.protocol.comparison import negative
from smpc_sql.ring import pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare


def minimum(session: Session, x: AShare, lane: int) -> AShare:
    """The minimum over the last axis of x [groups, n] -> [groups, 1]; differences fit `lane` bits in two's complement.

    log2(n) levels of one comparison and one selection for every pair. [tournament tree]
    """
    words = x.words
    while words.shape[-1] > 1:
        half = words.shape[-1] // 2
        left, right = words[:, :half], words[:, half : 2 * half]
        winner = smaller(session, AShare(left), AShare(right), lane).words
        words = np.concatenate([winner, words[:, 2 * half :]], axis=-1)
    return AShare(words)


def smaller(session: Session, left: AShare, right: AShare, lane: int) -> AShare:
    """The smaller of each pair [groups, n]: right + (left < right)*(left - right). Rounds of a comparison, and 1."""
    count = left.words.shape[-1]
    difference = AShare(pad_rows((left - right).words))
    is_less = negative(session, difference.narrow(lane))
    chosen = bit_product(session, is_less, AShare(difference.words[:, None, :]))
    return AShare(chosen.words[:, 0, :count] + right.words)
