"""A value among others: by conditions, or by its place in a public table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions.arithmetic import FromBoolean, Negate, Rescale, Within
from smpc_sql.plan.expressions.division import FloorDivide, Remainder
from smpc_sql.plan.expressions.leaves import Literal
from smpc_sql.plan.expressions.logic import IsNull, Not
from smpc_sql.plan.expressions.node import Node, is_word, require
from smpc_sql.plan.expressions.texts import TextCall
from smpc_sql.schema import Boolean, Interval, SqlType

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression

MAX_TABLE = 4096
"""Values of a Lookup: an ENUM that is recoded, a constant expression over a small domain."""


@dataclass(frozen=True, slots=True)
class Case(Node):
    """The value of the first branch whose condition is true (NULL counts as false), else the default. One type."""

    branches: tuple[tuple[Expression, Expression], ...]
    default: Expression

    def __post_init__(self) -> None:
        require(len(self.branches) >= 1, "CASE needs a branch")
        type_ = self.default.type
        for condition, value in self.branches:
            require(isinstance(condition.type, Boolean), f"CASE: condition is {condition.type}, not BOOLEAN")
            require(value.type == type_ and is_word(type_), f"CASE: branches are {value.type} and {type_}")
        values = [*(value for _, value in self.branches), self.default]
        # a NULL constant adds nothing to the bounds: its value is never seen
        seen = [v.bounds for v in values if not (isinstance(v, Literal) and v.value is None)] or [Interval(0, 0)]
        bounds = seen[0]
        for other in seen[1:]:
            bounds = bounds.union(other)
        conditions = [condition for condition, _ in self.branches]
        secret = any(part.secret for part in [*values, *conditions])
        self._know(
            type_,
            self._can_be_null(),
            bounds,
            secret,
            *(part for branch in self.branches for part in branch),
            self.default,
        )

    def _can_be_null(self) -> bool:
        """COALESCE is CASE WHEN x IS NULL THEN … ELSE x END: its last x is never NULL."""
        tested = {_null_root(c.x) for c, _ in self.branches if isinstance(c, IsNull)}
        default = self.default.nullable and _null_root(self.default) not in tested
        return default or any(value.nullable for _, value in self.branches)


def _null_root(x: Expression) -> Expression:
    """What is NULL exactly when x is: x without the functions of one argument around it."""
    while True:
        match x:
            case Rescale() | Negate() | FromBoolean() | Lookup() | Not() | FloorDivide() | Remainder() | Within():
                x = x.x
            case TextCall(leading=(only,)):
                x = only
            case _:
                return x


@dataclass(frozen=True, slots=True)
class Lookup(Node):
    """table[x - x.bounds.low]: a public table over a small domain (len(table) == x.bounds.size); NULL if x is."""

    x: Expression
    table: tuple[int, ...]
    type: SqlType

    def __post_init__(self) -> None:
        require(is_word(self.x.type), f"lookup: {self.x.type} is not supported")
        require(len(self.table) == self.x.bounds.size, "lookup: the table does not cover the domain")
        if len(self.table) > MAX_TABLE:
            raise Unsupported(f"a table of {len(self.table)} values: at most {MAX_TABLE} are supported")
        bounds = Interval(min(self.table), max(self.table))
        self._know(self.type, self.x.nullable, bounds, self.x.secret, self.x)
