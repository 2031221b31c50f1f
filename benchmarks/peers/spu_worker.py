"""A party of SecretFlow SPU: SEMI2K over a 64-bit ring, two parties over brpc on loopback.

    spu_worker.py RANK OWN_PORT OTHER_PORT

Settings: defaults, which are the fastest here: the trusted first party makes Beaver triples, without a third process,
so no provider's work is in its figures. Programs are compiled once. Of several ways to write a workload the fastest is
used. SPU_SORT=SORT_QUICK (or SORT_RADIX, SORT_NETWORK) in the environment chooses another sort.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import workloads
from spu import api, libspu
from spu.utils import frontend
from worker import serve

_SECRET = libspu.Visibility.VIS_SECRET


def _groups(k: Any, x: Any) -> Any:
    """Comparisons k < 1 … k < 9, each for itself: SPU takes less for them than for equalities, or for a matrix."""
    below = [(k < key).astype(jnp.int64) for key in range(1, workloads.GROUPS)]
    sums = [jnp.dot(bits, x) for bits in below] + [jnp.sum(x)]
    counts = [jnp.sum(bits) for bits in below] + [jnp.int64(x.shape[0])]
    return jnp.concatenate([jnp.diff(jnp.stack(part), prepend=0) for part in (sums, counts)])


PROGRAMS: dict[str, Callable[..., Any]] = {
    "inner": jnp.dot,
    "multiply": lambda x, y, k: jnp.dot(x * y, k),
    "less_constant": lambda z: jnp.sum(z < workloads.CONSTANT),
    "less": lambda p, q: jnp.sum(p < q),
    "equal": lambda z, w: jnp.sum(z == w),
    "filter_sum": lambda x, y, z: jnp.dot(x * y, (z < workloads.CONSTANT).astype(jnp.int64)),
    "group": _groups,
    "sort": lambda z: jnp.sort(z)[: len(z) // 2],
}


class Spu:
    """See worker.Peer."""

    def __init__(self, rank: int, own: int, other: int) -> None:
        self._rank = rank
        description = libspu.link.Desc()
        ports = (own, other) if rank == 0 else (other, own)
        for number, port in enumerate(ports):
            description.add_party(f"party{number}", f"127.0.0.1:{port}")
        description.recv_timeout_ms = 600_000
        self._link = libspu.link.create_brpc(description, rank)
        config = libspu.RuntimeConfig(protocol=libspu.ProtocolKind.SEMI2K, field=libspu.FieldType.FM64)
        sorting = os.environ.get("SPU_SORT")
        if sorting:
            config.sort_method = api.parse_sort_method(sorting)
        self._runtime = api.Runtime(self._link, config)
        self._io = api.Io(2, config)
        self._compiled: dict[tuple[str, int], Any] = {}
        self._shared: set[str] = set()

    def barrier(self) -> None:
        """See worker.Peer."""
        self._link.all_gather("here")

    def prepare(self, workload: str, rows: int) -> Callable[[], list[int]]:
        """See worker.Peer."""
        key = workload, rows
        if key not in self._compiled:
            columns = workloads.columns(rows)
            names = [f"{name}_{rows}" for name in workloads.by_name(workload).needs]
            for name in names:
                if name not in self._shared:
                    self._share(name, columns[name[0]])
            self._compiled[key] = self._compile(workload, names, columns)
        program = self._compiled[key]

        def work() -> list[int]:
            self._runtime.run(program)
            return [int(v) for v in self._revealed(program.output_names[0]).reshape(-1)]

        return work

    def _share(self, name: str, column: np.ndarray[Any, Any]) -> None:
        """The first party makes both shares and sends the other one its own."""
        if self._rank == 0:
            mine, theirs = self._io.make_shares(column, _SECRET)
            self._send(theirs)
        else:
            mine = self._receive()
        self._runtime.set_var(name, mine)
        self._shared.add(name)

    def _compile(self, workload: str, names: list[str], columns: workloads.Columns) -> Any:
        return frontend.compile(
            frontend.Kind.JAX,
            PROGRAMS[workload],
            [columns[name[0]] for name in names],
            {},
            names,
            [_SECRET] * len(names),
            lambda outputs: [f"{workload}_{number}" for number in range(len(outputs))],
        )[0]

    def _revealed(self, name: str) -> np.ndarray[Any, Any]:
        """The other party's share of the output comes here, and goes there: both learn the answer."""
        own = self._runtime.get_var(name)
        if self._rank == 0:
            self._send(own)
            other = self._receive()
            return self._io.reconstruct([own, other])
        other = self._receive()
        self._send(own)
        return self._io.reconstruct([other, own])

    def _send(self, share: Any) -> None:
        parts = [bytes(share.meta), *map(bytes, share.share_chunks)]
        self._link.send(1 - self._rank, " ".join(base64.b64encode(part).decode() for part in parts))

    def _receive(self) -> Any:
        received = self._link.recv(1 - self._rank)
        meta, *chunks = [base64.b64decode(part) for part in received.split()]
        share = libspu.Share()
        share.meta, share.share_chunks = meta, chunks
        return share


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    serve(lambda: Spu(*map(int, sys.argv[1:4])))
