"""Real processes: they start, answer, fail as they should, and none is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import zmq

import smpc_sql
from parties import config
from parties.connect import connect
from smpc_sql.errors import ConfigError, PeerError
from smpc_sql.transport.zeromq.addresses import new_keys

pytestmark = pytest.mark.processes

DDL = "CREATE TABLE t (g ENUM('a', 'b') NOT NULL, x INTEGER CHECK (x BETWEEN 0 AND 100))"
FRAME = pd.DataFrame({"g": ["a", "b", "a", "b"], "x": [1, 2, None, 40]})
QUERY = "SELECT COUNT(*) AS n, SUM(x) AS s FROM t WHERE x > 1"
ANSWER = [(2, 42)]


def children_of(pid: int) -> list[int]:
    """Processes whose parent that is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where temporary directories are made, for this test alone; it is empty in the end."""
    assert tmp_path_factory.getbasetemp().exists()  # pytest's own is made before, elsewhere
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    yield path
    path.rmdir()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_starts_answers_and_leaves_nothing() -> None:
    before = children_of(os.getpid())
    started = time.monotonic()
    with smpc_sql.local(parties=3) as con:
        con.execute(DDL)
        assert con.load_df("t", FRAME, owner="h") == 4
        assert con.sql(QUERY).fetchall() == ANSWER
        assert time.monotonic() - started < 10  # 3 on an idle machine
        pids = [pid for pid in children_of(os.getpid()) if pid not in before]
        assert len(pids) == 4
        with ThreadPoolExecutor(8) as pool:
            assert set(map(tuple, pool.map(lambda _: con.sql(QUERY).fetchall(), range(16)))) == {tuple(ANSWER)}
    assert gone(pids, 0.5)
    con.close()


def test_a_wrong_number_of_parties() -> None:
    for parties in (1, 6):
        with pytest.raises(ConfigError):
            smpc_sql.local(parties=parties)


def test_shares_stay_in_a_directory(tmp_path: Path) -> None:
    with smpc_sql.local(parties=2, directory=tmp_path) as con:
        con.execute(DDL)
        con.load_df("t", FRAME, owner="h")
    with smpc_sql.local(parties=2, directory=tmp_path) as con:
        assert con.sql(QUERY).fetchall() == ANSWER
    assert {path.name for path in tmp_path.iterdir()} == {"party1", "party2"}


def test_a_directory_of_another_user_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "party1").write_text("not a directory")
    with pytest.raises(smpc_sql.SmpcError, match="party1"):
        smpc_sql.local(parties=2, directory=tmp_path)


def party_process(name: str) -> int:
    """The process of that party of this process's only family."""
    for pid in children_of(os.getpid()):
        if Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")[-1] == name.encode():
            return pid
    raise AssertionError(name)


class TestFailures:
    def test_a_killed_party_is_named_and_the_others_live(self) -> None:
        with smpc_sql.local(parties=3, timeout_seconds=5) as con:
            con.execute(DDL)
            con.load_df("t", FRAME, owner="h")
            os.kill(party_process("party2"), signal.SIGKILL)
            started = time.monotonic()
            for _ in range(2):
                with pytest.raises(PeerError) as found:
                    con.sql(QUERY)
                assert found.value.peer == "party2"
            assert time.monotonic() - started < 15
            assert alive(party_process("party1"))
            assert alive(party_process("party3"))

    def test_a_frozen_party_is_named_and_may_wake_again(self) -> None:
        with smpc_sql.local(parties=3, timeout_seconds=1.5) as con:
            con.execute(DDL)
            con.load_df("t", FRAME, owner="h")
            pid = party_process("party3")
            os.kill(pid, signal.SIGSTOP)
            try:
                started = time.monotonic()
                with pytest.raises(PeerError) as found:
                    con.sql(QUERY)
                assert found.value.peer == "party3"
                assert time.monotonic() - started < 8
            finally:
                os.kill(pid, signal.SIGCONT)
            deadline = time.monotonic() + 10
            while True:
                try:
                    assert con.sql(QUERY).fetchall() == ANSWER
                    break
                except PeerError:
                    assert time.monotonic() < deadline

    def test_a_killed_provider_is_named(self) -> None:
        with smpc_sql.local(parties=2, timeout_seconds=1.5) as con:
            con.execute(DDL)
            con.load_df("t", FRAME, owner="h")
            (pid,) = (
                pid
                for pid in children_of(os.getpid())
                if b"parties.provider" in Path(f"/proc/{pid}/cmdline").read_bytes()
            )
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(PeerError) as found:
                con.sql(QUERY)
            assert found.value.peer == "provider"

    def test_garbage_on_every_socket(self, place: Path) -> None:
        with smpc_sql.local(parties=2) as con:
            con.execute(DDL)
            con.load_df("t", FRAME, owner="h")
            context = zmq.Context()
            for path in place.glob("smpc-*/p*[0-9r]"):
                for name in (b"analyst/666", b"party1", b"nobody", b"provider"):
                    dealer = context.socket(zmq.DEALER)
                    dealer.linger = 500
                    dealer.routing_id = name + b"!" * (name != b"analyst/666")
                    dealer.connect(f"ipc://{path}")
                    for parts in (
                        [b""],
                        [os.urandom(99)],
                        [b"SMPC" + bytes(36), b""],
                        [b"x"] * 9,
                        [bytes(40), bytes(9)],
                    ):
                        dealer.send_multipart(parts)
                    dealer.close()
            context.term()
            assert con.sql(QUERY).fetchall() == ANSWER


PARENT = """
import signal, sys, time
import smpc_sql
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
con = smpc_sql.local(parties=2)
print("ready", flush=True)
if sys.argv[1] == "exit":
    sys.exit(0)
if sys.argv[1] == "raise":
    raise RuntimeError
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("what", "how"),
    [("exit", None), ("raise", None), ("wait", signal.SIGINT), ("wait", signal.SIGTERM), ("wait", signal.SIGKILL)],
)
def test_the_family_ends_with_its_parent(what: str, how: signal.Signals | None) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), what], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    pids: list[int] = []
    until = time.monotonic() + 60
    while len(pids) < 3 and time.monotonic() < until:  # before "ready", for a parent that ends at once
        now = children_of(parent.pid)
        pids = now if len(now) > len(pids) else pids
        time.sleep(0.02)
    assert parent.stdout.readline() == b"ready\n"
    if how is not None:
        parent.send_signal(how)
    parent.wait(60)
    parent.stdout.close()
    assert len(pids) == 3
    assert gone(pids)


SERVE = """
import sys
from parties import compute, process, provider
path, name, data = sys.argv[1:]
def ready(link):
    process.stop_on_signals(link)
    print("ready", flush=True)
if name == "provider":
    provider.serve(path, on_ready=ready)
else:
    compute.serve(path, name, data, on_ready=ready)
"""


class Consortium:
    """Parties over tcp that were started one by one."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.path = config.init(root, parties=3, owners=("clinic",), port=port, timeout_seconds=4.0)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("provider", "party1", "party2", "party3"):
            self.start(name)

    def start(self, name: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.path), name, str(self.root / f"{name}.store")],
            stdout=subprocess.PIPE,
        )
        self.processes[name] = process
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.stdout.close()

    def stop(self, name: str) -> int:
        self.processes[name].terminate()
        return self.processes.pop(name).wait(10)


def free_block(count: int) -> int:
    """The first of `count` neighbouring ports that nobody listens on just now."""
    for first in range(20000 + os.getpid() % 10000, 60000, count):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise AssertionError("no free ports")


@pytest.fixture
def consortium(tmp_path: Path) -> Iterator[Consortium]:
    found = Consortium(tmp_path, free_block(8))
    yield found
    for name in tuple(found.processes):
        found.processes[name].kill()
        found.processes[name].wait()


class TestConsortium:
    def test_parties_on_tcp(self, consortium: Consortium) -> None:
        with smpc_sql.connect(consortium.path) as con, connect(consortium.path, "clinic") as owner:
            con.execute(DDL)
            assert owner.load_df("t", FRAME) == 4
            assert con.sql(QUERY).fetchall() == ANSWER
            with pytest.raises(smpc_sql.PolicyError):
                owner.sql(QUERY)
            with pytest.raises(smpc_sql.PolicyError):
                con.load_df("t", FRAME, owner="clinic")
            # a party goes, and comes back with what it stored
            assert consortium.stop("party2") == 0
            with pytest.raises(PeerError) as found:
                con.sql(QUERY)
            assert found.value.peer == "party2"
            consortium.start("party2")
            assert retried(con) == ANSWER
            # so does the provider
            assert consortium.stop("provider") == 0
            consortium.start("provider")
            assert retried(con) == ANSWER

    def test_wrong_keys_and_names(self, consortium: Consortium) -> None:
        with pytest.raises(ConfigError, match="no client is called"):
            smpc_sql.connect(consortium.path, identity="mallory")
        key = config.key_file(consortium.root, "analyst")
        key.write_bytes(new_keys().secret)
        with pytest.raises(ConfigError, match="is not the key of analyst"):
            smpc_sql.connect(consortium.path)
        # a consortium file that names another key for the analyst than the parties know
        keys = new_keys()
        key.write_bytes(keys.secret)
        real = config.read(consortium.path).client("analyst").public_key
        forged = consortium.root / "forged.toml"
        forged.write_text(consortium.path.read_text().replace(real, keys.public.decode()))
        started = time.monotonic()
        with pytest.raises(PeerError, match="refused the connection"):
            smpc_sql.connect(forged)
        assert time.monotonic() - started < 8


def retried(con: Any) -> Any:
    """The answer, as soon as who came back is connected again."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return con.sql(QUERY).fetchall()
        except PeerError:
            if time.monotonic() > deadline:
                raise
