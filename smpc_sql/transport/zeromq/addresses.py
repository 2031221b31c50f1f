"""Where stations are, and the keys by which nodes know one another."""

from __future__ import annotations

from dataclasses import dataclass

import zmq

from smpc_sql.errors import ConfigError


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, Z85 text as bytes [40]. The secret is not printed."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair({self.public.decode()})"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a station is: tcp://… with its public key, or ipc://… without. sealed_port: 0 if it has none."""

    endpoint: str
    public: bytes = b""
    sealed_port: int = 0

    @property
    def is_tcp(self) -> bool:
        """Over tcp, hence with CURVE."""
        return self.endpoint.startswith("tcp://")


def new_keys() -> KeyPair:
    """A fresh key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public, secret)


def keys_of(secret: bytes) -> KeyPair:
    """The pair of a secret key. Raises ConfigError if it is none."""
    try:
        return KeyPair(zmq.curve_public(secret), secret)
    except (ValueError, zmq.ZMQError) as error:
        raise ConfigError("not a CURVE secret key") from error
