"""What travels while queries run: as much, in the same order, whatever the secrets are; and it looks like chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from smpc_sql.network import NetworkBackend
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import consortium_of
from tests.plan.judge import World, queries
from tests.plan.small import FILES, small_world
from tests.protocol.watching import LIMIT, as_bytes, excess, unbalanced

ASKED = [sql for path in FILES for sql in queries(path)[::31] if "/*+" not in sql]
"""Queries of every kind that disclose nothing."""


def nothing_to_see(world: World) -> World:
    """The same tables with other rows: keys as they are, else NULL where that may be, and the first row's values."""
    tables = {name: dict(columns) for name, columns in world.tables.items()}
    for entry in world.catalog.tables.values():
        columns = tables[entry.schema.name.lower()]
        known = {name.lower() for key in (entry.schema.primary_key, *entry.schema.unique) for name in key}
        for column in entry.schema.stored:
            name = column.name.lower()
            if name.partition("[")[0] not in known:
                columns[name] = [None if column.nullable else columns[name][0]] * len(columns[name])
    return replace(world, tables=tables)


@dataclass
class Seen:
    """What parties open together while they run a query, and what each sends for it; of sums in fields nothing.

    orders: where shuffled rows go that are sorted. They are opened as they are, since the shuffle makes them random.
    """

    masked: list[Array] = field(default_factory=list)
    orders: list[Array] = field(default_factory=list)

    def add(self, array: Array) -> None:
        flat = array.reshape(-1)
        is_order = array.ndim == 1 and np.array_equal(np.sort(flat), np.arange(len(flat)))
        (self.orders.append(flat.astype(np.int64)) if is_order else self.masked.append(as_bytes(array)))

    def extend(self, other: Seen) -> None:
        self.masked += other.masked
        self.orders += other.orders

    def looks_like_chance(self) -> bool:
        """Bytes that are uniform; orders that begin anywhere, and neither rise nor fall."""
        together = np.concatenate(self.masked)
        found = [excess(np.bincount(together, minlength=256)), unbalanced(together[: len(together) // 8 * 8])]
        tilts = [_tilt(order) for order in self.orders if len(order) > 1]
        found += [abs(float(sum(each))) / len(tilts) ** 0.5 for each in zip(*tilts, strict=True)]
        return max(found) < LIMIT


def _tilt(order: Array) -> tuple[float, float]:
    """How far a permutation of 0, 1, … begins from the middle, and how it rises; of random ones with variance 1."""
    middle = (len(order) - 1) / 2
    places = np.arange(len(order)) - middle
    square = float((places**2).sum())
    first = (float(order[0]) - middle) / (square / len(order)) ** 0.5
    return first, float((order - middle) @ places) / (square / (len(order) - 1) ** 0.5)


@contextmanager
def watched(patch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """What is seen meanwhile, by real runs and not by dry ones."""
    seen = Seen()

    def keeping(opening: Callable[..., Any]) -> Callable[..., Any]:
        def opened(self: Session, *masked: Array) -> Any:
            value = opening(self, *masked)
            if isinstance(self._backend, NetworkBackend):
                seen.masked.extend(map(as_bytes, masked))
                for array in (value if isinstance(value, tuple) else (value,)) if self.first else ():
                    seen.add(array)
            return value

        return opened

    with patch.context() as inner:
        for name in ("open", "open_bits", "open_both", "open_sums"):
            inner.setattr(Session, name, keeping(getattr(Session, name)))
        yield seen


def acts(consortium: LockstepConsortium) -> list[list[tuple[object, ...]]]:
    """What every party did in the last query: where, what, how many bytes, after how many rounds."""
    return [sorted((e.path, e.verb, e.size, e.round) for e in backend.events) for backend in consortium.record]


def checked(world: World) -> LockstepConsortium:
    """A consortium that has checked all keys already: what it opens then is disclosed."""
    consortium = consortium_of(world, 3)
    for entry in world.catalog.tables.values():
        if consortium.catalog.table(entry.schema.name).unchecked:
            consortium.check(entry.schema.name)
    return consortium


def test_transcripts_do_not_depend_on_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    world = small_world()
    worlds = [(checked(each), Seen()) for each in (world, nothing_to_see(world))]
    for sql in ASKED:
        answers = []
        for consortium, seen in worlds:
            with watched(monkeypatch) as more:
                consortium.sql(sql)
            answers.append(acts(consortium))
            seen.extend(more)
        assert answers[0] == answers[1], sql
    for _, seen in worlds:
        assert len(seen.orders) > 9
        assert seen.looks_like_chance()


def test_the_watch_notices_what_is_not_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    consortium = consortium_of(small_world(), 2)
    with watched(monkeypatch) as seen:
        consortium.sql("SELECT id, RANK() OVER (ORDER BY a), d * b FROM t WHERE a > 2")
    assert seen.orders and seen.looks_like_chance()
    shown = Seen([*seen.masked, np.zeros(400, np.uint8)], seen.orders)
    assert not shown.looks_like_chance()
    unshuffled = Seen(seen.masked, [*seen.orders, np.arange(2000)])
    assert not unshuffled.looks_like_chance()
