"""TPC-H's queries, unchanged, on a few hundred rows: DuckDB's answers, at the cost that the dry run foretells."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.tpch import data
from benchmarks.tpch.judge import difference
from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.owner import read_csv
from smpc_sql.plan.explain import explain_relation
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_cost

ROWS = Path(__file__).parent / "data" / "tpch"


def consortium_of(union: data.Union, directory: Path) -> LockstepConsortium:
    """Two owners' shares of the union's rows."""
    consortium = LockstepConsortium(2)
    consortium.create(union.ddl)
    for part in union.split(directory):
        schema = consortium.catalog.table(part.table).schema
        consortium.load(part.table, read_csv(schema, part.path), part.owner)
    return consortium


@pytest.fixture(scope="module")
def union() -> data.Union:
    union = data.Union(data.schema(0.01))
    union.fill(ROWS, "csv")
    return union


@pytest.fixture(scope="module")
def consortium(union: data.Union, tmp_path_factory: pytest.TempPathFactory) -> LockstepConsortium:
    return consortium_of(union, tmp_path_factory.mktemp("tpch"))


@pytest.mark.parametrize("number", data.QUERIES)
def test_a_query_gives_duckdbs_answer(number: int, union: data.Union, consortium: LockstepConsortium) -> None:
    sql = data.query(number)
    assert union.connection.execute(sql).fetchall(), "the rows give it no answer"
    assert difference(union, sql, consortium.sql(sql).fetchall()) is None
    check_cost(consortium, sql)


@pytest.mark.long
def test_all_queries_at_scale_factor_0_01(tmp_path: Path) -> None:
    """On the generator's rows; needs tpchgen-cli (pip install 'smpc-sql[bench]')."""
    if shutil.which("tpchgen-cli") is None:
        pytest.skip("tpchgen-cli is not installed")
    union = data.Union(data.schema(0.01))
    union.fill(data.generated(0.01))
    consortium = consortium_of(union, tmp_path)
    wrong = {
        number: difference(union, (sql := data.query(number)), consortium.sql(sql).fetchall())
        for number in data.QUERIES
    }
    assert not any(wrong.values()), wrong


@pytest.mark.parametrize(("number", "key"), [(3, "l_orderkey"), (10, "o_custkey"), (18, "l_orderkey")])
def test_lines_are_grouped_before_groups_are_joined(number: int, key: str) -> None:
    plan = explain_relation(compile_select(data.query(number), full_size()).relation)
    before, after = plan.split(f"by: {key}; sorted groups", 1)
    assert "Join inner" in before and "Scan lineitem" in after


def full_size() -> Catalog:
    """The tables as large as at scale factor 0.01, without rows."""
    catalog = Catalog()
    rows = dict(zip(data.tables(data.schema(0.01)), (5, 25, 100, 2000, 8000, 1500, 15000, 60175), strict=True))
    for statement in parse_statements(data.schema(0.01)):
        assert isinstance(statement, CreateTable)
        name = statement.schema.name
        catalog = catalog.with_table(statement.schema, statement.ddl)
        catalog = catalog.with_fragment(name, Fragment(name, data.OWNERS[0], rows[name]))
    return catalog


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
