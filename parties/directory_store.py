"""Shares in a directory.

A change becomes durable by fsync and one atomic rename of `catalog.json`, so that a crash at any moment leaves the
state before or after. A staged change survives a restart: whether it was decided elsewhere is then asked, not guessed.

    catalog.json              the catalog, and which changes made it
    fragments/<id>/           words and null bits of one fragment: <column number>.words.npy, <column number>.nulls.npy
    staged/<change>/          a change that awaits its decision: change.json, and its fragment
    lock                      held by the one process that uses the directory
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from parties.catalog_changes import (
    Change,
    CreateView,
    DropView,
    JudgeKeys,
    MakeTable,
    change_of,
    change_text,
    fragment_of,
)
from parties.store import Store, StoredFragment
from smpc_sql.catalog import Catalog, CatalogInvalid, Fragment, TableEntry
from smpc_sql.errors import CatalogConflict, ConfigError, InternalError
from smpc_sql.schema import TableSchema

_FORMAT = 1
_FRAGMENT_ID = re.compile(r"[0-9a-f]{32}")


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
                    staged[bytes.fromhex(directory.name)] = change_of(text)
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
