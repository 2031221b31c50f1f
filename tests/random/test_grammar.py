"""Random schemas, rows and queries over the whole grammar, under MPC: DuckDB's answer at the foretold cost."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from smpc_sql.errors import OverflowPossible, Unsupported
from tests.engine.consortium import check_cost
from tests.plan.judge import assert_same
from tests.random.queries import queries
from tests.random.schemas import Table, tables
from tests.random.world import twins

Case = tuple[list[Table], str]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three tables and a query over them."""
    drawn = [draw(tables(name)) for name in ("t", "u", "v")[: draw(st.integers(1, 3))]]
    return drawn, draw(queries(drawn))


def agrees(case: Case) -> None:
    """Our answer is DuckDB's; a query that either refuses shows nothing."""
    drawn, sql = case
    try:
        both = twins(drawn)
        both.consortium.prepare(sql)
        expected = both.expected(sql)
    except (OverflowPossible, Unsupported, duckdb.Error):
        assume(False)
    assert_same(both.consortium.sql(sql).fetchall(), expected, ordered="ORDER BY ALL" in sql)
    check_cost(both.consortium, sql)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_random_queries_of_the_whole_grammar(case: Case) -> None:
    agrees(case)


@pytest.mark.long
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_many_random_queries_of_the_whole_grammar(case: Case) -> None:
    agrees(case)
