"""The handshake: who differs is named, and no session id comes twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parties.agreement import Inbox, agree, compare, query_id
from smpc_sql import messages
from smpc_sql.errors import PeerError
from smpc_sql.messages import Abort, Agreed, Claim, Propose
from smpc_sql.transport.base import Node, Silent
from smpc_sql.transport.memory import Hub

QUERY = bytes(32)


def claim(*, sql: str = "s", catalog: str = "c", plan: str = "p", version: str = "1") -> Claim:
    return Claim(*(text.encode().ljust(32) for text in (sql, catalog, plan)), version)


class Table:
    """Parties around a hub, each with an inbox and a thread that fills it."""

    def __init__(self, claims: Mapping[str, Claim], *, present: tuple[str, ...] | None = None) -> None:
        self.claims = claims
        self.names = tuple(claims)
        hub = Hub()
        self.links: dict[str, Node] = {name: hub.link(name) for name in self.names}
        self.inboxes = {name: Inbox(name) for name in self.names}
        self.present = self.names if present is None else present
        for name in self.names:
            threading.Thread(target=self._fill, args=(name,), daemon=True).start()

    def _fill(self, name: str) -> None:
        while True:
            sender, raw = self.links[name].control.get()
            if sender == name:
                return
            if raw:
                self.inboxes[name].put(sender, messages.from_party(raw))  # type: ignore[arg-type]

    def run(self, timeout: float = 2.0) -> dict[str, bytes | PeerError]:
        found: dict[str, bytes | PeerError] = {}

        def one(name: str) -> None:
            try:
                found[name] = agree(
                    self.links[name],
                    self.inboxes[name],
                    parties=self.names,
                    provider="provider",
                    query=QUERY,
                    claim=self.claims[name],
                    timeout=timeout,
                )
            except PeerError as error:
                found[name] = error

        threads = [threading.Thread(target=one, args=(name,)) for name in self.present]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for link in self.links.values():
            link.close()
        return found


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_equal_claims_make_one_session_each_time_another(parties: int) -> None:
    sessions = []
    for _ in range(3):
        found = Table({f"p{n}": claim() for n in range(parties)}).run()
        assert len(set(found.values())) == 1
        sessions.append(found["p0"])
    assert len(set(sessions)) == 3
    assert all(isinstance(session, bytes) and len(session) == 16 for session in sessions)


@pytest.mark.parametrize("field", ["sql", "catalog", "plan", "version"])
def test_the_odd_one_is_named_by_all(field: str) -> None:
    found = Table({"a": claim(), "b": claim(**{field: "x"}), "c": claim()}).run()
    for error in found.values():
        assert isinstance(error, PeerError)
        assert error.peer == "b"
        assert "differs from that of a, c" in error.message


def test_of_two_each_names_the_other() -> None:
    found = Table({"a": claim(), "b": claim(plan="x")}).run()
    assert {name: error.peer for name, error in found.items() if isinstance(error, PeerError)} == {"a": "b", "b": "a"}


def test_who_is_silent_is_named() -> None:
    found = Table({name: claim() for name in "abc"}, present=("a", "b")).run(timeout=0.3)
    for error in found.values():
        assert isinstance(error, Silent)
        assert error.peer == "c"


def test_no_session_stays_open_after_a_failure() -> None:
    table = Table({"a": claim(), "b": claim()})
    table.inboxes["a"].put("b", Propose(QUERY, bytes(32), claim()))  # b was overheard, and answers with another nonce
    found = table.run(timeout=0.5)
    assert isinstance(found["a"], PeerError)
    assert found["a"].peer == "b"
    assert not table.links["a"]._boxes


def test_a_changed_nonce_changes_the_session() -> None:
    """Somebody who tells two parties different nonces is caught by the second message."""
    table = Table({name: claim() for name in "abc"}, present=("a", "b"))
    for name, nonce in (("a", b"1" * 32), ("b", b"2" * 32)):
        table.links["c"].send_control(name, messages.encode(Propose(QUERY, nonce, claim())))
    found = table.run(timeout=0.5)
    for error in found.values():
        assert isinstance(error, PeerError)


@given(st.lists(st.sampled_from("xy"), min_size=2, max_size=5))
def test_compare_names_somebody_who_differs(plans: list[str]) -> None:
    claims = {f"p{n}": claim(plan=plan) for n, plan in enumerate(plans)}
    for own in claims:
        try:
            compare(claims, own)
        except PeerError as error:
            odd = claims[error.peer].plan
            others = [c.plan for c in claims.values()]
            assert others.count(odd) * 2 <= len(others)
        else:
            assert len(set(plans)) == 1


def test_two_clients_never_share_a_query() -> None:
    assert query_id("a", b"b" * 16) != query_id("b", b"b" * 16)


class TestInbox:
    def test_follows_who_waits_for_whom(self) -> None:
        inbox = Inbox("me")
        inbox.put("b", Abort(QUERY, "c", "no answer", True))
        inbox.put("c", Abort(QUERY, "d", "no answer", True))
        assert inbox.deepest(PeerError("b", "no answer"), 0.1).peer == "d"

    def test_a_circle_ends(self) -> None:
        inbox = Inbox("me")
        inbox.put("b", Abort(QUERY, "a", "no answer", True))
        inbox.put("a", Abort(QUERY, "b", "no answer", True))
        started = time.monotonic()
        inbox.deepest(PeerError("b", "no answer"), 20)
        assert time.monotonic() - started < 20

    def test_waits_for_a_deeper_one_only_so_long(self) -> None:
        inbox = Inbox("me")
        threading.Timer(0.1, inbox.put, ("b", Abort(QUERY, "c", "no answer", True))).start()
        started = time.monotonic()
        assert inbox.deepest(PeerError("b", "no answer"), 0.5).peer == "c"
        assert time.monotonic() - started > 0.4

    def test_contradictions_are_named(self) -> None:
        inbox = Inbox("me")
        inbox.put("b", Agreed(QUERY, bytes(32)))
        inbox.put("b", Agreed(QUERY, b"x" * 32))
        with pytest.raises(PeerError, match="b: contradicted itself"):
            inbox.proposals(("c",), 1)

    def test_an_error_is_told_late_too(self) -> None:
        inbox = Inbox("me")
        inbox.fail(PeerError("b", "is gone"))
        told: list[Any] = []
        inbox.bind(told.append)
        assert [error.peer for error in told] == ["b"]
