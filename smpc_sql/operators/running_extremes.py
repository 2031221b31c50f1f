"""The greatest value of every frame, by doubling: log2(width) comparisons a row. Nothing is disclosed.

Values are whole numbers from 0, where 0 says that a row takes no part. What lies before a partition loses against any
row of this, because every value has its group's number in front: number * (most + 1) + value. Looking ahead, numbers
count down.
"""

from __future__ import annotations

import numpy as np

from smpc_sql.operators.window_frames import shifted
from smpc_sql.plan.frames import Frame
from smpc_sql.protocol.arithmetic import bit_product
from smpc_sql.protocol.comparison import negative
from smpc_sql.ring import Array, lane_for, narrow, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare


def lane_of(rows: int, most: int) -> int:
    """The bits that a comparison takes."""
    return ((rows + 2) * (most + 1)).bit_length() + 1


def greater(session: Session, x: Array, y: Array, bits: int) -> Array:
    """The greater of each pair of words [n], whose differences are of so many bits: x + (x < y)*(y - x)."""
    rows = len(x)
    step = pad_rows(y - x)
    less = negative(session, AShare(narrow(pad_rows(x - y), lane_for(bits))[None]))
    found: Array = x + bit_product(session, less, AShare(step[None, None])).words[0, 0, :rows]
    return found


def sliding(session: Session, words: Array, width: int, direction: int, bits: int) -> Array:
    """The greatest of a row and the `width` - 1 behind it (direction 1) or before it (-1)."""
    width = min(width, len(words))
    reach = 1
    while 2 * reach <= width:
        words = greater(session, words, shifted(words, direction * reach), bits)
        reach *= 2
    if reach < width:
        words = greater(session, words, shifted(words, direction * (width - reach)), bits)
    return words


def of_frames(session: Session, values: Array, number: Array, most: int, frame: Frame) -> Array:
    """The greatest value of every row's frame of rows (an edge at the peers counts as the partition's end).

    values: words [n] from 0 to most; number: words [n], the row's group from 1. Of a frame without rows: anything.
    """
    rows, bits = len(values), lane_of(len(values), most)
    low = frame.start.offset if frame.start.at == "row" else -rows
    high = frame.end.offset if frame.end.at == "row" else rows
    step = np.uint64(most + 1)
    found = []
    if low < 0 or high <= 0:
        last = min(high, 0)
        backward = sliding(session, values + number * step, last - low + 1, -1, bits)
        found.append(shifted(backward, last) - number * step)
    if high > 0:
        first = max(low, 0)
        down = np.uint64(session.public(np.uint64(rows + 1))) - number
        forward = sliding(session, values + down * step, high - first + 1, 1, bits)
        found.append(shifted(forward, first) - down * step)
    return found[0] if len(found) == 1 else greater(session, found[0], found[1], most.bit_length() + 2)
