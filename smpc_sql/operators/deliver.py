"""Delivery: the shares of a result as they go to the analyst, who alone combines them (forms: see `smpc_sql.result`).

What is not valid, or NULL, is 0 before it leaves; every share is re-randomised with a dealt sharing of zero, so that it
says nothing but its part of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql import field
from smpc_sql.correlations.fields import Zero
from smpc_sql.errors import InternalError
from smpc_sql.operators.base import RowForRow, Tables
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.plan.delivery import Delivery, Fraction
from smpc_sql.plan.expressions import Add, Expression, Literal, Multiply, Negate, Rescale, Subtract, columns_of
from smpc_sql.plan.expressions import Column as ColumnOf
from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.protocol.boolean import conjunction, negate
from smpc_sql.protocol.fractions import blind, lift, multiply
from smpc_sql.ring import Array, pack, pad_rows, padded
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


@dataclass(frozen=True, slots=True)
class Deliver(RowForRow):
    """The root of every plan."""

    delivery: Delivery

    def run(self, session: Session, tables: Tables) -> list[Array]:
        """This party's shares of the result's pieces."""
        table = self.source.run(session, tables)
        width = len(self.delivery.relation.fields) + self.delivery.ranked
        columns = whole_columns(session, table, range(width))
        return Pieces(session, self.delivery, columns, whole_valid(session, table), table.rows).run()


class Pieces:
    """A relation's columns on their way out: what is NULL or not valid is cleared, then they are put into pieces."""

    def __init__(
        self, session: Session, delivery: Delivery, columns: Sequence[Column], valid: Array | None, rows: int
    ) -> None:
        self.session = session
        self.delivery = delivery
        self.rows = rows
        self.columns = list(columns)
        self.valid = None if valid is None else BShare(pack(pad_rows(valid)))
        self.nulls = [None if c.null is None else BShare(pack(pad_rows(c.null))) for c in columns]

    def cleared(self) -> list[Array]:
        """Every column as words [rows], 0 where it is NULL or the row is not valid."""
        if self.rows == 0:
            return [np.zeros(0, dtype=np.uint64) for _ in self.columns]
        self._booleans_to_words()
        self._clear_nulls()
        return self._clear_invalid()

    def run(self) -> list[Array]:
        """The pieces, re-randomised."""
        if self.rows == 0:
            return self._of_no_rows()
        words = self.cleared()
        pieces = [self._fresh_bits(self._valid_share())]
        if self.delivery.ranked:
            pieces.append(self._fresh_words(words[-1]))
        for place in self.delivery.words:
            pieces.append(self._fresh_words(words[place]))
            if self.delivery.relation.fields[place].nullable:
                pieces.append(self._fresh_bits(self.null_share(place)))
        pieces += self._fractions(words)
        return pieces

    def _of_no_rows(self) -> list[Array]:
        bits: Array = np.zeros(0, dtype=np.uint8)
        words: Array = np.zeros(0, dtype=np.uint64)
        pieces: list[Array] = [bits, words] if self.delivery.ranked else [bits]
        for place in self.delivery.words:
            pieces += [words, bits] if self.delivery.relation.fields[place].nullable else [words]
        sizes = [field.limbs(fraction.field_bits) for fraction in self.delivery.fractions]
        return [*pieces, *(np.zeros((2, 0, size), dtype=np.uint64) for size in sizes)]

    def _booleans_to_words(self) -> None:
        places = [i for i, column in enumerate(self.columns) if column.boolean]
        if not places:
            return
        packed = np.stack([pack(pad_rows(self.columns[i].words)) for i in places])
        words = to_words(self.session, BShare(packed), 64).words[:, : self.rows]
        for i, column in zip(places, words, strict=True):
            self.columns[i] = Column(column, self.columns[i].null, boolean=False)

    def _valid_share(self) -> BShare:
        if self.valid is not None:
            return self.valid
        real = pack(pad_rows(np.ones(self.rows, dtype=np.uint8)))
        return BShare(self.session.public(real))

    def null_share(self, place: int) -> BShare:
        """Where a column is NULL."""
        null = self.nulls[place]
        return BShare(np.zeros(padded(self.rows) // 8, dtype=np.uint8)) if null is None else null

    def _clear_nulls(self) -> None:
        """NULL where NULL and valid; and the words of NULLs to 0."""
        places = [i for i, null in enumerate(self.nulls) if null is not None]
        if not places:
            return
        nulls = [self.null_share(i) for i in places]
        if self.valid is not None:
            nulls = conjunction(self.session, [(null, self.valid) for null in nulls])
            for i, null in zip(places, nulls, strict=True):
                self.nulls[i] = null
        known = np.stack([negate(self.session, null).packed for null in nulls])
        words = np.stack([pad_rows(self.columns[i].words) for i in places])[:, None]
        cleared = bit_product(self.session, BShare(known), AShare(words)).words[:, 0, : self.rows]
        for i, column in zip(places, cleared, strict=True):
            self.columns[i] = Column(column, self.columns[i].null, boolean=False)

    def _clear_invalid(self) -> list[Array]:
        words = [column.words for column in self.columns]
        if self.valid is None or not words:
            return words
        stacked = np.stack([pad_rows(column) for column in words])[None]
        cleared = bit_product(self.session, BShare(self.valid.packed[None]), AShare(stacked)).words[0]
        return list(cleared[:, : self.rows])

    # ------------------------------------------------------------------------------------------------- re-randomised

    def _fresh_words(self, words: Array) -> Array:
        (zero,) = self.session.deal(Zero(self.rows, 64, 0, 0))
        return words + zero

    def _fresh_bits(self, bits: BShare) -> Array:
        (zero,) = self.session.deal(Zero(bits.packed.size, 8, 1, 0))
        return bits.packed ^ zero

    # ------------------------------------------------------------------------------------------------- fractions

    def _fractions(self, words: Sequence[Array]) -> list[Array]:
        sizes = sorted({fraction.field_bits for fraction in self.delivery.fractions})
        found: dict[int, Array] = {}
        for size in sizes:
            mine = [(i, f) for i, f in enumerate(self.delivery.fractions) if f.field_bits == size]
            results = self._in_field(size, [f for _, f in mine], words)
            found.update(zip([i for i, _ in mine], results, strict=True))
        return [found[i] for i in range(len(self.delivery.fractions))]

    def _in_field(self, size: int, fractions: Sequence[Fraction], words: Sequence[Array]) -> list[Array]:
        """For every fraction (n*d*rho, d*d*rho)*known: all fractions of one field in the same rounds."""
        places = sorted({i for f in fractions for i in columns_of(f.numerator, f.denominator)})
        masks = [self._known(f) for f in fractions]
        stacked = [*(words[i] for i in places), *self._mask_words(masks)]
        lifted = lift(self.session, AShare(np.concatenate(stacked)), size) if stacked else np.empty((0, 0))
        parts = [lifted[i : i + self.rows] for i in range(0, len(lifted), self.rows)]
        polynomials = _Polynomials(self.session, size, self.rows, dict(zip(places, parts, strict=False)))
        wanted = [e for f in fractions for e in (f.numerator, f.denominator)]
        values = polynomials.evaluate(wanted)
        numerators, denominators = np.concatenate(values[0::2]), np.concatenate(values[1::2])
        factor = self._masked_denominators(denominators, masks, parts[len(places) :], size)
        top, bottom = blind(self.session, numerators, denominators, factor, size)
        (zero,) = self.session.deal(Zero(2 * len(top), 64, 0, size))
        both = field.add(np.concatenate([top, bottom]), zero, size).reshape(2, len(fractions), self.rows, -1)
        return [np.ascontiguousarray(both[:, i]) for i in range(len(fractions))]

    def _known(self, fraction: Fraction) -> list[BShare]:
        """Bits that a fraction is there: its columns are not NULL, its row is valid; none if that is always so.

        In a row that is not valid all columns are 0: if then the denominator is 0, too, nothing more is needed.
        """
        places = columns_of(fraction.numerator, fraction.denominator)
        known = [negate(self.session, null) for i in places if (null := self.nulls[i]) is not None]
        if self.valid is not None and _at_zero(fraction.denominator):
            known.append(self.valid)
        return known

    def _mask_words(self, masks: Sequence[Sequence[BShare]]) -> list[Array]:
        """One word column for every fraction that may be NULL."""
        some = [list(mask) for mask in masks if mask]
        while any(len(mask) > 1 for mask in some):
            pairs = [(mask[0], mask[1]) for mask in some if len(mask) > 1]
            found = iter(conjunction(self.session, pairs))
            some = [[next(found), *mask[2:]] if len(mask) > 1 else mask for mask in some]
        if not some:
            return []
        packed = np.stack([mask[0].packed for mask in some])
        return list(to_words(self.session, BShare(packed), 64).words[:, : self.rows])

    def _masked_denominators(
        self, denominators: Array, masks: Sequence[Sequence[BShare]], known: Sequence[Array], size: int
    ) -> Array:
        """Denominators, 0 where a column is NULL."""
        if not known:
            return denominators
        one = field.from_integers([self.session.public(1)] * self.rows, size)
        columns = iter(known)
        factors = np.concatenate([next(columns) if mask else one for mask in masks])
        return multiply(self.session, denominators, factors, size)


def _at_zero(node: Expression) -> int:
    """A polynomial's value where all columns are 0."""
    match node:
        case Literal(value):
            return value or 0
        case Rescale(x, exponent):
            return _at_zero(x) * int(10**exponent)
        case Negate(x):
            return -_at_zero(x)
        case Add(left, right):
            return _at_zero(left) + _at_zero(right)
        case Subtract(left, right):
            return _at_zero(left) - _at_zero(right)
        case Multiply(left, right):
            return _at_zero(left) * _at_zero(right)
        case _:
            return 0


class _Polynomials:
    """Polynomials of lifted columns, in a field; products of all polynomials that are ready in one round."""

    def __init__(self, session: Session, size: int, rows: int, columns: dict[int, Array]) -> None:
        self.session = session
        self.size = size
        self.rows = rows
        self.columns = columns
        self.done: dict[Expression, Array] = {}

    def evaluate(self, wanted: Sequence[Expression]) -> list[Array]:
        while True:
            ready: dict[Multiply, tuple[Array, Array]] = {}
            values = [self._value(expression, ready) for expression in wanted]
            if not ready:
                return [value for value in values if value is not None]
            left = np.concatenate([pair[0] for pair in ready.values()])
            right = np.concatenate([pair[1] for pair in ready.values()])
            products = multiply(self.session, left, right, self.size)
            for i, node in enumerate(ready):
                self.done[node] = products[i * self.rows : (i + 1) * self.rows]

    def _value(self, node: Expression, ready: dict[Multiply, tuple[Array, Array]]) -> Array | None:
        """The node's value, or None while a product is missing; products that can be computed go into `ready`."""
        if node not in self.done:
            value = self._compute(node, ready)
            if value is None:
                return None
            self.done[node] = value
        return self.done[node]

    def _compute(self, node: Expression, ready: dict[Multiply, tuple[Array, Array]]) -> Array | None:
        match node:
            case ColumnOf(index):
                return self.columns[index]
            case Literal(value):
                return field.from_integers([self.session.public(value or 0)] * self.rows, self.size)
            case Rescale(x, exponent):
                return self._scaled(x, 10**exponent, ready)
            case Negate(x):
                return self._scaled(x, -1, ready)
            case Add(left, right) | Subtract(left, right):
                a, b = self._value(left, ready), self._value(right, ready)
                if a is None or b is None:
                    return None
                return (field.add if isinstance(node, Add) else field.subtract)(a, b, self.size)
            case Multiply(Literal(factor), x) | Multiply(x, Literal(factor)):
                return self._scaled(x, factor or 0, ready)
            case Multiply(left, right):
                a, b = self._value(left, ready), self._value(right, ready)
                if a is not None and b is not None:
                    ready[node] = (a, b)
                return None
            case _:
                raise InternalError(f"{type(node).__name__} in a fraction")

    def _scaled(self, x: Expression, factor: int, ready: dict[Multiply, tuple[Array, Array]]) -> Array | None:
        value = self._value(x, ready)
        return None if value is None else field.scale(value, factor, self.size)
