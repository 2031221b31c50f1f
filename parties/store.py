"""Shares at rest: the catalog and this party's shares of every fragment; transactional.

A change (a table made or dropped, a fragment added) is first staged, then committed or rolled back, each as a whole.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parties.catalog_changes import Busy, Change, fragment_of
from smpc_sql.catalog import Catalog, Fragment, TableEntry
from smpc_sql.errors import CatalogConflict, InternalError

Words = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.uint8]

_REMEMBERED = 1000  # committed changes whose outcome a party that was away can still ask for


@dataclass(frozen=True, slots=True)
class StoredFragment:
    """This party's shares of a fragment.

    words: for every column uint64 [rows], additive (0/1 for booleans). nulls: for every nullable column uint8
    [ceil(rows / 8)], XOR shares of bits packed little-endian (`numpy.packbits(…, bitorder="little")`).
    """

    rows: int
    words: Mapping[str, Words]
    nulls: Mapping[str, Bits]

    def __post_init__(self) -> None:
        for words in self.words.values():
            if words.shape != (self.rows,) or words.dtype != np.dtype("<u8"):
                raise InternalError("a fragment's words have a wrong form")
        for nulls in self.nulls.values():
            if nulls.shape != (-(-self.rows // 8),) or nulls.dtype != np.uint8:
                raise InternalError("a fragment's null bits have a wrong form")


class Store(ABC):
    """What both kinds have in common. Every method may be called from any thread."""

    def __init__(self, catalog: Catalog, committed: tuple[bytes, ...], staged: dict[bytes, Change]) -> None:
        self._lock = threading.RLock()
        self._catalog = catalog
        self._committed = committed
        self._staged = staged

    @property
    def catalog(self) -> Catalog:
        """What is committed."""
        return self._catalog

    @property
    def staged(self) -> tuple[bytes, ...]:
        """Changes that await their decision."""
        with self._lock:
            return tuple(self._staged)

    def was_committed(self, change_id: bytes) -> bool:
        """Whether this change was made, as far back as is remembered."""
        return change_id in self._committed

    def busy(self, table: str) -> bool:
        """Whether a change of that table awaits its decision."""
        with self._lock:
            return any(other.table.lower() == table.lower() for other in self._staged.values())

    def reserve(self, change_id: bytes, change: Change) -> None:
        """Takes a table for a change, not durably, or raises Busy, CatalogConflict or UnknownName."""
        with self._lock:
            if change_id in self._staged or change_id in self._committed:
                raise CatalogConflict("a change of this id exists already")
            if self.busy(change.table):
                raise Busy(f"table {change.table} is being changed by somebody else; try again")
            change.apply(self._catalog)
            self._staged[change_id] = change

    def amend(self, change_id: bytes, change: Change) -> None:
        """Says what a reserved change is, of which only the table was known. Before it is staged."""
        with self._lock:
            if change_id not in self._staged:
                raise CatalogConflict("there is no such change, or it was given up")
            change.apply(self._catalog)
            self._staged[change_id] = change

    def stage(self, change_id: bytes, fragment: StoredFragment | None = None) -> None:
        """Makes a reserved change durable, with the fragment that it adds. From now on only a decision ends it."""
        with self._lock:
            change = self._staged.get(change_id)
        if change is None:
            raise CatalogConflict("there is no such change, or it was given up")
        try:
            self._write_staged(change_id, change, fragment)
        except OSError:
            self._still_wanted(change_id, change)
            raise
        self._still_wanted(change_id, change)

    def _still_wanted(self, change_id: bytes, change: Change) -> None:
        """A change may be given up while it is written: then what was written is removed, by whoever comes last."""
        with self._lock:
            if change_id in self._staged:
                return
            self._clean(change_id, change)
        raise CatalogConflict("the change was given up while it was being prepared")

    def commit(self, change_id: bytes) -> None:
        """Makes a staged change; nothing if it was made already. Raises CatalogConflict if it is not staged."""
        with self._lock:
            if change_id in self._committed:
                return
            change = self._staged.get(change_id)
            if change is None:
                raise CatalogConflict("there is no such change, or it was given up")
            catalog = change.apply(self._catalog)
            committed = (*self._committed[-_REMEMBERED + 1 :], change_id)
            self._write_committed(change_id, change, catalog, committed)
            self._catalog, self._committed = catalog, committed
            del self._staged[change_id]
            self._clean(change_id, change)

    def rollback(self, change_id: bytes) -> None:
        """Forgets a staged change; nothing if there is none."""
        with self._lock:
            change = self._staged.pop(change_id, None)
            if change is not None:
                self._clean(change_id, change)

    def fragments(self, entry: TableEntry) -> tuple[StoredFragment, ...]:
        """A table's fragments in the catalog's order."""
        return tuple(self._read(entry, fragment) for fragment in entry.fragments)

    @abstractmethod
    def _write_staged(self, change_id: bytes, change: Change, fragment: StoredFragment | None) -> None:
        """Durable when it returns."""

    @abstractmethod
    def _write_committed(
        self, change_id: bytes, change: Change, catalog: Catalog, committed: tuple[bytes, ...]
    ) -> None:
        """Durable when it returns; before, nothing has changed."""

    @abstractmethod
    def _clean(self, change_id: bytes, change: Change) -> None:
        """Removes what no catalog and no staged change needs."""

    @abstractmethod
    def _read(self, entry: TableEntry, fragment: Fragment) -> StoredFragment:
        """One fragment."""

    @abstractmethod
    def close(self) -> None:
        """Lets another process use it."""

    def _kept(self) -> frozenset[str]:
        """Ids of fragments that must stay."""
        made = [fragment.id for entry in self._catalog.tables.values() for fragment in entry.fragments]
        return frozenset(made) | frozenset(f.id for c in self._staged.values() if (f := fragment_of(c)) is not None)


class MemoryStore(Store):
    """Shares that end with the process."""

    def __init__(self) -> None:
        super().__init__(Catalog(), (), {})
        self._fragments: dict[str, StoredFragment] = {}

    def close(self) -> None:
        """Nothing to do."""

    def _write_staged(self, change_id: bytes, change: Change, fragment: StoredFragment | None) -> None:
        brought = fragment_of(change)
        if brought is not None and fragment is not None:
            self._fragments[brought.id] = fragment

    def _write_committed(
        self, change_id: bytes, change: Change, catalog: Catalog, committed: tuple[bytes, ...]
    ) -> None:
        """The caller's assignment is the commit."""

    def _clean(self, change_id: bytes, change: Change) -> None:
        kept = self._kept()
        self._fragments = {id_: fragment for id_, fragment in self._fragments.items() if id_ in kept}

    def _read(self, entry: TableEntry, fragment: Fragment) -> StoredFragment:
        found = self._fragments.get(fragment.id)
        if found is None:
            raise CatalogConflict(f"table {entry.schema.name} was dropped")
        return found
