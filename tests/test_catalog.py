"""The catalog is a value: it changes by copies, reads back from its text, and refuses what is no catalog."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql.catalog import Catalog, CatalogInvalid, Fragment
from smpc_sql.errors import CatalogConflict, UnknownName
from smpc_sql.schema import Boolean, Column, Date, Decimal, Enum, Integer, Interval, TableSchema, type_bounds

TYPES = [Integer(8), Integer(64), Decimal(8, 2), Boolean(), Date(), Enum(("x", "é'"))]
SCHEMA = TableSchema(
    "Heart",
    tuple(Column(f"c{i}", t, i % 2 == 0, type_bounds(t)) for i, t in enumerate(TYPES)),
    ("c1",),
    (("c0", "c2"),),
)


def filled() -> Catalog:
    catalog = Catalog().with_table(SCHEMA, "CREATE TABLE Heart …")
    return catalog.with_fragment("heart", Fragment("f1", "zurich", 3)).with_fragment(
        "HEART", Fragment("f0", "basel", 4)
    )


def test_copies_do_not_change_what_they_copy() -> None:
    empty = Catalog()
    one = empty.with_table(SCHEMA, "ddl")
    two = one.with_fragment("heart", Fragment("f", "basel", 1))
    assert (len(empty.tables), len(one.tables), len(one.table("HEART").fragments)) == (0, 1, 0)
    assert two.table("heart").rows == 1
    assert two.without_table("hearT") == empty
    with pytest.raises(TypeError):
        one.tables["x"] = two.table("heart")  # type: ignore[index]


def test_owners_are_sorted_and_fragments_are_not() -> None:
    entry = filled().with_fragment("heart", Fragment("f2", "basel", 0)).table("heart")
    assert entry.owners == ("basel", "zurich")
    assert [fragment.id for fragment in entry.fragments] == ["f1", "f0", "f2"]
    assert entry.rows == 7


def test_conflicts() -> None:
    catalog = filled()
    with pytest.raises(CatalogConflict, match="table HEART exists already"):
        catalog.with_table(TableSchema("HEART", SCHEMA.columns), "ddl")
    with pytest.raises(CatalogConflict, match="f1 exists"):
        catalog.with_fragment("heart", Fragment("f1", "other", 1))
    with pytest.raises(UnknownName, match="table lung does not exist; tables: Heart"):
        catalog.table("lung")
    with pytest.raises(UnknownName):
        catalog.without_table("lung")


def test_it_reads_back_from_its_text() -> None:
    catalog = filled()
    assert Catalog.from_text(catalog.canonical_text()) == catalog
    assert Catalog.from_json(json.loads(json.dumps(catalog.to_json()))) == catalog
    assert Catalog.from_text(Catalog().canonical_text()) == Catalog()


def test_digests_tell_catalogs_apart() -> None:
    narrow = TableSchema("Heart", (Column("c0", Integer(8), True, Interval(0, 1)), *SCHEMA.columns[1:]), ("c1",))
    catalogs = [
        Catalog(),
        filled(),
        filled().with_fragment("heart", Fragment("f2", "basel", 0)),
        Catalog().with_table(SCHEMA, "x"),
        Catalog().with_table(SCHEMA, "y"),
        Catalog().with_table(narrow, "x"),
    ]
    assert len({catalog.digest() for catalog in catalogs}) == len(catalogs)
    assert filled().digest() == filled().digest()


def test_the_order_of_tables_does_not_matter() -> None:
    other = TableSchema("a", SCHEMA.columns[:1])
    one = Catalog().with_table(SCHEMA, "x").with_table(other, "y")
    assert one.digest() == Catalog().with_table(other, "y").with_table(SCHEMA, "x").digest()


def _set(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return change


TABLE = ("tables", 0)
COLUMN = (*TABLE, "columns", 0)
FRAGMENT = (*TABLE, "fragments", 0)


@pytest.mark.parametrize(
    "change",
    [
        _set("extra", value=1),
        _set("tables", value={}),
        _set(*TABLE, value=[]),
        _set(*TABLE, "name", value=""),
        _set(*TABLE, "name", value="x" * 300),
        _set(*TABLE, "name", value=7),
        _set(*TABLE, "columns", value=[]),
        _set(*TABLE, "primary_key", value=["nothing"]),
        _set(*TABLE, "unique", value=[["nothing"]]),
        _set(*TABLE, "ddl", value=None),
        _set(*COLUMN, "name", value="C1"),
        _set(*COLUMN, "nullable", value=1),
        _set(*COLUMN, "low", value=1.0),
        _set(*COLUMN, "low", value=True),
        _set(*COLUMN, "low", value=-129),
        _set(*COLUMN, "high", value=-128 - 1),
        _set(*COLUMN, "type", value=["integer", 7]),
        _set(*COLUMN, "type", value=["integer", True]),
        _set(*COLUMN, "type", value=["double"]),
        _set(*COLUMN, "type", value=["enum"]),
        _set(*COLUMN, "type", value=["enum", "a", "a"]),
        _set(*COLUMN, "type", value=["decimal", 39, 2]),
        _set(*COLUMN, "type", value=["decimal", 4, 5]),
        _set(*FRAGMENT, "rows", value=-1),
        _set(*FRAGMENT, "rows", value=1 << 40),
        _set(*FRAGMENT, "id", value="f0"),
        _set(*FRAGMENT, "owner", value=""),
        _set(*TABLE, "fragments", value=[{}]),
    ],
)
def test_what_is_no_catalog_is_refused(change: Callable[[Any], None]) -> None:
    data = filled().to_json()
    Catalog.from_json(data)
    change(data)
    with pytest.raises(CatalogInvalid):
        Catalog.from_json(data)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"tables": 1}', "[" * 100_000, "NaN", "1e999"])
def test_texts_that_are_no_catalog_are_refused(text: str) -> None:
    with pytest.raises(CatalogInvalid):
        Catalog.from_text(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["tables", "name", "x"]), inner),
    max_leaves=10,
)


@given(json_values)
def test_any_json_is_a_catalog_or_refused(data: Any) -> None:
    try:
        catalog = Catalog.from_json(data)
    except CatalogInvalid:
        return
    assert catalog == Catalog()
