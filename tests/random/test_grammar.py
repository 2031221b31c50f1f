"""Random schemas, rows and queries over the whole grammar, under MPC: DuckDB's answer at the foretold cost."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from smpc_sql.errors import OverflowPossible, Unsupported
from smpc_sql.plan import pairs
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
    agrees_with(drawn, sql, sql)


def agrees_with(drawn: list[Table], sql: str, judged: str) -> None:
    """The answer to one query is DuckDB's to the other. What is opened of joins first is known when it is compared."""
    try:
        both = twins(drawn)
        sized = both.consortium.sized(sql)
        both.consortium.prepare(sized)
        expected = both.expected(judged)
    except (OverflowPossible, Unsupported, duckdb.Error):
        assume(False)
    assert_same(both.consortium.sql(sized).fetchall(), expected, ordered="ORDER BY ALL" in judged)
    check_cost(both.consortium, sized)


def sizes_are_opened(case: Case) -> None:
    """The same where no pairs are few enough to be looked at."""
    drawn, sql = case
    assume("JOIN" in sql)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pairs, "MAX_PRODUCT", 2)
        agrees_with(drawn, f"SET STATEMENT join_size = power_of_two FOR {sql}", sql)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_random_queries_of_the_whole_grammar(case: Case) -> None:
    agrees(case)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_random_queries_that_open_sizes_of_joins(case: Case) -> None:
    sizes_are_opened(case)


@pytest.mark.long
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_many_random_queries_that_open_sizes_of_joins(case: Case) -> None:
    sizes_are_opened(case)


@pytest.mark.long
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_many_random_queries_of_the_whole_grammar(case: Case) -> None:
    agrees(case)
