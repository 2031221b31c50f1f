"""Queries, which a client plans itself, has all parties run, and decodes of the shares that they send back."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from smpc_sql import analysis, messages, result
from smpc_sql.calls import Calls, all_of, require_same
from smpc_sql.catalog import Catalog
from smpc_sql.errors import KeysUnchecked, PeerError, QueryError, SizeUnknown, SmpcError, Unsupported
from smpc_sql.known_catalog import KnownCatalog
from smpc_sql.plan.delivery import Delivery
from smpc_sql.recent import Recent
from smpc_sql.result import QueryStats, Result
from smpc_sql.sql.compile import compile_statement
from smpc_sql.sql.settings import MAX_JOIN_ROWS
from smpc_sql.sql.statements import CreateTableAs, Explain, Select, sized
from smpc_sql.wire import MAX_DATA

S = TypeVar("S", Select, CreateTableAs)
T = TypeVar("T")

_MOST_PLANS = 64  # that are kept for queries that are asked again
_MOST_CHECKS = 32  # times that a query finds keys to check, or sizes to open, before it is given up
_STALE = "the catalog is being changed all the time"


class Asking:
    """A client's queries. Any number of threads may ask at once."""

    def __init__(self, calls: Calls, catalog: KnownCatalog, check: Callable[[str], object]) -> None:
        """check: has the parties check the keys of a table that loads have left open."""
        self._calls = calls
        self._catalog = catalog
        self._check = check
        self._plans: Recent[tuple[str, bytes], Delivery] = Recent(_MOST_PLANS)

    def select(self, select: Select) -> Result:
        """The answer of a query whose keys are checked and whose sizes are known (see `checked`)."""
        started = time.monotonic()
        calls = self._calls
        for _ in calls.attempts():
            catalog, delivery = self._plan(select)
            with calls.begin_query() as call:
                self._calls.link.open_session(call.request, calls.parties)
                try:
                    replies = calls.ask(call, messages.Submit(call.request, select.asked, catalog.digest()))
                    if self._catalog.is_stale(replies):
                        continue
                    answers = all_of(messages.Answer, replies)
                    shares = self._receive(call.request, answers)
                finally:
                    self._calls.link.close_session(call.request)
            stats = [answer.stats for answer in answers.values()]
            cost = QueryStats(
                seconds=time.monotonic() - started,
                rounds=max(one.rounds for one in stats),
                bytes_sent=tuple(one.bytes_sent for one in stats),
                bytes_dealt=sum(one.bytes_dealt for one in stats),
            )
            return result.decode(delivery, shares, cost)
        raise QueryError(_STALE)

    def explain(self, statement: Explain) -> str:
        """The plan as text or JSON; of EXPLAIN ANALYZE with what was measured."""
        select = statement.select
        if statement.analyze:
            report = self.checked(self._analyze, select)
            return json.dumps(report, indent=2, ensure_ascii=False) if statement.json else analysis.as_text(report)
        with contextlib.suppress(SizeUnknown):
            self._plan(select)  # a QueryError has its place in this text
        sql = f"EXPLAIN (FORMAT JSON) {select.asked}" if statement.json else select.asked
        with self._calls.begin() as call:
            texts = _explained(self._calls.ask(call, messages.Explain(call.request, sql)))
        require_same(texts, "plans otherwise than")
        return texts[self._calls.parties[0]]

    def checked(self, work: Callable[[S], T], statement: S) -> T:
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
                if asked is statement or self._catalog.fetch().digest() == catalog:
                    raise
                asked = statement  # its sizes were those of other rows
        return work(asked)

    def _sized(self, statement: S) -> tuple[S, bytes]:
        """The statement with the next size of its joins, which all parties open; and the digest of their catalog."""
        calls = self._calls
        for _ in calls.attempts():
            catalog = self._catalog.fetch().digest()
            with calls.begin_query() as call:
                replies = calls.ask(call, messages.OpenSize(call.request, statement.asked, catalog))
            if self._catalog.is_stale(replies):
                continue
            sizes = {party: (size.number, size.rows) for party, size in all_of(messages.SizeIs, replies).items()}
            require_same(sizes, "opened another size than")
            number, rows = sizes[calls.parties[0]]
            if rows > MAX_JOIN_ROWS:
                raise Unsupported(f"a join of {rows} pairs of rows: at most {MAX_JOIN_ROWS} are supported")
            return sized(statement, number, rows), catalog
        raise QueryError(_STALE)

    def _analyze(self, select: Select) -> dict[str, Any]:
        calls = self._calls
        for _ in calls.attempts():
            catalog, _ = self._plan(select)
            with calls.begin_query() as call:
                replies = calls.ask(call, messages.Analyze(call.request, select.asked, catalog.digest()))
            if not self._catalog.is_stale(replies):
                return analysis.merged(_explained(replies))
        raise QueryError(_STALE)

    def _plan(self, select: Select) -> tuple[Catalog, Delivery]:
        """What a query delivers, for which catalog: the one that is known, or a fresh one if it does not fit that."""
        known = self._catalog.last
        if known is not None:
            with contextlib.suppress(QueryError):
                return known, self._compiled(select, known)
        fresh = self._catalog.fetch()
        return fresh, self._compiled(select, fresh)

    def _compiled(self, select: Select, catalog: Catalog) -> Delivery:
        key = select.asked, catalog.digest()
        return self._plans.get(key, lambda: compile_statement(select, catalog))

    def _receive(self, session: bytes, answers: Mapping[str, messages.Answer]) -> dict[str, list[npt.NDArray[Any]]]:
        require_same({party: answer.digest for party, answer in answers.items()}, "ran another plan than")
        return {party: self._pieces(party, session, answer) for party, answer in answers.items()}

    def _pieces(self, party: str, session: bytes, answer: messages.Answer) -> list[npt.NDArray[Any]]:
        """A party's shares of the result, of the sizes that it has announced."""
        pieces = []
        for number, (kind, shape) in enumerate(zip(answer.kinds, answer.shapes, strict=False)):
            dtype = np.dtype(kind)
            size = dtype.itemsize * math.prod(shape)
            if size > MAX_DATA:
                raise PeerError(party, "announced a result that is too large")
            path = messages.result_path(number)
            raw = self._calls.link.receive(party, session, path, size=size, timeout=self._calls.timeout)
            pieces.append(np.frombuffer(raw, dtype).reshape(shape))
        return pieces


def _explained(replies: Mapping[str, messages.ToClient | SmpcError]) -> dict[str, str]:
    return {party: reply.text for party, reply in all_of(messages.Explained, replies).items()}
