"""A party's process: it keeps shares, plans for itself, agrees with the other parties, computes, and hands out shares.

One loop takes control messages; every query and every change has a thread of its own. Whatever fails ends that query or
change only: the client is told whose fault it was, and so are the other parties.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parties import agreement, config, process
from parties.catalog_changes import Busy
from parties.changes import Changes
from parties.config import ClientConfig, Consortium
from parties.directory_store import DirectoryStore
from parties.engine import Engine, SqlEngine
from parties.queries import Queries
from parties.store import MemoryStore, Store
from smpc_sql import faults, messages
from smpc_sql.errors import ConfigError, InternalError, PeerError, PolicyError, SmpcError
from smpc_sql.transport.base import Link, Node, identity
from smpc_sql.transport.sealed import open_station
from smpc_sql.version import VERSION
from smpc_sql.wire import Malformed

_log = logging.getLogger(__name__)

MAX_AT_ONCE = 256
"""Queries and changes that a party works on at the same time."""


class Party:
    """A party's work over any link."""

    def __init__(self, consortium: Consortium, name: str, link: Link, store: Store, engine: Engine) -> None:
        self._name = name
        self._link = link
        self._store = store
        self._parties = consortium.party_names
        self._provider = consortium.provider.name
        self._clients = {client.name: client for client in consortium.clients}
        self._lock = threading.Lock()
        self._active: set[bytes] = set()
        self._at_work = threading.Semaphore(MAX_AT_ONCE)
        self._changes = Changes(
            link, store, self._parties, define=engine.define, reply=self._reply, timeout=consortium.timeout_seconds
        )
        self._queries = Queries(consortium, link, store, engine, self._changes, reply=self._reply)

    def run(self) -> None:
        """Works until the link is closed."""
        process.control_loop(self._link, self._on_message, self._tick)

    # --- messages

    def _on_message(self, sender: str, raw: bytes) -> None:
        client = self._clients.get(identity(sender))
        if not raw:
            self._queries.on_lost(sender)
        elif sender in self._parties:
            self._on_party(sender, messages.from_party(raw))
        elif sender == self._provider:
            refused = messages.from_provider(raw)
            self._link.fail_session(refused.session, PeerError(refused.peer, refused.message))
        elif client is not None:
            self._on_client(sender, client, messages.from_client(raw))
        else:
            raise Malformed("from nobody known")

    def _on_party(self, sender: str, message: messages.FromParty) -> None:
        match message:
            case messages.Propose() | messages.Agreed() | messages.Abort():
                self._queries.on_party(sender, message)
            case messages.Decide() if sender == self._parties[0]:
                self._changes.on_decide(message)
            case messages.Prepared() if self._changes.leads:
                self._changes.on_prepared(sender, message)
            case messages.Decided() if self._changes.leads:
                self._changes.on_decided(sender, message)
            case messages.AskOutcome(change) if self._changes.leads:
                self._changes.on_ask(sender, change)
            case _:
                raise Malformed("not for this party")

    def _on_client(self, sender: str, client: ClientConfig, message: messages.FromClient) -> None:
        match message:
            case messages.Ping(request, about):
                self._on_ping(sender, request, agreement.query_id(client.name, about))
            case messages.GetCatalog(request):
                self._reply(sender, messages.CatalogIs(request, VERSION, self._store.catalog.canonical_text()))
            case messages.Rollback() if self._changes.leads:
                self._changes.on_rollback(client, message)
            case messages.Cancel(request):
                self._queries.on_cancel(client, request)
            case messages.Submit(request):
                self._start(sender, request, self._queries.query, client, message)
            case messages.Explain(request):
                self._start(sender, request, self._queries.explain, client, message)
            case messages.Analyze(request):
                self._start(sender, request, self._queries.analyze, client, message)
            case messages.OpenSize(request):
                self._start(sender, request, self._queries.open_size, client, message)
            case messages.Define(request):
                self._start(sender, request, self._changes.define, client, message)
            case messages.Compute(request):
                self._start(sender, request, self._queries.compute_change, client, message)
            case messages.Load(request):
                self._start(sender, request, self._changes.load, client, message)
            case messages.Commit(request) if self._changes.leads:
                self._start(sender, request, self._changes.commit, client, message)
            case _:
                raise Malformed("not for this party")

    def _on_ping(self, sender: str, request: bytes, about: bytes) -> None:
        with self._lock:
            works = about in self._active
        idle = messages.Fault("PeerError", "does not work on it", peer=self._name)
        self._reply(sender, messages.Done(request) if works else messages.Failed(request, idle))

    def _reply(self, client: str, message: messages.Message) -> None:
        self._link.send_control(client, messages.encode(message))

    def _start(
        self,
        sender: str,
        request: bytes,
        work: Callable[[str, ClientConfig, Any], None],
        client: ClientConfig,
        message: messages.FromClient,
    ) -> None:
        """Runs work(sender, client, message) on a thread of its own; the client hears of every failure."""
        key = agreement.query_id(client.name, request)
        with self._lock:
            if key in self._active:
                return  # the same request again
            self._active.add(key)
        if not self._at_work.acquire(blocking=False):
            self._finish(sender, request, key, PolicyError(f"{self._name} works on {MAX_AT_ONCE} requests already"))
            return

        def guarded() -> None:
            error: SmpcError | None = None
            try:
                work(sender, client, message)
            except SmpcError as found:
                error = found
            except Exception as found:
                _log.exception("%s: a request failed", self._name)
                error = InternalError(type(found).__name__)
            self._at_work.release()
            self._finish(sender, request, key, error)

        threading.Thread(target=guarded, name=f"{self._name}-{type(message).__name__}", daemon=True).start()

    def _finish(self, sender: str, request: bytes, key: bytes, error: SmpcError | None) -> None:
        with self._lock:
            self._active.discard(key)
        if error is not None:
            again = isinstance(error, Busy)
            with contextlib.suppress(PeerError):  # the client went away
                self._reply(sender, messages.Failed(request, faults.fault_of(error), again))

    def _tick(self) -> None:
        with self._lock:
            active = frozenset(self._active)
        self._queries.tick(active)
        self._changes.tick()


def serve(
    path: Path | str,
    name: str,
    data_dir: Path | str | None,
    *,
    engine: Engine | None = None,
    on_ready: Callable[[Link], None] = lambda _: None,
) -> None:
    """Runs one party of a consortium file until it is told to stop. Raises ConfigError.

    data_dir: where its shares are kept; None keeps them in memory. on_ready: called once it can be reached. engine: for
    tests.
    """
    process.tune_memory()
    consortium = config.read(path)
    station = next((party for party in consortium.parties if party.name == name), None)
    if station is None:
        raise ConfigError(f"{path}: no party is called {name!r}; there are {', '.join(consortium.party_names)}")
    keys = config.own_keys(consortium, Path(path).parent, name)
    with contextlib.ExitStack() as cleanup:
        store: Store = MemoryStore() if data_dir is None else DirectoryStore(Path(data_dir))
        cleanup.callback(store.close)
        carrier = open_station(
            name,
            station.listen or station.endpoint,
            consortium.peers(name),
            known=consortium.known(),
            keys=keys,
            patience=min(consortium.timeout_seconds, process.PATIENCE),
            sealed_port=station.sealed_port,
        )
        link = Node(carrier)
        cleanup.callback(link.close)
        party = Party(consortium, name, link, store, SqlEngine() if engine is None else engine)
        on_ready(link)
        party.run()


def main() -> None:
    """`python -m parties.compute CONFIG NAME [DIRECTORY]`, for `local()`; an operator runs `smpc-sql party`."""
    parser = argparse.ArgumentParser(prog="parties.compute")
    parser.add_argument("config", type=Path)
    parser.add_argument("name")
    parser.add_argument("directory", type=Path, nargs="?")
    a = parser.parse_args()
    process.run_child(lambda on_ready: serve(a.config, a.name, a.directory, on_ready=on_ready), scratch=a.config.parent)


if __name__ == "__main__":
    main()
