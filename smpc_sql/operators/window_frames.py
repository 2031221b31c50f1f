"""What stands at the ends of frames, for rows that are sorted by partition and order.

Values at the first or last row of a partition, or of rows with equal keys, are carried to all of its rows: the marked
rows are brought together, replaced by their differences, put back, and added up. An end some rows away is a shift of
the array, but where that leaves the partition: one comparison a row, and what is carried from the partition's end.
Sums up to some distance of the order key are found by sorting (`window_distances.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.errors import InternalError
from smpc_sql.operators.window_distances import Distances
from smpc_sql.plan.frames import Edge
from smpc_sql.protocol.arithmetic import bit_product
from smpc_sql.protocol.comparison import negative
from smpc_sql.protocol.permutation import route, rows_of
from smpc_sql.protocol.sorting import partition_destinations
from smpc_sql.ring import Array, lane_for, narrow, pack, pad_rows
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


def shifted(words: Array, offset: int) -> Array:
    """At every row the word `offset` rows behind (before, if negative); zeros beyond the ends. Local."""
    rows = words.shape[-1]
    steps = min(abs(offset), rows)
    if steps == 0:
        return words
    out = np.zeros_like(words)
    if offset > 0:
        out[..., : rows - steps] = words[..., steps:]
    else:
        out[..., steps:] = words[..., : rows - steps]
    return out


class Ends:
    """Words of rows by name, and what stands at the ends of partitions and of equal keys.

    starts, peer_starts: bytes [rows], XOR shares: whether a partition, or other keys, start with the row. What is to be
    carried is asked for first (`want`), so that it moves together. distances: where frames end with some.
    """

    def __init__(self, session: Session, starts: Array, peer_starts: Array, distances: Distances | None = None) -> None:
        self._session = session
        self._distances = distances
        self.rows = len(starts)
        self._flags = {"partition": starts, "peers": peer_starts}
        self._words: dict[object, Array] = {}
        self._wanted: dict[tuple[str, bool], dict[object, None]] = {}
        self._carried: dict[tuple[str, bool], dict[object, Array]] = {}
        self._outside: dict[int, BShare] = {}
        places = np.arange(self.rows, dtype=np.uint64)
        self.index = places if session.first else np.zeros_like(places)

    def add(self, name: object, words: Array) -> None:
        """Words [rows] under a name."""
        self._words[name] = words

    def __contains__(self, name: object) -> bool:
        return name in self._words

    def word(self, name: object) -> Array:
        """Every row's own."""
        return self._words[name]

    def want(self, at: str, last: bool, name: object) -> None:
        """Announces that a word is needed of the first, or last, row of a partition or of equal keys."""
        self._wanted.setdefault((at, last), {})[name] = None

    def at(self, at: str, last: bool, name: object) -> Array:
        """At every row the word of the first (or last) row of its partition, or ("peers") with its keys."""
        key = (at, last)
        if name not in self._carried.get(key, {}):
            self.want(at, last, name)
            names = [n for n in self._wanted[key] if n not in self._carried.get(key, {})]
            words = np.stack([self._words[n] for n in names])
            found = self._last(words, at) if last else _carry(self._session, words, self._flags[at])
            self._carried.setdefault(key, {}).update(zip(names, found, strict=True))
        return self._carried[key][name]

    def _last(self, words: Array, at: str) -> Array:
        flags = self._flags[at]
        ends = np.concatenate([flags[1:], np.full(1, self._session.public(1), dtype=np.uint8)])
        return _carry(self._session, words[:, ::-1], ends[::-1])[:, ::-1]

    def outside(self, offset: int) -> BShare:
        """Whether the row `offset` rows away is none of the partition's: packed bits. One comparison."""
        if offset not in self._outside:
            session, steps = self._session, min(abs(offset), self.rows)
            edge = self.at("partition", offset > 0, "index")
            distance = edge - self.index if offset > 0 else self.index - edge
            words = distance - np.uint64(session.public(np.uint64(steps)))
            lane = lane_for(self.rows.bit_length() + 1)
            self._outside[offset] = BShare(negative(session, AShare(pad_rows(narrow(words, lane))[None])).packed[0])
        return self._outside[offset]

    def away(self, names: Sequence[object], offset: int) -> Array:
        """Words [names, rows] of the row `offset` away, or of the partition's end before that."""
        near = np.stack([shifted(self.word(name), offset) for name in names])
        if offset == 0:
            return near
        return self._or_else(near, [self.at("partition", offset > 0, name) for name in names], self.outside(offset))

    def _or_else(self, near: Array, instead: Sequence[Array], outside: BShare) -> Array:
        steps = np.stack([pad_rows(row) for row in np.stack(instead) - near])
        found = bit_product(self._session, BShare(outside.packed[None]), AShare(steps[None])).words[0]
        total: Array = near + found[:, : self.rows]
        return total

    # sums up to the ends of frames

    def want_sums(self, edge: Edge, last: bool, names: Sequence[object]) -> None:
        """Announces `sums`."""
        if edge.at == "key":
            self._measured().want(edge.offset, last, names)
            return
        for name in names if edge.at != "row" else ():
            self.want(edge.at, last, name if last else ("before", name))
        if edge.at == "row" and edge.offset + last not in (0, 1):
            self.want("partition", edge.offset + last > 0, "index")
        if edge.at == "row" and (edge.offset > 0 if last else edge.offset < 0):
            for name in names:
                self.want("partition", last, name if last else ("before", name))
        elif edge.at == "row" and edge.offset != 0:
            for name in names:
                self.want("partition", not last, ("before", name) if last else name)

    def sums(self, edge: Edge, last: bool, names: Sequence[object]) -> Array:
        """Prefix sums [names, rows] of what comes before a frame that starts at an edge, or (last) up to its end.

        Of a row that is itself far outside of the partition they stand at the end of this.
        """
        if edge.at == "key":
            own = {name: self.word(name) - self.word(("before", name)) for name in self._measured().names}
            return self._measured().sums(edge.offset, last, names, own)
        if edge.at != "row":
            return np.stack([self.at(edge.at, last, name if last else ("before", name)) for name in names])
        offset = edge.offset + last  # of sums that do not count their row
        if offset == 0:
            return np.stack([self.word(("before", name)) for name in names])
        if offset == 1:
            return np.stack([self.word(name) for name in names])
        if offset < 0:
            near = np.stack([shifted(self.word(("before", name)), offset) for name in names])
            instead = [self.at("partition", False, ("before", name)) for name in names]
            return self._or_else(near, instead, self.outside(offset))
        near = np.stack([shifted(self.word(name), offset - 1) for name in names])
        return self._or_else(near, [self.at("partition", True, name) for name in names], self.outside(offset - 1))

    def _measured(self) -> Distances:
        if self._distances is None:
            raise InternalError("a frame of distances needs an order key")
        return self._distances

    def add_sums(self, name: object, words: Array) -> None:
        """Prefix sums of words [rows], with and without the row's own."""
        total = np.cumsum(words, dtype=np.uint64)
        self.add(name, total)
        self.add(("before", name), np.concatenate([np.zeros(1, dtype=np.uint64), total[:-1]]))


def _carry(session: Session, words: Array, flags: Array) -> Array:
    """Words [w, n] -> at every row those of the last marked row up to it; the first row is marked."""
    rows = words.shape[1]
    flags = np.ascontiguousarray(flags)
    places = partition_destinations(session, flags ^ session.public(np.uint8(1)))
    start = np.arange(rows, dtype=np.uint32)
    mine = start if session.first else np.zeros_like(start)
    marked = flags.astype(np.uint64)[None]
    apart = route(session, rows_of(rows, words=np.ascontiguousarray(words), bits=marked, places=mine[None]), places)
    steps = np.diff(apart.words, axis=1, prepend=np.zeros((len(words), 1), dtype=np.uint64))
    bits = (apart.bits[0] & np.uint64(1)).astype(np.uint8)
    chosen = bit_product(
        session, BShare(pack(pad_rows(bits))[None]), AShare(np.stack([pad_rows(row) for row in steps])[None])
    ).words[0, :, :rows]
    back = route(session, rows_of(rows, words=np.ascontiguousarray(chosen)), apart.places[0])
    return np.cumsum(back.words, axis=1, dtype=np.uint64)
