"""Regular expressions as DuckDB reads them (RE2): characters, classes, groups, alternatives, repetition, ^ and $.

Word boundaries, classes of Unicode and flags within a pattern are refused by name.
"""

from __future__ import annotations

import re

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.text.regex import (
    LAST,
    Capture,
    Chain,
    Chars,
    Choice,
    Edge,
    Regex,
    Repeat,
    may_be_empty,
    others,
    union,
)

_MOST = 1000
"""Repetitions, as many as RE2 allows."""

_DEEPEST = 50
_COUNT = re.compile(r"\{(\d{1,5})(,(\d{0,5}))?\}", re.ASCII)
_NAMED = re.compile(r"\[:(\^?)([a-z]+):\]")
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")

_DIGIT = Chars(((0x30, 0x39),))
_LOWER, _UPPER = Chars(((0x61, 0x7A),)), Chars(((0x41, 0x5A),))
_LETTER = union(_LOWER, _UPPER)
_WORD = union(_LETTER, _DIGIT, Chars(((0x5F, 0x5F),)))
_BLANK = Chars(((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)))
_GRAPH = Chars(((0x21, 0x7E),))
_ALNUM = union(_LETTER, _DIGIT)
_NEWLINE = Chars(((0x0A, 0x0A),))

_PERL = {"d": _DIGIT, "w": _WORD, "s": _BLANK, "D": others(_DIGIT), "W": others(_WORD), "S": others(_BLANK)}
_POSIX = {
    "alnum": _ALNUM,
    "alpha": _LETTER,
    "ascii": Chars(((0, 0x7F),)),
    "blank": Chars(((0x09, 0x09), (0x20, 0x20))),
    "cntrl": Chars(((0, 0x1F), (0x7F, 0x7F))),
    "digit": _DIGIT,
    "graph": _GRAPH,
    "lower": _LOWER,
    "print": Chars(((0x20, 0x7E),)),
    "punct": Chars(((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E))),
    "space": Chars(((0x09, 0x0D), (0x20, 0x20))),
    "upper": _UPPER,
    "word": _WORD,
    "xdigit": Chars(((0x30, 0x39), (0x41, 0x46), (0x61, 0x66))),
}
_CONTROL = {"n": 0x0A, "t": 0x09, "r": 0x0D, "f": 0x0C, "v": 0x0B, "a": 0x07}
_BOUNDS = {"A": Edge(end=False), "z": Edge(end=True)}
_FOLDS = {0x6B: 0x212A, 0x73: 0x17F}  # beyond ASCII: the sign of kelvins is a k, the long s is an s


def parse_regex(pattern: str, *, fold: bool = False, newline: bool = False) -> Regex:
    """The tree of a pattern. fold: no difference of case; newline: `.` is a line's end too.

    Raises TypeMismatch for what is no regular expression, Unsupported.
    """
    return _Parser(pattern, fold, newline).whole()


def literal_regex(text: str, *, fold: bool = False) -> Regex:
    """A text as it is."""
    parser = _Parser("", fold, newline=False)
    return Chain(tuple(parser.one(ord(c)) for c in text))


class _Parser:
    def __init__(self, pattern: str, fold: bool, newline: bool) -> None:
        self.pattern = pattern
        self.fold = fold
        self.newline = newline
        self.at = 0
        self.depth = 0

    def whole(self) -> Regex:
        if self.pattern.startswith("(?i)"):
            self.fold, self.at = True, 4
        found = self.choice()
        if self.at < len(self.pattern):
            raise self.wrong("has a ) without a (")
        return found

    def wrong(self, what: str) -> TypeMismatch:
        return TypeMismatch(f"the regular expression '{self.pattern[:50]}' {what}")

    def refused(self, what: str) -> Unsupported:
        return Unsupported(f"{what} in a regular expression is not supported")

    def next(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self, what: str) -> bool:
        found = self.pattern.startswith(what, self.at)
        self.at += len(what) * found
        return found

    def choice(self) -> Regex:
        options = [self.chain()]
        while self.take("|"):
            options.append(self.chain())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def chain(self) -> Regex:
        parts: list[Regex] = []
        while self.next() not in ("", "|", ")"):
            parts.append(self.repeated(self.atom()))
        return parts[0] if len(parts) == 1 else Chain(tuple(parts))

    def repeated(self, part: Regex) -> Regex:
        times = self.times()
        if times is None:
            return part
        low, high = times
        if may_be_empty(part) and (low, high) != (0, 1):
            raise self.refused("repeating what may be empty")
        found = Repeat(part, low, high, greedy=not self.take("?"))
        if self.times() is not None:
            raise self.wrong("repeats a repetition")
        return found

    def times(self) -> tuple[int, int | None] | None:
        for sign, times in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return times
        counted = _COUNT.match(self.pattern, self.at)
        if counted is None:
            return None
        self.at = counted.end()
        low = int(counted[1])
        high = low if counted[2] is None else int(counted[3]) if counted[3] else None
        if low > _MOST or (high is not None and not low <= high <= _MOST):
            raise self.wrong(f"has the repetition {counted[0]}")
        return low, high

    def atom(self) -> Regex:
        c = self.next()
        self.at += 1
        match c:
            case "(":
                return self.group()
            case "[":
                return self.set()
            case ".":
                return Chars(((0, LAST),)) if self.newline else others(_NEWLINE)
            case "^" | "$":
                return Edge(end=c == "$")
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise self.wrong(f"has a {c} behind nothing")
            case _:
                return self.one(ord(c))

    def group(self) -> Regex:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.refused(f"more than {_DEEPEST} groups within one another")
        counted = not self.take("?:")
        if counted and self.next() == "?":
            raise self.refused("(?")
        inner = self.choice()
        if not self.take(")"):
            raise self.wrong("lacks a )")
        self.depth -= 1
        return Capture(inner) if counted else inner

    def one(self, code: int) -> Chars:
        return self.folded(Chars(((code, code),)))

    def folded(self, chars: Chars) -> Chars:
        if not self.fold:
            return chars
        if any(high > 0x7F for _, high in chars.ranges):
            raise self.refused("a character beyond ASCII without regard to case")
        codes = [code for low, high in chars.ranges for code in range(low, high + 1)]
        both = [ord(c) for code in codes for c in (chr(code).lower(), chr(code).upper())]
        beyond = [_FOLDS[code] for code in both if code in _FOLDS]
        return union(*(Chars(((code, code),)) for code in (*both, *beyond)))

    def escape(self) -> Regex:
        c = self.next()
        if c in _BOUNDS:
            self.at += 1
            return _BOUNDS[c]
        if c in ("b", "B", "Q", "p", "P", "C"):
            raise self.refused(f"\\{c}")
        if c in _PERL:
            self.at += 1
            return _PERL[c]
        return self.one(self.code())

    def code(self) -> int:
        """The character that is written behind a backslash."""
        c = self.next()
        self.at += 1
        if c in _CONTROL:
            return _CONTROL[c]
        coded = _HEX.match(self.pattern, self.at - 1)
        if coded is not None:
            self.at = coded.end()
            code = int(coded[1] or coded[2], 16)
            if code > LAST:
                raise self.wrong("has a character that there is not")
            return code
        if not c or c.isalnum() or not c.isascii():
            raise self.refused(f"\\{c}")
        return ord(c)

    def set(self) -> Chars:
        """[abc], [^a-z], [[:alpha:]_]."""
        negative = self.take("^")
        classes: list[Chars] = []
        while not classes or self.next() != "]":
            classes.append(self.item())
        self.at += 1
        found = union(*classes)
        return others(found) if negative else found

    def item(self) -> Chars:
        named = _NAMED.match(self.pattern, self.at)
        if named is not None:
            if named[2] not in _POSIX:
                raise self.wrong(f"has the class {named[0]}")
            self.at = named.end()
            found = _POSIX[named[2]]
            return others(found) if named[1] else self.folded(found)
        if self.next() == "\\" and self.pattern[self.at + 1 : self.at + 2] in _PERL:
            self.at += 2
            return _PERL[self.pattern[self.at - 1]]
        low = self.member()
        if self.next() != "-" or self.pattern[self.at + 1 : self.at + 2] in ("]", ""):
            return self.one(low)
        self.at += 1
        high = self.member()
        if high < low:
            raise self.wrong("has a range that ends before it starts")
        return self.folded(Chars(((low, high),)))

    def member(self) -> int:
        c = self.next()
        self.at += 1
        if not c:
            raise self.wrong("lacks a ]")
        if c != "\\":
            return ord(c)
        if self.next() in ("p", "P", "b"):
            raise self.refused(f"\\{self.next()}")
        return self.code()
