"""Functions of text on the rows of a chunk, as steps of `evaluate`: each yields tasks, and is sent their results."""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.operators.steps import Giving, all_of
from smpc_sql.operators.tasks import Conjunction, IsZero, Negative, Spelling, Task
from smpc_sql.plan.text import Equals, Letters, Pad, Precedes, TextFunction
from smpc_sql.ring import Array, lane_for, narrow, words_of
from smpc_sql.schema import Boolean
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

TextSteps = Giving[Array | BShare]
"""Gives words or planes, or bits for a BOOLEAN."""


def text_steps(session: Session, function: TextFunction, operands: Sequence[Array], sizes: Sequence[int]) -> TextSteps:
    """A function of texts, words [n] or planes; sizes: how many bytes each operand has."""
    match function:
        case Equals(words):
            return _equal(operands, sizes, words)
        case Precedes(words):
            return _precedes(operands, sizes, words)
        case Pad():
            return _pad(operands[0], function.factor)
        case Letters():
            return _pad(operands[0], 1)
        case _:
            return _spelling(function, operands)


def _spelling(function: TextFunction, operands: Sequence[Array]) -> TextSteps:
    found: Array = yield Spelling(function, tuple(operands))
    return BShare(found) if isinstance(function.type, Boolean) else found


def _differences(operands: Sequence[Array], words: int) -> list[Array]:
    return [a - b for a, b in zip(operands[:words], operands[words:], strict=True)]


def _zeros(differences: Sequence[Array], sizes: Sequence[int]) -> tuple[Task, ...]:
    """Each in the narrowest lane in which no difference but 0 is 0."""
    return tuple(IsZero(narrow(d, lane_for(8 * size))) for d, size in zip(differences, sizes, strict=False))


def _equal(operands: Sequence[Array], sizes: Sequence[int], words: int) -> TextSteps:
    """An AND of the words' equalities. Rounds of one comparison and log2 of the words."""
    equal: list[BShare] = yield _zeros(_differences(operands, words), sizes)
    return (yield from all_of(equal))


def _precedes(operands: Sequence[Array], sizes: Sequence[int], words: int) -> TextSteps:
    """The first words that differ decide: pairs (less, equal) fold by less_high ^ equal_high & less_low.

    Rounds of one comparison and log2 of the words.
    """
    differences = _differences(operands, words)
    signs = tuple(Negative(narrow(d, lane_for(8 * s + 1))) for d, s in zip(differences, sizes, strict=False))
    found = yield (*signs, *_zeros(differences[:-1], sizes))
    less: list[BShare] = found[:words]
    equal: list[BShare] = found[words:]  # of the last word nobody asks
    while len(less) > 1:
        pairs = []
        for i in range(0, len(less) - 1, 2):
            pairs.append((equal[i], less[i + 1]))
            if i + 1 < len(equal):
                pairs.append((equal[i], equal[i + 1]))
        products = iter((yield Conjunction(tuple(pairs))))
        folded, both = [], []
        for i in range(0, len(less) - 1, 2):
            folded.append(less[i] ^ next(products))
            if i + 1 < len(equal):
                both.append(next(products))
        if len(less) % 2:
            folded.append(less[-1])
        less, equal = folded, both
    return less[0]


def _pad(operand: Array, factor: int) -> TextSteps:
    yield from ()
    padded: Array = operand * words_of(factor)
    return padded
