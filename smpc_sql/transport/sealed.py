"""A Carrier whose large frames between stations take TCP connections of their own, sealed with AES-256-GCM.

CURVE encrypts with XSalsa20-Poly1305, which costs more than all the rest of a large frame's way; processors have
instructions for AES. So a station makes a fresh key for each direction and connection, and tells it to the other over
the CURVE connection, which is secret and authenticated. Everything else stays there: control messages, small frames,
visitors, heartbeats, and large frames while no such connection stands.

    A -> B over CURVE   INVITE, channel [16], key [32]
    B -> A over CURVE   READY, channel
    A -> B over TCP     channel, seal("")                                   hello
                        u16 size of the next, seal(header), seal(payload)   for each frame

seal is AES-256-GCM under the channel's key. The nonce is the number of the seal in the channel (96 bits, from 0), the
associated data names protocol, channel, sender and receiver. So no record can be forged, altered, repeated, left out or
moved to another place, connection or direction: any of it ends the connection, and with it every session with that
peer. Decision 14 says why this is enough.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag

from smpc_sql import wire
from smpc_sql.errors import ConfigError, PeerError
from smpc_sql.transport.base import Carrier
from smpc_sql.transport.records import PATIENCE, TAG, Cipher, fresh_key, read, read_frame, send_frame, shut, tune
from smpc_sql.transport.zeromq.addresses import Address, KeyPair
from smpc_sql.transport.zeromq.peers import Arrived, Lost
from smpc_sql.transport.zeromq.station import Station

_log = logging.getLogger(__name__)

LARGE: Final = 1 << 15
"""Bytes from which a payload goes sealed."""

_INVITE: Final = b"SMPC-invite-1"
_READY: Final = b"SMPC-ready-1"
_ID: Final = 16
_HELLO: Final = _ID + TAG
_AGAIN: Final = 2.0  # seconds between two attempts to open a channel
_TICK: Final = 1.0
_STRANGERS: Final = 32  # connections that have not said hello yet; more are closed


@dataclass(frozen=True, slots=True)
class _Invitation:
    """What INVITE said. The key is not printed."""

    sender: str
    cipher: Cipher


class _Out:
    """The sending side to one peer: nothing, a channel that is being opened, or one that stands."""

    def __init__(self, peer: str, place: tuple[str, int]) -> None:
        self.peer = peer
        self.place = place
        self.lock = threading.RLock()
        self.socket: socket.socket | None = None
        self.cipher: Cipher | None = None
        self.channel = b""  # invited to, not yet ready
        self.due = 0.0  # when the next attempt may begin

    def drop(self) -> bool:
        """Ends the channel, even while somebody sends on it, who then fails; true if one stood."""
        found, self.socket = self.socket, None
        self.channel = b""
        shut(found)
        with self.lock:  # whoever sent has noticed: only now may the descriptor be given to others
            if found is not None:
                found.close()
        return found is not None


class Sealed:
    """See Carrier. station: over tcp with CURVE. listener: of this station's sealed connections; it is closed with it.

    places: host and port of the sealed connections of those peers that have them. large: bytes of payload from which
    data frames go there.
    """

    def __init__(
        self,
        station: Station,
        listener: socket.socket,
        places: Mapping[str, tuple[str, int]],
        *,
        large: int = LARGE,
    ) -> None:
        self.name = station.name
        self._large = large
        self._strange = 0
        self._station = station
        self._listener = listener
        self._out = {peer: _Out(peer, place) for peer, place in places.items()}
        self._invitations: dict[bytes, _Invitation] = {}
        self._inbound: dict[str, socket.socket] = {}
        self._strangers: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._closing = False

    @property
    def dropped(self) -> int:
        """Messages that the station dropped, and connections that did not prove who they are."""
        return self._strange + self._station.dropped

    def start(self, arrived: Arrived, lost: Lost) -> None:
        """See Carrier."""
        self._arrived, self._lost = arrived, lost
        self._run(self._accept_loop)
        self._station.start(self._on_curve, self._on_lost)

    def carry(self, to: str, header: bytes, payload: memoryview, *, wait: bool = True) -> None:
        """See Carrier. A large frame waits while the receiver's buffers are full."""
        large = payload.nbytes >= self._large and wire.is_data(header)  # control messages stay in order
        out = self._out.get(to) if large else None
        if out is None or not self._carry_sealed(out, header, payload):
            self._station.carry(to, header, payload, wait=wait)

    def close(self) -> None:
        """See Carrier."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            inbound = (*self._inbound.values(), *self._strangers)
        shut(self._listener)
        for out in self._out.values():
            out.drop()
        for found in inbound:
            shut(found)
        self._station.close()
        for thread in tuple(self._threads):
            if thread is not threading.current_thread():
                thread.join(_TICK)  # one that connects to a host that does not answer ends later
        self._listener.close()

    def _run(self, work: Callable[..., None], *args: object) -> None:
        def whole() -> None:
            try:
                work(*args)
            except Exception:
                _log.exception("%s: a sealed connection failed", self.name)
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=whole, name=f"{self.name}-sealed", daemon=True)
        thread.start()
        self._threads.add(thread)  # not before: close() joins only what has begun
        if not thread.is_alive():
            self._threads.discard(thread)

    # the sending side

    def _carry_sealed(self, out: _Out, header: bytes, payload: memoryview) -> bool:
        """False if no channel stands: the frame then goes another way."""
        if out.socket is None:
            self._invite(out)
            return False
        with out.lock:
            found, cipher = out.socket, out.cipher
            if found is None or cipher is None or cipher.spent:
                out.drop()
                return False
            try:
                send_frame(found, cipher, header, payload)
            except OSError:
                stood = out.drop()
            else:
                return True
        if self._closing:
            raise PeerError(self.name, "the link was closed")
        if stood:  # what was sent before may not have arrived
            self._lost(out.peer, "the connection was lost")
        raise PeerError(out.peer, "the connection was lost")

    def _invite(self, out: _Out) -> None:
        """Begins to open a channel, unless that was tried just now."""
        now = time.monotonic()
        with self._lock:
            if self._closing or now < out.due:
                return
            out.due = now + _AGAIN
        key, channel = fresh_key(), secrets.token_bytes(_ID)
        with out.lock:
            if out.socket is not None:
                return
            out.cipher = Cipher(key, channel, self.name, out.peer)
            out.channel = channel
        self._run(self._tell, out.peer, _INVITE + channel, key)

    def _tell(self, peer: str, header: bytes, payload: bytes) -> None:
        """Over CURVE, in a thread of its own: the connection may not stand yet. If it does not, others notice."""
        with contextlib.suppress(PeerError):
            self._station.carry(peer, header, memoryview(payload))

    def _connect(self, out: _Out, channel: bytes) -> None:
        """The invited peer is ready."""
        try:
            found = socket.create_connection(out.place, PATIENCE)
        except OSError as error:
            _log.info("%s: no sealed connection to %s: %s", self.name, out.peer, error.strerror)
            return
        with out.lock:
            if out.channel != channel or out.cipher is None or out.socket is not None:
                found.close()
                return
            tune(found)
            try:
                found.sendall(channel + out.cipher.seal(b""))
            except OSError:
                found.close()
                return
            out.socket = found
            if self._closing:  # whenever it was: close() may have looked before
                out.drop()

    # the receiving side

    def _on_curve(self, sender: str, header: bytes, payload: memoryview) -> None:
        """What came over CURVE, whose sender is known."""
        out = self._out.get(sender)
        if out is None or len(header) not in (len(_INVITE) + _ID, len(_READY) + _ID):
            self._arrived(sender, header, payload)
        elif header.startswith(_INVITE) and payload.nbytes == 32:
            self._on_invite(sender, header[len(_INVITE) :], bytes(payload))
        elif header.startswith(_READY) and header[len(_READY) :] == out.channel and out.socket is None:
            self._run(self._connect, out, header[len(_READY) :])
        else:
            self._arrived(sender, header, payload)

    def _on_invite(self, sender: str, channel: bytes, key: bytes) -> None:
        """One invitation for each sender: the last."""
        cipher = Cipher(key, channel, sender, self.name)
        with self._lock:
            kept = {k: v for k, v in self._invitations.items() if v.sender != sender}
            self._invitations = {**kept, channel: _Invitation(sender, cipher)}
        self._run(self._tell, sender, _READY + channel, b"+")

    def _accept_loop(self) -> None:
        while not self._closing:
            try:
                found, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                if not self._closing:
                    time.sleep(0.1)  # no descriptors left, or a caller who went away
                continue
            with self._lock:
                welcome = not self._closing and len(self._strangers) < _STRANGERS
                if welcome:
                    self._strangers.add(found)
            if welcome:
                self._run(self._serve, found)
            else:
                found.close()

    def _serve(self, found: socket.socket) -> None:
        """A connection from its hello to its end."""
        try:
            invitation = self._hello(found)
        except (OSError, EOFError, InvalidTag):
            invitation = None
        with self._lock:
            self._strangers.discard(found)
            if invitation is None or self._closing:
                self._strange += 1
                found.close()
                return
            sender = invitation.sender
            before, self._inbound[sender] = self._inbound.get(sender), found
        shut(before)
        why = self._receive(found, invitation)
        with self._lock:
            current = self._inbound.get(sender) is found
            if current:
                del self._inbound[sender]
            found.close()
        if current and not self._closing:
            self._lost(sender, why)

    def _receive(self, found: socket.socket, invitation: _Invitation) -> str:
        """Hands every frame on until the connection ends; why it did."""
        while True:
            try:
                header, payload = read_frame(found, invitation.cipher)
            except InvalidTag:
                return "sent a frame whose seal is broken"
            except wire.Malformed as damage:
                return f"sent a damaged frame: {damage}"
            except (OSError, EOFError):
                return "the connection was lost"
            try:
                self._arrived(invitation.sender, header, payload)
            except Exception:
                _log.exception("%s: a frame could not be handled", self.name)

    def _hello(self, found: socket.socket) -> _Invitation | None:
        """Whose connection it is. An invitation is good for one try."""
        found.settimeout(PATIENCE)
        hello = bytes(read(found, _HELLO))
        with self._lock:
            invitation = self._invitations.pop(hello[:_ID], None)
        if invitation is not None:
            invitation.cipher.unseal(hello[_ID:])
            tune(found)
        return invitation

    def _on_lost(self, peer: str, why: str) -> None:
        """The CURVE connection to a peer ended: so do the others."""
        out = self._out.get(peer)
        if out is not None:
            out.drop()
        with self._lock:
            inbound = self._inbound.pop(peer, None)
        shut(inbound)
        self._lost(peer, why)


def open_station(
    name: str,
    listen: str,
    peers: Mapping[str, Address],
    *,
    known: Mapping[bytes, str],
    keys: KeyPair | None,
    patience: float,
    sealed_port: int = 0,
) -> Carrier:
    """A Station (see there), with sealed connections if it has a port for them. Raises ConfigError."""
    if not sealed_port:
        return Station(name, listen, peers, known=known, keys=keys, patience=patience)
    host = listen.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    try:
        listener = socket.create_server(("" if host == "*" else host, sealed_port), backlog=_STRANGERS)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{sealed_port}: {error.strerror}") from error
    listener.settimeout(_TICK)  # where a shutdown does not wake who accepts
    try:
        station = Station(name, listen, peers, known=known, keys=keys, patience=patience)
    except BaseException:
        listener.close()
        raise
    places = {
        peer: (address.endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]"), address.sealed_port)
        for peer, address in peers.items()
        if address.sealed_port
    }
    return Sealed(station, listener, places)
