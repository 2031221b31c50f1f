"""A party of MPyC: three parties over asyncio on loopback, Shamir's sharing of secure integers.

    mpyc_worker.py -M3 -I PARTY -B BASE_PORT

Settings: three parties, since with two MPyC's threshold is 0 and nothing is secret; numpy arrays of secure integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import workloads
from mpyc.runtime import mpc
from worker import serve

_NARROW = ("less_constant", "equal", "sort")


class Mpyc:
    """See worker.Peer."""

    def __init__(self) -> None:
        mpc.run(mpc.start())
        self._types = {32: mpc.SecInt(32), 64: mpc.SecInt(64)}

    def barrier(self) -> None:
        """See worker.Peer."""
        mpc.run(mpc.barrier("here"))

    def prepare(self, workload: str, rows: int) -> Callable[[], list[int]]:
        """See worker.Peer."""
        columns = workloads.columns(rows)
        type_ = self._types[32 if workload in _NARROW else 64]
        shared = {}
        for name in workloads.by_name(workload).needs:
            plain = type_.array(columns[name].astype(object))
            shared[name] = mpc.run(self._given(mpc.input(plain, senders=0)))

        def work() -> list[int]:
            found = mpc.run(mpc.output(self._compute(workload, shared)))
            return [int(v) for v in np.asarray(found).reshape(-1)]

        return work

    @staticmethod
    async def _given(shared: Any) -> Any:
        await mpc.gather(shared)
        return shared

    def _compute(self, workload: str, c: dict[str, Any]) -> Any:
        match workload:
            case "inner":
                return c["x"] @ c["y"]
            case "multiply":
                return (c["x"] * c["y"]) @ c["k"]
            case "less_constant":
                return mpc.np_sum(c["z"] < workloads.CONSTANT)
            case "less":
                return mpc.np_sum(c["p"] < c["q"])
            case "equal":
                return mpc.np_sum(c["z"] == c["w"])
            case "filter_sum":
                return (c["x"] * c["y"]) @ (c["z"] < workloads.CONSTANT)
            case "group":
                hot = [c["k"] == key for key in range(workloads.GROUPS)]
                return [bits @ c["x"] for bits in hot] + [mpc.np_sum(bits) for bits in hot]
            case "sort":
                return mpc.np_sort(c["z"])[: len(c["z"]) // 2]
            case _:
                raise NotImplementedError(f"{workload} is not written for MPyC")


if __name__ == "__main__":
    serve(Mpyc)
