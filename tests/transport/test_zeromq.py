"""What only ZeroMQ has: keys, garbage on sockets, processes that die or freeze."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from networks import Network

from smpc_sql.errors import ConfigError, PeerError
from smpc_sql.transport.base import Node
from smpc_sql.transport.zeromq.addresses import Address, keys_of, new_keys
from smpc_sql.transport.zeromq.station import Station
from smpc_sql.transport.zeromq.visitor import Visitor

SESSION = b"s" * 16
WORDS = np.arange(1000, dtype=np.uint64)


def works(network: Any, a: Node) -> None:
    """a still serves whoever it knows."""
    visitor = network.visitor()
    visitor.send_control("a", b"hello")
    sender, message = a.control.get(timeout=30)
    assert message == b"hello"
    a.send_control(sender, b"well")
    assert visitor.control.get(timeout=30) == ("a", b"well")


def dropped_by(node: Node, expected: int) -> bool:
    """Whether so many messages were dropped, as soon as they have arrived."""
    for _ in range(1500):
        if node.dropped + node._carrier.dropped == expected:  # type: ignore[attr-defined]
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def tcp(scratch: Path) -> Any:
    found = Network("tcp", scratch)
    yield found
    found.close()


def test_keys() -> None:
    keys = new_keys()
    assert keys_of(keys.secret) == keys
    assert keys.secret.decode() not in repr(keys)
    with pytest.raises(ConfigError):
        keys_of(b"x" * 40 + b"y")


class TestWrongKeys:
    def test_an_unknown_client_is_refused_at_once(self, tcp: Any) -> None:
        a = tcp.station("a")
        stranger = Node(Visitor("analyst", tcp.addresses, keys=new_keys(), patience=5.0))
        tcp.nodes.append(stranger)
        started = time.monotonic()
        with pytest.raises(PeerError, match="a: refused the connection"):
            stranger.send_control("a", b"hello")
        assert time.monotonic() - started < 4
        works(tcp, a)

    def test_a_server_with_another_key_is_not_believed(self, tcp: Any) -> None:
        a = tcp.station("a")
        addresses = {"a": replace(tcp.addresses["a"], public=new_keys().public)}
        deceived = Node(Visitor("analyst", addresses, keys=tcp.keys["analyst"], patience=1.0))
        tcp.nodes.append(deceived)
        with pytest.raises(PeerError, match="a: "):
            deceived.send_control("a", b"hello")
        works(tcp, a)

    def test_a_party_with_another_key_is_refused(self, tcp: Any) -> None:
        a = tcp.station("a")
        tcp.keys["b"] = new_keys()
        b = tcp.station("b")
        with pytest.raises(PeerError, match="a: refused the connection"):
            b.send_control("a", b"hello")
        works(tcp, a)

    def test_the_name_is_the_keys(self, tcp: Any) -> None:
        """Whatever an analyst calls itself, its key says who it is."""
        a = tcp.station("a")
        liar = Node(Visitor("b", tcp.addresses, keys=tcp.keys["analyst"], patience=3.0))
        tcp.nodes.append(liar)
        liar.send_control("a", b"I am b")
        sender, _ = a.control.get(timeout=30)
        assert sender.startswith("analyst/")

    def test_tcp_without_keys_is_no_configuration(self) -> None:
        with pytest.raises(ConfigError):
            Station("a", "tcp://127.0.0.1:1", {}, known={})
        with pytest.raises(ConfigError):
            Visitor("a", {"b": Address("tcp://127.0.0.1:1", new_keys().public)})


class TestGarbage:
    def test_bytes_that_are_no_zeromq(self, zeromq_network: Any) -> None:
        a = zeromq_network.station("a")
        endpoint = zeromq_network.addresses["a"].endpoint
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(5000), b"\xff" + bytes(8) + b"\x01\x7f" + bytes(5000)):
            if endpoint.startswith("tcp"):
                raw = socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])))
            else:
                raw = socket.socket(socket.AF_UNIX)
                raw.connect(endpoint.removeprefix("ipc://"))
            with raw:
                raw.sendall(garbage)
        works(zeromq_network, a)

    def test_messages_that_are_no_frames(self, zeromq_network: Any) -> None:
        a = zeromq_network.station("a")
        context = zmq.Context()
        dealer = context.socket(zmq.DEALER)
        dealer.linger = 30_000
        dealer.routing_id = b"analyst/1"
        if zeromq_network.kind != "ipc":
            keys = zeromq_network.keys["analyst"]
            dealer.curve_serverkey = zeromq_network.addresses["a"].public
            dealer.curve_publickey, dealer.curve_secretkey = keys.public, keys.secret
        dealer.connect(zeromq_network.addresses["a"].endpoint)
        garbage = [
            [b""],
            [b"x"],
            [os.urandom(40), os.urandom(40)],
            [b"", b""],
            [b"x"] * 100,
            [b"\x80\x04\x95", b"pickle"],
            [bytes(300), b""],
        ]
        for parts in garbage:
            dealer.send_multipart(parts)
        dealer.close()
        context.term()
        works(zeromq_network, a)
        assert dropped_by(a, len(garbage))

    def test_names_that_nobody_has(self, scratch: Path) -> None:
        network = Network("ipc", scratch)
        a = network.station("a")
        context = zmq.Context()
        for name in (b"mallory", b"a", b"b/1", b"analyst", b"\xff\xfe"):
            dealer = context.socket(zmq.DEALER)
            dealer.routing_id = name
            dealer.linger = 30_000
            dealer.connect(network.addresses["a"].endpoint)
            dealer.send_multipart([b"x", b"y"])
            dealer.close()
        context.term()
        works(network, a)
        assert dropped_by(a, 5)
        network.close()


class TestPlaces:
    def test_a_directory_that_others_may_enter_is_refused(self, scratch: Path) -> None:
        scratch.chmod(0o755)
        with pytest.raises(ConfigError, match="0700"):
            Station("a", f"ipc://{scratch}/a", {}, known={})

    def test_a_directory_that_does_not_exist_is_refused(self, scratch: Path) -> None:
        with pytest.raises(ConfigError):
            Station("a", f"ipc://{scratch}/no/a", {}, known={})

    def test_a_port_in_use_is_refused(self, tcp: Any) -> None:
        tcp.station("a")
        with pytest.raises(ConfigError, match="cannot listen"):
            tcp.station("a")


CHILD = """
import sys
from smpc_sql.transport.base import Node
from smpc_sql.transport.zeromq.addresses import Address
from smpc_sql.transport.zeromq.station import Station
directory = sys.argv[1]
known = {name.encode(): name for name in ("a", "b")}
b = Node(Station("b", f"ipc://{directory}/b", {"a": Address(f"ipc://{directory}/a")}, known=known))
b.send_control("a", b"hello")
b.control.get(timeout=60)
b.control.get(timeout=60)
"""


@pytest.mark.processes
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_freezes_is_noticed(scratch: Path, how: signal.Signals) -> None:
    """A dead one at once, a frozen one by its missing heartbeats: both long before the timeout."""
    known = {name.encode(): name for name in ("a", "b")}
    a = Node(Station("a", f"ipc://{scratch}/a", {"b": Address(f"ipc://{scratch}/b")}, known=known))
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(scratch)])
    try:
        a.open_session(SESSION, ("b",))
        assert a.control.get(timeout=20) == ("b", b"hello")
        a.send_control("b", b"hello")
        child.send_signal(how)
        started = time.monotonic()
        with pytest.raises(PeerError, match="b: the connection was lost"):
            a.receive("b", SESSION, b"p", size=8, timeout=60)
        assert time.monotonic() - started < (2 if how is signal.SIGKILL else 12)
    finally:
        child.kill()
        child.wait()
        a.close()


def test_a_peer_that_comes_back_is_served_again(zeromq_network: Any) -> None:
    a, b = zeromq_network.station("a"), zeromq_network.station("b")
    a.send_control("b", b"1")
    assert b.control.get(timeout=30) == ("a", b"1")
    b.close()
    assert a.control.get(timeout=30) == ("b", b"")
    b = zeromq_network.station("b")
    b.open_session(SESSION, ("a",))
    a.send_control("b", b"2")
    assert b.control.get(timeout=30) == ("a", b"2")
    a.send("b", SESSION, b"p", WORDS)
    b.receive("a", SESSION, b"p", size=WORDS.nbytes, timeout=30)
