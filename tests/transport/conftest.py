"""Fixtures of the tests of transports."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import Network


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory with a short path, for this user only."""
    path = Path(tempfile.mkdtemp(prefix="smpc-test-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=["memory", "ipc", "tcp", "sealed"])
def network(request: pytest.FixtureRequest, scratch: Path) -> Iterator[Network]:
    found = Network(request.param, scratch)
    yield found
    found.close()


@pytest.fixture(params=["ipc", "tcp", "sealed"])
def zeromq_network(request: pytest.FixtureRequest, scratch: Path) -> Iterator[Network]:
    found = Network(request.param, scratch)
    yield found
    found.close()
