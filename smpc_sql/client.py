"""The analyst's and the owner's face to the network: a connection to all parties of a consortium.

The connection plans every query itself, ships its SQL to all parties, and combines the shares that they send back, as
nobody else can. Rows to be loaded are checked, encoded and split here: no party sees a row.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, assert_never

import numpy as np
import numpy.typing as npt

from smpc_sql import analysis, messages, owner, result
from smpc_sql.calls import SETTLE, Calls, all_of, require_same
from smpc_sql.catalog import Catalog, CatalogInvalid
from smpc_sql.errors import CatalogConflict, KeysUnchecked, PeerError, QueryError, SizeUnknown, SmpcError, Unsupported
from smpc_sql.messages import Failed
from smpc_sql.owner import EncodedRows, Frames, Loaded
from smpc_sql.plan.delivery import Delivery
from smpc_sql.recent import Recent
from smpc_sql.result import QueryStats, Result
from smpc_sql.schema import Enum, Integer, TableSchema
from smpc_sql.sql.compile import compile_statement, compile_view, describe
from smpc_sql.sql.parse import (
    CheckTable,
    CopyFrom,
    CreateTable,
    CreateTableAs,
    CreateView,
    Describe,
    DropTable,
    DropView,
    Explain,
    Select,
    ShowTables,
    parse_statements,
    sized,
    with_room,
)
from smpc_sql.sql.settings import MAX_JOIN_ROWS, room_of
from smpc_sql.sql.storing import compile_table
from smpc_sql.sql.translate import OURS, translated
from smpc_sql.transport.base import Link, identity
from smpc_sql.wire import MAX_DATA

if TYPE_CHECKING:
    import pandas as pd

S = TypeVar("S", Select, CreateTableAs)
T = TypeVar("T")

_MOST_PLANS = 64  # that are kept for queries that are asked again
_MOST_CHECKS = 32  # times that a query finds keys to check, or sizes to open, before it is given up
_PAUSE = 0.02  # seconds, at first, before what was refused because somebody else was at work is tried again


class Connection:
    """A connection to all parties. Use it as a context manager, or close it. Any number of threads may use it at once.

    Raises PeerError, naming a party, when one cannot be reached, does not answer, or contradicts the others.
    """

    def __init__(
        self,
        link: Link,
        parties: tuple[str, ...],
        *,
        timeout: float,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """timeout: seconds that a party may be silent. on_close: called after the link was closed."""
        self.parties = parties
        self.timeout = timeout
        self._link = link
        self._identity = identity(link.name)
        self._lock = threading.Lock()
        self._catalog: Catalog | None = None
        self._plans: Recent[tuple[str, bytes], Delivery] = Recent(_MOST_PLANS)
        self._changing = threading.Lock()
        self._calls = Calls(link, parties, timeout=timeout, on_close=on_close)

    def execute(
        self,
        sql: str,
        *,
        dialect: str = OURS,
        join_rows: int | None = None,
        join_size: bool | int | str | None = None,
    ) -> Result:
        """Runs every statement of a script; returns what the last one gives (no rows and no columns for DDL).

        A statement that fails ends the script; those before it stay done, as in any autocommitting database.
        dialect: in which it is written, by sqlglot's name; parties are sent its translation.
        join_rows: how many pairs a join has at most that is unique on neither side. join_size: or how many it has is
        opened to everybody, where all parties' policies allow it: True, or rounded up to "power_of_two" or a multiple
        of a number. Both are what SET STATEMENT says in SQL, which comes first, as hints do.
        """
        given, room = _nothing(), room_of(join_rows, join_size)
        for statement in (with_room(each, room) for each in parse_statements(translated(sql, dialect))):
            match statement:
                case Select():
                    given = self._checked(self._select, statement)
                case Explain():
                    given = _texts(explain=[self._explain(statement)])
                case CreateTable() | DropTable() | CreateView() | DropView():
                    self._define(statement)
                    given = _nothing()
                case CreateTableAs():
                    self._checked(self._create_as, statement)
                    given = _nothing()
                case CopyFrom(table, path, delimiter, header):
                    count = int(self.load_csv(table, path, delimiter=delimiter, header=header))
                    given = Result(["Count"], [Integer(64)], [[count]], QueryStats(0.0, 0, (), 0))
                case CheckTable(name):
                    given = self._check(name)
                case ShowTables():
                    catalog = self._fetch_catalog()
                    names = {name: entry.schema.name for name, entry in catalog.tables.items()}
                    names |= {name: view.name for name, view in catalog.views.items()}
                    given = _texts(name=[names[name] for name in sorted(names)])
                case Describe(name):
                    given = _described(name, self._fetch_catalog())
                case _:
                    assert_never(statement)
        return given

    def sql(
        self,
        sql: str,
        *,
        dialect: str = OURS,
        join_rows: int | None = None,
        join_size: bool | int | str | None = None,
    ) -> Result:
        """Runs one query. The same as `execute`, for one SELECT."""
        return self.execute(sql, dialect=dialect, join_rows=join_rows, join_size=join_size)

    def explain(
        self,
        sql: str,
        *,
        analyze: bool = False,
        json: bool = False,
        dialect: str = OURS,
        join_rows: int | None = None,
        join_size: bool | int | str | None = None,
    ) -> str:
        """The plan of a SELECT: operators, sizes, exact rounds, bytes and correlations, and what it discloses.

        dialect, join_rows, join_size: as `execute`. With an opened size there is no plan but of what opens it, until
        it runs.
        analyze: it is run too, and every operator's seconds, rounds and bytes are measured; its answer is not shown.
        json: as JSON, with the keys that docs/sql.md lists. An EXPLAIN around the SELECT may say both as well.
        """
        room = room_of(join_rows, join_size)
        match [with_room(each, room) for each in parse_statements(translated(sql, dialect))]:
            case [Select() as select]:
                return self._explain(Explain(select, analyze, json))
            case [Explain(select) as given]:
                return self._explain(Explain(select, analyze or given.analyze, json or given.json))
            case _:
                raise QueryError("EXPLAIN takes one SELECT")

    def load_csv(
        self, table: str, path: str | Path, owner: str | None = None, *, delimiter: str = ",", header: bool = True
    ) -> Loaded:
        """Loads a CSV file's rows, all or none; returns how many, and what rounding DOUBLE columns lost.

        owner: who brings them (by default this identity). header: it names the columns, in any order; without one they
        stand in the table's.

        Raises DataError, naming every row that does not fit, PolicyError, UnknownName.
        """
        return self._load(table, owner, lambda schema: _read_csv(schema, path, delimiter, header))

    def load_df(self, table: str, frame: pd.DataFrame, owner: str | None = None) -> Loaded:
        """Loads a DataFrame's rows, all or none; returns how many. See load_csv."""
        return self._load(table, owner, lambda schema: _from_frame(schema, frame))

    @property
    def catalog(self) -> Catalog:
        """The tables, as all parties know them now."""
        return self._fetch_catalog()

    def close(self) -> None:
        """Ends the connection. A second call changes nothing."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # --- queries

    def _select(self, select: Select) -> Result:
        started = time.monotonic()
        for _ in self._attempts():
            catalog, delivery = self._plan(select)
            with self._calls.begin() as call:
                self._link.open_session(call.request, self.parties)
                try:
                    replies = self._calls.ask(call, messages.Submit(call.request, select.asked, catalog.digest()))
                    if self._is_stale(replies):
                        continue
                    answers = all_of(messages.Answer, replies)
                    shares = self._receive(call.request, answers)
                except BaseException:
                    self._calls.tell(self.parties, messages.Cancel(call.request))
                    raise
                finally:
                    self._link.close_session(call.request)
            stats = [answer.stats for answer in answers.values()]
            return result.decode(
                delivery,
                shares,
                QueryStats(
                    seconds=time.monotonic() - started,
                    rounds=max(one.rounds for one in stats),
                    bytes_sent=tuple(one.bytes_sent for one in stats),
                    bytes_dealt=sum(one.bytes_dealt for one in stats),
                ),
            )
        raise QueryError("the catalog is being changed all the time")

    def _plan(self, select: Select) -> tuple[Catalog, Delivery]:
        """What a query delivers, for which catalog: the one that is known, or a fresh one if it does not fit that."""
        with self._lock:
            known = self._catalog
        if known is not None:
            with contextlib.suppress(QueryError):
                return known, self._compiled(select, known)
        fresh = self._fetch_catalog()
        return fresh, self._compiled(select, fresh)

    def _compiled(self, select: Select, catalog: Catalog) -> Delivery:
        key = select.asked, catalog.digest()
        return self._plans.get(key, lambda: compile_statement(select, catalog))

    def _receive(self, session: bytes, answers: Mapping[str, messages.Answer]) -> dict[str, list[npt.NDArray[Any]]]:
        require_same({party: answer.digest for party, answer in answers.items()}, "ran another plan than")
        shares: dict[str, list[npt.NDArray[Any]]] = {}
        for party, answer in answers.items():
            shares[party] = []
            for number, (kind, shape) in enumerate(zip(answer.kinds, answer.shapes, strict=False)):
                dtype = np.dtype(kind)
                size = dtype.itemsize
                for length in shape:
                    size *= length
                if size > MAX_DATA:
                    raise PeerError(party, "announced a result that is too large")
                path = messages.result_path(number)
                raw = self._link.receive(party, session, path, size=size, timeout=self.timeout)
                shares[party].append(np.frombuffer(raw, dtype).reshape(shape))
        return shares

    def _is_stale(self, replies: Mapping[str, messages.ToClient | SmpcError]) -> bool:
        """Whether somebody else's change came in between: then the next attempt sees the new catalog."""
        stale = any(isinstance(reply, Failed) and reply.again for reply in replies.values())
        if stale:
            self._forget_catalog()
        return stale

    def _explain(self, statement: Explain) -> str:
        select = statement.select
        if statement.analyze:
            report = self._checked(self._analyze, select)
            return json.dumps(report, indent=2, ensure_ascii=False) if statement.json else analysis.as_text(report)
        with contextlib.suppress(SizeUnknown):
            self._plan(select)  # a QueryError has its place in this text
        sql = f"EXPLAIN (FORMAT JSON) {select.asked}" if statement.json else select.asked
        with self._calls.begin() as call:
            texts = _explained(self._calls.ask(call, messages.Explain(call.request, sql)))
        require_same(texts, "plans otherwise than")
        return texts[self.parties[0]]

    def _analyze(self, select: Select) -> dict[str, Any]:
        for _ in self._attempts():
            catalog, _ = self._plan(select)
            with self._calls.begin() as call:
                try:
                    replies = self._calls.ask(call, messages.Analyze(call.request, select.asked, catalog.digest()))
                except BaseException:
                    self._calls.tell(self.parties, messages.Cancel(call.request))
                    raise
                if not self._is_stale(replies):
                    return analysis.merged(_explained(replies))
        raise QueryError("the catalog is being changed all the time")

    # --- changes

    def _define(self, statement: CreateTable | DropTable | CreateView | DropView) -> None:
        match statement:
            case CreateTable(schema, sql, if_not_exists):
                if if_not_exists and schema.name.lower() in self._fetch_catalog().tables:
                    return
            case DropTable(name, if_exists):
                if if_exists and name.lower() not in self._fetch_catalog().tables:
                    return
                sql = f"DROP TABLE {_quoted(name)}"
            case CreateView(name, _, _, sql, if_not_exists):
                catalog = self._fetch_catalog()
                if if_not_exists and name.lower() in catalog.views:
                    return
                compile_view(statement, catalog)  # a QueryError has its place in this text
            case DropView(name, if_exists):
                if if_exists and name.lower() not in self._fetch_catalog().views:
                    return
                sql = f"DROP VIEW {_quoted(name)}"
        self._change(lambda change, request: messages.Define(request, change, sql), None)

    def _create_as(self, statement: CreateTableAs) -> None:
        catalog = self._fetch_catalog()
        if statement.if_not_exists and statement.name.lower() in catalog.tables:
            return
        compile_table(statement, catalog)  # a QueryError has its place in this text
        self._compute(statement.asked)

    def _checked(self, work: Callable[[S], T], statement: S) -> T:
        """What work(statement) gives, once the keys that it relies on have been checked between loads, and the sizes of
        joins that are to be opened are known."""
        asked, catalog = statement, b""
        for _ in range(_MOST_CHECKS):
            try:
                return work(asked)
            except KeysUnchecked as error:
                for table in error.tables:
                    self._check(table)
                asked = statement
            except SizeUnknown:
                asked, catalog = self._sized(asked)
            except QueryError:
                if asked is statement or self._fetch_catalog().digest() == catalog:
                    raise
                asked = statement  # its sizes were those of other rows
        return work(asked)

    def _sized(self, statement: S) -> tuple[S, bytes]:
        """The statement with the next size of its joins, which all parties open; and the digest of their catalog."""
        for _ in self._attempts():
            catalog = self._fetch_catalog().digest()
            with self._calls.begin() as call:
                try:
                    replies = self._calls.ask(call, messages.OpenSize(call.request, statement.asked, catalog))
                except BaseException:
                    self._calls.tell(self.parties, messages.Cancel(call.request))
                    raise
            if self._is_stale(replies):
                continue
            sizes = {party: (size.number, size.rows) for party, size in all_of(messages.SizeIs, replies).items()}
            require_same(sizes, "opened another size than")
            number, rows = sizes[self.parties[0]]
            if rows > MAX_JOIN_ROWS:
                raise Unsupported(f"a join of {rows} pairs of rows: at most {MAX_JOIN_ROWS} are supported")
            return sized(statement, number, rows), catalog
        raise QueryError("the catalog is being changed all the time")

    def _check(self, table: str) -> Result:
        entry = self._fetch_catalog().table(table)
        if entry.unchecked:
            self._compute(f"CHECK TABLE {_quoted(table)}")
            entry = self._fetch_catalog().table(table)
        return _texts(
            key=[", ".join(key) for key in entry.keys],
            holds=["no" if key in entry.violated else "yes" for key in entry.keys],
        )

    def _compute(self, sql: str) -> None:
        """A change that the parties compute together."""

        def make(change: bytes, request: bytes) -> messages.Message:
            return messages.Compute(request, change, sql, self._fetch_catalog().digest())

        self._change(make, None, together=True)

    def _load(self, table: str, owner_name: str | None, encode: Callable[[TableSchema], EncodedRows]) -> Loaded:
        entry = self._fetch_catalog().table(table)
        schema = entry.schema
        if entry.origin is not None:
            raise CatalogConflict(f"table {schema.name} was made by CREATE TABLE AS: it takes no rows")
        rows = encode(schema)
        if rows.rows > messages.MAX_ROWS:
            raise QueryError(f"one load brings at most {messages.MAX_ROWS} rows")
        name = self._identity if owner_name is None else owner_name
        pieces = tuple(messages.Piece(column.name, column.nullable) for column in schema.stored)
        frames = owner.split(schema, rows, self.parties)
        ddl = messages.ddl_digest(entry.ddl)
        self._change(
            lambda change, request: messages.Load(request, change, schema.name, ddl, name, rows.rows, pieces), frames
        )
        return Loaded.of(rows)

    def _change(
        self,
        make: Callable[[bytes, bytes], messages.Message],
        frames: Mapping[str, Frames] | None,
        *,
        together: bool = False,
    ) -> None:
        """Prepares a change at the first party, then at all others (together: at once); then the first one decides."""
        with self._changing:
            for _ in self._attempts():
                change = os.urandom(16)
                try:
                    if self._prepare(make, change, frames, together):
                        with self._calls.begin() as call:
                            commit = messages.Commit(call.request, change)
                            all_of(messages.Done, self._calls.ask(call, commit, self.parties[:1]))
                        return
                except BaseException:
                    self._calls.tell(self.parties[:1], messages.Rollback(change))
                    raise
                finally:
                    self._forget_catalog()
        raise QueryError("the table is being changed all the time")

    def _prepare(
        self,
        make: Callable[[bytes, bytes], messages.Message],
        change: bytes,
        frames: Mapping[str, Frames] | None,
        together: bool,
    ) -> bool:
        """False if somebody else was changing the same."""
        with self._calls.begin() as call:
            kind: type[Any] = messages.Done if frames is None else messages.Send
            for parties in (self.parties,) if together else (self.parties[:1], self.parties[1:]):
                replies = self._calls.ask(call, make(change, call.request), parties)
                if self._is_stale(replies):
                    self._calls.tell(self.parties[:1], messages.Rollback(change))
                    return False
                all_of(kind, replies)
            if frames is not None:
                session = messages.load_session(self._identity, change)
                for party, pieces in frames.items():
                    for path, array in pieces:
                        self._link.send(party, session, path, array)
                all_of(messages.Done, self._calls.collect(call, self.parties))
        return True

    def _attempts(self) -> Iterator[int]:
        """Counts attempts at what may be refused because others are at work, with pauses, for as long as `timeout`."""
        deadline = time.monotonic() + self.timeout
        pause = _PAUSE
        attempt = 0
        while attempt == 0 or time.monotonic() < deadline:
            yield attempt
            attempt += 1
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, 1.0)

    # --- the catalog

    def _fetch_catalog(self) -> Catalog:
        """From all parties; a difference may be a change under way, and is looked at again."""
        deadline = time.monotonic() + min(self.timeout, SETTLE)
        pause = _PAUSE
        while True:
            with self._calls.begin() as call:
                replies = all_of(messages.CatalogIs, self._calls.ask(call, messages.GetCatalog(call.request)))
            require_same({party: reply.version for party, reply in replies.items()}, "runs another version than")
            texts = {party: reply.catalog for party, reply in replies.items()}
            if len(set(texts.values())) == 1:
                break
            if time.monotonic() > deadline:
                require_same(texts, "has another catalog than")
            time.sleep(pause)
        try:
            catalog = Catalog.from_text(texts[self.parties[0]])
        except CatalogInvalid as error:
            raise PeerError(self.parties[0], f"sent a catalog that is none: {error}") from error
        with self._lock:
            self._catalog = catalog
        return catalog

    def _forget_catalog(self) -> None:
        with self._lock:
            self._catalog = None


def _explained(replies: Mapping[str, messages.ToClient | SmpcError]) -> dict[str, str]:
    return {party: reply.text for party, reply in all_of(messages.Explained, replies).items()}


def _read_csv(schema: TableSchema, path: str | Path, delimiter: str, header: bool) -> EncodedRows:
    return owner.read_csv(schema, path, delimiter=delimiter, header=header)


def _from_frame(schema: TableSchema, frame: pd.DataFrame) -> EncodedRows:
    return owner.from_frame(schema, frame)


def _nothing() -> Result:
    return Result([], [], [], QueryStats(0.0, 0, (), 0))


def _texts(**columns: list[str]) -> Result:
    """A result of texts, which cost nothing."""
    types = [Enum(tuple(dict.fromkeys(values)) or ("",)) for values in columns.values()]
    return Result(list(columns), types, list(columns.values()), QueryStats(0.0, 0, (), 0))


def _described(name: str, catalog: Catalog) -> Result:
    names, types, nullable = zip(*describe(name, catalog), strict=True)
    key = () if name.lower() in catalog.views else catalog.table(name).schema.primary_key
    return _texts(
        column_name=list(names),
        column_type=[str(type_) for type_ in types],
        null=["YES" if null else "NO" for null in nullable],
        key=["PRI" if name in key else "" for name in names],
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
