"""Which totals and groups are told by words, and which must be tested: by the plan alone."""

from __future__ import annotations

import pytest

from smpc_sql.engine.prepare import prepare
from smpc_sql.plan.delivery import Delivery
from smpc_sql.plan.relations import Aggregate, Project
from smpc_sql.sql.compile import compile_select
from tests.plan.judge import heart_catalog

ROUNDS = {
    "SELECT SUM(age) FROM heart": 0,
    "SELECT SUM(age * age) FROM heart": 1,
    "SELECT SUM(age * age) FROM heart WHERE age * age < 3000": 7,
    "SELECT AVG(age) FROM heart": 10,
    "SELECT sex, COUNT(*) FROM heart GROUP BY sex": 1,
    "SELECT sex, SUM(age), COUNT(*) FROM heart GROUP BY sex": 1,
    "SELECT sex, AVG(age), COUNT(*) FROM heart GROUP BY sex": 11,
}

TOLD = (
    "SELECT SUM(chol), MIN(age), MAX(oldpeak) FROM heart WHERE age > 50",
    "SELECT COALESCE(SUM(chol), 0), SUM(age) * 2 + COUNT(*) FROM heart WHERE age > 50",
    "SELECT CORR(age, chol), STDDEV(chol), AVG(chol) FROM heart WHERE age > 50",
    "SELECT sex, owner, SUM(age), SUM(chol) FILTER (WHERE age > 50) FROM heart GROUP BY sex, owner",
)
TESTED = (
    "SELECT SUM(chol) + SUM(age) FROM heart",
    "SELECT SUM(chol) + COUNT(*) FROM heart",
    "SELECT SUM(chol) / SUM(age) FROM heart",
    "SELECT COALESCE(SUM(chol), 1) FROM heart",
    "SELECT SUM(chol) IS NULL FROM heart",
    "SELECT SUM(chol) FROM heart HAVING COUNT(*) > 5",
    "SELECT SUM(chol) FROM heart GROUP BY sex",
    "SELECT sex, SUM(chol) FROM heart GROUP BY sex HAVING SUM(chol) > 0",
    "SELECT sex, SUM(chol) FROM heart GROUP BY sex ORDER BY 2 LIMIT 1",
)


def _filled(delivery: Delivery) -> bool:
    relation = delivery.relation
    groups = relation.source if isinstance(relation, Project) else relation
    return isinstance(groups, Aggregate) and any(call.filled for call in groups.calls)


@pytest.mark.parametrize("sql", TOLD)
def test_nothing_that_is_told_can_be_null(sql: str) -> None:
    delivery = compile_select(sql, heart_catalog())
    assert _filled(delivery)
    assert not any(field.nullable for field in delivery.relation.fields[delivery.valid is not None :])


@pytest.mark.parametrize("sql", TESTED)
def test_what_the_query_itself_reads_is_tested(sql: str) -> None:
    """Or what would show a part of a total that is NULL."""
    delivery = compile_select(sql, heart_catalog())
    assert not delivery.nulls
    assert delivery.valid is None
    assert not _filled(delivery)


@pytest.mark.parametrize("sql", ROUNDS)
def test_rounds(sql: str) -> None:
    assert prepare(sql, heart_catalog()).cost(index=0, parties=2).stats.rounds == ROUNDS[sql]


def test_a_count_that_is_delivered_tells() -> None:
    delivery = compile_select("SELECT sex, COUNT(*), SUM(age) FROM heart GROUP BY sex", heart_catalog())
    assert delivery.valid == 1
    assert delivery.nulls == ()
    assert len(delivery.relation.fields) == 3


def test_the_same_rows_share_a_word() -> None:
    sql = "SELECT SUM(chol), MAX(chol), SUM(chol * 2), SUM(age), MIN(age) FROM heart WHERE sex = 1"
    delivery = compile_select(sql, heart_catalog())
    assert delivery.nulls == ((0, 5), (1, 5), (2, 5), (3, 6), (4, 6))
