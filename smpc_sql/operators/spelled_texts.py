"""Which protocol computes which function of spelled texts."""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.errors import InternalError
from smpc_sql.plan import text as plan
from smpc_sql.protocol import automata, editing, matching, moments, numerals, rewriting, spelling
from smpc_sql.ring import Array
from smpc_sql.schema import Text
from smpc_sql.session import Session


def run(session: Session, function: plan.TextFunction, operands: Sequence[Array]) -> Array:
    """What a function gives for operands, words [n] or planes: planes, packed bits, or words."""
    x = operands[0]
    match function:
        case plan.Spell(text):
            return spelling.spell(session, operands, [word.length for word in text.words], width_of(text))
        case plan.Like(_, segments, fold):
            return matching.match(session, x, segments, fold)
        case plan.Slice(_, start, size):
            return x[start : start + size]
        case plan.Clip(_, size, offset):
            return editing.clipped(session, x, size, offset)
        case plan.Tail(_, size):
            return editing.tail(session, x, size)
        case plan.ChangeCase(_, upper):
            return editing.changed_case(session, x, upper)
        case plan.Trim(_, left, right, character):
            return editing.trimmed(session, x, left, right, character)
        case plan.Numeral(_, signed, kept):
            return editing.numeral(session, x, signed, kept)
        case plan.Affix(text, before, after):
            wide = not text.ascii or not (before + after).isascii()
            return editing.affixed(session, spelling.widened(x, 8 if wide else 7), before, after)
        case plan.Join(left, right):
            width = 7 if left.ascii and right.ascii else 8
            return editing.joined(session, *(spelling.widened(each, width) for each in operands))
        case plan.Length():
            return editing.lengths(session, x)
        case plan.WordOf():
            part = x[function.start : function.start + function.size]
            return spelling.join_words(session, part, [function.size])[0]
        case plan.ReadNumber(_, ones, decimals):
            return numerals.read_number(session, x, ones, decimals)
        case plan.ReadDate():
            return moments.read_date(session, x)
        case plan.ReadFields(_, form):
            return moments.read_fields(session, x, form)
        case plan.ReadTimestamp(_, loose):
            return moments.read_timestamp(session, x, loose)
        case plan.SignBit():
            mark: Array = x[0, function.bit]
            return mark
        case plan.Digits(_, start, size):
            return numerals.digits(session, x[start : start + size])
        case _:
            return _rewritten(session, function, x)


def _rewritten(session: Session, function: plan.TextFunction, x: Array) -> Array:
    match function:
        case plan.Accepted(_, automaton):
            return automata.accepts(session, x, automaton.moves, automaton.accepting)
        case plan.Position(_, needle):
            return rewriting.position(session, x, needle)
        case plan.FirstCode():
            return rewriting.first_code(session, x)
        case plan.Part(_, separator, number):
            return rewriting.part(session, x, separator, number)
        case plan.Replace(text, old, new):
            wide = not text.ascii or not new.isascii()
            return rewriting.replaced(session, spelling.widened(x, 8 if wide else 7), old, new)
        case plan.Exchange(_, changes):
            return rewriting.exchanged(session, x, changes)
        case plan.Backwards():
            return rewriting.backwards(session, x)
        case plan.PadLeft(_, width, fill):
            return rewriting.padded_left(session, x, width, fill)
        case _:
            raise InternalError(f"{type(function).__name__} is no function of spelled texts")


def is_of_bits(function: plan.TextFunction) -> bool:
    """Whether it takes and gives packed bits: words are another order of rows."""
    of_words = plan.Spell | plan.WordOf | plan.Length | plan.Digits | plan.Position | plan.FirstCode
    return not isinstance(function, of_words)


def width_of(text: Text) -> int:
    """How many bits a character has."""
    return 7 if text.ascii else 8
