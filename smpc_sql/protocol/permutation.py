"""Moving whole rows: shuffled so that nobody knows where a row came from, or routed to secret places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.correlations.permutations import Shuffle, permutation_of
from smpc_sql.ring import Array, lane_of
from smpc_sql.session import Session, join


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
    shapes = [part.shape for part in parts]
    for turn in range(session.parties):
        kind = Shuffle(rows.count, len(rows.words), len(rows.bits), len(rows.places), turn, lane_of(rows.bits))
        keys, *masks = session.deal(kind)
        if session.index == turn:
            own = [part.reshape(-1) for part in parts]
            received = [_cut(other, own) for other in session.collect(join(*own), turn)]
            order = permutation_of(keys)
            parts = [
                _permuted(kind, i, [own[i], *(other[i] for other in received)], order, masks[-3 + i]).reshape(shapes[i])
                for i in range(3)
            ]
        else:
            hidden = [part.subtract(x.reshape(-1), a) for part, x, a in zip(kind.masks, parts, masks, strict=False)]
            session.collect(join(*hidden), turn)
            parts = [b.reshape(shape) for b, shape in zip(masks[3:6], shapes, strict=True)]
    return Rows(*parts)


def _cut(raw: Array, like: list[Array]) -> list[Array]:
    """Bytes behind each other -> arrays like these."""
    found, at = [], 0
    for array in like:
        found.append(np.frombuffer(raw.data[at : at + array.nbytes], dtype=array.dtype))
        at += array.nbytes
    return found


def _permuted(kind: Shuffle, number: int, shares: list[Array], order: Array, correction: Array) -> Array:
    part = kind.masks[number]
    if not part.count:
        return shares[0]
    total = part.total(shares).reshape(-1, kind.rows)
    return part.add(np.take(total, order, axis=1).reshape(-1), correction)


def route(session: Session, rows: Rows, destinations: Array) -> Rows:
    """Every row at its destination: secret places uint32 [n], a permutation of 0 … n - 1.

    Shuffle the rows with their destinations, and open these: a permutation that the shuffle has made uniform. Then
    everybody places the rows. A shuffle's rounds and one more.
    """
    together = Rows(rows.words, rows.bits, np.concatenate([rows.places, destinations[None]]))
    shuffled = shuffle(session, together)
    at = session.open(np.ascontiguousarray(shuffled.places[-1])).astype(np.int64)
    return Rows(*(_placed(part, at) for part in (shuffled.words, shuffled.bits, shuffled.places[:-1])))


def _placed(columns: Array, at: Array) -> Array:
    out = np.empty_like(columns)
    for column, into in zip(columns, out, strict=True):
        into[at] = column
    return out
