"""A client's connection to the parties of a consortium file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from parties import config, process
from parties.config import Consortium
from smpc_sql.client import Connection
from smpc_sql.transport.base import Node
from smpc_sql.transport.zeromq.addresses import KeyPair
from smpc_sql.transport.zeromq.visitor import Visitor


def connect(path: Path | str, identity: str = "analyst") -> Connection:
    """Connects to the parties of a consortium file as one of its clients; the key is `<identity>.key` beside the file.

    Raises ConfigError for a wrong file or key; PeerError if a party cannot be reached or refuses the key.
    """
    consortium = config.read(path)
    consortium.client(identity)
    return open_connection(consortium, identity, config.own_keys(consortium, Path(path).parent, identity))


def open_connection(
    consortium: Consortium, identity: str, keys: KeyPair | None, *, on_close: Callable[[], None] = lambda: None
) -> Connection:
    """A connection whose parties have all answered, with equal catalogs."""
    carrier = Visitor(
        identity,
        {party.name: party.address for party in consortium.parties},
        keys=keys,
        patience=min(consortium.timeout_seconds, process.PATIENCE),
    )
    connection = Connection(
        Node(carrier), consortium.party_names, timeout=consortium.timeout_seconds, on_close=on_close
    )
    try:
        assert connection.catalog is not None
    except BaseException:
        connection.close()
        raise
    return connection
