"""A whole consortium on threads of this process: real parties, real provider, real client, any fault in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from parties.compute import Party
from parties.config import ClientConfig, Consortium, StationConfig
from parties.engine import Engine, Seat, SqlEngine
from parties.provider import Provider
from parties.store import MemoryStore, Store, StoredFragment
from smpc_sql.client import Connection
from smpc_sql.transport.base import Carrier, Node
from smpc_sql.transport.faulty import Faulty, Rule
from smpc_sql.transport.memory import Hub

DDL = "CREATE TABLE t (g ENUM('a', 'b') NOT NULL, x INTEGER CHECK (x BETWEEN 0 AND 100))"
FRAME = pd.DataFrame({"g": ["a", "b", "a", "b"], "x": [1, 2, None, 40]})
QUERY = "SELECT COUNT(*) AS n, SUM(x) AS s FROM t WHERE x > 1"
ANSWER = [(2, 42)]


class Hooked(SqlEngine):
    """smpc_sql's engine with something before it runs, or instead of planning."""

    def __init__(
        self,
        *,
        before_run: Callable[[Seat], None] = lambda _: None,
        digest: bytes | None = None,
    ) -> None:
        self._before_run = before_run
        self._digest = digest
        self.planned: list[str] = []
        """The queries that were planned, in order."""

    def prepare(self, sql: str, catalog: Any) -> Any:
        self.planned.append(sql)
        prepared = super().prepare(sql, catalog)
        return prepared if self._digest is None else _Other(prepared, self._digest)

    def run(
        self, prepared: Any, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]
    ) -> tuple[Sequence[npt.NDArray[Any]], Any]:
        self._before_run(seat)
        return super().run(getattr(prepared, "prepared", prepared), seat, tables)


class _Other:
    def __init__(self, prepared: Any, digest: bytes) -> None:
        self.prepared = prepared
        self.digest = digest
        self.discloses = prepared.discloses


PATIENCE = 15.0  # seconds; what takes so long does not come


class World:
    """Parties p1 … pn, a provider and clients; `start` only what a test wants to be there."""

    def __init__(self, parties: int, timeout: float) -> None:
        self.names = tuple(f"p{number}" for number in range(1, parties + 1))
        self.consortium = Consortium(
            tuple(StationConfig(name, f"ipc:///{name}") for name in self.names),
            StationConfig("provider", "ipc:///provider"),
            (
                ClientConfig("analyst", may=("query", "define"), owners=("*",)),
                ClientConfig("rival", may=("query", "define"), owners=("*",)),
                ClientConfig("owner", may=(), owners=("owner",)),
            ),
            timeout,
        )
        self.stores: dict[str, Store] = {name: MemoryStore() for name in self.names}
        self.parties: dict[str, Party] = {}
        self.links: dict[str, Node] = {}
        self.faults: dict[str, Faulty] = {}
        self._rules: dict[str, Rule] = {}
        self._hub = Hub(self._wrap)
        self._threads: list[threading.Thread] = []
        self._connections: list[Connection] = []

    def harm(self, sender: str, rule: Rule) -> None:
        """Harms a frame that `sender` will send; before it starts."""
        self._rules[sender] = rule

    def start_provider(self) -> None:
        provider = Provider("provider", self.names, patience=self.consortium.timeout_seconds)
        link = self.links["provider"] = self._hub.link("provider", on_data=provider.on_data)
        self._run(lambda: provider.run(link))

    def start_party(self, name: str, engine: Engine | None = None) -> None:
        link = self.links[name] = self._hub.link(name)
        party = Party(self.consortium, name, link, self.stores[name], engine or SqlEngine())
        self.parties[name] = party
        self._run(party.run)

    def start(self, **engines: Engine) -> Connection:
        """Everybody, the parties named here with these engines; returns an analyst's connection."""
        self.start_provider()
        for name in self.names:
            self.start_party(name, engines.get(name))
        return self.connect()

    def connect(self, identity: str = "analyst") -> Connection:
        link = self._hub.link(f"{identity}/{len(self._connections)}")
        self._connections.append(Connection(link, self.names, timeout=self.consortium.timeout_seconds))
        return self._connections[-1]

    def stop(self, name: str) -> None:
        self.links[name].close()

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        for link in self.links.values():
            link.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        for store in self.stores.values():
            store.close()

    def _wrap(self, carrier: Carrier) -> Carrier:
        rule = self._rules.get(carrier.name.partition("/")[0])
        if rule is None:
            return carrier
        self.faults[carrier.name] = Faulty(carrier, rule)
        return self.faults[carrier.name]

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()


MakeWorld = Callable[..., World]


def agree(world: World) -> bool:
    """All stores come to hold the same catalog, and nothing waits: soon, on a machine that is not busy."""
    deadline = time.monotonic() + PATIENCE
    while not settled(world):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def settled(world: World) -> bool:
    return (
        len({store.catalog.canonical_text() for store in world.stores.values()}) == 1
        and not any(store.staged for store in world.stores.values())
        and not any(party._changes._pending for party in world.parties.values())
    )


def fill(connection: Connection) -> Connection:
    """The table of the tests."""
    connection.execute(DDL)
    assert connection.load_df("t", FRAME, owner="h") == len(FRAME)
    return connection


def plain(world: World, column: str) -> npt.NDArray[np.uint64]:
    """What the stores hold together."""
    tables = [store.fragments(store.catalog.table("t")) for store in world.stores.values()]
    return np.concatenate([sum(f.words[column] for f in shares) for shares in zip(*tables, strict=True)])
