"""A proposed schema: it takes the file that it was made of, and publishes round numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from smpc_sql.errors import DataError
from smpc_sql.infer import infer
from smpc_sql.owner import read_csv
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable

HEART = Path(__file__).parents[1] / "datasets" / "heart"

ROWS = "\n".join(
    f"{i};{i % 90 - 3};{i / 8};{'true' if i % 2 else 'false'};{2003 + i % 9}-02-28;{'ab'[i % 2]};text {i};"
    f"{'' if i % 9 == 0 else 'é' + str(i)};"
    for i in range(1, 30)
)
HEADER = "Id;delta;cost;flag;day;ward;note;odd name;empty"


def test_every_kind_of_column(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text(f"{HEADER}\n{ROWS}\n", encoding="utf-8")
    text = infer(path, delimiter=";")
    lines = [line.strip() for line in text.splitlines()]
    assert lines[1] == "CREATE TABLE visits ("
    assert lines[2].startswith("Id SMALLINT CHECK (Id BETWEEN 0 AND 50) NOT NULL,  -- review: no two rows alike")
    assert lines[3].startswith("delta SMALLINT CHECK (delta BETWEEN -5 AND 50) NOT NULL")
    assert lines[4].startswith("cost DECIMAL(4, 3) CHECK (cost BETWEEN 0 AND 5) NOT NULL")
    assert lines[5] == "flag BOOLEAN NOT NULL,"
    assert lines[6] == "day DATE CHECK (day BETWEEN DATE '2000-01-01' AND DATE '2019-12-31') NOT NULL,"
    assert lines[7].startswith("ward ENUM('a', 'b') NOT NULL,  -- review: the labels are published")
    assert lines[8].startswith("note VARCHAR(14) NOT NULL")
    assert lines[9] == '"odd name" VARCHAR(7) COLLATE C,'
    assert lines[10] == "empty VARCHAR(7)  -- review: the file has no value here"
    (statement,) = parse_statements(text)
    assert isinstance(statement, CreateTable)
    assert read_csv(statement.schema, path, delimiter=";").rows == 29


@pytest.mark.parametrize("path", sorted(HEART.glob("*.csv")), ids=lambda path: path.stem)
def test_files_fit_what_is_proposed_for_them(path: Path) -> None:
    (statement,) = parse_statements(infer(path, table="heart"))
    assert isinstance(statement, CreateTable)
    assert read_csv(statement.schema, path).rows > 100


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for content, message in (("", "is empty"), ("a,b\n1\n", "row 1 has 1 fields"), ('a\n"', "not a CSV file")):
        path.write_text(content)
        with pytest.raises(DataError, match=message):
            infer(path)
    with pytest.raises(DataError, match="one character"):
        infer(path, delimiter="::")
