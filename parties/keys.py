"""Identities: CURVE key pairs in files, one for each node, readable by its operator only."""

from __future__ import annotations

import os
import re
from pathlib import Path

from smpc_sql.errors import ConfigError
from smpc_sql.transport.zeromq.addresses import KeyPair, keys_of, new_keys

KEY_SUFFIX = ".key"
_KEY = re.compile(rb"[!-~]{40}")


def is_public_key(text: str) -> bool:
    """40 characters of Z85."""
    return _KEY.fullmatch(text.encode("utf-8", "replace")) is not None


def write_keys(path: Path) -> KeyPair:
    """Makes a key pair and writes its secret to a new file with mode 0600. Raises ConfigError if the file exists."""
    keys = new_keys()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already: a key is never overwritten") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(keys.secret + b"\n")
    return keys


def read_keys(path: Path) -> KeyPair:
    """The key pair of a secret file. Raises ConfigError if it is missing, no key, or others may read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} holds a secret key, and others may read it: chmod 600 {path}")
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if not _KEY.fullmatch(secret):
        raise ConfigError(f"{path} is not a key file")
    return keys_of(secret)
