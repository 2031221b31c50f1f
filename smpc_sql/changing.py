"""Changes of tables, which a client has all parties make or none: declarations, loads, tables that are computed.

A change is prepared at all parties; then the first one decides, and tells the others.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from smpc_sql import local_results, messages, owner
from smpc_sql.calls import Calls, all_of
from smpc_sql.errors import CatalogConflict, QueryError
from smpc_sql.known_catalog import KnownCatalog
from smpc_sql.owner import EncodedRows, Frames, Loaded
from smpc_sql.result import Result
from smpc_sql.schema import TableSchema
from smpc_sql.sql.compile import compile_view
from smpc_sql.sql.statements import CreateTable, CreateTableAs, CreateView, DropTable, DropView
from smpc_sql.sql.storing import compile_table
from smpc_sql.transport.base import identity

Make = Callable[[bytes, bytes], messages.Message]
"""(change, request) -> the message that asks a party to prepare the change."""


class Changing:
    """A client's changes, one at a time. Any number of threads may ask for them at once."""

    def __init__(self, calls: Calls, catalog: KnownCatalog) -> None:
        self._calls = calls
        self._catalog = catalog
        self._identity = identity(calls.link.name)
        self._lock = threading.Lock()

    def define(self, statement: CreateTable | DropTable | CreateView | DropView) -> None:
        """Declares or drops a table or view. Raises QueryError, CatalogConflict, PolicyError."""
        match statement:
            case CreateTable(schema, sql, if_not_exists):
                if if_not_exists and schema.name.lower() in self._catalog.fetch().tables:
                    return
            case DropTable(name, if_exists):
                if if_exists and name.lower() not in self._catalog.fetch().tables:
                    return
                sql = f"DROP TABLE {_quoted(name)}"
            case CreateView(name, _, _, sql, if_not_exists):
                catalog = self._catalog.fetch()
                if if_not_exists and name.lower() in catalog.views:
                    return
                compile_view(statement, catalog)  # a QueryError has its place in this text
            case DropView(name, if_exists):
                if if_exists and name.lower() not in self._catalog.fetch().views:
                    return
                sql = f"DROP VIEW {_quoted(name)}"
        self._change(lambda change, request: messages.Define(request, change, sql))

    def create_as(self, statement: CreateTableAs) -> None:
        """A table of a query's rows, whose shares stay where they are."""
        catalog = self._catalog.fetch()
        if statement.if_not_exists and statement.name.lower() in catalog.tables:
            return
        compile_table(statement, catalog)  # a QueryError has its place in this text
        self._compute(statement.asked)

    def check(self, table: str) -> Result:
        """Which of a table's keys hold; those that loads have left open are checked now, which says so to everybody."""
        entry = self._catalog.fetch().table(table)
        if entry.unchecked:
            self._compute(f"CHECK TABLE {_quoted(table)}")
            entry = self._catalog.fetch().table(table)
        return local_results.keys(entry)

    def load(self, table: str, owner_name: str | None, encode: Callable[[TableSchema], EncodedRows]) -> Loaded:
        """Loads what encode(schema) gives, all rows or none. owner_name: who brings them; None: this identity."""
        entry = self._catalog.fetch().table(table)
        schema = entry.schema
        if entry.origin is not None:
            raise CatalogConflict(f"table {schema.name} was made by CREATE TABLE AS: it takes no rows")
        rows = encode(schema)
        if rows.rows > messages.MAX_ROWS:
            raise QueryError(f"one load brings at most {messages.MAX_ROWS} rows")
        name = self._identity if owner_name is None else owner_name
        pieces = tuple(messages.Piece(column.name, column.nullable) for column in schema.stored)
        ddl = messages.ddl_digest(entry.ddl)
        self._change(
            lambda change, request: messages.Load(request, change, schema.name, ddl, name, rows.rows, pieces),
            owner.split(schema, rows, self._calls.parties),
        )
        return Loaded.of(rows)

    def _compute(self, sql: str) -> None:
        """A change that the parties compute together."""

        def make(change: bytes, request: bytes) -> messages.Message:
            return messages.Compute(request, change, sql, self._catalog.fetch().digest())

        self._change(make, together=True)

    def _change(self, make: Make, frames: Mapping[str, Frames] | None = None, *, together: bool = False) -> None:
        """Prepares a change at the first party, then at all others (together: at once); then the first one decides.

        frames: what each party is sent for it.
        """
        first, others = self._calls.parties[:1], self._calls.parties[1:]
        asked = (self._calls.parties,) if together else (first, others)
        with self._lock:
            for _ in self._calls.attempts():
                if self._attempt(make, frames, asked):
                    return
        raise QueryError("the table is being changed all the time")

    def _attempt(self, make: Make, frames: Mapping[str, Frames] | None, asked: tuple[tuple[str, ...], ...]) -> bool:
        """Prepares and commits; what fails is rolled back. False if somebody else was changing the same."""
        calls = self._calls
        leader = calls.parties[:1]
        change = os.urandom(16)
        try:
            prepared = self._prepare(make, change, frames, asked)
            if prepared:
                with calls.begin() as call:
                    all_of(messages.Done, calls.ask(call, messages.Commit(call.request, change), leader))
        except BaseException:
            calls.tell(leader, messages.Rollback(change))
            raise
        finally:
            self._catalog.keep(None)
        return prepared

    def _prepare(
        self, make: Make, change: bytes, frames: Mapping[str, Frames] | None, asked: tuple[tuple[str, ...], ...]
    ) -> bool:
        """False if somebody else was changing the same. asked: the parties, in groups that are asked at once."""
        calls = self._calls
        kind: type[Any] = messages.Done if frames is None else messages.Send
        with calls.begin() as call:
            for parties in asked:
                replies = calls.ask(call, make(change, call.request), parties)
                if self._catalog.is_stale(replies):
                    calls.tell(calls.parties[:1], messages.Rollback(change))
                    return False
                all_of(kind, replies)
            if frames is not None:
                session = messages.load_session(self._identity, change)
                for party, pieces in frames.items():
                    for path, array in pieces:
                        self._calls.link.send(party, session, path, array)
                all_of(messages.Done, calls.collect(call, calls.parties))
        return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
