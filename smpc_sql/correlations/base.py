"""What a kind of correlated randomness is: its parts, its law, and how the crypto provider corrects it.

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
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from typing import ClassVar

from smpc_sql import field, ring
from smpc_sql.randomness import expand
from smpc_sql.ring import Array

_ALIGN = 64  # a cache line: parts of one expansion start at multiples of it
_TOGETHER = 1 << 20  # bytes: a larger expansion has a buffer for each part, which is freed with it


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


def offsets(parts: Sequence[Part]) -> tuple[list[int], int]:
    offsets, end = [], 0
    for part in parts:
        offsets.append(end)
        end += -(-part.size // _ALIGN) * _ALIGN
    return offsets, end


def slices(parts: Sequence[Part], raw: Array) -> list[Array]:
    return [raw[offset : offset + part.size] for part, offset in zip(parts, offsets(parts)[0], strict=True)]


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
        return offsets(self.dependent)[1]

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

    def unused(self, *, whole: bool) -> tuple[int, ...]:
        """The parts that nobody asks of a party's expansion (the receiver's, if not whole), by their numbers."""
        return ()

    def expand(self, seed: bytes, use: bytes, *, whole: bool, without: Collection[int] = ()) -> list[Array]:
        """One party's shares: all parts, or (whole=False, the receiver) the independent ones only.

        without: the numbers of parts that are left empty.
        """
        parts = (*self.independent, *self.dependent) if whole else self.independent
        starts, size = offsets(parts)
        if size <= _TOGETHER and not without:
            pieces = slices(parts, expand(seed, use, size))
        else:
            sizes = [0 if i in without else part.size for i, part in enumerate(parts)]
            pieces = [expand(seed, use, size, start) for size, start in zip(sizes, starts, strict=True)]
        return [
            part.view(piece) if i in without else part.uniform(piece)
            for i, (part, piece) in enumerate(zip(parts, pieces, strict=True))
        ]

    def expand_part(self, seed: bytes, use: bytes, number: int) -> Array:
        """One party's share of one part: what `expand` gives, without the others."""
        parts = (*self.independent, *self.dependent)
        start = offsets(parts)[0][number]
        return parts[number].uniform(expand(seed, use, parts[number].size, start))

    def receive(self, raw: Array) -> list[Array]:
        """The receiver's shares of the dependent parts, from a correction's bytes [correction_bytes]."""
        return [part.view(piece) for part, piece in zip(self.dependent, slices(self.dependent, raw), strict=True)]

    def correct(self, expanded: Sequence[list[Array]]) -> list[Array]:
        """The receiver's shares of the dependent parts, given every party's expansion (the provider's work).

        The expansions are used up.
        """
        known = len(self.independent)
        values = self.relate([part.total([e[i] for e in expanded]) for i, part in enumerate(self.independent)])
        receiver = self.receiver(len(expanded))
        for others in (*expanded[:receiver], *expanded[receiver + 1 :]):
            for i, part in enumerate(self.dependent):
                values[i] = part.subtract(values[i], others[known + i])
        return values
