"""A party's part in queries: it plans, agrees with the others, computes, and hands its shares to the client.

Changes whose content is computed from shares are queries too, up to the point where the change is prepared.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from parties import agreement, process
from parties.agreement import Inbox
from parties.catalog_changes import Busy, Change
from parties.changes import Changes, Reply, require_define
from parties.config import ClientConfig, Consortium
from parties.engine import Array, Cost, Engine, Prepared, Seat
from parties.store import Store, StoredFragment
from smpc_sql import messages
from smpc_sql.catalog import Catalog
from smpc_sql.disclosures import check_allowed
from smpc_sql.errors import InternalError, PeerError, PolicyError, SmpcError
from smpc_sql.recent import Recent
from smpc_sql.transport.base import Link, Silent
from smpc_sql.version import VERSION

T = TypeVar("T")
P = TypeVar("P", bound=Prepared)

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


class Queries:
    """One party's part in all queries. Methods named on_ answer messages, those of a request run on its own thread."""

    def __init__(
        self, consortium: Consortium, link: Link, store: Store, engine: Engine, changes: Changes, *, reply: Reply
    ) -> None:
        self._name = link.name
        self._link = link
        self._store = store
        self._engine = engine
        self._changes = changes
        self._reply = reply
        self._timeout = consortium.timeout_seconds
        self._parties = consortium.party_names
        self._others = tuple(party for party in self._parties if party != self._name)
        self._provider = consortium.provider.name
        self._discloses = consortium.station(self._name).discloses
        self._lock = threading.Lock()
        self._inboxes: dict[bytes, Inbox] = {}
        self._plans: Recent[tuple[str, str, bytes], Prepared] = Recent(MAX_PLANS)

    # --- what the others say

    def on_party(self, sender: str, message: messages.Propose | messages.Agreed | messages.Abort) -> None:
        """Another party's word about a query, of which the client's own message may come later."""
        inbox = self._inbox(message.query)
        if inbox is not None:
            inbox.put(sender, message)

    def on_lost(self, peer: str) -> None:
        """Nobody waits for who is gone."""
        with self._lock:
            inboxes = tuple(self._inboxes.values())
        for inbox in inboxes:
            inbox.fail(PeerError(peer, "the connection was lost"))

    def on_cancel(self, client: ClientConfig, request: bytes) -> None:
        """The client gives its query up."""
        inbox = self._inboxes.get(agreement.query_id(client.name, request))
        if inbox is not None:
            inbox.fail(PeerError(client.name, "cancelled the query"))

    def tick(self, active: Collection[bytes]) -> None:
        """Forgets what was said of queries that no client has asked. active: those under way."""
        with self._lock:
            for query, inbox in tuple(self._inboxes.items()):
                if query not in active and time.monotonic() - inbox.touched > 2 * self._timeout:
                    del self._inboxes[query]

    def _inbox(self, query: bytes) -> Inbox | None:
        with self._lock:
            if query not in self._inboxes and len(self._inboxes) >= MAX_INBOXES:
                return None
            return self._inboxes.setdefault(query, Inbox(self._name))

    # --- requests

    def explain(self, sender: str, client: ClientConfig, message: messages.Explain) -> None:
        """The plan, as this party makes it."""
        _require_query(client)
        text = self._engine.explain(message.sql, self._store.catalog, len(self._parties))
        self._reply(sender, messages.Explained(message.request, text))

    def analyze(self, sender: str, client: ClientConfig, message: messages.Analyze) -> None:
        """Plans, agrees, computes as for a query, and says what it has cost; nothing of the result leaves."""
        _require_query(client)

        def work(query: bytes, inbox: Inbox) -> str:
            catalog = self._current(message.catalog)
            prepared = self._prepared(self._known(client), message.sql, catalog)
            with self._session(query, inbox, message.sql, catalog, prepared) as (plan, seat):
                return self._engine.analyze(plan, seat, _Tables(self._store, catalog))

        text = self._together(client, message.request, work)
        self._reply(sender, messages.Explained(message.request, text))

    def open_size(self, sender: str, client: ClientConfig, message: messages.OpenSize) -> None:
        """Plans, agrees, and opens the size of a join, if this party's policy allows it."""
        _require_query(client)

        def work(query: bytes, inbox: Inbox) -> tuple[int, int]:
            catalog = self._current(message.catalog)
            prepared = self._prepared(self._engine.prepare_size, message.sql, catalog)
            with self._session(query, inbox, message.sql, catalog, prepared) as (plan, seat):
                return self._engine.run_size(plan, seat, _Tables(self._store, catalog))

        number, rows = self._together(client, message.request, work)
        self._reply(sender, messages.SizeIs(message.request, number, rows))

    def query(self, sender: str, client: ClientConfig, message: messages.Submit) -> None:
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

    def compute_change(self, sender: str, client: ClientConfig, message: messages.Compute) -> None:
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
