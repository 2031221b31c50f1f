"""Aggregates over the rows of a group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from smpc_sql.plan.expressions.node import Node, is_number, is_word, require
from smpc_sql.plan.places import Place
from smpc_sql.schema import WORD, Boolean, Decimal, Integer, Interval, SqlType

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression

AggregateKind = OneOf["count_star", "count", "sum", "min", "max", "any", "place", "arg_min", "arg_max", "presence"]

_ORDERED = ("any", "place", "arg_min", "arg_max")


@dataclass(frozen=True, slots=True)
class AggregateCall(Node):
    """One aggregate over the rows of a group that pass `filter` (NULL does not pass).

    rows: at most how many rows a group has (public). SUM, MIN and MAX of no rows, or of NULLs only, are NULL.
    distinct: every value counts once (COUNT, SUM and places; it makes no difference to MIN and MAX).
    any: the argument of any row, which is the same in all rows of a group; of sorted groups only, and without a filter.
    place: of kind "place", which of the values in ascending order. by: of arg_min and arg_max, what is smallest or
    greatest in the row whose argument is wanted; rows where either is NULL take no part, and of several such rows the
    smallest argument counts. All are NULL where no row takes part.
    rest: of a long text the words behind the first, which is the argument. word: which of them all the call gives.
    within: what bounds of the result intervals cannot follow, or None.
    filled: where no row takes part, SUM is 0, MIN its upper and MAX its lower bound, instead of NULL.
    presence: 0 where no row takes part (as for COUNT), else a random word.
    Only in Aggregate.calls, never inside another expression.
    """

    kind: AggregateKind
    argument: Expression | None
    filter: Expression | None
    rows: int
    distinct: bool = False
    place: Place | None = None
    by: Expression | None = None
    rest: tuple[Expression, ...] = ()
    word: int = 0
    within: Interval | None = None
    filled: bool = False

    def __post_init__(self) -> None:
        argument = self.argument
        require(not self.filled or self.kind in ("sum", "min", "max"), f"{self.kind} is never NULL, or always may be")
        require(not self.distinct or self.kind in ("count", "sum", "place"), f"{self.kind}: DISTINCT does not apply")
        require((self.place is None) == (self.kind != "place"), f"{self.kind}: no place, or one too many")
        require((self.by is None) == (self.kind not in ("arg_min", "arg_max")), f"{self.kind}: wrong arguments")
        require(
            self.by is None or is_word(self.by.type), f"{self.kind.upper()} by a DOUBLE or long text is not supported"
        )
        if self.filter is not None:
            require(isinstance(self.filter.type, Boolean), f"FILTER: {self.filter.type} is not BOOLEAN")
        if self.kind != "presence":
            require((argument is None) == (self.kind == "count_star"), f"{self.kind}: wrong number of arguments")
        below = (*(part for part in (argument, self.filter, self.by) if part is not None), *self.rest)
        domain = None if not self.distinct or argument is None or self.rest else argument.bounds.size
        rows = self.rows if domain is None else min(self.rows, domain)
        counted = Interval(0, rows)
        if self.kind == "presence":
            self._know(Integer(64), False, WORD, True, *below)
        elif argument is None or self.kind == "count":
            require(
                argument is None or is_word(argument.type), f"COUNT of {argument and argument.type} is not supported"
            )
            self._know(Integer(64), False, counted, True, *below)
        elif self.kind == "sum":
            require(is_number(argument.type), f"SUM: {argument.type} is not a number")
            type_: SqlType = Integer(128)
            if isinstance(argument.type, Decimal):
                type_ = Decimal(38, argument.type.scale)
            self._know(type_, not self.filled, self._narrowed(counted * argument.bounds), True, *below)
        else:
            require(is_word(argument.type), f"{self.kind.upper()} of {argument.type} is not supported")
            given = (argument, *self.rest)[self.word]
            nullable = (argument.nullable or self.kind != "any") and not self.filled
            self._know(given.type, nullable, self._narrowed(given.bounds), True, *below)

    def _narrowed(self, bounds: Interval) -> Interval:
        return bounds if self.within is None else bounds.intersect(self.within) or self.within

    @property
    def filling(self) -> int:
        """What stands in the place of NULL where `filled`."""
        if self.kind == "sum" or self.argument is None:
            return 0
        return self.argument.bounds.high if self.kind == "min" else self.argument.bounds.low

    @property
    def in_order(self) -> bool:
        """Whether it is of sorted groups only."""
        return self.distinct or bool(self.rest) or self.kind in _ORDERED

    def over(self, change: Callable[[Expression], Expression], rows: int) -> AggregateCall:
        """The same of changed parts, for groups of at most `rows` rows."""
        argument, filter_, by = (None if x is None else change(x) for x in (self.argument, self.filter, self.by))
        rest = tuple(map(change, self.rest))
        return AggregateCall(
            self.kind, argument, filter_, rows, self.distinct, self.place, by, rest, self.word, self.within, self.filled
        )
