"""Frames: round trips, the vectors of docs/wire.md, and that nothing else is accepted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql import wire

VECTORS = json.loads((Path(__file__).parent / "vectors" / "frames.json").read_text(encoding="utf-8"))
SESSION = bytes(range(16))


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["name"])
def test_accepted_vectors(vector: dict[str, str]) -> None:
    header, payload = bytes.fromhex(vector["header"]), memoryview(bytes.fromhex(vector["payload"]))
    found = wire.parse_header(header)
    wire.check_payload(found, payload)
    assert (found.kind.name, found.session.hex(), found.path.hex()) == (
        vector["kind"],
        vector["session"],
        vector["path"],
    )
    made = wire.data_header(found.session, found.path, payload)
    if found.kind is wire.Kind.CONTROL:
        made = wire.control_header(payload)
    assert made == header


@pytest.mark.parametrize("vector", VECTORS["rejected"], ids=lambda vector: vector["name"])
def test_rejected_vectors(vector: dict[str, str]) -> None:
    payload = memoryview(bytes.fromhex(vector["payload"]))
    with pytest.raises(wire.Malformed):
        wire.check_payload(wire.parse_header(bytes.fromhex(vector["header"])), payload)


@given(st.binary(max_size=400))
def test_parse_header_accepts_or_says_malformed(header: bytes) -> None:
    try:
        wire.parse_header(header)
    except wire.Malformed:
        return
    assert header.startswith(wire.MAGIC)


@given(path=st.binary(max_size=255), payload=st.binary(max_size=100), flip=st.integers(0, 10**6))
def test_any_flipped_bit_is_noticed(path: bytes, payload: bytes, flip: int) -> None:
    """Of the header's fixed part or of the payload; a session or a path that changed is another frame."""
    header = wire.data_header(SESSION, path, memoryview(payload))
    whole = bytearray(header[: wire.HEADER_BYTES - wire.SESSION_BYTES] + payload)
    bit = flip % (8 * len(whole))
    whole[bit // 8] ^= 1 << bit % 8
    cut = wire.HEADER_BYTES - wire.SESSION_BYTES
    damaged = bytes(whole[:cut]) + header[cut:]
    with pytest.raises(wire.Malformed):
        wire.check_payload(wire.parse_header(damaged), memoryview(bytes(whole[cut:])))


def test_view_takes_any_contiguous_buffer() -> None:
    array = np.arange(6, dtype=np.uint32).reshape(2, 3)
    assert wire.view(array).tobytes() == array.tobytes()
    assert wire.view(np.empty((0, 4), np.uint64)).nbytes == 0
    assert wire.view(bytearray(b"abc")).tobytes() == b"abc"
    assert wire.view(memoryview(array.data)).nbytes == array.nbytes


def test_checksum_by_hand() -> None:
    payload = (2**64 - 1).to_bytes(8, "little") + (5).to_bytes(8, "little") + b"\x01\x02"
    assert wire.checksum(memoryview(payload)) == (-1 + 5 + 0x0201 + 18) % 2**64
    assert wire.checksum(memoryview(b"")) == 0


def test_the_sender_keeps_the_limits_too() -> None:
    with pytest.raises(ValueError, match="session"):
        wire.data_header(b"short", b"", memoryview(b""))
    with pytest.raises(ValueError, match="path"):
        wire.data_header(SESSION, bytes(256), memoryview(b""))
    with pytest.raises(ValueError, match="control"):
        wire.control_header(memoryview(b""))
    with pytest.raises(ValueError, match="control"):
        wire.control_header(memoryview(bytes(wire.MAX_CONTROL + 1)))
