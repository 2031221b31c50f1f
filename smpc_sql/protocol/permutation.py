"""Moving whole rows: shuffled so that nobody knows where a row came from, or routed to secret places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.correlations.permutations import Shuffle, permutation_of
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
    parts = [rows.words, rows.bits, rows.places]
    size = sum(part.nbytes for part in parts)
    for turn in range(session.parties):
        kind = Shuffle(rows.count, len(rows.words), len(rows.bits), len(rows.places), turn, lane_of(rows.bits))
        keys, *masks = session.deal(kind)
        if session.index == turn:
            received = session.collect(np.empty(size, dtype=np.uint8), turn)
            parts = _permuted(kind, parts, received, permutation_of(keys), masks[-3:])
        else:
            session.collect(_hidden(kind, parts, masks[:3]), turn)
            parts = [b.reshape(part.shape) for b, part in zip(masks[3:6], parts, strict=True)]
        del keys, masks
    return Rows(*parts)


def _hidden(kind: Shuffle, parts: Sequence[Array], masks: Sequence[Array]) -> Array:
    """The bytes of x - a for all parts behind each other."""
    raw: Array = np.empty_like(masks[0], dtype=np.uint8, shape=sum(x.nbytes for x in parts))
    for part, x, a, into in zip(kind.masks, parts, masks, _cut(raw, parts), strict=True):
        (np.bitwise_xor if part.xor else np.subtract)(x, a.reshape(x.shape), out=into)
    return raw


def _cut(raw: Array, like: Sequence[Array]) -> list[Array]:
    """Bytes behind each other -> arrays like these, of the same memory."""
    found, at = [], 0
    for array in like:
        found.append(raw[at : at + array.nbytes].view(array.dtype).reshape(array.shape))
        at += array.nbytes
    return found


def _permuted(
    kind: Shuffle, parts: Sequence[Array], received: Sequence[Array], order: Array, corrections: Sequence[Array]
) -> list[Array]:
    """pi(own + received) + correction: column by column."""
    others = [_cut(raw, parts) for raw in received]
    found = []
    for i, (part, x, correction) in enumerate(zip(kind.masks, parts, corrections, strict=True)):
        add = np.bitwise_xor if part.xor else np.add
        out = correction.reshape(x.shape).copy()
        for column, into in enumerate(out):
            total = add(x[column], others[0][i][column])
            for other in others[1:]:
                add(total, other[i][column], out=total)
            for rows in _pieces(len(order)):
                add(into[rows], np.take(total, order[rows]), out=into[rows])
        found.append(out)
    return found


def _pieces(rows: int) -> list[slice]:
    """Rows in pieces: numpy widens indices to 64 bits, a piece at a time."""
    return [slice(at, at + _PIECE) for at in range(0, rows, _PIECE)]


def route(session: Session, rows: Rows, destinations: Array) -> Rows:
    """Every row at its destination: secret places uint32 [n], a permutation of 0 … n - 1.

    Shuffle the rows with their destinations, and open these: a permutation that the shuffle has made uniform. Then
    everybody places the rows. A shuffle's rounds and one more.
    """
    key = route, rows.count, len(rows.words), len(rows.bits), lane_of(rows.bits), len(rows.places)
    return session.alike(key, lambda session: _routed(session, rows, destinations))


def _routed(session: Session, rows: Rows, destinations: Array) -> Rows:
    together = Rows(rows.words, rows.bits, np.concatenate([rows.places, destinations[None]]))
    shuffled = shuffle(session, together)
    at = session.open(np.ascontiguousarray(shuffled.places[-1]))
    return Rows(*(_placed(part, at) for part in (shuffled.words, shuffled.bits, shuffled.places[:-1])))


def _placed(columns: Array, at: Array) -> Array:
    out = np.empty_like(columns)
    for column, into in zip(columns, out, strict=True):
        for rows in _pieces(len(at)):
            into[at[rows]] = column[rows]
    return out
