"""Frame <-> bytes, with limits. A frame is two parts, a header and a payload; `docs/wire.md` is the specification.

    magic "SMPC" | version u8 | kind u8 | path length u8 | 0 u8 | payload length u64 | checksum u64 | session 16 | path

Numbers are little-endian. The checksum finds damage, not malice: over tcp CURVE authenticates every frame, and a party
that lies is outside the passive model anyway. Nothing is interpreted before the header was checked to the last byte.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Payload = bytes | bytearray | memoryview | NDArray[Any]
"""Any C-contiguous buffer."""

MAGIC = b"SMPC"
VERSION = 1
SESSION_BYTES = 16
MAX_PATH = 255
MAX_DATA = 1 << 30
MAX_CONTROL = 1 << 24

_FIXED = struct.Struct("<4sBBBBQQ16s")
HEADER_BYTES = _FIXED.size
"""Of the fixed part; the path follows."""

NO_SESSION = bytes(SESSION_BYTES)
_WORD = (1 << 64) - 1
_EMPTY = memoryview(b"")


class Malformed(Exception):
    """Bytes that are not a frame of this version. Whoever receives them drops them; the text says why, for tests."""


class Kind(enum.IntEnum):
    """What a frame carries."""

    DATA = 1
    CONTROL = 2


@dataclass(frozen=True, slots=True)
class Header:
    """A checked header."""

    kind: Kind
    session: bytes
    path: bytes
    length: int
    checksum: int


def view(payload: Payload) -> memoryview:
    """The bytes of a C-contiguous buffer, without a copy."""
    found = payload.data if isinstance(payload, np.ndarray) else memoryview(payload)
    if found.nbytes == 0:
        return _EMPTY
    return found if found.format == "B" and found.ndim == 1 else found.cast("B")


def checksum(payload: memoryview) -> int:
    """The sum of a payload's 64-bit words, the last one padded with zeros, and its length, mod 2^64."""
    size = payload.nbytes
    words = size >> 3
    total = int(np.add.reduce(np.frombuffer(payload, "<u8", words))) if words else 0
    return (total + int.from_bytes(payload[words << 3 :], "little") + size) & _WORD


def data_header(session: bytes, path: bytes, payload: memoryview) -> bytes:
    """The header of a data frame.

    Raises ValueError for a session, a path or a payload beyond the limits: the sender's own mistake.
    """
    if len(session) != SESSION_BYTES or len(path) > MAX_PATH or payload.nbytes > MAX_DATA:
        raise ValueError("a session is 16 bytes, a path at most 255, a data payload at most 2^30")
    size = payload.nbytes
    return _FIXED.pack(MAGIC, VERSION, Kind.DATA, len(path), 0, size, checksum(payload), session) + path


def control_header(payload: memoryview) -> bytes:
    """The header of a control frame. Raises ValueError for an empty payload or one of more than 2^24 bytes."""
    if not 0 < payload.nbytes <= MAX_CONTROL:
        raise ValueError("a control message has 1 to 2^24 bytes")
    return _FIXED.pack(MAGIC, VERSION, Kind.CONTROL, 0, 0, payload.nbytes, checksum(payload), NO_SESSION)


def parse_header(header: bytes) -> Header:
    """Checks a header to the last byte. Raises Malformed."""
    if not HEADER_BYTES <= len(header) <= HEADER_BYTES + MAX_PATH:
        raise Malformed("header of a wrong size")
    magic, version, kind, path_length, zero, length, total, session = _FIXED.unpack_from(header)
    if magic != MAGIC:
        raise Malformed("not a frame")
    if version != VERSION:
        raise Malformed(f"version {version}, this is {VERSION}")
    if zero != 0:
        raise Malformed("a reserved byte is set")
    if len(header) != HEADER_BYTES + path_length:
        raise Malformed("path of a wrong length")
    if kind == Kind.DATA:
        if length > MAX_DATA:
            raise Malformed("data payload too long")
        return Header(Kind.DATA, session, header[HEADER_BYTES:], length, total)
    if kind == Kind.CONTROL:
        if path_length or session != NO_SESSION:
            raise Malformed("a control frame has no session and no path")
        if not 0 < length <= MAX_CONTROL:
            raise Malformed("control payload of a wrong length")
        return Header(Kind.CONTROL, session, b"", length, total)
    raise Malformed("unknown kind")


def is_data(header: bytes) -> bool:
    """Whether a header of our own is a data frame's."""
    return header[5] == Kind.DATA


def check_payload(header: Header, payload: memoryview) -> None:
    """Raises Malformed if a payload is not the one that its header announces."""
    if payload.nbytes != header.length:
        raise Malformed(f"payload of {payload.nbytes} bytes, the header says {header.length}")
    if checksum(payload) != header.checksum:
        raise Malformed("payload does not match its checksum")
