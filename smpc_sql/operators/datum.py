"""What an expression is while a plan runs: public values, shared words or shared bits, of the rows of one chunk.

A chunk has n rows, n a multiple of 8 (rows of padding at its end hold anything; they are never valid).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.protocol.boolean import public_bits
from smpc_sql.ring import Array, pack, words_of
from smpc_sql.session import Session
from smpc_sql.sharing import BShare


@dataclass(frozen=True, slots=True)
class Public:
    """Values that every party knows: scaled integers int64, of shape [] (the same for all rows) or [n].

    null: bool of shape [] or [n], or None for none.
    """

    values: Array
    null: Array | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """Shared scaled integers: this party's words uint64 [n] mod 2^64; null bits, or None if never NULL."""

    words: Array
    null: BShare | None = None


@dataclass(frozen=True, slots=True)
class Bits:
    """Shared booleans; null bits, or None if never NULL. Where a value is NULL its bit may be anything."""

    bits: BShare
    null: BShare | None = None


@dataclass(frozen=True, slots=True)
class Spelled:
    """Texts as planes of shared bits (see `protocol.spelling`); null bits, or None if never NULL."""

    planes: Array
    null: BShare | None = None


@dataclass(frozen=True, slots=True)
class Digits:
    """A long quotient's digits, the last one first: shared words [count, n]; null bits, or None if never NULL."""

    words: Array
    null: BShare | None = None


Datum = Public | Words | Bits | Spelled | Digits


def constant(value: int) -> Public:
    """A public value for all rows."""
    return Public(np.array(value, dtype=np.int64))


def share_of_words(session: Session, datum: Public | Words, rows: int) -> Array:
    """This party's words [rows]; public values become a share. Local."""
    if isinstance(datum, Words):
        return datum.words
    words = np.broadcast_to(datum.values.astype(np.int64).view(np.uint64), (rows,))
    return words if session.first else np.broadcast_to(np.uint64(0), (rows,))


def share_of_bits(session: Session, datum: Public | Bits, rows: int) -> BShare:
    """This party's packed bits; public values become a share. Local."""
    if isinstance(datum, Bits):
        return datum.bits
    return public_bits(session, pack_public(datum.values != 0, rows))


def pack_public(mask: Array, rows: int) -> Array:
    """Public booleans of shape [] or [rows] -> packed bits."""
    return pack(np.broadcast_to(mask, (rows,)).astype(np.uint8))


def null_share(session: Session, datum: Datum, rows: int) -> BShare | None:
    """The null bits as a share, or None if the datum is never NULL. Local."""
    if not isinstance(datum, Public):
        return datum.null
    if datum.null is None or not datum.null.any():
        return None
    return public_bits(session, pack_public(datum.null, rows))


def add_constant(session: Session, words: Array, value: int) -> Array:
    """words + value: one party adds. Local."""
    if value == 0 or not session.first:
        return words
    added: Array = words + words_of(value, 8 * words.dtype.itemsize)
    return added
