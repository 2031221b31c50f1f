"""The dry run: a plan run without data, on zeros of the right sizes. Its record is the exact cost of the real run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.correlations.requests import Request
from smpc_sql.dry import DryBackend
from smpc_sql.hollow import hollow
from smpc_sql.operators.base import Fragment, Operator, Tables
from smpc_sql.operators.deliver import Deliver
from smpc_sql.operators.disclose import Disclose
from smpc_sql.operators.join_size import JoinSize
from smpc_sql.operators.scan import ScanFragments
from smpc_sql.operators.shared_rows import walk
from smpc_sql.operators.store_rows import StoreRows
from smpc_sql.ring import Array
from smpc_sql.session import Event, Session, SessionStats

Root = Deliver | StoreRows | Disclose | JoinSize
"""What a plan ends with."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a plan costs one party. requests: the corrections that the provider sends it, in order of use.

    dealt: bytes of corrections to all parties, by kind, with their number.
    """

    stats: SessionStats
    events: tuple[Event, ...]
    requests: tuple[Request, ...]
    dealt: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Zeros:
    """A stored fragment without content."""

    rows: int

    @property
    def words(self) -> Mapping[str, Array]:
        """See Fragment."""
        return _Same(hollow(self.rows, np.uint64))

    @property
    def nulls(self) -> Mapping[str, Array]:
        """See Fragment."""
        return _Same(hollow(-(-self.rows // 8), np.uint8))


class _Same(dict[str, Array]):
    """Any name has the same column."""

    def __init__(self, column: Array) -> None:
        super().__init__()
        self._column = column

    def __missing__(self, name: str) -> Array:
        return self._column


def dry_run(root: Root, *, index: int, parties: int) -> DryRun:
    """Runs a plan as party `index` of `parties`, without data."""
    backend = DryBackend(index=index, parties=parties)
    root.run(Session(backend), Tables(zeros_for(root)))
    mine = tuple(r for r in backend.requests if r.kind.receiver(parties) == index)
    return DryRun(backend.stats(), tuple(backend.events), mine, _by_kind(backend.requests))


def zeros_for(root: Root) -> Mapping[str, Sequence[Fragment]]:
    """Fragments of zeros of all tables that a plan scans."""
    return {scan.table: tuple(_Zeros(rows) for _, rows in scan.fragments) for scan in scans(root)}


def scans(root: Root | Operator) -> list[ScanFragments]:
    """Every scan below an operator."""
    return [operator for operator in walk(root) if isinstance(operator, ScanFragments)]


def _by_kind(requests: Sequence[Request]) -> tuple[tuple[str, int, int], ...]:
    totals: dict[str, tuple[int, int]] = {}
    for request in requests:
        name = type(request.kind).__name__
        count, size = totals.get(name, (0, 0))
        totals[name] = (count + 1, size + request.kind.correction_bytes)
    return tuple((name, *totals[name]) for name in sorted(totals))
