"""Sorting by secret keys against numpy's stable sort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.protocol import dense_ranks, ordering, ranking, sorting
from smpc_sql.protocol.permutation import Rows, rows_of
from smpc_sql.protocol.sorting import KeyPart
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, combine_bits, combine_words, split_words
from tests.protocol.on_shares import FEW, PATTERNS, SEEDS, rows_found, run, share_rows, share_words, share_xor, signed

N = st.integers(2, 5)
Sort = Callable[[Session, Sequence[KeyPart]], Array]
ROWS = st.sampled_from([1, 2, 7, 40])


@FEW
@given(N, ROWS, PATTERNS, SEEDS)
def test_partition(parties: int, rows: int, pattern: str, seed: int) -> None:
    chosen = signed(0, 1, (rows,), pattern, seed).astype(np.uint8)
    words = np.arange(rows, dtype=np.uint64)[None]
    none = np.zeros((0, rows), dtype=np.uint64)
    shares = share_rows(words, none, none.astype(np.uint32), parties)
    bits = [share & 1 for share in share_xor(chosen, parties)]
    found = rows_found(run(parties, sorting.partition, shares, bits))
    np.testing.assert_array_equal(found[0][0], np.argsort(chosen, kind="stable"))


@FEW
@given(N, ROWS, st.integers(1, 5), PATTERNS, SEEDS)
def test_destinations_by_digits(parties: int, rows: int, bits: int, pattern: str, seed: int) -> None:
    digits = signed(0, (1 << bits) - 1, (rows,), pattern, seed).astype(np.uint8)
    found = run(
        parties, lambda session, d: sorting.partition_destinations(session, d, bits), share_xor(digits, parties)
    )
    np.testing.assert_array_equal(combine_words(found), np.argsort(np.argsort(digits, kind="stable")))


@pytest.mark.parametrize("parties", [2, 3])
def test_destinations_in_chunks(parties: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_CHUNK", 16)
    digits = signed(0, 7, (40,), "random", 1).astype(np.uint8)
    found = run(parties, lambda session, d: sorting.partition_destinations(session, d, 3), share_xor(digits, parties))
    np.testing.assert_array_equal(combine_words(found), np.argsort(np.argsort(digits, kind="stable")))


@pytest.mark.parametrize("sort", [ordering.sort, sorting.sort_by_digits, sorting.sort_by_pairs])
@FEW
@given(N, ROWS, st.lists(st.integers(0, 64), min_size=1, max_size=3).filter(any), PATTERNS, SEEDS)
def test_sort(sort: Sort, parties: int, rows: int, widths: list[int], pattern: str, seed: int) -> None:
    keys = [
        signed(-(1 << 63), (1 << 63) - 1, (rows,), pattern, seed + i).astype(np.uint64) & np.uint64((1 << width) - 1)
        for i, width in enumerate(widths)
    ]
    shares = [share_xor(key, parties) for key in keys]
    table = np.arange(10, 10 + rows, dtype=np.uint64)[None]

    def program(session: Session, *mine: Array) -> tuple[Array, Rows, Array]:
        key = [KeyPart(bits, width) for bits, width in zip(mine, widths, strict=True)]
        ids = sort(session, key)
        return ids, *sorting.in_order(session, rows_of(rows, words=session.public(table)), key, ids)

    found = run(parties, program, *shares)
    order = np.lexsort(keys[::-1])
    np.testing.assert_array_equal(combine_words([ids for ids, _, _ in found]), order)
    np.testing.assert_array_equal(rows_found([each for _, each, _ in found])[0], table[:, order])
    np.testing.assert_array_equal(combine_bits([parts for _, _, parts in found]), np.stack(keys)[:, order])


def by_ranks(*levels: int) -> Sort:
    return lambda session, key: dense_ranks.sort_by_ranks(session, key, levels)


@pytest.mark.parametrize("sort", [ordering.sort, sorting.sort_by_digits, by_ranks(3), by_ranks(9, 2)])
@pytest.mark.parametrize("rows", [2, 33, 600])
def test_sort_by_long_keys(sort: Sort, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few words, so that many begin alike, or are the same; pieces are sorted in several batches."""
    monkeypatch.setattr(dense_ranks, "_TOGETHER", 1200)
    monkeypatch.setattr(dense_ranks, "_CHUNK", 96)
    rng = np.random.default_rng(rows)
    some = rng.integers(0, 1 << 56, 3, dtype=np.uint64)
    words = [some[rng.integers(0, 3, rows)] for _ in range(3)]
    words[1][::5] ^= np.uint64(1)
    words[2][::7] ^= np.uint64(1) << np.uint64(55)

    def program(session: Session, *mine: Array) -> Array:
        return sort(session, [KeyPart(bits, 56) for bits in mine])

    found = run(2, program, *(share_xor(word, 2) for word in words))
    np.testing.assert_array_equal(combine_words(found), np.lexsort(words[::-1]))


@FEW
@given(N, st.sampled_from([1, 2, 3, 8, 50]), st.integers(1, 3), PATTERNS, SEEDS)
def test_the_row_of_the_greatest_key(parties: int, rows: int, words: int, pattern: str, seed: int) -> None:
    keys = signed(-(1 << 63), (1 << 63) - 1, (words, rows), pattern, seed).astype(np.uint64)
    keys[0] &= np.uint64(0b11 << 40)
    given_words = np.arange(2 * rows, dtype=np.uint64).reshape(2, rows) - np.uint64(7)
    for budget in (1, 1000):
        found = run_with(ranking, "_PAIRS", budget, parties, keys, given_words)
        best = max(range(rows), key=lambda i: (*map(int, keys[:, i]), -i))
        np.testing.assert_array_equal(found, given_words[:, best])


def run_with(module: Any, name: str, value: int, parties: int, keys: Array, words: Array) -> Array:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, value)
        return combine_words(run(parties, ranking.greatest, share_xor(keys, parties), split_words(words, parties)))


@FEW
@given(N, ROWS, st.integers(1, 5), PATTERNS, SEEDS)
def test_groups_side_by_side(parties: int, rows: int, groups: int, pattern: str, seed: int) -> None:
    keys = signed(0, 999, (groups, rows), pattern, seed).astype(np.uint64)
    shares = share_xor(keys.reshape(-1), parties)
    found = run(parties, lambda session, mine: sorting.sort_groups(session, [KeyPart(mine, 10)], groups), shares)
    wanted = np.argsort(keys, axis=1, kind="stable") + rows * np.arange(groups)[:, None]
    np.testing.assert_array_equal(combine_words(found), wanted.reshape(-1))


@pytest.mark.parametrize("chunk", [16, 40, 96])
def test_destinations_of_groups_in_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_CHUNK", chunk)
    digits = signed(0, 7, (5, 40), "random", 1).astype(np.uint8)
    shares = share_xor(digits.reshape(-1), 2)
    found = run(2, lambda session, mine: sorting.partition_destinations(session, mine, 3, 5), shares)
    wanted = np.argsort(np.argsort(digits, axis=1, kind="stable"), axis=1) + 40 * np.arange(5)[:, None]
    np.testing.assert_array_equal(combine_words(found), wanted.reshape(-1))


@FEW
@given(N, ROWS, SEEDS)
def test_the_way_back(parties: int, rows: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(rows)
    table = np.arange(10, 10 + rows, dtype=np.uint64)
    none = np.zeros((0, rows), dtype=np.uint64)

    def program(session: Session, share: Rows, ids: AShare) -> tuple[Rows, Array]:
        return sorting.to_old_places(session, share, ids.words), sorting.destinations_of(session, ids.words)

    shares = share_rows(table[order][None], none, none.astype(np.uint32), parties)
    found = run(parties, program, shares, share_words(order, parties, 32))
    np.testing.assert_array_equal(rows_found([each for each, _ in found])[0][0], table)
    np.testing.assert_array_equal(combine_words([places for _, places in found]), np.argsort(order))
