"""What is refused is refused by name, with line and column, before anything is planned."""

from __future__ import annotations

import pytest

from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.errors import OverflowPossible, QueryError, SyntaxInvalid, TypeMismatch, UnknownName, Unsupported
from smpc_sql.plan.bounds import check_words
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable

DDL = """
CREATE TABLE t (
    id BIGINT, a SMALLINT NOT NULL CHECK (a BETWEEN 0 AND 120), b TINYINT, d DECIMAL(8,2) CHECK (d BETWEEN 0 AND 1000),
    day DATE, sick BOOLEAN, thal ENUM('normal', 'fixed', 'reversible')
);
CREATE TABLE u (w DECIMAL(6,3) NOT NULL CHECK (w BETWEEN -1 AND 1), a INTEGER);
CREATE TABLE empty (x INTEGER);
CREATE TABLE big (x INTEGER);
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    result = Catalog()
    for statement in parse_statements(DDL):
        assert isinstance(statement, CreateTable)
        result = result.with_table(statement.schema, statement.ddl)
    for i, (owner, rows) in enumerate([("basel", 100), ("amsterdam", 50)]):
        result = result.with_fragment("t", Fragment(f"t{i}", owner, rows))
    result = result.with_fragment("big", Fragment("big0", "cairo", 5000))
    return result.with_fragment("u", Fragment("u0", "cairo", 1))


REFUSED = [
    (Unsupported, "SELECT *\nFROM big\n  LEFT JOIN big s ON big.x = s.x", 3, 13, "nor (big.x) is known to be unique"),
    (Unsupported, "SELECT 1 FROM big LEFT JOIN big s ON big.x < s.x", 1, 29, "CROSS JOIN of relations of up to"),
    (Unsupported, "SELECT 1 FROM big AS x, big AS y", 1, 25, "CROSS JOIN of relations of up to 5000 and 5000 rows"),
    (Unsupported, "SELECT 1 FROM big x JOIN big y USING (x)", 1, 26, "neither (x.x) nor (y.x) is known to be unique"),
    (Unsupported, "SELECT 1 FROM t, t", 1, 18, "two tables named t"),
    (
        Unsupported,
        "SELECT a FROM t WHERE ROW_NUMBER() OVER (ORDER BY a) < 3",
        1,
        23,
        "a window function (OVER) in WHERE",
    ),
    (Unsupported, "SELECT a,\n  MEDIAN(a) OVER (ORDER BY b) FROM t", 2, 3, "in a window with an order"),
    (Unsupported, "SELECT SUM(a) OVER (ORDER BY b GROUPS 3 PRECEDING) FROM t", 1, 8, "GROUPS with a distance"),
    (Unsupported, "SELECT MAX(a) OVER (ORDER BY b RANGE 3 PRECEDING) FROM t", 1, 12, "only sums, counts"),
    (Unsupported, "SELECT LAST_VALUE(a) OVER (ORDER BY b RANGE 3 PRECEDING) FROM t", 1, 8, "only sums, counts"),
    (Unsupported, "SELECT SUM(a) OVER (ORDER BY a, b RANGE 3 PRECEDING) FROM t", 1, 8, "needs one ORDER BY key"),
    (Unsupported, "SELECT SUM(a) OVER (RANGE 3 PRECEDING) FROM t", 1, 8, "needs one ORDER BY key"),
    (Unsupported, "SELECT SUM(a) OVER (ORDER BY b RANGE -3 PRECEDING) FROM t", 1, 8, "not negative"),
    (Unsupported, "SELECT SUM(a) OVER (ORDER BY a RANGE 1.5 PRECEDING) FROM t", 1, 8, "finer than its order"),
    (Unsupported, "SELECT SUM(a) OVER (ORDER BY a / 3 RANGE 1 PRECEDING) FROM t", 1, 8, "in the order of DOUBLE"),
    (TypeMismatch, "SELECT SUM(a) OVER (ORDER BY a RANGE INTERVAL 3 DAYS PRECEDING) FROM t", 1, 8, "no distance of"),
    (
        Unsupported,
        "SELECT SUM(a) OVER (ORDER BY a RANGE BETWEEN 3 FOLLOWING AND CURRENT ROW) FROM t",
        1,
        8,
        "ends before",
    ),
    (
        Unsupported,
        "SELECT SUM(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND 2 PRECEDING) FROM t",
        1,
        8,
        "ends before",
    ),
    (Unsupported, "SELECT SUM(a) OVER (ORDER BY b ROWS 1 PRECEDING EXCLUDE TIES) FROM t", 1, 8, "EXCLUDE"),
    (Unsupported, "SELECT LAG(a IGNORE NULLS) OVER (ORDER BY b) FROM t", 1, 8, "IGNORE NULLS"),
    (Unsupported, "SELECT COUNT(DISTINCT a) OVER (ORDER BY b) FROM t", 1, 8, "DISTINCT in a window"),
    (Unsupported, "SELECT NTILE(a) OVER (ORDER BY b) FROM t", 1, 8, "must be a constant of at least 1"),
    (Unsupported, "SELECT AVG(a) FROM t UNION SELECT a FROM u", 1, 8, "UNION of quotients"),
    (TypeMismatch, "SELECT a FROM t UNION SELECT a, w FROM u", 1, 8, "1 and 2 columns"),
    (Unsupported, "SELECT PRODUCT(a) FROM t", 1, 8, "function PRODUCT"),
    (Unsupported, "SELECT VAR_POP(DISTINCT a) FROM t", 1, 8, "(DISTINCT …) is not supported"),
    (Unsupported, "SELECT frobnicate(a) FROM t", 1, 8, "function frobnicate"),
    (TypeMismatch, "SELECT 1 FROM t WHERE a LIKE '1%'", 1, 23, "LIKE"),
    (Unsupported, "SELECT 1 FROM t WHERE a IN (SELECT w / a FROM u)", 1, 23, "not supported for a quotient"),
    (Unsupported, "SELECT 1 FROM t WHERE a > (SELECT b FROM t)", 1, 35, "may have several rows"),
    (Unsupported, "SELECT 1 FROM t x WHERE a > (SELECT b FROM t WHERE t.a = x.a)", 1, 37, "PRIMARY KEY or UNIQUE"),
    (
        UnknownName,
        "SELECT 1 FROM t x WHERE EXISTS (SELECT 1 FROM u WHERE EXISTS (SELECT 1 FROM u WHERE x.zz = 1))",
        1,
        85,
        "table x is not in FROM",
    ),
    (UnknownName, "SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = nowhere)", 1, 59, "nowhere does not"),
    (Unsupported, "SELECT 1 FROM t WHERE COUNT(*) > 3", 1, 23, "not allowed in WHERE"),
    (Unsupported, "SELECT SUM(MAX(a)) FROM t", 1, 16, "not allowed in an aggregate's argument"),
    (Unsupported, "SELECT day + INTERVAL 1 DECADE FROM t", 1, 8, "INTERVAL in DECADE"),
    (Unsupported, "SELECT EXTRACT(era FROM day) FROM t", 1, 25, "the part ERA"),
    (TypeMismatch, "SELECT CAST(thal AS INTEGER) FROM t", 1, 13, "CAST of the label"),
    (Unsupported, "SELECT MAX(CAST(d / 3 AS VARCHAR)) FROM t", 1, 17, "to text"),
    (Unsupported, "SELECT a FROM t USING SAMPLE 3", 1, 8, "SAMPLE"),
    (Unsupported, "SELECT DISTINCT ON (a) b FROM t QUALIFY RANK() OVER (ORDER BY a) = 1", 1, 21, "DISTINCT ON"),
    (UnknownName, "SELECT DISTINCT ON (3) b FROM t", 1, 21, "there are 1 outputs"),
    (UnknownName, "SELECT *, COUNT(*) FROM t GROUP BY a", 1, 8, "must be in GROUP BY"),
    (Unsupported, "SELECT a, COUNT(*) FROM t GROUP BY CUBE (a, b, a, b, a, b, a, b)", 1, 42, "64 grouping sets"),
    (Unsupported, "SELECT DISTINCT SQRT(b / a) FROM t WHERE a > 0", 1, 17, "SQRT"),
    (OverflowPossible, "SELECT SUM(b / id) FROM t", 1, 8, "cannot be computed within a query"),
    (Unsupported, "SELECT (a / b) % 2 FROM t", 1, 9, "% of a quotient"),
    (Unsupported, "SELECT STDDEV(a) + STDDEV(b) FROM t", 1, 8, "square root"),
    (Unsupported, "SELECT a FROM t LIMIT 10%", 1, 23, "percentage"),
    (Unsupported, "SELECT a FROM t LIMIT -1", 1, 24, "LIMIT"),
    (Unsupported, "SELECT a FROM read_csv('x')", 1, 15, "READ_CSV"),
    (Unsupported, "SELECT a FROM other.t", 1, 15, "DB"),
    (Unsupported, "WITH RECURSIVE r AS (SELECT 1) SELECT 1", 1, 16, "RECURSIVE"),
    (Unsupported, "SELECT ?", 1, 1, "parameter"),
    (UnknownName, "SELECT a,\n\n   colour FROM t", 3, 4, "column colour does not exist; columns: id, a, b"),
    (UnknownName, "SELECT t.colour FROM t", 1, 8, "colour"),
    (UnknownName, "SELECT x.a FROM t", 1, 8, "table x is not in FROM; there are: t"),
    (UnknownName, "SELECT a FROM nowhere", 1, 15, "table nowhere does not exist; tables: big, empty, t, u"),
    (UnknownName, "SELECT a FROM t, u", 1, 8, "ambiguous: t.a, u.a"),
    (UnknownName, "SELECT owner FROM t, u", 1, 8, "ambiguous"),
    (UnknownName, "SELECT a, COUNT(*) FROM t GROUP BY b", 1, 8, "must be in GROUP BY"),
    (UnknownName, "SELECT COUNT(*) FROM t ORDER BY a", 1, 33, "must be in GROUP BY"),
    (UnknownName, "SELECT COUNT(*) FROM t HAVING a > 3", 1, 31, "must be in GROUP BY"),
    (UnknownName, "SELECT a FROM t ORDER BY 2", 1, 26, "there are 1 outputs"),
    (UnknownName, "SELECT a, COUNT(*) FROM t GROUP BY 3", 1, 36, "there are 2 outputs"),
    (UnknownName, "SELECT x + 1 AS x FROM t", 1, 8, "x"),
    (UnknownName, "SELECT x AS y, y AS x FROM t", 1, 8, "defined by itself"),
    (TypeMismatch, "SELECT a FROM t\nWHERE thal > 5", 2, 7, "do not fit"),
    (TypeMismatch, "SELECT a + sick FROM t", 1, 8, "+ needs numbers, got BOOLEAN; CAST it"),
    (TypeMismatch, "SELECT a + 'x' FROM t", 1, 8, "got text"),
    (TypeMismatch, "SELECT 1 FROM t WHERE thal", 1, 23, "must be BOOLEAN"),
    (TypeMismatch, "SELECT 1 FROM t WHERE day > 'yesterday'", 1, 23, "'yesterday' is not a date"),
    (TypeMismatch, "SELECT DATE '2023-02-29'", 1, 13, "is not a date"),
    (TypeMismatch, "SELECT 1 FROM t WHERE day > 5", 1, 23, "do not fit"),
    (TypeMismatch, "SELECT day + 1.5 FROM t", 1, 8, "needs an INTEGER"),
    (TypeMismatch, "SELECT AVG(sick) FROM t", 1, 8, "AVG needs numbers"),
    (TypeMismatch, "SELECT BOOL_AND(a) FROM t", 1, 8, "BOOL_AND needs a BOOLEAN"),
    (TypeMismatch, "SELECT CASE WHEN sick THEN 1 ELSE 'x' END FROM t", 1, 18, "INTEGER and text do not fit"),
    (TypeMismatch, "SELECT SUM(thal) FROM t", 1, 8, "SUM needs numbers"),
    (TypeMismatch, "SELECT NOT day FROM t", 1, 12, "must be BOOLEAN"),
]


@pytest.mark.parametrize(("kind", "sql", "line", "column", "words"), REFUSED, ids=[case[1] for case in REFUSED])
def test_refused_by_name_and_place(
    catalog: Catalog, kind: type[QueryError], sql: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(QueryError) as caught:
        compile_select(sql, catalog)
    error = caught.value
    assert type(error) is kind, error
    assert words in error.message
    assert (error.line, error.column) == (line, column), error


OVERFLOWS = [
    ("SELECT id FROM t ORDER BY a / b, id LIMIT 1", "any two values of ORDER BY id"),
    ("SELECT SUM(DISTINCT id) FROM t", "sum(DISTINCT id) could be anywhere in [-1383505805528216371200, "),
    ("SELECT MIN(id) OVER (ORDER BY a) FROM t", "MIN over the frames"),
    ("SELECT ARG_MAX(a, id * a) FROM t", "(id * a)"),
    ("SELECT (id * a) // id FROM t", "(-id)"),
]

WIDE = [
    "SELECT SUM(id), AVG(id * 7), VAR_POP(a * 10000000) FROM t",
    "SELECT id + 1, id * a, -id, id % 2 FROM t",
    "SELECT 1 FROM t WHERE id < a",
    "SELECT MIN(id), MAX(id * 3) FROM t",
    "SELECT (id * a) // b FROM t",
    "SELECT CORR(id, a) > 0.1 FROM t",
    "SELECT 1 FROM t LEFT JOIN u ON t.id * 10 = u.a",
    "SELECT id * a AS p, COUNT(DISTINCT id * b) FROM t GROUP BY p ORDER BY SUM(id) DESC LIMIT 3",
]


@pytest.mark.parametrize("sql", WIDE)
def test_numbers_beyond_64_bits_are_split(catalog: Catalog, sql: str) -> None:
    check_words(compile_select(sql, catalog))


@pytest.mark.parametrize(("sql", "words"), OVERFLOWS)
def test_what_could_overflow_is_refused(catalog: Catalog, sql: str, words: str) -> None:
    with pytest.raises(OverflowPossible) as caught:
        compile_select(sql, catalog)
    assert words in caught.value.message
    assert "CHECK" in caught.value.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM t",
        "SELECT id FROM t ORDER BY id",
        "SELECT id FROM t ORDER BY id LIMIT 1",
        "SELECT COUNT(id), COUNT(*) FROM t WHERE id = 5",
        "SELECT COUNT(*) FROM t WHERE id IN (1, 2, 3) OR id IS NULL",
        "SELECT SUM(b * 1000000000) FROM t",
        "SELECT VAR_POP(a), STDDEV(d) FROM t",
    ],
)
def test_what_cannot_overflow_is_not(catalog: Catalog, sql: str) -> None:
    compile_select(sql, catalog)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 100 + "a" + ")" * 100 + " FROM t",
        "SELECT " + "- " * 100 + "a FROM t",
        "SELECT a FROM t WHERE " + "NOT " * 5000 + "sick",
        "SELECT " + "+".join(["a"] * 3000) + " FROM t",
        "SELECT a AS x0" + "".join(f", x{i} + x{i} AS x{i + 1}" for i in range(60)) + " FROM t",
        "SELECT " + "COALESCE(" * 40 + "id" + ", 1)" * 40 + " FROM t",
        "SELECT * FROM " + "(SELECT * FROM " * 300 + "t" + ")" * 300,
    ],
    ids=lambda sql: sql[:30],
)
def test_what_would_explode_is_refused_soon(catalog: Catalog, sql: str) -> None:
    with pytest.raises(Unsupported):
        compile_select(sql, catalog)


def test_a_tower_of_ctes_is_as_long_as_it_is_written(catalog: Catalog) -> None:
    tower = "".join(f", c{i + 1} AS (SELECT p.x FROM c{i} AS p, c{i} AS q)" for i in range(30))
    compile_select(f"WITH c0 AS (SELECT 1 AS x){tower} SELECT * FROM c30", catalog)


def test_many_conditions_are_no_depth(catalog: Catalog) -> None:
    sql = "SELECT COUNT(*) FROM t WHERE " + " OR ".join(f"a = {i} AND b > {i}" for i in range(100))
    compile_select(sql, catalog)
    wide = "SELECT COUNT(*) FROM t WHERE " + " OR ".join(f"a = {i % 120}" for i in range(5000))
    compile_select(wide, catalog)
    compile_select(f"SELECT COUNT(*) FROM t WHERE id IN ({', '.join(map(str, range(5000)))})", catalog)


def test_one_statement_at_a_time(catalog: Catalog) -> None:
    with pytest.raises(SyntaxInvalid):
        compile_select("SELECT 1; SELECT 2", catalog)
    with pytest.raises(Unsupported):
        compile_select("SHOW TABLES", catalog)
    compile_select("SELECT 1;", catalog)
    assert compile_select("EXPLAIN SELECT a FROM t", catalog) == compile_select("SELECT a FROM t", catalog)


def test_an_empty_table_has_no_owner_and_no_rows(catalog: Catalog) -> None:
    delivery = compile_select("SELECT owner, SUM(x) FROM empty GROUP BY owner", catalog)
    assert delivery.relation.max_rows == 1
    assert str(delivery.columns[0].type) == "ENUM('')"
