"""Products of shared words, alone and in sums: Beaver's triples and what saves parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smpc_sql.correlations.base import Correlation, Part
from smpc_sql.ring import Array


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
