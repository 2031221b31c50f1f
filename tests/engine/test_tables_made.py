"""CREATE TABLE AS in one process: what is stored answers as DuckDB's table does, and tells nothing more."""

from __future__ import annotations

import pytest

from smpc_sql.engine.explain import explain
from smpc_sql.errors import CatalogConflict, QueryError, Unsupported
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, made_in_both
from tests.plan.judge import World
from tests.plan.small import small_world

MADE = (
    "CREATE TABLE kept AS SELECT id, k, e, a FROM t WHERE a > 2 OR k IS NULL",
    "CREATE TABLE groups(k, n) AS "
    "SELECT k, COUNT(*), AVG(a) AS m, STDDEV_SAMP(a) AS s, MAX(a) AS top FROM t GROUP BY k",
    "CREATE TABLE total AS SELECT AVG(a) AS m, COUNT(*) > 3 AS many FROM t",
    "CREATE TABLE best AS SELECT id, a FROM t ORDER BY a DESC NULLS LAST, id LIMIT 3",
    "CREATE TABLE nothing AS SELECT id FROM t WHERE FALSE",
    "CREATE TABLE again AS SELECT k, m, m > 2 AS large FROM groups WHERE n > 1",
    "CREATE TABLE texts AS SELECT w.i, w.f AS x, c.name, COALESCE(w.e, '?') AS y, w.raw "
    "FROM words w LEFT JOIN colors c ON w.e = c.name",
    "CREATE TABLE names AS SELECT x, COUNT(*) AS n FROM texts GROUP BY x",
    "CREATE OR REPLACE TABLE kept AS SELECT * FROM kept WHERE e IS NOT NULL",
)
ASKED = (
    "SELECT * FROM kept",
    "SELECT e, COUNT(*), SUM(a), AVG(k) FROM kept GROUP BY e",
    "SELECT * FROM groups",
    "SELECT k, m, s FROM groups WHERE m > 2 ORDER BY m, k LIMIT 2",
    "SELECT SUM(n), COUNT(m), COUNT(s) FROM groups",
    "SELECT id, a, m FROM t JOIN groups USING (k)",
    "SELECT id, a - 1 FROM t, total WHERE a > m AND many",
    "SELECT b.id, g.k FROM best b LEFT JOIN kept g ON b.id = g.id",
    "SELECT COUNT(*), MIN(id) FROM nothing",
    "SELECT * FROM again",
    "SELECT large, COUNT(*) FROM again GROUP BY large",
    "SELECT * FROM texts ORDER BY y, i",
    "SELECT name, COUNT(*), MAX(x) FROM texts GROUP BY name",
    "SELECT t.i, n.n FROM texts t JOIN names n ON t.x = n.x",
)


@pytest.fixture(scope="module")
def world() -> World:
    return small_world()


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return made_in_both(world, MADE, lambda sql: sql.replace("FROM t ", "FROM (SELECT * EXCLUDE (owner) FROM t) "))


@pytest.mark.parametrize("sql", ASKED)
def test_made_tables_answer_as_duckdbs(sql: str, world: World, consortium: LockstepConsortium) -> None:
    check_answer(consortium, world, sql, "ORDER BY" in sql)


def test_the_number_of_rows_is_the_plans_bound(world: World, consortium: LockstepConsortium) -> None:
    rows = consortium.catalog.table("t").rows
    assert [fragment.rows for fragment in consortium._stored[0]["best"]] == [3]
    assert consortium.catalog.table("kept").rows == rows
    assert consortium.catalog.table("best").rows == 3
    assert consortium.catalog.table("total").rows == 1
    assert consortium.catalog.table("total").origin.valid == ""  # type: ignore[union-attr]
    assert consortium.catalog.table("nothing").rows in (0, rows)


def test_what_is_read_from_a_stored_table_is_shuffled(consortium: LockstepConsortium) -> None:
    """Groups are stored in the order of their keys, with gaps: positions must not reach the analyst."""
    assert "shuffle rows" in explain(consortium.prepare("SELECT n FROM groups"), 2)
    assert "shuffle rows" in explain(consortium.prepare("SELECT k FROM again"), 2)


def test_group_keys_are_keys_of_the_table(consortium: LockstepConsortium) -> None:
    assert consortium.catalog.table("groups").keys == (("k",),)
    assert consortium.catalog.table("again").keys == (("k",),)


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("CREATE TABLE t AS SELECT 1 AS a", CatalogConflict, "t exists already"),
        ("CREATE TABLE x AS SELECT VAR_POP(id * 1000000000000) AS v FROM t", QueryError, "64 bits"),
        ("CREATE TABLE x(a, b) AS SELECT id FROM t", QueryError, "2 names are given for 1"),
        ("CREATE TABLE x(a INTEGER) AS SELECT id FROM t", Unsupported, "types of columns"),
        ("CREATE TEMP TABLE x AS SELECT id FROM t", Unsupported, "not supported"),
        ("CREATE OR REPLACE TABLE IF NOT EXISTS x AS SELECT id FROM t", QueryError, "."),
        ("CREATE TABLE x AS SELECT id FROM t WITH NO DATA", Unsupported, "not supported"),
    ],
)
def test_refusals(consortium: LockstepConsortium, sql: str, error: type[QueryError], message: str) -> None:
    with pytest.raises(error, match=message):
        consortium.create(sql)
