"""The rows that an expression is evaluated on, and what steps of every kind do with their parts."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from smpc_sql.errors import InternalError
from smpc_sql.operators.datum import Bits, Datum, Digits, Spelled, Words, null_share, share_of_bits, share_of_words
from smpc_sql.operators.tasks import Conjunction, Task
from smpc_sql.protocol.boolean import negate
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

T = TypeVar("T")

Asked = Task | tuple[Task, ...]
"""A task, or several that need not wait for one another."""

Giving = Generator[Asked, Any, T]
"""Yields tasks; is sent the result of each, or the list of results of several; gives a T."""

Steps = Giving[Datum]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table in a session. count: how many, a multiple of 8."""

    session: Session
    count: int

    def words(self, datum: Datum) -> Array:
        """This party's words [count]. Local. Raises InternalError for what is no number."""
        if isinstance(datum, Bits | Spelled | Digits):
            raise InternalError("a boolean or spelled text where a number is due")
        return share_of_words(self.session, datum, self.count)

    def bits(self, datum: Datum) -> BShare:
        """This party's packed bits [count/8]. Local. Raises InternalError for what is no boolean."""
        if isinstance(datum, Words | Spelled | Digits):
            raise InternalError("a number or spelled text where a boolean is due")
        return share_of_bits(self.session, datum, self.count)

    def null(self, datum: Datum) -> BShare | None:
        """The null bits [count/8], or None if the datum is never NULL. Local."""
        return null_share(self.session, datum, self.count)


def null_of(rows: Rows, parts: Sequence[Datum]) -> Giving[BShare | None]:
    """NULL where any part is."""
    nulls = [null for part in parts if (null := rows.null(part)) is not None]
    if len(nulls) <= 1:
        return nulls[0] if nulls else None
    if all(null is nulls[0] for null in nulls):
        return nulls[0]
    known = yield from all_of([negate(rows.session, null) for null in nulls])
    return negate(rows.session, known)


def all_of(terms: Sequence[BShare]) -> Giving[BShare]:
    """The AND of bits: a round for every doubling of the terms."""
    left = list(terms)
    while len(left) > 1:
        half = len(left) // 2
        found = yield Conjunction(tuple(zip(left[:half], left[half : 2 * half], strict=True)))
        left = [*found, *left[2 * half :]]
    return left[0]
