"""EXISTS under equalities and two comparisons without pairs: DuckDB's answer, NULLs, ties and empty sides included."""

from __future__ import annotations

import datetime
import decimal
import os
import random
from dataclasses import replace
from typing import Any

import pytest

from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.engine.explain import explain
from smpc_sql.engine.prepare import prepare
from smpc_sql.plan import pairs
from smpc_sql.plan.explain import explain_delivery
from smpc_sql.plan.optimize import RULES
from smpc_sql.sql import two_comparisons
from smpc_sql.sql.compile import compile_select
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import ROOT, World, assert_same, build
from tests.plan.plain import answer

DDL = """
CREATE TABLE stays (
    id INTEGER NOT NULL CHECK (id BETWEEN 0 AND 999),
    patient INTEGER CHECK (patient BETWEEN 0 AND 99999),
    admitted DATE CHECK (admitted BETWEEN '2020-01-01' AND '2029-12-31'),
    discharged DATE CHECK (discharged BETWEEN '2020-01-01' AND '2029-12-31'),
    planned BOOLEAN,
    cost DECIMAL(6,2) CHECK (cost BETWEEN -10 AND 5000)
);
CREATE TABLE doses (
    patient BIGINT CHECK (patient BETWEEN 0 AND 99999),
    given DATE CHECK (given BETWEEN '2019-01-01' AND '2030-12-31'),
    moment TIMESTAMP CHECK (moment BETWEEN '2020-01-01 00:00:00' AND '2020-12-31 00:00:00'),
    amount DECIMAL(8,3) CHECK (amount BETWEEN -10 AND 5000)
);
CREATE TABLE persons (id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 99999), born DATE, died DATE);
"""

SAME = "b.patient = a.patient AND "
TESTS = (
    "b.admitted > a.discharged AND b.admitted <= a.discharged + INTERVAL 3 DAY",
    "b.admitted BETWEEN a.discharged AND a.discharged + 3 AND b.planned",
    "b.admitted < a.discharged AND b.admitted >= a.discharged - 4",
    "a.discharged < b.admitted AND a.discharged + 1 > b.admitted",
    "b.admitted <= a.discharged AND b.discharged >= a.admitted AND b.cost > 1 AND a.cost < 3",
    "b.id <> a.id AND b.cost <= a.cost",
    "b.cost + 1 > a.cost * 2 AND b.id < a.id + a.cost",
)
QUERIES = (
    *(f"SELECT a.id, EXISTS (SELECT 1 FROM stays b WHERE {SAME}{test}) FROM stays a" for test in TESTS),
    f"SELECT COUNT(*) FROM stays a WHERE EXISTS (SELECT 1 FROM stays b WHERE {SAME}{TESTS[0]})",
    f"SELECT a.id FROM stays a WHERE NOT EXISTS (SELECT 1 FROM stays b WHERE {TESTS[0]})",
    f"SELECT a.id FROM stays a WHERE a.id > 5 AND (a.planned OR EXISTS (SELECT 1 FROM stays b WHERE {SAME}{TESTS[1]}))",
    f"SELECT planned, AVG(CASE WHEN EXISTS (SELECT 1 FROM stays b WHERE {SAME}{TESTS[0]}) THEN 1 ELSE 0 END) "
    "FROM stays a GROUP BY planned",
    f"SELECT a.id FROM stays a WHERE EXISTS (SELECT 1 FROM doses b WHERE {SAME}b.given >= a.admitted "
    "AND b.given <= a.discharged)",
    f"SELECT a.id FROM stays a WHERE EXISTS (SELECT 1 FROM doses b WHERE {SAME}b.moment BETWEEN a.admitted "
    "AND a.discharged)",
    f"SELECT a.id FROM stays a WHERE NOT EXISTS (SELECT 1 FROM doses b WHERE {SAME}b.amount BETWEEN a.cost - 1 "
    "AND a.cost)",
    f"SELECT a.id FROM stays a WHERE EXISTS (SELECT 1 FROM (SELECT * FROM stays WHERE id < 0) b "
    f"WHERE {SAME}{TESTS[0]})",
    f"SELECT patient, admitted, COUNT(*) FROM stays a GROUP BY 1, 2 HAVING EXISTS (SELECT 1 FROM doses b WHERE {SAME}"
    "b.given > a.admitted AND b.given < a.admitted + 4)",
)
READMITTED = (
    "SELECT COUNT(*) FROM stays a WHERE EXISTS (SELECT 1 FROM stays b WHERE b.patient = a.patient "
    "AND b.admitted > a.discharged AND b.admitted <= a.discharged + INTERVAL 30 DAY)"
)
STACKED = "bound, limit, value, around"
GOLDEN = ROOT / "tests" / "golden" / "two_comparisons.txt"


def _maybe(value: Any) -> Any:
    return None if random.random() < 0.15 else value


def _day() -> Any:
    return _maybe(datetime.date(2020, 2, 20) + datetime.timedelta(days=random.randint(0, 12)))


def _moment() -> Any:
    return _maybe(datetime.datetime(2020, 2, 20, random.choice([0, 12])) + datetime.timedelta(random.randint(0, 9)))


def _amount() -> Any:
    return _maybe(decimal.Decimal(random.randint(0, 4)) + decimal.Decimal("0.5"))


def _patient() -> Any:
    return _maybe(random.choice([7, 8, 70000]))


@pytest.fixture(scope="module")
def world() -> World:
    random.seed(11)
    stays = [(i, _patient(), _day(), _day(), _maybe(random.random() < 0.5), _amount()) for i in range(24)]
    doses = [(_patient(), _day(), _moment(), _amount()) for _ in range(9)]
    return build(DDL, {"stays": {"zoe": stays[:9], "adam": stays[9:]}, "doses": {"adam": doses}})


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pairs are few enough for a join."""
    monkeypatch.setattr(two_comparisons, "MAX_PRODUCT", 1)
    monkeypatch.setattr(pairs, "MAX_PRODUCT", 1)


def test_answers_are_duckdbs(world: World) -> None:
    consortium = consortium_of(world, 2)
    for sql in QUERIES:
        check_answer(consortium, world, sql, ordered=False)


def test_plans_are_right_with_and_without_rules(world: World) -> None:
    for sql in QUERIES:
        assert STACKED in explain_delivery(compile_select(sql, world.catalog, ())), sql
        for rules in (RULES, (), *(tuple(r for r in RULES if r is not removed) for removed in RULES)):
            assert_same(answer(compile_select(sql, world.catalog, rules), world.tables), world.expected(sql), False)


def test_large_tables_need_no_pairs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    fragments = (Fragment("0" * 32, "zoe", 100_000), Fragment("1" * 32, "adam", 100_000))
    entry = replace(world.catalog.table("stays"), fragments=fragments)
    text = f"{READMITTED};\n{explain(prepare(READMITTED, Catalog({'stays': entry})), 2)}\n"
    if os.environ.get("UPDATE_GOLDENS"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT id FROM stays a WHERE EXISTS (SELECT /*+ JOIN_ROWS(90) */ 1 FROM stays b WHERE {SAME}{TESTS[0]})",
        "SELECT id FROM stays a WHERE EXISTS (SELECT 1 FROM persons p WHERE p.id = a.patient AND p.born < a.admitted "
        "AND p.died > a.discharged)",
    ],
)
def test_other_ways_are_taken_where_they_are_open(world: World, sql: str) -> None:
    assert STACKED not in explain_delivery(compile_select(sql, world.catalog, ()))


def test_other_ways_are_taken_of_few_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert STACKED not in explain_delivery(compile_select(READMITTED, world.catalog, ()))
