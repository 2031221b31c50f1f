"""What leaves the engine, and how the analyst's side reads it. Parties and client compute the same from the SQL.

The engine materialises `relation`, whose fields are word-valued pieces (and sort keys when it is ranked), and hands
out to the analyst, per row: its validity; the fields that outputs of kind "word" name; for each Fraction its two
products in a prime field; and when `ranked` the row's rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Relation
from smpc_sql.schema import SqlType

FIELD_BITS = (127, 521, 1279)
"""Exponents of the Mersenne primes in whose fields fractions travel."""


@dataclass(frozen=True, slots=True)
class Fraction:
    """A quotient: polynomials (Add, Subtract, Multiply, Negate, Rescale, Literal, Column) over fields of the relation.

    Both are evaluated in F_p, p = 2^field_bits - 1, where 2 * max|numerator| * max|denominator| < p, so that the ratio
    has one fraction in lowest terms within the bounds. A NULL among the columns, or a denominator of 0, makes it NULL:
    the engine delivers (0, 0).
    """

    numerator: Expression
    denominator: Expression
    field_bits: int


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of the result. pieces: for a word (the field of the relation,), else (the position in `fractions`,).

    text: a text of several words, whose pieces are their fields. divisor: of a word that is a DOUBLE, the public number
    by which the analyst's side divides it. whole: a number that need not fit a word, scaled as its type says,
    over 1. root: the square root of the fraction; signed_root: of a fraction f < 0 it is -sqrt(-f). plus_root: a
    fraction plus the root of another one.
    written: a DOUBLE, of which the result has the text. interval: an INTERVAL, of which the result has the text, as the
    word of its microseconds, or of its months, days and microseconds.
    """

    name: str
    type: SqlType
    kind: Literal[
        "word", "text", "interval", "fraction", "whole", "root", "signed_root", "plus_root", "plus_signed_root"
    ]
    pieces: tuple[int, ...]
    nullable: bool
    divisor: int = 1
    written: bool = False


@dataclass(frozen=True, slots=True)
class LocalSortKey:
    """The analyst's side sorts by output column `output`. ENUMs order by dictionary position.

    word: which of a text's words is the key.
    """

    output: int
    descending: bool
    nulls_first: bool
    word: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A whole query's result.

    order: sort keys for the analyst's side, most significant first (none when ranked). ranked: the relation is a Sort
    or a Limit, maybe over a Sort; the engine ranks the valid rows under MPC, clears the validity of those outside the
    Limit, and delivers the rank of every row, by which the analyst's side orders. nulls: pairs of fields that are
    handed out as words: the first is NULL where the second is 0. valid: a field that is handed out as a word; rows
    where it is 0 are not there (None: the engine says which rows are). See `plan.presence`.
    """

    relation: Relation
    columns: tuple[OutputColumn, ...]
    fractions: tuple[Fraction, ...]
    order: tuple[LocalSortKey, ...]
    ranked: bool
    nulls: tuple[tuple[int, int], ...] = ()
    valid: int | None = None

    @property
    def words(self) -> tuple[int, ...]:
        """The fields of the relation that are handed out as words, ascending, each once."""
        asked = {place for c in self.columns if c.kind in ("word", "text", "interval") for place in c.pieces}
        telling = {by for _, by in self.nulls} | ({self.valid} if self.valid is not None else set())
        return tuple(sorted(asked | telling))
