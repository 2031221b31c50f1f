"""What an operator is: a frozen value that knows its inputs and its size, prints itself, and runs on shares."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from smpc_sql.errors import InternalError
from smpc_sql.operators.datum import Datum
from smpc_sql.operators.table import Chunk, SharedTable
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import Expression
from smpc_sql.ring import Array
from smpc_sql.session import Session


class Fragment(Protocol):
    """One owner's rows of a table at one party, as they are stored.

    words: for every column uint64 [rows] (0 or 1 for booleans). nulls: for every nullable column uint8
    [ceil(rows / 8)], XOR shares of bits packed by `numpy.packbits(…, bitorder="little")`.
    """

    @property
    def rows(self) -> int: ...

    @property
    def words(self) -> Mapping[str, Array]: ...

    @property
    def nulls(self) -> Mapping[str, Array]: ...


Stored = Mapping[str, Sequence[Fragment]]
"""The stored fragments of every table, in the catalog's order."""


class Tables:
    """What operators read in one run: the stored tables, and what other operators keep for more than one reader."""

    __slots__ = ("_kept", "_lock", "_stored")

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[SharedTable | None, int]] = {}

    def fragments(self, table: str) -> Sequence[Fragment]:
        """The stored fragments of a table."""
        return self._stored[table]

    def once(self, number: int, readers: int, compute: Callable[[], SharedTable]) -> SharedTable:
        """What `compute` gave to the first of `readers`; let go when the last has it. All read the same arrays."""
        known, _ = self._kept.get(number, (None, readers))
        table = compute() if known is None else known
        with self._lock:
            _, waiting = self._kept.get(number, (None, readers))
            if waiting == 0:
                raise InternalError(f"shared rows {number} have more readers than were counted")
            self._kept[number] = (table if waiting > 1 else None), waiting - 1
        return table

    def keep(self, number: int, readers: int) -> None:
        """From now on it has one reader more: who computes it before the others read."""
        with self._lock:
            _, waiting = self._kept.get(number, (None, readers))
            self._kept[number] = None, waiting + 1

    def knows(self, number: int) -> bool:
        """Whether somebody has computed it, or will before anybody else reads it."""
        return number in self._kept


class Operator(Protocol):
    """An oblivious relational operator."""

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """The operators whose results it reads."""

    @property
    def rows(self) -> int:
        """How many rows it yields, valid or not; public."""

    def describe(self) -> str:
        """One line for EXPLAIN, without its size."""

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """Computes this party's share of its result."""


@dataclass(frozen=True, slots=True)
class OfRows:
    """An operator that reads one other."""

    source: Operator

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """The source."""
        return (self.source,)


@dataclass(frozen=True, slots=True)
class RowForRow(OfRows):
    """An operator that yields as many rows as it reads."""

    @property
    def rows(self) -> int:
        """As many as the source has."""
        return self.source.rows


@dataclass(frozen=True, slots=True)
class OfSides:
    """An operator that reads two others."""

    left: Operator
    right: Operator

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """Both sides."""
        return self.left, self.right


def unwrapped(operator: Operator) -> Operator:
    """The operator itself: what is measured is wrapped."""
    inner: Operator = getattr(operator, "operator", operator)
    return inner


def where(predicate: Expression | None) -> str:
    """How a predicate prints behind what it restricts."""
    return "" if predicate is None else f" where {explain_expression(predicate)}"


class ChunkColumns(Sequence[Datum]):
    """The columns of a chunk, loaded when they are used."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self._loaded: dict[int, Datum] = {}

    def __getitem__(self, index: int) -> Datum:  # type: ignore[override]  # slices are not used
        if index not in self._loaded:
            self._loaded[index] = self._chunk.column(index)
        return self._loaded[index]

    def __len__(self) -> int:
        return len(self._chunk.piece.columns)

    def __iter__(self) -> Iterator[Datum]:
        return (self[i] for i in range(len(self)))
