"""Comparisons and three-valued logic: what gives a BOOLEAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.node import BIT, Node, is_number, is_word, require
from smpc_sql.schema import Boolean, Enum, SqlType, Text, scale_of

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression


def _require_alike(what: str, left: SqlType, right: SqlType) -> None:
    """Comparable as they stand: one kind, one scale, one dictionary."""
    if is_number(left) and is_number(right):
        require(scale_of(left) == scale_of(right), f"{what}: scales of {left} and {right} differ")
    elif isinstance(left, Enum):
        require(left == right, f"{what}: dictionaries of {left} and {right} differ")
    elif isinstance(left, Text) and isinstance(right, Text):
        require(is_word(left) and left.length == right.length, f"{what}: lengths of {left} and {right} differ")
    else:
        require(is_word(left) and type(left) is type(right), f"{what}: {left} and {right} do not fit")


@dataclass(frozen=True, slots=True)
class Less(Node):
    """left < right, of one scale; ENUMs by dictionary position; NULL if either is."""

    left: Expression
    right: Expression

    def __post_init__(self) -> None:
        _require_alike("<", self.left.type, self.right.type)
        self._know(
            Boolean(),
            self.left.nullable or self.right.nullable,
            BIT,
            self.left.secret or self.right.secret,
            self.left,
            self.right,
        )


@dataclass(frozen=True, slots=True)
class Equal(Node):
    """left = right, of one scale; NULL if either is."""

    left: Expression
    right: Expression

    def __post_init__(self) -> None:
        _require_alike("=", self.left.type, self.right.type)
        self._know(
            Boolean(),
            self.left.nullable or self.right.nullable,
            BIT,
            self.left.secret or self.right.secret,
            self.left,
            self.right,
        )


@dataclass(frozen=True, slots=True)
class InSet(Node):
    """x is one of the scaled integers `codes` (ascending, distinct, maybe none); NULL if x is."""

    x: Expression
    codes: tuple[int, ...]

    def __post_init__(self) -> None:
        require(is_word(self.x.type), f"IN: {self.x.type} is not supported")
        require(list(self.codes) == sorted(set(self.codes)), "IN: codes must ascend")
        self._know(Boolean(), self.x.nullable, BIT, self.x.secret, self.x)


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    """x IS NULL: never NULL itself."""

    x: Expression

    def __post_init__(self) -> None:
        require(is_word(self.x.type), f"IS NULL: {self.x.type} is not supported")
        self._know(Boolean(), False, BIT, self.x.secret and self.x.nullable, self.x)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """NOT x; NULL stays NULL."""

    x: Expression

    def __post_init__(self) -> None:
        require(isinstance(self.x.type, Boolean), f"NOT: {self.x.type} is not BOOLEAN")
        self._know(Boolean(), self.x.nullable, BIT, self.x.secret, self.x)


def _know_terms(node: And | Or, what: str) -> None:
    require(len(node.terms) >= 2, f"{what} needs two terms")
    for term in node.terms:
        require(isinstance(term.type, Boolean), f"{what}: {term.type} is not BOOLEAN")
    node._know(Boolean(), any(t.nullable for t in node.terms), BIT, any(t.secret for t in node.terms), *node.terms)


@dataclass(frozen=True, slots=True)
class And(Node):
    """Three-valued AND of two terms or more: false if any is false, else NULL if any is NULL."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        _know_terms(self, "AND")


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Three-valued OR of two terms or more: true if any is true, else NULL if any is NULL."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        _know_terms(self, "OR")
