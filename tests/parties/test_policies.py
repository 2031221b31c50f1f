"""What parties let queries open to everybody: each checks for itself, and says what it refuses; and sizes of joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from worlds import World

from smpc_sql import messages
from smpc_sql.client import Connection
from smpc_sql.disclosures import DISCLOSURES, Disclosure
from smpc_sql.errors import PolicyError, QueryError, SyntaxInvalid

MakeWorld = Callable[..., World]
JOIN = "SELECT a.n, b.n AS m FROM t a JOIN u b USING (k) WHERE a.n < 30"
ROWS = pd.DataFrame({"n": range(1100), "k": [i % 89 for i in range(1100)]})
PAIRS = sorted((a, b) for a in range(30) for b in range(1100) if a % 89 == b % 89)


def allowing(make_world: MakeWorld, *policies: tuple[Disclosure, ...]) -> tuple[World, Connection]:
    """Parties with these policies, and two tables whose pairs are too many to be looked at."""
    world = make_world(len(policies))
    parties = tuple(replace(p, discloses=d) for p, d in zip(world.consortium.parties, policies, strict=True))
    world.consortium = replace(world.consortium, parties=parties)
    con = world.start()
    for table in ("t", "u"):
        columns = "n INTEGER NOT NULL CHECK (n BETWEEN 0 AND 2000), k INTEGER NOT NULL CHECK (k BETWEEN 0 AND 99)"
        con.execute(f"CREATE TABLE {table} ({columns})")
        con.load_df(table, ROWS)
    return world, con


def test_sizes_are_opened_where_all_allow_it(make_world: MakeWorld) -> None:
    _, con = allowing(make_world, DISCLOSURES, ("join_size",))
    for size in (True, "power_of_two", 100):
        assert sorted(con.sql(JOIN, join_size=size).fetchall()) == PAIRS
    assert sorted(con.sql(f"SET STATEMENT join_size = 50 FOR {JOIN}").fetchall()) == PAIRS
    text = con.explain(JOIN, join_size=True)
    assert "up to the size" in text and "how many pairs of rows a join has;" in text
    assert "400 pairs" in con.explain(JOIN, join_size=20, analyze=True)
    con.execute(f"CREATE TABLE made AS {JOIN}", join_size="power_of_two")
    assert con.sql("SELECT COUNT(*) FROM made").fetchall() == [(len(PAIRS),)]
    con.load_df("u", ROWS[:400])
    more = sorted([*PAIRS, *((a, b) for a, b in PAIRS if b < 400)])
    assert sorted(con.sql(JOIN, join_size=True).fetchall()) == more


def test_a_party_refuses_for_itself(make_world: MakeWorld) -> None:
    _, con = allowing(make_world, DISCLOSURES, ("keys", "join_rows"), DISCLOSURES)
    with pytest.raises(PolicyError, match=r"p2 does not allow how many pairs .* JOIN_ROWS\(n\), or .* add join_size"):
        con.sql(JOIN, join_size=True)
    assert sorted(con.sql(JOIN, join_rows=512).fetchall()) == PAIRS
    with pytest.raises(QueryError, match="more than the 100 pairs"):
        con.sql(JOIN, join_rows=100)
    assert "up to the size" in con.explain(JOIN, join_size=True)  # nothing is opened


def test_bounds_can_be_refused(make_world: MakeWorld) -> None:
    _, con = allowing(make_world, ("keys",), ())
    with pytest.raises(PolicyError, match=r"p1 does not allow whether a join fits .* add join_rows"):
        con.sql(JOIN, join_rows=512)
    with pytest.raises(PolicyError, match="p1 does not allow whether a join fits"):
        con.execute(f"CREATE TABLE made AS {JOIN}", join_rows=512)
    con.execute("CREATE TABLE w (k INTEGER PRIMARY KEY CHECK (k BETWEEN 0 AND 2000))")
    for first in (0, 500):
        con.load_df("w", pd.DataFrame({"k": range(first, first + 500)}))
    with pytest.raises(PolicyError, match="p2 does not allow whether declared keys hold"):
        con.execute("CHECK TABLE w")
    assert con.sql("SELECT COUNT(*) FROM t").fetchall() == [(1100,)]


def test_a_size_that_is_not_open_is_no_answer(make_world: MakeWorld) -> None:
    """A client that asks before the size is known is refused by all parties alike."""
    _, con = allowing(make_world, DISCLOSURES, DISCLOSURES)
    with con._calls.begin() as call:
        sql = f"SET STATEMENT join_size = exact FOR {JOIN}"
        replies = con._calls.ask(call, messages.Submit(call.request, sql, con.catalog.digest()))
    assert {reply.fault.kind for reply in replies.values() if isinstance(reply, messages.Failed)} == {"QueryError"}
    with pytest.raises(SyntaxInvalid, match="not both"):
        con.sql(JOIN, join_rows=5, join_size=True)
