"""What a party needs of smpc_sql's SQL engine, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from parties.store import Change, CreateTable, DropTable, StoredFragment
from smpc_sql.catalog import Catalog
from smpc_sql.engine import explain, prepare, run
from smpc_sql.engine.prepare import Prepared as Plan
from smpc_sql.errors import QueryError
from smpc_sql.session import NetworkBackend
from smpc_sql.sql import parse
from smpc_sql.transport.base import Link

Array = npt.NDArray[Any]


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

    def explain(self, prepared: Any, parties: int) -> str:
        """A plan as text."""

    def define(self, sql: str, catalog: Catalog) -> Change:
        """The change that a DDL statement makes. Raises QueryError."""

    def run(
        self, prepared: Any, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]
    ) -> tuple[Sequence[Array], Cost]:
        """Computes this party's shares of the result. Raises PeerError."""


class SqlEngine:
    """smpc_sql's own."""

    def prepare(self, sql: str, catalog: Catalog) -> Plan:
        """See Engine."""
        return prepare.prepare(sql, catalog)

    def explain(self, prepared: Plan, parties: int) -> str:
        """See Engine."""
        return explain.explain(prepared, parties)

    def define(self, sql: str, catalog: Catalog) -> Change:
        """See Engine."""
        match parse.parse_statements(sql):
            case (parse.CreateTable(schema, ddl),):
                return CreateTable(schema, ddl)
            case (parse.DropTable(name),):
                return DropTable(catalog.table(name).schema.name)
            case _:
                raise QueryError("one CREATE TABLE or DROP TABLE is expected")

    def run(
        self, prepared: Plan, seat: Seat, tables: Mapping[str, tuple[StoredFragment, ...]]
    ) -> tuple[Sequence[Array], Cost]:
        """See Engine."""
        backend = NetworkBackend(
            link=seat.link,
            index=seat.index,
            parties=seat.parties,
            provider=seat.provider,
            session=seat.session,
            timeout=seat.timeout,
        )
        return run.run(prepared, backend, tables), backend.stats()
