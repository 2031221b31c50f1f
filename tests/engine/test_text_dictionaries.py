"""VARCHAR with a list of values: a public dictionary for us, text for DuckDB, and the same answers."""

from __future__ import annotations

import pytest

from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, consortium_of
from tests.engine.test_relational import ordered
from tests.plan.judge import World, build

DDL = """
CREATE TABLE t (
    k INTEGER NOT NULL, c VARCHAR(9) CHECK (c IN ('zeta', 'alpha', 'Beta')), d VARCHAR CHECK (d IN ('alpha', 'mu'))
);
CREATE TABLE u (c VARCHAR(5), n INTEGER NOT NULL);
"""
T = [
    (1, "zeta", "mu"),
    (2, "alpha", "alpha"),
    (3, None, "mu"),
    (4, "Beta", None),
    (5, "alpha", "mu"),
    (6, "zeta", "alpha"),
]
U = [("zeta", 1), ("alpha", 2), ("gamma", 3), (None, 4), ("", 5)]


@pytest.fixture(scope="module")
def world() -> World:
    return build(DDL, {"t": {"adam": T[:2], "zoe": T[2:]}, "u": {"zoe": U}})


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT k, c, d FROM t ORDER BY c NULLS FIRST, k LIMIT 4",
        "SELECT c, COUNT(*), MIN(d), MAX(c) FROM t GROUP BY c",
        "SELECT k FROM t WHERE c < 'b'",
        "SELECT k FROM t WHERE c >= 'Bet' AND c LIKE '%eta'",
        "SELECT k, c = d, c < d, COALESCE(c, d), GREATEST(c, d) FROM t",
        "SELECT k, LENGTH(c), UPPER(c), c || '-' || d, LEFT(d, 2) FROM t",
        "SELECT t.k, u.n FROM t JOIN u ON t.c = u.c",
        "SELECT k FROM t WHERE c NOT IN (SELECT c FROM u WHERE c IS NOT NULL)",
        "SELECT c FROM t UNION SELECT d FROM t",
        "SELECT c FROM t EXCEPT SELECT c FROM u",
        "SELECT MAX(CASE WHEN k < 3 THEN c ELSE d END), MIN(COALESCE(c, d)) FROM t",
    ],
)
def test_answers_are_those_of_text(sql: str, world: World, consortium: LockstepConsortium) -> None:
    check_answer(consortium, world, sql, ordered(sql))
