"""TPC-H's queries, unchanged, on a few hundred rows: DuckDB's answers, at the cost that the dry run foretells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.tpch import data
from benchmarks.tpch.judge import difference
from smpc_sql.owner import read_csv
from smpc_sql.testing import LockstepConsortium
from tests.engine.test_queries import check_cost

ROWS = Path(__file__).parent / "data" / "tpch"
WIDE = re.compile(r"^ +\w+ +VARCHAR\(\d+\) NOT NULL,?\n", re.MULTILINE)
READ_WIDE_TEXT = (2, 9, 10, 13, 15, 16, 18, 20, 21, 22)
SUPPORTED = tuple(number for number in data.QUERIES if number not in READ_WIDE_TEXT)


def narrow(ddl: str) -> str:
    """The tables without their long text."""
    return WIDE.sub("", ddl).replace(",\n)", "\n)")


@pytest.fixture(scope="module")
def union() -> data.Union:
    union = data.Union(narrow(data.schema(0.01)))
    union.fill(ROWS, "csv")
    return union


@pytest.fixture(scope="module")
def consortium(union: data.Union, tmp_path_factory: pytest.TempPathFactory) -> LockstepConsortium:
    consortium = LockstepConsortium(2)
    consortium.create(union.ddl)
    for part in union.split(tmp_path_factory.mktemp("tpch")):
        schema = consortium.catalog.table(part.table).schema
        consortium.load(part.table, read_csv(schema, part.path), part.owner)
    return consortium


@pytest.mark.parametrize("number", SUPPORTED)
def test_a_query_gives_duckdbs_answer(number: int, union: data.Union, consortium: LockstepConsortium) -> None:
    sql = data.query(number)
    assert union.connection.execute(sql).fetchall(), "the rows give it no answer"
    assert difference(union, sql, consortium.sql(sql).fetchall()) is None
    check_cost(consortium, sql)


def test_the_judge_sees_what_is_wrong(union: data.Union) -> None:
    """Another value, another order, a row too few; not the order of ties, nor which of them a LIMIT keeps."""
    sql = "SELECT n_name, n_regionkey FROM nation ORDER BY n_regionkey LIMIT 7"
    right = union.connection.execute(sql.replace("LIMIT 7", "")).fetchall()
    assert difference(union, sql, right[:7]) is None
    assert difference(union, sql, [*right[4::-1], *right[8:6:-1]]) is None
    assert "rows, not 7" in (difference(union, sql, right[:6]) or "")
    assert "is ordered by" in (difference(union, sql, [*right[1:7], right[0]]) or "")
    assert "is not there" in (difference(union, sql, [*right[:6], ("ATLANTIS", 1)]) or "")
    assert "is not there" in (difference(union, sql, [*right[:6], right[5]]) or "")
    whole = sql.replace("LIMIT 7", "").strip()
    assert difference(union, whole, right) is None
    assert ", not (" in (difference(union, whole, [("ATLANTIS", 0), *right[1:]]) or "")
