"""For the tests of what parties see: sessions that remember it, and a test for uniform bytes that does not flake.

`excess` turns a chi-square statistic into a number that is normally distributed if the counts are uniform [Wilson,
Hilferty 1931]. All tests together look at fewer than 10^6 numbers; at LIMIT = 8 a false alarm has a chance below 10^-14
each, so below 10^-8 in all, while the broken masks of the negative controls are beyond twice that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from smpc_sql import field
from smpc_sql.correlations.base import Correlation
from smpc_sql.ring import Array
from smpc_sql.session import Session

LIMIT = 8.0
_LEAST = 20  # samples that a cell has on average, at least


class Watching(Session):
    """A session, for programs without forks, that keeps what this party sends, what all open, and what it is dealt.

    exponent: of the field in which `exchange` sends; only lowest limbs are kept then, since the highest are not full.
    """

    def __init__(self, backend: Any, exponent: int = 0) -> None:
        super().__init__(backend)
        self.exponent = exponent
        self.sent: list[Array] = []
        self.opened: list[Array] = []
        self.dealt: list[tuple[Correlation, list[Array]]] = []

    def deal(self, kind: Correlation) -> list[Array]:
        parts = super().deal(kind)
        self.dealt.append((kind, [part.copy() for part in parts]))
        return parts

    def draw(self, kind: Correlation) -> Callable[[int], Array]:
        part = super().draw(kind)
        known = len(kind.independent) + len(kind.dependent)
        self.dealt.append((kind, [part(number).copy() for number in range(known)]))
        return part

    def _kept(self, array: Array) -> None:
        self.sent.append(as_bytes(array))

    def open(self, masked: Array) -> Array:
        self._kept(masked)
        value = super().open(masked)
        self.opened.append(as_bytes(value))
        return value

    def open_bits(self, masked: Array) -> Array:
        self._kept(masked)
        value = super().open_bits(masked)
        self.opened.append(as_bytes(value))
        return value

    def open_both(self, bits: Array, words: Array) -> tuple[Array, Array]:
        self._kept(np.concatenate([as_bytes(bits), as_bytes(words)]))
        values = super().open_both(bits, words)
        self.opened.append(np.concatenate([as_bytes(value) for value in values]))
        return values

    def open_sums(self, first: Array, second: Array) -> tuple[Array, Array]:
        self._kept(np.concatenate([as_bytes(first), as_bytes(second)]))
        values = super().open_sums(first, second)
        self.opened.append(np.concatenate([as_bytes(value) for value in values]))
        return values

    def exchange(self, own: Array) -> list[Array]:
        received = super().exchange(own)
        size = field.limbs(self.exponent)
        shares = [own, *(other.view(np.uint64).reshape(own.shape) for other in received)]
        total = sum(field.to_integers(share.reshape(-1, size)) for share in shares)
        self._kept(own.reshape(-1, size)[:, 0])
        self.opened.append(as_bytes(field.from_integers(total, self.exponent)[:, 0]))
        return received

    def collect(self, masked: Array, receiver: int) -> list[Array]:
        if receiver != self.index:
            self._kept(masked)
        return super().collect(masked, receiver)


def as_bytes(array: Array) -> Array:
    """A copy of an array's bytes."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).copy()


def excess(counts: Array) -> float:
    """How far counts are from uniform, in standard deviations; below 0 if they are nearer than is likely."""
    freedom = len(counts) - 1
    expected = counts.sum() / len(counts)
    square = float(((counts - expected) ** 2).sum() / expected)
    spread = 2 / (9 * freedom)
    return ((square / freedom) ** (1 / 3) - (1 - spread)) / spread**0.5


def uniform(samples: Array) -> float:
    """The greater excess of bytes [n], n a multiple of 8: of their values (halves if there are few), and of any bit."""
    if len(samples) < 256 * _LEAST:
        halves = np.concatenate([samples & 15, samples >> 4])
        assert len(halves) >= 16 * _LEAST, "too few samples to tell"
        return max(unbalanced(samples), excess(np.bincount(halves, minlength=16)))
    return max(unbalanced(samples), excess(np.bincount(samples, minlength=256)))


def unbalanced(samples: Array) -> float:
    """How far the ones among any bit of 64-bit words are from half of them, in standard deviations."""
    bits = np.unpackbits(samples.reshape(-1, 8), axis=1)
    return float(np.abs(bits.sum(axis=0, dtype=np.int64) * 2 - len(bits)).max() / len(bits) ** 0.5)


def independent(left: Array, right: Array) -> float:
    """The excess of pairs of bytes: far above 0 where they depend on one another, or are not uniform."""
    bits = 4 if len(left) >= 256 * _LEAST else 2
    mask = (1 << bits) - 1
    pairs = np.concatenate([((left >> s & mask) << bits) | (right >> s & mask) for s in range(0, 8, bits)])
    assert len(pairs) >= _LEAST << (2 * bits), "too few samples to tell"
    return excess(np.bincount(pairs, minlength=1 << (2 * bits)))


def worst(views: Sequence[Sequence[Watching]]) -> float:
    """The greatest excess of all that was seen in many runs (one sequence of sessions, in order of parties, each).

    For every open on its own: what every party sends, what is opened, that the halves of what is opened do not depend
    on each other, and that what a party sends does not depend on what the other n - 1 send, for each party.
    """
    found = [0.0]
    for place in range(len(views[0][0].sent)):
        sent = [np.concatenate([run[party].sent[place] for run in views]) for party in range(len(views[0]))]
        found += [uniform(each) for each in sent]
        for party, own in enumerate(sent):
            others = np.bitwise_xor.reduce([each for i, each in enumerate(sent) if i != party])
            found.append(independent(own, others))
    for place in range(len(views[0][0].opened)):
        opened = [run[0].opened[place] for run in views]
        found.append(uniform(np.concatenate(opened)))
        half = len(opened[0]) // 2
        found.append(
            independent(
                np.concatenate([o[:half] for o in opened]), np.concatenate([o[half : 2 * half] for o in opened])
            )
        )
    return max(found)
