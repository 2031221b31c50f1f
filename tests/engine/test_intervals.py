"""INTERVALs as the analyst gets them."""

from __future__ import annotations

import datetime

import pytest

from smpc_sql.errors import QueryError
from smpc_sql.sql.compile import compile_select
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import assert_same, build

DDL = "CREATE TABLE stays (came TIMESTAMP NOT NULL, went TIMESTAMP);"


def test_intervals_are_timedeltas_in_python_and_in_frames() -> None:
    start = datetime.datetime(2024, 2, 28, 23, 59, 59, 999999)
    went = (start + datetime.timedelta(days=400, microseconds=3), None, datetime.datetime(2024, 1, 1))
    rows = [(start, end) for end in went]
    world = build(DDL, {"stays": {"o": rows}})
    result = consortium_of(world, 2).sql("SELECT went - came AS stay FROM stays ORDER BY stay NULLS LAST")
    wanted = world.duck.execute("SELECT went - came AS stay FROM stays ORDER BY stay NULLS LAST")
    assert str(result.types[0]) == "INTERVAL"
    assert result.fetchall() == wanted.fetchall()
    frame = result.df()
    assert frame["stay"].dtype.kind == "m" and frame["stay"].isna().tolist() == [False, False, True]
    assert frame["stay"][1] == datetime.timedelta(days=400, microseconds=3)


def test_averages_are_exact_and_know_their_whole_days() -> None:
    """DuckDB's are off by some microseconds; whole seconds that the number of rows divides are the same."""
    start = datetime.datetime(2024, 1, 1)
    hours = [(23, 24, 47), (30, 30, -6), (1,)]
    rows = [(start, start + datetime.timedelta(hours=h), k) for k, group in enumerate(hours) for h in group]
    bounds = "CHECK ({0} BETWEEN '2020-01-01' AND '2025-01-01')"
    ddl = f"CREATE TABLE stays (came TIMESTAMP NOT NULL {bounds.format('came')}, went TIMESTAMP {bounds.format('went')}"
    world = build(ddl + ", k TINYINT NOT NULL CHECK (k BETWEEN 0 AND 2));", {"stays": {"o": rows}})
    consortium = consortium_of(world, 2)
    for sql in (
        "SELECT k, AVG(went - came), EXTRACT(DAY FROM AVG(went - came)), EXTRACT(HOUR FROM AVG(went - came)) "
        "FROM stays GROUP BY k ORDER BY AVG(went - came)",
        "SELECT k, EXTRACT(EPOCH FROM a), a > INTERVAL 1 DAY FROM "
        "(SELECT k, AVG(went - came) AS a FROM stays GROUP BY k) s",
        "SELECT k, AVG(went - came) OVER (PARTITION BY k) FROM stays",
    ):
        check_answer(consortium, world, sql, "ORDER BY AVG" in sql)


def test_ages_at_the_ends_of_months() -> None:
    days = [(2020, 2, 29), (2021, 2, 28), (2021, 3, 1), (2024, 2, 29), (2024, 1, 31), (2024, 3, 31), (2023, 12, 31)]
    times = [(0, 0, 0, 0), (0, 0, 0, 1), (23, 59, 59, 999999)]
    rows = [(datetime.datetime(*d, *times[(i + j) % 3]), datetime.datetime(*e, *times[i % 3]))
            for i, d in enumerate(days) for j, e in enumerate(days)]  # fmt: skip
    world = build(DDL, {"stays": {"o": rows}})
    for sql in (
        "SELECT AGE(went, came)::VARCHAR, AGE(CAST(went AS DATE), CAST(came AS DATE))::VARCHAR FROM stays",
        "SELECT came, went, EXTRACT(YEAR FROM AGE(went, came)), YEAR(AGE(CAST(went AS DATE), came)) FROM stays",
    ):
        assert_same(world.actual(sql), world.expected(sql), ordered=False)
    few = build(DDL, {"stays": {"o": rows[::9]}})
    sql = "SELECT AGE(went, came), AGE(went, came)::VARCHAR FROM stays WHERE AGE(came, went) < INTERVAL 1 YEAR"
    check_answer(consortium_of(few, 2), few, sql, ordered=False)
    bounded = "CREATE TABLE stays ({0} NOT NULL CHECK (came {2}), {1} CHECK (went {2}));"
    ddl = bounded.format("came TIMESTAMP", "went TIMESTAMP", "BETWEEN '2015-01-01' AND '2025-01-01'")
    known = build(ddl, {"stays": {"o": rows[::25]}})
    check_answer(consortium_of(known, 2), known, "SELECT AGE(went, came) FROM stays", ordered=False)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT AGE(came) FROM stays", "AGE up to today"),
        ("SELECT SUM(went - came) FROM stays", "SUM needs numbers"),
        ("SELECT EXTRACT(HOUR FROM (went - came) * 1.5) FROM stays", "is not known"),
        (
            "SELECT HOUR(x) FROM (SELECT went - came AS x FROM stays UNION ALL SELECT INTERVAL 30 HOUR) s",
            "is not known",
        ),
        ("SELECT came + AGE(went, came) FROM stays", "not constant"),
        ("SELECT EXTRACT(DOW FROM went - came) FROM stays", "the part DOW of an INTERVAL"),
        ("SELECT COUNT(*) FROM stays GROUP BY CAST(went - came AS VARCHAR)", "CAST of INTERVAL to text"),
    ],
)
def test_what_is_not_known_of_intervals_is_refused(sql: str, why: str) -> None:
    world = build(DDL, {"stays": {"o": []}})
    with pytest.raises(QueryError, match=why):
        compile_select(sql, world.catalog)
