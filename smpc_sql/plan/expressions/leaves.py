"""Scalar expressions without parts: a field of the input, a constant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.node import Node, is_word, require
from smpc_sql.schema import Double, Duration, Integer, Interval, SqlType

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
    """Microseconds as an INTERVAL: an INTEGER, or a DOUBLE that who reads it rounds. Like a long text it never reaches
    an operator, but its words do.

    split: the months (of 30 days in x), days and microseconds that SQL counts apart; empty for what lies between two
    TIMESTAMPs, of which the days are as many whole ones as x has; None where it is not known. monthly: months may be
    among them.
    """

    x: Expression
    split: tuple[Expression, ...] | None = ()
    monthly: bool = False

    def __post_init__(self) -> None:
        whole = isinstance(self.x.type, Integer | Double)
        require(whole, f"{self.x.type} is no number of microseconds")
        require(len(self.split or ()) in (0, 3), "an INTERVAL is of months, days and microseconds")
        x = self.x
        self._know(Duration(), x.nullable, x.bounds, x.secret, x, *(self.split or ()))

    def alike(self, x: Expression) -> Elapsed:
        """Other microseconds that were of such an INTERVAL: of what is between TIMESTAMPs their parts are known."""
        return Elapsed(x, () if self.split == () else None, self.monthly)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A public constant, as a scaled integer; None is NULL."""

    value: int | None
    type: SqlType

    def __post_init__(self) -> None:
        require(is_word(self.type), "a constant is one word")
        at = Interval(0, 0) if self.value is None else Interval(self.value, self.value)
        self._know(self.type, self.value is None, at, False)
