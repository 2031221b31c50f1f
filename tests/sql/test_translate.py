"""Other dialects: their queries, as DuckDB's, give what the judge gives."""

from __future__ import annotations

import pytest

from smpc_sql.errors import QueryError, SyntaxInvalid
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.translate import OURS, translated
from tests.plan.judge import assert_same, heart_world
from tests.plan.plain import answer

QUERIES = {
    "mysql": "SELECT `sex`, IF(age > 50, 1, 0) AS old, COUNT(*) AS n FROM `heart` GROUP BY 1, 2 ORDER BY 1, 2",
    "tsql": "SELECT TOP 2 [sex], AVG(CAST(chol AS FLOAT)) AS c FROM heart GROUP BY [sex] ORDER BY sex DESC",
    "bigquery": "SELECT sex, COUNTIF(age > 5) AS n, SAFE_CAST('7' AS INT64) FROM `heart` GROUP BY sex ORDER BY 1",
    "snowflake": "SELECT IFF(sex = 1, 'm', 'f') AS s, ZEROIFNULL(MAX(chol)) AS c FROM heart GROUP BY 1 ORDER BY 1",
}


@pytest.mark.parametrize("dialect", QUERIES)
def test_queries_of_other_dialects(dialect: str) -> None:
    world = heart_world()
    sql = translated(QUERIES[dialect], dialect)
    expected = world.expected(sql)
    assert expected
    assert_same(answer(compile_select(sql, world.catalog), world.tables), expected, ordered=True)


def test_our_own_is_left_as_it_is() -> None:
    sql = "SELECT /*+ JOIN_ROWS(3) */ a FROM t -- so"
    assert translated(sql, OURS) is sql


def test_scripts() -> None:
    assert translated("SELECT `a` FROM t; SELECT 2", "mysql") == 'SELECT "a" FROM t;\nSELECT 2'


def test_what_is_wrong_is_placed() -> None:
    with pytest.raises(SyntaxInvalid, match="mysql") as found:
        translated("SELECT a\nFROM t WHERE (", "mysql")
    assert found.value.line == 2


def test_a_dialect_that_nobody_knows() -> None:
    with pytest.raises(QueryError, match=r"no dialect 'cobol'; there are: .*mysql"):
        translated("SELECT 1", "cobol")
