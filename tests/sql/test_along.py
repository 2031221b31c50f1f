"""Totals of rows up to a point, and the last of them, without pairs: DuckDB's answer, NULLs and ties included."""

from __future__ import annotations

import pytest

from smpc_sql.errors import Unsupported
from smpc_sql.plan import pairs
from smpc_sql.plan.explain import explain_delivery
from smpc_sql.plan.optimize import RULES
from smpc_sql.sql import two_comparisons
from smpc_sql.sql.compile import compile_select
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import World, assert_same
from tests.plan.plain import answer
from tests.sql.test_two_comparisons import few, world

__all__ = ["few", "world"]

SAME = "b.patient = a.patient"
TOTALS = (
    ("COUNT(*)", "b.admitted < a.admitted"),
    ("COUNT(*) || '/' || COUNT(b.cost) || '/' || COUNT(*) FILTER (WHERE b.planned)", "b.admitted >= a.discharged"),
    ("SUM(b.cost)", "b.cost <= a.cost AND b.id >= 5"),
    ("MIN(b.admitted)", "a.discharged < b.admitted"),
    ("MAX(b.cost) FILTER (WHERE b.planned)", "b.admitted <= a.admitted + 1"),
    ("COUNT(*)", "b.admitted BETWEEN a.admitted - 2 AND a.admitted"),
    ("SUM(b.cost)", "b.admitted > a.admitted AND b.admitted < a.admitted + INTERVAL 3 DAY"),
    ("AVG(b.cost) FILTER (WHERE b.planned)", "b.admitted <= a.discharged AND b.admitted > a.admitted"),
    ("VAR_POP(b.cost)", "b.cost >= a.cost"),
)
ORDERED = (
    ("b.cost", "b.admitted <= a.admitted", "b.admitted DESC, b.id"),
    ("b.id", "b.admitted > a.discharged", "b.admitted, b.id DESC"),
    ("b.planned", "b.admitted BETWEEN a.admitted AND a.admitted + 2", "b.admitted, b.id"),
    ("b.discharged - b.admitted", "b.cost < a.cost AND b.cost >= a.cost - 1", "b.cost DESC, b.id"),
)
QUERIES = (
    *(f"SELECT a.id, (SELECT {what} FROM stays b WHERE {SAME} AND {test}) FROM stays a" for what, test in TOTALS),
    *(
        f"SELECT a.id, (SELECT {what} FROM stays b WHERE {SAME} AND {test} ORDER BY {order} LIMIT 1) FROM stays a"
        for what, test, order in ORDERED
    ),
    f"SELECT a.id FROM stays a WHERE (SELECT COUNT(*) FROM stays b WHERE {TOTALS[0][1]}) > 7",
    f"SELECT a.id, (SELECT SUM(cost) FROM stays b WHERE {SAME} AND {TOTALS[0][1]} HAVING COUNT(*) > 1) FROM stays a",
    f"SELECT planned, SUM((SELECT COUNT(*) FROM doses b WHERE {SAME} AND b.given > a.admitted)) FROM stays a "
    "GROUP BY planned",
    "SELECT a.id, (SELECT COUNT(*) FROM (SELECT * FROM stays WHERE id < 0) b WHERE b.admitted < a.admitted) "
    "FROM stays a",
    f"SELECT a.id, l.n, l.s FROM stays a LEFT JOIN LATERAL (SELECT COUNT(*) AS n, SUM(b.cost) AS s FROM stays b "
    f"WHERE {SAME} AND b.admitted <= a.admitted) l ON l.n > 1",
    f"SELECT a.id, l.amount FROM stays a LEFT JOIN LATERAL (SELECT b.amount FROM doses b WHERE {SAME} "
    "AND b.given <= a.discharged ORDER BY b.given DESC, b.amount LIMIT 1) l ON TRUE",
    "SELECT a.id, b.n FROM stays a ASOF JOIN (SELECT patient, given, COUNT(*) AS n FROM doses GROUP BY ALL) b "
    "ON a.patient = b.patient AND a.admitted >= b.given",
    "SELECT a.id, b.given FROM stays a ASOF LEFT JOIN doses b ON b.given > a.discharged AND b.patient = a.patient",
    "WITH d AS (SELECT patient, given AS admitted, COUNT(*) AS n FROM doses GROUP BY ALL) "
    "SELECT * FROM (SELECT id, patient, admitted FROM stays) a ASOF LEFT JOIN d USING (patient, admitted)",
)


def test_answers_are_duckdbs(world: World) -> None:
    consortium = consortium_of(world, 2)
    for sql in QUERIES:
        check_answer(consortium, world, sql, ordered=False)


def test_plans_are_right_with_and_without_rules(world: World) -> None:
    for sql in QUERIES:
        assert "value0" in explain_delivery(compile_select(sql, world.catalog, ())), sql
        for rules in (RULES, (), *(tuple(r for r in RULES if r is not removed) for removed in RULES)):
            assert_same(answer(compile_select(sql, world.catalog, rules), world.tables), world.expected(sql), False)


def test_few_rows_are_paired(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (two_comparisons, pairs):
        monkeypatch.setattr(module, "MAX_PRODUCT", 1 << 20)
    for sql in QUERIES:
        assert "value0" not in explain_delivery(compile_select(sql, world.catalog, ())), sql


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT a.id, (SELECT MAX(cost) FROM stays b WHERE {SAME} AND b.id < a.id AND b.id > a.cost) FROM stays a",
        f"SELECT a.id, (SELECT COUNT(*) FROM stays b WHERE {SAME} AND b.id < a.id AND b.cost < a.cost) FROM stays a",
        f"SELECT a.id, (SELECT COUNT(DISTINCT cost) FROM stays b WHERE {SAME} AND b.id < a.id) FROM stays a",
        f"SELECT a.id, (SELECT cost FROM stays b WHERE {SAME} AND b.id < a.id ORDER BY cost LIMIT 1) FROM stays a",
        f"SELECT a.id, (SELECT cost FROM stays b WHERE {SAME} AND b.id < a.id ORDER BY id LIMIT 1) FROM stays a",
    ],
)
def test_others_need_pairs(world: World, sql: str) -> None:
    with pytest.raises(Unsupported, match="JOIN_ROWS"):
        compile_select(sql, world.catalog)
