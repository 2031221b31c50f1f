"""SQL analytics over secret shares that nobody may pool: exact answers, nothing else revealed.

    with smpc_sql.local(parties=3) as con:
        con.execute("CREATE TABLE t (x INTEGER CHECK (x BETWEEN 0 AND 9))")
        con.load_df("t", frame, owner="somebody")
        print(con.sql("SELECT AVG(x) FROM t"))

This module is for users; modules of the package import the module that they need, never this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from smpc_sql.errors import (
    CatalogConflict,
    ConfigError,
    DataError,
    InternalError,
    OverflowPossible,
    PeerError,
    PolicyError,
    QueryError,
    SmpcError,
    SyntaxInvalid,
    TypeMismatch,
    UnknownName,
    Unsupported,
)
from smpc_sql.version import VERSION

if TYPE_CHECKING:
    from smpc_sql.client import Connection
    from smpc_sql.result import Result

__version__ = VERSION

__all__ = [
    "CatalogConflict",
    "ConfigError",
    "Connection",
    "DataError",
    "InternalError",
    "OverflowPossible",
    "PeerError",
    "PolicyError",
    "QueryError",
    "Result",
    "SmpcError",
    "SyntaxInvalid",
    "TypeMismatch",
    "UnknownName",
    "Unsupported",
    "__version__",
    "connect",
    "local",
]


def local(parties: int = 3, *, directory: Path | str | None = None, timeout_seconds: float = 30.0) -> Connection:
    """Starts 2 to 5 parties and a crypto provider as processes of this machine, and connects to them.

    directory: keeps each party's shares in `<directory>/<party>/`; by default they are in memory and end with the
    connection. timeout_seconds: how long a party may be silent before it ends a query in a PeerError.
    """
    from parties import local as family  # noqa: PLC0415  (the application is above the library; it is asked for by name)

    return family.local(parties, directory=directory, timeout_seconds=timeout_seconds)


def connect(path: Path | str, identity: str = "analyst") -> Connection:
    """Connects to the running parties of a consortium file as one of its clients; `<identity>.key` is beside it."""
    from parties import connect as remote  # noqa: PLC0415  (as above)

    return remote.connect(path, identity)


def __getattr__(name: str) -> Any:
    """Connection and Result, imported when they are asked for: a party's process needs neither, nor pandas."""
    if name == "Connection":
        from smpc_sql.client import Connection  # noqa: PLC0415

        return Connection
    if name == "Result":
        from smpc_sql.result import Result  # noqa: PLC0415

        return Result
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
