"""Shuffling: the rows stay whole, the order is uniform, and it is the composition of every party's own permutation."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.correlations.permutations import Shuffle, permutation_of
from smpc_sql.protocol.permutation import Rows, route, rows_of, shuffle
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, combine_words
from smpc_sql.testing import run_backends
from tests.protocol.on_shares import FEW, PARTIES, PATTERNS, SEEDS, rows_found, run, share_rows, share_words, signed
from tests.protocol.watching import LIMIT, Watching, excess

COLUMNS = st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2))


def some_rows(columns: tuple[int, int, int], rows: int, pattern: str, seed: int) -> tuple[Array, Array, Array]:
    """Columns of words, of bits and of places."""
    found = [signed(-(1 << 63), (1 << 63) - 1, (c, rows), pattern, seed + i) for i, c in enumerate(columns)]
    return found[0].astype(np.uint64), found[1].astype(np.uint64), found[2].astype(np.uint32)


def as_tuples(columns: tuple[Array, Array, Array]) -> list[tuple[int, ...]]:
    """The rows."""
    return [tuple(int(column[i]) for part in columns for column in part) for i in range(columns[0].shape[1])]


@FEW
@given(st.integers(2, 5), COLUMNS, st.sampled_from([0, 1, 2, 7, 50]), PATTERNS, SEEDS)
def test_the_same_rows(parties: int, columns: tuple[int, int, int], rows: int, pattern: str, seed: int) -> None:
    table = some_rows(columns, rows, pattern, seed)
    found = rows_found(run(parties, shuffle, share_rows(*table, parties)))
    assert sorted(as_tuples(found)) == sorted(as_tuples(table))


@pytest.mark.parametrize("parties", PARTIES)
def test_the_order_is_the_composition_of_every_partys_permutation(parties: int) -> None:
    table = some_rows((2, 1, 1), 30, "random", 1)
    watched: dict[int, Watching] = {}

    def program(backend, share):  # type: ignore[no-untyped-def]
        session = watched[backend.index] = Watching(backend)
        return shuffle(session, share)

    found = rows_found(run_backends(parties, program, share_rows(*table, parties)))
    order = np.arange(30)
    for turn in range(parties):
        kind, parts = watched[turn].dealt[turn]
        assert isinstance(kind, Shuffle)
        assert kind.turn == turn
        order = order[permutation_of(parts[0])]
    for part, expected in zip(found, table, strict=True):
        np.testing.assert_array_equal(part, expected[:, order])


def chances(found: Array) -> float:
    """The excess of orders [times, rows] over all being equally likely."""
    index = {order: i for i, order in enumerate(permutations(range(found.shape[1])))}
    return excess(np.bincount([index[tuple(map(int, each))] for each in found], minlength=len(index)))


@pytest.mark.parametrize("parties", [2, 3])
def test_every_order_is_equally_likely(parties: int) -> None:
    start = np.arange(4)[None]

    def program(session: Session, share: AShare) -> Array:
        return np.stack([shuffle(session, rows_of(4, words=share.words)).words[0] for _ in range(1000)])

    assert chances(combine_words(run(parties, program, share_words(start, parties)))) < LIMIT


def test_what_a_route_opens_says_nothing() -> None:
    """The destinations are opened behind a shuffle: whatever they are, every order of them is equally likely."""
    destinations = np.array([2, 0, 3, 1])

    def program(backend, share):  # type: ignore[no-untyped-def]
        session = Watching(backend)
        for _ in range(1000):
            route(session, rows_of(4), share.words.astype(np.uint32))
        return np.stack([each.view(np.uint32) for each in session.opened])

    assert chances(run_backends(2, program, share_words(destinations, 2, 32))[0]) < LIMIT


@FEW
@given(st.integers(2, 5), COLUMNS, st.sampled_from([1, 2, 7, 50]), SEEDS)
def test_route(parties: int, columns: tuple[int, int, int], rows: int, seed: int) -> None:
    table = some_rows(columns, rows, "random", seed)
    destinations = np.random.default_rng(seed).permutation(rows)

    def program(session: Session, share: Rows, places: AShare) -> Rows:
        return route(session, share, places.words)

    found = rows_found(run(parties, program, share_rows(*table, parties), share_words(destinations, parties, 32)))
    for part, expected in zip(found, table, strict=True):
        np.testing.assert_array_equal(part[:, destinations], expected)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 1000])
def test_equal_keys_are_redrawn(rows: int) -> None:
    assert sorted(permutation_of(np.zeros(rows, dtype=np.uint64))) == list(range(rows))


def test_keys_stand_for_their_order() -> None:
    keys = np.random.default_rng(3).integers(0, 1 << 64, 2000, dtype=np.uint64)
    np.testing.assert_array_equal(permutation_of(keys.copy()), np.argsort(keys))
