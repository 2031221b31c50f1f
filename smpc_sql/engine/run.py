"""Prepared plans on shares."""

from __future__ import annotations

from smpc_sql.catalog import Verdict
from smpc_sql.engine.prepare import Prepared, PreparedCheck, PreparedSize, PreparedTable
from smpc_sql.network import NetworkBackend
from smpc_sql.operators.base import Stored, Tables
from smpc_sql.operators.store_rows import StoredRows
from smpc_sql.ring import Array
from smpc_sql.session import Session


def run(prepared: Prepared, backend: NetworkBackend, tables: Stored) -> list[Array]:
    """This party's shares of the result's pieces (forms: see `smpc_sql.result`).

    The corrections that the party will receive are known from the dry run and asked for ahead of their use.
    """
    backend.expect(prepared.manifest(index=backend.index, parties=backend.parties))
    return prepared.root.run(Session(backend), Tables(tables))


def run_table(prepared: PreparedTable, backend: NetworkBackend, tables: Stored) -> StoredRows:
    """This party's shares of the rows of a CREATE TABLE AS, as they are to be stored."""
    backend.expect(prepared.cost(index=backend.index, parties=backend.parties).requests)
    return prepared.root.run(Session(backend), Tables(tables))


def run_size(prepared: PreparedSize, backend: NetworkBackend, tables: Stored) -> int:
    """How many pairs a join has, as all parties learn it."""
    backend.expect(prepared.cost(index=backend.index, parties=backend.parties).requests)
    return prepared.root.run(Session(backend), Tables(tables))


def run_check(prepared: PreparedCheck, backend: NetworkBackend, tables: Stored) -> tuple[Verdict, ...]:
    """Of every unchecked key whether it holds, as all parties learn it."""
    backend.expect(prepared.cost(index=backend.index, parties=backend.parties).requests)
    truths = prepared.root.run(Session(backend), Tables(tables))
    return tuple(Verdict(key, unique) for key, unique in zip(prepared.entry.unchecked, truths, strict=True))
