"""Each rewrite does what it is for; that none changes an answer is tested in tests/sql."""

from __future__ import annotations

import pytest

from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.plan.explain import explain_relation
from smpc_sql.plan.optimize import RULES, Rule, optimize
from smpc_sql.plan.relations import Aggregate, Filter, Join, Limit, Project, Relation, Scan, Shared, Sort, Window, walk
from smpc_sql.plan.rules.drop_limits import drop_limits
from smpc_sql.plan.rules.filter_shared import filter_shared
from smpc_sql.plan.rules.fold_constants import fold_constants
from smpc_sql.plan.rules.group_first import group_first
from smpc_sql.plan.rules.inline_shared import inline_shared
from smpc_sql.plan.rules.merge_projects import merge_projects
from smpc_sql.plan.rules.narrow_keys import narrow_keys
from smpc_sql.plan.rules.prune_columns import prune_columns
from smpc_sql.plan.rules.push_filters import push_filters
from smpc_sql.plan.rules.share_equal import share_equal
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable
from tests.plan.judge import heart_catalog, queries
from tests.plan.small import FILES, small_world


@pytest.fixture(scope="module")
def heart() -> Catalog:
    return heart_catalog()


@pytest.fixture(scope="module")
def small() -> Catalog:
    return small_world().catalog


def plan(sql: str, heart: Catalog, *rules: Rule) -> Relation:
    return compile_select(sql, heart, rules).relation


def kinds(relation: Relation) -> list[str]:
    return [type(node).__name__ for node in walk(relation)]


def test_constants_are_folded(heart: Catalog) -> None:
    def predicate(condition: str) -> str:
        text = explain_relation(plan(f"SELECT age FROM heart WHERE {condition}", heart, fold_constants))
        return text.split("Filter: ")[1].split("\n")[0] if "Filter: " in text else "none"

    assert predicate("TRUE AND 1 < 2") == "none"
    assert predicate("age < 200") == "none"
    assert predicate("age > 200") == "FALSE"
    assert predicate("chol < 2000") == "(NOT (chol IN ()))"
    assert predicate("chol > 2000 OR sex = 1") == "((chol IN ()) OR (sex IN (1)))"
    assert predicate("age > 50.5") == "(50 < age)"
    assert predicate("age >= 50.5") == "(NOT (age < 51))"
    assert predicate("age = 50.5") == "FALSE"
    assert predicate("num = 1 OR num = 2 OR num = 7") == "(num IN (1, 2))"
    assert predicate("num IN (0, 1, 2, 3, 4)") == "none"
    assert predicate("owner < 'c'") == "(owner IN ('budapest'))"
    assert predicate("CAST(num > 0 AS INTEGER) = 1") == "(0 < num)"
    assert predicate("(age + chol) IS NULL") == "(chol IS NULL)"
    assert predicate("(chol + ca) IS NULL") == "((chol IS NULL) OR (ca IS NULL))"
    assert predicate("age // 10 = 5") == f"(age IN ({', '.join(map(str, range(50, 60)))}))"
    assert predicate("CASE WHEN FALSE THEN 1 WHEN TRUE THEN num ELSE 5 END > 2") == "(2 < num)"


def test_filters_meet_on_the_scan(heart: Catalog) -> None:
    sql = "SELECT a FROM (SELECT age AS a, chol AS c FROM heart WHERE sex = 1) WHERE a > 50 AND c > 200"
    assert kinds(plan(sql, heart, push_filters, merge_projects, push_filters)) == ["Project", "Filter", "Scan"]


def test_a_filter_on_what_costs_stays_above_it(heart: Catalog) -> None:
    sql = "SELECT COUNT(*) FROM (SELECT age * chol AS x, age AS a FROM heart) WHERE x > 50 AND a > 5"
    optimised = plan(sql, heart, *RULES)
    assert kinds(optimised) == ["Project", "Aggregate", "Filter", "Project", "Filter", "Scan"]


def test_a_filter_on_keys_passes_an_aggregate_only_if_it_is_public_below(heart: Catalog) -> None:
    sql = "SELECT owner, sex, COUNT(*) FROM heart GROUP BY owner, sex HAVING {}"
    assert kinds(plan(sql.format("owner > 'c'"), heart, *RULES)) == ["Project", "Aggregate", "Filter", "Scan"]
    assert kinds(plan(sql.format("sex = 1"), heart, *RULES)) == ["Project", "Filter", "Aggregate", "Scan"]
    both = kinds(plan(sql.format("sex = 1 AND owner > 'c'"), heart, *RULES))
    assert both == ["Project", "Filter", "Aggregate", "Filter", "Scan"]


def test_a_filter_reaches_the_left_of_a_cross_join_only(heart: Catalog) -> None:
    sql = "SELECT COUNT(*) FROM heart h, model m WHERE h.age > 50 AND m.age > 0"
    assert kinds(plan(sql, heart, *RULES)) == ["Project", "Aggregate", "Filter", "CrossJoin", "Filter", "Scan", "Scan"]


def test_subqueries_cost_nothing(heart: Catalog) -> None:
    nested = "SELECT SUM(y) FROM (SELECT x + 1 AS y FROM (SELECT age * 2 AS x FROM heart WHERE sex = 1) WHERE x > 9)"
    flat = "SELECT SUM(age * 2 + 1) FROM heart WHERE sex = 1 AND age * 2 > 9"
    assert kinds(plan(nested, heart, *RULES)) == kinds(plan(flat, heart, *RULES))


def test_keys_are_grouped_by_their_inside(heart: Catalog) -> None:
    relation = plan("SELECT num * 1000 + 3, COUNT(*) FROM heart GROUP BY num * 1000 + 3", heart, narrow_keys)
    (aggregate,) = [node for node in walk(relation) if isinstance(node, Aggregate)]
    assert aggregate.max_rows == 5
    same = plan("SELECT num * num, COUNT(*) FROM heart GROUP BY num * num", heart, narrow_keys)
    (unchanged,) = [node for node in walk(same) if isinstance(node, Aggregate)]
    assert unchanged.max_rows == 17


def test_keys_that_follow_from_others_are_carried(small: Catalog) -> None:
    def keys(sql: str) -> list[str]:
        relation = plan(sql, small, *(rule for rule in RULES if rule is not group_first))
        (aggregate,) = [node for node in walk(relation) if isinstance(node, Aggregate)]
        return [*aggregate.key_names, *("any " + c.argument.name for c in aggregate.calls if c.kind == "any")]  # type: ignore[union-attr]

    joined = "SELECT {0}, COUNT(*) FROM t JOIN u ON t.k = u.uid GROUP BY {0}"
    assert keys(joined.format("u.uid, u.x, u.y")) == ["uid", "any x", "any y"]
    assert keys(joined.format("t.k, u.x, u.y")) == ["k", "any x", "any y"]
    assert keys(joined.format("t.k, t.id, u.x")) == ["id", "any k", "any x"]
    assert keys(joined.format("t.k, t.d, u.x")) == ["k", "d", "any x"]  # d is no key
    assert keys("SELECT k, d, COUNT(*) FROM t GROUP BY k, d") == ["k", "d"]
    assert keys("SELECT k, q, COUNT(*) FROM w WHERE q = 3 GROUP BY k, q") == ["k", "any q"]
    # a row without a partner has NULL where a partner may have it too
    outer = "SELECT {0}, COUNT(*) FROM t LEFT JOIN u ON t.k = u.uid GROUP BY {0}"
    assert keys(outer.format("u.uid, u.x, u.y")) == ["uid", "any x", "any y"]
    assert keys(outer.format("u.x, u.y, t.k")) == ["k", "any x", "any y"]
    assert keys(outer.format("u.uid, t.k")) == ["k", "any uid"]


def test_groups_are_made_before_what_their_keys_look_up(small: Catalog) -> None:
    def above(sql: str) -> tuple[list[str], list[str]]:
        """What stands above the groups, and what below."""
        nodes = kinds(plan(sql, small, *RULES))
        at = nodes.index("Aggregate")
        return [name for name in nodes[:at] if name != "Scan"], nodes[at + 1 :]

    joined = "SELECT {0}, COUNT(*), SUM({1}) FROM t JOIN u ON t.k = u.uid GROUP BY {0}"
    assert above(joined.format("u.uid, u.x", "t.a")) == (["Project", "Join"], ["Scan"])
    assert above(joined.format("t.k, u.x", "t.a")) == (["Project", "Join"], ["Scan"])
    assert "Join" in above(joined.format("u.uid, u.x", "t.a + u.x"))[1]  # read in every row
    assert "Join" in above(joined.format("t.d, u.x", "t.a"))[1]  # no key of u
    outer = "SELECT t.k, u.x, COUNT(*) FROM t LEFT JOIN u ON t.k = u.uid GROUP BY t.k, u.x"
    assert above(outer) == (["Project", "Join"], ["Scan", "Scan"])
    # both are unique on the key: the smaller side keeps its rows
    (join,) = [n for n in walk(plan(joined.format("u.uid, u.x", "t.a"), small, *RULES)) if isinstance(n, Join)]
    assert join.max_rows == 4


def test_sorts_and_windows_need_no_keys_that_follow(small: Catalog) -> None:
    relation = plan("SELECT id, k, a FROM t WHERE a = 3 ORDER BY a, id, k LIMIT 3", small, *RULES)
    (sort,) = [node for node in walk(relation) if isinstance(node, Sort)]
    assert len(sort.keys) == 2  # a is the same everywhere; the first key is not asked whether it decides
    sql = "SELECT id, RANK() OVER (PARTITION BY u.uid, u.x ORDER BY u.y, t.id) FROM t JOIN u ON t.k = u.uid"
    (window,) = [node for node in walk(plan(sql, small, *RULES)) if isinstance(node, Window)]
    assert len(window.partition) == 1 and len(window.order) == 1


def test_joins_carry_what_is_read(small: Catalog) -> None:
    relation = plan("SELECT t.id, u.x FROM t JOIN u ON t.k = u.uid", small, *RULES)
    (join,) = [node for node in walk(relation) if isinstance(node, Join)]
    assert [join.right.fields[i].name for i in join.carried_fields] == ["x"]
    (unread,) = [
        n for n in walk(plan("SELECT t.id FROM t JOIN u ON t.k = u.uid", small, *RULES)) if isinstance(n, Join)
    ]
    assert unread.carried_fields == ()


def test_columns_are_pruned(heart: Catalog) -> None:
    relation = plan("SELECT x FROM (SELECT age AS x, SUM(chol) AS y FROM heart GROUP BY age)", heart, prune_columns)
    (scan,) = [node for node in walk(relation) if isinstance(node, Scan)]
    assert [field.name for field in scan.fields] == ["age", "owner"]


def test_a_limit_without_effect_is_dropped(heart: Catalog) -> None:
    def limited(sql: str) -> bool:
        return any(isinstance(node, Limit) for node in walk(plan(sql, heart, drop_limits)))

    assert not limited("SELECT COUNT(*) FROM heart LIMIT 1")
    assert not limited("SELECT num FROM heart GROUP BY num LIMIT 5")
    assert limited("SELECT num FROM heart GROUP BY num LIMIT 4")
    assert limited("SELECT num FROM heart GROUP BY num LIMIT 9 OFFSET 1")
    assert limited("SELECT COUNT(*) FROM heart LIMIT 0")


def test_the_root_keeps_its_fields(heart: Catalog) -> None:
    sql = "SELECT age, age + 1, sex FROM heart WHERE chol > 3 ORDER BY thalach LIMIT 3"
    before, after = plan(sql, heart), plan(sql, heart, *RULES)
    assert [(f.name, f.type) for f in before.fields] == [(f.name, f.type) for f in after.fields]
    assert isinstance(after, Limit) and not any(isinstance(n, Filter) for n in walk(after) if isinstance(n, Project))


def joints(relation: Relation) -> list[Shared]:
    return [node for node in walk(relation) if isinstance(node, Shared)]


def test_what_is_shared_is_pruned_to_what_all_readers_read(heart: Catalog) -> None:
    sql = """WITH h AS (SELECT age, chol, ca, thal FROM heart WHERE age > 50)
             SELECT SUM(chol) FROM h UNION ALL SELECT SUM(ca) FROM h"""
    (joint,) = joints(plan(sql, heart, *RULES))
    assert [field.name for field in joint.fields] == ["chol", "ca"]


def test_what_is_shared_for_nothing_is_inlined(heart: Catalog) -> None:
    def count(ctes: str, select: str) -> int:
        return len(joints(plan(f"WITH h AS ({ctes}) {select}", heart, inline_shared)))

    both = "SELECT MAX(age) FROM h UNION ALL SELECT MIN(age) FROM h"
    assert count("SELECT age FROM heart WHERE age > 50", both) == 1
    assert count("SELECT age + 1 AS age FROM heart", both) == 0
    assert count("SELECT age FROM heart WHERE owner = 'cleveland'", both) == 0
    assert count("SELECT age FROM heart WHERE age > 50", "SELECT MAX(age) FROM h") == 0


def test_equal_parts_are_shared_as_a_whole(heart: Catalog) -> None:
    total = "(SELECT SUM(chol) FROM heart WHERE age > 50)"
    sql = f"SELECT COUNT(*), {total} FROM heart WHERE chol > {total} OR ca < {total}"
    assert [type(joint.source).__name__ for joint in joints(plan(sql, heart, share_equal))] == ["Project"]
    sql = "SELECT (SELECT MAX(age) FROM heart WHERE age > 50), (SELECT MIN(age) FROM heart WHERE age > 50)"
    assert [type(joint.source).__name__ for joint in joints(plan(sql, heart, share_equal))] == ["Filter"]


def test_a_term_of_all_readers_is_tested_below_the_joint(heart: Catalog) -> None:
    sql = """WITH h AS (SELECT age, chol, ca FROM heart WHERE age > 50)
             SELECT MAX(age) FROM h WHERE chol > 200 UNION ALL SELECT MIN(age) FROM h WHERE ca = 1 AND chol > 200"""
    text = explain_relation(plan(sql, heart, push_filters, filter_shared))
    above, below = text.split("Shared 1: ")
    assert "chol" not in above.split("Aggregate")[-1] and below.count("(200 < chol)") == 1
    assert "Filter: (ca IN (1))\n" in text


def test_groups_are_no_more_than_what_they_are_looked_up_in(small: Catalog) -> None:
    rules = [rule for rule in RULES if rule is not group_first]

    def groups(sql: str) -> int:
        (aggregate,) = [node for node in walk(plan(sql, small, *rules)) if isinstance(node, Aggregate)]
        return aggregate.max_rows

    joined = "SELECT t.k, COUNT(*) FROM t {} GROUP BY t.k"
    assert groups(joined.format("JOIN u ON t.k = u.uid")) == 4
    assert groups(joined.format("LEFT JOIN u ON t.k = u.uid")) == 13
    assert groups(joined.format("JOIN u ON t.k = u.uid JOIN v ON v.p = t.a AND v.r = 5")) == 4
    assert groups(joined.format("JOIN w ON t.k = w.k AND t.a < w.z")) == 9
    assert groups("SELECT u.e, t.k, COUNT(DISTINCT id) FROM t JOIN u ON t.k = u.uid GROUP BY u.e, t.k") == 4
    assert groups("SELECT t.k, t.b, COUNT(*) FROM t JOIN u ON t.k = u.uid GROUP BY t.k, t.b") == 13
    assert groups("SELECT t.k + 1, COUNT(*) FROM t JOIN u ON t.k = u.uid GROUP BY t.k + 1") == 4


def test_rules_come_to_an_end(small: Catalog) -> None:
    """What they have made of a query they leave as it is."""
    for path in FILES:
        for sql in queries(path)[::2]:
            relation = compile_select(sql, small).relation
            assert optimize(relation) == relation, sql


def test_groups_by_what_looks_rows_up_are_made_once() -> None:
    ddl = """
    CREATE TABLE visits (id INTEGER PRIMARY KEY, k SMALLINT CHECK (k BETWEEN 0 AND 255));
    CREATE TABLE labs (k SMALLINT CHECK (k BETWEEN 0 AND 255), y SMALLINT);
    """
    catalog = Catalog()
    for statement in parse_statements(ddl):
        assert isinstance(statement, CreateTable)
        name = statement.schema.name
        catalog = catalog.with_table(statement.schema, statement.ddl).with_fragment(name, Fragment(name, "o", 1050))
    relation = compile_select(
        "SELECT v.k, SUM(y) FROM visits v JOIN labs l ON v.k = l.k GROUP BY v.k", catalog
    ).relation
    assert kinds(relation).count("Aggregate") == 2
