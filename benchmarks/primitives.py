"""ns and bytes per element of the protocol's primitives: parties and provider as separate processes, whole columns in
chunks.

    python -m benchmarks.primitives [--parties 2] [--rows 1000000] [--repeats 5] [--only NAME] [--profile FILE]

Seconds are wall time at the first party, from the first act to the last chunk's result: everything that the provider
does for the run lies within. Each figure is the median of the repeats, after one run that is not counted.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from parties.provider import Provider
from smpc_sql.correlations.requests import Request
from smpc_sql.dry import DryBackend
from smpc_sql.network import NetworkBackend
from smpc_sql.protocol import arithmetic, comparison, grouping, ordering, permutation, sorting
from smpc_sql.ring import narrow
from smpc_sql.session import Session, stats_of
from smpc_sql.sharing import AShare
from smpc_sql.transport.base import Node
from smpc_sql.transport.zeromq.addresses import Address
from smpc_sql.transport.zeromq.station import Station

CHUNK = 1 << 16
Work = Callable[[Session, slice, dict[str, np.ndarray]], object]


def _row(words: np.ndarray, part: slice) -> AShare:
    return AShare(words[None, part])


def _filter_sum(session: Session, part: slice, c: dict[str, np.ndarray]) -> object:
    bits = comparison.negative(session, AShare(narrow(c["z"][None, part], 32)))
    chosen = arithmetic.bit_product(session, bits, AShare(c["x"][None, None, part]))
    return arithmetic.inner_product(session, AShare(chosen.words[0]), _row(c["y"], part))


WORK: dict[str, Work] = {
    "multiply 64": lambda s, p, c: arithmetic.multiply(s, _row(c["x"], p), _row(c["y"], p)),
    "inner product 64": lambda s, p, c: arithmetic.inner_product(s, _row(c["x"], p), _row(c["y"], p)),
    "compare with a constant, 32": lambda s, p, c: comparison.negative(s, AShare(narrow(c["z"][None, p], 32))),
    "compare with a constant, 8": lambda s, p, c: comparison.negative(s, AShare(narrow(c["z"][None, p], 8))),
    "compare two columns, 64": lambda s, p, c: comparison.less_than(s, _row(c["x"], p), _row(c["y"], p)),
    "equality, 32": lambda s, p, c: comparison.is_zero(s, AShare(narrow(c["z"][None, p], 32))),
    "equality, 64": lambda s, p, c: comparison.is_zero(s, _row(c["x"], p)),
    "filter and sum of a product": _filter_sum,
    "group by 10 keys, sum and count": lambda s, p, c: grouping.group_sums(
        s, AShare(c["z"][p]), 4, AShare(c["x"][None, p])
    ),
}


def _sort(bits: int) -> Work:
    return lambda s, p, c: ordering.sort(s, [sorting.KeyPart(c["x"][p], bits)])


WHOLE: dict[str, Work] = {
    "sort, 8-bit keys": _sort(8),
    "sort, 32-bit keys": _sort(32),
    "shuffle rows of one word": lambda s, p, c: permutation.shuffle(
        s, permutation.rows_of(p.stop, words=c["x"][None, p])
    ),
}
"""Work that looks at all rows together: not in chunks."""


def _columns(rows: int) -> dict[str, np.ndarray]:
    """Any words do: the work does not depend on them."""
    generator = np.random.default_rng(1)
    return {name: generator.integers(0, 1 << 62, rows, dtype=np.uint64) for name in "xyz"}


def _chunks(title: str, rows: int) -> list[slice]:
    if title in WHOLE:
        return [slice(0, rows)]
    return [slice(at, min(at + CHUNK, rows)) for at in range(0, rows, CHUNK)]


def _length(part: slice) -> int:
    return part.stop - part.start


def _manifest(title: str, work: Work, rows: int, index: int, parties: int) -> list[Request]:
    backend = DryBackend(index=index, parties=parties)
    zeros = {name: np.broadcast_to(np.uint64(0), (rows,)) for name in "xyz"}
    Session(backend).fork(lambda s, p: work(s, p, zeros), _chunks(title, rows), _length)
    return [r for r in backend.requests if r.kind.receiver(parties) == index]


def _station(directory: Path, name: str, parties: int) -> Station:
    names = [*(f"party{i}" for i in range(parties)), "provider"]
    peers = {peer: Address(f"ipc://{directory}/{peer}") for peer in names if peer != name}
    known = {peer.encode(): peer for peer in names}
    return Station(name, f"ipc://{directory}/{name}", peers, known=known)


def _party(directory: Path, index: int, parties: int, rows: int, repeats: int, only: str, profile: str) -> None:
    names = tuple(f"party{i}" for i in range(parties))
    link = Node(_station(directory, names[index], parties))
    columns = _columns(rows)
    others = [name for i, name in enumerate(names) if i != index]
    for number, (title, work) in enumerate({**WORK, **WHOLE}.items()):
        if only and only not in title:
            continue
        manifest = _manifest(title, work, rows, index, parties)
        seconds = []
        profiler = cProfile.Profile() if profile and index == 0 else None
        for repeat in range(repeats + 1):
            session = bytes([number, repeat]) + bytes(14)
            link.open_session(session)
            _meet(link, others)
            backend = NetworkBackend(
                link=link, index=index, parties=names, provider="provider", session=session, timeout=60
            )
            started = time.perf_counter()
            backend.expect(manifest)
            if profiler is not None:
                profiler.enable()
            Session(backend).fork(lambda s, p, work=work: work(s, p, columns), _chunks(title, rows), _length)
            if profiler is not None:
                profiler.disable()
            seconds.append(time.perf_counter() - started)
            stats = stats_of(backend.events)
            _meet(link, others)
            link.close_session(session)
        if profiler is not None:
            profiler.dump_stats(profile)
        print(
            json.dumps([title, statistics.median(seconds[1:]), stats.rounds, stats.bytes_sent, stats.bytes_dealt]),
            flush=True,
        )


def _meet(link: Node, others: list[str]) -> None:
    """Waits until all parties are here; control messages are kept until they are read."""
    for name in others:
        link.send_control(name, b"here")
    for _ in others:
        link.control.get()


def _provide(directory: Path, parties: int) -> None:
    names = tuple(f"party{i}" for i in range(parties))
    provider = Provider("provider", names, patience=60)
    link = Node(_station(directory, "provider", parties), on_data=provider.on_data)
    provider.run(link)


def main() -> None:
    """Starts the processes, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parties", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--profile", default="")
    parser.add_argument("--role", default="")
    parser.add_argument("--directory", type=Path)
    a = parser.parse_args()
    if a.role == "provider":
        _provide(a.directory, a.parties)
    elif a.role:
        _party(a.directory, int(a.role), a.parties, a.rows, a.repeats, a.only, a.profile)
    else:
        _lead(a)


def _lead(a: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o700)
        arguments = ["--parties", str(a.parties), "--rows", str(a.rows), "--repeats", str(a.repeats), "--only", a.only]
        command = [sys.executable, "-m", "benchmarks.primitives", *arguments, "--directory", directory]
        command += ["--profile", a.profile] if a.profile else []
        provider = subprocess.Popen([*command, "--role", "provider"])
        parties = [
            subprocess.Popen([*command, "--role", str(i)], stdout=subprocess.PIPE, text=True) for i in range(a.parties)
        ]
        drains = [threading.Thread(target=_drain, args=(p,)) for p in parties[:-1]]
        for thread in drains:
            thread.start()
        print(f"{a.parties} parties and provider, {a.rows:,} rows; the last party's bytes dealt")
        print(f"{'':34}{'ns':>8}{'bytes sent':>12}{'dealt':>8}{'rounds':>8}   per element")
        assert parties[-1].stdout is not None
        for line in parties[-1].stdout:
            title, seconds, rounds, sent, dealt = json.loads(line)
            print(
                f"{title:34}{seconds / a.rows * 1e9:8.0f}{sent / a.rows:12.1f}{dealt / a.rows:8.1f}{rounds:8}",
                flush=True,
            )
        for process in parties:
            process.wait()
        provider.terminate()
        provider.wait()


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for _ in process.stdout:
        pass


if __name__ == "__main__":
    main()
