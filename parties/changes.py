"""Changes of the catalog: made by all parties, or by none.

Every party prepares a change durably and says so to the first party, the leader. When the client says commit, and every
party has prepared the same, the leader decides by committing, and the others follow. So there is one moment of decision
at one place; a party that was away asks the leader for it. What the leader has not decided when it starts, it gives up.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from parties import process
from parties.catalog_changes import AddFragment, Change, change_text
from parties.config import ClientConfig
from parties.store import Store, StoredFragment
from smpc_sql import messages
from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.errors import CatalogConflict, PeerError, PolicyError
from smpc_sql.schema import TableSchema
from smpc_sql.transport.base import Link

_ABANDONED = 60.0  # seconds, at least, after which the leader gives up a prepared change that nobody commits

Reply = Callable[[str, messages.Message], None]


@dataclass(slots=True)
class _Pending:
    """A change between its preparation and its decision, as this party sees it."""

    client: str
    since: float
    digest: bytes = b""  # of the change, once it is prepared here
    votes: dict[str, bytes] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    given_up: bool = False
    asked: float = 0.0


def require_define(client: ClientConfig) -> None:
    """Raises PolicyError for who may not change tables."""
    if "define" not in client.may:
        raise PolicyError(f"{client.name} may not change tables: its `may` in the consortium file lacks define")


class Changes:
    """One party's part in all changes. Methods named on_ answer messages, the others run on a request's own thread."""

    def __init__(
        self,
        link: Link,
        store: Store,
        parties: tuple[str, ...],
        *,
        define: Callable[[str, Catalog], Change],
        reply: Reply,
        timeout: float,
    ) -> None:
        """define: the change that a DDL statement makes; parties: the leader first."""
        self._link = link
        self._store = store
        self._parties = parties
        self._others = tuple(party for party in parties if party != link.name)
        self._leader = parties[0]
        self._define = define
        self._reply = reply
        self._timeout = timeout
        self._pending: dict[bytes, _Pending] = {}
        self._changed = threading.Condition()
        self._deciding = threading.Lock()
        self._settle_leftovers()

    @property
    def leads(self) -> bool:
        """Whether this party decides."""
        return self._link.name == self._leader

    # --- preparation

    def define(self, sender: str, client: ClientConfig, message: messages.Define) -> None:
        """Prepares the change of a DDL statement."""
        require_define(client)
        change = self._define(message.sql, self._store.catalog)
        self._reserve(client, message.change, change)
        try:
            self._store.stage(message.change)
            self._vote(message.change, change)
        except BaseException:
            self._abandon(message.change)
            raise
        self._reply(sender, messages.Done(message.request))

    def load(self, sender: str, client: ClientConfig, message: messages.Load) -> None:
        """Receives a fragment's shares, and prepares to add it."""
        if not client.may_load_as(message.owner):
            raise PolicyError(f"{client.name} may not load rows of {message.owner}: its `owners` lacks that name")
        entry = self._store.catalog.table(message.table)
        schema = entry.schema
        if entry.origin is not None:
            raise CatalogConflict(f"table {schema.name} was made by CREATE TABLE AS: it takes no rows")
        columns = [(column.name, column.nullable) for column in schema.stored]
        if message.ddl != messages.ddl_digest(entry.ddl) or columns != [(p.column, p.nullable) for p in message.pieces]:
            raise CatalogConflict(f"the rows were made for another declaration of table {schema.name}")
        change = AddFragment(schema.name, Fragment(message.change.hex(), message.owner, message.rows))
        self._reserve(client, message.change, change)
        session = messages.load_session(client.name, message.change)
        try:
            self._link.open_session(session, (sender,))
            self._reply(sender, messages.Send(message.request))
            self._store.stage(message.change, self._receive(sender, session, schema, message.rows))
            self._vote(message.change, change)
        except BaseException:
            self._abandon(message.change)
            raise
        finally:
            self._link.close_session(session)
        self._reply(sender, messages.Done(message.request))

    def compute(
        self,
        client: ClientConfig,
        change_id: bytes,
        change: Change,
        work: Callable[[], tuple[Change, StoredFragment | None]],
    ) -> None:
        """Prepares a change whose content all parties compute now. change: what is known of it before.

        The table is taken first: no party votes before all have taken it, since the computation needs all of them.
        """
        self._reserve(client, change_id, change)
        try:
            found, fragment = work()
            self._store.amend(change_id, found)
            self._store.stage(change_id, fragment)
            self._vote(change_id, found)
        except BaseException:
            self._abandon(change_id)
            raise

    def _receive(self, sender: str, session: bytes, schema: TableSchema, rows: int) -> StoredFragment:
        def receive(kind: bytes, number: int, size: int) -> memoryview:
            path = messages.load_path(kind, number)
            return self._link.receive(sender, session, path, size=size, timeout=self._timeout)

        words: dict[str, npt.NDArray[np.uint64]] = {}
        nulls: dict[str, npt.NDArray[np.uint8]] = {}
        for number, column in enumerate(schema.stored):
            words[column.name] = np.frombuffer(receive(b"w", number, 8 * rows), "<u8")
            if column.nullable:
                nulls[column.name] = np.frombuffer(receive(b"n", number, -(-rows // 8)), np.uint8)
        return StoredFragment(rows, words, nulls)

    def _reserve(self, client: ClientConfig, change_id: bytes, change: Change) -> None:
        with self._changed:
            if change_id in self._pending:
                raise CatalogConflict("a change of this id exists already")
            self._store.reserve(change_id, change)
            self._pending[change_id] = _Pending(client.name, time.monotonic())

    def _vote(self, change_id: bytes, change: Change) -> None:
        """From now on this party can commit the change whenever it is told to."""
        digest = hashlib.sha256(change_text(change).encode()).digest()
        with self._changed:
            pending = self._pending.get(change_id)
            if pending is None or pending.given_up:
                raise CatalogConflict("the change was given up")
            pending.since = time.monotonic()
            pending.digest = pending.votes[self._link.name] = digest
            self._changed.notify_all()
        if not self.leads:
            self._link.send_control(self._leader, messages.encode(messages.Prepared(change_id, digest)))

    def _abandon(self, change_id: bytes) -> None:
        """A preparation failed: nobody can have decided to commit, for this party has not voted."""
        if self.leads:
            self._give_up(change_id)
        else:
            with self._changed:
                self._pending.pop(change_id, None)
            self._store.rollback(change_id)

    # --- the leader's decision

    def commit(self, sender: str, client: ClientConfig, message: messages.Commit) -> None:
        """Decides to commit if all parties have prepared the same; else gives the change up."""
        change_id = message.change
        with self._changed:
            pending = self._pending.get(change_id)
            if pending is None or pending.client != client.name or not pending.digest:
                raise CatalogConflict("there is no such change, or it was given up")
            self._changed.wait_for(lambda: pending.given_up or len(pending.votes) == len(self._parties), self._timeout)
            votes = dict(pending.votes)
        try:
            self._check(votes)
            with self._deciding:
                self._store.commit(change_id)
                self._announce(change_id, commit=True)
        except BaseException:
            self._give_up(change_id)
            raise
        with self._changed:
            self._changed.wait_for(lambda: len(pending.confirmed) == len(self._others), self._timeout)
            self._pending.pop(change_id, None)
        for party in self._others:
            if party not in pending.confirmed:
                raise PeerError(party, "has not confirmed a change that was made; it will follow when it answers again")
        self._reply(sender, messages.Done(message.request))

    def _check(self, votes: dict[str, bytes]) -> None:
        for party in self._parties:
            if party not in votes:
                raise PeerError(party, "did not prepare the change")
            if votes[party] != votes[self._leader]:
                raise PeerError(party, f"prepared another change than {self._leader}")

    def _give_up(self, change_id: bytes) -> None:
        """Decides against a change, unless it was committed."""
        with self._deciding:
            if self._store.was_committed(change_id):
                return
            with self._changed:
                pending = self._pending.pop(change_id, None)
                if pending is not None:
                    pending.given_up = True
                self._changed.notify_all()
            self._store.rollback(change_id)
            self._announce(change_id, commit=False)

    def _announce(self, change_id: bytes, *, commit: bool) -> None:
        process.tell(self._link, self._others, messages.encode(messages.Decide(change_id, commit)), wait=commit)

    # --- messages

    def on_prepared(self, sender: str, message: messages.Prepared) -> None:
        """To the leader: a vote. For a change that the leader does not know it is too late."""
        with self._changed:
            pending = self._pending.get(message.change)
            if pending is not None:
                pending.votes[sender] = message.digest
                self._changed.notify_all()
        if pending is None:
            self.on_ask(sender, message.change)

    def on_decided(self, sender: str, message: messages.Decided) -> None:
        """To the leader: another party has carried out the decision."""
        with self._changed:
            pending = self._pending.get(message.change)
            if pending is not None:
                pending.confirmed.add(sender)
                self._changed.notify_all()

    def on_ask(self, sender: str, change_id: bytes) -> None:
        """To the leader: what was decided? What is neither committed nor pending was given up."""
        with self._changed:
            committed = self._store.was_committed(change_id)
            undecided = change_id in self._pending and not committed
        if not undecided:
            process.tell(self._link, (sender,), messages.encode(messages.Decide(change_id, committed)))

    def on_decide(self, message: messages.Decide) -> None:
        """From the leader: its decision. If carrying it out fails, the record stays and the leader is asked again."""
        if message.commit:
            self._store.commit(message.change)
        else:
            self._store.rollback(message.change)
        with self._changed:
            pending = self._pending.pop(message.change, None)
            if pending is not None and not message.commit:
                pending.given_up = True
        process.tell(self._link, (self._leader,), messages.encode(messages.Decided(message.change)), wait=True)

    def on_rollback(self, client: ClientConfig, message: messages.Rollback) -> None:
        """To the leader, from a client whose preparation failed somewhere."""
        with self._changed:
            pending = self._pending.get(message.change)
        if pending is not None and pending.client == client.name:
            self._give_up(message.change)

    def tick(self) -> None:
        """The leader gives up what its client has forgotten; the others ask about what they were not told."""
        now = time.monotonic()
        with self._changed:
            pending = tuple(self._pending.items())
        for change_id, record in pending:
            if self.leads:
                if record.digest and now - record.since > max(_ABANDONED, 4 * self._timeout):
                    self._give_up(change_id)
            elif record.digest and now - max(record.since, record.asked) > self._timeout:
                record.asked = now
                process.tell(self._link, (self._leader,), messages.encode(messages.AskOutcome(change_id)))

    def _settle_leftovers(self) -> None:
        """After a restart: the leader gives up what it has not decided, the others will ask at once."""
        for change_id in self._store.staged:
            if self.leads:
                self._store.rollback(change_id)
            else:
                self._pending[change_id] = _Pending("", time.monotonic() - self._timeout, digest=b"prepared")
