"""Shares at rest: all or nothing, whenever the process ends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parties import directory_store as module
from parties.catalog_changes import AddFragment, Busy, Change, CreateTable, DropTable, change_text
from parties.directory_store import DirectoryStore, peek
from parties.store import MemoryStore, Store, StoredFragment
from smpc_sql.catalog import Fragment
from smpc_sql.errors import CatalogConflict, ConfigError, InternalError, UnknownName
from smpc_sql.schema import Boolean, Column, Integer, Interval, TableSchema

SCHEMA = TableSchema(
    "T", (Column("x", Integer(32), True, Interval(0, 9)), Column("b", Boolean(), False, Interval(0, 1)))
)
CREATE = CreateTable(SCHEMA, "CREATE TABLE T …")
ROWS = 11


def fragment(rows: int = ROWS, seed: int = 1) -> StoredFragment:
    random = np.random.default_rng(seed)
    words = {c.name: random.integers(0, 1 << 63, rows, dtype=np.uint64) for c in SCHEMA.columns}
    return StoredFragment(rows, words, {"x": random.integers(0, 256, -(-rows // 8), dtype=np.uint8)})


def change_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def add(number: int, rows: int = ROWS) -> AddFragment:
    return AddFragment("T", Fragment(change_id(number).hex(), "h", rows))


def make(store: Store, number: int, change: Change, rows: StoredFragment | None = None) -> None:
    store.reserve(change_id(number), change)
    store.stage(change_id(number), rows)
    store.commit(change_id(number))


def same(found: StoredFragment, expected: StoredFragment) -> bool:
    return (
        found.rows == expected.rows
        and all(np.array_equal(found.words[name], expected.words[name]) for name in expected.words)
        and all(np.array_equal(found.nulls[name], expected.nulls[name]) for name in expected.nulls)
    )


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    found: Store = MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "store")
    yield found
    found.close()


@pytest.mark.parametrize("rows", [0, 1, 8, ROWS, 1000])
def test_what_is_committed_is_read(store: Store, rows: int) -> None:
    make(store, 1, CREATE)
    expected = [fragment(rows, seed) for seed in (1, 2)]
    for number, one in enumerate(expected, 2):
        make(store, number, add(number, rows), one)
    found = store.fragments(store.catalog.table("t"))
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    assert store.catalog.table("t").rows == 2 * rows
    assert store.was_committed(change_id(2))


def test_nothing_shows_before_the_commit(store: Store) -> None:
    make(store, 1, CREATE)
    before = store.catalog
    store.reserve(change_id(2), add(2))
    store.stage(change_id(2), fragment())
    assert store.catalog is before
    assert store.staged == (change_id(2),)
    store.rollback(change_id(2))
    assert store.catalog is before
    assert store.staged == ()
    with pytest.raises(CatalogConflict):
        store.commit(change_id(2))


def test_a_table_is_changed_by_one_at_a_time(store: Store) -> None:
    make(store, 1, CREATE)
    store.reserve(change_id(2), add(2))
    with pytest.raises(Busy):
        store.reserve(change_id(3), add(3))
    with pytest.raises(Busy):
        store.reserve(change_id(3), DropTable("t"))
    store.reserve(change_id(4), CreateTable(TableSchema("other", SCHEMA.columns), "…"))
    store.rollback(change_id(2))
    store.reserve(change_id(3), add(3))


def test_conflicts(store: Store) -> None:
    with pytest.raises(UnknownName):
        store.reserve(change_id(1), add(1))
    make(store, 1, CREATE)
    with pytest.raises(CatalogConflict, match="exists already"):
        store.reserve(change_id(2), CREATE)
    with pytest.raises(CatalogConflict):
        store.reserve(change_id(1), DropTable("t"))  # an id that was used
    assert store.staged == ()


def test_a_dropped_table_is_gone(store: Store) -> None:
    make(store, 1, CREATE)
    make(store, 2, add(2), fragment())
    entry = store.catalog.table("t")
    make(store, 3, DropTable("t"))
    with pytest.raises(CatalogConflict, match="was dropped"):
        store.fragments(entry)
    make(store, 4, CREATE)
    assert store.fragments(store.catalog.table("t")) == ()


def test_committing_twice_is_committing_once(store: Store) -> None:
    make(store, 1, CREATE)
    store.commit(change_id(1))
    assert len(store.catalog.tables) == 1


@pytest.mark.parametrize("change", [CREATE, DropTable("T"), add(7)])
def test_equal_changes_have_equal_texts(change: Change) -> None:
    assert change_text(change) == change_text(change)
    assert len({change_text(CREATE), change_text(DropTable("T")), change_text(add(7)), change_text(add(8))}) == 4


def test_fragments_of_a_wrong_form_cannot_be_made() -> None:
    good = fragment()
    with pytest.raises(InternalError):
        StoredFragment(ROWS + 1, good.words, good.nulls)
    with pytest.raises(InternalError):
        StoredFragment(ROWS, {"x": good.words["x"].astype(np.float64)}, {})
    with pytest.raises(InternalError):
        StoredFragment(ROWS, good.words, {"x": np.zeros(1, np.uint8)})


class TestDirectory:
    def test_survives_a_restart(self, tmp_path: Path) -> None:
        expected = fragment()
        first = DirectoryStore(tmp_path)
        make(first, 1, CREATE)
        make(first, 2, add(2), expected)
        first.close()
        second = DirectoryStore(tmp_path)
        assert second.catalog == first.catalog
        assert second.was_committed(change_id(2))
        assert same(second.fragments(second.catalog.table("t"))[0], expected)
        second.close()

    def test_peek_while_it_is_in_use(self, tmp_path: Path) -> None:
        store = DirectoryStore(tmp_path)
        make(store, 1, CREATE)
        make(store, 2, add(2), fragment())
        catalog, read = peek(tmp_path)
        assert same(read(catalog.table("t"))[0], fragment())
        store.close()

    def test_is_for_one_process(self, tmp_path: Path) -> None:
        store = DirectoryStore(tmp_path)
        with pytest.raises(ConfigError, match="in use"):
            DirectoryStore(tmp_path)
        store.close()
        DirectoryStore(tmp_path).close()

    def test_is_for_one_user(self, tmp_path: Path) -> None:
        DirectoryStore(tmp_path / "new").close()
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": 1, "catalog": {"tables": 3}, "committed": []}'])
    def test_damage_is_said(self, tmp_path: Path, content: str) -> None:
        DirectoryStore(tmp_path).close()
        (tmp_path / "catalog.json").write_text(content)
        with pytest.raises(ConfigError, match="damaged"):
            DirectoryStore(tmp_path)

    def test_another_format_is_said(self, tmp_path: Path) -> None:
        DirectoryStore(tmp_path).close()
        (tmp_path / "catalog.json").write_text('{"format": 2}')
        with pytest.raises(ConfigError, match="another version"):
            DirectoryStore(tmp_path)

    def test_a_pickle_is_never_read(self, tmp_path: Path) -> None:
        store = DirectoryStore(tmp_path)
        make(store, 1, CREATE)
        make(store, 2, add(2), fragment())
        store.close()
        path = next((tmp_path / "fragments").glob("*/0.words.npy"))
        np.save(path, np.array([{"an": "object"}], dtype=object), allow_pickle=True)
        store = DirectoryStore(tmp_path)
        with pytest.raises(ConfigError, match="damaged"):
            store.fragments(store.catalog.table("t"))
        store.close()

    def test_a_change_awaits_its_decision_over_a_restart(self, tmp_path: Path) -> None:
        expected = fragment()
        first = DirectoryStore(tmp_path)
        make(first, 1, CREATE)
        first.reserve(change_id(2), add(2))
        first.stage(change_id(2), expected)
        first.close()
        second = DirectoryStore(tmp_path)
        assert second.staged == (change_id(2),)
        with pytest.raises(Busy):
            second.reserve(change_id(3), DropTable("t"))
        second.commit(change_id(2))
        assert same(second.fragments(second.catalog.table("t"))[0], expected)
        second.close()

    def test_a_reservation_does_not_outlive_the_process(self, tmp_path: Path) -> None:
        first = DirectoryStore(tmp_path)
        first.reserve(change_id(1), CREATE)
        first.close()
        second = DirectoryStore(tmp_path)
        assert second.staged == ()
        second.close()

    def test_a_write_that_fails_changes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = DirectoryStore(tmp_path)
        make(store, 1, CREATE)
        store.reserve(change_id(2), add(2))
        store.stage(change_id(2), fragment())

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="No space"):
                store.commit(change_id(2))
        assert store.catalog.table("t").rows == 0
        store.rollback(change_id(2))
        assert list((tmp_path / "fragments").iterdir()) == []
        make(store, 3, add(3), fragment())
        assert store.catalog.table("t").rows == ROWS
        store.close()


@pytest.mark.parametrize("step", ["first", "last"])
def test_a_change_given_up_while_it_is_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store = DirectoryStore(tmp_path / "s")
    make(store, 1, CREATE)
    store.reserve(change_id(2), add(2))
    sync, calls = module._sync_directory, []

    def given_up_meanwhile(path: Path) -> None:
        calls.append(path)
        if step == "first" or path.name == "staged":
            store.rollback(change_id(2))
        sync(path)

    monkeypatch.setattr(module, "_sync_directory", given_up_meanwhile)
    with pytest.raises(CatalogConflict, match="given up"):
        store.stage(change_id(2), fragment())
    monkeypatch.undo()
    assert calls and not list((tmp_path / "s" / "staged").iterdir())
    make(store, 3, add(3), fragment())
    store.close()


class _Crash(BaseException):
    """The process ends here."""


def _crashing(monkeypatch: pytest.MonkeyPatch, at: int) -> Callable[[], int]:
    """Lets the at-th step that touches the disc end the process before it is done; returns how many there were."""
    steps = 0

    def guarded(work: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **named: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == at:
                raise _Crash
            return work(*args, **named)

        return step

    monkeypatch.setattr(os, "fsync", guarded(os.fsync))
    monkeypatch.setattr(Path, "rename", guarded(Path.rename))
    monkeypatch.setattr(Path, "replace", guarded(Path.replace))
    monkeypatch.setattr(Path, "mkdir", guarded(Path.mkdir))
    monkeypatch.setattr(shutil, "rmtree", guarded(shutil.rmtree))
    monkeypatch.setattr(np, "save", guarded(np.save))
    return lambda: steps


@pytest.mark.parametrize("what", ["create", "load", "drop"])
def test_a_crash_at_any_step_leaves_before_or_after(tmp_path: Path, what: str) -> None:
    """And what is staged can still be decided both ways; what nobody needs is swept away."""
    change: Change = {
        "create": CreateTable(TableSchema("U", SCHEMA.columns), "…"),
        "load": add(9),
        "drop": DropTable("t"),
    }[what]
    for at in range(1, 100):
        root = tmp_path / str(at)
        store = DirectoryStore(root)
        make(store, 1, CREATE)
        make(store, 2, add(2), fragment())
        before = store.catalog
        after = change.apply(before)
        with pytest.MonkeyPatch.context() as patched:
            steps = _crashing(patched, at)
            try:
                make(store, 9, change, fragment(seed=9) if what == "load" else None)
                crashed = False
            except _Crash:
                crashed = True
        store.close()
        again = DirectoryStore(root)
        assert again.catalog in (before, after)
        if again.catalog == before and again.staged:
            again.commit(change_id(9))
            assert again.catalog == after
        for entry in again.catalog.tables.values():
            for found, expected in zip(again.fragments(entry), (fragment(), fragment(seed=9)), strict=False):
                assert same(found, expected)
        assert again.staged == ()
        assert list((root / "staged").iterdir()) == []
        kept = {f.id for entry in again.catalog.tables.values() for f in entry.fragments}
        assert {path.name for path in (root / "fragments").iterdir()} == kept
        again.close()
        if not crashed:
            assert steps() < at
            assert again.catalog == after
            return
    pytest.fail("a change takes more steps than were tried")
