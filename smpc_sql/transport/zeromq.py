"""Carriers over ZeroMQ: tcp with CURVE between hosts, ipc within one.

A Station (a party, the provider) has an endpoint: one ROUTER takes everything that comes in, drained by one thread, and
one DEALER for each peer is used under a lock by whoever sends. A Visitor (a client) has none: one thread owns its
DEALERs, and what a Station sends to a visitor goes back over the ROUTER.

Who sent a frame is never taken from the frame. Over tcp it is the owner of the public key that CURVE authenticated: the
ZAP handler lets in known keys only, and attaches the name. Over ipc, where the socket's directory lets in one user,
it is the name under which the peer connected.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zmq
from zmq.utils import z85

from smpc_sql import wire
from smpc_sql.errors import ConfigError, PeerError

_log = logging.getLogger(__name__)

_COPY_BELOW: Final = 1 << 18  # bytes; below, a copy is cheaper than telling Python that ZeroMQ is done with a buffer
_HEARTBEAT: Final = (1000, 5000)  # milliseconds: between two, and until a silent peer counts as lost
_LINGER: Final = 300  # milliseconds for what was sent last
_ZAP: Final = "inproc://zeromq.zap.01"
_EVENTS: Final = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
_REFUSED: Final = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)

Arrived = Callable[[str, bytes, memoryview], None]
Lost = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, Z85 text as bytes [40]. The secret is not printed."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair({self.public.decode()})"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a station is: tcp://… with its public key, or ipc://… without. sealed_port: 0 if it has none."""

    endpoint: str
    public: bytes = b""
    sealed_port: int = 0

    @property
    def is_tcp(self) -> bool:
        """Over tcp, hence with CURVE."""
        return self.endpoint.startswith("tcp://")


def new_keys() -> KeyPair:
    """A fresh key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public, secret)


def keys_of(secret: bytes) -> KeyPair:
    """The pair of a secret key. Raises ConfigError if it is none."""
    try:
        return KeyPair(zmq.curve_public(secret), secret)
    except (ValueError, zmq.ZMQError) as error:
        raise ConfigError("not a CURVE secret key") from error


class _Peer:
    """The outbound side to one station: a DEALER that only its lock's holder touches."""

    def __init__(self, name: str, socket: zmq.Socket[bytes]) -> None:
        self.name = name
        self.socket = socket
        self.lock = threading.Lock()
        self._known = threading.Event()  # that it is connected, or refused
        self._connected = self._refused = False

    def wait(self, patience: float) -> None:
        """Until the connection stands; PeerError if it is refused, or does not in time."""
        if not self._known.wait(patience):
            raise PeerError(self.name, "cannot be reached")
        if self._refused:
            raise PeerError(self.name, "refused the connection: this node's key, or the key it is known by, is wrong")

    def release(self) -> None:
        """Nobody waits any longer."""
        self._known.set()

    def on_connected(self) -> None:
        self._connected, self._refused = True, False
        self._known.set()

    def on_refused(self) -> None:
        self._connected, self._refused = False, True
        self._known.set()

    def on_disconnected(self) -> bool:
        """True if a connection stood until now."""
        was, self._connected = self._connected, False
        if not self._refused:
            self._known.clear()
        return was


class _Watch:
    """Follows the connections of some peers through their monitors."""

    def __init__(self, peers: Mapping[str, _Peer], lost: Lost) -> None:
        self._lost = lost
        self._peers = {peer.socket.get_monitor_socket(_EVENTS): peer for peer in peers.values()}

    @property
    def sockets(self) -> list[zmq.Socket[bytes]]:
        """What to poll."""
        return list(self._peers)

    def read(self, monitor: zmq.Socket[bytes]) -> None:
        """Takes one event."""
        peer = self._peers[monitor]
        event, _ = struct.unpack("=hi", monitor.recv_multipart()[0])
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            peer.on_connected()
        elif event & _REFUSED:
            peer.on_refused()
        elif peer.on_disconnected():
            self._lost(peer.name, "the connection was lost")

    def close(self) -> None:
        """Closes the monitors; their DEALERs must be open still, and not in use."""
        for monitor, peer in self._peers.items():
            peer.socket.disable_monitor()
            monitor.close(0)


def _limits(socket: zmq.Socket[bytes]) -> None:
    """What every socket has. Queues are unbounded here: protocol rounds, mailboxes and `MAXMSGSIZE` bound them."""
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.LINGER, _LINGER)
    socket.setsockopt(zmq.MAXMSGSIZE, wire.MAX_DATA)
    socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT[0])
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, _HEARTBEAT[1])
    socket.setsockopt(zmq.HEARTBEAT_TTL, _HEARTBEAT[1])
    socket.setsockopt(zmq.HANDSHAKE_IVL, _HEARTBEAT[1])
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)


def _dealer(
    context: zmq.Context[zmq.Socket[bytes]], address: Address, routing_id: str, keys: KeyPair | None
) -> zmq.Socket[bytes]:
    """A DEALER connected to a station. Over tcp the routing id is left to the ROUTER, which never gives one twice."""
    socket = context.socket(zmq.DEALER)
    _limits(socket)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    if address.is_tcp:
        if keys is None:
            raise ConfigError("tcp needs a key pair")
        socket.setsockopt(zmq.CURVE_SERVERKEY, address.public)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    else:
        socket.setsockopt(zmq.ROUTING_ID, routing_id.encode())
    socket.get_monitor_socket(_EVENTS)  # before connect, or the first events are missed
    try:
        socket.connect(address.endpoint)
    except zmq.ZMQError as error:
        socket.close(0)
        raise ConfigError(f"{address.endpoint}: {error.strerror}") from error
    return socket


def _send(socket: zmq.Socket[bytes], header: bytes, payload: memoryview, flags: int = 0) -> None:
    socket.send(header, flags | zmq.SNDMORE)
    socket.send(payload, flags, copy=payload.nbytes < _COPY_BELOW)


class Station:
    """The Carrier of a node with an endpoint.

    peers: the other stations. known: whose each public key (tcp) or routing id (ipc) is that may connect.
    patience: seconds that a send waits for a connection. Raises ConfigError if the endpoint cannot be bound.
    """

    def __init__(
        self,
        name: str,
        endpoint: str,
        peers: Mapping[str, Address],
        *,
        known: Mapping[bytes, str],
        keys: KeyPair | None = None,
        patience: float = 10.0,
    ) -> None:
        self.name = name
        self.dropped = 0  # messages that were no frames, or from nobody known
        self._tcp = endpoint.startswith("tcp://")
        self._known = dict(known)
        self._stations = frozenset(peers)
        self._patience = patience
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._threads: list[threading.Thread] = []
        self._outgoing: collections.deque[tuple[bytes, bytes, memoryview]] = collections.deque()
        self._closing = False
        self._wake_id = secrets.token_bytes(16)
        self._wake_lock = threading.Lock()
        self._peers: dict[str, _Peer] = {}
        try:
            self._router = self._bind(endpoint, keys)
            self._wake = self._context.socket(zmq.DEALER)
            self._wake.setsockopt(zmq.ROUTING_ID, self._wake_id)
            self._wake.setsockopt(zmq.LINGER, 0)
            self._wake.connect("inproc://station")
            for peer, address in peers.items():
                self._peers[peer] = _Peer(peer, _dealer(self._context, address, name, keys))
        except BaseException:
            self._closing = True
            self._join()
            self._context.destroy(0)
            raise

    def start(self, arrived: Arrived, lost: Lost) -> None:
        """See Carrier."""
        watch = _Watch(self._peers, lost)
        self._run(self._receive_loop, arrived)
        self._run(self._watch_loop, watch)

    def carry(self, to: str, header: bytes, payload: memoryview, *, wait: bool = True) -> None:
        """See Carrier. A visitor that went away is no error: nobody waits for the answer."""
        peer = self._peers.get(to)
        if peer is None:
            self._outgoing.append((self._routing_id(to), header, payload))
            self._ring()
            return
        deadline = time.monotonic() + (self._patience if wait else 0.0)
        while True:
            with peer.lock:
                if self._closing:
                    raise PeerError(self.name, "the link was closed")
                with contextlib.suppress(zmq.Again):
                    _send(peer.socket, header, payload, zmq.NOBLOCK)
                    return
            peer.wait(deadline - time.monotonic())
            if time.monotonic() > deadline:
                raise PeerError(to, "cannot be reached")
            time.sleep(0.001)  # the connection stands, its pipe is about to

    def close(self) -> None:
        """See Carrier."""
        if self._closing:
            return
        self._closing = True
        for peer in self._peers.values():
            peer.release()
        self._ring()
        self._join()
        for peer in self._peers.values():
            with peer.lock:
                peer.socket.close(_LINGER)
        self._wake.close(0)
        self._context.term()

    def _join(self) -> None:
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _bind(self, endpoint: str, keys: KeyPair | None) -> zmq.Socket[bytes]:
        router = self._context.socket(zmq.ROUTER)
        _limits(router)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        if self._tcp:
            if keys is None:
                raise ConfigError("tcp needs a key pair")
            self._start_gate()
            router.setsockopt(zmq.CURVE_SERVER, 1)
            router.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
            router.setsockopt(zmq.ZAP_DOMAIN, b"smpc_sql")
        else:
            _check_directory(endpoint)
            router.setsockopt(zmq.ROUTER_HANDOVER, 1)
        try:
            router.bind(endpoint)
            router.bind("inproc://station")
        except zmq.ZMQError as error:
            raise ConfigError(f"cannot listen on {endpoint}: {error.strerror}") from error
        return router

    def _run(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name=f"{self.name}-{work.__name__.strip('_')}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _ring(self) -> None:
        with self._wake_lock, contextlib.suppress(zmq.ZMQError):
            # a full pipe wakes as well; and where the loop has ended, nobody is there to take more
            self._wake.send(b"", zmq.NOBLOCK)

    def _receive_loop(self, arrived: Arrived) -> None:
        router = self._router
        while not self._closing:
            try:
                sender = router.recv()
                if sender == self._wake_id:
                    router.recv()
                    self._send_outgoing()
                else:
                    self._receive(sender, arrived)
            except zmq.ZMQError:
                self.dropped += 1
            except Exception:
                _log.exception("%s: a frame could not be handled", self.name)
        self._send_outgoing()
        router.close(_LINGER)

    def _receive(self, routing_id: bytes, arrived: Arrived) -> None:
        """One message, of which the routing id was read: a frame, or garbage, which is read to its end and dropped."""
        router = self._router
        parts: list[zmq.Frame] = []
        while router.getsockopt(zmq.RCVMORE):
            part = router.recv(copy=False)
            if len(parts) < 3:
                parts.append(part)
        sender = self._sender(routing_id, parts[0]) if len(parts) == 2 else None
        if sender is None:
            self.dropped += 1
            return
        arrived(sender, parts[0].bytes, parts[1].buffer)

    def _sender(self, routing_id: bytes, frame: zmq.Frame) -> str | None:
        if not self._tcp:
            name = self._known.get(routing_id.partition(b"/")[0])
            visits = b"/" in routing_id
            return None if name is None or visits == (name in self._stations) else routing_id.decode("ascii", "replace")
        name = str(frame.get("User-Id"))
        return name if name in self._stations else f"{name}/{routing_id.hex()}"

    def _routing_id(self, visitor: str) -> bytes:
        return bytes.fromhex(visitor.partition("/")[2]) if self._tcp else visitor.encode()

    def _send_outgoing(self) -> None:
        while self._outgoing:
            routing_id, header, payload = self._outgoing.popleft()
            with contextlib.suppress(zmq.ZMQError):  # the visitor went away
                self._router.send(routing_id, zmq.SNDMORE | zmq.NOBLOCK)
                _send(self._router, header, payload)

    def _watch_loop(self, watch: _Watch) -> None:
        poller = zmq.Poller()
        for monitor in watch.sockets:
            poller.register(monitor, zmq.POLLIN)
        while not self._closing:
            for monitor, _ in poller.poll(100):
                watch.read(monitor)
        for peer in self._peers.values():
            peer.lock.acquire()
        watch.close()
        for peer in self._peers.values():
            peer.lock.release()

    def _start_gate(self) -> None:
        """The ZAP handler (ZeroMQ RFC 27): whoever's key is known comes in, under its name."""
        gate = self._context.socket(zmq.REP)
        gate.setsockopt(zmq.LINGER, 0)
        gate.bind(_ZAP)
        self._run(self._gate_loop, gate)

    def _gate_loop(self, gate: zmq.Socket[bytes]) -> None:
        while not self._closing:
            if not gate.poll(100):
                continue
            request = gate.recv_multipart()
            version, number = request[0], request[1]
            key = z85.encode(request[6]) if request[5] == b"CURVE" and len(request) == 7 else b""
            name = self._known.get(key)
            code, text = (b"200", b"OK") if name is not None else (b"400", b"unknown key")
            gate.send_multipart([version, number, code, text, (name or "").encode(), b""])
        gate.close()


class Visitor:
    """The Carrier of a node without an endpoint: it speaks to stations, and they answer.

    name: in the consortium; the stations see `name/…`. patience: seconds that a send waits for a connection.
    """

    def __init__(
        self, name: str, stations: Mapping[str, Address], *, keys: KeyPair | None = None, patience: float = 10.0
    ) -> None:
        self.name = name
        self.dropped = 0
        self._patience = patience
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._closing = False
        self._outgoing: collections.deque[tuple[str, bytes, memoryview]] = collections.deque()
        self._ear = self._context.socket(zmq.PULL)
        self._ear.bind("inproc://visitor")
        self._wake_lock = threading.Lock()
        self._wake = self._context.socket(zmq.PUSH)
        self._wake.setsockopt(zmq.LINGER, 0)
        self._wake.connect("inproc://visitor")
        self._thread: threading.Thread | None = None
        self._peers: dict[str, _Peer] = {}
        routing_id = f"{name}/{secrets.token_hex(8)}"
        try:
            for peer, address in stations.items():
                self._peers[peer] = _Peer(peer, _dealer(self._context, address, routing_id, keys))
        except BaseException:
            self._context.destroy(0)
            raise

    def start(self, arrived: Arrived, lost: Lost) -> None:
        """See Carrier."""
        watch = _Watch(self._peers, lost)
        self._thread = threading.Thread(target=self._loop, args=(arrived, watch), name=f"{self.name}-link", daemon=True)
        self._thread.start()

    def carry(self, to: str, header: bytes, payload: memoryview, *, wait: bool = True) -> None:
        """See Carrier."""
        peer = self._peers.get(to)
        if peer is None:
            raise PeerError(to, "is not a station")
        peer.wait(self._patience if wait else 0.0)
        if self._closing:
            raise PeerError(self.name, "the link was closed")
        self._outgoing.append((to, header, payload))
        self._ring()

    def close(self) -> None:
        """See Carrier."""
        if self._closing:
            return
        self._closing = True
        for peer in self._peers.values():
            peer.release()
        self._ring()
        if self._thread is not None:
            self._thread.join()
        self._wake.close(0)
        self._context.destroy(_LINGER)

    def _ring(self) -> None:
        with self._wake_lock, contextlib.suppress(zmq.ZMQError):
            # a full pipe wakes as well; and where the loop has ended, nobody is there to take more
            self._wake.send(b"", zmq.NOBLOCK)

    def _loop(self, arrived: Arrived, watch: _Watch) -> None:
        names = {peer.socket: peer.name for peer in self._peers.values()}
        poller = zmq.Poller()
        for socket in (self._ear, *names, *watch.sockets):
            poller.register(socket, zmq.POLLIN)
        while not self._closing:
            for socket, _ in poller.poll():
                try:
                    if socket is self._ear:
                        self._ear.recv()
                        self._send_outgoing()
                    elif socket in names:
                        self._receive(socket, names[socket], arrived)
                    else:
                        watch.read(socket)
                except zmq.ZMQError:
                    self.dropped += 1
                except Exception:
                    _log.exception("%s: a frame could not be handled", self.name)
        self._send_outgoing()
        watch.close()
        for socket in names:
            socket.close(_LINGER)
        self._ear.close(0)

    def _receive(self, socket: zmq.Socket[bytes], sender: str, arrived: Arrived) -> None:
        parts = [socket.recv(copy=False)]
        while socket.getsockopt(zmq.RCVMORE):
            part = socket.recv(copy=False)
            if len(parts) < 3:
                parts.append(part)
        if len(parts) != 2:
            self.dropped += 1
            return
        arrived(sender, parts[0].bytes, parts[1].buffer)

    def _send_outgoing(self) -> None:
        while self._outgoing:
            to, header, payload = self._outgoing.popleft()
            with contextlib.suppress(zmq.ZMQError):  # the connection was lost: the monitor says so
                _send(self._peers[to].socket, header, payload, zmq.NOBLOCK)


def _check_directory(endpoint: str) -> None:
    """An ipc socket's directory must be ours alone: it is what keeps others out."""
    directory = Path(endpoint.removeprefix("ipc://")).parent
    try:
        found = directory.stat()
    except OSError as error:
        raise ConfigError(f"{endpoint}: {error.strerror}") from error
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{endpoint}: its directory must belong to this user, with mode 0700")
