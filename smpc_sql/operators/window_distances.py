"""Sums up to some distance of the order key, for rows that are sorted by partition and one key.

Beside the rows come probes: for every row, and every distance, one with the row's key moved by that. Sorted among the
rows, before those with an equal key where a frame starts and behind them where it ends, a probe reads the running sum
where it stands, and takes it back to its row. All sizes are public: n rows and m distances make (m + 1)n rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from smpc_sql.operators.datum import add_constant
from smpc_sql.operators.keys import KeyColumn, key_parts
from smpc_sql.operators.whole import Column
from smpc_sql.protocol.ordering import sort
from smpc_sql.protocol.permutation import route, rows_of
from smpc_sql.protocol.sorting import KeyPart, destinations_of, to_old_places
from smpc_sql.ring import Array
from smpc_sql.schema import Interval
from smpc_sql.session import Session


class Distances:
    """Finds sums by the distance of keys.

    number: every row's partition, numbered in their order. key: the order, in which the rows stand within partitions.
    What is to be found is asked for first (`want`), so that it is sorted together.
    """

    def __init__(self, session: Session, number: KeyColumn, key: KeyColumn) -> None:
        self._session = session
        self._number = number
        self._key = key
        self._wanted: dict[tuple[int, bool], None] = {}
        self._found: dict[tuple[int, bool, object], Array] = {}
        self.names: dict[object, None] = {}

    def want(self, offset: int, last: bool, names: Sequence[object]) -> None:
        """Announces `sums`."""
        self._wanted[offset, last] = None
        self.names.update(dict.fromkeys(names))

    def sums(self, offset: int, last: bool, names: Sequence[object], words: Mapping[object, Array]) -> Array:
        """At every row the sums [names, n] of all rows before those whose keys are at least `offset` behind its own in
        the order; with `last`, at most so far behind, these rows included.

        words: every row's own [n], of all names ever wanted. A sort of all rows and probes, and two routes.
        """
        if not self._found:
            self._find(words)
        return np.stack([self._found[offset, last, name] for name in names])

    def _find(self, words: Mapping[object, Array]) -> None:
        session, rows = self._session, len(self._key.column.words)
        # the sort is stable: probes that look for a start are put before the rows, those for an end behind them
        before = [offset for offset, last in self._wanted if not last]
        behind = [offset for offset, last in self._wanted if last]
        ids = sort(session, self._keys([*before, 0, *behind]))
        start = len(before) * rows
        own = np.zeros((len(self.names), (len(self._wanted) + 1) * rows), dtype=np.uint64)
        own[:, start : start + rows] = np.stack([words[name] for name in self.names])
        together = route(session, rows_of(own.shape[1], words=own), destinations_of(session, ids))
        running = np.cumsum(together.words, axis=1, dtype=np.uint64)
        back = to_old_places(session, rows_of(own.shape[1], words=running), ids).words
        places = [(offset, False) for offset in before] + [(0, True)] + [(offset, True) for offset in behind]
        for i, (offset, last) in enumerate(places):
            if i != len(before):
                for name, found in zip(self.names, back, strict=True):
                    self._found[offset, last, name] = found[i * rows : (i + 1) * rows]

    def _keys(self, offsets: Sequence[int]) -> list[KeyPart]:
        """Partition and key, of all rows for each offset."""
        session, key, copies = self._session, self._key, len(offsets)
        bounds = key.bounds
        # from the last key to before the first there are so many steps: what is further leads nowhere else
        steps = [max(-bounds.size, min(offset, bounds.size)) for offset in offsets]
        steps = [-step if key.descending else step for step in steps]
        moved = np.concatenate([add_constant(session, key.column.words, step) for step in steps])
        null = None if key.column.null is None else np.tile(key.column.null, copies)
        reached = Interval(bounds.low + min(steps), bounds.high + max(steps))
        probes = replace(key, column=Column(moved, null, boolean=False), bounds=reached)
        numbers = [replace(part, bits=np.tile(part.bits, copies)) for part in key_parts(session, [], [self._number])]
        return [*numbers, *key_parts(session, [], [probes])]
