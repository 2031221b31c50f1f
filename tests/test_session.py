"""Sessions: what an act does, its path, its round, its record; forks; the dry run; corrections asked for ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smpc_sql import network
from smpc_sql.correlations.bits import DaBit
from smpc_sql.correlations.fields import FieldRandom, Zero
from smpc_sql.correlations.permutations import Shuffle
from smpc_sql.correlations.products import SquarePair, Triple
from smpc_sql.correlations.requests import Request
from smpc_sql.dry import DryBackend
from smpc_sql.errors import PeerError
from smpc_sql.network import NetworkBackend
from smpc_sql.ring import LANES, Array, dtype_of
from smpc_sql.session import CHUNKS_IN_FLIGHT, Event, Session, SessionStats, stats_of
from smpc_sql.testing import PROVIDER, run_backends, run_parties
from smpc_sql.transport.memory import Hub

PARTIES = (2, 3, 5)


def mine(session: Session, shape: tuple[int, ...] = (3, 5), lane: int = 64) -> Array:
    """Other words at every party, the same ones each time."""
    rng = np.random.default_rng(session.index)
    return rng.integers(0, 1 << 64, shape, dtype=np.uint64).astype(dtype_of(lane))


def all_of(parties: int, shape: tuple[int, ...] = (3, 5), lane: int = 64) -> list[Array]:
    """What every party has."""
    rngs = [np.random.default_rng(index) for index in range(parties)]
    return [rng.integers(0, 1 << 64, shape, dtype=np.uint64).astype(dtype_of(lane)) for rng in rngs]


# ---------------------------------------------------------------------------------------------------------------- acts


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("parties", PARTIES)
def test_open_adds_up(parties: int, lane: int) -> None:
    expected = np.add.reduce(all_of(parties, lane=lane), dtype=dtype_of(lane))
    for found in run_parties(parties, lambda session: session.open(mine(session, lane=lane))):
        np.testing.assert_array_equal(found, expected)
    expected = np.bitwise_xor.reduce(all_of(parties, lane=lane))
    for found in run_parties(parties, lambda session: session.open_bits(mine(session, lane=lane))):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("parties", PARTIES)
def test_two_arrays_in_one_message(parties: int) -> None:
    def program(session: Session) -> tuple[Any, ...]:
        bits, words = mine(session, (3,), 8), mine(session, (2, 2), 32)  # words that begin at an odd byte
        return *session.open_both(bits, words), *session.open_sums(bits, words), session.rounds

    bits, words = all_of(parties, (3,), 8), all_of(parties, (2, 2), 32)
    for found in run_parties(parties, program):
        np.testing.assert_array_equal(found[0], np.bitwise_xor.reduce(bits))
        np.testing.assert_array_equal(found[1], np.add.reduce(words, dtype=np.uint32))
        np.testing.assert_array_equal(found[2], np.add.reduce(bits, dtype=np.uint8))
        np.testing.assert_array_equal(found[3], found[1])
        assert found[4] == 2


def test_exchange_and_collect() -> None:
    def program(session: Session) -> tuple[list[bytes], list[list[bytes]]]:
        own = np.full(3, session.index, dtype=np.uint16)
        exchanged = [each.tobytes() for each in session.exchange(own)]
        return exchanged, [[each.tobytes() for each in session.collect(own, turn)] for turn in range(3)]

    raw = [np.full(3, index, dtype=np.uint16).tobytes() for index in range(3)]
    for index, (exchanged, collected) in enumerate(run_parties(3, program)):
        others = [each for i, each in enumerate(raw) if i != index]
        assert exchanged == others
        assert collected == [others if turn == index else [] for turn in range(3)]


def test_public_values_are_one_partys() -> None:
    found = run_parties(3, lambda session: (session.public(7), session.public(np.arange(3)), session.first))
    assert [each[0] for each in found] == [7, 0, 0]
    np.testing.assert_array_equal(sum(each[1] for each in found), np.arange(3))
    assert [each[2] for each in found] == [True, False, False]


def test_opening_nothing() -> None:
    nothing = np.zeros((2, 0), dtype=np.uint64)
    assert all(each.shape == (2, 0) for each in run_parties(3, lambda session: session.open(nothing)))


def test_an_open_does_not_change_what_was_given() -> None:
    def program(session: Session) -> bool:
        words = mine(session)
        session.open(words)
        session.open_bits(words)
        session.open_sums(words, words)
        return bool((words == mine(session)).all())

    assert run_parties(3, program) == [True] * 3


# ---------------------------------------------------------------------------------------- paths, rounds, and the record


def tree(session: Session) -> list[int]:
    """Opens, deals, and forks in forks, some of them empty."""
    session.deal(Triple(4, 64))
    session.open(mine(session, (4,)))
    session.fork(lambda branch, item: branch.open(mine(branch)), [])

    def leaf(branch: Session, size: int) -> int:
        branch.deal(DaBit(8 * size, 32))
        for _ in range(size):
            branch.open(mine(branch, (size,)))
        return size

    def inner(branch: Session, sizes: tuple[int, ...]) -> int:
        found = branch.fork(leaf, sizes, lambda size: size)
        branch.open_bits(mine(branch, (2,), 8))
        return sum(found)

    sums = session.fork(inner, [(1, 2, 1), (3,), (1, 2, 1), ()], lambda sizes: sizes)
    session.open(mine(session, (1,)))
    session.deal(FieldRandom(2, 127))
    return sums


def recorded(parties: int, program: Callable[[Session], Any]) -> tuple[list[Any], list[NetworkBackend]]:
    """Results and backends of all parties."""
    backends: list[NetworkBackend] = []
    results = run_parties(parties, program, record=backends)
    return results, sorted(backends, key=lambda backend: backend.index)


@pytest.mark.parametrize("parties", PARTIES)
def test_paths_are_unique_and_the_same_at_every_party(parties: int) -> None:
    results, backends = recorded(parties, tree)
    assert results == [[4, 3, 4, 0]] * parties
    paths = [sorted(event.path for event in backend.events) for backend in backends]
    assert all(each == paths[0] for each in paths)
    assert len(set(paths[0])) == len(paths[0])


def test_rounds_count_the_longest_chain() -> None:
    _, backends = recorded(2, tree)
    stats = backends[0].stats()
    assert stats.rounds == 1 + (3 + 1) + 1
    _, backends = recorded(2, lambda session: session.deal(Triple(4, 64)) and None)
    assert backends[0].stats().rounds == 0


def test_the_record_counts_bytes() -> None:
    def program(session: Session) -> None:
        session.deal(Triple(100, 64))  # 800 bytes, rounded up to 832
        session.deal(Shuffle(16, 1, 0, 0, 0))  # 128 bytes, to the party whose turn it is
        session.deal(FieldRandom(5, 127))
        session.open(np.zeros(10, dtype=np.uint32))
        session.collect(np.zeros(10, dtype=np.uint8), 1)

    _, backends = recorded(3, program)
    assert [backend.stats().bytes_sent for backend in backends] == [80 + 10, 80, 80 + 10]
    assert [backend.stats().bytes_dealt for backend in backends] == [128, 0, 832]
    assert stats_of([]) == SessionStats(0, 0, 0)


# --------------------------------------------------------------------------------------------------------------- forks


def test_branches_run_at_the_same_time_and_results_keep_their_order() -> None:
    together = [threading.Barrier(CHUNKS_IN_FLIGHT, timeout=10) for _ in range(2)]

    def program(session: Session) -> list[int]:
        def work(branch: Session, item: int) -> int:
            together[session.index].wait()  # passes only if so many branches are here at once
            return item * int(branch.open(np.ones(1, dtype=np.uint64))[0])

        return session.fork(work, range(2 * CHUNKS_IN_FLIGHT))

    assert run_parties(2, program) == [[2 * i for i in range(2 * CHUNKS_IN_FLIGHT)]] * 2


def test_branches_may_be_done_in_another_order_at_another_party() -> None:
    def program(session: Session) -> list[int]:
        def work(branch: Session, item: int) -> int:
            time.sleep(0.01 * (item if session.index else 3 - item))
            return int(branch.open(np.array([item * (session.index + 1)], dtype=np.uint64))[0])

        return session.fork(work, range(4))

    assert run_parties(2, program) == [[3 * item for item in range(4)]] * 2


def test_a_branch_that_fails_ends_the_others_and_its_error_is_the_one_that_is_seen() -> None:
    def program(session: Session) -> list[Any]:
        def work(branch: Session, item: int) -> Any:
            if item == 2 and session.index == 0:
                raise ValueError("the cause")
            return (
                branch.open(np.ones(1, dtype=np.uint64)) if item < 2 else branch.collect(np.ones(1, dtype=np.uint8), 0)
            )

        return session.fork(work, range(3))

    start = time.monotonic()
    with pytest.raises(ValueError, match="the cause"):
        run_parties(2, program, timeout=20)
    assert time.monotonic() - start < 10


# ------------------------------------------------------------------------------------------------------------- dry runs


@pytest.mark.parametrize("parties", PARTIES)
def test_the_dry_run_has_the_same_record(parties: int) -> None:
    _, backends = recorded(parties, tree)
    for backend in backends:
        dry = DryBackend(index=backend.index, parties=parties)
        tree(Session(dry))
        assert sorted(dry.events, key=lambda event: event.path) == sorted(backend.events, key=lambda event: event.path)
        assert dry.stats() == backend.stats()


def test_the_dry_run_runs_what_is_alike_once() -> None:
    ran: list[int] = []

    def work(branch: Session, item: int) -> int:
        ran.append(item)
        branch.deal(Triple(item % 10, 64))
        branch.open(np.zeros(item % 10, dtype=np.uint64))
        return item % 10

    dry = DryBackend(index=1, parties=2)
    assert Session(dry).fork(work, [13, 24, 33, 43, 54], lambda item: item % 10) == [3, 4, 3, 3, 4]
    assert ran == [13, 24]
    once = DryBackend(index=1, parties=2)
    Session(once).fork(work, [13, 24, 33, 43, 54], lambda item: item)
    assert dry.events == once.events
    assert dry.requests == once.requests


def test_the_dry_run_repeats_the_record_of_work_that_is_alike() -> None:
    """Wherever it stands: in another branch, behind other acts, with branches of its own."""
    ran: list[int] = []

    def work(session: Session, size: int) -> int:
        ran.append(size)
        session.deal(Triple(size, 64))
        session.open(np.zeros(size, dtype=np.uint64))
        session.fork(lambda branch, item: branch.open(np.zeros(size + item, dtype=np.uint8)), [1, 2])
        return size

    def program(session: Session, keys: Callable[[int], object]) -> list[int]:
        found = [session.alike(keys(size), lambda session, size=size: work(session, size)) for size in (8, 16, 8)]
        session.open(np.zeros(3, dtype=np.uint64))
        later = session.fork(lambda branch, size: branch.alike(keys(size), lambda b: work(b, size)), [16, 8])
        session.open(np.zeros(1, dtype=np.uint64))
        return [*found, *later]

    dry, every = DryBackend(index=1, parties=2), DryBackend(index=1, parties=2)
    assert program(Session(dry), lambda size: size) == [8, 16, 8, 16, 8]
    assert ran == [8, 16]
    program(Session(every), lambda size: object())
    assert dry.events == every.events
    assert dry.requests == every.requests


def test_the_dry_run_knows_the_requests_of_all_receivers() -> None:
    dry = DryBackend(index=0, parties=3)
    session = Session(dry)
    kinds = [Triple(8, 64), Shuffle(4, 1, 0, 0, 1), FieldRandom(8, 127), Zero(8, 64, 0, 0)]
    parts = [session.deal(kind) for kind in kinds]
    assert [request.kind for request in dry.requests] == [kinds[0], kinds[1], kinds[3]]
    assert len({request.path for request in dry.requests}) == 3
    assert all(not part.any() for each in parts for part in each)


# ------------------------------------------------------------------------------------------------------- asking ahead


def squares(session: Session) -> None:
    """Twenty pairs, of which all must hold."""

    def work(branch: Session, item: int) -> tuple[Array, Array]:
        a, c = branch.deal(SquarePair(item, 64))
        return branch.open(a), branch.open(c)

    for a, c in session.fork(work, range(1, 21)):
        assert not (a * a - c).any()


def manifest(program: Callable[[Session], Any]) -> list[Request]:
    dry = DryBackend(index=1, parties=2)
    program(Session(dry))
    return dry.requests


@pytest.mark.parametrize(
    "change",
    [
        lambda requests: requests,
        lambda requests: [],
        lambda requests: requests[::-1],
        lambda requests: requests[3:9],
        lambda requests: [*requests, Request(b"never used", Triple(8, 64))],
    ],
    ids=["all", "none", "reversed", "some", "more than is used"],
)
@pytest.mark.parametrize("window", [1, 600, 1 << 26])
def test_whatever_is_asked_for_ahead_the_corrections_come(
    change: Callable[[list[Request]], list[Request]], window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_WINDOW", window)
    requests = change(manifest(squares))

    def program(backend: NetworkBackend) -> None:
        if backend.index == 1:
            backend.expect(requests)
        squares(Session(backend))

    run_backends(2, program, timeout=10)


class _Silence:
    """A consortium of two where nobody else speaks, and a provider that only counts."""

    def __init__(self, timeout: float) -> None:
        hub = Hub()
        self.asked: list[bytes] = []
        self.provider = hub.link(
            PROVIDER, on_data=lambda sender, session, path, payload: self.asked.append(bytes(payload))
        )
        self.other = hub.link("party0")
        self.link = hub.link("party1")
        self.link.open_session(bytes(16))
        self.backend = NetworkBackend(
            link=self.link, index=1, parties=("party0", "party1"), provider=PROVIDER, session=bytes(16), timeout=timeout
        )

    def close(self) -> None:
        for link in (self.link, self.other, self.provider):
            link.close()


def test_no_more_than_a_window_is_asked_for_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_WINDOW", 3 * 64)
    silence = _Silence(0.05)
    silence.backend.expect([Request(bytes([i]), Triple(8, 64)) for i in range(10)])
    assert len(silence.asked) == 1  # one batch
    assert silence.asked[0].count(Triple(8, 64).code.to_bytes(1, "little") + b"\2") == 3
    silence.close()


# ------------------------------------------------------------------------------------------------------------- failures


def test_a_silent_party_or_provider_is_named() -> None:
    silence = _Silence(0.05)
    with pytest.raises(PeerError, match="party0: no answer") as caught:
        Session(silence.backend).open(np.zeros(3, dtype=np.uint64))
    assert caught.value.peer == "party0"
    with pytest.raises(PeerError, match=f"{PROVIDER}: no answer") as caught:
        Session(silence.backend, b"x").deal(Triple(8, 64))
    assert caught.value.peer == PROVIDER
    silence.close()


def test_a_message_of_another_size_is_its_senders_fault() -> None:
    silence = _Silence(5)
    path = Session(silence.backend)._next()
    silence.other.send("party1", bytes(16), path, bytes(23))
    with pytest.raises(PeerError, match="23 bytes where 24") as caught:
        Session(silence.backend).open(np.zeros(3, dtype=np.uint64))
    assert caught.value.peer == "party0"
    silence.close()


def test_independent_parts_need_no_provider() -> None:
    silence = _Silence(0.05)
    session = Session(silence.backend)
    (first,) = session.deal(FieldRandom(4, 127))
    (second,) = session.deal(FieldRandom(4, 127))
    assert not np.array_equal(first, second)
    assert silence.asked == []
    silence.close()


def test_events_are_values() -> None:
    assert Event(b"\1", "open", 8, 1) == Event(b"\1", "open", 8, 1)
    with pytest.raises(AttributeError):
        Event(b"\1", "open", 8, 1).size = 9  # type: ignore[misc]
