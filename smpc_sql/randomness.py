"""The only source of randomness: seeds from the operating system, streams expanded from them.

A stream is AES-128 in counter mode (NIST SP 800-38A) under a key that keyed BLAKE2b (RFC 7693) derives from a seed and
the
exact use: session, path, kind and shape. Another use therefore has an independent stream. About 10 GB/s on one core.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from smpc_sql.ring import Array

SEED_BYTES = 32
_PIECE = 1 << 20  # AES holds the interpreter's lock: pieces of 1 MiB (0.1 ms) let other threads in
_ZEROS = memoryview(bytes(_PIECE))
_BLOCK = 16


def fresh_seed() -> bytes:
    """32 bytes from the operating system."""
    return os.urandom(SEED_BYTES)


def expand(seed: bytes, use: bytes, size: int, start: int = 0) -> Array:
    """`size` pseudo-random bytes [size] (uint8, writable) for one use of a seed: its stream from `start` on.

    start: a multiple of 16, the cipher's block.
    """
    out = np.empty(size, dtype=np.uint8)
    if size:
        key = hashlib.blake2b(use, key=seed, digest_size=16).digest()
        cipher = Cipher(algorithms.AES(key), modes.CTR((start // _BLOCK).to_bytes(_BLOCK, "big"))).encryptor()
        view = out.data
        for at in range(0, size, _PIECE):
            stop = min(size, at + _PIECE)
            cipher.update_into(_ZEROS[: stop - at], view[at:stop])
    return out


def fresh_words(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Uniform words from a fresh seed, of any unsigned dtype."""
    count = int(np.prod(shape, dtype=np.int64))
    return expand(fresh_seed(), b"words", count * dtype.itemsize).view(dtype).reshape(shape)
