"""What every scalar expression knows of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.schema import Decimal, Double, Duration, Integer, Interval, SqlType, Text, scale_of

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression

BIT = Interval(0, 1)
MAX_SIZE = 60_000
"""Nested aliases, COALESCEs and the like double an expression at every level: this ends it."""


class Node:
    """What every expression knows; set by `_know` while it is built, and no part of its identity."""

    __slots__ = ("bounds", "hashed", "nullable", "parts", "secret", "size", "type")

    type: SqlType
    nullable: bool
    bounds: Interval
    secret: bool
    parts: tuple[Expression, ...]
    size: int
    hashed: int

    def __init_subclass__(cls) -> None:
        """Nodes are looked up all the time, and what a dataclass hashes goes down to the leaves: each does so once."""
        computed = cls.__dict__.get("__hash__")
        if computed is not None:

            def kept(self: Node) -> int:
                if not hasattr(self, "hashed"):
                    object.__setattr__(self, "hashed", computed(self))
                return self.hashed

            type.__setattr__(cls, "__hash__", kept)

    def _know(self, type_: SqlType, nullable: bool, bounds: Interval, secret: bool, *parts: Expression) -> None:
        object.__setattr__(self, "type", type_)
        object.__setattr__(self, "nullable", nullable)
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "secret", secret)
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "size", 1 + sum(part.size for part in parts))
        if self.size > MAX_SIZE:
            raise Unsupported(f"an expression of more than {MAX_SIZE} operations is not supported")


def require(condition: bool, message: str) -> None:
    """Raises TypeMismatch with the message unless the condition holds."""
    if not condition:
        raise TypeMismatch(message)


def is_word(type_: SqlType) -> bool:
    """Whether a value is one word: neither a fraction, nor a long text, nor an interval."""
    return type_.is_word if isinstance(type_, Text) else not isinstance(type_, Double | Duration)


def is_number(type_: SqlType) -> bool:
    """Whether it is computed with as a scaled integer."""
    return isinstance(type_, Integer | Decimal)


def require_numbers(what: str, *parts: Expression) -> None:
    """Raises TypeMismatch unless the parts of `what` are numbers of one scale."""
    for part in parts:
        require(is_number(part.type), f"{what}: {part.type} is not a number")
    scales = {scale_of(part.type) for part in parts}
    require(len(scales) == 1, f"{what}: scales differ")
