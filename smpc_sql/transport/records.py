"""Records on a sealed connection: AES-256-GCM, numbered, and frames made of them (see sealed.py)."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smpc_sql import wire

TAG: Final = 16
"""Bytes by which a sealed record is longer than what is in it."""

PATIENCE: Final = 5.0
"""Seconds for a connection or a hello, and for TCP to wait for an acknowledgement."""

_SEALS: Final = 1 << 40  # under one key; far below what GCM allows
_BUFFER: Final = 4 << 20
_SIZE: Final = struct.Struct("<H")


def fresh_key() -> bytes:
    """A key [32], from the operating system."""
    return AESGCM.generate_key(256)


class Cipher:
    """One direction of one channel: the same numbers are counted at both ends."""

    def __init__(self, key: bytes, channel: bytes, sender: str, receiver: str) -> None:
        self._gcm = AESGCM(key)
        self._number = 0
        self._about = b"\0".join((b"smpc_sql sealed 1", sender.encode(), receiver.encode(), channel))

    @property
    def spent(self) -> bool:
        """Whether a fresh key is due."""
        return self._number >= _SEALS

    def seal(self, data: bytes | memoryview) -> bytes:
        """The next record, TAG bytes longer."""
        return self._gcm.encrypt(self._next(), data, self._about)

    def unseal(self, data: bytes | memoryview) -> bytes:
        """What is in the next record. Raises InvalidTag."""
        return self._gcm.decrypt(self._next(), data, self._about)

    def _next(self) -> bytes:
        self._number += 1
        return (self._number - 1).to_bytes(12, "big")


def send_frame(found: socket.socket, cipher: Cipher, header: bytes, payload: memoryview) -> None:
    """Sends a frame. Raises OSError; then the connection is of no use any longer."""
    sealed = cipher.seal(header)
    _send_all(found, _SIZE.pack(len(sealed)) + sealed, cipher.seal(payload))


def read_frame(found: socket.socket, cipher: Cipher) -> tuple[bytes, memoryview]:
    """The next frame. Raises InvalidTag, wire.Malformed, OSError, EOFError."""
    (size,) = _SIZE.unpack(read(found, _SIZE.size))
    if not TAG < size <= wire.HEADER_BYTES + wire.MAX_PATH + TAG:
        raise wire.Malformed("header of a wrong size")
    header = cipher.unseal(read(found, size))
    length = wire.parse_header(header).length
    return header, memoryview(cipher.unseal(read(found, length + TAG)))


def read(found: socket.socket, size: int) -> memoryview:
    """So many bytes. Raises OSError, EOFError."""
    buffer = np.empty(size, dtype=np.uint8).data  # unlike a bytearray's, its pages are not cleared first
    at = 0
    while at < size:
        got = found.recv_into(buffer[at:], size - at)
        if not got:
            raise EOFError
        at += got
    return buffer


def _send_all(found: socket.socket, first: bytes, second: bytes) -> None:
    sent = found.sendmsg((first, second))
    if sent < len(first):
        found.sendall(first[sent:])
        sent = len(first)
    if sent < len(first) + len(second):
        found.sendall(memoryview(second)[sent - len(first) :])


def tune(found: socket.socket) -> None:
    """A peer that acknowledges nothing is lost after a while; small frames do not wait for large ones."""
    found.settimeout(None)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        found.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(PATIENCE * 1000))


def shut(found: socket.socket | None) -> None:
    """Ends a connection, whoever waits on it. The descriptor stays its owner's."""
    if found is not None:
        with contextlib.suppress(OSError):
            found.shutdown(socket.SHUT_RDWR)
