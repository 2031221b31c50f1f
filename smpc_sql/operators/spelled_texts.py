"""Which protocol computes which function of spelled texts."""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.errors import InternalError
from smpc_sql.plan.text import Like, Spell, TextFunction
from smpc_sql.protocol import matching
from smpc_sql.protocol.spelling import spell
from smpc_sql.ring import Array
from smpc_sql.schema import Text
from smpc_sql.session import Session


def run(session: Session, function: TextFunction, operands: Sequence[Array]) -> Array:
    """What a function gives for operands, words [n] or planes: planes, packed bits, or words."""
    match function:
        case Spell(text):
            return spell(session, operands, [word.length for word in text.words], width_of(text))
        case Like(_, segments, fold):
            return matching.match(session, operands[0], segments, fold)
        case _:
            raise InternalError(f"{type(function).__name__} is no function of spelled texts")


def width_of(text: Text) -> int:
    """How many bits a character has."""
    return 7 if text.ascii else 8
