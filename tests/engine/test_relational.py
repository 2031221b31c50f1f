"""Joins, sets, windows and grouping of secret keys: plans and protocols answer as DuckDB does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smpc_sql.engine.explain import explain
from smpc_sql.errors import Unsupported
from smpc_sql.plan.optimize import RULES
from smpc_sql.sql.compile import compile_select
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import World, assert_same, build, queries
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
        check_answer(consortium, world, sql, ordered(sql))


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
            check_answer(consortium, world, sql, ordered(sql))


def test_the_ends_of_bigint_are_sorted_grouped_and_joined() -> None:
    ends = [(9223372036854775807, 1), (-9223372036854775808, 2), (None, 3), (0, 4), (-1, 5), (9223372036854775807, 6)]
    ddl = "CREATE TABLE big (i BIGINT, n TINYINT NOT NULL CHECK (n BETWEEN 0 AND 9));"
    world = build(ddl, {"big": {"o": ends}})
    consortium = consortium_of(world, 2)
    for sql in (
        "SELECT n FROM big ORDER BY i DESC, n LIMIT 4",
        "SELECT n FROM big ORDER BY i NULLS FIRST, n DESC LIMIT 5 OFFSET 1",
        "SELECT i, COUNT(*), SUM(n) FROM big GROUP BY i",
        "SELECT DISTINCT i FROM big",
        "SELECT b.n, s.m FROM big b JOIN (SELECT i, MAX(n) AS m FROM big GROUP BY i) s USING (i)",
        "SELECT n, ROW_NUMBER() OVER (ORDER BY i, n) FROM big",
    ):
        check_answer(consortium, world, sql, ordered(sql))


def test_many_rows_are_sorted_and_not_compared_pair_by_pair() -> None:
    rows = [(i * 7919 % 1000, i % 10) for i in range(600)]
    ddl = "CREATE TABLE many (i INTEGER NOT NULL, n TINYINT CHECK (n BETWEEN 0 AND 9));"
    world = build(ddl, {"many": {"o": rows[:300], "p": rows[300:]}})
    consortium = consortium_of(world, 2)
    sql = "SELECT i, n FROM many WHERE n > 2 ORDER BY n DESC, i LIMIT 7 OFFSET 3"
    check_answer(consortium, world, sql, True)
    operators = explain(consortium.prepare(sql), 2)
    assert "sort rows by 2 keys, keep 7 after 3" in operators and "rank rows" not in operators


@pytest.mark.parametrize(
    ("sql", "how"),
    [
        ("SELECT k, COUNT(*) FROM t GROUP BY k", "sorted groups of k"),
        ("SELECT e, COUNT(*) FROM t GROUP BY e", "one-hot groups of e"),
        ("SELECT COUNT(DISTINCT k) FROM t", "sorted groups of everything"),
        ("SELECT id FROM t JOIN u ON k = uid", "look up 1 keys in the right rows, inner join"),
        ("SELECT t.id FROM t, w WHERE t.a < w.z", "every pair of rows"),
        ("SELECT id FROM t WHERE k IN (SELECT k FROM w)", "mark join"),
        ("SELECT k FROM t UNION ALL SELECT k FROM w", "rows of 2 relations"),
        ("SELECT RANK() OVER (ORDER BY a) FROM t", "window of rank by 0 keys in the order of 1"),
    ],
)
def test_algorithms_are_chosen_and_shown(consortium: LockstepConsortium, sql: str, how: str) -> None:
    assert how in explain(consortium.prepare(sql), 2)


def test_groups_that_having_leaves_out_leave_no_gaps(consortium: LockstepConsortium) -> None:
    """Sorted groups are shuffled where not all of them, with all their keys, are delivered."""
    assert "shuffle" not in explain(consortium.prepare("SELECT k, COUNT(*) FROM t GROUP BY k"), 2)
    assert "shuffle" in explain(consortium.prepare("SELECT k, COUNT(*) FROM t GROUP BY k HAVING COUNT(*) > 1"), 2)
    assert "shuffle" in explain(consortium.prepare("SELECT COUNT(*) FROM t GROUP BY k"), 2)
    assert "shuffle" in explain(consortium.prepare("SELECT id, RANK() OVER (ORDER BY a) FROM t"), 2)


def test_groups_of_what_is_looked_up_by_few_keys() -> None:
    """Grouped by the key first, and then by what it finds, which two keys may have in common."""
    names = ["north wing", "south wing", None, "north wing", "annex of the south wing"]
    wards = [(i, names[i], i % 2) for i in range(5)]
    stays = [(i % 7 if i % 7 < 6 else None, i * 37 % 11 - 5, None if i % 4 == 0 else i % 9) for i in range(48)]
    ddl = """
    CREATE TABLE ward (ward TINYINT PRIMARY KEY CHECK (ward BETWEEN 0 AND 6), name VARCHAR(23), wing TINYINT NOT NULL);
    CREATE TABLE stay (
        ward TINYINT CHECK (ward BETWEEN 0 AND 6), x SMALLINT NOT NULL CHECK (x BETWEEN -9 AND 9),
        y SMALLINT CHECK (y BETWEEN 0 AND 9)
    );
    """
    world = build(ddl, {"ward": {"o": wards}, "stay": {"o": stays[:20], "p": stays[20:]}})
    consortium = consortium_of(world, 2)
    calls = "COUNT(*), COUNT(y), SUM(x), SUM(y), MIN(y), MAX(x), AVG(y)"
    calls += ", COUNT(*) FILTER (WHERE x > 2), SUM(y) FILTER (WHERE x > 4)"
    joined = "FROM stay JOIN ward USING (ward)"
    for sql in (
        f"SELECT name, {calls} {joined} GROUP BY name",
        f"SELECT name, wing, {calls} FROM stay s JOIN ward w ON s.ward = w.ward WHERE y <> 3 GROUP BY name, wing",
        f"SELECT name, SUM(x) AS s {joined} GROUP BY name HAVING SUM(x) > -5 ORDER BY s, name LIMIT 2",
        f"SELECT name, COUNT(DISTINCT x) {joined} GROUP BY name",
    ):
        check_answer(consortium, world, sql, ordered(sql))
        plan = explain(consortium.prepare(sql), 2).split("operators:")[0]
        assert (plan.count("Aggregate") == 2) == ("DISTINCT" not in sql)
        for rules in (RULES, *(tuple(r for r in RULES if r is not removed) for removed in RULES)):
            assert_same(
                answer(compile_select(sql, world.catalog, rules), world.tables), world.expected(sql), ordered(sql)
            )


def test_texts_of_the_greatest_length() -> None:
    rows = [(i, ("abc needle Def " * 70)[: 97 * i % 1025]) for i in range(16)]
    ddl = "CREATE TABLE o (k INTEGER PRIMARY KEY, c VARCHAR(1024));"
    world = build(ddl, {"o": {"x": rows[:9], "y": rows[9:]}})
    consortium = consortium_of(world, 2)
    for sql in (
        "SELECT k, c FROM o ORDER BY c DESC, k",
        "SELECT k FROM o WHERE c LIKE '%needle%needle Def abc%e_'",
        "SELECT COUNT(*) FROM o WHERE LOWER(c) LIKE '%def%' AND LENGTH(c) > 500",
        "SELECT LEFT(c, 60), COUNT(*) FROM o GROUP BY ALL",
    ):
        check_answer(consortium, world, sql, ordered(sql))
    with pytest.raises(Unsupported, match="more than 1024 bytes"):
        consortium.sql("SELECT c || 'x' FROM o")


def test_what_texts_of_any_characters_do_not_know() -> None:
    world = small_world()
    consortium = consortium_of(world, 2)
    for call in ("LENGTH(raw)", "LEFT(raw, 1)", "UPPER(raw)", "raw LIKE 'a_'", "raw ILIKE 'a%'", "SUBSTRING(raw, 2)"):
        with pytest.raises(Unsupported, match="several bytes"):
            consortium.prepare(f"SELECT {call} FROM words")


def test_wide_keys_are_compressed(consortium: LockstepConsortium) -> None:
    """Of 40 bytes some 50 bits are sorted."""
    wide = consortium.sql("SELECT f, COUNT(*) FROM words GROUP BY f").stats.rounds
    narrow = consortium.sql("SELECT b, COUNT(*) FROM words GROUP BY b").stats.rounds
    assert wide <= narrow + 12
