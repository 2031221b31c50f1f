"""The carrier of a node without an endpoint: a client."""

from __future__ import annotations

import collections
import contextlib
import logging
import secrets
import threading
from collections.abc import Mapping

import zmq

from smpc_sql.errors import PeerError
from smpc_sql.transport.zeromq.addresses import Address, KeyPair
from smpc_sql.transport.zeromq.peers import LINGER, Arrived, Bell, Lost, Peer, Watch, dealer, send

_log = logging.getLogger(__name__)


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
        self._bell = Bell(self._context.socket(zmq.PUSH), "inproc://visitor")
        self._thread: threading.Thread | None = None
        self._peers: dict[str, Peer] = {}
        routing_id = f"{name}/{secrets.token_hex(8)}"
        try:
            for peer, address in stations.items():
                self._peers[peer] = Peer(peer, dealer(self._context, address, routing_id, keys))
        except BaseException:
            self._context.destroy(0)
            raise

    def start(self, arrived: Arrived, lost: Lost) -> None:
        """See Carrier."""
        watch = Watch(self._peers, lost)
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
        self._bell.ring()

    def close(self) -> None:
        """See Carrier."""
        if self._closing:
            return
        self._closing = True
        for peer in self._peers.values():
            peer.release()
        self._bell.ring()
        if self._thread is not None:
            self._thread.join()
        self._bell.close()
        self._context.destroy(LINGER)

    def _loop(self, arrived: Arrived, watch: Watch) -> None:
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
            socket.close(LINGER)
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
                send(self._peers[to].socket, header, payload, zmq.NOBLOCK)
