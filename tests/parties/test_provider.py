"""The provider's work: right corrections for whom they are, to nobody else, whatever comes in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import parties.provider
from parties.provider import Provider
from smpc_sql import messages
from smpc_sql.correlations.permutations import Shuffle
from smpc_sql.correlations.products import Triple
from smpc_sql.correlations.requests import Request, correction, encode_requests
from smpc_sql.transport.base import Node, Silent
from smpc_sql.transport.memory import Hub

SESSION, OTHER = b"s" * 16, b"o" * 16
NAMES = ("a", "b", "c")
SEEDS = {name: name.encode() * 32 for name in NAMES}
TRIPLE = Request(b"\x00\x01", Triple(100, 64))


class World:
    def __init__(self, patience: float) -> None:
        self.hub = Hub()
        self.provider = Provider("provider", NAMES, patience=patience, ttl=1.0)
        self.link = self.hub.link("provider", on_data=self.provider.on_data)
        self.thread = threading.Thread(target=self.provider.run, args=(self.link,), daemon=True)
        self.thread.start()
        self.parties: dict[str, Node] = {name: self.hub.link(name) for name in NAMES}
        for party in self.parties.values():
            party.open_session(SESSION, ("provider",))
            party.open_session(OTHER, ("provider",))

    def seed(self, *names: str, session: bytes = SESSION) -> None:
        for name in names:
            self.parties[name].send_control("provider", messages.encode(messages.Seed(session, SEEDS[name])))

    def ask(self, name: str, *requests: Request, path: bytes = b"?1", session: bytes = SESSION) -> None:
        self.parties[name].send("provider", session, path, encode_requests(requests))

    def get(self, name: str, request: Request, *, timeout: float = 3.0, session: bytes = SESSION) -> Any:
        size = request.kind.correction_bytes
        raw = self.parties[name].receive("provider", session, request.path, size=size, timeout=timeout)
        return np.frombuffer(raw, np.uint8)

    def refusal(self, name: str) -> messages.Refused:
        sender, raw = self.parties[name].control.get(timeout=30)
        assert sender == "provider"
        return messages.from_provider(raw)

    def close(self) -> None:
        for party in self.parties.values():
            party.close()
        self.link.close()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def world() -> Iterator[World]:
    found = World(patience=0.3)
    yield found
    found.close()


def expected(request: Request, session: bytes = SESSION) -> Any:
    return correction(request, session, tuple(SEEDS.values()))


def test_a_correction_is_the_pure_functions(world: World) -> None:
    world.seed(*NAMES)
    world.ask("c", TRIPLE, Request(b"\x00\x02", Triple(3, 32)))
    assert np.array_equal(world.get("c", TRIPLE), expected(TRIPLE))
    second = Request(b"\x00\x02", Triple(3, 32))
    assert np.array_equal(world.get("c", second), expected(second))


def test_requests_wait_for_the_seeds(world: World) -> None:
    world.ask("c", TRIPLE)
    world.seed("c")
    with pytest.raises(Silent):
        world.get("c", TRIPLE, timeout=0.05)
    world.seed("a", "b")
    assert np.array_equal(world.get("c", TRIPLE), expected(TRIPLE))


def test_sessions_are_apart(world: World) -> None:
    for session in (SESSION, OTHER):
        world.seed(*NAMES, session=session)
        world.ask("c", TRIPLE, session=session)
    assert not np.array_equal(world.get("c", TRIPLE), world.get("c", TRIPLE, session=OTHER))


def test_many_requests_in_many_batches(world: World) -> None:
    world.seed(*NAMES)
    requests = [Request(n.to_bytes(3, "big"), Triple(8, 64)) for n in range(300)]
    for start in range(0, 300, 30):
        world.ask("c", *requests[start : start + 30], path=b"?" + bytes([start // 30]))
    for request in requests:
        assert np.array_equal(world.get("c", request), expected(request))


def test_a_correction_goes_to_its_receiver_only(world: World) -> None:
    """Another party that asks for it gets nothing, and is named."""
    world.seed(*NAMES)
    world.ask("a", TRIPLE)
    assert world.refusal("c").peer == "a"
    with pytest.raises(Silent):
        world.get("a", TRIPLE, timeout=0.1)


def test_a_turn_of_a_shuffle_is_dealt_to_who_turns(world: World) -> None:
    request = Request(b"\x01", Shuffle(16, 2, 1, 1, 0))
    world.seed(*NAMES)
    world.ask("a", request)
    assert np.array_equal(world.get("a", request), expected(request))


@pytest.mark.parametrize("payload", [b"x", bytes(1000), b"\xff" * 64])
def test_garbage_ends_the_session_and_is_named(world: World, payload: bytes) -> None:
    world.seed(*NAMES)
    world.parties["c"].send("provider", SESSION, b"?1", payload)
    for name in NAMES:
        refused = world.refusal(name)
        assert (refused.session, refused.peer) == (SESSION, "c")
    world.seed(*NAMES, session=OTHER)
    world.ask("c", TRIPLE, session=OTHER)
    assert np.array_equal(world.get("c", TRIPLE, session=OTHER), expected(TRIPLE, OTHER))


def test_a_seed_that_does_not_come_is_missed(world: World) -> None:
    world.seed("a", "c")
    world.ask("c", TRIPLE)
    refused = world.refusal("c")
    assert refused.peer == "b"
    assert "no seed" in refused.message


def test_a_second_seed_is_refused(world: World) -> None:
    world.seed(*NAMES)
    world.parties["b"].send_control("provider", messages.encode(messages.Seed(SESSION, b"x" * 32)))
    assert world.refusal("a").peer == "b"


def test_too_many_requests_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parties.provider, "MAX_WAITING", 1000)
    for number in range(100):
        world.ask("c", TRIPLE, path=b"?" + bytes([number]))
    assert world.refusal("a").peer == "c"


def test_strangers_get_nothing(world: World) -> None:
    world.seed(*NAMES)
    stranger = world.hub.link("analyst/1")
    stranger.open_session(SESSION)
    stranger.send("provider", SESSION, b"?1", encode_requests([TRIPLE]))
    stranger.send_control("provider", messages.encode(messages.Seed(SESSION, b"x" * 32)))
    world.ask("c", TRIPLE)
    assert np.array_equal(world.get("c", TRIPLE), expected(TRIPLE))
    with pytest.raises(Silent):
        stranger.receive("provider", SESSION, TRIPLE.path, size=TRIPLE.kind.correction_bytes, timeout=0.1)
    assert world.provider.dropped == 1
    stranger.close()


def test_seeds_go_when_all_have_ended(world: World) -> None:
    world.seed(*NAMES)
    world.ask("c", TRIPLE)
    world.get("c", TRIPLE)
    for name in NAMES:
        world.parties[name].send_control("provider", messages.encode(messages.End(SESSION)))
    world.seed(*NAMES, session=OTHER)
    world.ask("c", TRIPLE, session=OTHER)
    world.get("c", TRIPLE, session=OTHER)
    assert set(world.provider._sessions) == {OTHER}


def test_seeds_go_when_nobody_uses_them(world: World) -> None:
    world.seed(*NAMES)
    deadline = threading.Event()
    for _ in range(40):
        if not world.provider._sessions:
            break
        deadline.wait(0.1)
    assert not world.provider._sessions


def test_a_state_is_never_printed(world: World) -> None:
    world.seed(*NAMES)
    world.ask("c", TRIPLE)
    world.get("c", TRIPLE)
    assert "a" * 32 not in repr(world.provider._sessions)
