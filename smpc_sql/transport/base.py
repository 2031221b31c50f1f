"""The Link: frames between named nodes. A Carrier moves bytes; a Node makes a Link of any Carrier.

Session -> Link (Node: sessions, mailboxes, limits, checks) -> Carrier (memory, ZeroMQ, or one that misbehaves)
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from smpc_sql import wire
from smpc_sql.errors import InternalError, PeerError
from smpc_sql.wire import Payload

MAX_UNREAD: Final = 1 << 32
"""Bytes that one session holds for its reader; a peer that runs further ahead ends the session."""


class Link(Protocol):
    """Frames between named nodes. Every method may be called from any thread.

    A data frame is known by (session, path, sender); each is sent once, frames arrive in any order. A client has no
    endpoint of its own: it is addressed by the name that its messages came with, `analyst/1f03…`; see `identity`.
    """

    @property
    def name(self) -> str:
        """This node."""

    @property
    def control(self) -> queue.SimpleQueue[tuple[str, bytes]]:
        """Control messages (sender, message) in order of arrival.

        An empty message never comes over the wire. (peer, b"") means that the connection to that peer was lost,
        (this node's own name, b"") that this link was closed.
        """

    def send(self, to: str, session: bytes, path: bytes, payload: Payload) -> None:
        """Sends a data frame; does not wait for its arrival. The caller does not change the payload afterwards.

        Raises PeerError if `to` cannot be reached, or if the session has failed.
        """

    def receive(self, sender: str, session: bytes, path: bytes, *, size: int, timeout: float) -> memoryview:
        """Waits for a data frame of exactly `size` bytes; the view may be read-only.

        Raises PeerError: sent another size; no answer within `timeout` seconds; or, at once, the session has failed.
        """

    def open_session(self, session: bytes, senders: tuple[str, ...] | None = None) -> None:
        """Keeps this session's frames from now on, from `senders` only if given. Those of other sessions are dropped.

        A second call changes nothing.
        """

    def close_session(self, session: bytes) -> None:
        """Drops the session's undelivered frames, and forgets it."""

    def fail_session(self, session: bytes, error: PeerError) -> None:
        """Every waiting and every later receive and send of the session raises this error."""

    def send_control(self, to: str, message: bytes, *, wait: bool = True) -> None:
        """Sends a control message of 1 to 2^24 bytes. Raises PeerError if `to` cannot be reached.

        wait: for a connection, as `send` does; otherwise one must stand already.
        """

    def bytes_sent(self, session: bytes) -> dict[str, int]:
        """Payload bytes of data frames sent so far in an open session, by receiver."""

    def close(self) -> None:
        """Releases everything; every open session fails. A second call changes nothing."""


class Carrier(Protocol):
    """Moves frames (header, payload) between nodes, and knows who sent them; nothing of sessions."""

    @property
    def name(self) -> str:
        """This node."""

    def start(self, arrived: Callable[[str, bytes, memoryview], None], lost: Callable[[str, str], None]) -> None:
        """Begins to call arrived(sender, header, payload) and lost(peer, why), from any thread."""

    def carry(self, to: str, header: bytes, payload: memoryview, *, wait: bool = True) -> None:
        """Sends a frame, or raises PeerError if `to` cannot be reached. From any thread."""

    def close(self) -> None:
        """Ends the calls of `arrived` and releases everything."""


def identity(sender: str) -> str:
    """The name in the consortium of who sent a message: `analyst/1f03` is one connection of `analyst`."""
    return sender.partition("/")[0]


class Silent(PeerError):
    """A peer did not answer in time: it may itself have waited for somebody."""


OnData = Callable[[str, bytes, bytes, memoryview], None]
"""Called with (sender, session, path, payload) for every data frame."""


class Node:
    """A Link over a Carrier.

    on_data: takes every sound data frame instead of the mailboxes (the provider: it answers whatever comes).
    """

    def __init__(self, carrier: Carrier, *, on_data: OnData | None = None) -> None:
        self.name = carrier.name
        self.control: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self.dropped = 0  # frames that were not understood or not expected
        self._carrier = carrier
        self._on_data = on_data
        self._boxes: dict[bytes, _Box] = {}
        self._lock = threading.Lock()
        self._closed = False
        carrier.start(self._arrived, self._lost)

    def send(self, to: str, session: bytes, path: bytes, payload: Payload) -> None:
        """See Link.send."""
        found = wire.view(payload)
        box = self._boxes.get(session)
        if box is not None:
            box.count(to, found.nbytes)
        self._carrier.carry(to, wire.data_header(session, path, found), found)

    def receive(self, sender: str, session: bytes, path: bytes, *, size: int, timeout: float) -> memoryview:
        """See Link.receive."""
        box = self._boxes.get(session)
        if box is None:
            raise InternalError("receive in a session that is not open")
        payload = box.take(sender, path, timeout)
        if payload.nbytes != size:
            raise PeerError(sender, f"sent {payload.nbytes} bytes where {size} were expected")
        return payload

    def open_session(self, session: bytes, senders: tuple[str, ...] | None = None) -> None:
        """See Link.open_session."""
        with self._lock:
            if self._closed:
                raise InternalError("the link is closed")
            self._boxes.setdefault(session, _Box(self.name, senders))

    def close_session(self, session: bytes) -> None:
        """See Link.close_session."""
        with self._lock:
            box = self._boxes.pop(session, None)
        if box is not None:
            box.fail(PeerError(self.name, "the session was closed"))

    def fail_session(self, session: bytes, error: PeerError) -> None:
        """See Link.fail_session."""
        box = self._boxes.get(session)
        if box is not None:
            box.fail(error)

    def send_control(self, to: str, message: bytes, *, wait: bool = True) -> None:
        """See Link.send_control."""
        found = memoryview(message)
        self._carrier.carry(to, wire.control_header(found), found, wait=wait)

    def bytes_sent(self, session: bytes) -> dict[str, int]:
        """See Link.bytes_sent."""
        box = self._boxes.get(session)
        return box.bytes_sent() if box is not None else {}

    def close(self) -> None:
        """See Link.close."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            boxes = tuple(self._boxes.values())
        for box in boxes:
            box.fail(PeerError(self.name, "the link was closed"))
        self._carrier.close()
        self.control.put((self.name, b""))

    def _arrived(self, sender: str, header: bytes, payload: memoryview) -> None:
        try:
            found = wire.parse_header(header)
        except wire.Malformed:
            self.dropped += 1
            return
        if found.kind is wire.Kind.CONTROL:
            self._arrived_control(sender, found, payload)
        elif self._on_data is not None:
            self._arrived_unboxed(sender, found, payload)
        else:
            self._arrived_data(sender, found, payload)

    def _arrived_control(self, sender: str, header: wire.Header, payload: memoryview) -> None:
        try:
            wire.check_payload(header, payload)
        except wire.Malformed:
            self.dropped += 1
            return
        self.control.put((sender, bytes(payload)))

    def _arrived_unboxed(self, sender: str, header: wire.Header, payload: memoryview) -> None:
        assert self._on_data is not None
        try:
            wire.check_payload(header, payload)
        except wire.Malformed:
            self.dropped += 1
            return
        self._on_data(sender, header.session, header.path, payload)

    def _arrived_data(self, sender: str, header: wire.Header, payload: memoryview) -> None:
        box = self._boxes.get(header.session)
        if box is None or not box.accepts(sender):
            self.dropped += 1
            return
        try:
            wire.check_payload(header, payload)
        except wire.Malformed as damage:
            box.fail(PeerError(sender, f"sent a damaged frame: {damage}"))
            return
        box.put(sender, header.path, payload)

    def _lost(self, peer: str, why: str) -> None:
        with self._lock:
            boxes = tuple(self._boxes.values())
        for box in boxes:
            if box.senders is not None and peer in box.senders:
                box.fail(PeerError(peer, why))
        self.control.put((peer, b""))


class _Waiter:
    """A receive that waits: `bell` is held until there is a payload or an error."""

    __slots__ = ("bell", "payload")

    def __init__(self) -> None:
        self.bell = threading.Lock()
        self.bell.acquire()
        self.payload: memoryview | None = None


_TAKEN: Final = object()


class _Box:
    """One session's frames. A slot is empty, holds a frame, holds a waiter, or was taken."""

    __slots__ = ("_error", "_lock", "_name", "_sent", "_slots", "_unread", "senders")

    def __init__(self, name: str, senders: tuple[str, ...] | None) -> None:
        self.senders = senders
        self._name = name
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, bytes], object] = {}
        self._error: PeerError | None = None
        self._sent: dict[str, int] = {}
        self._unread = 0

    def accepts(self, sender: str) -> bool:
        return self.senders is None or sender in self.senders

    def count(self, to: str, size: int) -> None:
        with self._lock:
            if self._error is not None:
                raise PeerError(self._error.peer, self._error.message)
            self._sent[to] = self._sent.get(to, 0) + size

    def bytes_sent(self) -> dict[str, int]:
        with self._lock:
            return dict(self._sent)

    def put(self, sender: str, path: bytes, payload: memoryview) -> None:
        key = (sender, path)
        with self._lock:
            slot = self._slots.get(key)
            if slot is None:
                self._slots[key] = payload
                self._unread += payload.nbytes
                problem = "ran too far ahead" if self._unread > MAX_UNREAD else ""
            elif type(slot) is _Waiter:
                self._slots[key] = _TAKEN
                slot.payload = payload
                slot.bell.release()
                return
            else:
                problem = "sent the same frame twice"
        if problem:
            self.fail(PeerError(sender, problem))

    def take(self, sender: str, path: bytes, timeout: float) -> memoryview:
        key = (sender, path)
        with self._lock:
            if self._error is not None:
                raise PeerError(self._error.peer, self._error.message)
            slot = self._slots.get(key)
            if isinstance(slot, memoryview):
                self._slots[key] = _TAKEN
                self._unread -= slot.nbytes
                return slot
            if slot is not None:
                raise InternalError("the same frame is received twice")
            waiter = self._slots[key] = _Waiter()
        started = time.monotonic()
        waiter.bell.acquire(timeout=timeout)
        with self._lock:
            if waiter.payload is not None:
                return waiter.payload
            error = self._failure()
            if error is None:
                del self._slots[key]
                raise Silent(sender, f"no answer within {timeout:g} s")
        waited = time.monotonic() - started
        if error.peer == self._name and waited > timeout / 2:
            raise Silent(sender, f"no answer within {waited:.1f} s")  # we are accused, but only because we wait, too
        raise error

    def _failure(self) -> PeerError | None:
        """Why the session failed, as a fresh error; it may have failed while a receive waited."""
        return None if self._error is None else PeerError(self._error.peer, self._error.message)

    def fail(self, error: PeerError) -> None:
        with self._lock:
            if self._error is not None:
                return
            self._error = error
            for slot in self._slots.values():
                if type(slot) is _Waiter:
                    slot.bell.release()
            self._slots.clear()
