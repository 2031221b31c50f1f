"""Requests to all parties, and their replies: who is silent, who contradicts the others, what went wrong."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smpc_sql import faults, messages
from smpc_sql.errors import InternalError, PeerError, PolicyError, QueryError, SmpcError
from smpc_sql.messages import Failed
from smpc_sql.transport.base import Link
from smpc_sql.wire import Malformed

SETTLE = 3.0
"""Seconds at most for the other parties to say what they know, after the first one has failed."""

PAUSE = 0.02
"""Seconds, at first, before what was refused because somebody else was at work is tried again."""

_MOST_PAUSE = 1.0


class Call:
    """A request under way: its id, and what came back so far. early: what answers a message that is yet to be sent."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.early: list[tuple[str, messages.ToClient | SmpcError]] = []
        self.replies: queue.SimpleQueue[tuple[str, messages.ToClient | SmpcError]] = queue.SimpleQueue()


class Calls:
    """All requests of a client that are under way. Any number of threads may call at once."""

    def __init__(
        self, link: Link, parties: tuple[str, ...], *, timeout: float, on_close: Callable[[], None] = lambda: None
    ) -> None:
        """timeout: seconds that a party may be silent. on_close: called after the link was closed."""
        self.parties = parties
        self.timeout = timeout
        self.link = link
        self._on_close = on_close
        self._lock = threading.Lock()
        self._calls: dict[bytes, Call] = {}
        self._closed = False
        self._reader = threading.Thread(target=self._read, name=f"{link.name}-reader", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Closes the link; what is under way fails. A second call changes nothing."""
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            try:
                self.link.close()
                self._reader.join()
            finally:
                self._on_close()

    @contextlib.contextmanager
    def begin(self) -> Iterator[Call]:
        """A new request; when the context ends, nobody waits for its replies. Raises InternalError when closed."""
        call = Call(os.urandom(16))
        with self._lock:
            if self._closed:
                raise InternalError("the connection is closed")
            self._calls[call.request] = call
        try:
            yield call
        finally:
            with self._lock:
                del self._calls[call.request]

    @contextlib.contextmanager
    def begin_query(self) -> Iterator[Call]:
        """A new request that the parties are told to give up when the context ends in an error."""
        with self.begin() as call:
            try:
                yield call
            except BaseException:
                self.tell(self.parties, messages.Cancel(call.request))
                raise

    def attempts(self) -> Iterator[int]:
        """Counts attempts at what may be refused because others are at work, with pauses, for as long as `timeout`."""
        deadline = time.monotonic() + self.timeout
        pause = PAUSE
        attempt = 0
        while attempt == 0 or time.monotonic() < deadline:
            yield attempt
            attempt += 1
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, _MOST_PAUSE)

    def tell(self, parties: tuple[str, ...], message: messages.Message) -> None:
        """Sends a message that is not answered to whoever can be reached at once."""
        for party in parties:
            with contextlib.suppress(PeerError):
                self.link.send_control(party, messages.encode(message), wait=False)

    def ask(
        self, call: Call, message: messages.Message, parties: tuple[str, ...] | None = None
    ) -> dict[str, messages.ToClient | SmpcError]:
        """Sends a message to parties (by default all) and collects a reply of each."""
        asked = self.parties if parties is None else parties
        raw = messages.encode(message)
        for party in asked:
            try:
                self.link.send_control(party, raw)
            except PeerError as error:
                call.replies.put((party, error))
        return self.collect(call, asked)

    def collect(self, call: Call, parties: tuple[str, ...]) -> dict[str, messages.ToClient | SmpcError]:
        """A reply, or an error, of each party.

        The first reply may take as long as it takes, while all parties say that they work on it. The others must follow
        within the timeout; after a failure, soon.
        """
        replies: dict[str, messages.ToClient | SmpcError] = {}
        deadline = 0.0
        while call.early:
            call.replies.put(call.early.pop(0))
        while len(replies) < len(parties):
            wait = deadline - time.monotonic() if deadline else self.timeout
            try:
                party, reply = call.replies.get(timeout=max(0.0, wait))
            except queue.Empty:
                missing = [party for party in parties if party not in replies]
                silent = missing if deadline else self._not_working(call, missing)
                if call.replies.empty():
                    replies |= {party: PeerError(party, f"no answer within {self.timeout:g} s") for party in silent}
                continue
            if party not in parties or party in replies:
                call.early.append((party, reply))
                continue
            replies[party] = reply
            failed = isinstance(reply, Failed | SmpcError)
            limit = time.monotonic() + (min(self.timeout, SETTLE) if failed else self.timeout)
            deadline = min(deadline, limit) if deadline and failed else deadline or limit
        return {party: replies[party] for party in parties}

    def _not_working(self, call: Call, parties: list[str]) -> list[str]:
        """Which parties do not say within the timeout that they work on a call.

        Messages of a party arrive in order: if it has replied to the call, that is in the call's queue by now.
        """
        with self.begin() as ping:
            waiting = list(parties)
            heard: list[str] = []
            deadline = time.monotonic() + self.timeout
            for party in parties:
                with contextlib.suppress(PeerError):
                    self.link.send_control(party, messages.encode(messages.Ping(ping.request, call.request)))
            while len(heard) < len(parties):
                try:
                    party, reply = ping.replies.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    break
                heard.append(party)
                if isinstance(reply, messages.Done) and party in waiting:
                    waiting.remove(party)
        return waiting

    def _read(self) -> None:
        """Hands every message to the call that waits for it."""
        while True:
            sender, raw = self.link.control.get()
            lost = PeerError(sender, "the connection was lost")
            if sender == self.link.name:
                lost = PeerError(sender, "the connection was closed")
            if not raw:
                with self._lock:
                    calls = tuple(self._calls.values())
                for call in calls:
                    for party in self.parties if sender == self.link.name else (sender,):
                        call.replies.put((party, lost))
                if sender == self.link.name:
                    return
                continue
            with contextlib.suppress(Malformed):
                message = messages.to_client(raw)
                with self._lock:
                    waiting = self._calls.get(message.request)
                if waiting is not None:
                    waiting.replies.put((sender, message))


def all_of(kind: type[Any], replies: Mapping[str, messages.ToClient | SmpcError]) -> dict[str, Any]:
    """The replies, if all are of that kind; otherwise raises what went wrong."""
    errors: dict[str, SmpcError] = {}
    for party, reply in replies.items():
        if isinstance(reply, Failed):
            errors[party] = faults.error_of(reply.fault, party)
        elif isinstance(reply, SmpcError):
            errors[party] = reply
        elif not isinstance(reply, kind):
            errors[party] = PeerError(party, "gave an answer to another question")
    if errors:
        raise blame(errors, len(replies))
    return dict(replies)


def blame(errors: Mapping[str, SmpcError], asked: int) -> SmpcError:
    """The one error to raise, of what parties reported (or is known of them), in the consortium's order.

    All `asked` parties say the same: that. Otherwise the chain "A waits for B, B waits for C" is followed to its end:
    who is named there is silent, or says itself what failed.
    A refusal by its own policy is that party's to give; and what the run finds out, which all do at once.
    """
    first = next(iter(errors.values()))
    if len(errors) == asked and len({(type(error), str(error)) for error in errors.values()}) == 1:
        return first
    peers = [(party, error) for party, error in errors.items() if isinstance(error, PeerError)]
    if not peers:
        return first
    party, found = peers[0]
    seen = {party}
    while found.peer in errors and found.peer not in seen:
        seen.add(found.peer)
        deeper = errors[found.peer]
        if isinstance(deeper, PolicyError) or type(deeper) is QueryError:  # planning has errors of its own kinds
            return deeper
        if not isinstance(deeper, PeerError):
            return PeerError(found.peer, f"{type(deeper).__name__}: {deeper}")
        found = deeper
    return found


def require_same(values: Mapping[str, object], differs: str) -> None:
    """Raises PeerError for the first party whose value is not the most frequent one."""
    given = list(values.values())
    standard = max(given, key=given.count)
    for party, value in values.items():
        if value != standard:
            others = ", ".join(name for name in values if values[name] == standard)
            raise PeerError(party, f"{differs} {others}")
