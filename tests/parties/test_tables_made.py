"""CREATE TABLE AS over whole consortia: rows of a query stored as shares by all parties, or by none."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import FRAME, MakeWorld, World, agree, fill

import smpc_sql
from parties.catalog_changes import MakeTable
from parties.directory_store import DirectoryStore
from parties.store import StoredFragment
from smpc_sql.catalog import Fragment, Origin
from smpc_sql.errors import CatalogConflict, PeerError, PolicyError, SmpcError, UnknownName, Unsupported
from smpc_sql.schema import Column, Integer, Interval, TableSchema
from smpc_sql.transport.faulty import Fault, Rule

MAKE = "CREATE TABLE big AS SELECT g, x * 2 AS y FROM t WHERE x > 1"


def test_a_table_made_from_a_query_is_stored_as_shares(world: World) -> None:
    con = fill(world.start())
    assert con.execute(MAKE).fetchall() == []
    assert con.sql("SHOW TABLES").fetchall() == [("big",), ("t",)]
    assert con.sql("DESCRIBE big").fetchall() == [("g", "ENUM('a', 'b')", "NO", ""), ("y", "INTEGER", "YES", "")]
    assert sorted(con.sql("SELECT * FROM big").fetchall()) == [("b", 4), ("b", 80)]
    rival = world.connect("rival")
    assert rival.sql("SELECT owner, SUM(y) AS s FROM big GROUP BY owner").fetchall() == [("analyst", 84)]
    entry = con.catalog.table("big")
    assert entry.rows == 4, "the public bound, not the number of rows"
    assert entry.origin == Origin("analyst", ("t",), ("h",), "(valid)")
    stored = [store.fragments(store.catalog.table("big"))[0] for store in world.stores.values()]
    assert sum(f.words["y"] for f in stored).tolist() == [0, 4, 0, 80]
    assert [int(word) & 1 for word in sum(f.words["(valid)"] for f in stored)] == [0, 1, 0, 1]
    assert not any(np.isin(f.words["y"], [4, 80]).any() for f in stored)
    con.execute("DROP TABLE big")
    assert con.sql("SHOW TABLES").fetchall() == [("t",)]
    assert agree(world)


def test_replaced_kept_and_refused(world: World) -> None:
    con = fill(world.start())
    con.execute(MAKE + "; CREATE TABLE IF NOT EXISTS BIG AS SELECT 1 AS z")
    assert con.sql("SELECT COUNT(*) AS n FROM big").fetchall() == [(2,)]
    with pytest.raises(CatalogConflict, match="big exists already"):
        con.execute(MAKE)
    con.execute("CREATE OR REPLACE TABLE big AS SELECT y + 1 AS z FROM big")  # reads what it replaces
    assert sorted(con.sql("SELECT z FROM big").fetchall()) == [(5,), (81,)]
    with pytest.raises(CatalogConflict, match="takes no rows"):
        con.load_df("big", FRAME, owner="h")
    with pytest.raises(UnknownName) as caught:
        con.execute("CREATE TABLE c AS\nSELECT nope FROM t")
    assert (caught.value.line, caught.value.column) == (2, 8)
    with pytest.raises(Unsupported, match="pseudo-column"):
        con.execute("CREATE TABLE c AS SELECT owner, x FROM t")
    with pytest.raises(SmpcError, match="two columns"):
        con.execute("CREATE TABLE c AS SELECT x, x + 1 AS X FROM t")
    con.execute("DROP TABLE t")
    assert sorted(con.sql("SELECT z FROM big").fetchall()) == [(5,), (81,)]
    assert agree(world)


def test_who_may_not_define_or_query_makes_no_table(world: World) -> None:
    fill(world.start())
    with pytest.raises(PolicyError, match="lacks query"):
        world.connect("owner").execute(MAKE)
    assert agree(world)


@pytest.mark.parametrize(("sender", "number"), [("p2", 2), ("p2", 5), ("p1", 4), ("provider", 1)])
def test_a_frame_that_is_lost_while_parties_compute_leaves_no_table(
    make_world: MakeWorld, sender: str, number: int
) -> None:
    world = make_world(parties=2, timeout=1)
    world.harm(sender, Rule(Fault.DROP, first=number))
    con = fill(world.start())
    with pytest.raises(PeerError):
        con.execute(MAKE)
    assert agree(world)
    con.execute(MAKE)
    assert con.sql("SELECT COUNT(*) AS n FROM big").fetchall() == [(2,)]


@pytest.mark.parametrize("sender", ["p1", "p2"])
@pytest.mark.parametrize("number", range(7))
def test_a_message_that_is_lost_makes_the_table_everywhere_or_nowhere(
    make_world: MakeWorld, sender: str, number: int
) -> None:
    world = make_world(parties=2, timeout=1)
    world.harm(sender, Rule(Fault.DROP, first=1 << 30, control=True))
    con = fill(world.start())
    faults = world.faults[sender]
    faults._rule = Rule(Fault.DROP, first=faults._seen + number, control=True)
    with contextlib.suppress(PeerError):
        con.execute(MAKE)
    assert agree(world)
    con.execute("CREATE TABLE IF NOT EXISTS big AS SELECT g, x * 2 AS y FROM t WHERE x > 1")
    assert con.sql("SELECT COUNT(*) AS n FROM big").fetchall() == [(2,)]


def test_a_staged_table_survives_a_crash(tmp_path: Path) -> None:
    """At every moment the directory holds the state before or after."""
    schema = TableSchema("m", (Column("x", Integer(64), True, Interval(0, 9)),))
    change = MakeTable(schema, "CREATE TABLE m AS …", Origin("a", ("t",), ("h",)), Fragment("0" * 31 + "1", "a", 3))
    rows = StoredFragment(3, {"x": np.arange(3, dtype=np.uint64)}, {"x": np.array([5], dtype=np.uint8)})
    number = (1).to_bytes(16, "big")
    store = DirectoryStore(tmp_path)
    store.reserve(number, change)
    store.stage(number, rows)
    store.close()
    store = DirectoryStore(tmp_path)
    assert store.staged == (number,) and not store.catalog.tables
    store.commit(number)
    store.close()
    store = DirectoryStore(tmp_path)
    assert store.catalog.table("m").origin == Origin("a", ("t",), ("h",))
    assert store.fragments(store.catalog.table("m"))[0].words["x"].tolist() == [0, 1, 2]
    store.close()


def test_two_clients_make_the_same_table_at_once(world: World) -> None:
    con, rival = fill(world.start()), world.connect("rival")
    from concurrent.futures import ThreadPoolExecutor

    def make(which: Any) -> str:
        try:
            which.execute(MAKE)
        except CatalogConflict:
            return "late"
        return "made"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(make, (con, rival))) == ["late", "made"]
    assert con.sql("SELECT COUNT(*) AS n FROM big").fetchall() == [(2,)]
    assert agree(world)


def test_tables_outlive_processes(tmp_path: Path) -> None:
    with smpc_sql.local(parties=2, directory=tmp_path) as con:
        fill(con)
        con.execute("CREATE TABLE made(k, n) AS SELECT g, COUNT(*), AVG(x) AS m FROM t GROUP BY g HAVING COUNT(x) > 1")
        assert con.sql("SELECT * FROM made").fetchall() == [("b", 2, 21.0)]
    store = DirectoryStore(tmp_path / "party1")
    assert [q.name for q in store.catalog.table("made").origin.quotients] == ["m"]  # type: ignore[union-attr]
    store.close()
    with smpc_sql.local(parties=2, directory=tmp_path) as con:
        assert con.sql("DESCRIBE made").fetchall()[2][:2] == ("m", "DOUBLE")
        assert con.sql("SELECT t.x, made.m FROM t JOIN made ON t.g = made.k ORDER BY x").fetchall() == [
            (2, 21.0),
            (40, 21.0),
        ]
