"""Functions of text: what a TextCall computes, in public terms. Operands are words of texts, each a scaled integer.

A long text is several words (`schema.Text`); it is NULL where its first word is, which alone says so.
"""

from __future__ import annotations

from smpc_sql.plan.text.edits import Affix, ChangeCase, Clip, Join, Numeral, Slice, Tail, Trim
from smpc_sql.plan.text.function import spelled
from smpc_sql.plan.text.numerals import (
    DIGIT,
    LONE,
    Digits,
    ReadDate,
    ReadFields,
    ReadNumber,
    ReadTimestamp,
    SignBit,
    read_fields,
)
from smpc_sql.plan.text.readings import ANY, Accepted, Length, Like, WordOf
from smpc_sql.plan.text.rewriting import Backwards, Exchange, FirstCode, PadLeft, Part, Position, Replace
from smpc_sql.plan.text.words import Equals, Letters, Pad, Precedes, Spell

__all__ = [
    "ANY",
    "DIGIT",
    "LONE",
    "Accepted",
    "Affix",
    "Backwards",
    "ChangeCase",
    "Clip",
    "Digits",
    "Equals",
    "Exchange",
    "FirstCode",
    "Join",
    "Length",
    "Letters",
    "Like",
    "Numeral",
    "Pad",
    "PadLeft",
    "Part",
    "Position",
    "Precedes",
    "ReadDate",
    "ReadFields",
    "ReadNumber",
    "ReadTimestamp",
    "Replace",
    "SignBit",
    "Slice",
    "Spell",
    "Tail",
    "TextFunction",
    "Trim",
    "WordOf",
    "read_fields",
    "spelled",
]

TextFunction = (
    Equals
    | Precedes
    | Pad
    | Letters
    | Spell
    | Like
    | Slice
    | Clip
    | Tail
    | ChangeCase
    | Trim
    | Numeral
    | Affix
    | Join
    | Length
    | WordOf
    | ReadNumber
    | ReadDate
    | ReadFields
    | ReadTimestamp
    | SignBit
    | Digits
    | Backwards
    | Exchange
    | FirstCode
    | PadLeft
    | Part
    | Position
    | Accepted
    | Replace
)
"""Everything that a TextCall computes."""
