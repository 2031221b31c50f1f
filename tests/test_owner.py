"""Rows of an owner, from CSV files and DataFrames: all that is wrong is named at once, and nothing is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smpc_sql.errors import DataError
from smpc_sql.owner import MAX_PROBLEMS, EncodedRows, from_frame, read_csv
from smpc_sql.schema import Column, Date, Decimal, Enum, Integer, Interval, TableSchema, Text, type_bounds

VISITS = TableSchema(
    "visits",
    (
        Column("id", Integer(32), False, Interval(1, 1000)),
        Column("sex", Enum(("F", "M")), False, Interval(0, 1)),
        Column("Cost", Decimal(6, 2), True, type_bounds(Decimal(6, 2))),
        Column("day", Date(), True, type_bounds(Date())),
    ),
    primary_key=("id",),
    unique=(("sex", "day"),),
)
GOOD = "id,sex,cost,day\n1,F,10.50,2024-01-01\n2,M,,\n3,M,-0.01,\n"


def load(tmp_path: Path, content: str | bytes, schema: TableSchema = VISITS) -> EncodedRows:
    path = tmp_path / "site.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_csv(schema, path)


def refusal(tmp_path: Path, content: str | bytes, schema: TableSchema = VISITS) -> DataError:
    with pytest.raises(DataError) as caught:
        load(tmp_path, content, schema)
    return caught.value


def test_rows_by_the_schemas_names(tmp_path: Path) -> None:
    rows = load(tmp_path, GOOD)
    assert rows.rows == 3
    assert {name: words.tolist() for name, words in rows.words.items()} == {
        "id": [1, 2, 3], "sex": [0, 1, 1], "Cost": [1050, 0, -1], "day": [19723, 0, 0],
    }  # fmt: skip
    assert {name: nulls.tolist() for name, nulls in rows.nulls.items()} == {
        "Cost": [False, True, False], "day": [False, True, True],
    }  # fmt: skip
    assert all(words.dtype == np.int64 for words in rows.words.values())


@pytest.mark.parametrize(
    "same",
    [
        "day,COST, sex ,Id\n2024-01-01,10.50,F,1\n,,M,2\n,-0.01,M,3\n",
        '\ufeff"id","sex","cost","day"\r\n"1","F","10.50","2024-01-01"\r\n\r\n"2","M","",""\r\n3,M,-0.01,""',
    ],
)
def test_other_ways_to_write_the_same_file(tmp_path: Path, same: str) -> None:
    one, other = load(tmp_path, GOOD), load(tmp_path, same)
    assert all((one.words[name] == other.words[name]).all() for name in one.words)
    assert all((one.nulls[name] == other.nulls[name]).all() for name in one.nulls)


def test_every_offending_row_is_named_and_no_value(tmp_path: Path) -> None:
    error = refusal(
        tmp_path, "id,sex,cost,day\n1,F,10.505,2024-01-01\n77777,M,1,2024-13-45\n,X,1,\n4,M,1\n5,M,1,,\n6,F,secret,\n"
    )
    assert error.problems == (
        "site.csv row 1: Cost: more than 2 decimals for DECIMAL(6,2)",
        "site.csv row 2: id: not in CHECK (id BETWEEN 1 AND 1000)",
        "site.csv row 2: day: not a DATE written YYYY-MM-DD",
        "site.csv row 3: id: NULL in a NOT NULL column",
        "site.csv row 3: sex: not a label of ENUM('F', 'M')",
        "site.csv row 4: has 3 fields, not 4",
        "site.csv row 5: has 5 fields, not 4",
        "site.csv row 6: Cost: not a number that fits DECIMAL(6,2)",
    )
    assert error.message.startswith("site.csv: 6 rows do not fit table visits; nothing was loaded")
    assert not any(value in str(error) for value in ("10.505", "77777", "2024-13-45", "secret"))


def test_a_long_list_is_cut_and_counted(tmp_path: Path) -> None:
    error = refusal(tmp_path, "id,sex,cost,day\n" + "0,F,,\n" * 250)
    assert len(error.problems) == MAX_PROBLEMS + 1
    assert error.problems[0] == "site.csv row 1: id: not in CHECK (id BETWEEN 1 AND 1000)"
    assert error.problems[-1] == "… and 150 more"
    assert "250 rows" in error.message


def test_keys_that_repeat(tmp_path: Path) -> None:
    error = refusal(
        tmp_path, "id,sex,cost,day\n1,F,1,2024-01-01\n2,M,1,2024-01-01\n1,M,1,\n4,F,2,2024-01-01\n5,M,2,\n1,F,,\n"
    )
    assert error.problems == (
        "site.csv row 3: PRIMARY KEY (id): as in row 1",
        "site.csv row 4: UNIQUE (sex, day): as in row 1",
        "site.csv row 6: PRIMARY KEY (id): as in row 1",
    )


def test_headers_that_do_not_fit(tmp_path: Path) -> None:
    error = refusal(tmp_path, "id,sex,sex,age\n1,F,F,1\n")
    assert error.problems == (
        "column Cost is missing",
        "column day is missing",
        "column age is not in the table",
        "column sex is there 2 times",
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"id,sex,cost,day\n1,F,\xff,\n", "not UTF-8 text (line 2, byte 20)"),
        (GOOD.encode("utf-16"), "not UTF-8"),
        (b"id,sex,cost,day\n1,F\0,,\n", "NUL byte"),
        (b'id,sex,cost,day\n1,"F"x,,\n', "line 2"),
        (b'id,sex,cost,day\n1,"F,,\n', "not a CSV file"),
        (b"id,sex,cost,day\n1,F," + b"9" * 200_000 + b",\n", "field larger than field limit"),
    ],
)
def test_files_that_are_no_csv(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in str(refusal(tmp_path, content))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*nowhere\.csv: No such file"):
        read_csv(VISITS, tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="Is a directory"):
        read_csv(VISITS, tmp_path)


def test_no_rows(tmp_path: Path) -> None:
    rows = load(tmp_path, "id,sex,cost,day\n")
    assert rows.rows == 0
    assert rows.words["id"].shape == (0,)
    assert from_frame(VISITS, pd.DataFrame(columns=["id", "sex", "cost", "day"])).rows == 0


def test_the_only_column_can_be_null(tmp_path: Path) -> None:
    schema = TableSchema("one", (Column("x", Integer(8), True, type_bounds(Integer(8))),))
    assert load(tmp_path, 'x\n1\n""\n\n2\n', schema).nulls["x"].tolist() == [False, True, False]


def test_a_frame_is_read_as_its_csv(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_text(GOOD)
    from_file, from_pandas = (
        read_csv(VISITS, path),
        from_frame(VISITS, pd.read_csv(path).sample(frac=1).sort_values("id")),
    )
    assert from_pandas.rows == 3
    for name, words in from_file.words.items():
        assert from_pandas.words[name].tolist() == words.tolist()
    for name, nulls in from_file.nulls.items():
        assert from_pandas.nulls[name].tolist() == nulls.tolist()


def test_a_frame_that_does_not_fit() -> None:
    frame = pd.DataFrame({"id": [1, 1], "sex": ["F", "X"], "cost": [0.1, 0.125], "day": [None, None]}, index=[7, 7])
    with pytest.raises(DataError) as caught:
        from_frame(VISITS, frame)
    assert caught.value.problems == (
        "DataFrame row 2: sex: not a label of ENUM('F', 'M')",
        "DataFrame row 2: Cost: more than 2 decimals for DECIMAL(6,2)",
        "DataFrame row 2: PRIMARY KEY (id): as in row 1",
    )
    with pytest.raises(DataError, match="column day is missing"):
        from_frame(VISITS, frame[["id", "sex", "cost"]])
    with pytest.raises(DataError, match="column sex is there 2 times"):
        from_frame(VISITS, pd.concat([frame, frame[["sex"]]], axis=1))


TEXTS = TableSchema(
    "names",
    (
        Column("id", Integer(32), False, type_bounds(Integer(32))),
        Column("name", Text(10), False, type_bounds(Text(10))),
        Column("raw", Text(4, ascii=False), True, type_bounds(Text(4))),
    ),
    primary_key=("name",),
)


def test_long_texts_become_words(tmp_path: Path) -> None:
    rows = load(tmp_path, "id,name,raw\n1,abcdefghij,é\n2,ab,\n", TEXTS)
    assert list(rows.words) == ["id", "name", "name[2]", "raw"]
    assert rows.words["name"].tolist() == [int.from_bytes(b"abcdefg", "big"), int.from_bytes(b"ab\0\0\0\0\0", "big")]
    assert rows.words["name[2]"].tolist() == [int.from_bytes(b"hij", "big"), 0]
    assert rows.words["raw"].tolist() == [int.from_bytes("é".encode() + b"\0\0", "big"), 0]
    assert rows.nulls["raw"].tolist() == [False, True]


def test_texts_that_do_not_fit_are_named(tmp_path: Path) -> None:
    content = "id,name,raw\n1,Zürich,abcd\n2,abcdefghijk,ééé\n3,abcdefghi,\n4,abcdefghi,\n"
    what = "declare the column VARCHAR(…) COLLATE C for other characters"
    assert refusal(tmp_path, content, TEXTS).problems == (
        f"site.csv row 1: name: not ASCII, for VARCHAR(10); {what}",
        "site.csv row 2: name: longer than 10 bytes, or with a NUL character, for VARCHAR(10)",
        "site.csv row 2: raw: longer than 4 bytes of UTF-8, or with a NUL character, for VARCHAR(4) COLLATE C",
        "site.csv row 4: PRIMARY KEY (name): as in row 3",
    )
