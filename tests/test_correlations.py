"""Every kind of correlated randomness: its law, how it is dealt, its requests. One test runs over all kinds."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smpc_sql import field
from smpc_sql.correlations import base, requests
from smpc_sql.correlations.base import Correlation
from smpc_sql.correlations.bits import BitProduct, BitTriple, DaBit, RandomIf, RandomWords
from smpc_sql.correlations.fields import FieldRandom, FieldTriple, LiftMask, Zero
from smpc_sql.correlations.masks import PrefixMask, ShiftMask, SignMask, ZeroMask
from smpc_sql.correlations.permutations import Order, Orders, Shuffle, ShuffledColumn, permutation_of
from smpc_sql.correlations.products import InnerProduct, MatrixTriple, ScaledTriple, SquarePair, SquareSums, Triple
from smpc_sql.correlations.requests import KINDS, Request, correction, decode_requests, encode_requests
from smpc_sql.correlations.tables import Choice, DigitCounts, OneHotSums, TableMask
from smpc_sql.errors import PeerError
from smpc_sql.ring import LANES, Array, dtype_of

SESSION, PATH = bytes(range(16)), b"\0\0\1"
PARTIES = (2, 3, 4, 5)

SHAPES: dict[type[Correlation], list[Correlation]] = {
    Triple: [Triple(count, lane) for lane in LANES for count in (0, 1, 40)],
    SquarePair: [SquarePair(count, lane) for lane in LANES for count in (0, 1, 40)],
    InnerProduct: [InnerProduct(*shape, lane) for lane in LANES for shape in ((1, 1), (3, 50), (2, 0))],
    SquareSums: [SquareSums(*shape, lane) for lane in LANES for shape in ((1, 1), (3, 50), (2, 0))],
    ScaledTriple: [ScaledTriple(*shape, lane) for lane in LANES for shape in ((1, 1), (3, 50), (2, 0))],
    MatrixTriple: [MatrixTriple(*shape, lane) for lane in LANES for shape in ((1, 1, 1), (3, 7, 2), (2, 0, 3))],
    BitTriple: [BitTriple(count) for count in (0, 1, 100)],
    DaBit: [DaBit(rows, lane) for lane in LANES for rows in (0, 8, 80)],
    RandomWords: [RandomWords(count, lane) for lane in LANES for count in (0, 1, 40)],
    RandomIf: [RandomIf(rows, lane) for lane in LANES for rows in (0, 8, 80)],
    BitProduct: [BitProduct(*shape, lane) for lane in LANES for shape in ((1, 8, 1), (2, 40, 3), (1, 0, 1))],
    SignMask: [SignMask(rows, lane) for lane in LANES for rows in (0, 8, 80)],
    ZeroMask: [ZeroMask(rows, lane) for lane in LANES for rows in (0, 8, 80)],
    ShiftMask: [ShiftMask(rows, lane) for lane in LANES[1:] for rows in (0, 8, 40)],
    PrefixMask: [PrefixMask(rows, lane) for lane in LANES for rows in (0, 1, 40)],
    TableMask: [TableMask(rows, bits) for bits in (3, 4, 5, 6, 8, 9, 10) for rows in (0, 1, 40)],
    OneHotSums: [OneHotSums(rows, bits, m) for bits, m in ((1, 0), (3, 1), (8, 2), (9, 1)) for rows in (0, 1, 40)],
    Zero: [Zero(20, 64, 0, 0), Zero(20, 8, 1, 0), *(Zero(20, 64, 0, e) for e in field.EXPONENTS), Zero(0, 64, 0, 127)],
    LiftMask: [LiftMask(rows, exponent) for exponent in field.EXPONENTS for rows in (0, 8, 24)],
    FieldTriple: [FieldTriple(count, exponent) for exponent in field.EXPONENTS for count in (0, 1, 20)],
    FieldRandom: [FieldRandom(count, exponent) for exponent in field.EXPONENTS for count in (0, 1, 20)],
    Shuffle: [
        Shuffle(rows, *row, turn, lane)
        for rows in (0, 1, 30)
        for row in ((2, 0, 0), (1, 2, 3))
        for turn in (0, 1)
        for lane in LANES
    ],
    Choice: [Choice(rows, bits, turn) for bits in (1, 3, 5, 9) for rows in (0, 1, 40) for turn in (0, 1)],
    Order: [Order(rows, turn) for rows in (0, 1, 30) for turn in (0, 1)],
    ShuffledColumn: [
        ShuffledColumn(rows, turn, lane, xor, back)
        for rows in (0, 1, 30)
        for turn, back in ((0, 2), (1, 1))
        for lane in LANES
        for xor in (0, 1)
    ],
    DigitCounts: [DigitCounts(rows, bits, turn) for bits in (1, 3, 4) for rows in (0, 64, 192) for turn in (0, 1)],
}
ALL = [kind for shapes in SHAPES.values() for kind in shapes]


def seeds_of(parties: int) -> list[bytes]:
    return [bytes([party + 1]) * 32 for party in range(parties)]


def dealt(kind: Correlation, parties: int, path: bytes = PATH) -> list[list[Array]]:
    """Every party's shares of all parts, as parties and provider make them."""
    use, receiver = kind.use(SESSION, path), kind.receiver(parties)
    shares = []
    for party, seed in enumerate(seeds_of(parties)):
        if party == receiver and kind.dependent:
            raw = correction(Request(path, kind), SESSION, seeds_of(parties))
            assert len(raw) == kind.correction_bytes
            shares.append([*kind.expand(seed, use, whole=False), *kind.receive(raw)])
        else:
            shares.append(kind.expand(seed, use, whole=True))
    return shares


def secrets(kind: Correlation, shares: list[list[Array]]) -> list[Any]:
    """The secret of every part: words, or Python's integers for a field."""
    found: list[Any] = []
    for i, part in enumerate((*kind.independent, *kind.dependent)):
        mine = [each[i] for each in shares]
        if part.field:
            total = sum(field.to_integers(share) for share in mine)
            found.append([int(value) % field.modulus(part.field) for value in total])
        elif part.xor:
            found.append(np.bitwise_xor.reduce(mine))
        else:
            found.append(np.add.reduce(mine, dtype=mine[0].dtype))
    return found


# --------------------------------------------------------------------------------------- the laws, in their own words


def bits_of(packed: Array) -> list[int]:
    """Row j*eighth + i is bit j of byte i."""
    return [int(byte) >> j & 1 for j in range(8) for byte in packed]


def turned(bit: int, lane: int) -> int:
    """A bit's index with its own bits reversed."""
    size = lane.bit_length() - 1
    return int(f"{bit:0{size}b}"[::-1], 2)


def folds_hold(lane: int, masks: list[Array], products: list[Array]) -> None:
    """Masks a, (b or b and c) of each fold of a lane, and what they give: the last of a sign's folds has one product
    only."""
    assert len(masks) == 2 * len(products)
    for a, pair, product in zip(masks[0::2], masks[1::2], products, strict=True):
        times = len(pair) // len(a) if len(a) else 1
        np.testing.assert_array_equal(product, pair & np.tile(a, times))
    widths = [lane >> step for step in range(1, lane.bit_length())]
    assert [a.nbytes for a in masks[0::2]] == [len(masks[0]) * masks[0].itemsize * w // widths[0] for w in widths]


def sign(kind: SignMask, values: list[Any]) -> None:
    steps = kind.lane.bit_length() - 2
    r_bits, folds, r, near, *products = values[0], values[1 : 1 + 2 * steps], *values[1 + 2 * steps :]
    neighbours_hold(kind.lane, r_bits, near)
    for stored, word in zip(r_bits, r, strict=True):
        assert [int(stored) >> turned(i, kind.lane) & 1 for i in range(kind.lane)] == [
            int(word) >> i & 1 for i in range(kind.lane)
        ]
    folds_hold(kind.lane // 2, folds, products)
    assert len(products[-1]) == len(folds[-2])  # g only
    assert all(len(p) == 2 * len(a) for p, a in zip(products[:-1], folds[:-2:2], strict=True))


def neighbours_hold(lane: int, r_bits: Array, near: Array) -> None:
    """The upper half of r's bits ANDed with the lower; of a lane of 8 bits two to a byte."""
    half = lane // 2
    expected = [int(bits) >> half & int(bits) & (1 << half) - 1 for bits in r_bits]
    found = [int(each) for each in near]
    assert ([x & 15 for x in found] + [x >> 4 for x in found] if lane == 8 else found) == expected


def zero_test(kind: ZeroMask, values: list[Any]) -> None:
    steps = kind.lane.bit_length() - 2
    np.testing.assert_array_equal(values[0], values[1 + 2 * steps])
    neighbours_hold(kind.lane, values[0], values[2 + 2 * steps])
    folds_hold(kind.lane // 2, values[1 : 1 + 2 * steps], values[3 + 2 * steps :])


def shift(kind: ShiftMask, values: list[Any]) -> None:
    bits = kind.lane // 2 - 1
    parts = len(kind.independent)
    r, high, top = values[parts : parts + 3]
    np.testing.assert_array_equal(high, r.astype(np.uint64) >> np.uint64(bits))
    np.testing.assert_array_equal(top, r.astype(np.uint64) >> np.uint64(kind.lane - 1))
    np.testing.assert_array_equal(high >> np.uint64(1), values[0].astype(np.uint64) >> np.uint64(bits + 1))
    low = [turn(int(word), kind.lane // 2) for word in values[1]]
    assert [int(word) % (1 << bits) for word in r] == [word % (1 << bits) for word in low]
    neighbours_hold(kind.lane // 2, values[1], values[parts + 3])
    folds_hold(kind.lane // 4, values[2:parts], values[parts + 4 :])


def turn(word: int, lane: int) -> int:
    """The word whose bit i stands where i's bits reversed point."""
    return sum((word >> turned(i, lane) & 1) << i for i in range(lane))


def prefix(kind: PrefixMask, values: list[Any]) -> None:
    steps = int(math.log2(kind.lane)) - 1
    np.testing.assert_array_equal(values[0], values[1 + 2 * steps])
    np.testing.assert_array_equal(values[2 + 2 * steps], values[0] & (values[0] << values[0].dtype.type(1)))
    masks, products = values[1 : 1 + 2 * steps], values[3 + 2 * steps :]
    for a, pair, product in zip(masks[0::2], masks[1::2], products, strict=True):
        assert len(a) == kind.rows
        np.testing.assert_array_equal(
            product, np.concatenate([pair[: len(a)] & a, pair[len(a) :] & a[: len(pair) - len(a)]])
        )
    assert len(products[-1]) == kind.rows  # the last step has one product only


def lift(kind: LiftMask, values: list[Any]) -> None:
    parts = len(kind.independent)
    beta, *signs = values[:parts]
    beta_field, r_field, *rest = values[parts:]
    assert beta_field == bits_of(beta)
    assert r_field == [int(word) for word in rest[0]]
    sign(SignMask(kind.rows, 64), [*signs, *rest])


def table(kind: TableMask, values: list[Any]) -> None:
    rho, onehot = values
    lane = min(1 << kind.bits, 64)
    for code, lanes in zip(rho, onehot.reshape(kind.rows, (1 << kind.bits) // lane), strict=True):
        whole = sum(int(word) << (lane * i) for i, word in enumerate(lanes))
        assert whole == 1 << (int(code) % (1 << kind.bits))


def one_hot_sums(kind: OneHotSums, values: list[Any]) -> None:
    rho, words, onehot, products = values
    expected = np.eye(1 << kind.bits, dtype=np.uint64)[rho.astype(np.int64) % (1 << kind.bits)]
    np.testing.assert_array_equal(onehot.reshape(expected.shape), expected)
    words = words.reshape(kind.measures, kind.rows)
    found = products.reshape(kind.measures, kind.rows, 1 << kind.bits)
    for word, product in zip(words, found, strict=True):
        np.testing.assert_array_equal(product, word[:, None] * expected)


def choice(kind: Choice, values: list[Any]) -> None:
    rho, words, onehot, chosen = values
    whole = np.eye(1 << kind.bits, dtype=np.uint32)[rho.astype(np.int64) % (1 << kind.bits)].T
    np.testing.assert_array_equal(onehot.reshape(whole[1:].shape), whole[1:])
    np.testing.assert_array_equal(chosen, (whole[1:] * words.reshape(whole[1:].shape)).sum(axis=0, dtype=np.uint32))


def digit_counts(kind: DigitCounts, values: list[Any]) -> None:
    rho, r, onehot, low, high = values
    whole = np.eye(1 << kind.bits, dtype=np.uint8)[rho.astype(np.int64) % (1 << kind.bits)].T
    np.testing.assert_array_equal(onehot.reshape(whole[1:].shape), whole[1:])
    exact = r.astype(np.int64)
    np.testing.assert_array_equal(low.astype(np.int64), -exact % (1 << 32))
    np.testing.assert_array_equal(high.astype(np.int64), (np.where(exact >= 128, 256, 0) - exact) % (1 << 32))


def bit_product(kind: BitProduct, values: list[Any]) -> None:
    packed, words, as_words, products = values
    bits = np.array([bits_of(row) for row in packed.reshape(kind.groups, kind.rows // 8)], dtype=words.dtype)
    bits = bits.reshape(kind.groups, kind.rows)
    np.testing.assert_array_equal(as_words.reshape(bits.shape), bits)
    shape = kind.groups, kind.measures, kind.rows
    np.testing.assert_array_equal(products.reshape(shape), words.reshape(shape) * bits[:, None])


def inner(kind: InnerProduct, values: list[Any]) -> None:
    a, b, c = values
    for k in range(kind.count):
        pieces = slice(k * kind.length, (k + 1) * kind.length)
        exact = sum(int(x) * int(y) for x, y in zip(a[pieces], b[pieces], strict=True))
        assert int(c[k]) == exact % (1 << kind.lane)


def matrix(kind: MatrixTriple, values: list[Any]) -> None:
    a, b = (np.array(v, dtype=object) for v in values[:2])
    exact = a.reshape(kind.rows, kind.inner) @ b.reshape(kind.inner, kind.columns)
    assert values[2].tolist() == [int(value) % (1 << kind.lane) for value in exact.reshape(-1)]


def scaled(kind: ScaledTriple, values: list[Any]) -> None:
    a, b, c = values
    shape = kind.count, kind.length
    np.testing.assert_array_equal(c.reshape(shape), a.reshape(shape) * b[:, None])


def square_sums(kind: SquareSums, values: list[Any]) -> None:
    inner(InnerProduct(kind.count, kind.length, kind.lane), [values[0], *values])


def shuffled(kind: Shuffle, shares: list[list[Array]]) -> None:
    order = permutation_of(shares[kind.turn][0])
    assert sorted(order) == list(range(kind.rows))
    for i, columns in enumerate((kind.words, kind.bits, kind.places)):
        add = np.bitwise_xor.reduce if i == 1 else lambda each: np.add.reduce(each, dtype=each[0].dtype)
        masks = [each for party, each in enumerate(shares) if party != kind.turn]
        into = add([each[1 + i] for each in masks]).reshape(columns, kind.rows)
        # what the party whose turn it is gets, with what the others go on with, is what they sent, permuted
        out = add([shares[kind.turn][7 + i], *(each[4 + i] for each in masks)]).reshape(columns, kind.rows)
        np.testing.assert_array_equal(out, into[:, order])


def shuffled_column(kind: ShuffledColumn, shares: list[list[Array]]) -> None:
    order = Orders().of(kind, seeds_of(len(shares))[kind.turn], kind.use(SESSION, PATH))
    assert sorted(order) == list(range(kind.rows))
    masks = [each for party, each in enumerate(shares) if party != kind.turn]
    into = kind.mask.total([each[0] for each in masks])
    out = kind.mask.total([shares[kind.turn][2], *(each[1] for each in masks)])
    np.testing.assert_array_equal(out, into[order])


def orders(kind: Order, shares: list[list[Array]]) -> None:
    for (order,) in shares:
        assert sorted(order) == list(range(kind.rows))


def equal(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(found, expected)


LAWS: dict[type[Correlation], Callable[[Any, list[Any]], None]] = {
    Triple: lambda _, v: equal(v[2], v[0] * v[1]),
    SquarePair: lambda _, v: equal(v[1], v[0] * v[0]),
    InnerProduct: inner,
    SquareSums: square_sums,
    ScaledTriple: scaled,
    MatrixTriple: matrix,
    BitTriple: lambda _, v: equal(v[2], v[0] & v[1]),
    DaBit: lambda _, v: equal(v[1], bits_of(v[0])),
    RandomWords: lambda k, v: equal(v[0].dtype.itemsize * 8, k.lane),
    RandomIf: lambda _, v: equal(v[2], bits_of(v[0]) * v[1]),
    BitProduct: bit_product,
    SignMask: sign,
    ZeroMask: zero_test,
    PrefixMask: prefix,
    ShiftMask: shift,
    TableMask: table,
    OneHotSums: one_hot_sums,
    Choice: choice,
    DigitCounts: digit_counts,
    Zero: lambda _, v: equal(np.count_nonzero(v[0]), 0),
    LiftMask: lift,
    FieldTriple: lambda k, v: equal(v[2], [a * b % field.modulus(k.field) for a, b in zip(v[0], v[1], strict=True)]),
    FieldRandom: lambda k, v: equal(len(set(v[0])), k.count),
}


SHUFFLES: dict[type[Correlation], Callable[[Any, list[list[Array]]], None]] = {
    Shuffle: shuffled,
    ShuffledColumn: shuffled_column,
    Order: orders,
}


def test_every_kind_is_listed_has_a_code_and_is_tested() -> None:
    assert set(KINDS) == set(SHAPES) == {*LAWS, *SHUFFLES}
    assert {kind.__name__ for kind in KINDS} == {kind.__name__ for kind in Correlation.__subclasses__()}
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert all(0 < kind.code < 256 for kind in KINDS)
    assert all(isinstance(shape, kind) for kind, shapes in SHAPES.items() for shape in shapes)


@pytest.mark.parametrize("parties", PARTIES)
@pytest.mark.parametrize("kind", ALL, ids=str)
def test_the_law_holds_on_the_reconstruction(kind: Correlation, parties: int) -> None:
    shares = dealt(kind, parties)
    for mine in shares:
        for part, share in zip((*kind.independent, *kind.dependent), mine, strict=True):
            assert share.dtype == dtype_of(part.lane)
            assert len(share) == part.count
    if type(kind) in SHUFFLES:
        SHUFFLES[type(kind)](kind, shares)
    else:
        LAWS[type(kind)](kind, secrets(kind, shares))


@pytest.mark.parametrize(
    "kind", [max(shapes, key=lambda kind: kind.correction_bytes) for shapes in SHAPES.values()], ids=str
)
def test_the_provider_is_a_pure_function(kind: Correlation) -> None:
    seeds = seeds_of(3)
    first = correction(Request(PATH, kind), SESSION, seeds).tobytes()
    assert correction(Request(PATH, kind), SESSION, seeds).tobytes() == first
    if not first.strip(b"\0"):
        assert not kind.dependent or not kind.correction_bytes or isinstance(kind, Zero)
        return
    others = [
        correction(Request(PATH + b"\0", kind), SESSION, seeds),
        correction(Request(b"\0\0\2", kind), SESSION, seeds),
        correction(Request(PATH, kind), bytes(16), seeds),
        *(correction(Request(PATH, kind), SESSION, [*seeds[:i], bytes(32), *seeds[i + 1 :]]) for i in range(3)),
    ]
    found = [first, *(each.tobytes() for each in others)]
    # a sharing of zero does not depend on its receiver's own seed
    assert len(set(found)) == len(found) - (1 if isinstance(kind, Zero) else 0)


def test_the_columns_of_a_shuffle_have_one_order_and_masks_of_their_own() -> None:
    """In the branches of a fork, behind the act at which the order was dealt."""
    parent, order = b"\0\0\7", Order(30, 1)
    paths = [b"\0\0\x09" + branch.to_bytes(4, "big") + b"\0\0\1" for branch in range(2)]
    kinds = [ShuffledColumn(30, 1, 32, xor, 2) for xor in (0, 1)]
    uses = [kind.use(SESSION, path) for kind in kinds for path in paths]
    assert len(set(uses)) == 4
    known, seed = Orders(), bytes(32)
    expected = order.expand_part(seed, order.use(SESSION, parent), 0)
    for kind, use in zip((kinds[0], kinds[0], kinds[1], kinds[1]), uses, strict=True):
        np.testing.assert_array_equal(known.of(kind, seed, use), expected)
    other = ShuffledColumn(30, 1, 32, 0, 1)
    assert (known.of(other, seed, other.use(SESSION, paths[0])) != expected).any()
    known.forget(SESSION)
    np.testing.assert_array_equal(known.of(kinds[0], seed, uses[0]), expected)


def test_streams_are_bound_to_session_path_kind_and_shape() -> None:
    """Two names are never the same bytes, even where one's path could be the other's shape."""
    uses = [
        kind.use(session, path) for kind in ALL for session in (SESSION, bytes(16)) for path in (b"", PATH, PATH * 2)
    ]
    assert len(set(uses)) == len(uses)
    a, b = Triple(8, 64), Triple(16, 64)
    first, second = (kind.expand(bytes(32), kind.use(SESSION, PATH), whole=True)[0] for kind in (a, b))
    assert not (first == second[:8]).any()  # another shape is not a longer piece of the same stream


@pytest.mark.parametrize("kind", [SignMask(80, 32), Shuffle(30, 1, 2, 3, 0), LiftMask(24, 127)], ids=str)
def test_parts_in_buffers_of_their_own_are_the_same(kind: Correlation, monkeypatch: pytest.MonkeyPatch) -> None:
    use = kind.use(SESSION, PATH)
    together = kind.expand(bytes(32), use, whole=True)
    monkeypatch.setattr(base, "_TOGETHER", 0)
    for mine, expected in zip(kind.expand(bytes(32), use, whole=True), together, strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_a_receivers_correction_is_masked_by_every_other_party() -> None:
    """With other seeds at any one other party, every word of the correction changes."""
    kind = Triple(1000, 64)
    seeds = seeds_of(3)
    words = correction(Request(PATH, kind), SESSION, seeds).view(np.uint64)
    for party in (0, 1):
        others = [*seeds[:party], b"x" * 32, *seeds[party + 1 :]]
        assert not (correction(Request(PATH, kind), SESSION, others).view(np.uint64) == words).any()


# ------------------------------------------------------------------------------------------------------------ requests


def test_requests_come_back() -> None:
    requests = [Request(PATH * (i % 5), kind) for i, kind in enumerate(ALL)]
    assert decode_requests(memoryview(encode_requests(requests)), "party1") == requests
    assert decode_requests(memoryview(b""), "party1") == []


def encoded(code: int, *shape: int, path: bytes = PATH, length: int | None = None) -> bytes:
    head = struct.pack("<HBB", len(path) if length is None else length, code, len(shape))
    return head + path + struct.pack(f"<{len(shape)}Q", *shape)


MALFORMED = {
    "an unknown kind": encoded(200, 8, 64),
    "code 0": encoded(0, 8, 64),
    "too few integers": encoded(Triple.code, 8),
    "too many integers": encoded(Triple.code, 8, 64, 1),
    "no integers": encoded(Triple.code),
    "a path that is longer than the message": encoded(Triple.code, 8, 64, length=60000),
    "half a head": encoded(Triple.code, 8, 64)[:3],
    "half a shape": encoded(Triple.code, 8, 64)[:-1],
    "something behind a sound request": encoded(Triple.code, 8, 64) + b"\1",
    "too much": encoded(Triple.code, 1 << 40, 64),
    "too much in a product": encoded(InnerProduct.code, 1 << 29, 1 << 29, 64),
    "too much in an exponent": encoded(TableMask.code, 1 << 20, 1 << 29),
    "too many bits of a key": encoded(OneHotSums.code, 8, 60, 1),
    "the greatest integer": encoded(Triple.code, (1 << 64) - 1, 64),
    "a lane that does not exist": encoded(Triple.code, 8, 7),
    "a lane of 0": encoded(SignMask.code, 8, 0),
    "a lane of 128": encoded(SignMask.code, 8, 128),
    "a field that does not exist": encoded(FieldTriple.code, 8, 128),
    "a field in a narrow lane": encoded(Zero.code, 8, 8, 0, 127),
    "rows of bits that fill no bytes": encoded(DaBit.code, 9, 64),
    "rows of lanes that fill no bytes": encoded(SignMask.code, 9, 64),
    "rows that fill no blocks": encoded(DigitCounts.code, 72, 3, 0),
    "a domain that is too small for a lane": encoded(TableMask.code, 8, 2),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_is_its_senders_fault(raw: bytes) -> None:
    with pytest.raises(PeerError, match="malformed") as caught:
        decode_requests(memoryview(raw), "party2")
    assert caught.value.peer == "party2"


def test_any_bytes_are_requests_that_can_be_answered_or_are_refused() -> None:
    rng = np.random.default_rng(9)
    sound = encode_requests([Request(PATH, kind) for kind in ALL if kind.correction_bytes < 4096])
    for _ in range(400):
        raw = bytearray(sound[: rng.integers(1, 300)])
        raw[rng.integers(0, len(raw))] = rng.integers(0, 256)
        try:
            requests = decode_requests(memoryview(bytes(raw)), "party1")
        except PeerError:
            continue
        for request in requests:
            if request.kind.receiver(3) < 3 and request.kind.correction_bytes < 1 << 20:
                correction(request, SESSION, seeds_of(3))


def test_a_gigabyte_is_the_most() -> None:
    words = requests._MAX_BYTES // 24
    decode_requests(memoryview(encoded(Triple.code, words - 64, 64)), "party1")
    with pytest.raises(PeerError):
        decode_requests(memoryview(encoded(Triple.code, words + 64, 64)), "party1")
