"""The systems that are compared, each as separate processes on this machine: ours, and the peers' workers."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import pandas as pd

from benchmarks.consortium import Running, Transport, consortium, free_ports, relays
from benchmarks.peers import workloads
from benchmarks.peers.install import python_of
from benchmarks.peers.workloads import Workload

_HERE = Path(__file__).resolve().parent
_PATIENCE = 900.0  # seconds that a peer may take for one answer


class Failed(Exception):
    """A system has no answer; the text says why."""


class System(Protocol):
    """Something that computes workloads. title: of its column; note: how it ran."""

    name: str
    title: str
    note: str

    def rows(self, workload: Workload) -> int:
        """How many rows it computes on; 0 if it does not take part."""

    def seconds(self, workload: Workload, rows: int) -> float:
        """Computes, checks the answer, returns the wall time. Raises Failed."""


def _checked(workload: Workload, rows: int, answer: Sequence[int]) -> None:
    if list(answer) != workload.expected(workloads.columns(rows)):
        raise Failed("its answer is wrong")


class Ours:
    """smpc_sql through the whole engine: SQL text in, answer out; two parties and the provider."""

    def __init__(self, running: Running, transport: Transport, limit: int | None) -> None:
        self.name = f"ours_{transport}"
        self.title = f"smpc_sql, {transport}"
        self.note = (
            "over tcp every byte is encrypted and authenticated" if transport == "tcp" else "sockets of one host"
        )
        self._con = running.con
        self._limit = limit
        self._loaded: set[int] = set()

    def rows(self, workload: Workload) -> int:
        """See System."""
        return min(workload.rows, self._limit or workload.rows)

    def seconds(self, workload: Workload, rows: int) -> float:
        """See System."""
        table = f"t{rows}"
        if rows not in self._loaded:
            self._con.execute(workloads.SCHEMA.format(t=table))
            self._con.load_df(table, pd.DataFrame(workloads.columns(rows)), owner="bench")
            self._loaded.add(rows)
        started = time.perf_counter()
        found = self._con.sql(workload.sql.format(t=table, half=rows // 2)).fetchall()
        seconds = time.perf_counter() - started
        if workload.name == "group":
            found = [(row[1],) for row in found] + [(row[2],) for row in found]
        _checked(workload, rows, [int(value) for row in found for value in row])
        return seconds


class Workers:
    """A peer's processes, spoken to in lines of JSON."""

    def __init__(self, name: str, processes: list[subprocess.Popen[str]], log: IO[str], limit: int | None) -> None:
        self.name = name
        self.title, self.note = _TITLES[name]
        self._sizes = SIZES[name]
        self._processes = processes
        self._log = log
        self._limit = limit
        self._broken = ""
        for process in processes:
            self._answer(process, "did not start")

    def rows(self, workload: Workload) -> int:
        """See System."""
        size = self._sizes.get(workload.name, 0)
        return min(size, self._limit or size)

    def seconds(self, workload: Workload, rows: int) -> float:
        """See System. The time of the slowest process."""
        if self._broken:
            raise Failed(self._broken)
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"run": workload.name, "rows": rows}) + "\n")
            process.stdin.flush()
        told = [self._answer(process, f"gave no answer within {_PATIENCE:g} s") for process in self._processes]
        for found in told:
            if "error" in found:
                raise Failed(found["error"])
            _checked(workload, rows, found["answer"])
        return max(found["seconds"] for found in told)

    def _answer(self, process: subprocess.Popen[str], problem: str) -> dict[str, Any]:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
        line = process.stdout.readline() if ready else ""
        if not line:
            self._log.seek(0)
            last = self._log.read().strip().splitlines()[-1:]
            self._broken = " ".join([problem, *last])[:300]
            raise Failed(self._broken)
        return json.loads(line)


_MILLION = ("inner", "multiply", "less_constant", "less", "equal", "filter_sum")
SIZES: dict[str, dict[str, int]] = {
    "spu": {**dict.fromkeys(_MILLION, 10**6), "group": 10**5, "sort": 10**5},
    "crypten": {**dict.fromkeys(_MILLION, 10**6), "group": 10**5},
    "mpyc": {"inner": 10**5, "multiply": 10**4, "group": 30, "sort": 30}
    | dict.fromkeys(("less_constant", "less", "equal", "filter_sum"), 300),
}
"""Rows: as many as take the peer seconds. What is missing the peer has no function for."""


def _commands(name: str, reached: Callable[[list[int]], list[int]]) -> list[list[str]]:
    """reached: for ports where a process listens those where the others find them."""
    python, script = str(python_of(name)), str(_HERE / f"{name}_worker.py")
    match name:
        case "spu":
            own = free_ports(2)
            seen = reached(own)
            return [[python, script, str(rank), str(own[rank]), str(seen[1 - rank])] for rank in range(2)]
        case "crypten":
            port = str(free_ports(1)[0])
            return [[python, script, str(rank), port] for rank in range(2)]
        case _:
            base = max(free_ports(3))  # MPyC takes this port and those after it
            return [[python, script, "-M3", f"-I{party}", f"-B{base}"] for party in range(3)]


_TITLES = {
    "spu": ("SPU SEMI2K", "2 parties, tcp without encryption; triples from the first party: no provider's work in it"),
    "crypten": ("CrypTen", "2 parties, tcp without encryption; triples from the first party: no provider's work in it"),
    "mpyc": ("MPyC", "3 parties, honest majority, tcp without encryption"),
}


@contextlib.contextmanager
def peer(name: str, limit: int | None, *, delay_milliseconds: float = 0.0) -> Iterator[Workers]:
    """A peer's processes. Raises Failed if it is not installed, or does not start.

    delay_milliseconds: of every byte between them, for SPU.
    """
    if not python_of(name).exists():
        raise Failed("not installed: python -m benchmarks.peers.install says why")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log, contextlib.ExitStack() as cleanup:

        def reached(ports: list[int]) -> list[int]:
            return cleanup.enter_context(relays(ports, delay_milliseconds)) if delay_milliseconds else ports

        processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
            for command in _commands(name, reached)
        ]
        cleanup.callback(_stop, processes)
        yield Workers(name, processes, log, limit)


def _stop(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    for process in processes:
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def ours(transport: Transport, limit: int | None) -> Iterator[Ours]:
    """Our processes."""
    with consortium(2, transport) as running:
        yield Ours(running, transport, limit)
