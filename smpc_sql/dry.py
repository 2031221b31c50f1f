"""The dry backend: a session's acts without data. What it records is the exact cost of the same program on shares."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from smpc_sql.correlations.base import Correlation
from smpc_sql.correlations.requests import Request
from smpc_sql.hollow import hollow
from smpc_sql.ring import Array
from smpc_sql.session import PLACE_BYTES, Event, Session, SessionStats, stats_of

T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of work that was run: its result, where it began (path, act, round), how far it led, and its record."""

    result: Any
    prefix: bytes
    act: int
    round: int
    acts: int
    rounds: int
    events: slice
    requests: slice

    def mover(self, session: Session) -> Callable[[bytes], bytes]:
        """Its paths -> those of the same work where a session is now."""
        cut, ahead = len(self.prefix), session.acts - self.act
        end = cut + PLACE_BYTES

        def moved(path: bytes) -> bytes:
            place = int.from_bytes(path[cut:end], "big") + ahead
            return session.prefix + place.to_bytes(PLACE_BYTES, "big") + path[end:]

        return moved


class DryBackend:
    """Acts without data: every open and every part is hollow. What it recorded is the exact cost.

    It plays party `index`; every party sends alike, and `requests` are the corrections of all receivers.
    """

    def __init__(self, *, index: int, parties: int) -> None:
        self.index = index
        self.parties = parties
        self.dry = True
        self.events: list[Event] = []
        self.requests: list[Request] = []
        self._known: dict[Hashable, _Piece] = {}

    def exchange(self, path: bytes, own: Array) -> list[Array]:
        """See Backend."""
        return [hollow(own.nbytes, np.uint8)] * (self.parties - 1)

    def collect(self, path: bytes, own: Array, receiver: int) -> list[Array]:
        """See Backend."""
        return self.exchange(path, own) if receiver == self.index else []

    def deal(self, path: bytes, kind: Correlation) -> list[Array]:
        """See Backend."""
        if kind.dependent:
            self.requests.append(Request(path, kind))
        return [part.view(hollow(part.size, np.uint8)) for part in (*kind.independent, *kind.dependent)]

    def draw(self, path: bytes, kind: Correlation) -> Callable[[int], Array]:
        """See Backend."""
        return self.deal(path, kind).__getitem__

    def run(
        self,
        session: Session,
        work: Callable[[Session, Item], T],
        items: Sequence[Item],
        alike: Callable[[Item], Hashable],
        at_once: int,
    ) -> list[T]:
        """See Backend.

        Of items that are alike only the first is run; its record stands for the others, under their paths.
        """
        results: list[T] = []
        rounds = 0
        seen: dict[Hashable, tuple[T, bytes, slice, slice]] = {}
        for number, item in enumerate(items):
            branch = session.branch(number)
            known = seen.get(alike(item))
            if known is None:
                event, request = len(self.events), len(self.requests)
                result = work(branch, item)
                rounds = max(rounds, branch.rounds)
                known = (result, branch.prefix, slice(event, len(self.events)), slice(request, len(self.requests)))
                seen[alike(item)] = known
            else:
                self._repeat(known[1], branch.prefix, known[2], known[3])
            results.append(known[0])
        session.join(rounds)
        return results

    def _repeat(self, old: bytes, new: bytes, events: slice, requests: slice) -> None:
        cut = len(old)
        self.events += [Event(new + e.path[cut:], e.verb, e.size, e.round) for e in self.events[events]]
        self.requests += [Request(new + r.path[cut:], r.kind) for r in self.requests[requests]]

    def alike(self, session: Session, key: Hashable, work: Callable[[Session], T]) -> T:
        """See Backend. The record of the first piece of work of a key stands for the others, at their places."""
        acts, rounds = session.acts, session.rounds
        known = self._known.get(key)
        if known is None:
            event, request = len(self.events), len(self.requests)
            result = work(session)
            mine = slice(event, len(self.events)), slice(request, len(self.requests))
            self._known[key] = _Piece(
                result, session.prefix, acts, rounds, session.acts - acts, session.rounds - rounds, *mine
            )
            return result
        moved, later = known.mover(session), rounds - known.round
        self.events += [Event(moved(e.path), e.verb, e.size, e.round + later) for e in self.events[known.events]]
        self.requests += [Request(moved(r.path), r.kind) for r in self.requests[known.requests]]
        session.passed(known.acts, known.rounds)
        found: T = known.result
        return found

    def record(self, event: Event) -> None:
        """See Backend."""
        self.events.append(event)

    def stats(self) -> SessionStats:
        """The exact cost of what was run."""
        return stats_of(self.events)
