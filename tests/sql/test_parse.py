"""Texts become statements; what is no SQL is refused where it goes wrong."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.catalog import Catalog
from smpc_sql.errors import QueryError, SyntaxInvalid, Unsupported
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import (
    CopyFrom,
    CreateTable,
    CreateTableAs,
    CreateView,
    Describe,
    DropTable,
    DropView,
    Explain,
    Select,
    ShowTables,
)


def test_every_kind_of_statement() -> None:
    text = """
    -- a comment
    CREATE TABLE t (a INT); DROP TABLE IF EXISTS t; /* ; */ SHOW TABLES; DESCRIBE t; DESC "T";
    CREATE OR REPLACE TABLE t (a INT); CREATE TABLE u AS SELECT 1; CREATE OR REPLACE VIEW v(a) AS SELECT 1;
    DROP VIEW IF EXISTS v;
    EXPLAIN SELECT 1 ; SELECT ';' ;; WITH x AS (SELECT 1) SELECT * FROM x; (SELECT 2); FROM t
    """
    create, drop, show, describe, desc, replaced, made, view, drop_view, explain, *queries = parse_statements(text)
    assert isinstance(create, CreateTable) and create.ddl == "CREATE TABLE t (a INT)" and not create.if_not_exists
    assert drop == DropTable("t", True)
    assert show == ShowTables()
    assert isinstance(replaced, CreateTable) and replaced.replace
    assert isinstance(made, CreateTableAs) and (made.name, made.select.sql, made.replace) == ("u", "SELECT 1", False)
    assert isinstance(view, CreateView) and (view.columns, view.select.sql, view.replace) == (("a",), "SELECT 1", True)
    assert drop_view == DropView("v", True)
    assert (describe, desc) == (Describe("t"), Describe("T"))
    assert isinstance(explain, Explain) and explain.select.sql == "SELECT 1"
    sqls = [query.sql for query in queries if isinstance(query, Select)]
    assert sqls == ["SELECT ';'", "WITH x AS (SELECT 1) SELECT * FROM x", "(SELECT 2)", "FROM t"]


@pytest.mark.parametrize(
    ("text", "analyze", "json"),
    [
        ("EXPLAIN SELECT 1", False, False),
        ("EXPLAIN (SELECT 1)", False, False),
        ("EXPLAIN ANALYZE SELECT 1", True, False),
        ("explain (format json) SELECT 1", False, True),
        ("EXPLAIN (ANALYZE, FORMAT json) SELECT 1", True, True),
        ("EXPLAIN (FORMAT TEXT) SELECT 1", False, False),
    ],
)
def test_options_of_explain(text: str, analyze: bool, json: bool) -> None:
    (statement,) = parse_statements(text)
    assert isinstance(statement, Explain)
    assert (statement.analyze, statement.json) == (analyze, json)
    assert statement.select.sql.strip("()") == "SELECT 1"


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        ("COPY t FROM 'a.csv'", CopyFrom("t", "a.csv")),
        ("COPY t FROM 'a.csv' (HEADER, DELIMITER ';')", CopyFrom("t", "a.csv", ";")),
        ("COPY t FROM 'a.csv' WITH (FORMAT csv, HEADER false, DELIM '|')", CopyFrom("t", "a.csv", "|", False)),
    ],
)
def test_copy(text: str, copy: CopyFrom) -> None:
    assert parse_statements(text) == (copy,)


def test_nothing_is_no_statement() -> None:
    assert parse_statements("") == parse_statements(" ;; -- nothing\n") == ()


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("SELECT ((1)", 1, 11),
        ("SELECT a FROM t WHERE x >", 1, 25),
        ("SELECT 1;\nSELECT a FROM\n  WHERE", 3, 3),
        ("SELECT 'open", 0, 0),
        ("SELECT 1 /* open", 0, 0),
        ("SELECT a b c FROM t", 1, 12),
    ],
)
def test_bad_syntax(text: str, line: int, column: int) -> None:
    with pytest.raises(SyntaxInvalid) as caught:
        parse_statements(text)
    assert (caught.value.line, caught.value.column) == (line, column), caught.value
    assert "\x1b" not in caught.value.message and "class" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("INSERT INTO t VALUES (1)", 1, "INSERT INTO"),
        ("SELECT 1;\n  DELETE FROM t", 2, "DELETE FROM"),
        ("CREATE INDEX i ON t (a)", 1, "CREATE INDEX"),
        ("CREATE OR REPLACE MACRO f(a) AS a", 1, "CREATE"),
        ("CREATE TEMP TABLE t AS SELECT 1", 1, "CREATE TEMP"),
        ("CREATE OR REPLACE TEMP TABLE t AS SELECT 1", 1, "PROPERTIES"),
        ("DROP SCHEMA v", 1, "DROP SCHEMA"),
        ("DROP VIEW v CASCADE", 1, "CASCADE"),
        ("EXPLAIN (FORMAT YAML) SELECT 1", 1, "EXPLAIN with FORMAT YAML"),
        ("EXPLAIN (ANALYZE, FORMAT JSON)", 1, "EXPLAIN of anything but a query"),
        ("EXPLAIN CREATE TABLE u AS SELECT 1", 1, "EXPLAIN of anything but a query"),
        ("EXPLAIN DROP TABLE t", 1, "EXPLAIN of anything but a query"),
        ("DESCRIBE SELECT 1", 1, "DESCRIBE"),
        ("COPY t TO 'x'", 1, "COPY"),
        ("COPY t (a) FROM 'x'", 1, "COPY with a list"),
        ("COPY t FROM 'x' (QUOTE '#')", 1, "COPY with QUOTE"),
        ("PRAGMA x", 1, "PRAGMA"),
        ("hello world", 1, "HELLO WORLD"),
    ],
)
def test_other_statements_are_refused_by_name(text: str, line: int, words: str) -> None:
    with pytest.raises(Unsupported) as caught:
        parse_statements(text)
    assert caught.value.line == line
    assert words in caught.value.message


def test_long_and_odd_texts_are_refused() -> None:
    for text in ["SELECT " + "1," * (1 << 20), "SELECT \x00 1"]:
        with pytest.raises(SyntaxInvalid):
            parse_statements(text)


WORDS = (
    "SELECT FROM t a ( ) , * 1 'x' WHERE GROUP_BY AND NOT CASE WHEN THEN END + - / < = IN IS_NULL AVG( COUNT(*) "
    "ORDER_BY LIMIT WITH AS ; . OVER DATE 1.5 1e5 CREATE_TABLE INT CHECK || :: [ ] $1 DISTINCT"
)


@given(st.lists(st.sampled_from(WORDS.replace("_", " ").split(" ")), max_size=14).map(" ".join))
def test_nonsense_is_answered_by_a_query_error_or_a_plan(text: str) -> None:
    schema = parse_statements("CREATE TABLE t (a INT CHECK (a BETWEEN 0 AND 9))")[0]
    assert isinstance(schema, CreateTable)
    with contextlib.suppress(QueryError):
        compile_select(text, Catalog().with_table(schema.schema, schema.ddl))


@given(st.text(max_size=60))
def test_any_text_is_answered_by_a_query_error_or_statements(text: str) -> None:
    with contextlib.suppress(QueryError):
        parse_statements(text)
