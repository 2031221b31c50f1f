"""The backend over a network: a session's acts between processes, with the correlations of a provider."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np

from smpc_sql import messages
from smpc_sql.correlations.base import Correlation
from smpc_sql.correlations.requests import Request, encode_requests
from smpc_sql.errors import InternalError, PeerError
from smpc_sql.randomness import fresh_seed
from smpc_sql.ring import Array
from smpc_sql.session import CHUNKS_IN_FLIGHT, Event, Item, Session, SessionStats, T, stats_of
from smpc_sql.transport.base import Link

_WINDOW = 6 << 20  # bytes of corrections that may be on their way or unread; bounds the receiver's memory


class NetworkBackend:
    """Acts over a Link, with the correlations of a provider.

    manifest: the corrections that this party will need, in order, so that they are asked for ahead of their use.
    """

    def __init__(
        self,
        *,
        link: Link,
        index: int,
        parties: tuple[str, ...],
        provider: str,
        session: bytes,
        timeout: float,
        in_flight: int = CHUNKS_IN_FLIGHT,
    ) -> None:
        self.index = index
        self.parties = len(parties)
        self.dry = False
        self.events: list[Event] = []
        self._link = link
        self._names = parties
        self._others = tuple(name for i, name in enumerate(parties) if i != index)
        self._provider = provider
        self._session = session
        self._timeout = timeout
        self._in_flight = in_flight
        self._seed = fresh_seed()
        self._ahead = _Ahead(link, provider, session)
        link.send_control(provider, msgspec.msgpack.encode(messages.Seed(session=session, seed=self._seed)))

    def expect(self, manifest: Sequence[Request]) -> None:
        """Asks ahead for these corrections."""
        self._ahead.expect(manifest)

    def exchange(self, path: bytes, own: Array) -> list[Array]:
        """See Backend."""
        for name in self._others:
            self._link.send(name, self._session, path, own)
        return self._from_others(path, own.nbytes)

    def collect(self, path: bytes, own: Array, receiver: int) -> list[Array]:
        """See Backend."""
        if receiver == self.index:
            return self._from_others(path, own.nbytes)
        self._link.send(self._names[receiver], self._session, path, own)
        return []

    def _from_others(self, path: bytes, size: int) -> list[Array]:
        return [
            np.frombuffer(
                self._link.receive(name, self._session, path, size=size, timeout=self._timeout), dtype=np.uint8
            )
            for name in self._others
        ]

    def deal(self, path: bytes, kind: Correlation) -> list[Array]:
        """See Backend."""
        use = kind.use(self._session, path)
        if kind.receiver(self.parties) != self.index or not kind.dependent:
            return kind.expand(self._seed, use, whole=True, without=kind.unused(whole=True))
        self._ahead.need(Request(path, kind))
        own = kind.expand(self._seed, use, whole=False, without=kind.unused(whole=False))
        return [*own, *self._correction(path, kind)]

    def draw(self, path: bytes, kind: Correlation) -> Callable[[int], Array]:
        """See Backend."""
        use, known = kind.use(self._session, path), len(kind.independent)
        whole = kind.receiver(self.parties) != self.index or not kind.dependent
        received: list[Array] = []
        if not whole:
            self._ahead.need(Request(path, kind))

        def part(number: int) -> Array:
            if whole or number < known:
                return kind.expand_part(self._seed, use, number)
            if not received:
                received.extend(self._correction(path, kind))
            return received[number - known]

        return part

    def _correction(self, path: bytes, kind: Correlation) -> list[Array]:
        size = kind.correction_bytes
        raw = self._link.receive(self._provider, self._session, path, size=size, timeout=self._timeout)
        self._ahead.arrived(size)
        return kind.receive(np.frombuffer(raw, dtype=np.uint8))

    def run(
        self,
        session: Session,
        work: Callable[[Session, Item], T],
        items: Sequence[Item],
        alike: Callable[[Item], Hashable],
        at_once: int,
    ) -> list[T]:
        """See Backend."""
        branches = [session.branch(i) for i in range(len(items))]
        failures: list[BaseException] = []

        def guarded(branch: Session, item: Item) -> T:
            try:
                return work(branch, item)
            except BaseException as error:
                failures.append(error)  # the first one is the cause; it wakes the branches that wait
                self._link.fail_session(self._session, PeerError(self._link.name, "another part of the query failed"))
                raise

        if len(items) <= 1:
            results = [work(branch, item) for branch, item in zip(branches, items, strict=True)]
        else:
            with ThreadPoolExecutor(min(self._in_flight, at_once, len(items))) as pool:
                futures = [pool.submit(guarded, branch, item) for branch, item in zip(branches, items, strict=True)]
                try:
                    results = [future.result() for future in futures]
                except BaseException:
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise failures[0] from None
        session.join(max((branch.rounds for branch in branches), default=0))
        return results

    def alike(self, session: Session, key: Hashable, work: Callable[[Session], T]) -> T:
        """See Backend."""
        return work(session)

    def record(self, event: Event) -> None:
        """See Backend."""
        self.events.append(event)

    def stats(self) -> SessionStats:
        """What it has cost so far."""
        return stats_of(self.events)


class _Ahead:
    """Asks the provider for corrections ahead of their use, at most a window's worth; from any thread."""

    def __init__(self, link: Link, provider: str, session: bytes) -> None:
        self._link = link
        self._provider = provider
        self._session = session
        self._lock = threading.Lock()
        self._waiting: dict[bytes, Request] = {}
        self._asked: dict[bytes, Correlation] = {}
        self._under_way = 0
        self._batches = 0

    def expect(self, manifest: Sequence[Request]) -> None:
        """A correction larger than the window is on its way alone."""
        with self._lock:
            self._waiting.update((request.path, request) for request in manifest)
            self._ask_ahead()

    def need(self, request: Request) -> None:
        """Makes sure that a request that is used now has been asked for."""
        with self._lock:
            asked = self._asked.pop(request.path, None)
            if asked is None:
                self._waiting.pop(request.path, None)
                self._send([request])
            elif asked != request.kind:
                raise InternalError("the dry run foresaw another correlation than the one that is needed")

    def arrived(self, size: int) -> None:
        with self._lock:
            self._under_way -= size
            if self._under_way < _WINDOW // 2:
                self._ask_ahead()

    def _ask_ahead(self) -> None:
        batch: list[Request] = []
        room = _WINDOW - self._under_way
        for request in self._waiting.values():
            room -= request.kind.correction_bytes
            if room < 0 and (batch or self._under_way):
                break
            batch.append(request)
        for request in batch:
            del self._waiting[request.path]
        if batch:
            self._send(batch)

    def _send(self, batch: list[Request]) -> None:
        self._asked.update((request.path, request.kind) for request in batch)
        self._under_way += sum(request.kind.correction_bytes for request in batch)
        self._batches += 1
        path = b"?" + self._batches.to_bytes(4, "big")
        self._link.send(self._provider, self._session, path, encode_requests(batch))
