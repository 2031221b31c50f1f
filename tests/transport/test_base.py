"""What a Link promises, on every transport; and faults, each of which ends in a typed error in bounded time."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from smpc_sql.errors import InternalError, PeerError
from smpc_sql.transport.base import Node, Silent, identity
from smpc_sql.transport.faulty import Fault, Faulty, Rule

SESSION, OTHER = b"s" * 16, b"o" * 16
WORDS = np.arange(1000, dtype=np.uint64)


def pair(network: Any, **options: Any) -> tuple[Node, Node]:
    """Nodes a and b with an open session; options wrap a's carrier."""
    a, b = network.station("a", **options), network.station("b")
    for node in (a, b):
        node.open_session(SESSION, ("a", "b"))
    return a, b


def receive(node: Node, sender: str = "a", path: bytes = b"p", size: int = WORDS.nbytes, timeout: float = 30.0) -> Any:
    return np.frombuffer(node.receive(sender, SESSION, path, size=size, timeout=timeout), np.uint64)


@pytest.mark.parametrize("size", [0, 1, 1000, 1 << 18])
def test_frames_arrive_as_they_were_sent(network: Any, size: int) -> None:
    a, b = pair(network)
    words = np.arange(size, dtype=np.uint64)
    a.send("b", SESSION, b"p", words)
    b.send("a", SESSION, b"p", words + 1)
    assert np.array_equal(receive(b, "a", size=8 * size), words)
    assert np.array_equal(receive(a, "b", size=8 * size), words + 1)
    assert a.bytes_sent(SESSION) == {"b": 8 * size}


def test_frames_are_taken_in_any_order(network: Any) -> None:
    a, b = pair(network)
    for number in range(20):
        a.send("b", SESSION, bytes([number]), WORDS + number)
    for number in reversed(range(20)):
        assert np.array_equal(receive(b, path=bytes([number])), WORDS + number)


def test_many_threads_exchange_at_once(network: Any) -> None:
    a, b = pair(network)
    failures: list[BaseException] = []

    def work(me: Node, other: str, number: int) -> None:
        try:
            for turn in range(30):
                path = bytes([number, turn])
                me.send(other, SESSION, path, WORDS * number + turn)
                assert np.array_equal(receive(me, other, path), WORDS * number + turn)
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=work, args=(me, other, n)) for me, other in ((a, "b"), (b, "a")) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not failures


def test_silence_is_named_in_time(network: Any) -> None:
    _, b = pair(network)
    started = time.monotonic()
    with pytest.raises(Silent, match=r"a: no answer within 0\.2 s"):
        receive(b, timeout=0.2)
    assert time.monotonic() - started < 1.0


def test_a_frame_after_the_timeout_is_still_there(network: Any) -> None:
    a, b = pair(network)
    with pytest.raises(Silent):
        receive(b, timeout=0.05)
    a.send("b", SESSION, b"p", WORDS)
    assert np.array_equal(receive(b), WORDS)


def test_another_size_is_the_senders_fault(network: Any) -> None:
    a, b = pair(network)
    a.send("b", SESSION, b"p", WORDS[:-1])
    with pytest.raises(PeerError, match="a: sent 7992 bytes where 8000 were expected"):
        receive(b)


def test_frames_of_unknown_sessions_are_dropped(network: Any) -> None:
    a, b = pair(network)
    a.send("b", OTHER, b"p", WORDS)
    a.send("b", SESSION, b"p", WORDS)
    receive(b)
    assert b.dropped == 1
    with pytest.raises(InternalError):
        b.receive("a", OTHER, b"p", size=8, timeout=0.1)


def test_a_closed_session_forgets_its_frames(network: Any) -> None:
    a, b = pair(network)
    a.send("b", SESSION, b"p", WORDS)
    a.send("b", SESSION, b"q", WORDS)
    receive(b, path=b"q")
    b.close_session(SESSION)
    b.open_session(SESSION)
    with pytest.raises(Silent):
        receive(b, timeout=0.1)


def test_frames_from_others_than_the_senders_are_dropped(network: Any) -> None:
    _, b = pair(network)
    c = network.station("c")
    c.send("b", SESSION, b"p", WORDS)
    with pytest.raises(Silent):
        receive(b, timeout=0.2)
    assert b.dropped == 1


def test_a_frame_is_its_senders(network: Any) -> None:
    """The same path from another party does not answer for the one that is waited for."""
    a, b, c = (network.station(name) for name in "abc")
    for node in (a, b, c):
        node.open_session(SESSION)
    c.send("b", SESSION, b"p", WORDS + 1)
    with pytest.raises(Silent, match="a: no answer"):
        receive(b, "a", timeout=0.2)
    assert np.array_equal(receive(b, "c"), WORDS + 1)


def test_a_failed_session_wakes_who_waits(network: Any) -> None:
    _, b = pair(network)
    threading.Timer(0.1, b.fail_session, (SESSION, PeerError("c", "is gone"))).start()
    started = time.monotonic()
    with pytest.raises(PeerError, match="c: is gone"):
        receive(b, timeout=10)
    assert time.monotonic() - started < 2
    for late in (lambda: receive(b, timeout=10), lambda: b.send("a", SESSION, b"x", WORDS)):
        with pytest.raises(PeerError, match="c: is gone"):
            late()


def test_closing_the_link_wakes_who_waits(network: Any) -> None:
    _, b = pair(network)
    threading.Timer(0.1, b.close).start()
    with pytest.raises(PeerError, match="b: the link was closed"):
        receive(b, timeout=10)
    while (found := b.control.get(timeout=30)) != ("b", b""):
        assert found[1] == b""
    b.close()


def test_control_messages_keep_their_order(network: Any) -> None:
    a, b = pair(network)
    for number in range(50):
        a.send_control("b", bytes([number + 1]))
    assert [b.control.get(timeout=30) for _ in range(50)] == [("a", bytes([n + 1])) for n in range(50)]
    with pytest.raises(ValueError, match="control"):
        a.send_control("b", b"")


def test_a_visitor_is_answered(network: Any) -> None:
    a, one, two = network.station("a"), network.visitor(1), network.visitor(2)
    for visitor in (one, two):
        visitor.open_session(SESSION, ("a",))
    one.send_control("a", b"one")
    two.send_control("a", b"two")
    senders = {message: sender for sender, message in (a.control.get(timeout=30) for _ in range(2))}
    assert {identity(sender) for sender in senders.values()} == {"analyst"}
    assert senders[b"one"] != senders[b"two"]
    for message, visitor in ((b"one", one), (b"two", two)):
        a.send_control(senders[message], message * 2)
        a.send(senders[message], SESSION, b"r", WORDS)
        assert visitor.control.get(timeout=30) == ("a", message * 2)
        assert np.array_equal(receive(visitor, "a", b"r"), WORDS)


def test_a_peer_that_ends_is_noticed_before_the_timeout(network: Any) -> None:
    a, b = pair(network)
    a.send_control("b", b"hello")
    b.send_control("a", b"hello")
    assert b.control.get(timeout=30) == ("a", b"hello")
    threading.Timer(0.1, a.close).start()
    started = time.monotonic()
    with pytest.raises(PeerError, match="a: the connection was lost"):
        receive(b, timeout=20)
    assert time.monotonic() - started < 5
    assert b.control.get(timeout=30) == ("a", b"")


def test_who_is_not_there_cannot_be_reached(network: Any) -> None:
    a = network.station("a")
    started = time.monotonic()
    with pytest.raises(PeerError, match="b: cannot be reached"):
        a.send_control("b", b"x", wait=False)
    assert time.monotonic() - started < 1
    with pytest.raises(PeerError, match="b: cannot be reached"):
        a.send_control("b", b"x")
    assert time.monotonic() - started < 6


def test_a_reader_that_is_far_behind_is_protected(network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smpc_sql.transport.base.MAX_UNREAD", 20_000)
    a, b = pair(network)
    for number in range(3):
        a.send("b", SESSION, bytes([number]), WORDS)
    a.send_control("b", b"done")
    b.control.get(timeout=30)
    with pytest.raises(PeerError, match="a: ran too far ahead"):
        receive(b, path=b"\x00")


class TestFaults:
    """One frame of a is harmed on its way to b."""

    @staticmethod
    def run(network: Any, rule: Rule, *, timeout: float) -> list[Any]:
        """b receives three frames of a; the rule harms the second."""
        faulty: list[Faulty] = []

        def wrap(carrier: Any) -> Any:
            faulty.append(Faulty(carrier, rule))
            return faulty[0]

        a, b = pair(network, wrap=wrap)
        for number in range(3):
            a.send("b", SESSION, bytes([number]), WORDS + number)
        found = [receive(b, path=bytes([number]), timeout=timeout if number == 1 else 30) for number in range(3)]
        assert faulty[0].applied == 1
        return found

    @pytest.mark.parametrize("fault", [Fault.DELAY, Fault.REORDER])
    def test_late_frames_are_no_harm(self, network: Any, fault: Fault) -> None:
        found = self.run(network, Rule(fault, first=1, seconds=0.2), timeout=30)
        assert all(np.array_equal(words, WORDS + number) for number, words in enumerate(found))

    @pytest.mark.parametrize(
        ("fault", "says", "timeout"),
        [
            (Fault.DROP, "a: no answer", 0.5),
            # sealed, what is missing is taken from the next frame
            (Fault.TRUNCATE, "a: sent a (damaged frame|frame whose seal is broken)", 30),
            (Fault.CORRUPT, "a: sent a damaged frame", 30),
            (Fault.CORRUPT_HEADER, "a: (no answer|sent a damaged frame)", 0.5),  # which, depends on the byte
        ],
    )
    def test_a_lost_or_damaged_frame_is_the_senders_fault(
        self, network: Any, fault: Fault, says: str, timeout: float
    ) -> None:
        started = time.monotonic()
        with pytest.raises(PeerError, match=says):
            self.run(network, Rule(fault, first=1), timeout=timeout)
        assert time.monotonic() - started < 25

    def test_a_late_frame_beyond_the_timeout_is_the_senders_fault(self, network: Any) -> None:
        with pytest.raises(Silent, match="a: no answer"):
            self.run(network, Rule(Fault.DELAY, first=1, seconds=1.5), timeout=0.3)

    def test_a_frame_sent_twice_is_the_senders_fault(self, network: Any) -> None:
        a, b = pair(network, wrap=lambda carrier: Faulty(carrier, Rule(Fault.DUPLICATE)))
        a.send("b", SESSION, b"p", WORDS)
        a.send_control("b", b"done")
        b.control.get(timeout=30)
        with pytest.raises(PeerError, match="a: sent the same frame twice"):
            receive(b)

    @pytest.mark.parametrize("fault", [Fault.TRUNCATE, Fault.CORRUPT, Fault.CORRUPT_HEADER, Fault.DROP])
    def test_harmed_control_messages_are_dropped(self, network: Any, fault: Fault) -> None:
        a, b = pair(network, wrap=lambda carrier: Faulty(carrier, Rule(fault, control=True)))
        a.send_control("b", b"first")
        a.send_control("b", b"second")
        assert b.control.get(timeout=30) == ("a", b"second")
        assert b.dropped == (fault is not Fault.DROP)
