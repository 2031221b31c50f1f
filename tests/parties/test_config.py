"""The consortium file and the key files: what is wrong is said, with the place."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from parties import config, keys
from smpc_sql.errors import ConfigError

KEY = "abcdefghijklmnopqrstuvwxyz0123456789abcd"


def text(**changes: str) -> str:
    parts = {
        "general": "[consortium]\ntimeout_seconds = 5\n",
        "party1": f'[[party]]\nname = "p1"\nendpoint = "tcp://10.0.0.1:7101"\npublic_key = "1{KEY[1:]}"\n',
        "party2": f'[[party]]\nname = "p2"\nendpoint = "tcp://10.0.0.2:7101"\npublic_key = "2{KEY[1:]}"\n',
        "provider": f'[provider]\nname = "provider"\nendpoint = "tcp://10.0.0.9:7100"\npublic_key = "9{KEY[1:]}"\n',
        "client": f'[[client]]\nname = "analyst"\npublic_key = "a{KEY[1:]}"\nmay = ["query"]\nowners = ["x"]\n',
    }
    return "\n".join((parts | changes).values())


def test_a_file_is_read_as_it_is_written() -> None:
    found = config.parse(text())
    assert found.party_names == ("p1", "p2")
    assert found.timeout_seconds == 5.0
    assert found.client("analyst").may == ("query",)
    assert found.client("analyst").may_load_as("x")
    assert not found.client("analyst").may_load_as("y")
    assert found.known()[f"2{KEY[1:]}".encode()] == "p2"
    assert set(found.peers("p1")) == {"p2", "provider"}
    assert config.parse(config.to_toml(found)) == found


def test_listen_is_where_a_station_binds() -> None:
    listening = text(party1=text().split("\n\n")[1] + '\nlisten = "tcp://*:7101"\n')
    assert config.parse(listening).parties[0].listen == "tcp://*:7101"
    assert config.parse(config.to_toml(config.parse(listening))) == config.parse(listening)


def test_a_party_says_what_it_lets_queries_open() -> None:
    assert [party.discloses for party in config.parse(text()).parties] == [("keys", "join_rows")] * 2
    for written, found in {'"join_size", "keys"': ("keys", "join_size"), "": ()}.items():
        said = text(party1=text().split("\n\n")[1] + f"\ndiscloses = [{written}]\n")
        assert config.parse(said).parties[0].discloses == found
        assert config.parse(config.to_toml(config.parse(said))) == config.parse(said)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"party1": '[[party]]\nname = "p1"\nendpoint = "tcp://h:1"\ndiscloses = ["rows"]\n'},
            "discloses 'rows' is not",
        ),
        ({"party1": '[[party]]\nname = "p1"\nendpoint = "tcp://h:1"\ndiscloses = "keys"\n'}, "is a list of texts"),
        ({"provider": '[provider]\nname = "p"\nendpoint = "tcp://h:1"\ndiscloses = []\n'}, "discloses is not known"),
        ({"general": "[consortium\n"}, "not TOML"),
        ({"general": "[consortium]\ntimeout = 1\n"}, "timeout is not known; known are timeout_seconds"),
        ({"general": "[consortium]\ntimeout_seconds = 0\n"}, "timeout_seconds is not a number above 0"),
        ({"general": "[consortium]\ntimeout_seconds = true\n"}, "timeout_seconds is not a number above 0"),
        ({"general": "[consortium]\ntimeout_seconds = nan\n"}, "timeout_seconds is not a number above 0"),
        ({"general": "consortium = 1\n"}, r"\[consortium\] is not a table"),
        ({"party1": ""}, "2 to 5 parties are possible, not 1"),
        ({"party1": "", "party2": ""}, "party is missing"),
        ({"party1": '[[party]]\nname = "p1"\n'}, r"\[\[party\]\] 1: endpoint is missing"),
        ({"party1": '[[party]]\nname = "a/b"\nendpoint = "tcp://h:1"\n'}, "name 'a/b' is not"),
        ({"party1": '[[party]]\nname = "p1"\nendpoint = "udp://h:1"\n'}, "neither tcp://host:port nor ipc:///path"),
        ({"party1": '[[party]]\nname = "p1"\nendpoint = "tcp://h:1"\n'}, "p1: public_key is not 40 characters"),
        ({"party1": f'[[party]]\nname = "p1"\nendpoint = "ipc:///{"x" * 100}"\n'}, "at most 100 characters"),
        ({"party1": '[[party]]\nname = "p1"\nendpoint = "ipc:///x"\n'}, "all tcp://, or all ipc://"),
        ({"party1": text().split("\n\n")[2]}, "name 'p2' is used twice"),
        ({"client": f'[[client]]\nname = "c"\npublic_key = "1{KEY[1:]}"\n'}, "is used twice"),
        ({"client": '[[client]]\nname = "c"\nmay = ["all"]\n'}, "may 'all' is not known"),
        ({"client": '[[client]]\nname = "c"\nowners = "x"\n'}, "lists of texts"),
        ({"client": "[[client]]\nname = 3\n"}, "name is not a text"),
        ({"provider": ""}, "provider is missing"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config.parse(text(**changes))


def test_the_path_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        config.read(tmp_path / "nowhere")
    (tmp_path / "bad").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="bad: not UTF-8"):
        config.read(tmp_path / "bad")


class TestInit:
    def test_writes_what_read_takes(self, tmp_path: Path) -> None:
        path = config.init(tmp_path, parties=4, owners=("cleveland",), port=9000)
        found = config.read(path)
        assert found.party_names == ("party1", "party2", "party3", "party4")
        assert [party.endpoint for party in found.parties][:2] == ["tcp://127.0.0.1:9001", "tcp://127.0.0.1:9002"]
        assert not found.client("analyst").may_load_as("cleveland")
        assert found.client("cleveland").may_load_as("cleveland")
        for member in found.members:
            pair = config.own_keys(found, tmp_path, member.name)
            assert pair is not None
            assert pair.public.decode() == member.public_key
            assert stat.S_IMODE(config.key_file(tmp_path, member.name).stat().st_mode) == 0o600
        assert pair.secret.decode() not in path.read_text()

    def test_an_analyst_alone_may_load_for_everybody(self, tmp_path: Path) -> None:
        assert config.read(config.init(tmp_path)).client("analyst").may_load_as("anybody")

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        config.init(tmp_path)
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        with pytest.raises(ConfigError, match="never overwritten"):
            config.init(tmp_path)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before

    @pytest.mark.parametrize(
        "options",
        [{"parties": 1}, {"parties": 6}, {"parties": ["a", "a"]}, {"parties": ["a/b", "c"]}, {"timeout_seconds": -1}],
    )
    def test_what_is_wrong_writes_nothing(self, tmp_path: Path, options: dict[str, object]) -> None:
        with pytest.raises(ConfigError):
            config.init(tmp_path / "new", **options)  # type: ignore[arg-type]
        assert not (tmp_path / "new").exists()


class TestKeys:
    def test_another_members_key_is_refused(self, tmp_path: Path) -> None:
        found = config.read(config.init(tmp_path))
        config.key_file(tmp_path, "party1").write_bytes(config.key_file(tmp_path, "party2").read_bytes())
        with pytest.raises(ConfigError, match="is not the key of party1"):
            config.own_keys(found, tmp_path, "party1")

    def test_a_key_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.key"
        written = keys.write_keys(path)
        assert keys.read_keys(path) == written
        path.chmod(0o644)
        with pytest.raises(ConfigError, match="chmod 600"):
            keys.read_keys(path)

    @pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40, b"x" * 41])
    def test_what_is_no_key_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.key"
        path.touch(0o600)
        path.write_bytes(content)
        with pytest.raises(ConfigError):
            keys.read_keys(path)

    def test_a_missing_key_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"nobody\.key"):
            keys.read_keys(tmp_path / "nobody.key")
