"""Parties at work: right answers, and every failure a typed error that names who is at fault, in bounded time."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from worlds import ANSWER, QUERY, Hooked, World, fill

from parties.engine import Seat
from smpc_sql import messages
from smpc_sql.errors import InternalError, PeerError, PolicyError, SmpcError, UnknownName
from smpc_sql.transport.faulty import Fault, Rule

MakeWorld = Callable[..., World]
LONG = 20.0  # seconds that nothing takes but what waits for a timeout of this length


def hang(seconds: float) -> Callable[[Seat], None]:
    return lambda _: time.sleep(seconds)


def fails(_: Seat) -> None:
    raise ZeroDivisionError("secret 42")


def timed(work: Callable[[], Any]) -> tuple[float, SmpcError]:
    started = time.monotonic()
    with pytest.raises(SmpcError) as found:
        work()
    return time.monotonic() - started, found.value


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_a_query_is_answered(make_world: MakeWorld, parties: int) -> None:
    con = fill(make_world(parties).start())
    result = con.sql(QUERY)
    assert result.fetchall() == ANSWER
    assert result.columns == ["n", "s"]
    assert len(result.stats.bytes_sent) == parties
    assert result.stats.rounds > 0
    assert result.stats.bytes_dealt > 0


def test_a_plan_is_kept_for_its_client_and_catalog(world: World) -> None:
    """Not for others: how long an answer takes must not tell what somebody else has asked."""
    engine = Hooked()
    con = fill(world.start(p1=engine))
    rival = world.connect("rival")
    assert [each.sql(QUERY).fetchall() for each in (con, con, rival, con, rival)] == [ANSWER] * 5
    assert engine.planned == [QUERY] * 2
    con.execute("CREATE TABLE another (x INTEGER)")
    assert con.sql(QUERY).fetchall() == con.sql(QUERY).fetchall() == ANSWER
    assert engine.planned == [QUERY] * 3


def test_many_queries_at_once(world: World) -> None:
    con = fill(world.start())
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: con.sql(f"SELECT COUNT(*) + {n} AS n FROM t").fetchall(), range(24)))
    assert answers == [[(4 + n,)] for n in range(24)]


def test_explain_is_the_plan_of_all_parties(world: World) -> None:
    text = fill(world.start()).explain(QUERY)
    assert "rounds:" in text
    assert "discloses:" in text


def test_errors_of_the_query_come_with_their_place(world: World) -> None:
    con = fill(world.start())
    with pytest.raises(UnknownName) as found:
        con.sql("SELECT 1;\nSELECT nope FROM t")
    assert (found.value.line, found.value.column) == (2, 8)
    assert con.sql(QUERY).fetchall() == ANSWER


def test_parties_refuse_what_a_client_did_not_check(world: World) -> None:
    """All parties agree on the refusal, and the client hears the reason."""
    con = fill(world.start())
    with con._calls.begin() as call:
        submit = messages.Submit(call.request, "SELECT nope FROM t", con.catalog.digest())
        replies = con._calls.ask(call, submit)
    assert {type(reply) for reply in replies.values()} == {messages.Failed}
    assert {reply.fault.kind for reply in replies.values() if isinstance(reply, messages.Failed)} == {"UnknownName"}
    assert con.sql(QUERY).fetchall() == ANSWER


def test_who_may_not_query_is_refused(world: World) -> None:
    fill(world.start())
    with pytest.raises(PolicyError, match="owner may not query"):
        world.connect("owner").sql(QUERY)


class TestAgreement:
    def test_another_plan_is_found_out(self, make_world: MakeWorld) -> None:
        con = fill(make_world(3, timeout=LONG).start(p2=Hooked(digest=b"x" * 32)))
        seconds, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == "p2"
        assert "plan differs from that of p1, p3" in str(error)
        assert seconds < LONG

    def test_another_catalog_is_found_out(self, world: World) -> None:
        con = fill(world.start())
        catalog = con.catalog
        store = world.stores["p3"]
        store._catalog = catalog.without_table("t")
        con._catalog.keep(catalog)  # the client does not notice
        _, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == "p3"
        assert "catalog" in str(error)

    def test_another_version_is_found_out(self, world: World) -> None:
        con = fill(world.start())
        reply = world.parties["p2"]._reply

        def older(client: str, message: Any) -> None:
            reply(client, msgspec.structs.replace(message, version="0"))

        world.parties["p2"]._reply = older  # type: ignore[method-assign]
        con._catalog.keep(None)
        with pytest.raises(PeerError, match="p2: runs another version than p1, p3"):
            con.sql(QUERY)

    def test_a_replayed_request_is_another_session(self, world: World) -> None:
        """Nonces make it so: the same request id twice cannot meet the same masks."""
        sessions: list[bytes] = []
        engine = Hooked(before_run=lambda seat: sessions.append(seat.session))
        con = fill(world.start(p1=engine))
        request = os.urandom(16)
        for _ in range(2):
            for party in world.names:
                con._calls.link.send_control(
                    party, messages.encode(messages.Submit(request, QUERY, con.catalog.digest()))
                )
            time.sleep(0.5)
        assert len(set(sessions)) == 2


class TestFailures:
    """The other parties go on serving afterwards."""

    def test_a_dead_party(self, make_world: MakeWorld) -> None:
        world = make_world(3, timeout=LONG)
        con = fill(world.start())
        world.stop("p2")
        seconds, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == "p2"
        assert seconds < LONG

    def test_a_party_that_dies_during_a_query(self, make_world: MakeWorld) -> None:
        world = make_world(3, timeout=LONG)
        con = fill(world.start(p2=Hooked(before_run=lambda _: world.links["p2"].close())))
        seconds, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == "p2"
        assert seconds < LONG

    @pytest.mark.parametrize("slow", ["p1", "p3"])
    def test_a_silent_party_is_named_by_all(self, make_world: MakeWorld, slow: str) -> None:
        world = make_world(3, timeout=0.6)
        awake = threading.Event()
        engine = Hooked(before_run=lambda _: awake.wait(LONG) and None)
        con = fill(world.start(**{slow: engine}))
        seconds, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == slow
        assert seconds < LONG
        awake.set()
        engine._before_run = lambda _: None
        assert con.sql(QUERY).fetchall() == ANSWER

    def test_the_deepest_is_named(self, make_world: MakeWorld) -> None:
        """p1 waits for p2, which waits for p3, which is silent."""
        world = make_world(3, timeout=0.6)

        def wait_for(name: str) -> Callable[[Seat], None]:
            return lambda seat: seat.link.receive(name, seat.session, b"x", size=1, timeout=seat.timeout) and None

        con = fill(
            world.start(
                p1=Hooked(before_run=wait_for("p2")),
                p2=Hooked(before_run=wait_for("p3")),
                p3=Hooked(before_run=hang(2)),
            )
        )
        _, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == "p3"

    def test_a_bug_is_the_partys_and_says_nothing(
        self, make_world: MakeWorld, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = Hooked(before_run=fails)
        con = fill(make_world(3, timeout=LONG).start(p2=engine))
        seconds, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError | InternalError)
        assert "p2" in str(error)
        assert "42" not in str(error)
        assert seconds < LONG
        engine._before_run = lambda _: None
        assert con.sql(QUERY).fetchall() == ANSWER

    def test_no_provider(self, make_world: MakeWorld) -> None:
        world = make_world(2, timeout=1.0)
        con = fill(world.start())
        world.stop("provider")
        seconds, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == "provider"
        assert seconds < LONG

    def test_all_queries_of_a_dead_party_end(self, world: World) -> None:
        con = fill(world.start(p3=Hooked(before_run=hang(1.0))))
        with ThreadPoolExecutor(4) as pool:
            queries = [pool.submit(con.sql, QUERY) for _ in range(4)]
            time.sleep(0.4)
            world.stop("p3")
            for query in queries:
                error = query.exception(5)
                assert isinstance(error, PeerError)
                assert error.peer == "p3"

    def test_a_lost_submit_is_noticed(self, make_world: MakeWorld) -> None:
        """p2 never hears of the query: the others say so."""
        world = make_world(3, timeout=0.8)
        con = fill(world.start())
        send = con._calls.link.send_control

        def lossy(to: str, raw: bytes, *, wait: bool = True) -> None:
            if to != "p2" or b"Submit" not in raw:
                send(to, raw, wait=wait)

        con._calls.link.send_control = lossy  # type: ignore[method-assign]
        seconds, error = timed(lambda: con.sql(QUERY))
        assert isinstance(error, PeerError)
        assert error.peer == "p2"
        assert seconds < LONG

    def test_a_query_that_nobody_waits_for_is_ended(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        ended: list[BaseException] = []

        def wait(seat: Seat) -> None:
            try:
                seat.link.receive("p2", seat.session, b"x", size=1, timeout=20)
            except PeerError as error:
                ended.append(error)
                raise

        con = fill(world.start(p1=Hooked(before_run=wait)))

        def interrupted(*_: object) -> None:
            time.sleep(0.3)
            raise KeyboardInterrupt

        assert con.catalog.tables
        with monkeypatch.context() as patched:
            patched.setattr(con._calls, "collect", interrupted)
            with pytest.raises(KeyboardInterrupt):
                con.sql(QUERY)
        for _ in range(100):
            if ended:
                break
            time.sleep(0.02)
        assert "analyst: cancelled the query" in str(ended[0])

    def test_closing_the_connection_ends_its_queries(self, make_world: MakeWorld) -> None:
        con = fill(make_world(3, timeout=LONG).start(p1=Hooked(before_run=hang(1.0))))
        threading.Timer(0.3, con.close).start()
        seconds, _ = timed(lambda: con.sql(QUERY))
        assert seconds < LONG


class TestHarmedFrames:
    """A frame of a party or of the provider is harmed: an error that names the sender, or the answer."""

    @pytest.mark.parametrize("sender", ["p1", "p3", "provider"])
    @pytest.mark.parametrize(
        "fault", [Fault.DROP, Fault.TRUNCATE, Fault.CORRUPT, Fault.DUPLICATE, Fault.CORRUPT_HEADER]
    )
    def test_never_a_wrong_answer(self, make_world: MakeWorld, sender: str, fault: Fault) -> None:
        world = make_world(3, timeout=0.8)
        world.harm(sender, Rule(fault, first=2))
        con = fill(world.start())
        started = time.monotonic()
        try:
            assert con.sql(QUERY).fetchall() == ANSWER
            assert fault is Fault.DUPLICATE or not world.faults[sender].applied
        except PeerError as error:
            lost = fault in (Fault.DROP, Fault.CORRUPT_HEADER)  # its sender and its receiver then wait for each other
            assert error.peer in {sender, *(world.faults[sender].receivers if lost else ())}
        assert time.monotonic() - started < LONG
        assert con.sql(QUERY).fetchall() == ANSWER

    @pytest.mark.parametrize("fault", [Fault.DELAY, Fault.REORDER])
    def test_late_frames_are_no_harm(self, make_world: MakeWorld, fault: Fault) -> None:
        world = make_world(3)
        world.harm("p2", Rule(fault, first=1, count=3, seconds=0.1))
        con = fill(world.start())
        assert con.sql(QUERY).fetchall() == ANSWER

    @pytest.mark.parametrize("number", range(0, 12, 2))
    def test_any_lost_control_message(self, make_world: MakeWorld, number: int) -> None:
        world = make_world(3, timeout=0.8)
        world.harm("p2", Rule(Fault.DROP, first=number, control=True))
        con = world.start()
        for _ in range(2):
            try:
                fill(con)
                assert con.sql(QUERY).fetchall() == ANSWER
            except SmpcError as error:
                assert isinstance(error, PeerError), error
                con.execute("DROP TABLE IF EXISTS t")


class TestGarbage:
    @pytest.mark.parametrize(
        "raw", [b"\xc1", b"garbage", b"\x80\x04\x95pickle", messages.encode(messages.Decide(bytes(16), True))]
    )
    def test_messages_that_nobody_may_send(self, world: World, raw: bytes) -> None:
        con = fill(world.start())
        for party in world.names:
            con._calls.link.send_control(party, raw)
        world.links["p3"].send_control("p1", messages.encode(messages.Submit(bytes(16), QUERY, bytes(32))))
        world.links["p3"].send_control("p2", messages.encode(messages.Decide(bytes(16), False)))  # p3 does not lead
        assert con.sql(QUERY).fetchall() == ANSWER

    def test_strangers_are_not_heard(self, world: World) -> None:
        con = fill(world.start())
        stranger = world._hub.link("mallory/1")
        stranger.send_control("p1", messages.encode(messages.GetCatalog(bytes(16))))
        assert con.sql(QUERY).fetchall() == ANSWER
        assert stranger.control.empty()
        stranger.close()


def test_explain_analyze_runs_and_shows_costs_alone(world: World) -> None:
    con = fill(world.start())
    text = con.explain(QUERY, analyze=True)
    assert "measured with 3 parties" in text and "scan t" in text and "total: " in text
    report = json.loads(con.explain(f"EXPLAIN (ANALYZE, FORMAT JSON) {QUERY}"))
    plain = json.loads(con.explain(QUERY, json=True))
    assert report["cost"] == plain["cost"]
    assert report["measured"]["bytes_sent"] == plain["cost"]["bytes_sent"]
    ((raw,),) = con.sql(f"EXPLAIN (FORMAT JSON) {QUERY}").fetchall()
    assert json.loads(raw) == plain
    ((raw,),) = con.sql(f"EXPLAIN ANALYZE {QUERY}").fetchall()
    assert "rounds" in raw
    with pytest.raises(PolicyError, match="lacks query"):
        world.connect("owner").explain(QUERY, analyze=True)
    with pytest.raises(UnknownName):
        con.explain("SELECT nope FROM t", analyze=True)
