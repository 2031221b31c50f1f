"""Joins, sets, windows and grouping of secret keys: plans and protocols answer as DuckDB does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smpc_sql.plan.optimize import RULES
from smpc_sql.sql.compile import compile_select
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import consortium_of
from tests.engine.test_queries import check_cost
from tests.plan.judge import World, assert_same, queries
from tests.plan.plain import answer
from tests.plan.small import FILES, small_world


@pytest.fixture(scope="module")
def world() -> World:
    return small_world()


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


def ordered(sql: str) -> bool:
    """Whether the statement itself orders its rows."""
    return re.search(r"ORDER BY[^()]*$", sql) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_query_gives_duckdbs_answer(path: Path, world: World, consortium: LockstepConsortium) -> None:
    for sql in queries(path):
        assert_same(consortium.sql(sql).fetchall(), world.expected(sql), ordered(sql))
        check_cost(consortium, sql)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_plans_are_right_with_and_without_rules(path: Path, world: World) -> None:
    for sql in queries(path):
        for rules in (RULES, (), *(tuple(r for r in RULES if r is not removed) for removed in RULES)):
            delivery = compile_select(sql, world.catalog, rules)
            assert_same(answer(delivery, world.tables), world.expected(sql), ordered(sql))


def test_three_parties_give_the_same_answer(world: World) -> None:
    consortium = consortium_of(world, 3)
    for path in FILES:
        for sql in queries(path)[::8]:
            assert_same(consortium.sql(sql).fetchall(), world.expected(sql), ordered(sql))
            check_cost(consortium, sql)
