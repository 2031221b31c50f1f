"""The session: everything that protocol code may do to the world outside its own arrays.

  open      all parties learn a masked value; it says nothing
  deal      take correlated randomness from the provider
  fork      run independent pieces of work at the same time
  public    a public value becomes one party's share, zero elsewhere (local)

Every open and every deal happens at a *path*: the position in the program. All parties run the same program, so paths
agree without a word exchanged, and messages may arrive in any order. The same source runs over a network
(network.py) and, without data, as a dry run that yields the exact rounds, bytes and correlations (dry.py).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from smpc_sql.correlations.base import Correlation
from smpc_sql.ring import Array

T = TypeVar("T")
Item = TypeVar("Item")
CHUNKS_IN_FLIGHT = 4
"""Pieces of work of one fork that run at the same time: enough to hide a round trip behind arithmetic."""

PLACE_BYTES = 3
"""Bytes that an act's number takes in a path."""


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

    def draw(self, path: bytes, kind: Correlation) -> Callable[[int], Array]:
        """The same one by one: its share of a part, by the part's number."""

    def run(
        self,
        session: Session,
        work: Callable[[Session, Item], T],
        items: Sequence[Item],
        alike: Callable[[Item], Hashable],
        at_once: int,
    ) -> list[T]:
        """work(child session, item) for every item, so many at the same time."""

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

        The receiver passes an array of the same size, which is not read: one byte seen so often will do.
        """
        path = self._next()
        self.rounds += 1
        self._backend.record(Event(path, "open", 0 if receiver == self.index else masked.nbytes, self.rounds))
        own = masked if receiver == self.index else np.ascontiguousarray(masked).reshape(-1).view(np.uint8)
        return self._backend.collect(path, own, receiver)

    def deal(self, kind: Correlation) -> list[Array]:
        """This party's shares of a correlation's parts, independent ones first. No round."""
        return self._backend.deal(self._dealt(kind), kind)

    def draw(self, kind: Correlation) -> Callable[[int], Array]:
        """A correlation whose parts are made when they are asked for, by their numbers. No round.

        So one need not hold all of them at once. A part may be asked for again, and may then be worked out again.
        """
        return self._backend.draw(self._dealt(kind), kind)

    def _dealt(self, kind: Correlation) -> bytes:
        path = self._next()
        dealt = kind.correction_bytes if kind.receiver(self.parties) == self.index else 0
        self._backend.record(Event(path, type(kind).__name__, dealt, self.rounds))
        return path

    def fork(
        self,
        work: Callable[[Session, Item], T],
        items: Sequence[Item],
        alike: Callable[[Item], Hashable] = id,
        at_once: int = CHUNKS_IN_FLIGHT,
    ) -> list[T]:
        """work(branch, item) for every item, several at a time (at_once); the results in order.

        alike: items with equal `alike` cost the same; a dry run then runs only one of them.
        """
        return self._backend.run(self, work, items, alike, at_once)

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


def stats_of(events: Sequence[Event]) -> SessionStats:
    """Rounds and bytes of a record."""
    opens = [event for event in events if event.verb == "open"]
    return SessionStats(
        rounds=max((event.round for event in opens), default=0),
        bytes_sent=sum(event.size for event in opens),
        bytes_dealt=sum(event.size for event in events if event.verb != "open"),
    )
