"""The crypto provider's process: it keeps one seed per party and session, and answers requests for corrections.

It knows no SQL, no table and no share: what it sees are session ids, kinds and counts of correlated randomness. A
correction is a pure function of (session, path, kind, shape) and the seeds: whoever asks again gets the same answer.
"""

from __future__ import annotations

import argparse
import collections
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from parties import config, process
from smpc_sql import messages
from smpc_sql.correlations.permutations import Orders
from smpc_sql.correlations.requests import Request, correction, decode_requests
from smpc_sql.errors import PeerError
from smpc_sql.transport.base import Link, Node
from smpc_sql.transport.sealed import open_station
from smpc_sql.wire import Malformed

_log = logging.getLogger(__name__)

WORKERS = 2
MAX_SESSIONS = 1 << 14
MAX_WAITING = 1 << 24
"""Bytes of requests that one session may have waiting."""

TIME_TO_LIVE = 3600.0
"""Seconds without a request after which a session that nobody ended is forgotten."""

_REQUEST = b"?"


@dataclass(slots=True)
class _SessionState:
    """What is kept for a session: never printed."""

    touched: float
    opened: float
    seeds: dict[str, bytes] = field(default_factory=dict, repr=False)
    waiting: collections.deque[tuple[str, memoryview]] = field(default_factory=collections.deque, repr=False)
    ready: collections.deque[tuple[str, Request]] = field(default_factory=collections.deque, repr=False)
    waiting_bytes: int = 0
    ended: set[str] = field(default_factory=set)


class Provider:
    """The provider's work over any link. `on_data` must be the link's.

    parties: their names, in the order of shares. patience: seconds that requests wait for the other parties' seeds.
    """

    def __init__(self, name: str, parties: tuple[str, ...], *, patience: float, ttl: float = TIME_TO_LIVE) -> None:
        self.name = name
        self.dropped = 0
        self._parties = parties
        self._patience = patience
        self._ttl = ttl
        self._sessions: dict[bytes, _SessionState] = {}
        self._turns: collections.deque[bytes] = collections.deque()  # sessions with work, each once
        self._orders = Orders()
        self._changed = threading.Condition()
        self._stopped = False
        self._link: Link | None = None

    def on_data(self, sender: str, session: bytes, path: bytes, payload: memoryview) -> None:
        """Takes a batch of requests; answers come later."""
        with self._changed:
            state = self._state(session)
            if sender not in self._parties or not path.startswith(_REQUEST) or state is None:
                self.dropped += 1
                return
            state.waiting.append((sender, payload))
            state.waiting_bytes += payload.nbytes
            too_much = state.waiting_bytes > MAX_WAITING
        if too_much:
            self._refuse(session, PeerError(sender, "sent too many requests for correlated randomness"))
        else:
            self._admit(session)

    def run(self, link: Link) -> None:
        """Works until the link is closed."""
        self._link = link
        workers = [threading.Thread(target=self._work, args=(link,), daemon=True) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        try:
            process.control_loop(link, self._on_control, self._tick)
        finally:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()
            for worker in workers:
                worker.join()

    def _state(self, session: bytes) -> _SessionState | None:
        """The session's state, made at its first message; None if there are too many."""
        state = self._sessions.get(session)
        if state is None and len(self._sessions) < MAX_SESSIONS:
            now = time.monotonic()
            state = self._sessions[session] = _SessionState(now, now)
        if state is not None:
            state.touched = time.monotonic()
        return state

    def _on_control(self, sender: str, raw: bytes) -> None:
        if sender not in self._parties:
            raise Malformed("only parties speak to the provider")
        match messages.to_provider(raw):
            case messages.Seed(session, seed):
                self._on_seed(sender, session, seed)
            case messages.End(session):
                with self._changed:
                    state = self._sessions.get(session)
                    if state is not None:
                        state.ended.add(sender)
                        if len(state.ended) == len(self._parties):
                            del self._sessions[session]
                            self._orders.forget(session)

    def _on_seed(self, sender: str, session: bytes, seed: bytes) -> None:
        with self._changed:
            state = self._state(session)
            if state is None:
                self.dropped += 1
                return
            changed = state.seeds.setdefault(sender, seed) != seed
        if changed:
            self._refuse(session, PeerError(sender, "sent two seeds for one session"))
        else:
            self._admit(session)

    def _admit(self, session: bytes) -> None:
        """Lets the waiting requests of a session be worked on, once all seeds are there."""
        try:
            with self._changed:
                state = self._sessions.get(session)
                if state is None or len(state.seeds) < len(self._parties):
                    return
                while state.waiting:
                    sender, payload = state.waiting.popleft()
                    requests = decode_requests(payload, sender)
                    mine = self._parties.index(sender)
                    if any(r.kind.receiver(len(self._parties)) != mine for r in requests):
                        raise PeerError(sender, "asked for correlated randomness that is another's")
                    if requests and not state.ready:
                        self._turns.append(session)
                    state.ready.extend((sender, request) for request in requests)
                state.waiting_bytes = 0
                self._changed.notify_all()
        except PeerError as error:
            self._refuse(session, error)

    def _work(self, link: Link) -> None:
        while (job := self._next()) is not None:
            session, sender, request, seeds = job
            try:
                link.send(sender, session, request.path, correction(request, session, seeds, self._orders))
            except PeerError:
                self._forget(session)  # nobody is there to answer
            except Exception:
                _log.exception("%s: a request could not be answered", self.name)
                self._refuse(session, PeerError(self.name, "could not answer a request for correlated randomness"))

    def _next(self) -> tuple[bytes, str, Request, tuple[bytes, ...]] | None:
        """The next request: of one session in order, of several in turn; None at the end."""
        with self._changed:
            while True:
                while not self._turns and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return None
                session = self._turns.popleft()
                state = self._sessions.get(session)
                if state is not None and state.ready:
                    sender, request = state.ready.popleft()
                    if state.ready:
                        self._turns.append(session)
                        self._changed.notify()
                    return session, sender, request, tuple(state.seeds[party] for party in self._parties)

    def _forget(self, session: bytes) -> None:
        with self._changed:
            self._sessions.pop(session, None)
        self._orders.forget(session)

    def _refuse(self, session: bytes, error: PeerError) -> None:
        """Ends a session, and tells its parties whose fault that is."""
        self._forget(session)
        told = messages.encode(messages.Refused(session, error.peer, error.message))
        if self._link is not None:
            process.tell(self._link, self._parties, told)

    def _tick(self) -> None:
        """Forgets sessions that nobody ended, and refuses those whose seeds do not come."""
        now = time.monotonic()
        with self._changed:
            old = [session for session, state in self._sessions.items() if now - state.touched > self._ttl]
            late = [
                (session, next(party for party in self._parties if party not in state.seeds))
                for session, state in self._sessions.items()
                if state.waiting and now - state.opened > self._patience and len(state.seeds) < len(self._parties)
            ]
        for session in old:
            self._forget(session)
        for session, party in late:
            self._refuse(session, PeerError(party, f"sent no seed within {self._patience:g} s"))


def serve(path: Path | str, *, on_ready: Callable[[Link], None] = lambda _: None) -> None:
    """Runs the provider of a consortium file until it is told to stop. Raises ConfigError."""
    process.tune_memory()
    consortium = config.read(path)
    station = consortium.provider
    provider = Provider(station.name, consortium.party_names, patience=consortium.timeout_seconds)
    carrier = open_station(
        station.name,
        station.listen or station.endpoint,
        consortium.peers(station.name),
        known=consortium.known(),
        keys=config.own_keys(consortium, Path(path).parent, station.name),
        patience=min(consortium.timeout_seconds, process.PATIENCE),
        sealed_port=station.sealed_port,
    )
    link = Node(carrier, on_data=provider.on_data)
    try:
        on_ready(link)
        provider.run(link)
    finally:
        link.close()


def main() -> None:
    """`python -m parties.provider CONFIG`: used by `local()`; the operator's command is `smpc-sql provider`."""
    parser = argparse.ArgumentParser(prog="parties.provider")
    parser.add_argument("config", type=Path)
    arguments = parser.parse_args()
    process.run_child(lambda on_ready: serve(arguments.config, on_ready=on_ready), scratch=arguments.config.parent)


if __name__ == "__main__":
    main()
