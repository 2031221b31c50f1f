"""CREATE TABLE: what is declared becomes types, bounds, nullability and keys; DuckDB reads the same text."""

from __future__ import annotations

import duckdb
import pytest

from smpc_sql.errors import QueryError, SyntaxInvalid, TypeMismatch, UnknownName, Unsupported
from smpc_sql.schema import Boolean, Column, Date, Decimal, Enum, Integer, Interval, TableSchema, Text, type_bounds
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable
from tests.plan.judge import HEART


def schema(text: str) -> TableSchema:
    (statement,) = parse_statements(text)
    assert isinstance(statement, CreateTable)
    return statement.schema


def bounds(type_and_check: str) -> Interval:
    return schema(f"CREATE TABLE t (x {type_and_check})").columns[0].bounds


def test_types() -> None:
    table = schema(
        "CREATE TABLE t (a TINYINT, b SMALLINT, c INTEGER, c2 INT, d BIGINT, e DECIMAL(8, 2), e2 NUMERIC(5), "
        "e3 DECIMAL, f BOOLEAN, g DATE, h ENUM('x', 'it''s'))"
    )
    assert [column.type for column in table.columns] == [
        Integer(8), Integer(16), Integer(32), Integer(32), Integer(64), Decimal(8, 2), Decimal(5, 0), Decimal(18, 3),
        Boolean(), Date(), Enum(("x", "it's")),
    ]  # fmt: skip
    assert all(column.nullable and column.bounds == type_bounds(column.type) for column in table.columns)


def test_the_heart_schema() -> None:
    table = schema((HEART / "schema.sql").read_text())
    assert table.name == "heart"
    assert table.column("AGE") == Column("age", Integer(16), False, Interval(0, 120))
    assert table.column("oldpeak") == Column("oldpeak", Decimal(3, 2), True, Interval(-500, 900))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("TINYINT CHECK (x BETWEEN 0 AND 5)", (0, 5)),
        ("TINYINT CHECK (x BETWEEN -128 AND 500)", (-128, 127)),
        ("TINYINT CHECK (x >= 3)", (3, 127)),
        ("TINYINT CHECK (x > 3)", (4, 127)),
        ("TINYINT CHECK (x < 3)", (-128, 2)),
        ("TINYINT CHECK (3 >= x)", (-128, 3)),
        ("TINYINT CHECK (-3 < x AND x <= +7)", (-2, 7)),
        ("TINYINT CHECK (x > 2.5) CHECK (x < 4.5)", (3, 4)),
        ("TINYINT CHECK ((x >= 1) AND ((x <= 9) AND x <> 4))", None),
        ("TINYINT CHECK (x = 7)", (7, 7)),
        ("TINYINT CHECK (x IN (3, 1, 2))", (1, 3)),
        ("DECIMAL(5,2) CHECK (x BETWEEN 0 AND 1.5)", (0, 150)),
        ("DECIMAL(5,2) CHECK (x >= 0.005)", (1, 99999)),
        ("DECIMAL(5,2) CHECK (x > 0)", (1, 99999)),
        ("DECIMAL(5,1) CHECK (x BETWEEN -0.25 AND 0.25)", (-2, 2)),
        ("DATE CHECK (x >= DATE '1970-01-02' AND x < '1970-01-10')", (1, 8)),
        ("DOUBLE", (-(10**15), 10**15)),
        ("TIMESTAMP CHECK (x > '1970-01-01' AND x <= TIMESTAMP '1970-01-01 00:01:00')", (1, 60_000_000)),
        ("REAL CHECK (x >= 0)", (0, 10**15)),
        ("DOUBLE CHECK (x BETWEEN -1e10 AND 2.5)", (-(10**16), 2_500_000)),
        ("FLOAT CHECK (x < 100 AND x = ROUND(x, 2) AND x > 0)", (1, 9999)),
        ("DOUBLE CHECK (ROUND(x, 12) = x)", (-(10**18) + 1, 10**18 - 1)),
        ("DOUBLE CHECK (x > 2e9)", (2 * 10**15 + 1, 10**18 - 1)),
    ],
)
def test_checks_are_bounds(column: str, expected: tuple[int, int] | None) -> None:
    if expected is None:
        with pytest.raises(Unsupported):
            bounds(column)
    else:
        assert bounds(column) == Interval(*expected)
        duckdb.execute(f"CREATE OR REPLACE TEMP TABLE t (x {column})")


def test_constraints_of_tables() -> None:
    table = schema(
        "CREATE TABLE IF NOT EXISTS visits (id INT, day DATE, n INT UNIQUE, m INT NOT NULL, CHECK (m >= n2 AND n2 > 0),"
        " n2 INT, PRIMARY KEY (ID, day), UNIQUE (n, m))".replace("m >= n2 AND n2 > 0", "m >= 2 AND n2 > 0")
    )
    assert table.primary_key == ("id", "day")
    assert table.unique == (("n",), ("n", "m"))
    assert [column.nullable for column in table.columns] == [False, False, True, False, True]
    assert table.columns[3].bounds.low == 2
    assert table.columns[4].bounds.low == 1
    named = schema("CREATE TABLE t (a INT, CONSTRAINT positive CHECK (a > 0), CONSTRAINT k PRIMARY KEY (a))")
    assert named.columns[0] == Column("a", Integer(32), False, Interval(1, 2**31 - 1))


@pytest.mark.parametrize(
    ("kind", "text", "line", "column", "words"),
    [
        (Unsupported, "CREATE TABLE t (\n  a INT,\n  name VARCHAR(1025))", 3, 3, "VARCHAR(1025) of column name"),
        (Unsupported, "CREATE TABLE t (a INT, name VARCHAR)", 1, 24, "VARCHAR without a length"),
        (Unsupported, "CREATE TABLE t (name VARCHAR(9) COLLATE NOCASE)", 1, 41, "COLLATE other than"),
        (SyntaxInvalid, 'CREATE TABLE t (name VARCHAR(9), "Name[2]" INT)', 1, 17, "name[2] is declared twice"),
        (Unsupported, "CREATE TABLE t (a TIMESTAMPTZ)", 1, 17, "TIMESTAMPTZ"),
        (TypeMismatch, "CREATE TABLE t (a TIMESTAMP CHECK (a > 'noon'))", 1, 36, "not a timestamp"),
        (Unsupported, "CREATE TABLE t (a HUGEINT)", 1, 17, "not supported"),
        (Unsupported, "CREATE TABLE t (a INT[])", 1, 17, "not supported"),
        (Unsupported, "CREATE TABLE t (a DECIMAL(20,2))", 1, 17, "at most 18 digits"),
        (TypeMismatch, "CREATE TABLE t (a DECIMAL(5,7))", 1, 17, "scale"),
        (TypeMismatch, "CREATE TABLE t (a ENUM('x','x'))", 1, 17, "distinct"),
        (Unsupported, "CREATE TABLE t (a INT, Owner INT)", 1, 24, "pseudo-column"),
        (SyntaxInvalid, "CREATE TABLE t (a INT, A INT NOT NULL)", 1, 17, "twice"),
        (SyntaxInvalid, "CREATE TABLE t (a INT, A INT)", 1, 17, "twice"),
        (SyntaxInvalid, "CREATE TABLE t (a INT PRIMARY KEY, b INT PRIMARY KEY)", 1, 36, "two primary keys"),
        (Unsupported, "CREATE TABLE t (a INT DEFAULT 3)", 1, 31, "DEFAULT"),
        (UnknownName, "CREATE TABLE t (a INT, FOREIGN KEY (c) REFERENCES u(b))", 1, 37, "column c does not exist"),
        (Unsupported, "CREATE TABLE t (a ENUM('x', 'y') CHECK (a IN ('x')))", 1, 41, "some of an ENUM's labels"),
        (Unsupported, "CREATE TABLE t (a VARCHAR(3) CHECK (a IN ('x', b)))", 1, 37, "CHECK of column a"),
        (Unsupported, "CREATE TABLE t (a INT CHECK (a + 1 > 0))", 1, 30, "CHECK of a + 1"),
        (Unsupported, "CREATE TABLE t (a INT CHECK (a > 0 OR a < 9))", 1, 30, "CHECK (a > 0 OR a < 9)"),
        (Unsupported, "CREATE TABLE t (a INT CHECK (a IN (1, 3)))", 1, 30, "gaps"),
        (Unsupported, "CREATE TABLE t (a ENUM('x') CHECK (a = 'x'))", 1, 36, "ENUM"),
        (TypeMismatch, "CREATE TABLE t (a INT CHECK (a > 5 AND a < 6))", 1, 30, "allow no value"),
        (TypeMismatch, "CREATE TABLE t (a INT CHECK (a > '5'))", 1, 30, "not a constant"),
        (TypeMismatch, "CREATE TABLE t (a DATE CHECK (a > 5))", 1, 31, "not a constant DATE"),
        (UnknownName, "CREATE TABLE t (a INT, CHECK (b > 5))", 1, 31, "column b does not exist"),
        (UnknownName, "CREATE TABLE t (a INT, PRIMARY KEY (b))", 1, 37, "column b does not exist"),
        (Unsupported, "CREATE TABLE t", 1, 14, "without a list of columns"),
        (Unsupported, "CREATE TABLE s.t (a INT)", 1, 14, "DB"),
    ],
)
def test_what_is_refused(kind: type[QueryError], text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        schema(text)
    assert type(caught.value) is kind, caught.value
    assert words in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column), caught.value


def test_text_with_a_list_of_values_has_a_published_dictionary() -> None:
    table = schema(
        "CREATE TABLE t (a VARCHAR CHECK (a IN ('b', 'é', 'Zed')), b VARCHAR(3) NOT NULL, CHECK (B IN ('y', 'x')))"
    )
    assert [c.type for c in table.columns] == [Enum(("Zed", "b", "é")), Enum(("x", "y"))]
    assert [c.nullable for c in table.columns] == [True, False]


def test_references_are_notes() -> None:
    plain = schema("CREATE TABLE t (a INT, b INT)")
    assert schema("CREATE TABLE t (a INT REFERENCES u(x), b INT, FOREIGN KEY (a, b) REFERENCES v (c, d))") == plain


def test_a_long_text_is_stored_in_words() -> None:
    table = schema("CREATE TABLE t (a INT, name VARCHAR(15) NOT NULL, raw VARCHAR(9) COLLATE C)")
    assert [c.type for c in table.columns[1:]] == [Text(15), Text(9, ascii=False)]
    stored = [(c.name, c.type, c.nullable) for c in table.stored]
    assert stored[1:] == [
        ("name", Text(7), False),
        ("name[2]", Text(7), False),
        ("name[3]", Text(1), False),
        ("raw", Text(7, ascii=False), True),
        ("raw[2]", Text(2, ascii=False), False),
    ]
