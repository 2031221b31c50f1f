"""Aggregates and window functions of numbers that may leave 64 bits, as several of words (`plan/widen.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from smpc_sql.plan.expressions import (
    DIGIT,
    AggregateCall,
    And,
    Case,
    Column,
    Expression,
    Literal,
    Not,
    columns_of,
    walk,
)
from smpc_sql.plan.relations import WindowCall
from smpc_sql.plan.wide import Let, as_it_is, digits, fits, is_null, is_number, terms
from smpc_sql.schema import WORD, Interval

_Part = TypeVar("_Part")


def call_parts(call: AggregateCall, let: Let = as_it_is) -> list[tuple[int, AggregateCall]]:
    """Calls of words that with these weights add up to a call. What cannot be split stays as it is."""
    argument = call.argument
    if argument is None or not is_number(argument) or call.rest:
        return [(1, call)]
    if call.kind == "sum" and not call.distinct:
        return [(1, call)] if fits(argument) and _is_word(call.bounds) else _sum_parts(call, argument, let)
    compared = call.kind in ("min", "max") and not _is_word(argument.bounds - argument.bounds)
    if call.kind == "sum" or (fits(argument) and not compared):
        return [(1, call)]
    if call.kind == "count" and not call.distinct:
        return [(1, AggregateCall("count_star", None, _known(call, argument), call.rows))]
    words = [let(word) for word in digits(argument, let=let)]
    if call.kind == "any":
        return weighted([replace(call, argument=word) for word in words])
    by_digits = replace(call, argument=words[0], rest=tuple(words[1:]), within=None)
    return weighted([replace(by_digits, word=i) for i in range(1 if call.kind == "count" else len(words))])


def _sum_parts(call: AggregateCall, argument: Expression, let: Let) -> list[tuple[int, AggregateCall]]:
    found = terms(argument, WORD.high // max(1, call.rows), let)
    alike = all(_nullable(term.word) == _nullable(argument) for term in found)
    plain = replace(call, filter=call.filter if alike else _known(call, argument), within=None)
    return [(term.weight, replace(plain, argument=term.word)) for term in found]


def weighted(parts: Sequence[_Part]) -> list[tuple[int, _Part]]:
    """Digits, the first one first, with what they count."""
    return [(1 << DIGIT * place, part) for place, part in zip(reversed(range(len(parts))), parts, strict=True)]


def _nullable(e: Expression) -> tuple[int, ...]:
    return columns_of(*(node for node in walk(e) if isinstance(node, Column) and node.nullable))


def _known(call: AggregateCall, argument: Expression) -> Expression:
    """The rows of a call in which its argument is not NULL."""
    known = Not(is_null(argument))
    return known if call.filter is None else And((call.filter, known))


def window_parts(call: WindowCall, rows: int, let: Let = as_it_is) -> list[tuple[int, WindowCall]]:
    """The same of a window's calls."""
    argument = call.argument
    if argument is None or not is_number(argument):
        return [(1, call)]
    if call.kind == "sum":
        count = call.frame.rows(rows)
        found = terms(argument, WORD.high // max(1, count), let)
        alike = all(_nullable(term.word) == _nullable(argument) for term in found)
        fine = fits(argument) and _is_word(Interval(0, count) * argument.bounds)
        if fine:
            return [(1, call)]
        null = None if alike else let(is_null(argument))
        return [(t.weight, replace(call, argument=_null_where(null, t.word))) for t in found]
    if fits(argument) or call.kind in ("min", "max"):
        return [(1, call)]
    words = digits(argument, let=let)
    return weighted([replace(call, argument=word) for word in (words[:1] if call.kind == "count" else words)])


def _null_where(null: Expression | None, word: Expression) -> Expression:
    return word if null is None else Case(((null, Literal(None, word.type)),), word)


def _is_word(bounds: Interval) -> bool:
    return bounds.intersect(WORD) == bounds
