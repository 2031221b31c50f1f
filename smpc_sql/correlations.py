"""Correlated randomness: every kind with its parts, its law and how the crypto provider corrects it, side by side.

A kind consists of *independent* parts, where every party's share is expanded from the seed that it shares with the
provider, and *dependent* parts, whose values follow from the independent ones by the kind's law `relate`. For dependent
parts every party but one expands its share too; the provider computes the missing share and sends it to that one party
(the receiver; the last party unless the kind says otherwise): the *correction*. A correction is thus a one-time-padded
value: its receiver learns nothing from it.

Everything here is a pure function of (seeds, session, path, kind, shape): the same request gives the same answer, and
any other request gives independent randomness.
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import ClassVar

import numpy as np

from smpc_sql import field, ring
from smpc_sql.errors import InternalError, PeerError
from smpc_sql.randomness import expand
from smpc_sql.ring import Array

_ALIGN = 64  # a cache line: parts of one expansion start at multiples of it
_MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Part:
    """One array of a correlation: `count` words of a lane, shared by addition, by XOR, or (field > 0) in F_(2^field -
    1).

    A field part has `count` elements of ceil(field/64) words each.
    """

    count: int
    lane: int = 64
    xor: bool = False
    field: int = 0

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.count * (8 * field.limbs(self.field) if self.field else self.lane // 8)

    def view(self, raw: Array) -> Array:
        """Bytes [size] -> words [count] ([count, limbs] for a field), uniform if the bytes are."""
        words = raw.view(ring.dtype_of(self.lane))
        return words.reshape(self.count, field.limbs(self.field)) if self.field else words

    def uniform(self, raw: Array) -> Array:
        """Uniform bytes -> a uniform share."""
        return field.from_uniform(self.view(raw), self.field) if self.field else self.view(raw)

    def add(self, left: Array, right: Array) -> Array:
        """The group operation."""
        if self.field:
            return field.add(left, right, self.field)
        return left ^ right if self.xor else left + right

    def subtract(self, left: Array, right: Array) -> Array:
        """Its inverse."""
        if self.field:
            return field.subtract(left, right, self.field)
        return left ^ right if self.xor else left - right

    def total(self, shares: Sequence[Array]) -> Array:
        """The secret of these shares."""
        value = shares[0]
        for share in shares[1:]:
            value = self.add(value, share)
        return value


def _offsets(parts: Sequence[Part]) -> tuple[list[int], int]:
    offsets, end = [], 0
    for part in parts:
        offsets.append(end)
        end += -(-part.size // _ALIGN) * _ALIGN
    return offsets, end


def _slices(parts: Sequence[Part], raw: Array) -> list[Array]:
    return [raw[offset : offset + part.size] for part, offset in zip(parts, _offsets(parts)[0], strict=True)]


class Correlation:
    """A kind and its shape. Subclasses are frozen dataclasses of plain integers, the shape."""

    code: ClassVar[int]

    @property
    @abstractmethod
    def independent(self) -> tuple[Part, ...]:
        """The parts that every party expands by itself."""

    @property
    @abstractmethod
    def dependent(self) -> tuple[Part, ...]:
        """The parts that follow."""

    @abstractmethod
    def relate(self, values: Sequence[Array]) -> list[Array]:
        """The law: the dependent values that belong to these independent values."""

    def receiver(self, parties: int) -> int:
        """The index of the party that gets the correction."""
        return parties - 1

    @property
    def correction_bytes(self) -> int:
        """What the provider sends to the receiver."""
        return _offsets(self.dependent)[1]

    def use(self, session: bytes, path: bytes) -> bytes:
        """The name of this use, to which the random streams are bound."""
        shape = self.shape
        return b"".join(
            [
                session,
                struct.pack("<HBB", len(path), self.code, len(shape)),
                path,
                struct.pack(f"<{len(shape)}Q", *shape),
            ]
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The integers that describe it."""
        return astuple(self)  # type: ignore[call-overload, no-any-return]  # every subclass is a dataclass

    def expand(self, seed: bytes, use: bytes, *, whole: bool) -> list[Array]:
        """One party's shares: all parts, or (whole=False, the receiver) the independent ones only."""
        parts = (*self.independent, *self.dependent) if whole else self.independent
        raw = expand(seed, use, _offsets(parts)[1])
        return [part.uniform(piece) for part, piece in zip(parts, _slices(parts, raw), strict=True)]

    def receive(self, raw: Array) -> list[Array]:
        """The receiver's shares of the dependent parts, from a correction's bytes [correction_bytes]."""
        return [part.view(piece) for part, piece in zip(self.dependent, _slices(self.dependent, raw), strict=True)]

    def correct(self, expanded: Sequence[Sequence[Array]]) -> list[Array]:
        """The receiver's shares of the dependent parts, given every party's expansion (the provider's work)."""
        known = len(self.independent)
        values = self.relate([part.total([e[i] for e in expanded]) for i, part in enumerate(self.independent)])
        for others in expanded[:-1]:
            for i, part in enumerate(self.dependent):
                values[i] = part.subtract(values[i], others[known + i])
        return values


@dataclass(frozen=True, slots=True)
class Triple(Correlation):
    """Beaver triples [Beaver 1991]: c = a*b, elementwise, mod 2^lane."""

    count: int
    lane: int
    code: ClassVar[int] = 1

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane),) * 2

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        a, b = values
        return [a * b]


@dataclass(frozen=True, slots=True)
class SquarePair(Correlation):
    """c = a*a."""

    count: int
    lane: int
    code: ClassVar[int] = 2

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [values[0] * values[0]]


@dataclass(frozen=True, slots=True)
class InnerProduct(Correlation):
    """c[k] = sum over i of a[k, i]*b[k, i], for `count` pairs of vectors of `length`."""

    count: int
    length: int
    lane: int
    code: ClassVar[int] = 3

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count * self.length, self.lane),) * 2

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        a, b = (value.reshape(self.count, self.length) for value in values)
        return [np.einsum("ki,ki->k", a, b)]


@dataclass(frozen=True, slots=True)
class MatrixTriple(Correlation):
    """C = A @ B for A [rows, inner], B [inner, columns]: one mask for each row and column [SecureML 2017]."""

    rows: int
    inner: int
    columns: int
    lane: int
    code: ClassVar[int] = 4

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows * self.inner, self.lane), Part(self.inner * self.columns, self.lane)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.rows * self.columns, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        a, b = values[0].reshape(self.rows, self.inner), values[1].reshape(self.inner, self.columns)
        return [(a @ b).reshape(-1)]


@dataclass(frozen=True, slots=True)
class BitTriple(Correlation):
    """c = a & b on `count` bytes of packed bits."""

    count: int
    code: ClassVar[int] = 5

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, 8, xor=True),) * 2

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, 8, xor=True),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [values[0] & values[1]]


@dataclass(frozen=True, slots=True)
class DaBit(Correlation):
    """Random bits in both sharings [Rotaru-Wood 2019]: packed XOR bits of `rows` rows, and the same bits as words."""

    rows: int
    lane: int
    code: ClassVar[int] = 6

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.rows // 8, 8, xor=True),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.rows, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [ring.unpack(values[0]).astype(ring.dtype_of(self.lane))]


@dataclass(frozen=True, slots=True)
class BitProduct(Correlation):
    """For `rows` random bits beta (packed per group of rows) and words a[measures, rows]: beta as words, and a*beta.

    `groups` independent bit columns of `rows` rows each, every one with its own `measures` words.
    """

    groups: int
    rows: int
    measures: int
    lane: int
    code: ClassVar[int] = 7

    @property
    def independent(self) -> tuple[Part, ...]:
        bits = Part(self.groups * self.rows // 8, 8, xor=True)
        return bits, Part(self.groups * self.measures * self.rows, self.lane)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(self.groups * self.rows, self.lane), Part(self.groups * self.measures * self.rows, self.lane)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        bits = ring.unpack(values[0].reshape(self.groups, self.rows // 8)).astype(ring.dtype_of(self.lane))
        words = values[1].reshape(self.groups, self.measures, self.rows)
        return [bits.reshape(-1), (words * bits[:, None, :]).reshape(-1)]


def fold_widths(lane: int) -> tuple[int, ...]:
    """The widths to which a lane is folded: lane/2, …, 2, 1."""
    return tuple(lane >> step for step in range(1, lane.bit_length()))


def _fold_parts(rows: int, lane: int, *, second: bool) -> list[tuple[Part, Part]]:
    """For each fold of `rows` lanes: the masks a of one half, and b or (b, c) of what it is ANDed with."""
    levels = []
    for width in fold_widths(lane):
        count, words = (rows, width) if width >= 8 else (rows * width // 8, 8)
        masks = Part(count * (2 if second and width > 1 else 1), words, xor=True)
        levels.append((Part(count, words, xor=True), masks))
    return levels


def _fold_products(levels: Sequence[tuple[Array, Array]]) -> list[Array]:
    return [(masks.reshape(len(masks) // max(1, len(a)), len(a)) & a).reshape(-1) for a, masks in levels]


def _pairs(values: Sequence[Array]) -> list[tuple[Array, Array]]:
    return list(zip(values[0::2], values[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class SignMask(Correlation):
    """For comparisons in a lane: r as bits (XOR-shared, bit i where i's bits reversed point) and as a word mod 2^lane
    (an edaBit [Escudero et al. 2020]), and for each fold of a lane to its half the masks a, (b, c) with a&b and a&c.

    `rows` is a multiple of 8.
    """

    rows: int
    lane: int
    code: ClassVar[int] = 8

    @property
    def independent(self) -> tuple[Part, ...]:
        folds = _fold_parts(self.rows, self.lane, second=True)
        return Part(self.rows, self.lane, xor=True), *(part for level in folds for part in level)

    @property
    def dependent(self) -> tuple[Part, ...]:
        folds = _fold_parts(self.rows, self.lane, second=True)
        return Part(self.rows, self.lane), *(level[1] for level in folds)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [ring.bit_reverse(values[0]), *_fold_products(_pairs(values[1:]))]


@dataclass(frozen=True, slots=True)
class ZeroMask(Correlation):
    """For tests of equality in a lane: r as bits and as a word, and for each fold masks a, b with a&b."""

    rows: int
    lane: int
    code: ClassVar[int] = 9

    @property
    def independent(self) -> tuple[Part, ...]:
        folds = _fold_parts(self.rows, self.lane, second=False)
        return Part(self.rows, self.lane, xor=True), *(part for level in folds for part in level)

    @property
    def dependent(self) -> tuple[Part, ...]:
        folds = _fold_parts(self.rows, self.lane, second=False)
        return Part(self.rows, self.lane), *(level[1] for level in folds)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [values[0].copy(), *_fold_products(_pairs(values[1:]))]


@dataclass(frozen=True, slots=True)
class TableMask(Correlation):
    """A one-time truth table [Ishai et al. 2013]: rho mod 2^bits, and its one-hot bits, 2^bits of them a row.

    3 <= bits <= 10; the one-hot vector is one lane of 2^bits bits, or 64-bit lanes [rows, 2^bits/64].
    """

    rows: int
    bits: int
    code: ClassVar[int] = 10

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.rows, ring.lane_for(self.bits)),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        lane = min(1 << self.bits, 64)
        return (Part((self.rows << self.bits) // lane, lane, xor=True),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        lane = min(1 << self.bits, 64)
        dtype = ring.dtype_of(lane)
        rho = values[0] & values[0].dtype.type((1 << self.bits) - 1)
        onehot = np.zeros((self.rows, (1 << self.bits) // lane), dtype=dtype)
        low = np.left_shift(dtype.type(1), (rho & rho.dtype.type(lane - 1)).astype(dtype))
        onehot[np.arange(self.rows), rho >> rho.dtype.type(lane.bit_length() - 1)] = low
        return [onehot.reshape(-1)]


@dataclass(frozen=True, slots=True)
class OneHotSums(Correlation):
    """For group sums: rho mod 2^bits, words a[measures, rows]; onehot(rho) [rows, 2^bits] as words, and
    a*onehot(rho).
    """

    rows: int
    bits: int
    measures: int
    code: ClassVar[int] = 11

    @property
    def key_lane(self) -> int:
        """The lane in which rho is shared."""
        return ring.lane_for(self.bits)

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows, self.key_lane), Part(self.measures * self.rows)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(self.rows << self.bits), Part((self.measures * self.rows) << self.bits)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        slots = 1 << self.bits
        rho = values[0] & values[0].dtype.type(slots - 1)
        words = values[1].reshape(self.measures, self.rows)
        at = np.arange(self.rows)
        onehot = np.zeros((self.rows, slots), dtype=np.uint64)
        onehot[at, rho] = 1
        products = np.zeros((self.measures, self.rows, slots), dtype=np.uint64)
        products[:, at, rho] = words
        return [onehot.reshape(-1), products.reshape(-1)]


@dataclass(frozen=True, slots=True)
class Zero(Correlation):
    """A sharing of zeros, with which result shares are re-randomised: words, packed bits, or field elements."""

    count: int
    lane: int
    xor: int
    field: int
    code: ClassVar[int] = 12

    @property
    def independent(self) -> tuple[Part, ...]:
        return ()

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane, xor=bool(self.xor), field=self.field),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        (part,) = self.dependent
        return [part.view(np.zeros(part.size, dtype=np.uint8))]


@dataclass(frozen=True, slots=True)
class LiftMask(Correlation):
    """To lift words mod 2^64 into a field: SignMask's parts for the 64-bit lane and also r in the field, and daBits
    there.
    """

    rows: int
    field: int
    code: ClassVar[int] = 13

    @property
    def sign(self) -> SignMask:
        """The parts for the comparison that finds the wrap."""
        return SignMask(self.rows, 64)

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows // 8, 8, xor=True), *self.sign.independent

    @property
    def dependent(self) -> tuple[Part, ...]:
        elements = Part(self.rows, field=self.field)
        return elements, elements, *self.sign.dependent

    def relate(self, values: Sequence[Array]) -> list[Array]:
        bits = field.from_words(ring.unpack(values[0]).astype(np.uint64), self.field)
        rest = self.sign.relate(values[1:])
        return [bits, field.from_words(rest[0], self.field), *rest]


@dataclass(frozen=True, slots=True)
class FieldTriple(Correlation):
    """c = a*b in F_(2^field - 1)."""

    count: int
    field: int
    code: ClassVar[int] = 14

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, field=self.field),) * 2

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, field=self.field),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [field.multiply(values[0], values[1], self.field)]


@dataclass(frozen=True, slots=True)
class FieldRandom(Correlation):
    """Random elements of F_(2^field - 1); there is nothing to correct."""

    count: int
    field: int
    code: ClassVar[int] = 15

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count, field=self.field),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return ()

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return []


@dataclass(frozen=True, slots=True)
class Shuffle(Correlation):
    """One turn of a shuffle of `rows` rows: party `turn` permutes by its own pi.

    A row has `words` words mod 2^64, `bits` XOR-shared words of 64 bits, and `places` words mod 2^32; arrays are
    [columns, rows] for each. Every other party j has masks a_j and b_j; party `turn` has pi and receives
    pi(sum a_j) - sum b_j [Chase-Ghosh-Poburinnaya 2020, with a provider].
    """

    rows: int
    words: int
    bits: int
    places: int
    turn: int
    code: ClassVar[int] = 16

    @property
    def masks(self) -> tuple[Part, ...]:
        """The parts of a masked row."""
        return (
            Part(self.words * self.rows),
            Part(self.bits * self.rows, xor=True),
            Part(self.places * self.rows, 32),
        )

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.rows), *self.masks, *self.masks

    @property
    def dependent(self) -> tuple[Part, ...]:
        return self.masks

    def receiver(self, parties: int) -> int:
        return self.turn

    def relate(self, values: Sequence[Array]) -> list[Array]:
        raise InternalError("a shuffle's correction depends on who holds what: see correct")

    def correct(self, expanded: Sequence[Sequence[Array]]) -> list[Array]:
        order = permutation_of(expanded[self.turn][0])
        others = [e for i, e in enumerate(expanded) if i != self.turn]
        shares = []
        for i, part in enumerate(self.masks, start=1):
            into = part.total([e[i] for e in others])
            if part.count:
                into = np.take(into.reshape(-1, self.rows), order, axis=1).reshape(-1)
            shares.append(part.subtract(into, part.total([e[3 + i] for e in others])))
        return shares


def permutation_of(keys: Array) -> Array:
    """The permutation [n] that uniform 64-bit keys [n] stand for: their order, uniform because equal keys are redrawn.

    Where the high bits alone hardly ever repeat, they are sorted together with the row number in one word: no argsort.
    """
    rows = len(keys)
    low = np.uint64(max(1, rows - 1).bit_length())
    short = rows * rows >> 2 < 1 << (64 - int(low))
    while True:
        if short:
            ordered = np.sort((keys >> low << low) | np.arange(rows, dtype=np.uint64))
            order = (ordered & ((np.uint64(1) << low) - np.uint64(1))).astype(np.int64)
            ordered >>= low
        else:
            order = np.argsort(keys)
            ordered = keys[order]
        if not (ordered[1:] == ordered[:-1]).any():
            return order
        keys = expand(keys[:4].tobytes(), b"redrawn", 8 * rows).view(np.uint64)


@dataclass(frozen=True, slots=True)
class ScaledTriple(Correlation):
    """c[k, i] = a[k, i]*b[k]: to multiply `count` vectors of `length`, each by one factor."""

    count: int
    length: int
    lane: int
    code: ClassVar[int] = 17

    @property
    def independent(self) -> tuple[Part, ...]:
        return Part(self.count * self.length, self.lane), Part(self.count, self.lane)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count * self.length, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [(values[0].reshape(self.count, self.length) * values[1][:, None]).reshape(-1)]


@dataclass(frozen=True, slots=True)
class SquareSums(Correlation):
    """c[k] = sum over i of a[k, i]^2."""

    count: int
    length: int
    lane: int
    code: ClassVar[int] = 18

    @property
    def independent(self) -> tuple[Part, ...]:
        return (Part(self.count * self.length, self.lane),)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return (Part(self.count, self.lane),)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        a = values[0].reshape(self.count, self.length)
        return [np.einsum("ki,ki->k", a, a)]


@dataclass(frozen=True, slots=True)
class PrefixMask(Correlation):
    """For the bits of a word: r as bits (XOR-shared, in order) and as a word mod 2^lane, and for each of log2(lane)
    steps
    masks a, (b, c) in the lane with a&b and a&c."""

    rows: int
    lane: int
    code: ClassVar[int] = 19

    @property
    def steps(self) -> int:
        """How often prefixes double."""
        return self.lane.bit_length() - 1

    @property
    def independent(self) -> tuple[Part, ...]:
        one, two = Part(self.rows, self.lane, xor=True), Part(2 * self.rows, self.lane, xor=True)
        return one, *((one, two) * self.steps)

    @property
    def dependent(self) -> tuple[Part, ...]:
        return Part(self.rows, self.lane), *((Part(2 * self.rows, self.lane, xor=True),) * self.steps)

    def relate(self, values: Sequence[Array]) -> list[Array]:
        return [values[0].copy(), *_fold_products(_pairs(values[1:]))]


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
    if isinstance(kind, DaBit | BitProduct | SignMask | ZeroMask | LiftMask) and kind.rows % 8:
        return False
    parts = (*kind.independent, *kind.dependent)
    if any(part.lane not in ring.LANES for part in parts):
        return False
    if any(part.field and (part.field not in field.EXPONENTS or part.lane != 64) for part in parts):
        return False
    return _offsets(parts)[1] <= _MAX_BYTES


def correction(request: Request, session: bytes, seeds: Sequence[bytes]) -> Array:
    """The correction's bytes [correction_bytes] (uint8) for one request: a pure function of its arguments."""
    kind = request.kind
    use = kind.use(session, request.path)
    receiver = kind.receiver(len(seeds))
    expanded = [kind.expand(seed, use, whole=i != receiver) for i, seed in enumerate(seeds)]
    shares = kind.correct(expanded)
    out = np.zeros(kind.correction_bytes, dtype=np.uint8)
    for part, piece, share in zip(kind.dependent, _slices(kind.dependent, out), shares, strict=True):
        piece[:] = np.ascontiguousarray(share).reshape(-1).view(np.uint8) if part.size else 0
    return out
