"""The session: everything that protocol code may do to the world outside its own arrays.

  open      all parties learn a masked value; it says nothing
  deal      take correlated randomness from the provider
  fork      run independent pieces of work at the same time
  public    a public value becomes one party's share, zero elsewhere (local)

Every open and every deal happens at a *path*: the position in the program. All parties run the same program, so paths
agree without a word exchanged, and messages may arrive in any order. The same source runs over a network
(`NetworkBackend`) and, without data, as a dry run that yields the exact rounds, bytes and correlations (dry.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np

from smpc_sql import messages
from smpc_sql.correlations.base import Correlation
from smpc_sql.correlations.requests import Request, encode_requests
from smpc_sql.errors import InternalError, PeerError
from smpc_sql.randomness import fresh_seed
from smpc_sql.ring import Array
from smpc_sql.transport.base import Link

T = TypeVar("T")
Item = TypeVar("Item")

CHUNKS_IN_FLIGHT = 4
"""Pieces of work of one fork that run at the same time: enough to hide a round trip behind arithmetic."""

PLACE_BYTES = 3
"""Bytes that an act's number takes in a path."""

_WINDOW = 16 << 20  # bytes of corrections that may be on their way or unread; bounds the receiver's memory


@dataclass(frozen=True, slots=True)
class Event:
    """One act of a session: its path, the verb, the bytes that this party sends in all, or is dealt.

    round: how many opens lie before it on the longest chain, itself included (for a deal: before it).
    """

    path: bytes
    verb: str
    size: int
    round: int


@dataclass(frozen=True, slots=True)
class SessionStats:
    """What a session cost. rounds: the longest chain of opens. Bytes: sent to all other parties; received from the
    provider."""

    rounds: int
    bytes_sent: int
    bytes_dealt: int


class Backend(Protocol):
    """Carries out the acts of a session."""

    @property
    def index(self) -> int:
        """This party."""

    @property
    def parties(self) -> int:
        """How many there are."""

    @property
    def dry(self) -> bool:
        """Whether it acts without data."""

    def exchange(self, path: bytes, own: Array) -> list[Array]:
        """Sends the bytes `own` to every other party and returns theirs, in the order of parties."""

    def collect(self, path: bytes, own: Array, receiver: int) -> list[Array]:
        """Sends the bytes `own` to the receiver, which returns them all in the order of parties; else nothing."""

    def deal(self, path: bytes, kind: Correlation) -> list[Array]:
        """This party's shares of all parts of a correlation."""

    def run(
        self,
        session: Session,
        work: Callable[[Session, Item], T],
        items: Sequence[Item],
        alike: Callable[[Item], Hashable],
    ) -> list[T]:
        """work(child session, item) for every item."""

    def alike(self, session: Session, key: Hashable, work: Callable[[Session], T]) -> T:
        """work(session), for a piece of work whose cost depends on the key alone."""

    def record(self, event: Event) -> None:
        """Takes note of an act."""


class Session:
    """One party's view of one run of a program, or of a branch of it. A branch is used by one thread."""

    __slots__ = ("_backend", "_counter", "prefix", "rounds")

    def __init__(self, backend: Backend, prefix: bytes = b"", rounds: int = 0) -> None:
        self._backend = backend
        self.prefix = prefix
        self._counter = 0
        self.rounds = rounds

    @property
    def index(self) -> int:
        """This party, from 0."""
        return self._backend.index

    @property
    def parties(self) -> int:
        """How many parties there are."""
        return self._backend.parties

    @property
    def first(self) -> bool:
        """Whether this party is the one that holds public values in a sharing."""
        return self._backend.index == 0

    @property
    def acts(self) -> int:
        """How many acts (opens, deals, forks) this branch has behind it: where it is in its program."""
        return self._counter

    def public(self, value: Any) -> Any:
        """A public value as a share, by addition or XOR: itself at the first party, zero elsewhere. Local."""
        return value if self._backend.index == 0 else value * 0

    def _next(self) -> bytes:
        self._counter += 1
        return self.prefix + self._counter.to_bytes(PLACE_BYTES, "big")

    def _exchange(self, own: Array) -> list[Array]:
        path = self._next()
        self.rounds += 1
        self._backend.record(Event(path, "open", own.nbytes * (self.parties - 1), self.rounds))
        return self._backend.exchange(path, np.ascontiguousarray(own).reshape(-1).view(np.uint8))

    def open(self, masked: Array) -> Array:
        """The sum mod 2^lane of all parties' words [...]: a masked value. 1 round, the array's bytes.

        The array must not be changed afterwards: it may still be on its way.
        """
        received = self._exchange(masked)
        total: Array = masked + received[0].view(masked.dtype).reshape(masked.shape)
        for other in received[1:]:
            total += other.view(masked.dtype).reshape(masked.shape)
        return total

    def open_bits(self, masked: Array) -> Array:
        """The XOR of all parties' words [...]: masked bits. 1 round, the array's bytes. See `open`."""
        received = self._exchange(masked)
        total: Array = masked ^ received[0].view(masked.dtype).reshape(masked.shape)
        for other in received[1:]:
            total ^= other.view(masked.dtype).reshape(masked.shape)
        return total

    def open_both(self, bits: Array, words: Array) -> tuple[Array, Array]:
        """`open_bits(bits)` and `open(words)` in one round and one message."""
        received = self._exchange(join(bits, words))
        cut = bits.nbytes
        total_bits, total_words = bits.copy(), words.copy()
        for other in received:
            total_bits ^= other[:cut].view(bits.dtype).reshape(bits.shape)
            total_words += _aligned(other[cut:], words.dtype).reshape(words.shape)
        return total_bits, total_words

    def open_sums(self, first: Array, second: Array) -> tuple[Array, Array]:
        """`open(first)` and `open(second)` in one round and one message; the lanes may differ."""
        received = self._exchange(join(first, second))
        cut = first.nbytes
        total_first, total_second = first.copy(), second.copy()
        for other in received:
            total_first += other[:cut].view(first.dtype).reshape(first.shape)
            total_second += _aligned(other[cut:], second.dtype).reshape(second.shape)
        return total_first, total_second

    def disclosed(self, bit: Array) -> bool:
        """A bit that all parties are to learn: bytes 0 or 1 [1], XOR shares that are fresh. 1 round, 1 byte.

        It must be listed among what the query discloses. In a dry run it is 0, so that what happens then is foretold.
        """
        found = self.open_bits(bit)
        return not self._backend.dry and bool(found[0])

    def exchange(self, own: Array) -> list[Array]:
        """Sends bytes (of a masked value) to every other party; theirs in the order of parties. 1 round."""
        return self._exchange(own)

    def collect(self, masked: Array, receiver: int) -> list[Array]:
        """Every party but the receiver sends it the masked bytes; the receiver gets theirs, the others nothing. 1
        round.

        The receiver passes an array of the same size, which is not sent.
        """
        path = self._next()
        self.rounds += 1
        self._backend.record(Event(path, "open", 0 if receiver == self.index else masked.nbytes, self.rounds))
        return self._backend.collect(path, np.ascontiguousarray(masked).reshape(-1).view(np.uint8), receiver)

    def deal(self, kind: Correlation) -> list[Array]:
        """This party's shares of a correlation's parts, independent ones first. No round."""
        path = self._next()
        dealt = kind.correction_bytes if kind.receiver(self.parties) == self.index else 0
        self._backend.record(Event(path, type(kind).__name__, dealt, self.rounds))
        return self._backend.deal(path, kind)

    def fork(
        self, work: Callable[[Session, Item], T], items: Sequence[Item], alike: Callable[[Item], Hashable] = id
    ) -> list[T]:
        """work(branch, item) for every item, several at a time; the results in order.

        alike: items with equal `alike` cost the same; a dry run then runs only one of them.
        """
        return self._backend.run(self, work, items, alike)

    def alike(self, key: Hashable, work: Callable[[Session], T]) -> T:
        """work(this session). What it costs, and the shapes of its result, depend on the key alone.

        A dry run then runs the first piece of work of a key only: so a sort costs it a pass or two.
        """
        return self._backend.alike(self, key, work)

    def passed(self, acts: int, rounds: int) -> None:
        """So many acts, with so long a chain of opens, count as done here."""
        self._counter += acts
        self.rounds += rounds

    def branch(self, number: int) -> Session:
        """The session of branch `number` of the fork that comes next."""
        prefix = self.prefix + (self._counter + 1).to_bytes(PLACE_BYTES, "big") + number.to_bytes(4, "big")
        return Session(self._backend, prefix, self.rounds)

    def join(self, rounds: int) -> None:
        """Ends a fork whose longest branch got to `rounds`."""
        self._counter += 1
        self.rounds = max(self.rounds, rounds)


def _aligned(raw: Array, dtype: np.dtype[Any]) -> Array:
    """Bytes as words; numpy reads unaligned words too, only slower."""
    return np.frombuffer(raw.data, dtype=dtype)


def join(*arrays: Array) -> Array:
    """The bytes of several arrays behind each other."""
    return np.concatenate([np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays])


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
        size = kind.correction_bytes
        raw = self._link.receive(self._provider, self._session, path, size=size, timeout=self._timeout)
        self._ahead.arrived(size)
        return [*own, *kind.receive(np.frombuffer(raw, dtype=np.uint8))]

    def run(
        self,
        session: Session,
        work: Callable[[Session, Item], T],
        items: Sequence[Item],
        alike: Callable[[Item], Hashable],
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
            with ThreadPoolExecutor(min(self._in_flight, len(items))) as pool:
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
        self._window = _WINDOW

    def expect(self, manifest: Sequence[Request]) -> None:
        """A correction larger than the window is on its way alone."""
        with self._lock:
            self._window = max(_WINDOW, *(request.kind.correction_bytes for request in manifest), 0)
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
            if self._under_way < self._window // 2:
                self._ask_ahead()

    def _ask_ahead(self) -> None:
        batch: list[Request] = []
        room = self._window - self._under_way
        for request in self._waiting.values():
            room -= request.kind.correction_bytes
            if room < 0:
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


def stats_of(events: Sequence[Event]) -> SessionStats:
    """Rounds and bytes of a record."""
    opens = [event for event in events if event.verb == "open"]
    return SessionStats(
        rounds=max((event.round for event in opens), default=0),
        bytes_sent=sum(event.size for event in opens),
        bytes_dealt=sum(event.size for event in events if event.verb != "open"),
    )
