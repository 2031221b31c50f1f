"""Sealed connections: what an attacker on the wire can do to them, and who may open one."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from networks import Network

from smpc_sql.errors import ConfigError, PeerError
from smpc_sql.transport import sealed as module
from smpc_sql.transport.base import Node
from smpc_sql.transport.records import Cipher, shut
from smpc_sql.transport.sealed import Sealed, open_station

SESSION = b"s" * 16
DATA = os.urandom(100_000)


@pytest.fixture
def both(scratch: Any) -> Iterator[Network]:
    network = Network("sealed", scratch)
    yield network
    network.close()


def carrier(node: Node) -> Sealed:
    found = node._carrier
    assert isinstance(found, Sealed)
    return found


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def joined(network: Network) -> tuple[Node, Node]:
    """a and b, with a sealed connection from a to b."""
    a, b = network.station("a"), network.station("b")
    for node in (a, b):
        node.open_session(SESSION, ("a", "b"))
    a.send("b", SESSION, b"first", DATA)
    assert bytes(b.receive("a", SESSION, b"first", size=len(DATA), timeout=30)) == DATA
    until(lambda: carrier(a)._out["b"].socket)
    until(lambda: carrier(b)._inbound)
    return a, b


class Tap:
    """Between a and b's sealed port: keeps what passes, and may change it."""

    def __init__(self, port: int) -> None:
        self.passed = bytearray()
        self.change: Callable[[bytes], bytes] = lambda data: data
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with self._server:
            near, _ = self._server.accept()
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            while data := near.recv(1 << 20):
                self.passed += data
                changed = self.change(data)
                if not changed:
                    return
                far.sendall(changed)


@pytest.fixture
def tapped(both: Network, monkeypatch: pytest.MonkeyPatch) -> tuple[Node, Node, Tap]:
    tap = Tap(both.sealed_ports["b"])
    real, told = both.sealed, dict(both.sealed_ports)

    def sealed(name: str, station: Any) -> Sealed:
        found = real(name, station)
        if name == "a":
            found._out["b"].place = ("127.0.0.1", tap.port)
        return found

    monkeypatch.setattr(both, "sealed", sealed)
    a, b = joined(both)
    assert told == both.sealed_ports
    return a, b, tap


def test_large_frames_are_sealed_and_small_ones_and_control_are_not(tapped: tuple[Node, Node, Tap]) -> None:
    a, b, tap = tapped
    before = len(tap.passed)
    a.send("b", SESSION, b"path", DATA)
    assert bytes(b.receive("a", SESSION, b"path", size=len(DATA), timeout=30)) == DATA
    assert len(tap.passed) == before + 2 + (40 + 4 + 16) + (len(DATA) + 16)
    assert DATA[:64] not in tap.passed
    assert SESSION not in tap.passed
    assert b"path" not in tap.passed
    after = len(tap.passed)
    a.send_control("b", b"c" * 100_000)
    assert b.control.get(timeout=30) == ("a", b"c" * 100_000)
    a.send("b", SESSION, b"empty", b"")
    assert b.receive("a", SESSION, b"empty", size=0, timeout=30).nbytes == 0
    assert len(tap.passed) == after


@pytest.mark.parametrize("at", [0, 5, 70, -1])
def test_a_changed_byte_ends_the_session_and_names_the_peer(tapped: tuple[Node, Node, Tap], at: int) -> None:
    a, b, tap = tapped

    def flip(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[at] ^= 1
        tap.change = lambda later: later
        return bytes(changed)

    tap.change = flip
    a.send("b", SESSION, b"path", DATA[:5000])
    with pytest.raises(PeerError) as found:
        b.receive("a", SESSION, b"path", size=5000, timeout=8)
    assert found.value.peer == "a"


def test_a_cut_connection_ends_the_session_and_names_the_peer(tapped: tuple[Node, Node, Tap]) -> None:
    a, b, tap = tapped
    tap.change = lambda data: b""
    a.send("b", SESSION, b"path", DATA[:5000])
    started = time.monotonic()
    with pytest.raises(PeerError) as found:
        b.receive("a", SESSION, b"path", size=5000, timeout=20)
    assert found.value.peer == "a"
    assert time.monotonic() - started < 10


def test_a_repeated_frame_ends_the_session(tapped: tuple[Node, Node, Tap]) -> None:
    a, b, tap = tapped
    tap.change = lambda data: data + data
    a.send("b", SESSION, b"path", DATA[:5000])
    with pytest.raises(PeerError) as found:  # by the first, if the network cut the frame in pieces
        assert bytes(b.receive("a", SESSION, b"path", size=5000, timeout=30)) == DATA[:5000]
        b.receive("a", SESSION, b"never", size=5000, timeout=8)
    assert found.value.peer == "a"
    assert "seal is broken" in str(found.value)


def test_a_recorded_connection_is_no_use(tapped: tuple[Node, Node, Tap], both: Network) -> None:
    a, b, tap = tapped
    dropped = b._carrier.dropped  # type: ignore[attr-defined]
    with socket.create_connection(("127.0.0.1", both.sealed_ports["b"])) as again:
        again.sendall(tap.passed)
        until(lambda: b._carrier.dropped == dropped + 1)  # type: ignore[attr-defined]
    a.send("b", SESSION, b"still", DATA)
    assert b.receive("a", SESSION, b"still", size=len(DATA), timeout=30).nbytes == len(DATA)


@pytest.mark.parametrize("hello", [b"", b"x", bytes(32), bytes(range(32)), b"GET / HTTP/1.1\r\n\r\n" + bytes(40)])
def test_strangers_are_turned_away(both: Network, hello: bytes) -> None:
    a, b = joined(both)
    with socket.create_connection(("127.0.0.1", both.sealed_ports["b"])) as stranger:
        stranger.sendall(hello)
        with contextlib.suppress(OSError):  # turned away already
            stranger.shutdown(socket.SHUT_WR)
        stranger.settimeout(8)
        with contextlib.suppress(ConnectionResetError):
            assert stranger.recv(1) == b""
    a.send("b", SESSION, b"still", DATA)
    assert b.receive("a", SESSION, b"still", size=len(DATA), timeout=30).nbytes == len(DATA)


def test_a_client_cannot_invite(both: Network) -> None:
    _, b = joined(both)
    visitor = both.visitor()
    before, dropped = dict(carrier(b)._invitations), b.dropped
    visitor._carrier.carry("b", b"SMPC-invite-1" + bytes(16), memoryview(bytes(32)))
    until(lambda: b.dropped > dropped)
    assert carrier(b)._invitations == before


def test_a_lost_connection_is_opened_again(both: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AGAIN", 0.05)
    a, b = joined(both)
    shut(carrier(b)._inbound["a"])
    with pytest.raises(PeerError):
        b.receive("a", SESSION, b"path", size=5, timeout=8)
    again = b"t" * 16
    for node in (a, b):
        node.open_session(again, ("a", "b"))
    with pytest.raises(PeerError):  # the sender notices, at the latest when it sends
        for number in range(1000):
            a.send("b", again, b"x%d" % number, DATA)
            time.sleep(0.001)
    last = b"u" * 16
    for node in (a, b):
        node.open_session(last, ("a", "b"))
    until(lambda: sends(a, b, last) and carrier(a)._out["b"].socket)


def sends(a: Node, b: Node, session: bytes) -> bool:
    path = os.urandom(8)
    a.send("b", session, path, DATA)
    return b.receive("a", session, path, size=len(DATA), timeout=30).nbytes == len(DATA)


def test_a_full_receiver_makes_the_sender_wait_and_closing_frees_it(both: Network) -> None:
    a, b = joined(both)
    stop = threading.Event()
    carrier(b)._arrived = lambda *_: stop.wait(20)  # a receiver that does not get on
    frames = 0
    failed = threading.Event()

    def send() -> None:
        nonlocal frames
        big = np.zeros(1 << 20, dtype=np.uint8)
        try:
            for number in range(200):
                a.send("b", SESSION, b"big%d" % number, big)
                frames += 1
        except PeerError:
            failed.set()

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(1.0)
    assert frames < 100
    a.close()
    stop.set()
    thread.join(10)
    assert failed.is_set()


def test_a_port_in_use_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
            open_station("a", "tcp://127.0.0.1:1", {}, known={}, keys=None, patience=1.0, sealed_port=port)


def test_every_seal_is_different_and_bound_to_its_place() -> None:
    key = bytes(32)
    first = Cipher(key, b"c" * 16, "a", "b")
    seals = [first.seal(b"same"), first.seal(b"same")]
    assert seals[0] != seals[1]
    for channel, sender, receiver, text in [
        (b"d" * 16, "a", "b", seals[0]),
        (b"c" * 16, "b", "a", seals[0]),
        (b"c" * 16, "a", "b", seals[1]),
        (b"c" * 16, "a", "b", seals[0][:-1]),
    ]:
        with pytest.raises(InvalidTag):
            Cipher(key, channel, sender, receiver).unseal(text)
    assert Cipher(key, b"c" * 16, "a", "b").unseal(seals[0]) == b"same"


def test_a_header_too_long_is_not_read(both: Network) -> None:
    a, b = joined(both)
    out = carrier(a)._out["b"]
    assert out.socket is not None
    out.socket.sendall(struct.pack("<H", 60_000) + bytes(100))
    with pytest.raises(PeerError, match="header of a wrong size"):
        b.receive("a", SESSION, b"path", size=5, timeout=8)
