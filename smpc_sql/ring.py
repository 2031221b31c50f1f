"""Arithmetic on lanes: words of 8, 16, 32 or 64 bits in numpy, mod 2^lane; and bits packed eight to a byte.

numpy's unsigned integers wrap by themselves, so `+ - *` on them is arithmetic mod 2^lane. A wider share is narrowed by
a plain cast, because 2^8 | 2^16 | 2^32 | 2^64.

Packed bits. `pack` puts n rows (n a multiple of 8) into n/8 bytes so that row `j*(n/8) + i` is bit `j` of byte `i`:
packing and unpacking are then eight slices, and a fold that halves a lane below 8 bits needs no shuffling of bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""A numpy array of unsigned integers; the docstrings give dtype and shape."""

LANES = (8, 16, 32, 64)
_DTYPES = {lane: np.dtype(f"<u{lane // 8}") for lane in LANES}


def dtype_of(lane: int) -> np.dtype[Any]:
    """The little-endian unsigned dtype of a lane of 8, 16, 32 or 64 bits."""
    return _DTYPES[lane]


def lane_of(array: Array) -> int:
    """The lane of an array: its dtype's bits."""
    return int(array.dtype.itemsize) * 8


def lane_for(bits: int) -> int:
    """The narrowest lane of at least `bits` bits; ValueError above 64."""
    for lane in LANES:
        if bits <= lane:
            return lane
    raise ValueError(f"no lane holds {bits} bits")


def narrow(words: Array, lane: int) -> Array:
    """The words mod 2^lane, in that lane's dtype (the same array where nothing changes)."""
    return words.astype(_DTYPES[lane], copy=False)


def words_of(value: int, lane: int = 64) -> Any:
    """A public integer, possibly negative, as one word mod 2^lane."""
    return _DTYPES[lane].type(value % (1 << lane))


def padded(rows: int) -> int:
    """The smallest multiple of 8 that is at least `rows`."""
    return -(-rows // 8) * 8


def pad_rows(array: Array) -> Array:
    """The array with zero rows appended along its last axis up to a multiple of 8 (itself where none are needed)."""
    rows = array.shape[-1]
    if rows % 8 == 0:
        return array
    out = np.zeros_like(array, shape=(*array.shape[:-1], padded(rows)))
    out[..., :rows] = array
    return out


def pack(bits: Array) -> Array:
    """0/1 bytes [..., n], n a multiple of 8 -> packed bytes [..., n/8]."""
    eighth = bits.shape[-1] // 8
    out: Array = bits[..., :eighth].astype(np.uint8)
    for bit in range(1, 8):
        out |= bits[..., bit * eighth : (bit + 1) * eighth].astype(np.uint8, copy=False) << np.uint8(bit)
    return out


def unpack(packed: Array) -> Array:
    """Packed bytes [..., n/8] -> 0/1 bytes [..., n]."""
    eighth = packed.shape[-1]
    out = np.empty_like(packed, shape=(*packed.shape[:-1], 8 * eighth))
    for bit in range(8):
        part = out[..., bit * eighth : (bit + 1) * eighth]
        np.right_shift(packed, np.uint8(bit), out=part)
        np.bitwise_and(part, np.uint8(1), out=part)
    return out


def _swaps(lane: int) -> tuple[tuple[int, int], ...]:
    """Delta swaps (shift, mask) that move bit i of a lane to the position whose index is i's bits reversed."""
    index_bits = lane.bit_length() - 1
    swaps = []
    for low in range(index_bits // 2):
        high = index_bits - 1 - low
        mask = sum(1 << i for i in range(lane) if (i >> low) & 1 and not (i >> high) & 1)
        swaps.append(((1 << high) - (1 << low), mask))
    return tuple(swaps)


_SWAPS = {lane: _swaps(lane) for lane in LANES}


def bit_reverse(words: Array) -> Array:
    """Moves bit i of every word to the position whose index is i's bits reversed; its own inverse. A new array."""
    lane = lane_of(words)
    kind = _DTYPES[lane].type
    out = words.copy()
    swap = np.empty_like(out)
    moved = np.empty_like(out)
    for shift, mask in _SWAPS[lane]:
        np.right_shift(out, kind(shift), out=swap)
        np.bitwise_xor(swap, out, out=swap)
        np.bitwise_and(swap, kind(mask), out=swap)
        np.left_shift(swap, kind(shift), out=moved)
        np.bitwise_xor(out, swap, out=out)
        np.bitwise_xor(out, moved, out=out)
    return out
