"""Arithmetic in the prime fields F_p, p = 2^m - 1 for the Mersenne exponents m = 127, 521, 1279.

Elements are arrays of little-endian 64-bit limbs [count, limbs]. Only results of a query pass through here (a few
rows), so the arithmetic is Python's on whole arrays of integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from smpc_sql.ring import Array

EXPONENTS = (127, 521, 1279)


def modulus(exponent: int) -> int:
    """p = 2^exponent - 1."""
    return (1 << exponent) - 1


def limbs(exponent: int) -> int:
    """64-bit words of an element."""
    return -(-exponent // 64)


def to_integers(elements: Array) -> npt.NDArray[Any]:
    """[count, limbs] -> Python integers [count] (dtype object)."""
    size = 8 * elements.shape[1]
    raw = np.ascontiguousarray(elements).astype("<u8", copy=False).tobytes()
    values = np.empty(len(elements), dtype=object)
    values[:] = [int.from_bytes(raw[i : i + size], "little") for i in range(0, len(raw), size)]
    return values


def from_integers(values: Iterable[int], exponent: int) -> Array:
    """Integers of any size and sign -> elements [count, limbs], reduced mod p."""
    p, size = modulus(exponent), 8 * limbs(exponent)
    raw = b"".join((int(value) % p).to_bytes(size, "little") for value in values)
    return np.frombuffer(raw, dtype="<u8").reshape(-1, limbs(exponent)).copy()


def from_words(words: Array, exponent: int) -> Array:
    """Unsigned words [count] -> elements [count, limbs]."""
    out = np.zeros((len(words), limbs(exponent)), dtype=np.uint64)
    out[:, 0] = words
    return out


def from_uniform(raw: Array, exponent: int) -> Array:
    """Uniform limbs [count, limbs] -> uniform elements: the low bits; the one value p counts as 0 (a bias of
    2^-exponent).
    """
    out = raw.copy()
    spare = 64 * limbs(exponent) - exponent
    out[:, -1] &= np.uint64((1 << (64 - spare)) - 1)
    return from_integers(to_integers(out), exponent)


def add(left: Array, right: Array, exponent: int) -> Array:
    """Elementwise sum."""
    return from_integers(to_integers(left) + to_integers(right), exponent)


def subtract(left: Array, right: Array, exponent: int) -> Array:
    """Elementwise difference."""
    return from_integers(to_integers(left) - to_integers(right), exponent)


def multiply(left: Array, right: Array, exponent: int) -> Array:
    """Elementwise product."""
    return from_integers(to_integers(left) * to_integers(right), exponent)


def scale(elements: Array, factor: int, exponent: int) -> Array:
    """Times a public integer."""
    return from_integers(to_integers(elements) * factor, exponent)
