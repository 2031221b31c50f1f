"""Functions of text: tests of a pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import And, Equal, Expression, InSet, Less, Literal, Not, TextCall
from smpc_sql.plan.rules.fold_constants import constant
from smpc_sql.plan.text import ANY, Equals, Like, Precedes
from smpc_sql.schema import Boolean, Enum, Text
from smpc_sql.sql import text_values
from smpc_sql.sql.binder import Binder, Method, operands
from smpc_sql.sql.literals import is_null, text_literal, text_of
from smpc_sql.sql.nodes import construct, only
from smpc_sql.sql.operations import compare
from smpc_sql.sql.text import spell, words_of

Tokens = list[list["str | None"]]
"""A pattern's segments between its %: characters, and None for _."""


def _like(binder: Binder, node: exp.Expr, escape: str = "") -> Expression:
    only(node, "this", "expression", "negate")
    x, pattern = binder.bind(node.this), binder.bind(node.expression)
    wanted = text_of(pattern)
    if is_null(x) or is_null(pattern):
        return Literal(None, Boolean())
    if wanted is None:
        raise Unsupported("LIKE is supported for a constant pattern only")
    fold = isinstance(node, exp.ILike)
    if fold and escape.isalpha():
        raise Unsupported("ILIKE with a letter as ESCAPE is not supported")
    found = matches(x, _tokens(wanted, escape), fold=fold)
    return Not(found) if node.args.get("negate") else found


def _escape(binder: Binder, node: exp.Expr) -> Expression:
    """LIKE … ESCAPE."""
    escape = text_of(binder.bind(node.expression))
    if escape is None or len(escape) > 1:
        raise TypeMismatch("ESCAPE needs one character, or none")
    if not isinstance(node.this, exp.Like | exp.ILike):
        raise Unsupported(f"ESCAPE with {construct(node.this)} is not supported")
    return _like(binder, node.this, escape)


def _tokens(pattern: str, escape: str) -> Tokens:
    segments: Tokens = [[]]
    characters = iter(pattern)
    for c in characters:
        if escape and c == escape:
            after = next(characters, None)
            if after is None:
                raise TypeMismatch("a pattern of LIKE must not end with its ESCAPE character")
            segments[-1].append(after)
        elif c == "%":
            segments.append([])
        else:
            segments[-1].append(None if c == "_" else c)
    return [segments[0], *filter(None, segments[1:-1]), segments[-1]] if len(segments) > 1 else segments


def _affix(binder: Binder, node: exp.Expr) -> Expression:
    """STARTS_WITH, ENDS_WITH, CONTAINS."""
    if isinstance(node, exp.Anonymous):
        if len(node.expressions) != 2:
            raise TypeMismatch(f"{node.name.upper()} needs two texts")
        x, pattern = map(binder.bind, node.expressions)
        open_start, open_end = node.name.lower() == "suffix", node.name.lower() == "prefix"
    else:
        x, pattern = operands(binder, node)
        open_start, open_end = not isinstance(node, exp.StartsWith), not isinstance(node, exp.EndsWith)
    if is_null(x) or is_null(pattern):
        return Literal(None, Boolean())
    wanted = text_of(pattern)
    if wanted is None:
        raise Unsupported(f"{construct(node)} is supported for a constant text to look for only")
    start: Tokens = [[]] if open_start else []
    return matches(x, [*start, list(wanted), *([[]] if open_end else [])], fold=False)


def matches(x: Expression, tokens: Tokens, *, fold: bool) -> Expression:
    """Whether a text matches; NULL where it is."""
    if isinstance(x.type, Enum):
        return _of_labels(x, x.type, tokens, fold=fold)
    if not isinstance(x.type, Text):
        raise TypeMismatch(f"LIKE needs text, got {x.type}")
    if not x.type.ascii and (fold or any(None in segment for segment in tokens)):
        what = "ILIKE" if fold else "_ in LIKE"
        raise Unsupported(f"{what} on {x.type} is not supported, since its characters may be of several bytes")
    segments = tuple(tuple(_bytes(segment, fold)) for segment in tokens)
    size = sum(map(len, segments))
    foreign = x.type.ascii and any(c > 127 for segment in segments for c in segment)
    if foreign or size > x.type.length or any(c == 0 for segment in segments for c in segment):
        return constant(False, words_of(x)[0])
    if len(segments) > 1 and size == 0:
        return constant(True, words_of(x)[0])
    plain = not fold and not any(None in segment for segment in tokens)
    if plain and len(segments) == 1:
        return compare("=", x, text_literal("".join(c or "" for c in tokens[0])))
    if plain and len(segments) == 2 and not segments[1]:
        return _starts_with(x, bytes(segments[0]))
    return TextCall(Like(Text(x.type.length, x.type.ascii), segments, fold), (spell(x),))


def _bytes(segment: Sequence[str | None], fold: bool) -> list[int]:
    codes: list[int] = []
    for c in segment:
        codes += [ANY] if c is None else (c.lower() if fold else c).encode()
    return codes


def _of_labels(x: Expression, labels: Enum, tokens: Tokens, *, fold: bool) -> Expression:
    """On the public dictionary."""
    same = text_values.lower if fold else str
    parts = ("".join("." if c is None else re.escape(same(c)) for c in segment) for segment in tokens)
    like = re.compile(".*".join(parts), re.DOTALL)
    return InSet(x, tuple(code for code, label in enumerate(labels.labels) if like.fullmatch(same(label))))


def _starts_with(x: Expression, prefix: bytes) -> Expression:
    """prefix <= x < its successor, on the words that the prefix reaches into."""
    assert isinstance(x.type, Text)
    low: list[int] = []
    for i, word in enumerate(x.type.words):
        if 7 * i >= len(prefix):
            break
        low.append(int.from_bytes(prefix[7 * i : 7 * i + word.length].ljust(word.length, b"\0"), "big"))
        open_bits = 8 * (7 * i + word.length - len(prefix))
    words, types = words_of(x)[: len(low)], x.type.words
    first = tuple(Literal(value, type_) for value, type_ in zip(low, types, strict=False))
    if open_bits <= 0:
        return Equal(words[0], first[0]) if len(low) == 1 else TextCall(Equals(len(low)), (*words, *first))
    beyond = (*first[:-1], Literal(low[-1] + (1 << open_bits), types[len(low) - 1]))
    if len(low) == 1:
        return And((Not(Less(words[0], first[0])), Less(words[0], beyond[0])))
    below, within = (TextCall(Precedes(len(low)), (*words, *end)) for end in (first, beyond))
    return And((Not(below), within))


FUNCTIONS: dict[str, Method] = {"prefix": _affix, "suffix": _affix}
"""Functions that the parser does not know, by lower-case name."""

METHODS: dict[type[exp.Expr], Method] = {
    exp.Like: _like,
    exp.ILike: _like,
    exp.Escape: _escape,
    exp.StartsWith: _affix,
    exp.EndsWith: _affix,
    exp.Contains: _affix,
}
