"""What is known to be unique: declared keys and group keys, through everything that keeps rows apart."""

from __future__ import annotations

import pytest

from smpc_sql.catalog import Catalog
from smpc_sql.plan.relations import Project
from smpc_sql.plan.uniqueness import unique_keys
from smpc_sql.sql.compile import compile_select
from tests.plan.small import small_world


@pytest.fixture(scope="module")
def small() -> Catalog:
    return small_world().catalog


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT id, a FROM t", [{"id"}]),
        ("SELECT a FROM t", []),
        ("SELECT 2 * id + 1 AS odd FROM t WHERE a > 3", [{"odd"}]),
        ("SELECT id // 2 AS half FROM t", []),
        ("SELECT p, r FROM v", [{"p", "r"}]),
        ("SELECT p, r FROM v WHERE r = 5", [{"p"}]),
        ("SELECT k, COUNT(*) AS n FROM w GROUP BY k", [{"k"}]),
        ("SELECT DISTINCT k, 5 AS five FROM w", [{"k"}]),
        ("SELECT COUNT(*) AS n FROM w", [set()]),
        ("SELECT id, x FROM t LEFT JOIN u ON t.k = u.uid", [{"id"}]),
        ("SELECT id, x, uid FROM t JOIN u ON t.id = u.uid", [{"uid"}, {"id"}]),
        ("SELECT id, x, uid FROM t LEFT JOIN u ON t.id = u.uid", [{"id"}, {"uid"}]),
        ("SELECT k, x, uid FROM t JOIN u ON t.k = u.uid", []),
        ("SELECT k, ROW_NUMBER() OVER (ORDER BY z) AS r FROM w", [{"r"}]),
        ("SELECT k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY z) AS r FROM w", [{"k", "r"}]),
        ("SELECT k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY z) + 1 AS r FROM w WHERE z < 5", [{"k", "r"}]),
        ("SELECT k, ROW_NUMBER() OVER (PARTITION BY k // 2 ORDER BY z) AS r FROM w", []),
        ("SELECT k, z, RANK() OVER (PARTITION BY k ORDER BY z) AS r FROM w", []),
        ("SELECT k FROM w QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY z) = 1", [{"k"}]),
        ("SELECT k FROM t UNION ALL SELECT k FROM w", []),
        ("SELECT k FROM t UNION SELECT k FROM w", [{"k"}]),
    ],
)
def test_unique_keys(small: Catalog, sql: str, names: list[set[str]]) -> None:
    relation = compile_select(sql, small, ()).relation
    assert isinstance(relation, Project)
    found = [{relation.fields[i].name for i in key} for key in unique_keys(relation)]
    assert found == names
