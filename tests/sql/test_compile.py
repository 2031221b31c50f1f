"""Plans answer as DuckDB does, on the heart data of four hospitals; removing a rewrite changes no answer."""

from __future__ import annotations

import re

import pytest

from smpc_sql.plan.optimize import RULES, optimize
from smpc_sql.plan.relations import Relation
from smpc_sql.sql.compile import compile_select
from tests.plan.judge import QUERIES, World, assert_same, heart_world, queries
from tests.plan.plain import answer

ALL = [(path.stem, sql) for path in sorted(QUERIES.glob("*.sql")) for sql in queries(path)]


@pytest.fixture(scope="module")
def heart() -> World:
    return heart_world()


def ordered(sql: str) -> bool:
    """Whether the statement itself orders its rows."""
    return re.search(r"ORDER BY[^()]*$", sql) is not None


@pytest.mark.parametrize(("file", "sql"), ALL, ids=[f"{file}-{i}" for i, (file, _) in enumerate(ALL)])
def test_answers_as_duckdb(heart: World, file: str, sql: str) -> None:
    assert_same(heart.actual(sql), heart.expected(sql), ordered(sql))


@pytest.mark.parametrize("removed", [rule.__name__ for rule in RULES])
def test_a_rule_changes_no_answer(heart: World, removed: str) -> None:
    rules = tuple(rule for rule in RULES if rule.__name__ != removed)
    for _, sql in ALL[::6]:
        delivery = compile_select(sql, heart.catalog, rules)
        assert_same(answer(delivery, heart.tables), heart.expected(sql), ordered(sql))


def test_plans_are_right_without_any_rule(heart: World) -> None:
    for _, sql in ALL[::4]:
        delivery = compile_select(sql, heart.catalog, ())
        assert_same(answer(delivery, heart.tables), heart.expected(sql), ordered(sql))


def test_names_are_duckdbs(heart: World) -> None:
    sql = (
        "SELECT COUNT(*), AVG(chol), age + 1 AS x, SEX, h.Age, VAR_SAMP(chol), STDDEV_POP(age), "
        "SUM(age) FILTER (WHERE sex = 1), (age), age * 2 "
        "FROM heart h GROUP BY sex, age"
    )
    names = [column.name for column in compile_select(sql, heart.catalog).columns]
    described = [row[0] for row in heart.duck.execute(f"DESCRIBE {sql}").fetchall()]
    assert names[:7] == described[:7]
    assert len(names) == len(described)


@pytest.mark.parametrize(
    ("sql", "type_"),
    [
        ("1 + 1", "INTEGER"),
        ("age + 1", "SMALLINT"),
        ("age * age", "SMALLINT"),
        ("SUM(age)", "HUGEINT"),
        ("SUM(oldpeak)", "DECIMAL(38,2)"),
        ("COUNT(*)", "BIGINT"),
        ("AVG(age)", "DOUBLE"),
        ("MIN(oldpeak)", "DECIMAL(3,2)"),
        ("1.50", "DECIMAL(3,2)"),
        ("3000000000", "BIGINT"),
        ("age > 3", "BOOLEAN"),
        ("COALESCE(ca, 1.5)", "DECIMAL(4,1)"),
        ("MAX(age) + 1.5", "DECIMAL(7,1)"),
        ("DATE '2020-01-01' - 3", "DATE"),
        ("DATE '2020-01-01' - DATE '2019-01-01'", "BIGINT"),
        ("age / 2", "DOUBLE"),
    ],
)
def test_types_are_duckdbs(heart: World, sql: str, type_: str) -> None:
    grouped = "(" in sql and "COALESCE" not in sql
    query = f"SELECT {sql} FROM heart" if grouped else f"SELECT {sql} FROM heart GROUP BY ALL"
    query = query if not sql.startswith("DATE") else f"SELECT {sql}"
    ours = compile_select(query.removesuffix(" GROUP BY ALL"), heart.catalog).columns[0].type
    assert str(ours) == type_


def test_a_product_is_typed_wide_enough_for_itself() -> None:
    from tests.plan.judge import build

    world = build("CREATE TABLE t (a TINYINT NOT NULL, b SMALLINT NOT NULL)", {"t": {"x": [(127, 32767)]}})
    delivery = compile_select("SELECT a + a, a * b, b * b * b FROM t", world.catalog)
    assert [str(column.type) for column in delivery.columns] == ["SMALLINT", "INTEGER", "BIGINT"]
    assert world.actual("SELECT a + a, a * b, b * b * b FROM t") == [(254, 127 * 32767, 32767**3)]


def test_an_unlimited_order_is_left_to_the_analyst(heart: World) -> None:
    def plan(sql: str) -> tuple[bool, int]:
        delivery = compile_select(sql, heart.catalog)
        return delivery.ranked, len(delivery.order)

    assert plan("SELECT age, chol FROM heart ORDER BY chol DESC, age") == (False, 2)
    assert plan("SELECT num, AVG(age) FROM heart GROUP BY num ORDER BY AVG(age), -num") == (False, 2)
    assert plan("SELECT num, STDDEV(age) FROM heart GROUP BY num ORDER BY 2") == (False, 1)
    assert plan("SELECT age FROM heart ORDER BY chol") == (True, 0)
    assert plan("SELECT age FROM heart ORDER BY age LIMIT 3") == (True, 0)
    assert plan("SELECT num FROM heart GROUP BY num ORDER BY num LIMIT 5") == (False, 1)
    assert plan("SELECT num FROM heart GROUP BY num ORDER BY num LIMIT 4") == (True, 0)
    assert plan("SELECT age FROM heart LIMIT 3") == (True, 0)


def test_a_fraction_travels_in_the_smallest_field_that_holds_it(heart: World) -> None:
    def bits(sql: str) -> list[int]:
        return [fraction.field_bits for fraction in compile_select(sql, heart.catalog).fractions]

    assert bits("SELECT AVG(age), VAR_SAMP(chol) FROM heart") == [127, 127]
    assert bits("SELECT VAR_POP(age) * VAR_POP(chol) * VAR_POP(thalach) FROM heart") == [521]
    assert bits("SELECT AVG(age), AVG(age), AVG(age) * 1 FROM heart") == [127]


def test_a_score_is_computed_once(heart: World) -> None:
    sql = "SELECT AVG(s) FROM (SELECT m.b0 + m.age * h.age AS s FROM heart h, model m) WHERE s > 0"
    assert str(compile_select(sql, heart.catalog)).count("Multiply") == 1


def test_equal_aggregates_are_computed_once(heart: World) -> None:
    from smpc_sql.plan.relations import Aggregate, walk

    delivery = compile_select("SELECT AVG(age), SUM(age), COUNT(age), COUNT(*), STDDEV(age) FROM heart", heart.catalog)
    (aggregate,) = [relation for relation in walk(delivery.relation) if isinstance(relation, Aggregate)]
    assert len(aggregate.calls) == 3  # count, sum, sum of squares


def test_optimising_reaches_a_fixed_point(heart: World) -> None:
    for _, sql in ALL[::5]:
        relation: Relation = compile_select(sql, heart.catalog).relation
        assert optimize(relation) == relation


def test_only_columns_that_are_used_are_read(heart: World) -> None:
    from smpc_sql.plan.relations import Scan, walk

    delivery = compile_select("SELECT AVG(chol) FROM (SELECT * FROM heart) WHERE age > 50", heart.catalog)
    (scan,) = [relation for relation in walk(delivery.relation) if isinstance(relation, Scan)]
    assert [field.name for field in scan.fields] == ["age", "chol", "owner"]
