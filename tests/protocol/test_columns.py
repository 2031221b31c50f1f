"""What is done for many rows, column by column and in small chunks: the same results, and a cost that is foretold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from smpc_sql.correlations import permutations
from smpc_sql.correlations.permutations import permutation_in_place, permutation_of
from smpc_sql.dry import DryBackend
from smpc_sql.protocol import columns, sorting
from smpc_sql.protocol.permutation import Rows, route
from smpc_sql.protocol.sorting import KeyPart
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, combine_words
from smpc_sql.testing import run_parties
from tests.protocol.on_shares import rows_found, run, share_rows, share_words, share_xor

ROWS = 300


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """And pieces are small, so that there are several, and one that is not full."""
    monkeypatch.setattr(columns, "MANY_ROWS", 1)
    for module, name, rows in (
        (columns, "_PIECE", 100),
        (permutations, "_PIECE", 100),
        (sorting, "_SMALL", 64),
        (sorting, "_COUNTED", 128),
    ):
        monkeypatch.setattr(module, name, rows)


def sorted_ids(session: Session, high: Array, low: Array) -> Array:
    return sorting.sort_by_digits(session, [KeyPart(high, 3), KeyPart(low, 5)])


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_sort(parties: int) -> None:
    rng = np.random.default_rng(parties)
    high, low = (rng.integers(0, 1 << bits, ROWS, dtype=np.uint64) for bits in (3, 5))
    record: list[Any] = []
    shares = run_parties(parties, sorted_ids, share_xor(high, parties), share_xor(low, parties), record=record)
    np.testing.assert_array_equal(combine_words(shares), np.argsort(high << np.uint64(5) | low, kind="stable"))
    none = np.zeros(ROWS, dtype=np.uint64)
    for backend in record:
        dry = DryBackend(index=backend.index, parties=parties)
        sorted_ids(Session(dry), none, none)
        assert sorted(dry.events, key=lambda event: event.path) == sorted(backend.events, key=lambda event: event.path)
        assert dry.stats() == backend.stats()
        asked = [r.path for r in dry.requests if r.kind.receiver(parties) == backend.index]
        assert sorted(asked) == sorted(e.path for e in backend.events if e.size and e.verb != "open")


def test_every_party_is_dealt_a_part() -> None:
    """Of what one party alone would have to hold, and of a shuffle's turns anyway."""
    record: list[Any] = []
    digits = share_xor(np.zeros(1024, dtype=np.uint8), 2)
    run_parties(2, lambda session, mine: sorting.partition_destinations(session, mine & 7, 3), digits, record=record)
    first, second = (backend.stats().bytes_dealt for backend in record)
    assert first == second > 0


@pytest.mark.parametrize("parties", [2, 3])
def test_route(parties: int) -> None:
    rng = np.random.default_rng(5)
    words, bits = rng.integers(0, 1 << 64, (2, ROWS), dtype=np.uint64), rng.integers(0, 256, (1, ROWS), dtype=np.uint64)
    places = rng.integers(0, 1 << 32, (1, ROWS), dtype=np.uint32)
    to = rng.permutation(ROWS)

    def program(session: Session, share: Rows, destinations: AShare) -> Rows:
        return route(session, share, destinations.words)

    found = rows_found(run(parties, program, share_rows(words, bits, places, parties), share_words(to, parties, 32)))
    for part, expected in zip(found, (words, bits, places), strict=True):
        np.testing.assert_array_equal(part[:, to], expected)


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 1000])
def test_a_permutation_in_the_keys_memory(rows: int) -> None:
    raw = np.random.default_rng(rows).integers(0, 256, 8 * rows, dtype=np.uint8)
    expected = permutation_of(raw.view(np.uint64).copy())
    np.testing.assert_array_equal(permutation_in_place(raw), expected)


@pytest.mark.parametrize("rows", [2, 101, 1000])
def test_equal_keys_are_redrawn(rows: int) -> None:
    expected = permutation_of(np.zeros(rows, dtype=np.uint64))
    np.testing.assert_array_equal(permutation_in_place(np.zeros(8 * rows, dtype=np.uint8)), expected)
