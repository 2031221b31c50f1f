"""Views: a name for a query, judged by DuckDB's views of the same text."""

from __future__ import annotations

import pytest

from smpc_sql.errors import CatalogConflict, QueryError, SyntaxInvalid, UnknownName, Unsupported
from smpc_sql.sql.compile import describe
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, made_in_both
from tests.plan.judge import World
from tests.plan.small import small_world

VIEWS = (
    "CREATE VIEW elders AS SELECT id, k, a FROM t WHERE a > 2",
    "CREATE VIEW sums(k, n) AS SELECT k, COUNT(*), AVG(a) AS m FROM elders GROUP BY k ORDER BY k",
    "CREATE VIEW pairs AS WITH t AS (SELECT k FROM sums) SELECT t.k, u.id FROM t JOIN elders u USING (k)",
    "CREATE OR REPLACE VIEW elders AS SELECT id, k, a FROM t WHERE a > 1",
)
ASKED = (
    "SELECT * FROM elders",
    "SELECT k, m FROM sums WHERE n > 1",
    "WITH elders AS (SELECT 1 AS id) SELECT s.k, elders.id FROM sums s, elders",
    "SELECT * FROM pairs b JOIN sums USING (k)",
    "SELECT x.z FROM elders AS x(z) WHERE x.z IN (SELECT id FROM pairs)",
)


@pytest.fixture(scope="module")
def world() -> World:
    return small_world()


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return made_in_both(world, VIEWS)


@pytest.mark.parametrize("sql", ASKED)
def test_views_answer_as_duckdbs(sql: str, world: World, consortium: LockstepConsortium) -> None:
    check_answer(consortium, world, sql, False)


def test_views_are_described(consortium: LockstepConsortium) -> None:
    assert [(name, str(type_)) for name, type_, _ in describe("Sums", consortium.catalog)] == [
        ("k", "INTEGER"),
        ("n", "BIGINT"),
        ("m", "DOUBLE"),
    ]


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("CREATE VIEW elders AS SELECT 1 AS a", CatalogConflict, "view elders exists already"),
        ("CREATE VIEW t AS SELECT 1 AS a", CatalogConflict, "table t exists already"),
        ("CREATE TABLE elders (x INTEGER)", CatalogConflict, "view elders exists already"),
        ("CREATE VIEW x AS SELECT * FROM x", UnknownName, "table x does not exist"),
        ("CREATE OR REPLACE VIEW elders AS SELECT * FROM elders", UnknownName, "table elders does not exist"),
        (
            "CREATE OR REPLACE VIEW elders AS SELECT * FROM sums",
            UnknownName,
            "in view sums: .*table elders does not exist",
        ),
        ("CREATE VIEW x(a, b, c) AS SELECT id, k FROM t", SyntaxInvalid, "3 names are given for the 2"),
        ("CREATE VIEW x AS SELECT id, k AS id FROM t", SyntaxInvalid, "two columns"),
        ("CREATE VIEW x AS SELECT id + e FROM t", QueryError, "line 1, column"),
        ("CREATE VIEW x", QueryError, "."),
        ("CREATE TEMP VIEW x AS SELECT id FROM t", Unsupported, "not supported"),
    ],
)
def test_refusals(consortium: LockstepConsortium, sql: str, error: type[QueryError], message: str) -> None:
    with pytest.raises(error, match=message):
        consortium.create(sql)


def test_errors_inside_point_at_the_view_and_at_its_use(consortium: LockstepConsortium) -> None:
    before = consortium.catalog
    try:
        consortium.create("CREATE VIEW wide AS SELECT k FROM w; CREATE VIEW wider AS SELECT\n k FROM wide")
        consortium.catalog = consortium.catalog.without_view("wide")
        with pytest.raises(UnknownName) as caught:
            consortium.prepare("SELECT 1\nFROM wider")
        assert (caught.value.line, caught.value.column) == (2, 6)
        assert caught.value.message.startswith("in view wider: line 2, column 9: table wide does not exist")
    finally:
        consortium.catalog = before


def test_a_chain_of_views_is_bounded(consortium: LockstepConsortium) -> None:
    before = consortium.catalog
    try:
        consortium.create("CREATE VIEW v0 AS SELECT k FROM w")
        for i in range(1, 20):
            consortium.create(f"CREATE VIEW v{i} AS SELECT k FROM v{i - 1}")
        assert consortium.prepare("SELECT * FROM v19")
        with pytest.raises(Unsupported, match="nested deeper"):
            consortium.create("CREATE VIEW v20 AS SELECT k FROM v19; CREATE VIEW v21 AS SELECT k FROM v20")
    finally:
        consortium.catalog = before
