"""Scalar expressions without parts: a field of the input, a constant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.node import Node, is_word, require
from smpc_sql.schema import Duration, Integer, Interval, SqlType

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression


@dataclass(frozen=True, slots=True)
class Column(Node):
    """Field `index` of the input relation. `name` is for people and takes no part in equality."""

    index: int
    name: str = field(compare=False)
    type: SqlType
    nullable: bool
    bounds: Interval
    public: bool = False

    def __post_init__(self) -> None:
        self._know(self.type, self.nullable, self.bounds, not self.public)


@dataclass(frozen=True, slots=True)
class Elapsed(Node):
    """Microseconds as an INTERVAL. Like a long text it never reaches an operator, but its word does."""

    x: Expression

    def __post_init__(self) -> None:
        require(isinstance(self.x.type, Integer), f"{self.x.type} is no number of microseconds")
        self._know(Duration(), self.x.nullable, self.x.bounds, self.x.secret, self.x)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A public constant, as a scaled integer; None is NULL."""

    value: int | None
    type: SqlType

    def __post_init__(self) -> None:
        require(is_word(self.type), "a constant is one word")
        at = Interval(0, 0) if self.value is None else Interval(self.value, self.value)
        self._know(self.type, self.value is None, at, False)
