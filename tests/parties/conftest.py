"""Fixtures of the tests of parties."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from worlds import World


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def make(parties: int = 3, timeout: float = 5.0) -> World:
        worlds.append(World(parties, timeout))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
