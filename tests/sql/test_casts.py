"""CAST and TRY_CAST of every type to every other: what DuckDB permits works, or is refused by name."""

from __future__ import annotations

import datetime
from decimal import Decimal

import duckdb
import pytest

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import World, assert_same, build

DDL = """CREATE TABLE s (
    k SMALLINT NOT NULL, b BOOLEAN, t TINYINT, i INTEGER, g BIGINT, m DECIMAL(9,2), n DECIMAL(18,4),
    r DOUBLE CHECK (r = ROUND(r, 3) AND r BETWEEN -100000 AND 100000), d DATE, a TIMESTAMP,
    e ENUM('1', 'x', '2.5', 'true', '2020-01-31'), w VARCHAR CHECK (w IN ('7', '-1', 'no', '2020-02-29 10:00:00')),
    c VARCHAR(7), l VARCHAR(26));"""

DAY, MOMENT = datetime.date, datetime.datetime
LAST = MOMENT(9999, 12, 31, 23, 59, 59)
ROWS = [
    (0, True, 1, 100, 10**12, "1.25", "12345.6789", 1.5, DAY(2020, 2, 29), MOMENT(2020, 2, 29, 10, 11, 12, 500000),
     "1", "7", "12", "2020-02-29 10:11:12.5"),
    (1, False, -128, -(2**31), -(2**63), "-1234567.89", "-0.5", -0.125, DAY(1, 1, 1), MOMENT(1, 1, 1),
     "x", "no", "true", "12345678901"),
    (2, *[None] * 13),
    (3, True, 127, 2**31 - 1, 2**63 - 1, "0.5", "99999.9999", 0.0, DAY(9999, 12, 31), LAST, "2.5", "-1", "-3.5", "x"),
    (4, False, 0, 0, -(10**9), "0", "0", 99999.999, DAY(1970, 1, 1), MOMENT(1969, 12, 31, 23, 59, 58, 500000),
     "true", "2020-02-29 10:00:00", "", ""),
]  # fmt: skip
SOURCES = (
    "b", "t", "i", "g", "m", "n", "r", "d", "a", "e", "w", "c", "l", "(i / t)", "(a - a)", "NULL", "TRUE", "7", "-2.75",
    "DATE '2020-02-29'", "TIMESTAMP '2020-02-29 10:11:12.6'", "'12'", "'x'", "'2020-02-29'", "'2020-02-29 10:11:12.6'",
    "DATE_TRUNC('month', d)", "e::VARCHAR", "k::DOUBLE", "(k > 2)",
)  # fmt: skip
TARGETS = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL(9,2)", "DECIMAL(18,0)",
    "DECIMAL(4,1)", "DECIMAL", "DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "VARCHAR",
    "ENUM('1', 'x', '2.5', 'true', '2020-01-31')", "ENUM('1', '7')",
)  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    numbers = [(*row[:5], *(v and Decimal(v) for v in row[5:7]), *row[7:]) for row in ROWS]
    return build(DDL, {"s": {"o": numbers[:3], "p": numbers[3:]}})


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


@pytest.mark.parametrize("source", SOURCES)
def test_every_type_from(source: str, world: World) -> None:
    targets = [to for to in TARGETS if (source, to) != ("l", "HUGEINT")]
    casts = ", ".join(f"TRY_CAST({source} AS {to})" for to in targets)
    assert_same(world.actual(f"SELECT k, {casts} FROM s"), world.expected(f"SELECT k, {casts} FROM s"), ordered=False)
    for to in targets:
        sql = f"SELECT k, CAST({source} AS {to}) FROM s"
        try:
            expected = world.expected(sql)
        except duckdb.Error:
            continue
        assert_same(world.actual(sql), expected, ordered=False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT k, CAST(g AS VARCHAR), CAST(a AS TIMESTAMP_S), TRY_CAST(c AS ENUM('', '12', 'x')) FROM s",
        "SELECT TRY_CAST(CAST(g AS VARCHAR) AS BIGINT) = g, CAST(CAST(a AS VARCHAR) AS TIMESTAMP) = a FROM s",
        "SELECT CAST(CAST(d AS VARCHAR) AS DATE) = d, CAST(CAST(n AS VARCHAR) AS DECIMAL(18,4)) = n FROM s",
        "SELECT CAST(a AS DATE) AS day, COUNT(*), MAX(CAST(d AS TIMESTAMP)) FROM s GROUP BY day",
    ],
)
def test_casts_under_mpc(sql: str, world: World, consortium: LockstepConsortium) -> None:
    check_answer(consortium, world, sql, False)


@pytest.mark.parametrize(
    ("cast", "error", "said"),
    [
        ("CAST(a AS TIME)", Unsupported, "type TIME is not supported"),
        ("CAST(i AS UINTEGER)", Unsupported, "type UINTEGER is not supported"),
        ("CAST('9' AS INTERVAL)", Unsupported, "type INTERVAL is not supported"),
        ("CAST(d AS INTEGER)", Unsupported, "CAST of DATE to INTEGER"),
        ("CAST(l AS DECIMAL(38, 2))", Unsupported, "CAST of VARCHAR\\(26\\) to DECIMAL\\(38,2\\)"),
        ("CAST('y' AS ENUM('x'))", TypeMismatch, "'y' is not a label"),
        ("CAST(e AS INTEGER)", TypeMismatch, "CAST of the label 'x' to INTEGER"),
        ("TRY_CAST('1e999' AS DOUBLE)", Unsupported, "digits"),
    ],
)
def test_what_is_refused_by_name(cast: str, error: type[Exception], said: str, world: World) -> None:
    with pytest.raises(error, match=said):
        world.actual(f"SELECT {cast} FROM s")
