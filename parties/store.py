"""Shares at rest: the catalog and this party's shares of every fragment, in memory or in a directory; transactional.

A change (a table made or dropped, a fragment added) is first staged, then committed or rolled back, each as a whole: in
a directory by fsync and one atomic rename of `catalog.json`, so that a crash at any moment leaves the state before or
after. A staged change survives a restart: whether it was decided elsewhere is then asked, not guessed.

    catalog.json              the catalog, and which changes made it
    fragments/<id>/           words and null bits of one fragment: <column number>.words.npy, <column number>.nulls.npy
    staged/<change>/          a change that awaits its decision: change.json, and its fragment
    lock                      held by the one process that uses the directory
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from smpc_sql.catalog import (
    Catalog,
    CatalogInvalid,
    Fragment,
    Origin,
    TableEntry,
    Verdict,
    View,
    verdict_from_json,
    view_from_json,
)
from smpc_sql.errors import CatalogConflict, ConfigError, InternalError
from smpc_sql.schema import TableSchema

Words = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.uint8]

_FORMAT = 1
_REMEMBERED = 1000  # committed changes whose outcome a party that was away can still ask for
_FRAGMENT_ID = re.compile(r"[0-9a-f]{32}")


class Busy(CatalogConflict):
    """The table is being changed by somebody else: worth another try."""


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


@dataclass(frozen=True, slots=True)
class CreateTable:
    """A new, empty table. replace: one of that name goes first, with its rows."""

    schema: TableSchema
    ddl: str
    replace: bool = False

    @property
    def table(self) -> str:
        """Which table changes."""
        return self.schema.name

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises CatalogConflict."""
        return _replaced(catalog, self.table, self.replace).with_table(self.schema, self.ddl)


@dataclass(frozen=True, slots=True)
class MakeTable:
    """A new table with the rows of a query (CREATE TABLE AS). The fragment's id is the change's, in hexadecimal."""

    schema: TableSchema
    ddl: str
    origin: Origin
    fragment: Fragment
    replace: bool = False

    @property
    def table(self) -> str:
        """Which table changes."""
        return self.schema.name

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises CatalogConflict."""
        made = _replaced(catalog, self.table, self.replace).with_table(self.schema, self.ddl, self.origin)
        return made.with_fragment(self.table, self.fragment)


def _replaced(catalog: Catalog, table: str, replace: bool) -> Catalog:
    return catalog.without_table(table) if replace and table.lower() in catalog.tables else catalog


@dataclass(frozen=True, slots=True)
class CreateView:
    """A new view. replace: one of that name goes first."""

    view: View
    replace: bool = False

    @property
    def table(self) -> str:
        """Which name changes."""
        return self.view.name

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises CatalogConflict."""
        if self.replace and self.table.lower() in catalog.views:
            catalog = catalog.without_view(self.table)
        return catalog.with_view(self.view)


@dataclass(frozen=True, slots=True)
class DropView:
    """A view goes."""

    table: str

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName."""
        return catalog.without_view(self.table)


@dataclass(frozen=True, slots=True)
class JudgeKeys:
    """What the parties found out about keys of a table that consists of these fragments."""

    table: str
    fragments: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName; Busy if rows have come in between."""
        if tuple(fragment.id for fragment in catalog.table(self.table).fragments) != self.fragments:
            raise Busy(f"table {self.table} was changed by somebody else; try again")
        return catalog.with_verdicts(self.table, self.verdicts)


@dataclass(frozen=True, slots=True)
class DropTable:
    """A table goes, with its fragments."""

    table: str

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName."""
        return catalog.without_table(self.table)


@dataclass(frozen=True, slots=True)
class AddFragment:
    """A table gets more rows. The fragment's id is the change's, in hexadecimal."""

    table: str
    fragment: Fragment

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName."""
        return catalog.with_fragment(self.table, self.fragment)


Change = CreateTable | MakeTable | DropTable | AddFragment | CreateView | DropView | JudgeKeys


def fragment_of(change: Change) -> Fragment | None:
    """The fragment that a change brings."""
    return change.fragment if isinstance(change, AddFragment | MakeTable) else None


def change_text(change: Change) -> str:
    """A change as canonical JSON: equal changes, equal texts."""
    match change:
        case CreateTable(schema, ddl, replace):
            data: dict[str, Any] = {"create": Catalog().with_table(schema, ddl).to_json(), "replace": replace}
        case MakeTable(replace=replace):
            data = {"make": dataclasses.replace(change, replace=False).apply(Catalog()).to_json(), "replace": replace}
        case CreateView(view, replace):
            data = {"view": [view.name, view.sql, *view.columns], "replace": replace}
        case DropView(name):
            data = {"drop_view": name.lower()}
        case JudgeKeys(table, fragments, verdicts):
            found = [[verdict.unique, *verdict.key] for verdict in verdicts]
            data = {"judge": table.lower(), "fragments": list(fragments), "verdicts": found}
        case DropTable(table):
            data = {"drop": table.lower()}
        case AddFragment(table, fragment):
            data = {"table": table.lower(), "id": fragment.id, "owner": fragment.owner, "rows": fragment.rows}
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _change_of(text: str) -> Change:
    data = json.loads(text)
    if "create" in data:
        (entry,) = Catalog.from_json(data["create"]).tables.values()
        return CreateTable(entry.schema, entry.ddl, data["replace"] is True)
    if "make" in data:
        (entry,) = Catalog.from_json(data["make"]).tables.values()
        if entry.origin is None or len(entry.fragments) != 1:
            raise CatalogInvalid("a table that was made has an origin and one fragment")
        return MakeTable(entry.schema, entry.ddl, entry.origin, entry.fragments[0], data["replace"] is True)
    if "view" in data:
        return CreateView(view_from_json(data["view"]), data["replace"] is True)
    if "drop_view" in data:
        return DropView(data["drop_view"])
    if "judge" in data:
        verdicts = tuple(map(verdict_from_json, data["verdicts"]))
        return JudgeKeys(data["judge"], tuple(map(str, data["fragments"])), verdicts)
    if "drop" in data:
        return DropTable(data["drop"])
    return AddFragment(data["table"], Fragment(data["id"], data["owner"], data["rows"]))


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


class DirectoryStore(Store):
    """Shares in a directory of this user only. Raises ConfigError if it is in use, or damaged."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[str, StoredFragment] = {}
        try:
            for directory in (root, root / "fragments", root / "staged"):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = _locked(root / "lock")
        except OSError as error:
            raise ConfigError(f"{root}: {error.strerror}") from error
        try:
            super().__init__(*self._recover())
        except BaseException:
            self._lock_file.close()
            raise
        self._sweep()

    def close(self) -> None:
        """Gives up the lock."""
        self._lock_file.close()

    def _recover(self) -> tuple[Catalog, tuple[bytes, ...], dict[bytes, Change]]:
        """The state that the last process left, whenever it ended."""
        catalog, committed = _read_catalog(self._root)
        staged: dict[bytes, Change] = {}
        for directory in sorted((self._root / "staged").iterdir()):
            try:
                if directory.suffix or bytes.fromhex(directory.name) in committed:
                    shutil.rmtree(directory)
                else:
                    text = (directory / "change.json").read_text(encoding="utf-8")
                    staged[bytes.fromhex(directory.name)] = _change_of(text)
            except (OSError, ValueError, KeyError, TypeError, CatalogInvalid) as error:
                raise ConfigError(f"{directory}: damaged, or not of this program") from error
        return catalog, committed, staged

    def _sweep(self) -> None:
        kept = self._kept()
        for directory in (self._root / "fragments").iterdir():
            if directory.name not in kept:
                self._open.pop(directory.name, None)
                shutil.rmtree(directory, ignore_errors=True)

    def _staged_path(self, change_id: bytes) -> Path:
        return self._root / "staged" / change_id.hex()

    def _write_staged(self, change_id: bytes, change: Change, fragment: StoredFragment | None) -> None:
        final = self._staged_path(change_id)
        draft = final.with_suffix(".draft")
        draft.mkdir(mode=0o700)
        if fragment is not None:
            schema = change.schema if isinstance(change, MakeTable) else self._catalog.table(change.table).schema
            _write_fragment(draft / "fragment", schema, fragment)
        _write_file(draft / "change.json", change_text(change).encode())
        _sync_directory(draft)
        draft.rename(final)
        _sync_directory(final.parent)

    def _write_committed(
        self, change_id: bytes, change: Change, catalog: Catalog, committed: tuple[bytes, ...]
    ) -> None:
        brought = fragment_of(change)
        if brought is not None:
            if not _FRAGMENT_ID.fullmatch(brought.id):
                raise InternalError("a fragment's id is not a name for a file")
            source, target = self._staged_path(change_id) / "fragment", self._root / "fragments" / brought.id
            if not target.exists():  # it does after a crash between this rename and the next
                source.rename(target)
                _sync_directory(target.parent)
        data = {"format": _FORMAT, "catalog": catalog.to_json(), "committed": [change.hex() for change in committed]}
        draft = self._root / "catalog.json.draft"
        _write_file(draft, json.dumps(data, separators=(",", ":")).encode())
        draft.replace(self._root / "catalog.json")
        _sync_directory(self._root)

    def _clean(self, change_id: bytes, change: Change) -> None:
        shutil.rmtree(self._staged_path(change_id), ignore_errors=True)
        shutil.rmtree(self._staged_path(change_id).with_suffix(".draft"), ignore_errors=True)
        if not isinstance(change, CreateView | DropView | JudgeKeys):
            self._sweep()

    def _read(self, entry: TableEntry, fragment: Fragment) -> StoredFragment:
        found = self._open.get(fragment.id)
        if found is None:
            try:
                found = _read_fragment(self._root / "fragments" / fragment.id, entry.schema, fragment.rows)
            except FileNotFoundError as error:
                raise CatalogConflict(f"table {entry.schema.name} was dropped") from error
            self._open[fragment.id] = found
        return found


def peek(root: Path) -> tuple[Catalog, Callable[[TableEntry], tuple[StoredFragment, ...]]]:
    """A directory's catalog and a function that reads a table's fragments, read-only: while a party uses it, too.

    Raises ConfigError.
    """
    catalog, _ = _read_catalog(root)

    def read(entry: TableEntry) -> tuple[StoredFragment, ...]:
        return tuple(_read_fragment(root / "fragments" / f.id, entry.schema, f.rows) for f in entry.fragments)

    return catalog, read


def _read_catalog(root: Path) -> tuple[Catalog, tuple[bytes, ...]]:
    """What is committed, and the changes that made it."""
    path = root / "catalog.json"
    try:
        if not path.exists():
            return Catalog(), ()
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            raise ConfigError(f"{path}: written by another version")
        return Catalog.from_json(data["catalog"]), tuple(bytes.fromhex(change) for change in data["committed"])
    except (OSError, ValueError, KeyError, TypeError, CatalogInvalid) as error:
        raise ConfigError(f"{path}: damaged, or not of this program") from error


def _locked(path: Path) -> BinaryIO:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ConfigError(f"{path.parent} is in use by another process") from error
    return file


def _write_fragment(directory: Path, schema: TableSchema, fragment: StoredFragment) -> None:
    directory.mkdir(mode=0o700)
    for number, column in enumerate(schema.stored):
        with _durable(directory / f"{number}.words.npy") as file:
            np.save(file, fragment.words[column.name], allow_pickle=False)
        if column.nullable:
            with _durable(directory / f"{number}.nulls.npy") as file:
                np.save(file, fragment.nulls[column.name], allow_pickle=False)
    _sync_directory(directory)


def _read_fragment(directory: Path, schema: TableSchema, rows: int) -> StoredFragment:
    """A fragment mapped into memory, read-only."""

    def read(name: str) -> npt.NDArray[Any]:
        try:
            array = np.load(directory / name, mmap_mode="r" if rows else None, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ConfigError(f"{directory / name}: damaged") from error
        return np.asarray(array)

    columns = tuple(enumerate(schema.stored))
    words = {column.name: read(f"{number}.words.npy") for number, column in columns}
    nulls = {column.name: read(f"{number}.nulls.npy") for number, column in columns if column.nullable}
    try:
        return StoredFragment(rows, MappingProxyType(words), MappingProxyType(nulls))
    except InternalError as error:
        raise ConfigError(f"{directory}: damaged") from error


@contextlib.contextmanager
def _durable(path: Path) -> Iterator[BinaryIO]:
    with path.open("xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _write_file(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    with _durable(path) as file:
        file.write(data)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
