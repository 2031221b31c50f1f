"""Regular expressions as trees, and as patterns of Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

LAST = 0x10FFFF
"""The greatest code of a character."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of any of some ranges of codes, both ends included; sorted, apart from one another."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """One behind the other."""

    parts: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of them, the first one that leads to a match."""

    options: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`low` to `high` times, or without an end; greedy: as often as possible, else as rarely."""

    part: Regex
    low: int
    high: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Capture:
    """What can be asked for by its number."""

    part: Regex


@dataclass(frozen=True, slots=True)
class Edge:
    """The text's end, or its start."""

    end: bool


Regex = Chars | Chain | Choice | Repeat | Capture | Edge


def union(*classes: Chars) -> Chars:
    """A character of any of the classes."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(each for chars in classes for each in chars.ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return Chars(tuple(merged))


def others(chars: Chars) -> Chars:
    """Any character that the class does not have."""
    found, start = [], 0
    for low, high in chars.ranges:
        if low > start:
            found.append((start, low - 1))
        start = high + 1
    return Chars((*found, (start, LAST)) if start <= LAST else tuple(found))


def may_be_empty(regex: Regex) -> bool:
    """Whether it matches an empty part of some text."""
    match regex:
        case Chars():
            return False
        case Chain(parts):
            return all(map(may_be_empty, parts))
        case Choice(options):
            return any(map(may_be_empty, options))
        case Repeat(part, low, _, _):
            return low == 0 or may_be_empty(part)
        case Capture(part):
            return may_be_empty(part)
        case Edge():
            return True
        case _:
            assert_never(regex)


def captures(regex: Regex) -> int:
    """How many parts can be asked for."""
    match regex:
        case Chain(parts) | Choice(parts):
            return sum(map(captures, parts))
        case Repeat(part, _, _, _):
            return captures(part)
        case Capture(part):
            return 1 + captures(part)
        case _:
            return 0


def repeats_captures(regex: Regex) -> bool:
    """Whether some part that can be asked for may be there several times."""
    match regex:
        case Chain(parts) | Choice(parts):
            return any(map(repeats_captures, parts))
        case Repeat(part, _, high, _):
            return repeats_captures(part) or (high != 1 and captures(part) > 0)
        case Capture(part):
            return repeats_captures(part)
        case _:
            return False


def python(regex: Regex) -> str:
    """The same in Python's notation."""
    match regex:
        case Chars(ranges):
            codes = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
            return f"[{codes}]" if ranges else "(?!)"
        case Chain(parts):
            return "".join(map(python, parts))
        case Choice(options):
            return f"(?:{'|'.join(map(python, options))})"
        case Repeat(part, low, high, greedy):
            return f"(?:{python(part)}){{{low},{'' if high is None else high}}}{'' if greedy else '?'}"
        case Capture(part):
            return f"({python(part)})"
        case Edge(end):
            return r"\Z" if end else r"\A"
        case _:
            assert_never(regex)
