"""The carrier of a node with an endpoint: a party, the provider."""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import zmq
from zmq.utils import z85

from smpc_sql.errors import ConfigError, PeerError
from smpc_sql.transport.zeromq.addresses import Address, KeyPair
from smpc_sql.transport.zeromq.peers import LINGER, Arrived, Bell, Lost, Peer, Watch, dealer, send, set_limits

_log = logging.getLogger(__name__)
_ZAP: Final = "inproc://zeromq.zap.01"


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
        self._bell_id = secrets.token_bytes(16)
        self._peers: dict[str, Peer] = {}
        try:
            self._router = self._bind(endpoint, keys)
            caller = self._context.socket(zmq.DEALER)
            caller.setsockopt(zmq.ROUTING_ID, self._bell_id)
            self._bell = Bell(caller, "inproc://station")
            for peer, address in peers.items():
                self._peers[peer] = Peer(peer, dealer(self._context, address, name, keys))
        except BaseException:
            self._closing = True
            self._join()
            self._context.destroy(0)
            raise

    def start(self, arrived: Arrived, lost: Lost) -> None:
        """See Carrier."""
        watch = Watch(self._peers, lost)
        self._run(self._receive_loop, arrived)
        self._run(self._watch_loop, watch)

    def carry(self, to: str, header: bytes, payload: memoryview, *, wait: bool = True) -> None:
        """See Carrier. A visitor that went away is no error: nobody waits for the answer."""
        peer = self._peers.get(to)
        if peer is None:
            self._outgoing.append((self._routing_id(to), header, payload))
            self._bell.ring()
            return
        deadline = time.monotonic() + (self._patience if wait else 0.0)
        while True:
            with peer.lock:
                if self._closing:
                    raise PeerError(self.name, "the link was closed")
                with contextlib.suppress(zmq.Again):
                    send(peer.socket, header, payload, zmq.NOBLOCK)
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
        self._bell.ring()
        self._join()
        for peer in self._peers.values():
            with peer.lock:
                peer.socket.close(LINGER)
        self._bell.close()
        self._context.term()

    def _join(self) -> None:
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _bind(self, endpoint: str, keys: KeyPair | None) -> zmq.Socket[bytes]:
        router = self._context.socket(zmq.ROUTER)
        set_limits(router)
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

    def _receive_loop(self, arrived: Arrived) -> None:
        router = self._router
        while not self._closing:
            try:
                sender = router.recv()
                if sender == self._bell_id:
                    router.recv()
                    self._send_outgoing()
                else:
                    self._receive(sender, arrived)
            except zmq.ZMQError:
                self.dropped += 1
            except Exception:
                _log.exception("%s: a frame could not be handled", self.name)
        self._send_outgoing()
        router.close(LINGER)

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
                send(self._router, header, payload)

    def _watch_loop(self, watch: Watch) -> None:
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


def _check_directory(endpoint: str) -> None:
    """An ipc socket's directory must be ours alone: it is what keeps others out."""
    directory = Path(endpoint.removeprefix("ipc://")).parent
    try:
        found = directory.stat()
    except OSError as error:
        raise ConfigError(f"{endpoint}: {error.strerror}") from error
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{endpoint}: its directory must belong to this user, with mode 0700")
