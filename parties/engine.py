"""What a party needs of smpc_sql's SQL engine, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy.typing as npt

from parties.catalog_changes import Change, CreateTable, CreateView, DropTable, DropView, JudgeKeys, MakeTable
from parties.store import StoredFragment
from smpc_sql.catalog import Catalog, Fragment, Verdict
from smpc_sql.disclosures import Disclosure
from smpc_sql.engine import explain, prepare, report, run
from smpc_sql.engine.prepare import Prepared as Plan
from smpc_sql.engine.prepare import PreparedCheck, PreparedSize, PreparedTable
from smpc_sql.errors import QueryError, SizeUnknown
from smpc_sql.network import NetworkBackend
from smpc_sql.sql import parse, statements
from smpc_sql.sql.compile import compile_view
from smpc_sql.sql.storing import made_by
from smpc_sql.transport.base import Link

Array = npt.NDArray[Any]
P = TypeVar("P", PreparedTable, PreparedCheck)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a party sits in a session."""

    link: Link
    index: int
    parties: tuple[str, ...]
    provider: str
    session: bytes
    timeout: float


class Prepared(Protocol):
    """A planned query."""

    @property
    def digest(self) -> bytes:
        """Of the plan, and of all that it depends on [32]."""

    @property
    def discloses(self) -> tuple[Disclosure, ...]:
        """What its run opens to all parties, by name."""


class PreparedChange(Prepared, Protocol):
    """A planned change, whose content is yet to be computed."""

    @property
    def defines(self) -> bool:
        """Whether it makes a table: who may not define may not ask for it."""

    def reserved(self, client: str, change_id: bytes) -> Change:
        """What is known of the change before."""


class Cost(Protocol):
    """What a run cost this party."""

    @property
    def rounds(self) -> int:
        """The longest chain of messages."""

    @property
    def bytes_sent(self) -> int:
        """To all other parties."""

    @property
    def bytes_dealt(self) -> int:
        """By the provider to this party."""


class Engine(Protocol):
    """Plans and runs; tests have engines of their own."""

    def prepare(self, sql: str, catalog: Catalog) -> Prepared:
        """Plans a SELECT. Raises QueryError or PolicyError."""

    def prepare_size(self, sql: str, catalog: Catalog) -> Prepared:
        """Plans what opens the next size of a query's, or a statement's, joins. Raises QueryError or PolicyError."""

    def run_size(self, prepared: Any, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]) -> tuple[int, int]:
        """Opens a size: which join's, and how many rows. Raises PeerError."""

    def explain(self, sql: str, catalog: Catalog, parties: int) -> str:
        """A plan as text, or as JSON where an EXPLAIN around the query says so. Raises QueryError."""

    def analyze(self, prepared: Any, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]) -> str:
        """Runs a plan for what it costs: a report in JSON, and no result. Raises PeerError."""

    def define(self, sql: str, catalog: Catalog) -> Change:
        """The change that a DDL statement makes. Raises QueryError."""

    def prepare_change(self, sql: str, catalog: Catalog) -> PreparedChange:
        """Plans a statement whose change is computed from shares. Raises QueryError or PolicyError."""

    def run(
        self, prepared: Any, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]
    ) -> tuple[Sequence[Array], Cost]:
        """Computes this party's shares of the result. Raises PeerError."""

    def run_change(
        self, prepared: Any, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]], client: str, change_id: bytes
    ) -> tuple[Change, StoredFragment | None]:
        """Computes a change that `client` asked for, and this party's shares of its rows. Raises PeerError."""


class SqlEngine:
    """smpc_sql's own."""

    def prepare(self, sql: str, catalog: Catalog) -> Plan:
        """See Engine."""
        prepared = prepare.prepare(sql, catalog)
        prepare.require_checked(prepared)
        return prepared

    def prepare_change(self, sql: str, catalog: Catalog) -> TableToMake | KeysToCheck:
        """See Engine."""
        match parse.parse_statements(sql):
            case (statements.CreateTableAs() as statement,):
                table = prepare.prepare_table(statement, catalog)
                prepare.require_checked(table)
                return TableToMake(table)
            case (statements.CheckTable(name),):
                return KeysToCheck(prepare.prepare_check(name, catalog))
            case _:
                raise QueryError("one CREATE TABLE AS or CHECK TABLE is expected")

    def prepare_size(self, sql: str, catalog: Catalog) -> PreparedSize:
        """See Engine."""
        prepared = prepare.prepare_size(sql, catalog)
        prepare.require_checked(prepared)
        return prepared

    def run_size(
        self, prepared: PreparedSize, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]
    ) -> tuple[int, int]:
        """See Engine."""
        return prepared.root.sized.number, run.run_size(prepared, _backend(seat), tables)

    def explain(self, sql: str, catalog: Catalog, parties: int) -> str:
        """See Engine."""
        prepared: Plan | PreparedSize
        try:
            prepared = prepare.prepare(sql, catalog)
        except SizeUnknown:
            prepared = prepare.prepare_size(sql, catalog)
        match parse.parse_statements(sql):
            case (statements.Explain(json=True),):
                return report.as_text(report.report(prepared, parties))
            case _:
                return explain.explain(prepared, parties)

    def analyze(self, prepared: Plan, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]) -> str:
        """See Engine."""
        return report.as_text(report.analyze(prepared, _backend(seat), tables))

    def define(self, sql: str, catalog: Catalog) -> Change:
        """See Engine."""
        match parse.parse_statements(sql):
            case (statements.CreateTable(schema, ddl, _, replace),):
                return CreateTable(schema, ddl, replace)
            case (statements.DropTable(name),):
                return DropTable(catalog.table(name).schema.name)
            case (statements.CreateView() as statement,):
                return CreateView(compile_view(statement, catalog), statement.replace)
            case (statements.DropView(name),):
                return DropView(catalog.view(name).name)
            case _:
                raise QueryError("one CREATE or DROP of a table or a view is expected")

    def run(
        self, prepared: Plan, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]
    ) -> tuple[Sequence[Array], Cost]:
        """See Engine."""
        backend = _backend(seat)
        return run.run(prepared, backend, tables), backend.stats()

    def run_change(
        self,
        prepared: TableToMake | KeysToCheck,
        seat: Seat,
        tables: Mapping[str, tuple[StoredFragment, ...]],
        client: str,
        change_id: bytes,
    ) -> tuple[Change, StoredFragment | None]:
        """See Engine."""
        if isinstance(prepared, KeysToCheck):
            return prepared.judged(run.run_check(prepared.plan, _backend(seat), tables)), None
        rows = run.run_table(prepared.plan, _backend(seat), tables)
        return prepared.reserved(client, change_id), StoredFragment(rows.rows, rows.words, rows.nulls)


@dataclass(frozen=True, slots=True)
class _Planned(Generic[P]):
    """A change's plan."""

    plan: P

    @property
    def digest(self) -> bytes:
        """See Prepared."""
        return self.plan.digest

    @property
    def discloses(self) -> tuple[Disclosure, ...]:
        """See Prepared."""
        return self.plan.discloses


class TableToMake(_Planned[PreparedTable]):
    """A CREATE TABLE AS as a change."""

    __slots__ = ()
    defines = True

    def reserved(self, client: str, change_id: bytes) -> Change:
        """See PreparedChange. The rows belong to who made the table."""
        storing, statement = self.plan.storing, self.plan.statement
        fragment = Fragment(change_id.hex(), client, storing.rows)
        return MakeTable(storing.schema, statement.sql, made_by(storing, client), fragment, statement.replace)


class KeysToCheck(_Planned[PreparedCheck]):
    """A CHECK TABLE as a change: who may query may check, since a query may need it."""

    __slots__ = ()
    defines = False

    def reserved(self, client: str, change_id: bytes) -> Change:
        """See PreparedChange."""
        return self.judged(())

    def judged(self, verdicts: tuple[Verdict, ...]) -> Change:
        """The change that these verdicts make."""
        entry = self.plan.entry
        return JudgeKeys(entry.schema.name, tuple(fragment.id for fragment in entry.fragments), verdicts)


def _backend(seat: Seat) -> NetworkBackend:
    return NetworkBackend(
        link=seat.link,
        index=seat.index,
        parties=seat.parties,
        provider=seat.provider,
        session=seat.session,
        timeout=seat.timeout,
    )
