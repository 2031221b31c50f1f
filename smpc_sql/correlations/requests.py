"""Requests for corrections on the wire, and the provider's answer to one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql import field, ring
from smpc_sql.correlations.base import Correlation, offsets, slices
from smpc_sql.correlations.bits import BitProduct, BitTriple, DaBit, RandomIf, RandomWords
from smpc_sql.correlations.fields import FieldRandom, FieldTriple, LiftMask, Zero
from smpc_sql.correlations.masks import PrefixMask, ShiftMask, SignMask, ZeroMask
from smpc_sql.correlations.permutations import Order, Orders, Shuffle, ShuffledColumn
from smpc_sql.correlations.products import InnerProduct, MatrixTriple, ScaledTriple, SquarePair, SquareSums, Triple
from smpc_sql.correlations.tables import COUNTED, Choice, DigitCounts, OneHotSums, TableMask
from smpc_sql.errors import PeerError
from smpc_sql.ring import Array

_MAX_BYTES = 1 << 30


KINDS: tuple[type[Correlation], ...] = (
    Triple,
    SquarePair,
    InnerProduct,
    MatrixTriple,
    BitTriple,
    DaBit,
    BitProduct,
    SignMask,
    ZeroMask,
    TableMask,
    OneHotSums,
    Zero,
    LiftMask,
    FieldTriple,
    FieldRandom,
    Shuffle,
    ScaledTriple,
    SquareSums,
    PrefixMask,
    Choice,
    RandomWords,
    RandomIf,
    ShiftMask,
    Order,
    ShuffledColumn,
    DigitCounts,
)


_BY_CODE = {kind.code: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Request:
    """What a receiver asks the provider for: one kind at one path."""

    path: bytes
    kind: Correlation


def encode_requests(requests: Sequence[Request]) -> bytes:
    """Requests -> one payload: for each u16 path length, u8 code, u8 number of integers, path, integers u64."""
    pieces = []
    for request in requests:
        shape = request.kind.shape
        pieces.append(struct.pack("<HBB", len(request.path), request.kind.code, len(shape)))
        pieces.append(request.path)
        pieces.append(struct.pack(f"<{len(shape)}Q", *shape))
    return b"".join(pieces)


def decode_requests(payload: memoryview, sender: str) -> list[Request]:
    """The reverse, strict; PeerError(sender) for what is not a request, or for one above 1 GiB."""
    requests, at = [], 0
    try:
        while at < len(payload):
            length, code, count = struct.unpack_from("<HBB", payload, at)
            path = bytes(payload[at + 4 : at + 4 + length])
            shape = struct.unpack_from(f"<{count}Q", payload, at + 4 + length)
            kind = _BY_CODE[code](*shape)
            requests.append(Request(path, kind))
            at += 4 + length + 8 * count
            if len(path) != length or not _is_sound(kind):
                raise ValueError
    except (struct.error, KeyError, TypeError, ValueError, IndexError) as error:
        raise PeerError(sender, "sent a malformed request for correlated randomness") from error
    return requests


def _is_sound(kind: Correlation) -> bool:
    """Whether its integers are a shape: lanes and fields that exist, whole bytes of bits, and not too much of it."""
    if max(kind.shape) > _MAX_BYTES:
        return False
    if isinstance(kind, DaBit | RandomIf | BitProduct | SignMask | ZeroMask | LiftMask | ShiftMask) and kind.rows % 8:
        return False
    if isinstance(kind, DigitCounts) and kind.rows % COUNTED:
        return False
    parts = (*kind.independent, *kind.dependent)
    if any(part.lane not in ring.LANES for part in parts):
        return False
    if any(part.field and (part.field not in field.EXPONENTS or part.lane != 64) for part in parts):
        return False
    return offsets(parts)[1] <= _MAX_BYTES


def correction(request: Request, session: bytes, seeds: Sequence[bytes], orders: Orders | None = None) -> Array:
    """The correction's bytes [correction_bytes] (uint8) for one request: a pure function of its arguments.

    orders: keeps what a request for another column of the same shuffle needs again.
    """
    kind = request.kind
    use = kind.use(session, request.path)
    receiver = kind.receiver(len(seeds))
    expanded = [
        kind.expand(seed, use, whole=i != receiver, without=kind.unused(whole=i != receiver))
        for i, seed in enumerate(seeds)
    ]
    if isinstance(kind, ShuffledColumn):
        order = (Orders() if orders is None else orders).of(kind, seeds[receiver], use)
        shares = [kind.permuted(order, [each for i, each in enumerate(expanded) if i != receiver])]
    else:
        shares = kind.correct(expanded)
    del expanded
    out = np.zeros(kind.correction_bytes, dtype=np.uint8)
    for part, piece, share in zip(kind.dependent, slices(kind.dependent, out), shares, strict=True):
        piece[:] = np.ascontiguousarray(share).reshape(-1).view(np.uint8) if part.size else 0
    return out
