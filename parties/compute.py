"""A party's process: it keeps shares, plans for itself, agrees with the other parties, computes, and hands out shares.

One loop takes control messages; every query and every change has a thread of its own. Whatever fails ends that query or
change only: the client is told whose fault it was, and so are the other parties.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from parties import agreement, config, process
from parties.agreement import Inbox
from parties.catalog_changes import Busy, Change
from parties.changes import Changes
from parties.config import ClientConfig, Consortium
from parties.directory_store import DirectoryStore
from parties.engine import Array, Cost, Engine, Prepared, Seat, SqlEngine
from parties.store import MemoryStore, Store, StoredFragment
from smpc_sql import messages
from smpc_sql.catalog import Catalog
from smpc_sql.disclosures import check_allowed
from smpc_sql.errors import ConfigError, InternalError, PeerError, PolicyError, SmpcError
from smpc_sql.recent import Recent
from smpc_sql.transport.base import Link, Node, Silent, identity
from smpc_sql.transport.sealed import open_station
from smpc_sql.version import VERSION
from smpc_sql.wire import Malformed

T = TypeVar("T")
P = TypeVar("P", bound=Prepared)
_log = logging.getLogger(__name__)

MAX_AT_ONCE = 256
"""Queries and changes that a party works on at the same time."""

MAX_INBOXES = 4096

MAX_PLANS = 64
"""Plans that a party keeps for who asks the same again."""

_GRACE = 0.25, 2.0  # share of the timeout, and seconds at most, for a silent party to say for whom it waits itself


class _Tables(Mapping[str, tuple[StoredFragment, ...]]):
    """The shares of all tables of a catalog by lower-case name, read when they are asked for."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def __getitem__(self, name: str) -> tuple[StoredFragment, ...]:
        return self._store.fragments(self._catalog.tables[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._catalog.tables)

    def __len__(self) -> int:
        return len(self._catalog.tables)


class _Refusal(Exception):
    """All parties agree that a query is not to be run."""

    def __init__(self, error: SmpcError) -> None:
        self.error = error
        super().__init__()


class Party:
    """A party's work over any link."""

    def __init__(self, consortium: Consortium, name: str, link: Link, store: Store, engine: Engine) -> None:
        self._name = name
        self._link = link
        self._store = store
        self._engine = engine
        self._timeout = consortium.timeout_seconds
        self._parties = consortium.party_names
        self._others = tuple(party for party in self._parties if party != name)
        self._provider = consortium.provider.name
        self._discloses = consortium.station(name).discloses
        self._clients = {client.name: client for client in consortium.clients}
        self._lock = threading.Lock()
        self._inboxes: dict[bytes, Inbox] = {}
        self._active: set[bytes] = set()
        self._at_work = threading.Semaphore(MAX_AT_ONCE)
        self._plans: Recent[tuple[str, str, bytes], Prepared] = Recent(MAX_PLANS)
        self._changes = Changes(
            link, store, self._parties, define=engine.define, reply=self._reply, timeout=self._timeout
        )

    def run(self) -> None:
        """Works until the link is closed."""
        process.control_loop(self._link, self._on_message, self._tick)

    # --- messages

    def _on_message(self, sender: str, raw: bytes) -> None:
        client = self._clients.get(identity(sender))
        if not raw:
            self._on_lost(sender)
        elif sender in self._parties:
            self._on_party(sender, messages.from_party(raw))
        elif sender == self._provider:
            refused = messages.from_provider(raw)
            self._link.fail_session(refused.session, PeerError(refused.peer, refused.message))
        elif client is not None:
            self._on_client(sender, client, messages.from_client(raw))
        else:
            raise Malformed("from nobody known")

    def _on_lost(self, peer: str) -> None:
        with self._lock:
            inboxes = tuple(self._inboxes.values())
        for inbox in inboxes:
            inbox.fail(PeerError(peer, "the connection was lost"))

    def _on_party(self, sender: str, message: messages.FromParty) -> None:
        match message:
            case messages.Propose() | messages.Agreed() | messages.Abort():
                inbox = self._inbox(message.query)
                if inbox is not None:
                    inbox.put(sender, message)
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
                inbox = self._inboxes.get(agreement.query_id(client.name, request))
                if inbox is not None:
                    inbox.fail(PeerError(client.name, "cancelled the query"))
            case messages.Submit(request):
                self._start(sender, request, self._query, client, message)
            case messages.Explain(request):
                self._start(sender, request, self._explain, client, message)
            case messages.Analyze(request):
                self._start(sender, request, self._analyze, client, message)
            case messages.OpenSize(request):
                self._start(sender, request, self._open_size, client, message)
            case messages.Define(request):
                self._start(sender, request, self._changes.define, client, message)
            case messages.Compute(request):
                self._start(sender, request, self._compute_change, client, message)
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
                self._reply(sender, messages.Failed(request, messages.fault_of(error), again))

    def _tick(self) -> None:
        with self._lock:
            for query, inbox in tuple(self._inboxes.items()):
                if query not in self._active and time.monotonic() - inbox.touched > 2 * self._timeout:
                    del self._inboxes[query]
        self._changes.tick()

    # --- queries

    def _inbox(self, query: bytes) -> Inbox | None:
        with self._lock:
            if query not in self._inboxes and len(self._inboxes) >= MAX_INBOXES:
                return None
            return self._inboxes.setdefault(query, Inbox(self._name))

    def _explain(self, sender: str, client: ClientConfig, message: messages.Explain) -> None:
        _require_query(client)
        text = self._engine.explain(message.sql, self._store.catalog, len(self._parties))
        self._reply(sender, messages.Explained(message.request, text))

    def _analyze(self, sender: str, client: ClientConfig, message: messages.Analyze) -> None:
        """Plans, agrees, computes as for a query, and says what it has cost; nothing of the result leaves."""
        _require_query(client)

        def work(query: bytes, inbox: Inbox) -> str:
            catalog = self._current(message.catalog)
            prepared = self._prepared(self._known(client), message.sql, catalog)
            with self._session(query, inbox, message.sql, catalog, prepared) as (plan, seat):
                return self._engine.analyze(plan, seat, _Tables(self._store, catalog))

        text = self._together(client, message.request, work)
        self._reply(sender, messages.Explained(message.request, text))

    def _open_size(self, sender: str, client: ClientConfig, message: messages.OpenSize) -> None:
        """Plans, agrees, and opens the size of a join, if this party's policy allows it."""
        _require_query(client)

        def work(query: bytes, inbox: Inbox) -> tuple[int, int]:
            catalog = self._current(message.catalog)
            prepared = self._prepared(self._engine.prepare_size, message.sql, catalog)
            with self._session(query, inbox, message.sql, catalog, prepared) as (plan, seat):
                return self._engine.run_size(plan, seat, _Tables(self._store, catalog))

        number, rows = self._together(client, message.request, work)
        self._reply(sender, messages.SizeIs(message.request, number, rows))

    def _query(self, sender: str, client: ClientConfig, message: messages.Submit) -> None:
        """Plans, agrees, computes, and sends this party's shares of the result."""
        _require_query(client)
        started = time.monotonic()

        def work(query: bytes, inbox: Inbox) -> tuple[Prepared, Sequence[Array], Cost]:
            catalog = self._current(message.catalog)
            prepared = self._prepared(self._known(client), message.sql, catalog)
            with self._session(query, inbox, message.sql, catalog, prepared) as (plan, seat):
                return plan, *self._engine.run(plan, seat, _Tables(self._store, catalog))

        plan, pieces, cost = self._together(client, message.request, work)
        stats = messages.Stats(time.monotonic() - started, cost.rounds, cost.bytes_sent, cost.bytes_dealt)
        self._deliver(sender, message.request, plan.digest, pieces, stats)

    def _compute_change(self, sender: str, client: ClientConfig, message: messages.Compute) -> None:
        """Plans, takes the table, agrees, computes, and prepares the change."""
        _require_query(client)

        def work(query: bytes, inbox: Inbox) -> None:
            catalog = self._current(message.catalog)
            prepared = self._prepared(self._engine.prepare_change, message.sql, catalog)

            def run() -> tuple[Change, StoredFragment | None]:
                with self._session(query, inbox, message.sql, catalog, prepared) as (plan, seat):
                    tables = _Tables(self._store, catalog)
                    return self._engine.run_change(plan, seat, tables, client.name, message.change)

            if isinstance(prepared, SmpcError):
                run()  # raises, once all have agreed on it
                return
            if prepared.defines:
                require_define(client)
            self._changes.compute(client, message.change, prepared.reserved(client.name, message.change), run)

        self._together(client, message.request, work)
        self._reply(sender, messages.Done(message.request))

    def _together(self, client: ClientConfig, request: bytes, work: Callable[[bytes, Inbox], T]) -> T:
        """work(query, inbox), what all parties do for one request; if it fails here, the others are told."""
        query = agreement.query_id(client.name, request)
        inbox = self._inbox(query)
        if inbox is None:
            raise PolicyError(f"{self._name} has too many queries waiting")
        try:
            return work(query, inbox)
        except _Refusal as refusal:
            raise refusal.error from None
        except SmpcError as error:
            raise self._give_up(query, inbox, error) from error
        except Exception as error:
            self._give_up(query, inbox, InternalError(type(error).__name__))
            raise
        finally:
            with self._lock:
                self._inboxes.pop(query, None)

    def _current(self, digest: bytes) -> Catalog:
        """The catalog, if it is the one that a client planned for."""
        catalog = self._store.catalog
        if catalog.digest() != digest:
            raise Busy("the catalog was changed by somebody else; try again")
        return catalog

    @contextlib.contextmanager
    def _session(
        self, query: bytes, inbox: Inbox, sql: str, catalog: Catalog, prepared: P | SmpcError
    ) -> Iterator[tuple[P, Seat]]:
        """The session in which all parties run the plan, once they have agreed on it. Raises _Refusal for none."""
        session = agreement.agree(
            self._link,
            inbox,
            parties=self._parties,
            provider=self._provider,
            query=query,
            claim=_claim(sql, catalog, prepared),
            timeout=self._timeout,
        )
        try:
            inbox.bind(lambda error: self._link.fail_session(session, error))
            if isinstance(prepared, SmpcError):
                raise _Refusal(prepared)
            index = self._parties.index(self._name)
            yield prepared, Seat(self._link, index, self._parties, self._provider, session, self._timeout)
        finally:
            self._link.close_session(session)
            process.tell(self._link, (self._provider,), messages.encode(messages.End(session)))

    def _known(self, client: ClientConfig) -> Callable[[str, Catalog], Prepared]:
        """Plans of SELECTs, which are kept for the client: nobody's time to an answer tells what others have asked."""

        def prepare(sql: str, catalog: Catalog) -> Prepared:
            key = client.name, sql, catalog.digest()
            return self._plans.get(key, lambda: self._engine.prepare(sql, catalog))

        return prepare

    def _prepared(self, prepare: Callable[[str, Catalog], P], sql: str, catalog: Catalog) -> P | SmpcError:
        """A plan, or why there is none: the parties agree on refusals too, so that a dissenter is found out.

        Raises PolicyError for a plan that this party's own policy does not allow, whatever the others' say.
        """
        try:
            prepared = prepare(sql, catalog)
        except SmpcError as error:
            return error
        check_allowed(self._name, prepared.discloses, self._discloses)
        return prepared

    def _deliver(
        self, client: str, request: bytes, digest: bytes, pieces: Sequence[Array], stats: messages.Stats
    ) -> None:
        arrays = [np.ascontiguousarray(piece) for piece in pieces]
        kinds: Any = tuple(array.dtype.str for array in arrays)
        shapes = tuple(array.shape for array in arrays)
        self._reply(client, messages.Answer(request, digest, kinds, shapes, stats))
        for number, array in enumerate(arrays):
            self._link.send(client, request, messages.result_path(number), array)

    def _give_up(self, query: bytes, inbox: Inbox, error: SmpcError) -> SmpcError:
        """Tells the other parties, and returns the error of whose fault it is as far as this party can know."""
        peer, text = (error.peer, error.message) if isinstance(error, PeerError) else (self._name, f"gave up: {error}")
        waited = isinstance(error, Silent)
        abort = messages.Abort(query, peer, text[: messages.MAX_TEXT], waited)
        process.tell(self._link, self._others, messages.encode(abort))
        if isinstance(error, PeerError) and waited:
            share, limit = _GRACE
            return inbox.deepest(error, min(share * self._timeout, limit))
        return error


def require_define(client: ClientConfig) -> None:
    """Raises PolicyError for who may not change tables."""
    if "define" not in client.may:
        raise PolicyError(f"{client.name} may not change tables: its `may` in the consortium file lacks define")


def _require_query(client: ClientConfig) -> None:
    if "query" not in client.may:
        raise PolicyError(f"{client.name} may not query: its `may` in the consortium file lacks query")


def _claim(sql: str, catalog: Catalog, prepared: Prepared | SmpcError) -> messages.Claim:
    """What this party is about to run, or to refuse."""
    if isinstance(prepared, SmpcError):
        plan = _sha256(f"{type(prepared).__name__}: {prepared}".encode())
    else:
        plan = prepared.digest
    return messages.Claim(_sha256(sql.encode()), catalog.digest(), plan, VERSION)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


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
