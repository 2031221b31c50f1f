"""Keys between owners, over whole consortia: checked on first use, remembered by all parties, refused where broken."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pandas as pd
import pytest
from worlds import MakeWorld, World, agree

import smpc_sql
from smpc_sql.client import Connection
from smpc_sql.errors import PeerError, PolicyError, Unsupported
from smpc_sql.transport.faulty import Fault, Rule

DDL = """
CREATE TABLE p (id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 1000), a INTEGER CHECK (a BETWEEN 0 AND 9));
CREATE TABLE v (id INTEGER CHECK (id BETWEEN 0 AND 1000), c INTEGER CHECK (c BETWEEN 0 AND 9));
"""
JOIN = "SELECT v.c, p.a FROM v JOIN p ON v.id = p.id"
LOOKUP = "SELECT c, (SELECT a FROM p WHERE p.id = v.id) AS a FROM v"  # of which there must be one


def loaded(con: Connection, south: list[int]) -> Connection:
    con.execute(DDL)
    con.load_df("p", pd.DataFrame({"id": [1, 2], "a": [3, 4]}), owner="north")
    con.load_df("p", pd.DataFrame({"id": south, "a": [5] * len(south)}), owner="south")
    con.load_df("v", pd.DataFrame({"id": [2, 7], "c": [1, 2]}), owner="north")
    return con


def test_the_first_query_that_relies_on_a_key_has_it_checked(world: World) -> None:
    con = loaded(world.start(), [7, 8])
    assert "once, before it first runs (CHECK TABLE p)" in con.explain(JOIN)
    assert not con.catalog.table("p").verdicts
    assert sorted(con.sql(JOIN).fetchall()) == [(1, 4), (2, 5)]
    assert [verdict.unique for verdict in con.catalog.table("p").verdicts] == [True]
    assert con.explain(JOIN).endswith("  nothing")
    assert world.connect("rival").sql("CHECK TABLE p").fetchall() == [("id", "yes")]
    assert agree(world)
    con.load_df("p", pd.DataFrame({"id": [8], "a": [0]}), owner="north")
    with pytest.raises(Unsupported, match=r"PRIMARY KEY \(id\) of table p, which does not hold"):
        con.sql(LOOKUP)
    assert sorted(con.sql(JOIN).fetchall()) == [(1, 4), (2, 5)], "every pair of rows is looked at"
    assert con.sql("CHECK TABLE p").fetchall() == [("id", "no")]
    assert con.sql("SELECT COUNT(*) AS n FROM p").fetchall() == [(5,)]
    assert agree(world)


def test_tables_are_made_and_queries_analyzed_after_the_check(world: World) -> None:
    con = loaded(world.start(), [7, 8])
    assert "total: " in con.explain(JOIN, analyze=True)
    con.load_df("p", pd.DataFrame({"id": [20], "a": [0]}), owner="north")
    con.execute(f"CREATE TABLE j AS {JOIN}")
    assert sorted(con.sql("SELECT * FROM j").fetchall()) == [(1, 4), (2, 5)]
    with pytest.raises(PolicyError, match="lacks query"):
        con.load_df("p", pd.DataFrame({"id": [21], "a": [0]}), owner="north")
        world.connect("owner").execute("CHECK TABLE p")
    assert agree(world)


@pytest.mark.parametrize(("sender", "number"), [("p2", 3), ("p1", 9), ("provider", 0)])
def test_a_check_that_fails_leaves_no_verdict(make_world: MakeWorld, sender: str, number: int) -> None:
    world = make_world(parties=2, timeout=1)
    world.harm(sender, Rule(Fault.DROP, first=number))
    con = loaded(world.start(), [7, 8])
    with contextlib.suppress(PeerError):
        con.execute("CHECK TABLE p")
    assert agree(world)
    assert sorted(con.sql(JOIN).fetchall()) == [(1, 4), (2, 5)]


def test_verdicts_outlive_processes(tmp_path: Path) -> None:
    with smpc_sql.local(parties=2, directory=tmp_path) as con:
        loaded(con, [2])
        with pytest.raises(Unsupported, match="does not hold"):
            con.sql(LOOKUP)
    with smpc_sql.local(parties=2, directory=tmp_path) as con:
        assert con.catalog.table("p").violated == (("id",),)
        with pytest.raises(Unsupported, match="does not hold"):
            con.sql(LOOKUP)
