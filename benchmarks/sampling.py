"""Runs a module with a sampler beside it: which kind of work the process's CPU time goes to.

    python -m benchmarks.sampling FILE MODULE [ARGUMENT …]

Every millisecond or so the sampler reads the CPU time of each thread from /proc, and charges what is new in halves to
the kinds of work that the thread was in before and is in now: that of the innermost frame of ours. One that waits is
in no kind: the other half gets it all. ZeroMQ's own threads have no frames: they are sockets. The totals so far are
appended to the file, a line of JSON with the time (monotonic) each, so that a reader can take differences.

The sampler waits for Python's lock itself: it looks where threads let go of it. Shares are good to some per cent.
"""

from __future__ import annotations

import json
import runpy
import sys
import threading
import time
from pathlib import Path
from types import FrameType

PERIOD = 0.001
_WRITE = 0.05

KINDS = ("PRG", "arithmetic", "socket", "checksum", "Python")
_PLACES = (
    ("smpc_sql/randomness.py", "PRG"),
    ("smpc_sql/transport/", "socket"),
    ("zmq/", "socket"),
    ("smpc_sql/ring.py", "arithmetic"),
    ("smpc_sql/field.py", "arithmetic"),
    ("smpc_sql/sharing.py", "arithmetic"),
    ("smpc_sql/encoding.py", "arithmetic"),
    ("smpc_sql/correlations.py", "arithmetic"),
    ("smpc_sql/protocol/", "arithmetic"),
    ("smpc_sql/operators/", "arithmetic"),
    ("smpc_sql/session.py", "arithmetic"),  # adds what came from the others
)


def kind_of(frame: FrameType | None) -> str:
    """What a thread does: that of the innermost frame that has a place in the list; "" if it waits."""
    if frame is not None and frame.f_code.co_name in ("take", "wait", "poll", "_worker"):
        return ""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.endswith("smpc_sql/wire.py"):
            return "checksum" if "check" in frame.f_code.co_name else "socket"
        for place, kind in _PLACES:
            if place in name:
                return kind
        frame = frame.f_back
    return "Python"


class Sampler(threading.Thread):
    """Adds up CPU seconds by kind."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="sampler", daemon=True)
        self._path = path
        self._seen: dict[str, int] = {}
        self._before: dict[str, str] = {}
        self._totals = dict.fromkeys(KINDS, 0.0)

    def run(self) -> None:
        """Until the process ends."""
        due = 0.0
        with self._path.open("a", encoding="utf-8") as file:
            while True:
                self._sample()
                now = time.monotonic()
                if now >= due:
                    due = now + _WRITE
                    file.write(json.dumps({"at": now, **self._totals}) + "\n")
                    file.flush()
                time.sleep(PERIOD)

    def _sample(self) -> None:
        named = {str(thread.native_id): thread.ident for thread in threading.enumerate()}
        own = str(self.native_id)
        frames = sys._current_frames()
        for task in Path("/proc/self/task").iterdir():
            try:
                spent = int((task / "schedstat").read_text(encoding="ascii").split()[0])
                new = spent - self._seen.get(task.name, 0)
                self._seen[task.name] = spent
                ident = named.get(task.name)
                kind = self._native(task) if ident is None else kind_of(frames.get(ident))
            except OSError:  # the thread has ended
                continue
            before = self._before.get(task.name, "")
            self._before[task.name] = kind
            if new > 0 and task.name != own:
                for half in (kind or before, before or kind):
                    self._totals[half or "Python"] += new / 2e9

    @staticmethod
    def _native(task: Path) -> str:
        return "socket" if "ZMQ" in (task / "comm").read_text(encoding="utf-8") else "Python"


def main() -> None:
    """Runs the module as if by `python -m`."""
    path, module, *arguments = sys.argv[1:]
    Sampler(Path(path)).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
