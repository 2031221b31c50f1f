"""The outbound side of a node: a DEALER for each station, and what becomes of its connection."""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Final

import zmq

from smpc_sql import wire
from smpc_sql.errors import ConfigError, PeerError
from smpc_sql.transport.zeromq.addresses import Address, KeyPair

_COPY_BELOW: Final = 1 << 18  # bytes; below, a copy is cheaper than telling Python that ZeroMQ is done with a buffer
_HEARTBEAT: Final = (1000, 5000)  # milliseconds: between two, and until a silent peer counts as lost
LINGER: Final = 300  # milliseconds for what was sent last
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


class Peer:
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


class Watch:
    """Follows the connections of some peers through their monitors."""

    def __init__(self, peers: Mapping[str, Peer], lost: Lost) -> None:
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


class Bell:
    """Wakes a loop that polls sockets, from any thread. socket: of a pattern that speaks to endpoint's, in-process."""

    def __init__(self, socket: zmq.Socket[bytes], endpoint: str) -> None:
        self._socket = socket
        self._lock = threading.Lock()
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(endpoint)

    def ring(self) -> None:
        """The loop comes round once more."""
        with self._lock, contextlib.suppress(zmq.ZMQError):
            # a full pipe wakes as well; and where the loop has ended, nobody is there to take more
            self._socket.send(b"", zmq.NOBLOCK)

    def close(self) -> None:
        """Nobody rings any longer."""
        self._socket.close(0)


def set_limits(socket: zmq.Socket[bytes]) -> None:
    """What every socket has. Queues are unbounded here: protocol rounds, mailboxes and `MAXMSGSIZE` bound them."""
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.LINGER, LINGER)
    socket.setsockopt(zmq.MAXMSGSIZE, wire.MAX_DATA)
    socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT[0])
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, _HEARTBEAT[1])
    socket.setsockopt(zmq.HEARTBEAT_TTL, _HEARTBEAT[1])
    socket.setsockopt(zmq.HANDSHAKE_IVL, _HEARTBEAT[1])
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)


def dealer(
    context: zmq.Context[zmq.Socket[bytes]], address: Address, routing_id: str, keys: KeyPair | None
) -> zmq.Socket[bytes]:
    """A DEALER connected to a station. Over tcp the routing id is left to the ROUTER, which never gives one twice."""
    socket = context.socket(zmq.DEALER)
    set_limits(socket)
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


def send(socket: zmq.Socket[bytes], header: bytes, payload: memoryview, flags: int = 0) -> None:
    """One message of two parts; a large payload is not copied."""
    socket.send(header, flags | zmq.SNDMORE)
    socket.send(payload, flags, copy=payload.nbytes < _COPY_BELOW)
