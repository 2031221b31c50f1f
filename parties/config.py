"""The consortium file: who takes part, where they are, what their public keys are, and who may do what. Public.

[consortium]
timeout_seconds = 30.0

[[party]]                       # 2 to 5; their order is that of the shares
name = "party1"
endpoint = "tcp://10.0.0.1:7101"
listen = "tcp://*:7101"         # only where it differs from the endpoint
sealed_port = 7107              # of its connections for large frames; without it they take the endpoint's, slower
public_key = "…"
discloses = ["keys", "join_rows"]   # what this party lets queries open to everybody; these by default

[provider]
name = "provider"
endpoint = "tcp://10.0.0.9:7100"
public_key = "…"

[[client]]
name = "analyst"
public_key = "…"
may = ["query", "define"]       # ask SELECTs; create and drop tables
owners = ["cleveland"]          # load rows as these owners, or as any: ["*"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from parties.keys import KEY_SUFFIX, is_public_key, read_keys, write_keys
from smpc_sql.disclosures import DISCLOSURES, USUAL, Disclosure
from smpc_sql.errors import ConfigError
from smpc_sql.transport.zeromq.addresses import Address, KeyPair

DEFAULT_TIMEOUT = 30.0
ANY_OWNER = "*"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TCP = re.compile(r"tcp://[A-Za-z0-9_.:\[\]-]+:[0-9]{1,5}")
_LISTEN = re.compile(r"tcp://(\*|[A-Za-z0-9_.:\[\]-]+):[0-9]{1,5}|")
_IPC = re.compile(r"ipc:///.+")
_LONGEST_IPC = 100  # characters; what the operating system takes for a socket's path
_LONGEST_TIMEOUT = 86400.0

Right = Literal["query", "define"]


@dataclass(frozen=True, slots=True)
class StationConfig:
    """A party or the provider. public_key: Z85 text; empty over ipc. listen: where it binds, if not at its endpoint.

    sealed_port: of its connections for large frames, on the same host; 0 if it has none. discloses: what a party allows
    queries to open to everybody, see `smpc_sql.disclosures`.
    """

    name: str
    endpoint: str
    public_key: str = ""
    listen: str = ""
    sealed_port: int = 0
    discloses: tuple[Disclosure, ...] = USUAL

    @property
    def address(self) -> Address:
        """Where it is."""
        return Address(self.endpoint, self.public_key.encode(), self.sealed_port)


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """An analyst or an owner: may "query" (ask SELECTs) and "define" (create, drop tables), and load as `owners`."""

    name: str
    public_key: str = ""
    may: tuple[Right, ...] = ()
    owners: tuple[str, ...] = ()

    def may_load_as(self, owner: str) -> bool:
        """Whether rows of that owner may come from this client."""
        return owner in self.owners or ANY_OWNER in self.owners


@dataclass(frozen=True, slots=True)
class Consortium:
    """A validated consortium file."""

    parties: tuple[StationConfig, ...]
    provider: StationConfig
    clients: tuple[ClientConfig, ...]
    timeout_seconds: float = DEFAULT_TIMEOUT

    @property
    def party_names(self) -> tuple[str, ...]:
        """In the order of the shares."""
        return tuple(party.name for party in self.parties)

    @property
    def stations(self) -> tuple[StationConfig, ...]:
        """The parties and the provider."""
        return (*self.parties, self.provider)

    @property
    def members(self) -> tuple[StationConfig | ClientConfig, ...]:
        """Everybody."""
        return (*self.stations, *self.clients)

    @property
    def is_tcp(self) -> bool:
        """Over tcp with keys, or over ipc on one machine without."""
        return self.provider.address.is_tcp

    def station(self, name: str) -> StationConfig:
        """The party or provider of that name. Raises ConfigError."""
        return _find(self.stations, name, "party or provider")

    def client(self, name: str) -> ClientConfig:
        """The client of that name. Raises ConfigError."""
        return _find(self.clients, name, "client")

    def peers(self, name: str) -> dict[str, Address]:
        """The stations other than `name`."""
        return {station.name: station.address for station in self.stations if station.name != name}

    def known(self) -> Mapping[bytes, str]:
        """Whose each public key (tcp) or routing id (ipc) is."""
        return {(m.public_key if self.is_tcp else m.name).encode(): m.name for m in self.members}


_Member = TypeVar("_Member", StationConfig, ClientConfig)


def _find(members: Sequence[_Member], name: str, what: str) -> _Member:
    for member in members:
        if member.name == name:
            return member
    raise ConfigError(f"no {what} is called {name!r}; there are {', '.join(member.name for member in members)}")


def read(path: Path | str) -> Consortium:
    """Reads and checks a consortium file. Raises ConfigError, which says what is wrong where."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
    try:
        return parse(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse(text: str) -> Consortium:
    """Checks a consortium file's text. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}") from error
    _keys(data, "the file", {"party", "provider"}, {"consortium", "client"})
    general = _table(data.get("consortium", {}), "[consortium]")
    _keys(general, "[consortium]", set(), {"timeout_seconds"})
    parties = tuple(_station(item, f"[[party]] {n}") for n, item in enumerate(_tables(data["party"], "[[party]]"), 1))
    clients = _tables(data.get("client", []), "[[client]]")
    consortium = Consortium(
        parties,
        _station(_table(data["provider"], "[provider]"), "[provider]", party=False),
        tuple(_client(item, f"[[client]] {n}") for n, item in enumerate(clients, 1)),
        _timeout(general.get("timeout_seconds", DEFAULT_TIMEOUT)),
    )
    check(consortium)
    return consortium


def check(consortium: Consortium) -> None:
    """What holds between the parts of a consortium. Raises ConfigError."""
    if not 2 <= len(consortium.parties) <= 5:
        raise ConfigError(f"2 to 5 parties are possible, not {len(consortium.parties)}")
    members = consortium.members
    _distinct("name", [member.name for member in members])
    _distinct("endpoint", [place for station in consortium.stations for place in _places(station)])
    if len({station.address.is_tcp for station in consortium.stations}) > 1:
        raise ConfigError("endpoints are all tcp://, or all ipc://")
    if consortium.is_tcp:
        for member in members:
            if not is_public_key(member.public_key):
                raise ConfigError(f"{member.name}: public_key is not 40 characters of Z85")
        _distinct("public_key", [member.public_key for member in members])


def _places(station: StationConfig) -> list[str]:
    host = station.endpoint.rpartition(":")[0]
    return [station.endpoint, *([f"{host}:{station.sealed_port}"] if station.sealed_port else [])]


def _distinct(what: str, values: Sequence[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"{what} {value!r} is used twice")


def _keys(data: Mapping[str, Any], where: str, needed: set[str], allowed: set[str]) -> None:
    for key in sorted(needed - set(data)):
        raise ConfigError(f"{where}: {key} is missing")
    for key in sorted(set(data) - needed - allowed):
        raise ConfigError(f"{where}: {key} is not known; known are {', '.join(sorted(needed | allowed))}")


def _table(data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ConfigError(f"{where} is not a table")
    return data


def _tables(data: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(data, list):
        raise ConfigError(f"{where} is not a list of tables")
    return [_table(item, where) for item in data]


def _text(data: Mapping[str, Any], key: str, where: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{where}: {key} is not a text")
    return value


def _name(data: Mapping[str, Any], where: str) -> str:
    name = _text(data, "name", where)
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: name {name!r} is not 1 to 64 letters, digits, '_', '.' or '-'")
    return name


def _station(data: dict[str, Any], where: str, *, party: bool = True) -> StationConfig:
    own = {"discloses"} if party else set()
    _keys(data, where, {"name", "endpoint"}, {"public_key", "listen", "sealed_port", *own})
    endpoint = _text(data, "endpoint", where)
    if not _TCP.fullmatch(endpoint) and not _IPC.fullmatch(endpoint):
        raise ConfigError(f"{where}: endpoint {endpoint!r} is neither tcp://host:port nor ipc:///path")
    if endpoint.startswith("ipc://") and len(endpoint) - len("ipc://") > _LONGEST_IPC:
        raise ConfigError(f"{where}: a socket's path has at most {_LONGEST_IPC} characters")
    listen = _text(data, "listen", where)
    if not _LISTEN.fullmatch(listen):
        raise ConfigError(f"{where}: listen {listen!r} is not tcp://address:port or tcp://*:port")
    port = data.get("sealed_port", 0)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ConfigError(f"{where}: sealed_port is not a number from 0 to 65535")
    if port and not endpoint.startswith("tcp://"):
        raise ConfigError(f"{where}: sealed_port is for endpoints tcp://")
    discloses = _disclosures(data.get("discloses", list(USUAL)), where)
    return StationConfig(_name(data, where), endpoint, _text(data, "public_key", where), listen, port, discloses)


def _disclosures(value: object, where: str) -> tuple[Disclosure, ...]:
    names = value if isinstance(value, list) else [value]
    for name in names:
        if name not in DISCLOSURES:
            raise ConfigError(f"{where}: discloses {name!r} is not known; known are {', '.join(DISCLOSURES)}")
    if not isinstance(value, list):
        raise ConfigError(f"{where}: discloses is a list of texts")
    return tuple(name for name in DISCLOSURES if name in names)


def _client(data: dict[str, Any], where: str) -> ClientConfig:
    _keys(data, where, {"name"}, {"public_key", "may", "owners"})
    rights, owners = data.get("may", []), data.get("owners", [])
    for right in rights if isinstance(rights, list) else [rights]:
        if right not in ("query", "define"):
            raise ConfigError(f"{where}: may {right!r} is not known; known are query, define")
    if not isinstance(rights, list) or not isinstance(owners, list) or not all(isinstance(o, str) for o in owners):
        raise ConfigError(f"{where}: may and owners are lists of texts")
    return ClientConfig(_name(data, where), _text(data, "public_key", where), tuple(rights), tuple(owners))


def _timeout(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST_TIMEOUT:
        raise ConfigError(f"[consortium]: timeout_seconds is not a number above 0 and at most {_LONGEST_TIMEOUT:g}")
    return float(value)


def to_toml(consortium: Consortium) -> str:
    """The file's text; parse() of it is the same consortium."""
    lines = ["[consortium]", f"timeout_seconds = {consortium.timeout_seconds!r}"]
    for heading, station in [*(("[[party]]", p) for p in consortium.parties), ("[provider]", consortium.provider)]:
        lines += ["", heading, f"name = {_quote(station.name)}", f"endpoint = {_quote(station.endpoint)}"]
        lines += [f"public_key = {_quote(station.public_key)}"] if station.public_key else []
        lines += [f"listen = {_quote(station.listen)}"] if station.listen else []
        lines += [f"sealed_port = {station.sealed_port}"] if station.sealed_port else []
        lines += [f"discloses = [{', '.join(map(_quote, station.discloses))}]"] if station.discloses != USUAL else []
    for client in consortium.clients:
        lines += ["", "[[client]]", f"name = {_quote(client.name)}"]
        lines += [f"public_key = {_quote(client.public_key)}"] if client.public_key else []
        lines += [f"may = [{', '.join(map(_quote, client.may))}]"]
        lines += [f"owners = [{', '.join(map(_quote, client.owners))}]"]
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """A TOML basic string."""
    shown = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in shown) + '"'


def key_file(directory: Path, name: str) -> Path:
    """Where a member's secret key is looked for: beside the consortium file."""
    return directory / f"{name}{KEY_SUFFIX}"


def own_keys(consortium: Consortium, directory: Path, name: str) -> KeyPair | None:
    """A member's key pair, or None over ipc. Raises ConfigError if it is missing or does not fit its public key."""
    if not consortium.is_tcp:
        return None
    path = key_file(directory, name)
    keys = read_keys(path)
    public = next((m.public_key for m in consortium.members if m.name == name), "")
    if keys.public.decode() != public:
        raise ConfigError(f"{path} is not the key of {name} in the consortium file")
    return keys


def init(
    directory: Path,
    *,
    parties: Sequence[str] | int = 3,
    analysts: Sequence[str] = ("analyst",),
    owners: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = 7100,
    timeout_seconds: float = DEFAULT_TIMEOUT,
) -> Path:
    """Writes `consortium.toml` and a key file for each member into a directory; returns the file's path.

    The provider listens on `port`, the parties on the ports after it; their sealed connections have as many ports after
    these. Owners may define tables and load their own rows;
    analysts may query and define, and load for everybody only if no owners are named. Raises ConfigError if anything
    is wrong or exists already.
    """
    names = [f"party{number}" for number in range(1, parties + 1)] if isinstance(parties, int) else list(parties)
    path = directory / "consortium.toml"
    roles: MappingProxyType[str, tuple[tuple[Right, ...], tuple[str, ...]]] = MappingProxyType(
        dict.fromkeys(analysts, (("query", "define"), () if owners else (ANY_OWNER,)))
        | {name: (("define",), (name,)) for name in owners}
    )
    everybody = [*names, "provider", *analysts, *owners]
    _check_names(everybody, len(names), timeout_seconds)
    directory.mkdir(parents=True, exist_ok=True)
    for existing in (path, *(key_file(directory, name) for name in everybody)):
        if existing.exists():
            raise ConfigError(f"{existing} exists already: it is never overwritten")
    public = {name: write_keys(key_file(directory, name)).public.decode() for name in everybody}
    consortium = Consortium(
        tuple(_listening(name, host, port + n, len(names), public[name]) for n, name in enumerate(names, 1)),
        _listening("provider", host, port, len(names), public["provider"]),
        tuple(ClientConfig(name, public[name], may, as_owners) for name, (may, as_owners) in roles.items()),
        timeout_seconds,
    )
    path.write_text(to_toml(parse(to_toml(consortium))), encoding="utf-8")
    return path


def _listening(name: str, host: str, port: int, parties: int, public_key: str) -> StationConfig:
    return StationConfig(name, f"tcp://{host}:{port}", public_key, sealed_port=port + parties + 1)


def _check_names(names: Sequence[str], parties: int, timeout_seconds: float) -> None:
    """What init can know to be wrong before it writes anything."""
    for name in names:
        _name({"name": name}, "init")
    _distinct("name", names)
    _timeout(timeout_seconds)
    if not 2 <= parties <= 5:
        raise ConfigError(f"2 to 5 parties are possible, not {parties}")
