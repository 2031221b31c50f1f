"""Moving whole rows: shuffled so that nobody knows where a row came from, or routed to secret places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.correlations.base import Part
from smpc_sql.correlations.permutations import Shuffle, permutation_of
from smpc_sql.protocol.columns import Shares, are_many, routed_columns, shuffled_columns
from smpc_sql.ring import Array, lane_of
from smpc_sql.session import Session

_PIECE = 1 << 16  # rows


@dataclass(frozen=True, slots=True)
class Rows:
    """This party's shares of n rows: words [w, n] mod 2^64, bits [b, n] XOR-shared words of any one lane, places [p, n]
    mod 2^32.
    """

    words: Array
    bits: Array
    places: Array

    @property
    def count(self) -> int:
        """How many rows."""
        return int(self.words.shape[1])


def rows_of(count: int, *, words: Array | None = None, bits: Array | None = None, places: Array | None = None) -> Rows:
    """Rows with only some kinds of columns."""
    return Rows(
        np.empty((0, count), dtype=np.uint64) if words is None else words,
        np.empty((0, count), dtype=np.uint64) if bits is None else bits,
        np.empty((0, count), dtype=np.uint32) if places is None else places,
    )


def shuffle(session: Session, rows: Rows) -> Rows:
    """The rows in a random order that no party knows.

    Every party in turn permutes by a permutation of its own: it gets the others' shares masked (x_j - a_j), adds its
    own, permutes, and adds the dealt pi(sum a_j) - sum b_j; the others go on with b_j. One round for each party; a
    row's
    bytes for each turn that is not one's own; as many are dealt in each. [Laur-Willemson-Zhang 2011; Chase et al. 2020]
    """
    return Rows(*_shuffled(session, [rows.words, rows.bits, rows.places]))


def shuffled_words(session: Session, words: list[Array]) -> list[Array]:
    """`shuffle` of columns of words [n]. The list is used up."""
    count = len(words[0])
    if are_many(count):
        columns = [Shares(each, xor=False) for each in words]
        words.clear()
        return shuffled_columns(session, columns)
    return list(shuffle(session, rows_of(count, words=np.stack(words))).words)


def _shuffled(session: Session, parts: list[Array]) -> list[Array]:
    """The same of words, bits and places, which the list does not keep. Nothing is held longer than it is needed."""
    (words, count), (bits, _), (places, _) = (part.shape for part in parts)
    lane = lane_of(parts[1])
    for turn in range(session.parties):
        kind = Shuffle(count, words, bits, places, turn, lane)
        part = session.draw(kind)
        if session.index == turn:
            _permuted(session, kind, parts, part)
        else:
            session.collect(_hidden(kind, parts, part), turn)
            for i in range(len(parts)):
                shape, parts[i] = parts[i].shape, _EMPTY
                parts[i] = part(4 + i).reshape(shape)
    return parts


_EMPTY: Array = np.empty(0, dtype=np.uint8)


def _hidden(kind: Shuffle, parts: Sequence[Array], masks: Callable[[int], Array]) -> Array:
    """The bytes of x - a for all parts behind each other."""
    mask = masks(1)
    raw: Array = np.empty_like(mask, dtype=np.uint8, shape=sum(x.nbytes for x in parts))
    for i, (part, x, into) in enumerate(zip(kind.masks, parts, _cut(raw, parts), strict=True)):
        mask = masks(1 + i) if i else mask
        (np.bitwise_xor if part.xor else np.subtract)(x, mask.reshape(x.shape), out=into)
    return raw


def _cut(raw: Array, like: Sequence[Array]) -> list[Array]:
    """Bytes behind each other -> arrays like these, of the same memory."""
    found, at = [], 0
    for array in like:
        found.append(raw[at : at + array.nbytes].view(array.dtype).reshape(array.shape))
        at += array.nbytes
    return found


def _permuted(session: Session, kind: Shuffle, parts: list[Array], dealt: Callable[[int], Array]) -> None:
    """pi(own + received) + correction, in place of the parts."""
    order = permutation_of(dealt(0))  # before the others' shares are there
    size = sum(part.nbytes for part in parts)
    received = session.collect(np.broadcast_to(_BYTE, (size,)), kind.turn)
    others = [_cut(raw, parts) for raw in received]
    del received
    for i, part in enumerate(kind.masks):
        total = (np.bitwise_xor if part.xor else np.add)(parts[i], others[0][i])
        parts[i] = _EMPTY
        for other in others[1:]:
            (np.bitwise_xor if part.xor else np.add)(total, other[i], out=total)
        parts[i] = total
        del total
    del others
    for i, part in enumerate(kind.masks):
        parts[i] = _moved(part, parts[i], order, dealt(7 + i))


def _moved(part: Part, columns: Array, order: Array, correction: Array) -> Array:
    """Columns [k, n] in an order, plus a correction. In the correction's memory, if it may be written to."""
    out = correction.reshape(columns.shape)
    if not out.flags.writeable:
        out = out.copy()
    add = np.bitwise_xor if part.xor else np.add
    for column, into in zip(columns, out, strict=True):
        for rows in _pieces(len(order)):
            add(into[rows], np.take(column, order[rows]), out=into[rows])
    return out


_BYTE: Array = np.zeros(1, dtype=np.uint8)


def _pieces(rows: int) -> list[slice]:
    """Rows in pieces: numpy widens indices to 64 bits, a piece at a time."""
    return [slice(at, at + _PIECE) for at in range(0, rows, _PIECE)]


def route(session: Session, rows: Rows, destinations: Array) -> Rows:
    """Every row at its destination: secret places uint32 [n], a permutation of 0 … n - 1.

    Shuffle the rows with their destinations, and open these: a permutation that the shuffle has made uniform. Then
    everybody places the rows. A shuffle's rounds and one more.
    """
    parts = [rows.words, rows.bits, np.concatenate([rows.places, destinations[None]])]
    del rows, destinations
    return routed(session, parts)


def routed(session: Session, parts: list[Array]) -> Rows:
    """`route` of words, bits and places, the last of which are the destinations. The list is used up: what nobody else
    holds is freed on the way.
    """
    (words, count), (bits, _), (places, _) = (part.shape for part in parts)
    if are_many(count):
        return _routed_one_by_one(session, parts)
    key = routed, count, words, bits, lane_of(parts[1]), places
    return session.alike(key, lambda session: _routed(session, parts))


def routed_places(session: Session, columns: list[Array]) -> list[Array]:
    """`route` of places mod 2^32 alone, columns [n] of which the last are the destinations. The list is used up."""
    count = len(columns[0])
    if are_many(count):
        shares = [Shares(column, xor=False) for column in columns]
        columns.clear()
        return routed_columns(session, shares)
    none = rows_of(count)
    return list(routed(session, [none.words, none.bits, np.stack(columns)]).places)


def _routed(session: Session, parts: list[Array]) -> Rows:
    _shuffled(session, parts)
    at = session.open(parts[2][-1])
    parts[2] = parts[2][:-1]
    for i in range(len(parts)):
        parts[i] = _placed(parts[i], at)
    found = Rows(*parts)
    parts.clear()
    return found


def _routed_one_by_one(session: Session, parts: list[Array]) -> Rows:
    """The same with less memory."""
    kinds = zip(parts, (False, True, False), strict=True)
    columns = [Shares(column, xor) for part, xor in kinds for column in part]
    found = [np.empty_like(part) for part in parts]
    found[2] = found[2][:-1]
    parts.clear()
    routed_columns(session, columns, [row for part in found for row in part])
    return Rows(*found)


def _placed(columns: Array, at: Array) -> Array:
    out = np.empty_like(columns)
    for column, into in zip(columns, out, strict=True):
        for rows in _pieces(len(at)):
            into[at[rows]] = column[rows]
    return out
