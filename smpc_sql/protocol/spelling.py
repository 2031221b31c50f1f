"""Texts as planes of bits, and back: what circuits on characters work on.

`planes` [length, width, n/8] are packed XOR-shared bits of n texts: plane [i, b] is bit b of the character at place i.
width is 7 where all characters are ASCII, else 8; behind a text's end all bits are 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.bits import decompose
from smpc_sql.ring import Array, lane_for, narrow
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

CHUNK_WORDS = 1 << 16
"""Words that are decomposed at once."""


def spell(session: Session, words: Sequence[Array], sizes: Sequence[int], width: int) -> Array:
    """Words [n] of texts, n a multiple of 8, that hold `sizes` bytes each -> planes. See `bits.decompose`."""
    rows = len(words[0])
    lanes: dict[int, list[int]] = {}
    for i, size in enumerate(sizes):
        lanes.setdefault(lane_for(8 * size), []).append(i)
    starts = np.cumsum([0, *sizes])
    planes = np.empty((starts[-1], width, rows // 8), dtype=np.uint8)
    chunks = []
    for lane, numbers in sorted(lanes.items()):
        flat = np.concatenate([narrow(words[i], lane) for i in numbers])
        chunks += [flat[at : at + CHUNK_WORDS] for at in range(0, len(flat), CHUNK_WORDS)]
    found = iter(session.fork(decompose, chunks, lambda chunk: (len(chunk), chunk.dtype.itemsize)))
    for lane, numbers in sorted(lanes.items()):
        count = -(-len(numbers) * rows // CHUNK_WORDS)
        bits = np.concatenate([next(found) for _ in range(count)]).reshape(len(numbers), rows) if rows else None
        for place, i in enumerate(numbers):
            if bits is not None:
                planes[starts[i] : starts[i + 1]] = planes_of(_bytes_of(bits[place], lane // 8, sizes[i]))[:, :width]
    return planes


def _bytes_of(words: Array, width: int, size: int) -> Array:
    """XOR-shared words of a lane of `width` bytes -> their lowest `size` bytes [size, n], the highest first. Local."""
    return words.astype(f">u{width}").view(np.uint8).reshape(len(words), width)[:, width - size :].T


def planes_of(data: Array) -> Array:
    """Bytes [..., n] -> packed bits [..., 8, n/8], and the other way round: its own inverse but for the shape. Local.

    Packed bits have row j*(n/8) + i at bit j of byte i: so it transposes 8x8 bits, those of eight slices of rows.
    """
    return _transposed(data.reshape(*data.shape[:-1], 8, data.shape[-1] // 8).copy())


def bytes_of_planes(planes: Array) -> Array:
    """Packed bits [..., 8, n/8] -> bytes [..., n]. Local."""
    return _transposed(planes.copy()).reshape(*planes.shape[:-2], 8 * planes.shape[-1])


def _transposed(rows: Array) -> Array:
    for step, mask in ((4, 0x0F), (2, 0x33), (1, 0x55)):
        view = rows.reshape(*rows.shape[:-2], 4 // step, 2, step, rows.shape[-1])
        upper, lower = view[..., 0, :, :], view[..., 1, :, :]
        swap = ((upper >> np.uint8(step)) ^ lower) & np.uint8(mask)
        lower ^= swap
        upper ^= swap << np.uint8(step)
    return rows


def widened(planes: Array, width: int) -> Array:
    """The same texts with `width` bits a character. Local."""
    length, bits, eighth = planes.shape
    return np.concatenate([planes, np.zeros((length, width - bits, eighth), dtype=np.uint8)], axis=1)


def join_words(session: Session, planes: Array, sizes: Sequence[int]) -> list[Array]:
    """Planes -> additive words [n] of `sizes` bytes each: a sum of 2^k times bit k, by daBits. 1 round."""
    starts = np.cumsum([0, *sizes]).tolist()
    parts = [planes[start : start + size] for start, size in zip(starts, sizes, strict=False)]
    return session.fork(_join_word, parts, lambda part: part.shape)


def _join_word(session: Session, planes: Array) -> Array:
    size, width, eighth = planes.shape
    bits = to_words(session, BShare(planes.reshape(size * width, eighth)), 64).words
    total = np.zeros(8 * eighth, dtype=np.uint64)
    for place in range(size):
        for bit in range(width):
            total += bits[place * width + bit] << np.uint64(8 * (size - 1 - place) + bit)
    return total
