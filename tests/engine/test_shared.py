"""What a query uses twice is computed once, whoever uses it, and chosen once where chance chooses."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from smpc_sql.engine.explain import explain
from smpc_sql.operators.base import Tables
from smpc_sql.operators.table import SharedTable
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, check_cost, consortium_of
from tests.plan.judge import World, assert_same, build
from tests.plan.small import small_world

TIES = """
CREATE TABLE p (id INTEGER NOT NULL PRIMARY KEY, b INTEGER);
CREATE TABLE v (vid INTEGER NOT NULL PRIMARY KEY, id INTEGER NOT NULL);
"""
TIED = {"p": {"o": [(i, i % 5 if i % 3 else None) for i in range(20)]}, "v": {"o": [(i, i % 7) for i in range(15)]}}


@pytest.fixture(scope="module")
def world() -> World:
    return small_world()


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


def sent(consortium: LockstepConsortium, sql: str) -> int:
    return consortium.prepare(sql).cost(index=0, parties=2).stats.bytes_sent


def test_a_cte_used_twice_costs_once(consortium: LockstepConsortium) -> None:
    grouped = "WITH g AS (SELECT k, SUM(a) AS s FROM t WHERE a > 0 GROUP BY k)"
    once = sent(consortium, f"{grouped} SELECT MAX(s) FROM g")
    twice = sent(consortium, f"{grouped} SELECT MAX(s) FROM g UNION ALL SELECT MIN(s) FROM g")
    assert twice < once * 1.2
    plan = explain(consortium.prepare(f"{grouped} SELECT MAX(s) FROM g UNION ALL SELECT MIN(s) FROM g"), 2)
    operators = plan.split("operators:")[1]
    assert operators.count("sorted groups of") == 1 == operators.count("shared 1, for 2 readers")
    assert operators.count("shared 1, see above") == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT (SELECT MAX(u.x) FROM t JOIN u ON t.k = u.uid), (SELECT MIN(u.x) FROM t JOIN u ON t.k = u.uid)",
        "SELECT COUNT(*) FROM (SELECT SUM(a) OVER (PARTITION BY k) AS s FROM t JOIN u ON t.k = u.uid) WHERE s > 3",
        "SELECT t.k, u.x FROM (SELECT t.k FROM t JOIN u ON t.k = u.uid) t FULL JOIN u ON t.k = u.uid",
        "SELECT x, x IN (SELECT x FROM t JOIN u ON t.k = u.uid) FROM u",
    ],
)
def test_what_is_written_or_meant_twice_costs_once(consortium: LockstepConsortium, world: World, sql: str) -> None:
    """Equal subqueries, a window's partition, the sides of a FULL JOIN, the values of an IN that may be NULL."""
    assert explain(consortium.prepare(sql), 2).split("operators:")[1].count("scan t ") == 1
    check_answer(consortium, world, sql, False)


def stacked(levels: int) -> str:
    """Every level reads the one below twice."""
    ctes = ["c0 AS (SELECT id, a AS s FROM t WHERE a > -4)"]
    for i in range(1, levels + 1):
        rows = f"SELECT id, s + (s > {i})::INT AS s FROM c{i - 1} WHERE s > {i} OR"
        ctes.append(f"c{i} AS ({rows} id IN (SELECT id - 1000 FROM c{i - 1} WHERE s < {i + 5}))")
    return f"WITH {', '.join(ctes)} SELECT COUNT(*), SUM(s) FROM c{levels}"


def test_a_tower_of_ctes_grows_by_floors(consortium: LockstepConsortium, world: World) -> None:
    start = time.monotonic()
    consortium.prepare(stacked(20))
    assert time.monotonic() - start < 5
    costs = [sent(consortium, stacked(levels)) for levels in (2, 3, 4, 5)]
    steps = [after - before for before, after in pairwise(costs)]
    assert max(steps) < 1.5 * min(steps)
    assert_same(consortium.sql(stacked(4)).fetchall(), world.expected(stacked(4)), ordered=False)
    check_cost(consortium, stacked(4))


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("WITH t AS (SELECT id FROM p ORDER BY b LIMIT 6) SELECT id FROM t EXCEPT SELECT id FROM t", []),
        ("WITH t AS (SELECT id FROM p LIMIT 6) SELECT COUNT(*) FROM t a JOIN t b ON a.id = b.id", [(6,)]),
        (
            "WITH l AS (SELECT id FROM p LIMIT 5) "
            "SELECT COUNT(*), SUM(c) FROM (SELECT COUNT(*) OVER (PARTITION BY id) AS c FROM l)",
            [(5, 5)],
        ),
        (
            "WITH n AS (SELECT vid, ROW_NUMBER() OVER (ORDER BY id) AS r FROM v) "
            "SELECT COUNT(*) FROM n a JOIN n b ON a.vid = b.vid WHERE a.r = b.r",
            [(15,)],
        ),
    ],
)
def test_chance_chooses_once(sql: str, answer: list[tuple[int, ...]]) -> None:
    consortium = consortium_of(build(TIES, TIED), 2)
    for _ in range(4):  # were it twice, it would agree once in 10^4 runs
        assert consortium.sql(sql).fetchall() == answer
    check_cost(consortium, sql)


def test_shared_rows_are_let_go_with_their_last_reader() -> None:
    tables, table = Tables({}), SharedTable(())
    computed = []

    def compute() -> SharedTable:
        computed.append(1)
        return table

    assert tables.once(1, 2, compute) is table is tables.once(1, 2, compute)
    assert computed == [1]
    with pytest.raises(Exception, match="more readers"):
        tables.once(1, 2, compute)
