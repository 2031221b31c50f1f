"""Texts of several words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smpc_sql.plan.expressions.choice import Case
from smpc_sql.plan.expressions.leaves import Literal
from smpc_sql.plan.expressions.logic import IsNull
from smpc_sql.plan.expressions.node import Node, require
from smpc_sql.schema import Text

if TYPE_CHECKING:
    from smpc_sql.plan.expressions.expression import Expression


@dataclass(frozen=True, slots=True)
class LongText(Node):
    """A text of several words. Like a quotient it is no word itself: whatever takes texts takes its words.

    Only the first word is NULL where the text is; the others are 0 then. Where they came to be NULL as well (beside a
    row without a match, in a subtotal) they are guarded here: so all NULLs are one group, and match each other.
    """

    words: tuple[Expression, ...]
    type: Text

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", (self.words[0], *map(_guarded, self.words[1:])))
        require(self.type.is_long, f"{self.type} is one word")
        sizes = [word.type.length if isinstance(word.type, Text) else 0 for word in self.words]
        require(sizes == [word.length for word in self.type.words], f"words of {sizes} bytes are no {self.type}")
        first = self.words[0]
        self._know(self.type, first.nullable, first.bounds, any(word.secret for word in self.words), *self.words)

    @property
    def bare(self) -> tuple[Expression, ...]:
        """The words without their guards, for what looks at the first one for NULLs."""
        return (self.words[0], *map(_bare, self.words[1:]))


def _guarded(word: Expression) -> Expression:
    if not word.nullable:
        return word
    return Case(((IsNull(word), Literal(0, word.type)),), word)


def _bare(word: Expression) -> Expression:
    match word:
        case Case(((IsNull(x), Literal(0)),), default) if x == default:
            return x
        case _:
            return word
