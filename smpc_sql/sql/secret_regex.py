"""Regular expressions on secret texts: as LIKE where that is what they say, else as automata."""

from __future__ import annotations

from collections.abc import Sequence

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import Expression, Or, TextCall
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.text import Accepted
from smpc_sql.plan.text.automaton import matching
from smpc_sql.plan.text.regex import Capture, Chain, Chars, Choice, Edge, Regex
from smpc_sql.schema import Text
from smpc_sql.sql import scalar_text
from smpc_sql.sql.text import spell
from smpc_sql.sql.text_values import regex_of, whole

_FEW = 4
"""Alternatives up to which each is looked for by itself."""


def matches(x: Expression, pattern: str, options: str = "") -> Expression:
    """REGEXP_MATCHES. Raises TypeMismatch, Unsupported."""
    return _matches(x, regex_of(pattern, options), pattern + (f" ({options})" if options else ""))


def full_match(x: Expression, pattern: str, options: str = "") -> Expression:
    """REGEXP_FULL_MATCH, SIMILAR TO. Raises TypeMismatch, Unsupported."""
    shown = f"^({pattern})$" + (f" ({options})" if options else "")
    return _matches(x, whole(regex_of(pattern, options)), shown)


def _matches(x: Expression, regex: Regex, shown: str) -> Expression:
    assert isinstance(x.type, Text)
    if not x.type.ascii:
        raise Unsupported(f"of {x.type} is not supported, since its characters may be of several bytes")
    like = _likes(regex)
    if like is not None:
        return fold(Or(tuple(like_it(x, each) for each in like))) if len(like) > 1 else like_it(x, like[0])
    return TextCall(Accepted(Text(x.type.length), matching(regex), shown), (spell(x),))


def like_it(x: Expression, parts: Sequence[Regex]) -> Expression:
    """Whether one of the alternatives that are LIKE matches."""
    start: scalar_text.Tokens = [] if parts and parts[0] == _START else [[]]
    end: scalar_text.Tokens = [] if parts and parts[-1] == _END else [[]]
    text: list[str | None] = [chr(part.ranges[0][0]) for part in parts if isinstance(part, Chars)]
    return scalar_text.matches(x, [*start, text, *end], fold=False)


_START, _END = Edge(end=False), Edge(end=True)


def _likes(regex: Regex) -> list[list[Regex]] | None:
    """The alternatives, if they are few texts that are looked for somewhere, or at the start, or the end, or both."""
    found = _spread(regex)
    if found is None or len(found) > _FEW or not all(map(_is_like, found)):
        return None
    return found


def _is_like(parts: Sequence[Regex]) -> bool:
    inner = parts[1:] if parts and parts[0] == _START else parts
    inner = inner[:-1] if inner and inner[-1] == _END else inner
    return all(isinstance(part, Chars) for part in inner)


def _spread(regex: Regex) -> list[list[Regex]] | None:
    """The alternatives as chains of edges and single characters; None for what is more."""
    match regex:
        case Chars(((low, high),)) if low == high:
            return [[regex]]
        case Edge():
            return [[regex]]
        case Capture(part):
            return _spread(part)
        case Choice(options):
            each = [_spread(option) for option in options]
            return None if any(x is None for x in each) else [chain for x in each if x is not None for chain in x]
        case Chain(parts):
            chains: list[list[Regex]] = [[]]
            for part in parts:
                more = _spread(part)
                if more is None or len(chains) * len(more) > _FEW:
                    return None
                chains = [[*chain, *end] for chain in chains for end in more]
            return chains
        case _:
            return None
