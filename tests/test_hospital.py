"""A study of three hospitals: eighteen queries, three parties, DuckDB's answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from smpc_sql.owner import read_csv
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_cost
from tests.engine.test_relational import ordered
from tests.plan.judge import assert_same

SUITE = Path(__file__).parent / "data" / "hospital"
HOSPITALS = ("hospital_a", "hospital_b", "hospital_c")
QUERIES = sorted((SUITE / "queries").glob("*.sql"))
FEW = 12
"""Of the larger tables the rows of one patient in so many, for the tests that run always."""
SMALL = 300


def _is_kept(row: pd.Series) -> bool:
    patient = next(
        (int(row[name]) for name in ("patient_id", "pat_id", "patid", "person_id", "user_id") if name in row), 0
    )
    return patient % FEW == 0


@cache
def worlds(part: bool, folder: Path) -> tuple[LockstepConsortium, duckdb.DuckDBPyConnection]:
    """Both systems with the rows of all hospitals, or a part of them."""
    ddl = (SUITE / "schema.sql").read_text()
    duck = duckdb.connect()
    duck.execute("SET error_on_division_by_zero = false")
    duck.execute(ddl)
    consortium = LockstepConsortium(3)
    consortium.create(ddl)
    for hospital in HOSPITALS:
        for path in sorted((SUITE / hospital).glob("*.csv")):
            source = _part(path, folder / hospital) if part else path
            schema = consortium.catalog.table(path.stem).schema
            consortium.load(path.stem, read_csv(schema, source), hospital)
            duck.execute(f"COPY {path.stem} FROM '{source}' (HEADER)")
    return consortium, duck


def _part(path: Path, folder: Path) -> Path:
    """The same file with fewer rows."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if len(frame) > SMALL:
        frame = frame[frame.apply(_is_kept, axis=1)]
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / path.name, index=False)
    return folder / path.name


def agrees(path: Path, part: bool, folder: Path) -> None:
    consortium, duck = worlds(part, folder)
    sql = path.read_text().strip().rstrip(";")
    expected = duck.execute(sql).fetchall()
    assert expected
    assert_same(consortium.sql(sql).fetchall(), expected, ordered(sql))
    check_cost(consortium, sql)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hospital")


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_part_of_the_rows(path: Path, folder: Path) -> None:
    agrees(path, True, folder)


@pytest.mark.long
@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_all_rows(path: Path, folder: Path) -> None:
    agrees(path, False, folder)
