"""Secret texts run through automata, against Python's regular expressions."""

from __future__ import annotations

import re

import pytest

from smpc_sql.plan.text.automaton import matching
from smpc_sql.plan.text.regex import python
from smpc_sql.protocol import automata
from smpc_sql.ring import unpack
from smpc_sql.sharing import combine_bits
from smpc_sql.sql.regex import parse_regex
from tests.protocol.on_shares import run, share_xor
from tests.protocol.test_rewriting import LENGTH, some_texts
from tests.protocol.test_spelling import planes_of_texts

PATTERNS = [
    r"^[a-c]-",
    "a-?b",
    "(a|b|-){3} ",
    r"^\s*[^-]*$",
    "-(a|ab)(-b)?",
    "^$",
    "b$",
    "",
    "(-[ab])+$",
    "^a|--$",
    ".",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_accepts(pattern: str) -> None:
    texts = some_texts(9)
    regex = parse_regex(pattern)
    machine = matching(regex)
    parties = 3 if pattern.startswith("^") else 2
    shares = share_xor(planes_of_texts(texts, LENGTH, 7), parties)
    found = run(parties, lambda s, x: automata.accepts(s, x, machine.moves, machine.accepting), shares)
    wanted = [re.search(python(regex), text.decode()) is not None for text in texts]
    assert unpack(combine_bits(found)).astype(bool).tolist() == wanted
    assert [machine.accepts(text) for text in texts] == wanted
