"""A consortium of separate processes for measuring: over ipc or tcp with CURVE, with a delay on every link if asked,
and with the processes' ids, so that their memory and profiles can be read.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import smpc_sql
from parties import config
from parties.connect import connect
from parties.local import tuned_environment

ROOT = Path(__file__).resolve().parents[1]
Transport = Literal["ipc", "tcp", "curve"]
"""curve: tcp without sealed connections."""


@dataclass(frozen=True, slots=True)
class Running:
    """A consortium that runs. processes: every station's process id, by its name."""

    con: smpc_sql.Connection
    processes: dict[str, int]

    def peak_memory(self) -> dict[str, int]:
        """Bytes that each station has had resident at most since `reset_memory`."""
        return {name: _status(pid, "VmHWM") for name, pid in self.processes.items()}

    def memory(self) -> dict[str, int]:
        """Bytes that each station has resident."""
        return {name: _status(pid, "VmRSS") for name, pid in self.processes.items()}

    def reset_memory(self) -> None:
        """Peaks count from now on."""
        for pid in self.processes.values():
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/{pid}/status has no {field}")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in sockets]


@contextlib.contextmanager
def relays(targets: Sequence[int], milliseconds: float) -> Iterator[list[int]]:
    """For every port another one that leads there, where all bytes arrive that much later, either way."""
    ports = free_ports(len(targets))
    pairs = [f"{port}:{target}" for port, target in zip(ports, targets, strict=True)]
    command = [sys.executable, "-m", "benchmarks.relay", str(milliseconds), *pairs]
    with _child(command, "relay"):
        yield ports


@contextlib.contextmanager
def _child(command: Sequence[str], name: str) -> Iterator[int]:
    """A process that says a line when it is ready, and ends when its input does; its id."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=tuned_environment(), cwd=ROOT
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 60)
        if not ready or not process.stdout.readline():
            raise RuntimeError(f"{name} did not start")
        yield process.pid
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def consortium(
    parties: int,
    transport: Transport = "ipc",
    *,
    delay_milliseconds: float = 0.0,
    timeout_seconds: float = 600.0,
    launcher: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[Running]:
    """Parties and provider as processes, and a connection to them that may do everything.

    delay_milliseconds: added to every byte's way between any two of them ("curve" only). launcher: Python's arguments
    before the module's name, by station; "-m" where nothing is said.
    """
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smpc-", ignore_cleanup_errors=True)))
        path = _written(scratch, parties, transport, timeout_seconds)
        if delay_milliseconds:
            found = config.read(path)
            real = [int(station.endpoint.rpartition(":")[2]) for station in found.stations]
            late = stack.enter_context(relays(real, delay_milliseconds))
            moved = dict(zip((station.name for station in found.stations), late, strict=True))
            path.write_text(config.to_toml(_behind(found, moved)), encoding="utf-8")
        running = config.read(path)
        processes = {}
        for name in (running.provider.name, *running.party_names):
            module = ["parties.provider", str(path)]
            if name != running.provider.name:
                module = ["parties.compute", str(path), name]
            command = [sys.executable, *launcher.get(name, ("-m",)), *module]
            processes[name] = stack.enter_context(_child(command, name))
        yield Running(stack.enter_context(connect(path, "analyst")), processes)


def _written(scratch: Path, parties: int, transport: Transport, timeout_seconds: float) -> Path:
    """A consortium file, and over tcp the keys beside it."""
    if transport != "ipc":
        path = config.init(scratch / "c", parties=parties, timeout_seconds=timeout_seconds)
        found = config.read(path)
        ports = iter(free_ports(2 * len(found.stations)))

        def moved(station: config.StationConfig) -> config.StationConfig:
            endpoint, sealed = f"tcp://127.0.0.1:{next(ports)}", next(ports)
            return replace(station, endpoint=endpoint, sealed_port=sealed if transport == "tcp" else 0)

        found = replace(found, parties=tuple(map(moved, found.parties)), provider=moved(found.provider))
    else:
        names = [f"party{number}" for number in range(1, parties + 1)]
        found = config.Consortium(
            tuple(config.StationConfig(name, f"ipc://{scratch}/{name}") for name in names),
            config.StationConfig("provider", f"ipc://{scratch}/provider"),
            (config.ClientConfig("analyst", may=("query", "define"), owners=(config.ANY_OWNER,)),),
            timeout_seconds,
        )
        path = scratch / "consortium.toml"
    path.write_text(config.to_toml(found), encoding="utf-8")
    return path


def _behind(found: config.Consortium, ports: dict[str, int]) -> config.Consortium:
    """Everybody is spoken to at another port; each listens where it did."""

    def moved(station: config.StationConfig) -> config.StationConfig:
        return replace(station, listen=station.endpoint, endpoint=f"tcp://127.0.0.1:{ports[station.name]}")

    return replace(found, parties=tuple(map(moved, found.parties)), provider=moved(found.provider))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
