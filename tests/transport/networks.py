"""Networks of every kind, with or without faults."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Callable
from pathlib import Path

from smpc_sql.transport.base import Carrier, Node, OnData
from smpc_sql.transport.memory import Hub
from smpc_sql.transport.sealed import Sealed
from smpc_sql.transport.zeromq.addresses import Address, KeyPair, new_keys
from smpc_sql.transport.zeromq.station import Station
from smpc_sql.transport.zeromq.visitor import Visitor

Wrap = Callable[[Carrier], Carrier]

FIRST_PORT, PORTS = 12_000, 20_000
_ports = itertools.count()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now, none given twice; below those of outgoing connections."""
    found: list[int] = []
    while len(found) < count:
        port = FIRST_PORT + (997 * os.getpid() + next(_ports)) % PORTS
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            found.append(port)
    return found


class Network:
    """Makes nodes of one kind that know one another."""

    NAMES = ("a", "b", "c")
    VISITOR = "analyst"

    def __init__(self, kind: str, scratch: Path) -> None:
        self.kind = kind
        self.nodes: list[Node] = []
        self.hub = Hub()
        self.keys: dict[str, KeyPair | None] = dict.fromkeys((*self.NAMES, self.VISITOR))
        self.sealed_ports: dict[str, int] = {}
        if kind in ("tcp", "sealed"):
            keys = {name: new_keys() for name in (*self.NAMES, self.VISITOR)}
            ports, sealed = free_ports(len(self.NAMES)), free_ports(len(self.NAMES))
            if kind == "sealed":
                self.sealed_ports = dict(zip(self.NAMES, sealed, strict=True))
            self.keys = dict(keys)
            self.addresses = {
                name: Address(f"tcp://127.0.0.1:{port}", keys[name].public)
                for name, port in zip(self.NAMES, ports, strict=True)
            }
            self.known = {pair.public: name for name, pair in keys.items()}
        else:
            self.addresses = {name: Address(f"ipc://{scratch}/{name}") for name in self.NAMES}
            self.known = {name.encode(): name for name in (*self.NAMES, self.VISITOR)}

    def station(self, name: str, *, wrap: Wrap = lambda c: c, on_data: OnData | None = None) -> Node:
        if self.kind == "memory":
            return self._add(Hub.link(_Wrapped(self.hub, wrap), name, on_data=on_data))
        peers = {peer: address for peer, address in self.addresses.items() if peer != name}
        station = Station(
            name, self.addresses[name].endpoint, peers, known=self.known, keys=self.keys[name], patience=3.0
        )
        carrier: Carrier = self.sealed(name, station) if self.kind == "sealed" else station
        return self._add(Node(wrap(carrier), on_data=on_data))

    def sealed(self, name: str, station: Station) -> Sealed:
        """With sealed connections for every data frame that is not empty."""
        places = {peer: ("127.0.0.1", port) for peer, port in self.sealed_ports.items() if peer != name}
        return Sealed(station, socket.create_server(("127.0.0.1", self.sealed_ports[name])), places, large=1)

    def visitor(self, number: int = 1, *, wrap: Wrap = lambda c: c) -> Node:
        if self.kind == "memory":
            return self._add(Hub.link(_Wrapped(self.hub, wrap), f"{self.VISITOR}/{number}"))
        return self._add(Node(wrap(Visitor(self.VISITOR, self.addresses, keys=self.keys[self.VISITOR], patience=3.0))))

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def _add(self, node: Node) -> Node:
        self.nodes.append(node)
        return node


class _Wrapped(Hub):
    """The same hub, with something else around this one's carrier."""

    def __init__(self, hub: Hub, wrap: Wrap) -> None:
        self.__dict__.update(hub.__dict__)
        self._wrap = wrap
