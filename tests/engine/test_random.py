"""Random tables and random queries under MPC: DuckDB's answer, at the cost that the dry run foretells."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from smpc_sql.errors import OverflowPossible, Unsupported
from tests.engine.consortium import check_cost, consortium_of
from tests.plan.judge import assert_same, build
from tests.sql.test_random_queries import DDL, Row, grouped_queries, ones, row_queries, rows

CASES = st.tuples(st.tuples(rows, rows), ones, row_queries() | grouped_queries())


def agrees(parts: tuple[list[Row], list[Row]], one: Row, sql: str) -> None:
    world = build(DDL, {"t": {"zoe": parts[0], "adam": parts[1]}, "one": {"bob": [one]}})
    consortium = consortium_of(world, 2)
    try:
        consortium.prepare(sql)
        expected = world.expected(sql)
    except (OverflowPossible, Unsupported, duckdb.OutOfRangeException, duckdb.ConversionException):
        assume(False)
    assert_same(consortium.sql(sql).fetchall(), expected, ordered=sql.endswith("ORDER BY ALL"))
    check_cost(consortium, sql)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_random_queries_under_mpc(case: tuple[tuple[list[Row], list[Row]], Row, str]) -> None:
    agrees(*case)


@pytest.mark.long
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_many_random_queries_under_mpc(case: tuple[tuple[list[Row], list[Row]], Row, str]) -> None:
    agrees(*case)
