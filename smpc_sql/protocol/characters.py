"""Which characters of secret texts are of which kind: sets of codes of ASCII."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from smpc_sql.protocol.boolean import conjunction
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

END = frozenset({0})
BLANKS = frozenset(b" \t\n\v\f\r")
DIGITS = frozenset(b"0123456789")


def kinds(session: Session, planes: Array, sets: Sequence[Collection[int]]) -> list[Array]:
    """For each set whether a text's character is in it, by places: [length, n/8]; see `spelling` for planes.

    3 rounds: products of neighbouring bits give all four values of a pair by linear combinations; a set of low halves
    is for each value of its upper pair a set of lower pairs, which is linear; and a character is in the set if its low
    half is among those that go with its high half. For each place 3 or 4 ANDs, up to 4 for each different set of low
    halves, and one for each high half of each set and one for each different one.
    """
    pairs = _pairs(session, planes)
    tables = [_by_high(codes) for codes in sets]
    lows = sorted({low for table in tables for low in table.values()})
    highs = sorted({high for table in tables for high in table})
    terms = [(v, pair) for low in lows for v, pair in enumerate(_upper_pairs(low)) if 0 < len(pair) < 4]
    wanted = [(pairs[1][v], _any(pairs[0], pair)) for v, pair in terms]
    top = pairs[3] if len(pairs) > 3 else _last(session, planes)
    found = _and(session, *wanted, *((pairs[2][high & 3], top[high >> 2]) for high in highs))
    products = iter(found[: len(terms)])
    low_bits = {low: _low(low, pairs[1], products) for low in lows}
    high_bits = dict(zip(highs, found[len(terms) :], strict=True))
    done = iter(_and(session, *((high_bits[h], low_bits[low]) for t in tables for h, low in t.items())))
    return [np.bitwise_xor.reduce([next(done) for _ in table]) for table in tables]


def _by_high(codes: Collection[int]) -> dict[int, tuple[int, ...]]:
    """The low halves of the codes by their high half."""
    found: dict[int, list[int]] = {}
    for code in sorted(codes):
        found.setdefault(code >> 4, []).append(code & 15)
    return {high: tuple(low) for high, low in found.items()}


def _upper_pairs(low: Iterable[int]) -> list[list[int]]:
    """Of a set of low halves, for each value of the upper pair of bits those of the lower one."""
    found: list[list[int]] = [[] for _ in range(4)]
    for value in low:
        found[value >> 2].append(value & 3)
    return found


def _low(low: tuple[int, ...], upper: Sequence[Array], products: Iterator[Array]) -> Array:
    """Whether the low half is one of the set, whose products come next."""
    total = np.zeros_like(upper[0])
    for v, pair in enumerate(_upper_pairs(low)):
        if pair:
            total = total ^ (upper[v] if len(pair) == 4 else next(products))
    return total


def _pairs(session: Session, planes: Array) -> list[list[Array]]:
    """For bits 0 and 1, 2 and 3, … whether they are 0, 1, 2, 3. Of 7 bits the last has no partner."""
    count = planes.shape[1] // 2
    even, odd = planes[:, 0 : 2 * count : 2], planes[:, 1 : 2 * count : 2]
    (both,) = _and(session, (even, odd))
    ones = session.public(np.uint8(255))
    found = []
    for i in range(count):
        x, y, product = even[:, i], odd[:, i], both[:, i]
        found.append([product ^ x ^ y ^ ones, product ^ x, product ^ y, product])
    return found


def _last(session: Session, planes: Array) -> list[Array]:
    """Whether bit 6 is 0 or 1, of 7 bits."""
    return [planes[:, 6] ^ session.public(np.uint8(255)), planes[:, 6]]


def _any(bits: Sequence[Array], chosen: Iterable[int]) -> Array:
    """The XOR of those that exclude one another."""
    total = np.zeros_like(bits[0])
    for i in chosen:
        total = total ^ bits[i]
    return total


def _and(session: Session, *pairs: tuple[Array, Array]) -> list[Array]:
    return [bits.packed for bits in conjunction(session, [(BShare(x), BShare(y)) for x, y in pairs])]
