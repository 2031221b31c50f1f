"""Sums of quotients and square roots, as outliers and confidence intervals are made of."""

from __future__ import annotations

from fractions import Fraction

import pytest

from smpc_sql.errors import Unsupported
from smpc_sql.rational import near_root
from smpc_sql.sql.compile import compile_select
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import build

DDL = """CREATE TABLE t (
    k TINYINT NOT NULL CHECK (k BETWEEN 0 AND 3), x INTEGER CHECK (x BETWEEN -50 AND 100), y DOUBLE NOT NULL
);"""
ROWS = [(i % 2, (i * 37) % 61 - 9, i / 4) for i in range(9)] + [(2, 5, 1.25), (3, None, 0.5), (3, None, 2.5)]


def test_what_is_null_shows_no_part_of_the_sum() -> None:
    """STDDEV of one row is NULL, and the AVG beside it would be that row."""
    world = build(DDL, {"t": {"o": ROWS}})
    consortium = consortium_of(world, 2)
    sql = "SELECT AVG(x) + STDDEV(x), AVG(y) - STDDEV(y) FROM t GROUP BY k"
    check_answer(consortium, world, sql, ordered=False)
    delivery = compile_select("SELECT AVG(x) + STDDEV(x) FROM t GROUP BY k", world.catalog)
    nulls = [fraction.denominator.nullable for fraction in delivery.fractions]
    assert [column.kind for column in delivery.columns] == ["plus_root"] and nulls == [True, True]


def test_the_size_of_a_correlation_has_no_sign() -> None:
    ddl = DDL.replace("NOT NULL\n", "NOT NULL CHECK (y BETWEEN 0 AND 20 AND y = ROUND(y, 1))\n")
    world = build(ddl, {"t": {"o": [(0, i, 10.5 - i + i % 2) for i in range(9)]}})
    sql = "SELECT ABS(CORR(x, y)), ABS(CORR(x, y)) > 0.5, ABS(CORR(x, y) - 0.5) FROM t"
    check_answer(consortium_of(world, 2), world, sql, ordered=False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT STDDEV(x) + STDDEV(y) FROM t",
        "SELECT AVG(x) + STDDEV(x) > AVG(y) - STDDEV(y) FROM t",
        "SELECT 1 / (AVG(x) + STDDEV(x)) FROM t",
        "SELECT ROUND(AVG(x) + STDDEV(x), 2) FROM t",
        "SELECT k FROM t GROUP BY k ORDER BY AVG(x) + STDDEV(x) LIMIT 2",
        "SELECT k, RANK() OVER (ORDER BY AVG(x) + STDDEV(x)) FROM t GROUP BY k",
        "SELECT DISTINCT AVG(x) + STDDEV(x) FROM t GROUP BY k",
        "SELECT MAX(z) FROM (SELECT AVG(x) + STDDEV(x) AS z FROM t GROUP BY k) s",
    ],
)
def test_what_is_not_exact_is_refused_by_name(sql: str) -> None:
    with pytest.raises(Unsupported, match="square root"):
        compile_select(sql, build(DDL, {}).catalog)


def test_roots_are_near_enough_to_add() -> None:
    assert near_root(Fraction(9, 4), signed=False) == Fraction(3, 2)
    assert near_root(Fraction(-9, 4), signed=True) == Fraction(-3, 2)
    short = Fraction(2) - near_root(Fraction(2), signed=False) ** 2
    assert 0 < short < Fraction(1, 1 << 298)
    with pytest.raises(ValueError, match="negative"):
        near_root(Fraction(-1), signed=False)
