"""Rows beside rows: products and joins by keys."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from smpc_sql.errors import InternalError, Unsupported
from smpc_sql.plan.expressions import BIT, Equal, Expression
from smpc_sql.plan.relations.node import Field, Node
from smpc_sql.schema import Boolean

if TYPE_CHECKING:
    from smpc_sql.plan.relations.relation import Relation

MAX_PRODUCT = 1 << 20
"""Rows of a cross join at most."""


@dataclass(frozen=True, slots=True)
class CrossJoin(Node):
    """The fields of both, every row of the left beside every row of the right; as a rule the right is one row."""

    left: Relation
    right: Relation

    def __post_init__(self) -> None:
        left, right = self.left.max_rows, self.right.max_rows
        if right != 1 and left * right > MAX_PRODUCT:
            raise Unsupported(
                f"CROSS JOIN of relations of up to {left} and {right} rows: at most {MAX_PRODUCT} are supported"
            )
        self._know((*self.left.fields, *self.right.fields), left * right)


JoinKind = OneOf["inner", "left", "mark"]


@dataclass(frozen=True, slots=True)
class Sized:
    """How many pairs there are is opened: rounded up to a multiple of step, or if that is 0 to a power of two.

    number: of the join, among those of a statement.
    """

    number: int
    step: int


@dataclass(frozen=True, slots=True)
class Expansion:
    """A left row may match many right rows, as neither side is known to be unique: a row for every pair.

    limit: how many pairs there are at most, as the query says; None where it does not. refusal: what to say, and line
    and column of where, if the pairs need a limit. sized: how their number is opened, where it becomes the limit.
    """

    limit: int | None
    refusal: tuple[str, int, int] = field(default=("", 0, 0), compare=False, repr=False)
    sized: Sized | None = None


@dataclass(frozen=True, slots=True)
class Join(Node):
    """Every row of the left beside the one row of the right with equal keys, of which there is at most one (but with an
    expansion, which is of an inner join).

    inner: left rows that have a match. left: all left rows, NULLs beside those without. mark: all left rows, and only
    whether there is a match, never NULL; the right's keys need not be unique then. A NULL key matches nothing, or if
    null_safe NULL. Keys are expressions over their own side, of one scale and dictionary.
    carried: the right's fields that come to stand beside, ascending; None for all (of a mark none do).
    """

    left: Relation
    right: Relation
    kind: JoinKind
    left_keys: tuple[Expression, ...]
    right_keys: tuple[Expression, ...]
    null_safe: bool = False
    carried: tuple[int, ...] | None = None
    expansion: Expansion | None = None

    def __post_init__(self) -> None:
        if not self.left_keys or len(self.left_keys) != len(self.right_keys):
            raise InternalError("a join has keys, as many on either side")
        for keys in zip(self.left_keys, self.right_keys, strict=True):
            Equal(*keys)  # raises where they do not fit
        if self.kind == "mark":
            right: tuple[Field, ...] = (Field("matched", Boolean(), False, BIT),)
        else:
            outer = self.kind == "left"
            fields = [self.right.fields[i] for i in self.carried_fields]
            right = tuple(replace(f, public=False, nullable=f.nullable or outer) for f in fields)
        if self.expansion is None:
            self._know((*self.left.fields, *right), self.left.max_rows)
            return
        if self.kind != "inner" or self.null_safe:
            raise InternalError("only an inner join of keys that are not NULL is expanded")
        pairs, limit = self.left.max_rows * self.right.max_rows, self.expansion.limit
        left = tuple(replace(f, public=False) for f in self.left.fields)
        self._know((*left, *right), pairs if limit is None else min(limit, pairs))

    @property
    def carried_fields(self) -> tuple[int, ...]:
        """The right's fields that stand behind the left's, in this order."""
        if self.kind == "mark":
            return ()
        return tuple(range(len(self.right.fields))) if self.carried is None else self.carried
