"""NULL totals and absent groups that are told by words: DuckDB judges; what the words show."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from smpc_sql.ring import Array
from smpc_sql.sharing import combine_words
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import World, assert_same, build

DDL = """
CREATE TABLE t (
    k TINYINT NOT NULL CHECK (k BETWEEN 0 AND 3), n TINYINT CHECK (n BETWEEN 0 AND 2),
    x SMALLINT CHECK (x BETWEEN -500 AND 500), y SMALLINT NOT NULL CHECK (y BETWEEN 3 AND 900), f BOOLEAN,
    d DATE CHECK (d BETWEEN DATE '2000-01-01' AND DATE '2020-12-31')
);
"""
ROWS: list[tuple[Any, ...]] = [
    (0, 1, 4, 10, True, date(2003, 1, 2)),
    (0, 1, None, 20, None, None),
    (1, None, None, 30, False, None),
    (3, 0, -7, 40, None, date(2019, 5, 5)),
    (3, None, 0, 50, False, date(2001, 1, 1)),
]
TOTALS = (
    "SUM(x), SUM(y), MIN(x), MAX(y), MIN(d), MAX(d)",
    "AVG(x), AVG(y), STDDEV(x), COVAR_POP(x, y), VAR_POP(y)",
    "SUM(x * y), SUM(x * x), COALESCE(SUM(x), 0), COALESCE(SUM(y), 0) + COUNT(*)",
    "SUM(x) FILTER (WHERE f), MIN(y) FILTER (WHERE NOT f), COUNT(x)",
    "SUM(x) * 2 + 1, 5 - MAX(y), SUM(x) + COUNT(x), SUM(x) + COUNT(*)",
    "BOOL_OR(f), MAX(f), COUNT(*)",
)
WHERE = ("", " WHERE y > 30", " WHERE y > 600", " WHERE x IS NULL", " WHERE y = 40", " WHERE FALSE")
GROUPS = (
    "k, SUM(x), SUM(y)",
    "k, COUNT(*), SUM(x), SUM(y) FILTER (WHERE f)",
    "k, AVG(y), AVG(x), COUNT(*)",
    "k, AVG(y)",
    "k, MIN(x), MAX(y), COUNT(x)",
    "n, SUM(y), COUNT(*)",
    "n, k, SUM(x) FILTER (WHERE NOT f), COUNT(*) + 1",
)


@pytest.fixture(scope="module")
def world() -> World:
    return build(DDL, {"t": {"a": ROWS[:2], "b": ROWS[2:]}})


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 3)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("totals", TOTALS)
def test_totals(world: World, consortium: LockstepConsortium, totals: str, where: str) -> None:
    _judge(world, consortium, f"SELECT {totals} FROM t{where}")


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("groups", GROUPS)
def test_groups(world: World, consortium: LockstepConsortium, groups: str, where: str) -> None:
    keys = "n, k" if groups.startswith("n, k") else groups[0]
    _judge(world, consortium, f"SELECT {groups} FROM t{where} GROUP BY {keys} ORDER BY {keys}")


def _judge(world: World, consortium: LockstepConsortium, sql: str) -> None:
    assert_same(world.actual(sql), world.expected(sql), ordered=False)
    check_answer(consortium, world, sql, False)


def _telling(consortium: LockstepConsortium, sql: str) -> list[int]:
    """Every word of the field that tells what is there."""
    prepared = consortium.prepare(sql)
    delivery = prepared.delivery
    place = delivery.nulls[0][1] if delivery.nulls else delivery.valid
    assert place is not None
    shares: list[list[Array]] = consortium.pieces(prepared)
    piece = 1 + sum(1 + delivery.relation.fields[i].nullable for i in delivery.words if i < place)
    found: list[int] = combine_words([mine[piece] for mine in shares]).tolist()
    return found


@pytest.mark.parametrize("where", ["", " WHERE y > 25"])
def test_words_that_tell_are_fresh(consortium: LockstepConsortium, where: str) -> None:
    words = [_telling(consortium, f"SELECT SUM(x) FROM t{where}")[0] for _ in range(12)]
    sql = f"SELECT k, SUM(y) FROM t{where} GROUP BY k"
    groups = np.array([_telling(consortium, sql) for _ in range(12)], dtype=np.uint64)
    there = groups[:, [1, 3] if where else [0, 1, 3]]
    assert 0 not in words
    assert len(set(words)) == 12
    assert len(set(there.reshape(-1).tolist())) == there.size
    assert there.all()
    assert not groups[:, [0, 2] if where else [2]].any()
    # the bits of a few uniform words
    assert 0.3 < np.mean([word >> bit & 1 for word in words for bit in range(64)]) < 0.7


def test_words_that_tell_of_nothing_are_zero(consortium: LockstepConsortium) -> None:
    assert _telling(consortium, "SELECT SUM(x) FROM t WHERE y > 800") == [0]
    assert _telling(consortium, "SELECT SUM(x) FROM t WHERE y = 30") == [0]
