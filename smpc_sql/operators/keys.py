"""Keys of rows as bits: what sorting, grouping and joining by secret columns works on.

A key is packed into XOR-shared words of 64 bits, most significant first. Every column takes the bits of its declared
bounds and one more if it can be NULL; NULLs are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smpc_sql.operators.datum import add_constant
from smpc_sql.operators.load import steps_of
from smpc_sql.operators.whole import Column, row_slices, slice_length
from smpc_sql.protocol.bits import compress, conjunction_words, decompose, words_are_zero
from smpc_sql.protocol.sorting import KeyPart
from smpc_sql.ring import Array, dtype_of, lane_for, lane_of, narrow
from smpc_sql.schema import Interval, SqlType, Text, type_bounds
from smpc_sql.session import Session

_DECOMPOSED = 16
"""Bytes a row, for each bit of a lane, that finding a word's bits holds."""

_WIDE, _CHANCE = 96, 40
"""Keys of more bits are compressed, where only equality matters; any two of all rows' keys clash with 2^-40."""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """One column of a key. descending and nulls_first matter for an order only.

    ascii: of text whose characters have seven bits.
    """

    column: Column
    bounds: Interval
    descending: bool = False
    nulls_first: bool = False
    ascii: bool = False

    @property
    def low(self) -> int:
        """What a value's distance is taken from: of characters their bits must stay as they are."""
        return 0 if self.ascii else self.bounds.low

    @property
    def spread(self) -> int:
        """The greatest distance."""
        return self.bounds.high - self.low


def is_ascii(type_: SqlType, bounds: Interval) -> bool:
    """Whether a column's words are characters of seven bits, and nothing else."""
    return isinstance(type_, Text) and type_.ascii and type_.is_word and bounds.intersect(type_bounds(type_)) == bounds


def _value_bits(key: KeyColumn) -> int:
    """The bits of a value that are sorted by."""
    if key.column.boolean:
        return 1
    whole, rest = divmod(key.spread.bit_length(), 8)
    return 7 * whole + min(7, rest) if key.ascii else key.spread.bit_length()


def key_parts(
    session: Session, last: Sequence[Array], keys: Sequence[KeyColumn], *, ordered: bool = True
) -> list[KeyPart]:
    """A key, most significant first. last: bytes 0 or 1 [n] (XOR shares), 1 where a row is to come after all others.

    ordered: that the order of the keys matters, and not only which are equal; if not, a wide key is compressed.
    The rounds of one decomposition for all columns of a lane together, one for NULLs, and one to compress.
    """
    marks: list[tuple[Array, int]] = [(bits, 1) for bits in last]
    fields: list[tuple[Array, int]] = []
    values = _values(session, keys)
    for key, value in zip(keys, values, strict=True):
        width = _value_bits(key)
        if key.column.null is not None:
            null = key.column.null
            fields.append((null ^ session.public(np.uint8(1)) if key.nulls_first else null, 1))
        if width:
            ones = value.dtype.type((1 << width) - 1)
            fields.append((value ^ session.public(ones) if key.descending else value, width))
    return _packed([*marks, *(fields if ordered else _compressed(session, fields))])


def _compressed(session: Session, fields: list[tuple[Array, int]]) -> list[tuple[Array, int]]:
    """The same fields, or if they are wide others that are equal where these are, but for a chance of 2^-40."""
    rows = len(fields[0][0]) if fields else 0
    bits = _CHANCE + 2 * rows.bit_length()
    bits += -bits % 8
    if not rows or sum(width for _, width in fields) <= max(_WIDE, bits):
        return fields
    words = compress(session, np.stack([part.bits for part in _packed(fields)]), bits)
    return [(word, min(64, bits - 64 * i)) for i, word in enumerate(words)]


def _values(session: Session, keys: Sequence[KeyColumn]) -> list[Array]:
    """The bits of every column's x - low, 0 where NULL: XOR-shared words of a lane [n]. Of characters the seven."""
    values: list[Array] = [key.column.words for key in keys]
    lanes: dict[int, list[int]] = {}
    for i, key in enumerate(keys):
        if not key.column.boolean:
            lanes.setdefault(lane_for(max(1, key.spread.bit_length())), []).append(i)
    for lane, numbers in sorted(lanes.items()):
        words = [narrow(np.ascontiguousarray(keys[i].column.words), lane) for i in numbers]
        for place, i in enumerate(numbers):
            words[place] = add_constant(session, words[place], -keys[i].low)
        for i, bits in zip(numbers, _decomposed(session, words), strict=True):
            values[i] = _seven_bits(bits) if keys[i].ascii else bits
    nullable = [i for i, key in enumerate(keys) if key.column.null is not None]
    if nullable:
        # one flipped bit in all places of a word: an XOR share of a bit is spread by negation
        stacked = np.stack([values[i] for i in nullable])
        known = np.stack([_spread(keys[i].column.null ^ session.public(np.uint8(1)), stacked.dtype) for i in nullable])
        for i, cleared in zip(nullable, conjunction_words(session, stacked, known), strict=True):
            values[i] = cleared
    return values


def _seven_bits(words: Array) -> Array:
    """Words of characters without the highest bit of each, which is 0; on XOR shares. Local."""
    kind = words.dtype.type
    found: Array = words & kind(0x7F)
    for place in range(1, words.dtype.itemsize):
        found |= words >> kind(place) & kind(0x7F << 7 * place)
    return found


def _spread(bits: Array, dtype: np.dtype[Any]) -> Array:
    """Bytes 0 or 1 -> words of all zeros or all ones; on XOR shares. Local."""
    found: Array = np.negative(bits.astype(dtype))
    return found


def _decomposed(session: Session, words: list[Array]) -> Array:
    """The bits of k columns of one lane [k, n], in chunks that run side by side."""
    count, rows = len(words), len(words[0])
    flat = np.concatenate(words) if count > 1 else words[0]
    words.clear()
    steps = steps_of(_DECOMPOSED * lane_of(flat))
    found = np.empty_like(flat)

    def decomposed(branch: Session, at: int) -> None:
        found[at : at + steps.rows] = decompose(branch, flat[at : at + steps.rows])

    starts = range(0, len(flat), steps.rows)
    session.fork(decomposed, starts, lambda at: min(steps.rows, len(flat) - at), steps.at_once)
    return found.reshape(count, rows)


def _packed(fields: Sequence[tuple[Array, int]]) -> list[KeyPart]:
    """Fields behind each other in words of at most 64 bits, each in its narrowest lane."""
    groups: list[list[tuple[Array, int]]] = []
    for bits, width in fields:
        if groups and sum(each for _, each in groups[-1]) + width <= 64:
            groups[-1].append((bits, width))
        else:
            groups.append([(bits, width)])
    return [_together(group) for group in groups]


def _together(fields: Sequence[tuple[Array, int]]) -> KeyPart:
    whole = sum(width for _, width in fields)
    kind = dtype_of(lane_for(whole)).type
    found = None
    for bits, width in fields:
        own = bits.astype(kind) & kind((1 << width) - 1)  # shares may be anything above, where the secret is zero
        found = own if found is None else found << kind(width) | own
    assert found is not None
    return KeyPart(found, whole)


def differs_from_previous(session: Session, key: Array) -> Array:
    """For sorted keys [parts, n], whether a row's key is another than that of the row before; bytes [n], XOR shares.

    The first row counts as another. The rounds and bytes of an AND over all bits of the key.
    """
    rows = key.shape[1]
    first = np.full(1, session.public(1), dtype=np.uint8)
    if rows < 2:
        return first[:rows]
    same = equal_rows(session, key[:, 1:], key[:, :-1])
    return np.concatenate([first, same ^ session.public(np.uint8(1))])


def equal_rows(session: Session, left: Array, right: Array) -> Array:
    """Whether the XOR-shared words [k, n] of rows are the same: bytes 0 or 1 [n], XOR shares. In steps side by side.

    The rounds and bytes of `words_are_zero`.
    """

    def same(branch: Session, rows: slice) -> Array:
        return words_are_zero(branch, left[:, rows] ^ right[:, rows])

    return np.concatenate(session.fork(same, row_slices(left.shape[1]), slice_length))
