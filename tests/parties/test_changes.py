"""Changes of the catalog: by all parties or by none, whoever fails when."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import ANSWER, DDL, FRAME, QUERY, MakeWorld, World, agree, fill, plain

from parties.directory_store import DirectoryStore
from smpc_sql import messages
from smpc_sql.errors import CatalogConflict, DataError, PeerError, PolicyError, SmpcError, UnknownName
from smpc_sql.transport.faulty import Fault, Rule


def test_rows_are_shared_and_no_party_holds_them(world: World) -> None:
    fill(world.start())
    assert plain(world, "x").tolist() == [1, 2, 0, 40]
    assert plain(world, "g").tolist() == [0, 1, 0, 1]
    for store in world.stores.values():
        (fragment,) = store.fragments(store.catalog.table("t"))
        assert not np.isin(fragment.words["x"], [0, 1, 2, 40]).any()
    nulls = [store.fragments(store.catalog.table("t"))[0].nulls["x"][0] for store in world.stores.values()]
    assert nulls[0] ^ nulls[1] ^ nulls[2] == 0b0100
    assert agree(world)


def test_ddl(world: World) -> None:
    con = world.start()
    con.execute(DDL + "; CREATE TABLE IF NOT EXISTS T (x INTEGER); CREATE TABLE u (x INTEGER)")
    assert con.sql("SHOW TABLES").fetchall() == [("t",), ("u",)]
    assert con.sql("DESCRIBE t").fetchall() == [
        ("g", "ENUM('a', 'b')", "NO", ""),
        ("x", "INTEGER", "YES", ""),
    ]
    con.execute("DROP TABLE u; DROP TABLE IF EXISTS u")
    with pytest.raises(UnknownName):
        con.execute("DROP TABLE u")
    with pytest.raises(CatalogConflict, match="exists already"):
        con.execute(DDL)
    assert con.sql("SHOW TABLES").fetchall() == [("t",)]
    assert agree(world)


def test_a_script_that_does_not_parse_does_nothing(world: World) -> None:
    con = world.start()
    with pytest.raises(SmpcError):
        con.execute(DDL + "; CREATE TABEL x (y INTEGER)")
    assert con.sql("SHOW TABLES").fetchall() == []


def test_rows_that_do_not_fit_change_nothing(world: World, tmp_path: Path) -> None:
    con = fill(world.start())
    path = tmp_path / "rows.csv"
    path.write_text("g,x\na,1\nb,101\n")
    with pytest.raises(DataError, match="row 2"):
        con.load_csv("t", path, owner="h")
    with pytest.raises(UnknownName):
        con.load_csv("nope", path, owner="h")
    path.write_text("g,x\na,50\n")
    assert con.load_csv("t", path, owner="k") == 1
    assert con.sql("SELECT COUNT(*) AS n FROM t").fetchall() == [(5,)]
    assert agree(world)


def test_no_rows_are_rows_too(world: World) -> None:
    con = fill(world.start())
    assert con.load_df("t", FRAME[:0], owner="empty") == 0
    assert con.sql(QUERY).fetchall() == ANSWER


def test_a_table_of_that_name_that_is_another_by_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows were encoded for two decimals; the table has three by now."""
    con = world.start()
    con.execute("CREATE TABLE d (x DECIMAL(9,2))")
    old = con.catalog
    con.execute("DROP TABLE d; CREATE TABLE d (x DECIMAL(9,3))")
    with monkeypatch.context() as patched:
        patched.setattr(con._catalog, "fetch", lambda: old)
        with pytest.raises(CatalogConflict, match="another declaration"):
            con.load_df("d", pd.DataFrame({"x": [1.25]}), owner="h")
    assert agree(world)


def test_another_clients_tables_are_seen(world: World) -> None:
    one, two = world.start(), world.connect("rival")
    assert one.sql("SHOW TABLES").fetchall() == []
    fill(two)
    assert one.sql(QUERY).fetchall() == ANSWER
    two.execute("DROP TABLE t")
    with pytest.raises(UnknownName):
        one.sql(QUERY)
    fill(two)
    assert one.load_df("t", FRAME, owner="h") == 4
    assert two.sql("SELECT COUNT(*) AS n FROM t").fetchall() == [(8,)]


def test_a_reply_that_comes_early_is_kept(world: World) -> None:
    con = world.start()
    with con._calls.begin() as call:
        for party in ("p2", "p1", "p3"):
            call.replies.put((party, messages.Done(call.request)))
        assert set(con._calls.collect(call, ("p1",))) == {"p1"}
        assert set(con._calls.collect(call, ("p2", "p3"))) == {"p2", "p3"}


class TestRights:
    def test_an_owner_loads_its_own_rows_only(self, world: World) -> None:
        fill(world.start())
        owner = world.connect("owner")
        assert owner.load_df("t", FRAME) == 4
        assert world.stores["p1"].catalog.table("t").owners == ("h", "owner")
        with pytest.raises(PolicyError, match="owner may not load rows of h"):
            owner.load_df("t", FRAME, owner="h")
        with pytest.raises(PolicyError, match="may not change tables"):
            owner.execute("DROP TABLE t")
        assert agree(world)

    def test_a_change_is_committed_by_its_client_only(self, world: World) -> None:
        con, rival = fill(world.start()), world.connect("rival")
        change = os.urandom(16)
        with con._calls.begin() as call:
            con._calls.ask(call, messages.Define(call.request, change, "CREATE TABLE v (x INTEGER)"))
        with rival._calls.begin() as call:
            (reply,) = rival._calls.ask(call, messages.Commit(call.request, change), ("p1",)).values()
        assert isinstance(reply, messages.Failed)
        rival._calls.link.send_control("p1", messages.encode(messages.Rollback(change)))
        with con._calls.begin() as call:
            (reply,) = con._calls.ask(call, messages.Commit(call.request, change), ("p1",)).values()
        assert isinstance(reply, messages.Done)
        assert agree(world)


class TestAtOnce:
    def test_many_loads_of_many_clients(self, world: World) -> None:
        clients = [fill(world.start()), world.connect("rival"), world.connect("owner")]
        with ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(clients[n % 3].load_df, "t", FRAME, "owner") for n in range(9)]
            assert [job.result() for job in jobs] == [4] * 9
        assert clients[0].sql("SELECT COUNT(*) AS n FROM t").fetchall() == [(40,)]
        assert plain(world, "x").tolist() == [1, 2, 0, 40] * 10
        assert agree(world)

    def test_queries_during_changes_see_before_or_after(self, world: World) -> None:
        con, rival = fill(world.start()), world.connect("rival")
        stop = threading.Event()
        counts: list[int] = []

        def ask() -> None:
            while not stop.is_set():
                counts.append(rival.sql("SELECT COUNT(*) AS n FROM t").fetchall()[0][0])

        asker = threading.Thread(target=ask)
        asker.start()
        for _ in range(5):
            con.load_df("t", FRAME, owner="h")
        time.sleep(0.2)
        stop.set()
        asker.join()
        assert counts == sorted(counts)
        assert set(counts) <= {4, 8, 12, 16, 20, 24}
        assert counts[-1] == 24

    def test_one_of_two_creators_wins(self, world: World) -> None:
        one, two = world.start(), world.connect("rival")
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(client.execute, DDL) for client in (one, two)]
            errors = [job.exception() for job in jobs]
        assert sum(error is None for error in errors) == 1
        assert any(isinstance(error, CatalogConflict) for error in errors)
        assert agree(world)


class TestFailures:
    @pytest.mark.parametrize("dead", ["p1", "p2", "p3"])
    def test_a_dead_party_changes_nothing_elsewhere(self, make_world: MakeWorld, dead: str) -> None:
        world = make_world(3, timeout=1.0)
        con = fill(world.start())
        before = world.stores["p1"].catalog
        world.stop(dead)
        with pytest.raises(PeerError, match=dead):
            con.load_df("t", FRAME, owner="h")
        with pytest.raises(PeerError, match=dead):
            con.execute("DROP TABLE t")
        time.sleep(0.2)
        alive = [world.stores[name] for name in world.names if name != dead]
        assert all(store.catalog == before and not store.staged for store in alive)

    @pytest.mark.parametrize("number", range(7))
    def test_any_lost_frame_of_a_load(self, make_world: MakeWorld, number: int) -> None:
        world = make_world(3, timeout=0.5)
        con = world.start()
        con.execute(DDL)
        world.harm("rival", Rule(Fault.DROP, first=number))
        rival = world.connect("rival")
        before = world.stores["p1"].catalog
        try:
            rival.load_df("t", FRAME, owner="h")
        except PeerError:
            assert all(store.catalog == before for store in world.stores.values())
        assert agree(world)
        con.load_df("t", FRAME, owner="h")
        assert agree(world)

    @pytest.mark.parametrize("fault", [Fault.CORRUPT, Fault.TRUNCATE, Fault.DUPLICATE])
    def test_a_harmed_frame_of_a_load(self, make_world: MakeWorld, fault: Fault) -> None:
        world = make_world(2, timeout=0.5)
        world.start().execute(DDL)
        world.harm("rival", Rule(fault, first=2))
        before = world.stores["p1"].catalog
        try:
            world.connect("rival").load_df("t", FRAME, owner="h")
            assert plain(world, "x").tolist() == [1, 2, 0, 40]
        except PeerError:
            assert all(store.catalog == before for store in world.stores.values())
        assert agree(world)

    @pytest.mark.parametrize("number", range(8))
    @pytest.mark.parametrize("sender", ["p1", "p2", "rival"])
    def test_any_lost_control_message_of_a_change(self, make_world: MakeWorld, sender: str, number: int) -> None:
        """Whatever the client is told, the parties soon have one catalog again, and the table can be changed."""
        world = make_world(2, timeout=0.4)
        world.harm(sender, Rule(Fault.DROP, first=number, control=True))
        con = world.start()
        rival = world.connect("rival")
        for table in range(10):
            try:
                rival.execute(f"CREATE TABLE v{table} (x INTEGER)")
            except SmpcError as error:
                assert isinstance(error, PeerError), error
            if any(fault.applied for fault in world.faults.values()):
                break
        else:
            pytest.fail("no message was lost")
        assert agree(world)
        con.execute("CREATE TABLE w (x INTEGER)")
        assert agree(world)

    def test_a_client_that_vanishes_is_forgotten(self, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("parties.changes._ABANDONED", 0.1)
        world = make_world(3, timeout=0.3)
        con = fill(world.start())
        with con._calls.begin() as call:
            con._calls.ask(call, messages.Define(call.request, os.urandom(16), "DROP TABLE t"))
        assert all(store.staged for store in world.stores.values())
        assert agree(world)
        assert con.sql(QUERY).fetchall() == ANSWER

    def test_another_change_under_the_same_id(self, world: World) -> None:
        con = fill(world.start())
        change = os.urandom(16)
        with con._calls.begin() as call:
            for party, table in zip(world.names, "xyx", strict=True):
                con._calls.ask(
                    call, messages.Define(call.request, change, f"CREATE TABLE {table} (c INTEGER)"), (party,)
                )
            (reply,) = con._calls.ask(call, messages.Commit(call.request, change), ("p1",)).values()
        assert isinstance(reply, messages.Failed)
        assert (reply.fault.kind, reply.fault.peer) == ("PeerError", "p2")
        assert agree(world)
        assert con.sql("SHOW TABLES").fetchall() == [("t",)]


class TestRestart:
    """With stores in directories: a party ends, and comes back."""

    @staticmethod
    def world(make_world: MakeWorld, tmp_path: Path) -> tuple[World, Any]:
        world = make_world(3, timeout=0.6)
        world.stores = {name: DirectoryStore(tmp_path / name) for name in world.names}
        return world, fill(world.start())

    @staticmethod
    def restart(world: World, tmp_path: Path, name: str) -> None:
        world.links[name].close()
        world.stores[name].close()
        world.stores[name] = DirectoryStore(tmp_path / name)
        world.start_party(name)

    @pytest.mark.parametrize("name", ["p1", "p2"])
    def test_everything_is_still_there(self, make_world: MakeWorld, tmp_path: Path, name: str) -> None:
        world, con = self.world(make_world, tmp_path)
        self.restart(world, tmp_path, name)
        assert con.sql(QUERY).fetchall() == ANSWER
        con.load_df("t", FRAME, owner="k")
        assert con.sql("SELECT COUNT(*) AS n FROM t").fetchall() == [(8,)]

    @pytest.mark.parametrize("name", ["p1", "p2"])
    def test_what_was_prepared_is_decided(self, make_world: MakeWorld, tmp_path: Path, name: str) -> None:
        """p1, which decides, gives up what it had not decided; p2 asks p1."""
        world, con = self.world(make_world, tmp_path)
        change = os.urandom(16)
        with con._calls.begin() as call:
            con._calls.ask(call, messages.Define(call.request, change, "DROP TABLE t"))
        self.restart(world, tmp_path, name)
        with con._calls.begin() as call:
            (reply,) = con._calls.ask(call, messages.Commit(call.request, change), ("p1",)).values()
        assert isinstance(reply, messages.Failed if name == "p1" else messages.Done)
        assert agree(world)
        assert len(world.stores["p3"].catalog.tables) == (1 if name == "p1" else 0)

    def test_who_missed_the_decision_is_told(self, make_world: MakeWorld, tmp_path: Path) -> None:
        world, con = self.world(make_world, tmp_path)
        change = os.urandom(16)
        with con._calls.begin() as call:
            con._calls.ask(call, messages.Define(call.request, change, "DROP TABLE t"))
        world.links["p3"].close()
        with con._calls.begin() as call:
            (reply,) = con._calls.ask(call, messages.Commit(call.request, change), ("p1",)).values()
        assert isinstance(reply, messages.Failed)
        assert reply.fault.peer == "p3"
        assert "will follow" in reply.fault.message
        self.restart(world, tmp_path, "p3")
        assert agree(world)
        assert not world.stores["p3"].catalog.tables


def test_a_frame_of_a_column_that_is_wide(world: World) -> None:
    con = world.start()
    con.execute("CREATE TABLE w (x BIGINT, d DECIMAL(18,4), b BOOLEAN, e DATE)")
    frame = pd.DataFrame({"x": [-(2**63), 2**63 - 1], "d": ["-1.5", "2"], "b": [True, None], "e": ["2020-01-01", None]})
    assert con.load_df("w", frame, owner="h") == 2
    assert agree(world)


def test_views(world: World) -> None:
    con = fill(world.start())
    con.execute("CREATE VIEW large AS SELECT g, x FROM t WHERE x > 1; CREATE VIEW IF NOT EXISTS Large AS SELECT 1 AS a")
    rival = world.connect("rival")
    assert rival.sql("SELECT COUNT(*) AS n, SUM(x) AS s FROM large").fetchall() == ANSWER
    assert rival.sql("SHOW TABLES").fetchall() == [("large",), ("t",)]
    assert rival.sql("DESCRIBE large").fetchall()[1] == ("x", "INTEGER", "YES", "")
    with pytest.raises(CatalogConflict):
        con.execute("CREATE VIEW large AS SELECT x FROM t")
    with pytest.raises(UnknownName, match="is a view"):
        con.execute("DROP TABLE large")
    with pytest.raises(UnknownName, match="is a view"):
        con.load_df("large", FRAME, owner="h")
    con.execute("CREATE OR REPLACE VIEW large AS SELECT x FROM t WHERE x > 2")
    assert rival.sql("SELECT x FROM large").fetchall() == [(40,)]
    with pytest.raises(PolicyError, match="lacks define"):
        world.connect("owner").execute("CREATE VIEW v AS SELECT x FROM t")
    con.execute("DROP VIEW large; DROP VIEW IF EXISTS large")
    with pytest.raises(UnknownName, match="view large does not exist"):
        con.execute("DROP VIEW large")
    assert agree(world)


def test_copy_loads_a_file(world: World, tmp_path: Path) -> None:
    con = world.start()
    con.execute(DDL)
    path = tmp_path / "rows.csv"
    path.write_text("x;g\n1;a\n2;b\n;a\n40;b\n")
    assert con.sql(f"COPY t FROM '{path}' (HEADER, DELIMITER ';')").fetchall() == [(4,)]
    assert con.sql(QUERY).fetchall() == ANSWER
    path.write_text("a,5\nb,6\n")
    assert con.sql(f"COPY t FROM '{path}' (HEADER false)").fetchall() == [(2,)]
    assert con.sql("SELECT owner, SUM(x) AS s FROM t GROUP BY owner").fetchall() == [("analyst", 54)]
    with pytest.raises(DataError, match="cannot read"):
        con.execute("COPY t FROM '/nowhere/rows.csv'")
    with pytest.raises(PolicyError, match="may not load rows of"):
        world.connect("owner").load_csv("t", path, owner="h", header=False)
    assert agree(world)
