"""Questions that a researcher, a controller and an engineer ask of the same tables: DuckDB's answers, on few rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from benchmarks.tpch import data
from smpc_sql.engine.explain import explain
from smpc_sql.engine.prepare import prepare
from smpc_sql.owner import read_csv
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_cost, consortium_of
from tests.engine.test_relational import ordered
from tests.plan.judge import QUERIES, assert_same, heart_world, queries
from tests.test_hospital import HOSPITALS, SMALL, SUITE
from tests.test_tpch import ROWS
from tests.test_tpch import consortium_of as traders

STUDIES = QUERIES / "studies"
HOSPITAL = ("cohorts", "stays", "time", "statistics", "reports")
FEW = 50
"""Of the larger tables the rows of one patient in so many."""


@dataclass(frozen=True)
class Both:
    """The same rows in both systems."""

    consortium: LockstepConsortium
    duck: duckdb.DuckDBPyConnection

    def agree(self, sql: str) -> None:
        """The same answer, which is not empty, at the cost that was foretold."""
        expected = self.duck.execute(sql).fetchall()
        assert expected, sql
        assert_same(self.consortium.sql(sql).fetchall(), expected, ordered(sql))
        check_cost(self.consortium, sql)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Both:
    ddl = (SUITE / "schema.sql").read_text()
    duck = duckdb.connect()
    duck.execute("SET error_on_division_by_zero = false")
    duck.execute("SET ieee_floating_point_ops = false")
    duck.execute(re.sub(r"\b(TINYINT|SMALLINT)\b", "INTEGER", ddl))
    consortium = LockstepConsortium(2)
    consortium.create(ddl)
    for hospital in HOSPITALS:
        for path in sorted((SUITE / hospital).glob("*.csv")):
            part = _part(path, tmp_path_factory.mktemp("part"))
            consortium.load(path.stem, read_csv(consortium.catalog.table(path.stem).schema, part), hospital)
            duck.execute(f"COPY {path.stem} FROM '{part}' (HEADER)")
    return Both(consortium, duck)


def _part(path: Path, folder: Path) -> Path:
    """The same file with the rows of few patients, if it has many."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    known = [name for name in ("patient_id", "pat_id", "patid", "person_id", "user_id") if name in frame]
    if len(frame) > SMALL and known:
        frame = frame[frame[known[0]].astype(int) % FEW == 0]
    frame[:SMALL].to_csv(folder / path.name, index=False)
    return folder / path.name


@pytest.mark.parametrize("name", HOSPITAL)
def test_the_hospitals(name: str, hospital: Both) -> None:
    for sql in queries(STUDIES / f"{name}.sql"):
        hospital.agree(sql)


def test_trade(tmp_path: Path) -> None:
    union = data.Union(data.schema(0.01))
    union.fill(ROWS, "csv")
    both = Both(traders(union, tmp_path), union.connection)
    for sql in queries(STUDIES / "trade.sql"):
        both.agree(sql)


def test_heart_patients() -> None:
    world = heart_world()
    both = Both(consortium_of(world, 2), world.duck)
    for sql in queries(STUDIES / "heart.sql"):
        both.agree(sql)


def test_plans_are_always_the_same(hospital: Both) -> None:
    catalog = hospital.consortium.catalog
    for name in HOSPITAL:
        for sql in queries(STUDIES / f"{name}.sql")[::4]:
            # a space, so that it is not the plan that was kept
            assert explain(prepare(sql, catalog), 2) == explain(prepare(f"{sql} ", catalog), 2), sql


def test_every_file_is_asked() -> None:
    assert sorted(path.stem for path in STUDIES.glob("*.sql")) == sorted((*HOSPITAL, "trade", "heart"))
