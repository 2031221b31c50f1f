"""Which rows of a chunk count: public bits and shared bits that must all be set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.datum import Datum, Public, pack_public, share_of_bits
from smpc_sql.operators.table import Chunk
from smpc_sql.protocol.boolean import conjunction, negate
from smpc_sql.ring import Array, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import BShare


@dataclass(frozen=True, slots=True)
class Mask:
    """The AND of public packed bits (None: all set) and of shared ones."""

    public: Array | None = None
    secret: tuple[BShare, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether no row is left out, by what everybody knows."""
        return self.public is None and not self.secret

    @property
    def key(self) -> object:
        """Equal for masks of the same public bits and the same shares (the same objects, at every party alike)."""
        public = None if self.public is None else self.public.tobytes()
        return public, tuple(id(bits) for bits in self.secret)

    @property
    def nothing(self) -> bool:
        """Whether every row is left out, by what everybody knows."""
        return self.public is not None and not self.public.any()

    def __and__(self, other: Mask) -> Mask:
        if self.public is None or other.public is None:
            public = other.public if self.public is None else self.public
        else:
            public = self.public & other.public
        new = tuple(bits for bits in other.secret if all(bits is not known for known in self.secret))
        return Mask(public, (*self.secret, *new))

    def public_count(self, rows: int) -> int:
        """How many rows the public bits leave, of a chunk with padding of `rows` rows."""
        return rows if self.public is None else int(unpack(self.public).sum())

    @property
    def bits(self) -> BShare:
        """The shared bits; only after `resolve`, of a mask that has some."""
        (bits,) = self.secret
        return bits if self.public is None else bits.mask(self.public)


def mask_of_chunk(chunk: Chunk) -> Mask:
    """The chunk's valid rows; padding is never valid. Local."""
    public = None if chunk.padded == chunk.rows else chunk.real
    return Mask(public, () if chunk.piece.valid is None else (chunk.valid_bits,))


def mask_of(session: Session, condition: Datum, rows: int) -> Mask:
    """The rows where a boolean is true: not false and not NULL. Local; the mask may hold two shared terms."""
    if isinstance(condition, Public):
        true = (condition.values != 0) & (True if condition.null is None else ~condition.null)
        return Mask() if bool(np.all(true)) else Mask(pack_public(true, rows))
    null = condition.null
    bits = share_of_bits(session, condition, rows)  # type: ignore[arg-type]  # a boolean
    return Mask(None, (bits,) if null is None else (bits, negate(session, null)))


def mask_of_known(session: Session, datum: Datum, rows: int) -> Mask:
    """The rows where a datum is not NULL. Local."""
    if isinstance(datum, Public):
        if datum.null is None or not datum.null.any():
            return Mask()
        return Mask(pack_public(~datum.null, rows))
    return Mask() if datum.null is None else Mask(None, (negate(session, datum.null),))


def resolve(session: Session, masks: Sequence[Mask]) -> list[Mask]:
    """The same masks with at most one shared term each.

    log2(terms) rounds for all of them together; a bit a row each.
    """
    terms = [list(mask.secret) for mask in masks]
    while any(len(left) > 1 for left in terms):
        pairs: list[tuple[BShare, BShare]] = []
        places: dict[tuple[int, int], int] = {}
        for left in terms:
            for a, b in zip(left[0::2], left[1::2], strict=False):
                if (id(a), id(b)) not in places:  # masks share terms: each pair once
                    places[id(a), id(b)] = len(pairs)
                    pairs.append((a, b))
        found = conjunction(session, pairs)
        terms = [
            [found[places[id(a), id(b)]] for a, b in zip(left[0::2], left[1::2], strict=False)]
            + (left[-1:] if len(left) % 2 else [])
            for left in terms
        ]
    return [Mask(mask.public, tuple(left)) for mask, left in zip(masks, terms, strict=True)]
