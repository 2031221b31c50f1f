"""A whole consortium on this machine in one call: n party processes and the provider, with sockets of their own."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from parties import config
from parties.config import ANY_OWNER, ClientConfig, Consortium, StationConfig
from smpc_sql.errors import ConfigError, InternalError

if TYPE_CHECKING:
    from smpc_sql.client import Connection

_START = 60.0  # seconds that all processes may take to be ready
_STOP = 5.0  # seconds that they may take to end
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # parallel work is threads of the parties' own
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def local(
    parties: int = 3,
    *,
    directory: Path | str | None = None,
    timeout_seconds: float = config.DEFAULT_TIMEOUT,
) -> Connection:
    """Starts party1 … partyN and a provider as processes of this machine, and connects to them as `analyst`.

    The analyst may load rows of every owner. directory: keeps each party's shares in `<directory>/<party>/`; by default
    they are in memory. Closing the connection ends all processes, and so does the end of this one, however it comes.
    Raises ConfigError for a wrong number of parties.
    """
    if not 2 <= parties <= 5:
        raise ConfigError(f"2 to 5 parties are possible, not {parties}")
    family = _Family()
    try:
        consortium = family.start(parties, None if directory is None else Path(directory), timeout_seconds)
        from parties.connect import open_connection  # noqa: PLC0415  (slow: pandas; meanwhile the processes start, too)

        family.wait_until_ready()
        return open_connection(consortium, "analyst", None, on_close=family.stop)
    except BaseException:
        family.stop()
        raise


class _Family:
    """The processes and the directory of their sockets, which only this user may enter."""

    def __init__(self) -> None:
        self._scratch = Path(tempfile.mkdtemp(prefix="smpc-", dir=_short_directory()))
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        atexit.register(self.stop)

    def start(self, parties: int, directory: Path | None, timeout_seconds: float) -> Consortium:
        """Starts all processes."""
        stations = [
            StationConfig(name, f"ipc://{self._scratch}/{name}")
            for name in ("provider", *(f"party{number}" for number in range(1, parties + 1)))
        ]
        analyst = ClientConfig("analyst", may=("query", "define"), owners=(ANY_OWNER,))
        consortium = Consortium(tuple(stations[1:]), stations[0], (analyst,), timeout_seconds)
        path = self._scratch / "consortium.toml"
        path.write_text(config.to_toml(consortium), encoding="utf-8")
        config.read(path)
        self._spawn("provider", ["parties.provider", str(path)])
        for name in consortium.party_names:
            kept = [] if directory is None else [str(directory / name)]
            self._spawn(name, ["parties.compute", str(path), name, *kept])
        return consortium

    def stop(self) -> None:
        """Ends all processes: first by closing their input, then by force. A second call changes nothing."""
        atexit.unregister(self.stop)
        for child in self._children.values():
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        deadline = time.monotonic() + _STOP
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._children.clear()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _spawn(self, name: str, arguments: Sequence[str]) -> None:
        """A Python process that ends when its input does. -P: modules are not looked for in the working directory."""
        self._children[name] = subprocess.Popen(
            [sys.executable, "-P", "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=tuned_environment(),
            start_new_session=True,  # Ctrl-C is for this process, which then ends the others
        )

    def wait_until_ready(self) -> None:
        """Returns once every process can be reached. Raises InternalError if one cannot start."""
        deadline = time.monotonic() + _START
        for name, child in self._children.items():
            assert child.stdout is not None
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise InternalError(f"{name} did not start within {_START:g} s")
            if not child.stdout.readline():
                raise InternalError(f"{name} could not start; what it said stands above")


def tuned_environment() -> dict[str, str]:
    """The environment of a station's process: this one's, tuned, with the packages where this process found them."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, **_ENVIRONMENT, "PYTHONPATH": path}


def _short_directory() -> str | None:
    """Where a socket's path stays short enough for the operating system."""
    usual = tempfile.gettempdir()
    return None if len(usual) <= 60 else "/tmp"
