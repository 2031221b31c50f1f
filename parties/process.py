"""What the processes of parties and provider have in common: their control loop, and how they begin and end."""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import select
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from smpc_sql.errors import PeerError, SmpcError
from smpc_sql.transport.base import Link
from smpc_sql.wire import Malformed

_log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a send waits for a connection, at most."""

_MALLOC = (
    (-8, 1),  # arenas: what one thread freed serves the others, too
    (-3, 1 << 20),  # bytes; from there on an array is mapped alone, and goes back to the system when it is freed,
    (-1, 1 << 25),  # and what is freed at the end of the heap, below, stays: mapping pages anew costs time
    (-2, 1 << 20),  # bytes by which the heap grows at least
)
"""glibc's settings, by their numbers in malloc.h, for few threads and large arrays. Columns are mapped alone, so that
they leave no holes in the heap of the chunks.
"""

_TICK = 0.5
_LAST_MOMENT = 5.0  # seconds that an orderly end may take


def control_loop(link: Link, handle: Callable[[str, bytes], None], tick: Callable[[], None]) -> None:
    """Calls handle(sender, message) for every control message until the link is closed, and tick about twice a second.

    An empty message from another node says that its connection was lost. Nothing that a message does ends the loop.
    """
    due = time.monotonic() + _TICK
    while True:
        try:
            sender, raw = link.control.get(timeout=max(0.0, due - time.monotonic()))
            if sender == link.name:
                return
            handle(sender, raw)
        except queue.Empty:
            pass
        except Malformed:
            _log.info("%s: dropped a message of %s", link.name, sender)
        except Exception:
            _log.exception("%s: a message could not be handled", link.name)
        if time.monotonic() >= due:
            due = time.monotonic() + _TICK
            tick()


def tell(link: Link, names: Sequence[str], message: bytes, *, wait: bool = False) -> None:
    """Sends a control message to whoever can be reached at once; the others learn in another way.

    wait: a connection that is about to stand (all have just started, a peer comes back) is waited for.
    """
    for name in names:
        if name != link.name:
            try:
                link.send_control(name, message, wait=wait)
            except PeerError:
                _log.info("%s: %s cannot be reached", link.name, name)


def tune_memory() -> None:
    """Tells the C library's malloc what arrays this process has; nothing where it is not glibc's."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting, value in _MALLOC:
            mallopt(setting, value)


def stop_on_signals(link: Link) -> None:
    """SIGTERM and SIGINT end the process in order."""

    def stop(*_: object) -> None:
        link.control.put((link.name, b""))

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def run_child(serve: Callable[[Callable[[Link], None]], None], *, scratch: Path) -> None:
    """Runs serve(on_ready) as a child of `local()`: it ends when its standard input does, and so with its parent.

    Says "ready" on its standard output. Removes the scratch directory that the family shares.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.setswitchinterval(0.001)  # a thread that computes lets one that received a message in sooner

    def watch(link: Link) -> None:
        while os.read(0, 1):
            pass
        link.control.put((link.name, b""))
        time.sleep(_LAST_MOMENT)
        os._exit(1)

    def on_ready(link: Link) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which then closes our input
        signal.signal(signal.SIGTERM, lambda *_: link.control.put((link.name, b"")))
        threading.Thread(target=watch, args=(link,), daemon=True).start()
        os.write(1, b"ready\n")

    try:
        serve(on_ready)
    except (SmpcError, OSError) as error:
        if not _input_has_ended():  # else the parent is gone, and its directory: nobody needs to know
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _input_has_ended() -> bool:
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and not os.read(0, 1)
