"""Functions of the words of texts (plan/text), and DOUBLEs as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.node import Node, is_word, require
from smpc_sql.plan.text import TextFunction, WordOf
from smpc_sql.schema import Double, Duration, Text

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression


WRITTEN_DOUBLE = Text(24)
"""The text of any DOUBLE: a sign, 17 digits and a point, an exponent of three digits."""


WRITTEN_INTERVAL = Text(96)
"""The text of any INTERVAL."""


@dataclass(frozen=True, slots=True)
class WrittenDouble(Node):
    """A DOUBLE or INTERVAL as text, an output of the query and nothing else: the analyst's side writes it."""

    x: Expression

    def __post_init__(self) -> None:
        require(isinstance(self.x.type, Double | Duration), f"{self.x.type} is neither DOUBLE nor INTERVAL")
        text = WRITTEN_DOUBLE if isinstance(self.x.type, Double) else WRITTEN_INTERVAL
        self._know(text, self.x.nullable, self.x.bounds, self.x.secret, self.x)


@dataclass(frozen=True, slots=True)
class TextCall(Node):
    """A function of words of texts, or that gives one."""

    function: TextFunction
    operands: tuple[Expression, ...]

    def __post_init__(self) -> None:
        takes = self.function.takes
        for operand in self.operands:
            text = isinstance(operand.type, Text) and (operand.type.spelled or is_word(operand.type))
            require(text if takes is None else takes == operand.type, f"{operand.type} is not what {takes} is")
        nullable = any(self.operands[i].nullable for i in self.function.leading)
        # what is spelled is shared, even if it was public
        secret = self.is_spelled or any(operand.secret for operand in self.operands)
        self._know(self.function.type, nullable, self.function.bounds, secret, *self.operands)
        if isinstance(self.function, WordOf) and self.function.number > 0:
            object.__setattr__(self, "size", 2)  # the text is counted with its first word

    @property
    def is_spelled(self) -> bool:
        """Whether it is a text whose bits are shared, and no word."""
        return isinstance(self.function.type, Text) and self.function.type.spelled

    @property
    def leading(self) -> tuple[Expression, ...]:
        """The operands that decide whether it is NULL."""
        return tuple(self.operands[i] for i in self.function.leading)
