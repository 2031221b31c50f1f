"""Inputs that are computed side by side: the same answers and bytes in fewer rounds, foretold exactly."""

from __future__ import annotations

import pytest

from smpc_sql.engine.dryrun import DryRun
from smpc_sql.errors import QueryError
from smpc_sql.operators import side_by_side
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_cost, consortium_of
from tests.operators.test_expand_join import world_of
from tests.plan.judge import World, assert_same

GROUPS = "SELECT k, MIN(n) AS least, COUNT(*) AS c FROM l WHERE n > 3 GROUP BY k"
OTHERS = "SELECT k, MAX(m) AS most FROM r WHERE m < 900 AND b GROUP BY k"
QUERIES = {
    "joins": f"SELECT a.k, least, most FROM ({GROUPS}) a JOIN ({OTHERS}) o ON a.k = o.k",
    "unions": "SELECT k FROM l WHERE n < 30 UNION SELECT k FROM r WHERE m < 50 UNION SELECT n FROM l WHERE b",
    "scalar subqueries": f"SELECT (SELECT MAX(least) FROM ({GROUPS})), (SELECT SUM(most) FROM ({OTHERS})), COUNT(*) "
    "FROM l",
    "what both sides read": f"WITH g AS ({GROUPS}) SELECT a.k, b.least FROM g a JOIN (SELECT MAX(least) AS least "
    "FROM g WHERE c > 1) b ON a.least < b.least JOIN (SELECT k, c FROM g WHERE c < 9) d ON d.k = a.k",
    "nested": f"SELECT x.k FROM (SELECT a.k FROM ({GROUPS}) a JOIN ({OTHERS}) o ON a.k = o.k) x JOIN "
    "(SELECT k FROM l WHERE b GROUP BY k HAVING COUNT(*) > 1) y ON x.k = y.k "
    "WHERE x.k NOT IN (SELECT k FROM r WHERE m = 7)",
}


@pytest.fixture(scope="module")
def world() -> World:
    keys = [None if i % 7 == 0 else i * i % 23 for i in range(60)]
    return world_of(keys, keys[5:])


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


def cost(consortium: LockstepConsortium, sql: str) -> DryRun:
    return consortium.prepare(sql).cost(index=0, parties=2)


@pytest.mark.parametrize("name", QUERIES)
def test_fewer_rounds_and_the_same_bytes(
    name: str, world: World, consortium: LockstepConsortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = QUERIES[name]
    assert_same(consortium.sql(sql).fetchall(), world.expected(sql), ordered=False)
    check_cost(consortium, sql)
    aside = cost(consortium, sql)
    assert len({event.path for event in aside.events}) == len(aside.events)
    monkeypatch.setattr(side_by_side, "MOST_ROWS", 0)
    behind = cost(consortium, sql)
    assert aside.stats.rounds < behind.stats.rounds
    assert (aside.stats.bytes_sent, aside.dealt) == (behind.stats.bytes_sent, behind.dealt)
    assert_same(consortium.sql(sql).fetchall(), world.expected(sql), ordered=False)


def test_large_tables_and_deep_plans_are_computed_one_after_the_other(
    consortium: LockstepConsortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = cost(consortium, QUERIES["nested"]).stats.rounds
    monkeypatch.setattr(side_by_side, "DEEPEST", 7)
    shallow = cost(consortium, QUERIES["nested"]).stats.rounds
    monkeypatch.setattr(side_by_side, "MOST_ROWS", 100)  # of 115 that are scanned together
    flat = cost(consortium, QUERIES["nested"]).stats.rounds
    assert rounds <= shallow <= flat and rounds < flat


def test_what_fails_in_a_branch_is_the_error(consortium: LockstepConsortium) -> None:
    pairs = "SELECT /*+ JOIN_ROWS(3) */ l.n FROM l JOIN r ON l.k = r.k"
    with pytest.raises(QueryError, match="more than the 3 pairs"):
        consortium.sql(
            f"SELECT a.n FROM ({pairs}) a JOIN (SELECT MIN(n) AS n FROM l WHERE b GROUP BY k) o ON a.n = o.n"
        )
