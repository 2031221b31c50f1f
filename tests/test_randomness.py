"""Seeds and streams."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from smpc_sql import randomness
from smpc_sql.randomness import expand, fresh_seed, fresh_words


def test_seeds_are_fresh() -> None:
    seeds = {fresh_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert {len(seed) for seed in seeds} == {randomness.SEED_BYTES} == {32}


def test_a_stream_is_aes_128_in_counter_mode_under_a_derived_key() -> None:
    """So that another implementation of a party or of the provider can be made."""
    seed, use = bytes(range(32)), b"session and path"
    key = hashlib.blake2b(use, key=seed, digest_size=16).digest()
    expected = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(1000))
    assert expand(seed, use, 1000).tobytes() == expected


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (2 << 20) + 5])
def test_a_shorter_stream_is_the_beginning_of_a_longer_one(size: int) -> None:
    seed = bytes(32)
    found = expand(seed, b"use", size)
    assert (found.dtype, len(found), found.flags.writeable) == (np.uint8, size, True)
    assert expand(seed, b"use", (3 << 20))[:size].tobytes() == found.tobytes()


@pytest.mark.parametrize("start", [0, 16, 64, 1 << 20])
def test_a_stream_can_be_taken_from_a_block_on(start: int) -> None:
    whole = expand(bytes(32), b"use", start + 100)
    assert expand(bytes(32), b"use", 100, start).tobytes() == whole[start:].tobytes()


def test_another_seed_or_use_has_another_stream() -> None:
    streams = [expand(seed, use, 64).tobytes() for seed in (bytes(32), bytes(31) + b"\1") for use in (b"", b"a", b"b")]
    assert len(set(streams)) == 6


@pytest.mark.parametrize("dtype", ["<u1", "<u2", "<u4", "<u8"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (2, 0, 3)])
def test_fresh_words_have_shape_and_dtype(shape: tuple[int, ...], dtype: str) -> None:
    found = fresh_words(shape, np.dtype(dtype))
    assert (found.shape, found.dtype) == (shape, np.dtype(dtype))


def test_fresh_words_are_fresh() -> None:
    first, second = (fresh_words((1000,), np.dtype(np.uint64)) for _ in range(2))
    assert len(set(first.tolist()) | set(second.tolist())) == 2000
