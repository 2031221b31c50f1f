"""Groups over joins of many with many, of tables whose pairs are too many to be made: one side is grouped first."""

from __future__ import annotations

import random

import pytest

from smpc_sql.engine.explain import explain
from smpc_sql.errors import Unsupported
from smpc_sql.sql.compile import compile_select
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import World, assert_same, build

DDL = """
CREATE TABLE visits (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 9999), k SMALLINT CHECK (k BETWEEN 0 AND 255),
    x TINYINT CHECK (x BETWEEN -9 AND 9), e ENUM('a', 'b', 'c') NOT NULL
);
CREATE TABLE labs (
    k SMALLINT CHECK (k BETWEEN 0 AND 255), y DECIMAL(4,1) CHECK (y BETWEEN -50 AND 50), f BOOLEAN NOT NULL
);
"""
FROM = "FROM visits v JOIN labs l ON v.k = l.k"
QUERIES = (
    f"SELECT COUNT(*), COUNT(x), COUNT(y), SUM(x), SUM(y), SUM(x * y), SUM(y * x), AVG(y), AVG(x) {FROM}",
    f"SELECT v.e, COUNT(*), MIN(x), MAX(y), SUM(y), COUNT(DISTINCT v.id) {FROM} GROUP BY v.e",
    f"SELECT l.f, COUNT(*), SUM(x) FILTER (WHERE f), SUM(x) FILTER (WHERE e = 'a') {FROM} GROUP BY f",
    f"SELECT l.f, COUNT(y) FILTER (WHERE e = 'b'), MIN(x) FILTER (WHERE e = 'a') {FROM} GROUP BY f",
    f"SELECT v.k, COUNT(*), SUM(y) FILTER (WHERE f), COUNT(*) FILTER (WHERE NOT f) {FROM} WHERE e <> 'c' GROUP BY v.k",
    f"SELECT l.k, v.e, COUNT(*) {FROM} GROUP BY l.k, v.e HAVING COUNT(*) > 20",
    f"SELECT DISTINCT v.e {FROM} WHERE f AND y > 10",
    f"SELECT v.k, MAX(v.x), COUNT(DISTINCT v.e) {FROM} WHERE l.y > 0 GROUP BY v.k",
    f"SELECT COUNT(*), SUM(x), MAX(y) {FROM} WHERE l.y > 49.9",
    f"SELECT COUNT(DISTINCT v.k) {FROM} AND x <= y WHERE e = 'b' AND f",
    f"SELECT COUNT(DISTINCT l.k) {FROM} AND x > y WHERE e = 'b' AND f",
    f"SELECT DISTINCT v.k, x, e {FROM} WHERE NOT x >= y AND e <> 'a' AND y < 2",
    f"SELECT e, COUNT(DISTINCT v.k), MIN(x), ARG_MAX(e, x), AVG(DISTINCT x) {FROM} AND y <= x GROUP BY e",
    f"SELECT e, SUM(DISTINCT x) FILTER (WHERE v.k > 20) {FROM} AND y < x GROUP BY e",
    f"SELECT l.f, MAX(y), BOOL_OR(y > 40), MEDIAN(DISTINCT y) {FROM} AND y < x AND y * 2 < x GROUP BY f",
    f"SELECT MAX(x) {FROM} AND NOT x < y AND l.y > 49.9",
    f"SELECT COUNT(*), SUM(x), SUM(y), AVG(y) {FROM} AND x < y",
    f"SELECT COUNT(DISTINCT v.id), MIN(y), COUNT(y) FILTER (WHERE f) {FROM} AND x < y",
    f"SELECT l.f, COUNT(*), SUM(x), SUM(x * y) {FROM} AND y - x >= 2 GROUP BY f",
    f"SELECT COUNT(DISTINCT v.k) {FROM} AND x < y AND x > y - 5",
    f"SELECT e, COUNT(*), SUM(y) FILTER (WHERE f), COUNT(x) {FROM} AND y - x BETWEEN 1 AND 20 WHERE x <> 3 GROUP BY e",
    f"SELECT l.f, COUNT(DISTINCT l.k), AVG(x) {FROM} AND x BETWEEN y AND y + 3 GROUP BY f",
    "SELECT COUNT(DISTINCT a.k) FROM visits a JOIN visits b ON a.k = b.k AND a.e < b.e WHERE a.x > 5",
    "SELECT COUNT(*), SUM(a.x * b.x) FROM visits a, visits b WHERE a.k = b.k AND a.e = b.e",
)


@pytest.fixture(scope="module")
def world() -> World:
    chance = random.Random(5)

    def maybe(value: int) -> int | None:
        return None if chance.random() < 0.1 else value

    visits = [
        (i, maybe(chance.randrange(200)), maybe(chance.randint(-9, 9)), chance.choice("abc")) for i in range(1050)
    ]
    labs = [
        (maybe(chance.randrange(50, 250)), maybe(chance.randint(-50, 50)), chance.random() < 0.5) for _ in range(1050)
    ]
    return build(DDL, {"visits": {"a": visits[:500], "b": visits[500:]}, "labs": {"b": labs}})


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


@pytest.mark.parametrize("sql", QUERIES)
def test_groups_need_no_pairs(sql: str, world: World, consortium: LockstepConsortium) -> None:
    assert_same(world.actual(sql), world.expected(sql), ordered=False)
    assert "expand" not in explain(consortium.prepare(sql), 2)
    check_answer(consortium, world, sql, False)


def test_only_that_there_is_a_partner_is_a_mark(consortium: LockstepConsortium) -> None:
    text = explain(consortium.prepare(f"SELECT DISTINCT v.e {FROM}"), 2)
    assert "mark join" in text and "sorted groups" not in text


@pytest.mark.parametrize(
    "what", ["SUM(CASE WHEN l.f THEN v.x ELSE l.y END)", "COUNT(*) FILTER (WHERE v.x < l.y)", "CORR(x, x * y)"]
)
def test_what_reads_both_sides_needs_pairs(what: str, world: World) -> None:
    with pytest.raises(Unsupported, match="JOIN_ROWS"):
        compile_select(f"SELECT {what} {FROM}", world.catalog)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT COUNT(DISTINCT v.id), MIN(y) {FROM} AND x < y AND x > y - 5",
        f"SELECT COUNT(DISTINCT v.id), COUNT(DISTINCT y) {FROM} AND x < y",
        f"SELECT COUNT(*) {FROM} AND x < y AND x < y * y",
        f"SELECT COUNT(*) {FROM} AND x < y AND x > y - 5 AND x < y - 2",
        f"SELECT COUNT(DISTINCT v.k) {FROM} AND x <> y",
        f"SELECT COUNT(DISTINCT v.k) {FROM} AND x < y AND f <> (x > 3)",
    ],
)
def test_comparisons_that_no_single_partner_decides_need_pairs(sql: str, world: World) -> None:
    with pytest.raises(Unsupported, match="JOIN_ROWS"):
        compile_select(sql, world.catalog)


def test_with_a_bound_it_is_a_matter_of_cost(world: World) -> None:
    sql = f"SELECT /*+ JOIN_ROWS(20000) */ v.e, SUM(CASE WHEN l.f THEN v.x ELSE 1 END) {FROM} GROUP BY v.e"
    assert_same(world.actual(sql), world.expected(sql), ordered=False)
