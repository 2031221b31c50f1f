"""Nodes within one process, for tests: a frame is handed over in the sending thread, without a copy."""

from __future__ import annotations

from collections.abc import Callable

from smpc_sql.errors import PeerError
from smpc_sql.transport.base import Carrier, Node, OnData


class Hub:
    """Joins the nodes that were made from it.

    hub = Hub(); links = [hub.link(name) for name in ("a", "b", "provider")]

    wrap: puts something between every node and the hub, such as `faulty.Faulty`.
    """

    def __init__(self, wrap: Callable[[Carrier], Carrier] = lambda carrier: carrier) -> None:
        self._wrap = wrap
        self._arrivals: dict[str, Callable[[str, bytes, memoryview], None]] = {}
        self._losses: dict[str, Callable[[str, str], None]] = {}

    def link(self, name: str, *, on_data: OnData | None = None) -> Node:
        """A node of that name; one for each name."""
        return Node(self._wrap(_MemoryCarrier(self, name)), on_data=on_data)

    def join(
        self, name: str, arrived: Callable[[str, bytes, memoryview], None], lost: Callable[[str, str], None]
    ) -> None:
        """A carrier is ready to receive."""
        self._arrivals[name] = arrived
        self._losses[name] = lost

    def leave(self, name: str) -> None:
        """A carrier is closed: the others notice, as they would notice a broken connection."""
        self._arrivals.pop(name, None)
        self._losses.pop(name, None)
        for lost in tuple(self._losses.values()):
            lost(name, "the connection was lost")

    def pass_on(self, sender: str, to: str, header: bytes, payload: memoryview) -> None:
        """Hands a frame over. Raises PeerError if there is no such node."""
        arrived = self._arrivals.get(to)
        if arrived is None:
            raise PeerError(to, "cannot be reached")
        arrived(sender, header, payload.toreadonly())


class _MemoryCarrier:
    """A Carrier over a Hub."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.name = name
        self._hub = hub

    def start(self, arrived: Callable[[str, bytes, memoryview], None], lost: Callable[[str, str], None]) -> None:
        self._hub.join(self.name, arrived, lost)

    def carry(self, to: str, header: bytes, payload: memoryview, *, wait: bool = True) -> None:
        self._hub.pass_on(self.name, to, header, payload)

    def close(self) -> None:
        self._hub.leave(self.name)
