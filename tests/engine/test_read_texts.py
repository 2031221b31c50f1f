"""CAST of secret text to numbers, dates, moments and truth values."""

from __future__ import annotations

import pytest

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, consortium_of
from tests.plan.judge import World, assert_same, build

TEXTS = (
    "12", " 12", "\t-12\n", "+7", "", "  ", "-", "+", ".", "1.", ".5", "-.5", "2.5", "-2.5", "1.4999", "00012", "1,0",
    "127.4", "127.5", "-128.5", "1 2", "-0", "1.2.3", "$1", "--1", "99.995", "-99.994", "1.005", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9223372036854775807.4",
    "9223372036854775806.5", "9223372036854775807.5", "000000000000000000001.5", "99999999999999999999",
    "true", "TRUE", "t", "F", "no", "on", "yes", "0", "1", " true", None,
    "2020-01-31", "2020-1-5", " 2020-02-29 ", "2019-02-29", "1900-02-29", "2000/02/29", "2020 1 31", "2020-01/31",
    "2020-13-01", "2020-01-00", "2020-001-1", "0001-01-01", "9999-12-31", "2020\\12\\1", "20200131", "2020-04-31",
    "2020-01-31 10:11:12.125", "2020-1-31T1:2:3", " 2020/02/29 23:59", "2019-02-29 10:00", "2020-01-31 24:00:00",
    "2020-01-31 24:00:01", "2020-01-31 10:60:00", "2020-01-31 9:", "2020-01-31T10:11:12Z", "2020-01-31 ", "2020-01-31T",
    "9999-12-31 23:59:59", "0001-01-01 00:00:00.001", "2020-01-31 10:11:60", "2020-01-31 10:11:12x",
)  # fmt: skip

DDL = "CREATE TABLE s (i SMALLINT NOT NULL CHECK (i BETWEEN 0 AND 99), x VARCHAR(23), y VARCHAR(4) COLLATE C);"


@pytest.fixture(scope="module")
def world() -> World:
    rows = [(i, text, "é" if i == 3 else None if text is None else text[:4]) for i, text in enumerate(TEXTS)]
    return build(DDL, {"s": {"o": rows[:30], "p": rows[30:]}})


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT i, TRY_CAST(x AS INTEGER), TRY_CAST(y AS TINYINT), TRY_CAST(x AS BIGINT) FROM s",
        "SELECT i, TRY_CAST(x AS DECIMAL(4,2)), TRY_CAST(x AS DECIMAL(18,3)), TRY_CAST(y AS DECIMAL(2,2)) FROM s",
        "SELECT i, TRY_CAST(x AS BOOLEAN), TRY_CAST(x AS DATE), TRY_CAST(y AS DOUBLE) FROM s",
        "SELECT TRY_CAST(LEFT(x, 1) AS INTEGER) AS d, COUNT(*), SUM(TRY_CAST(x AS SMALLINT)) FROM s GROUP BY d",
        "SELECT i, TRY_CAST(x AS TIMESTAMP), TRY_CAST(y AS TIMESTAMP) FROM s",
        "SELECT MAX(TRY_CAST(x AS TIMESTAMP) - INTERVAL 1 HOUR), COUNT(TRY_CAST(LEFT(x, 12) AS TIMESTAMP)) FROM s",
        "SELECT i FROM s WHERE TRY_CAST(x AS DATE) > '2000-01-01' OR TRY_CAST(y AS DOUBLE) * 2 < 0",
    ],
)
def test_texts_are_read_as_duckdb_reads_them(sql: str, world: World, consortium: LockstepConsortium) -> None:
    assert_same(world.actual(sql), world.expected(sql), ordered=False)
    check_answer(consortium, world, sql, False)


def test_cast_gives_null_where_duckdb_fails(world: World, consortium: LockstepConsortium) -> None:
    assert consortium.sql("SELECT COUNT(x), COUNT(CAST(x AS INTEGER)) FROM s").fetchall() == [
        world.expected("SELECT COUNT(x), COUNT(TRY_CAST(x AS INTEGER)) FROM s")[0]
    ]
    sql = "SELECT i, CAST(x AS INTEGER) FROM s WHERE i < 4"
    assert_same(consortium.sql(sql).fetchall(), world.expected(sql), ordered=False)


def test_what_is_not_read_is_null() -> None:
    """Exponents, underscores, infinities: DuckDB reads them; docs/sql.md says that they are NULL here."""
    world = build("CREATE TABLE z (x VARCHAR(16));", {"z": {"o": [("1e3",), ("1_000",), ("inf",), ("1234567890123",)]}})
    assert consortium_of(world, 2).sql("SELECT COUNT(CAST(x AS DOUBLE)) FROM z").fetchall() == [(0,)]


FORMATS = [
    "31.12.2020", "1.2.2020", " 29.2.2020 ", "29.2.2021", "31.12.20200", "1. 2.2020", "00.01.2020", "01/02/2020 3:04",
    "1/2/2020 23:59", "1/2/2020 24:00", "1/2/2020\t1:60", "20200131", "2020131", "", None, "x", "31.12.2020x", "1.2.99",
]  # fmt: skip


@pytest.fixture(scope="module")
def formatted() -> World:
    labels = ("31.12.2020", "1.2.1999", None)
    rows = [(i, text, labels[i % 3], None if text is None else text[:7]) for i, text in enumerate(FORMATS)]
    ddl = (
        "CREATE TABLE f (i TINYINT NOT NULL, x VARCHAR(20), e ENUM('31.12.2020', '1.2.1999'), y VARCHAR(7) COLLATE C);"
    )
    return build(ddl, {"f": {"o": rows}})


def test_formats_are_read_as_duckdb_reads_them(formatted: World) -> None:
    consortium = consortium_of(formatted, 2)
    for sql in (
        "SELECT i, try_strptime(x, '%d/%m/%Y %H:%M'), try_strptime(x, '%Y%m%d'), try_strptime(y, '%-d.%m.%y') FROM f",
        "SELECT strptime(e, '%d.%m.%Y'), try_strptime(e, '%d.%m.2020'), strptime('5:06', '%M:%S') FROM f",
        "SELECT i, try_strptime(x, 'x'), strptime(NULL, '%Y') FROM f WHERE try_strptime(x, '%d.%m.%Y') > '2020-02-02'",
    ):
        check_answer(consortium, formatted, sql, False)
    sql = "SELECT COUNT(strptime(x, '%d.%m.%Y')) FROM f"  # DuckDB fails; and 99 is a year for it, here NULL
    assert consortium.sql(sql).fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ("strptime(x, '%d %b')", Unsupported, "STRPTIME with %b is not supported"),
        ("strptime(x, y)", Unsupported, "constant format"),
        ("strptime(x, '%Y %y')", Unsupported, "a number twice"),
        ("strptime('x', '%d')", TypeMismatch, "'x' does not have the format"),
        ("strptime(i, '%d')", TypeMismatch, "STRPTIME needs text"),
        ("strftime(x, '%d')", TypeMismatch, "STRFTIME needs a DATE"),
        ("strftime(DATE '2020-01-01', '%U')", Unsupported, "STRFTIME with %U"),
        ("strftime(DATE '2020-01-01', '%')", TypeMismatch, "must not end with %"),
    ],
)
def test_formats_that_are_refused(call: str, error: type[Exception], said: str, formatted: World) -> None:
    with pytest.raises(error, match=said):
        formatted.actual(f"SELECT {call} FROM f")
