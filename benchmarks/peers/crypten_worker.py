"""A party of CrypTen: two parties over gloo on loopback, arithmetic and binary shares of 64 bits.

    crypten_worker.py RANK PORT

Settings: encoder without fractional bits, since everything is an integer; the trusted first party makes the triples,
which costs less than a third process, and no message; one thread for each party, as CrypTen's own launcher has it.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from typing import Any

import torch
import workloads
from worker import serve


def _without_networks() -> Any:
    """CrypTen, without its importers of neural networks: they need other packages, and an older torch."""
    unused = {
        "crypten.nn.onnx_converter": ("from_onnx", "from_pytorch", "from_tensorflow", "TF_AND_TF2ONNX"),
        "crypten.nn.tensorboard": ("SummaryWriter",),
    }
    for module, names in unused.items():
        stand_in = types.ModuleType(module)
        for name in names:
            setattr(stand_in, name, None)
        sys.modules[module] = stand_in
    import crypten  # noqa: PLC0415

    return crypten


class CrypTen:
    """See worker.Peer."""

    def __init__(self, rank: int, port: int) -> None:
        os.environ.update(
            RANK=str(rank),
            WORLD_SIZE="2",
            RENDEZVOUS=f"tcp://127.0.0.1:{port}",
            DISTRIBUTED_BACKEND="gloo",
            GLOO_SOCKET_IFNAME="lo",
        )
        torch.set_num_threads(1)
        self._crypten = _without_networks()
        self._crypten.init()
        self._crypten.cfg.encoder.precision_bits = 0
        self._shared: dict[tuple[str, int], Any] = {}

    def barrier(self) -> None:
        """See worker.Peer."""
        self._crypten.communicator.get().barrier()

    def prepare(self, workload: str, rows: int) -> Callable[[], list[int]]:
        """See worker.Peer."""
        needs = workloads.by_name(workload).needs
        missing = [name for name in needs if (name, rows) not in self._shared]
        columns = workloads.columns(rows) if missing else {}
        for name in missing:
            self._shared[name, rows] = self._crypten.cryptensor(torch.from_numpy(columns[name]), precision=0)
        shared = {name: self._shared[name, rows] for name in needs}

        def work() -> list[int]:
            found = self._compute(workload, **shared).get_plain_text()
            return [int(v) for v in found.reshape(-1).tolist()]

        return work

    def _compute(self, workload: str, **c: Any) -> Any:
        match workload:
            case "inner":
                return (c["x"] * c["y"]).sum()
            case "multiply":
                return (c["x"] * c["y"] * c["k"]).sum()
            case "less_constant":
                return (c["z"] < workloads.CONSTANT).sum()
            case "less":
                return (c["p"] < c["q"]).sum()
            case "equal":
                return (c["z"] == c["w"]).sum()
            case "filter_sum":
                return ((c["x"] * c["y"]) * (c["z"] < workloads.CONSTANT)).sum()
            case "group":
                return self._groups(c["k"], c["x"])
            case _:
                raise NotImplementedError(f"CrypTen has no {workload}")

    def _groups(self, k: Any, x: Any) -> Any:
        """All comparisons in one batch: fewer rounds than key by key."""
        keys = torch.arange(workloads.GROUPS).unsqueeze(1)
        hot = self._crypten.stack([k] * workloads.GROUPS) == keys
        return self._crypten.cat([(hot * x).sum(1), hot.sum(1)])


if __name__ == "__main__":
    serve(lambda: CrypTen(*map(int, sys.argv[1:3])))
