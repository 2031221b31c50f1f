"""Functions of known texts, and regular expressions, are DuckDB's."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import duckdb
import pytest

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.text.automaton import matching
from smpc_sql.plan.text.regex import python
from smpc_sql.sql import text_values as known
from smpc_sql.sql.regex import parse_regex

TEXTS = ["", "a", "ab", "é", "aéb", "a,b", "a,,b", ",", "日本,é", "aab", "--a--", "---", "x-y", "abcdef", "ßİǆΣ"]
FUNCTIONS: list[tuple[str, Callable[..., Any], str]] = [
    ("replace(?, ?, ?)", known.replace, "ttt"),
    ("split_part(?, ?, ?)", known.split_part, "tti"),
    ("strpos(?, ?)", known.position, "tt"),
    ("translate(?, ?, ?)", known.translate, "ttt"),
    ("lpad(?, ?, ?)", partial(known.pad, left=True), "tit"),
    ("rpad(?, ?, ?)", partial(known.pad, left=False), "tit"),
    ("repeat(?, ?)", known.repeat, "ti"),
    ("overlay(?, ?, ?)", known.overlay, "tti"),
    ("levenshtein(?, ?)", known.levenshtein, "tt"),
    ("hamming(?, ?)", known.mismatches, "tt"),
    ("ascii(?)", partial(known.code, empty=0), "t"),
    ("unicode(?)", partial(known.code, empty=-1), "t"),
    ("hex(?)", known.hexadecimal, "t"),
    ("md5(?)", partial(known.digest, name="md5"), "t"),
    ("upper(?)", known.upper, "t"),
    ("lower(?)", known.lower, "t"),
    ("reverse(?)", known.reverse, "t"),
]
ATOMS = ["a", "b", "c", "[ab]", "[^a]", r"\d", ".", "(a)", "(?:ab)", "(a|b)", "(?:a|bc)", "1", r"\w", "^", "$", r"\s"]
ATOMS += ["[a-c1]", "[[:digit:]]", "-", "(ab?)", "K", r"[\w-]", r"\x61", r"\.", "[]a]", "{", r"\S"]
TIMES = ["", "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,1}", "{2,}", "**"]
SEARCHED = ["", "a", "ab", "abc", "aab1", "b-a 1", "1a\n", "ba\nb", "cab c1", "KkK\u212a", "aaaa", "bcbcab", "é1a."]


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def theirs(duck: duckdb.DuckDBPyConnection, call: str, *args: object) -> Any:
    """DuckDB's answer, or that it is an error."""
    try:
        (row,) = duck.execute(f"SELECT {call}", list(args)).fetchall()
    except duckdb.Error:
        return "an error"
    return row[0]


def ours(function: Callable[..., Any], *args: object) -> Any:
    """The same of ours; None where we refuse."""
    try:
        return function(*args)
    except TypeMismatch:
        return "an error"
    except Unsupported:
        return None


@pytest.mark.parametrize(("call", "function", "kinds"), FUNCTIONS, ids=[call for call, _, _ in FUNCTIONS])
def test_functions(duck: duckdb.DuckDBPyConnection, call: str, function: Callable[..., Any], kinds: str) -> None:
    rng = random.Random(1)
    tries = [[rng.choice(TEXTS) if k == "t" else rng.randint(-4, 9) for k in kinds] for _ in range(60)]
    for args in tries if len(kinds) > 1 else [[text] for text in TEXTS]:
        assert ours(function, *args) == theirs(duck, call, *args), args


def test_case_of_every_letter(duck: duckdb.DuckDBPyConnection) -> None:
    text = "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x20000)]))
    assert known.upper(text) == theirs(duck, "upper(?)", text)
    assert known.lower(text) == theirs(duck, "lower(?)", text)


def some_pattern(rng: random.Random, depth: int = 0) -> str:
    found = "".join(rng.choice(ATOMS) + rng.choice(TIMES) for _ in range(rng.randint(1, 4)))
    if depth < 2 and rng.random() < 0.2:
        found += "|" + some_pattern(rng, depth + 1)
    if depth < 2 and rng.random() < 0.15:
        found = f"({some_pattern(rng, depth + 1)}){rng.choice(['', '?', ''])}"
    return found


def test_regular_expressions(duck: duckdb.DuckDBPyConnection) -> None:
    rng = random.Random(2)
    both = 0
    for _ in range(150):
        pattern, options = some_pattern(rng), rng.choice(["", "", "i", "s"])
        text, template = rng.choice(SEARCHED), rng.choice(["", "-", r"\0!", r"\1", r"x\\"])
        for call, function, args in [
            ("regexp_matches(?, ?, ?)", known.matches, (text, pattern, options)),
            ("regexp_full_match(?, ?, ?)", known.full_match, (text, pattern, options)),
            ("regexp_extract(?, ?, 1, ?)", lambda t, p, o: known.extract(t, p, 1, o), (text, pattern, options)),
            ("regexp_replace(?, ?, ?, ?)", known.substitute, (text, pattern, template, options + "g")),
        ]:
            mine = ours(function, *args)
            if mine is not None:
                both += 1
                if function is known.matches and text.isascii() and isinstance(mine, bool):
                    assert matching(known.regex_of(pattern, options)).accepts(text.encode()) is mine, (pattern, text)
                assert mine == theirs(duck, call, *args), (call, args)
    assert both > 250


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (r"\bfever", r"\\b in a regular expression is not supported"),
        (r"\p{L}", r"\\p in a regular expression"),
        ("(?P<x>a)", r"\(\? in a regular expression"),
        ("(a*)*", "repeating what may be empty"),
        ("é", "a character beyond ASCII without regard to case"),
    ],
)
def test_refused(pattern: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what):
        parse_regex(pattern, fold=True)


@pytest.mark.parametrize("pattern", ["a.{10}b", "^[ab]{0,70}c", "(?:a{900}){900}"])
def test_automata_of_many_states_are_refused(pattern: str) -> None:
    with pytest.raises(Unsupported, match=r"so many (states|characters)|more than 64 states"):
        matching(parse_regex(pattern))


def test_groups_that_are_repeated_have_no_text() -> None:
    assert known.matches("aab", "(a)+b") and known.substitute("aab", "(a)+", "x") == "xb"
    for call in (lambda: known.extract("aab", "(a)+", 1), lambda: known.substitute("aab", "(a)+", r"\1")):
        with pytest.raises(Unsupported, match="a group of a regular expression that is repeated"):
            call()


@pytest.mark.parametrize("pattern", ["(a", "a)", "[a", "[b-a]", "*a", "a**", "a{2,1}", "a{1001}", "[[:letter:]]"])
def test_no_regular_expression(duck: duckdb.DuckDBPyConnection, pattern: str) -> None:
    assert theirs(duck, "regexp_matches('', ?)", pattern) == "an error"
    with pytest.raises(TypeMismatch, match="the regular expression"):
        parse_regex(pattern)


def test_classes_hold_what_they_name() -> None:
    for name in ("alnum", "alpha", "blank", "digit", "lower", "punct", "space", "upper", "xdigit", "word"):
        regex = re.compile(python(parse_regex(f"[[:{name}:]]")))
        negative = re.compile(python(parse_regex(f"[[:^{name}:]]")))
        assert [c for c in map(chr, range(300)) if bool(regex.match(c)) == bool(negative.match(c))] == []
