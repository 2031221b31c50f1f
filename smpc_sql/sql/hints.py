"""What a SELECT says about itself in a comment behind its SELECT: /*+ JOIN_ROWS(20000) */."""

from __future__ import annotations

import re

from sqlglot import exp

from smpc_sql.errors import SyntaxInvalid, Unsupported

MAX_JOIN_ROWS = 1 << 24
"""Rows for which a join of many with many makes room at most."""

_HINT = re.compile(r"\s*(\w+)\s*\(\s*(\d{1,18})\s*\)\s*,?")


def join_rows(select: exp.Select) -> int | None:
    """How many pairs of rows a join of many with many has at most, as the SELECT says; None if it does not.

    Raises SyntaxInvalid, Unsupported for hints that are none of ours.
    """
    rows = None
    for comment in select.comments or ():
        if not comment.lstrip().startswith("+"):
            continue
        text = comment.lstrip()[1:]
        while text.strip():
            found = _HINT.match(text)
            if found is None:
                raise SyntaxInvalid(f"a hint is JOIN_ROWS(number of rows), not {text.strip()[:40]}")
            if found[1].upper() != "JOIN_ROWS":
                raise Unsupported(f"hint {found[1]} is not supported; there is JOIN_ROWS(n)")
            rows = int(found[2])
            text = text[found.end() :]
    if rows is not None and rows > MAX_JOIN_ROWS:
        raise Unsupported(f"JOIN_ROWS({rows}): at most {MAX_JOIN_ROWS} are supported")
    return rows
