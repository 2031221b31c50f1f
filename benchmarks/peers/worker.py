"""The loop of a peer's party process: a line of JSON in, a line of JSON out. Imported by the workers beside it.

In:  {"run": workload name, "rows": …}  compute on shared inputs of that many rows, reveal the answer
Out: {"seconds": …, "answer": […]}      wall time of this party, from a barrier to the answer; or {"error": text}

The workers run in the peers' own virtual environments, as scripts: they import nothing of smpc_sql.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol


class Peer(Protocol):
    """One party of a peer."""

    def barrier(self) -> None:
        """Returns when all parties are here."""

    def prepare(self, workload: str, rows: int) -> Callable[[], Sequence[int]]:
        """What to time: computes and reveals. Compiling and sharing inputs lie before."""


def serve(start: Callable[[], Peer]) -> None:
    """Starts a party, answers until the input ends. Only this function's lines go to standard output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    peer = start()
    _say(out, {"ready": True})
    for line in sys.stdin:
        told = json.loads(line)
        try:
            work = peer.prepare(told["run"], told["rows"])
            peer.barrier()
            started = time.perf_counter()
            answer = work()
            seconds = time.perf_counter() - started
            _say(out, {"seconds": seconds, "answer": [int(v) for v in answer]})
        except Exception as error:  # the coordinator prints it and goes on with the other peers
            _say(out, {"error": f"{type(error).__name__}: {error}"[:300]})


def _say(out, told: dict[str, object]) -> None:
    out.write(json.dumps(told) + "\n")
    out.flush()
