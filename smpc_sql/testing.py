"""For tests, ours and users': all parties and the provider in one process, on threads, over memory links."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np

from smpc_sql import messages
from smpc_sql.catalog import Catalog, Fragment, Verdict
from smpc_sql.correlations.requests import correction, decode_requests
from smpc_sql.engine.prepare import Prepared, prepare, prepare_check, prepare_size, prepare_table
from smpc_sql.engine.run import run, run_check, run_size, run_table
from smpc_sql.errors import SizeUnknown
from smpc_sql.network import NetworkBackend
from smpc_sql.owner import EncodedRows
from smpc_sql.randomness import fresh_seed
from smpc_sql.result import QueryStats, Result, decode
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import split_bits, split_words
from smpc_sql.sql.compile import compile_statement, compile_view
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable, CreateTableAs, CreateView, Select, sized
from smpc_sql.sql.storing import made_by
from smpc_sql.transport.memory import Hub

T = TypeVar("T")
PROVIDER = "provider"


class _Provider:
    """The crypto provider on a memory link: the seeds of one session, and corrections for who asks."""

    def __init__(self, hub: Hub, parties: int) -> None:
        self._parties = parties
        self._seeds: dict[str, bytes] = {}
        self._held: list[tuple[str, bytes, memoryview]] = []
        self._lock = threading.Lock()
        self._link = hub.link(PROVIDER, on_data=self._asked)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            sender, message = self._link.control.get()
            if not message:
                return
            seed = msgspec.msgpack.decode(message, type=messages.Seed)
            with self._lock:
                self._seeds[sender] = seed.seed
                held = self._held if len(self._seeds) == self._parties else []
                self._held = [] if held else self._held
            for request in held:
                self._answer(*request)

    def _asked(self, sender: str, session: bytes, path: bytes, payload: memoryview) -> None:
        with self._lock:
            if len(self._seeds) < self._parties:
                self._held.append((sender, session, payload))
                return
        self._answer(sender, session, payload)

    def _answer(self, sender: str, session: bytes, payload: memoryview) -> None:
        seeds = [self._seeds[name] for name in sorted(self._seeds)]
        try:
            for request in decode_requests(payload, sender):
                self._link.send(sender, session, request.path, correction(request, session, seeds))
        except Exception:
            self._link.close()  # whoever waits for an answer learns at once that there will be none
            raise

    def close(self) -> None:
        self._link.close()
        self._thread.join()


def run_parties(
    parties: int,
    program: Callable[..., T],
    *inputs: Sequence[Any],
    timeout: float = 60,
    record: list[Any] | None = None,
) -> list[T]:
    """program(session, *its inputs) at every party; each of `inputs` holds one value for each party. The results in
    order.

    record: is given every party's backend, for what it recorded.
    """
    return run_backends(
        parties, lambda backend, *mine: program(Session(backend), *mine), *inputs, timeout=timeout, record=record
    )


def run_backends(
    parties: int,
    program: Callable[..., T],
    *inputs: Sequence[Any],
    timeout: float = 60,
    record: list[Any] | None = None,
) -> list[T]:
    """The same for a program that takes the party's backend."""
    hub = Hub()
    session = fresh_seed()[:16]
    names = tuple(f"party{i}" for i in range(parties))
    provider = _Provider(hub, parties)
    links = [hub.link(name) for name in names]
    results: list[Any] = [None] * parties
    errors: list[BaseException] = []

    def play(index: int) -> None:
        try:
            backend = NetworkBackend(
                link=links[index], index=index, parties=names, provider=PROVIDER, session=session, timeout=timeout
            )
            results[index] = program(backend, *(each[index] for each in inputs))
            if record is not None:
                record.append(backend)
        except BaseException as error:
            errors.append(error)
            for link in links:
                link.close()

    for link in links:
        link.open_session(session)
    threads = [threading.Thread(target=play, args=(i,)) for i in range(parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for link in links:
        link.close()
    provider.close()
    if errors:
        raise errors[0]
    return results


@dataclass(frozen=True, slots=True)
class _StoredFragment:
    rows: int
    words: dict[str, Array]
    nulls: dict[str, Array]


class LockstepConsortium:
    """All parties of a consortium in this process, for tests of SQL: the same plans and protocols, over memory links.

    It keeps the union of the rows too (in `frames`), so that a test can ask another system for the right answer.
    """

    def __init__(self, parties: int = 3, *, timeout: float = 60) -> None:
        self.parties = parties
        self.catalog = Catalog()
        self.timeout = timeout
        self.record: list[NetworkBackend] = []
        """The backends of the last query, one for each party, in order."""
        self._stored: list[dict[str, list[_StoredFragment]]] = [{} for _ in range(parties)]
        self._loads = 0

    def create(self, ddl: str) -> None:
        """CREATE TABLE, with AS too, and CREATE VIEW."""
        for statement in parse_statements(ddl):
            if isinstance(statement, CreateTableAs):
                self._make(statement)
                continue
            if isinstance(statement, CreateView):
                known = self.catalog
                if statement.replace and statement.name.lower() in known.views:
                    known = known.without_view(statement.name)
                self.catalog = known.with_view(compile_view(statement, self.catalog))
                continue
            if not isinstance(statement, CreateTable):
                raise ValueError("only CREATE TABLE and CREATE VIEW")
            self.catalog = self.catalog.with_table(statement.schema, statement.ddl)
            for stored in self._stored:
                stored[statement.schema.name] = []

    def check(self, table: str) -> tuple[Verdict, ...]:
        """CHECK TABLE of one whose keys are unchecked: all parties learn whether they hold."""
        prepared = prepare_check(table, self.catalog)
        found = self._run(lambda backend, tables: run_check(prepared, backend, tables))
        if len(set(found)) != 1:
            raise AssertionError("the parties do not agree on what they opened")
        self.catalog = self.catalog.with_verdicts(table, found[0])
        return found[0]

    def _make(self, statement: CreateTableAs) -> None:
        prepared = prepare_table(statement, self.catalog)
        for entry in prepared.unchecked:
            self.check(entry.schema.name)
        prepared = prepare_table(statement, self.catalog)
        shares = self._run(lambda backend, tables: run_table(prepared, backend, tables))
        name, origin = prepared.storing.schema.name, made_by(prepared.storing, "analyst")
        if name.lower() in self.catalog.tables:
            self.catalog = self.catalog.without_table(name)
        self._loads += 1
        fragment = Fragment(f"load{self._loads}", origin.by, prepared.storing.rows)
        made = self.catalog.with_table(prepared.storing.schema, statement.sql, origin)
        self.catalog = made.with_fragment(name, fragment)
        for stored, rows in zip(self._stored, shares, strict=True):
            stored[name] = [_StoredFragment(rows.rows, rows.words, rows.nulls)]

    def load(self, table: str, rows: EncodedRows, owner: str) -> int:
        """Splits rows that an owner has encoded (`owner.read_csv`, `owner.from_frame`); how many there are."""
        name = self.catalog.table(table).schema.name
        words = {c: split_words(values.view(np.uint64), self.parties) for c, values in rows.words.items()}
        nulls = {c: split_bits(np.packbits(mask, bitorder="little"), self.parties) for c, mask in rows.nulls.items()}
        for i, stored in enumerate(self._stored):
            mine = {c: shares[i] for c, shares in words.items()}
            stored[name].append(_StoredFragment(rows.rows, mine, {c: shares[i] for c, shares in nulls.items()}))
        self._loads += 1
        self.catalog = self.catalog.with_fragment(name, Fragment(f"load{self._loads}", owner, rows.rows))
        return rows.rows

    def prepare(self, sql: str) -> Prepared:
        """The plan that every party makes."""
        return prepare(sql, self.catalog)

    def pieces(self, prepared: Prepared) -> list[list[Array]]:
        """What every party sends the analyst (forms: see `smpc_sql.result`)."""
        return self._run(lambda backend, tables: run(prepared, backend, tables))

    def _run(self, program: Callable[..., T]) -> list[T]:
        """program(backend, tables) at every party."""
        record: list[NetworkBackend] = []
        shares = run_backends(self.parties, program, self._stored, timeout=self.timeout, record=record)
        self.record = sorted(record, key=lambda backend: backend.index)
        return shares

    def size(self, sql: str) -> int:
        """How many pairs the next join has whose size is to be opened."""
        prepared = prepare_size(sql, self.catalog)
        found = self._run(lambda backend, tables: run_size(prepared, backend, tables))
        if len(set(found)) != 1:
            raise AssertionError("the parties do not agree on what they opened")
        return found[0]

    def sized(self, sql: str) -> str:
        """The text of a query with the sizes of its joins, which are opened one after the other."""
        while True:
            (statement,) = parse_statements(sql)
            if not isinstance(statement, Select):
                return sql
            try:
                compile_statement(statement, self.catalog)
            except SizeUnknown as error:
                sql = sized(statement, error.number, self.size(statement.asked)).asked
            else:
                return statement.asked

    def sql(self, sql: str) -> Result:
        """The answer, as the analyst gets it."""
        sql = self.sized(sql)
        prepared = self.prepare(sql)
        if prepared.unchecked:
            for entry in prepared.unchecked:
                self.check(entry.schema.name)
            prepared = self.prepare(sql)
        started = time.perf_counter()
        shares = self.pieces(prepared)
        costs = [backend.stats() for backend in self.record]
        stats = QueryStats(
            time.perf_counter() - started,
            costs[0].rounds,
            tuple(cost.bytes_sent for cost in costs),
            sum(cost.bytes_dealt for cost in costs),
        )
        return decode(prepared.delivery, {f"party{i}": each for i, each in enumerate(shares)}, stats)
