"""LIKE on shares: DuckDB says what matches."""

from __future__ import annotations

import random
import re

import duckdb
import numpy as np
import pytest

from smpc_sql.protocol import matching
from smpc_sql.ring import Array, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import combine_bits
from tests.protocol.on_shares import run, share_xor
from tests.protocol.test_spelling import planes_of_texts

LENGTH = 9


def segments_of(pattern: str) -> matching.Segments:
    parts = re.sub("%+", "%", pattern).split("%")
    return tuple(tuple(matching.ANY if c == "_" else ord(c) for c in part) for part in parts)


def texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return ["", "a", "b" * LENGTH, *("".join(rng.choices("aabBc", k=rng.randint(0, LENGTH))) for _ in range(count - 3))]


def pattern(rng: random.Random) -> str:
    return "".join(rng.choices("abBc_%%", k=rng.randint(1, 7)))


def found(parties: int, values: list[str], patterns: list[str], fold: bool, width: int = 7) -> Array:
    """For every pattern which texts match."""
    planes = planes_of_texts([value.encode() for value in values], LENGTH, width)

    def program(session: Session, x: Array) -> Array:
        return np.stack([matching.match(session, x, segments_of(p), fold) for p in patterns])

    return unpack(combine_bits(run(parties, program, share_xor(planes, parties)))).astype(bool)


def judged(values: list[str], patterns: list[str], operator: str) -> Array:
    duck = duckdb.connect()
    duck.execute("CREATE TABLE t (i INTEGER, x VARCHAR)")
    duck.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(values)))
    rows = [duck.execute(f"SELECT x {operator} ? FROM t ORDER BY i", [p]).fetchall() for p in patterns]
    return np.array(rows)[:, :, 0]


@pytest.mark.parametrize(("parties", "width", "seed"), [(2, 7, 1), (2, 8, 2), (3, 7, 3)])
def test_random_patterns(parties: int, width: int, seed: int) -> None:
    rng = random.Random(seed)
    values = texts(64, seed)
    patterns = [p for p in (pattern(rng) for _ in range(120)) if set(p) != {"%"}][:80]
    np.testing.assert_array_equal(
        found(parties, values, patterns, fold=False, width=width), judged(values, patterns, "LIKE")
    )


def test_random_patterns_of_any_case() -> None:
    rng = random.Random(5)
    values = texts(64, 5)
    patterns = [p.lower() for p in (pattern(rng) for _ in range(60)) if set(p) != {"%"}]
    np.testing.assert_array_equal(found(2, values, patterns, fold=True), judged(values, patterns, "ILIKE"))


@pytest.mark.parametrize("p", ["_" * LENGTH, "_" * LENGTH + "_", "b" * LENGTH, "%" + "b" * LENGTH, "_%_", "a%", "%a_"])
def test_patterns_as_long_as_the_text(p: str) -> None:
    values = [*texts(30, 9), "ab" * 4, "a" * LENGTH]
    np.testing.assert_array_equal(found(2, values, [p], fold=False), judged(values, [p], "LIKE"))


def test_every_ascii_character_is_told_apart() -> None:
    codes = [code for code in range(1, 128) if chr(code) not in "%_\\"]
    values = [chr(code) for code in codes]
    values += [""] * (-len(values) % 8)
    hits = found(2, values, [f"%{chr(code)}%" for code in codes], fold=False)
    np.testing.assert_array_equal(hits[:, : len(codes)], np.eye(len(codes), dtype=bool))
    assert not hits[:, len(codes) :].any()
