"""Sums, products and values that leave 64 bits: plans and protocols answer as DuckDB does."""

from __future__ import annotations

import decimal
import re

import pytest

from smpc_sql.errors import OverflowPossible
from smpc_sql.plan.optimize import RULES
from smpc_sql.sql.compile import compile_select
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import QUERIES, World, assert_same, queries
from tests.plan.plain import answer
from tests.plan.wide_world import wide_world

NUMBERS, QUOTIENTS = (queries(QUERIES / "wide" / name) for name in ("numbers.sql", "quotients.sql"))


@pytest.fixture(scope="module")
def world() -> World:
    return wide_world()


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


def ordered(sql: str) -> bool:
    return re.search(r"ORDER BY[^()]*$|ORDER BY (SUM|AVG)\(.\)", sql) is not None


@pytest.mark.parametrize("sql", [*NUMBERS, *QUOTIENTS])
def test_plans_are_right_with_and_without_rules(sql: str, world: World) -> None:
    for rules in (RULES, ()):
        assert_same(answer(compile_select(sql, world.catalog, rules), world.tables), world.expected(sql), ordered(sql))


@pytest.mark.parametrize("sql", [*NUMBERS, *QUOTIENTS[1::5], *QUOTIENTS[-4:]])
def test_protocols_give_duckdbs_answer(sql: str, world: World, consortium: LockstepConsortium) -> None:
    check_answer(consortium, world, sql, ordered(sql))


def test_what_leaves_the_types_of_duckdb_is_exact(world: World, consortium: LockstepConsortium) -> None:
    (row,) = consortium.sql("SELECT SUM(d * e), MIN(b * c) FROM m").fetchall()
    values = world.duck.execute("SELECT d, e, b, c FROM m").fetchall()
    exact = decimal.Context(prec=80)
    products = [exact.multiply(d, e) for d, e, _, _ in values if d is not None]
    total = decimal.Decimal(0)
    for product in products:
        total = exact.add(total, product)
    assert row == (total, min(b * c for _, _, b, c in values if b is not None))


def test_what_is_split_has_a_limit(consortium: LockstepConsortium) -> None:
    with pytest.raises(OverflowPossible, match="declare tighter bounds"):
        consortium.prepare("SELECT SUM(d * e * d * e) FROM m")


def test_a_frame_of_numbers_beyond_64_bits(consortium: LockstepConsortium) -> None:
    frame = consortium.sql("SELECT SUM(c) AS total, COUNT(*) AS n FROM m").df()
    assert str(frame.dtypes["total"]) == "float64"
    assert str(frame.dtypes["n"]) == "int64"
