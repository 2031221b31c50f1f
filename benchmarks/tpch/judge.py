"""Whether an answer is DuckDB's: exactly, but for the order of ties, and for which of them a LIMIT keeps."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from benchmarks.tpch.data import Union

Row = tuple[Any, ...]

_LIMIT = re.compile(r"\slimit\s+(\d+)\s*$", re.IGNORECASE)
_ORDER = re.compile(r"\sorder\s+by\s+([^()]+)$", re.IGNORECASE)


def difference(union: Union, sql: str, answer: Sequence[Row]) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    limit = _LIMIT.search(sql)
    whole = _LIMIT.sub("", sql)
    cursor = union.connection.execute(whole)
    names = [name for name, *_ in cursor.description]
    rows = cursor.fetchall()
    count = min(int(limit[1]), len(rows)) if limit else len(rows)
    if len(answer) != count:
        return f"{len(answer)} rows, not {count}"
    order = _ORDER.search(whole)
    keys = [names.index(term.split()[0]) for term in order[1].split(",")] if order else []
    for place, (mine, right) in enumerate(zip(answer, rows, strict=False)):
        if any(not _same(mine[key], right[key]) for key in keys):
            return f"row {place + 1} is ordered by {[mine[k] for k in keys]}, not {[right[k] for k in keys]}"
    return _missing(list(answer), rows, whole_answer=limit is None)


def _missing(answer: list[Row], rows: list[Row], *, whole_answer: bool) -> str | None:
    """A row of the answer that DuckDB does not have (as often)."""
    left, right = sorted(answer, key=_any_order), sorted(rows, key=_any_order)
    if whole_answer:
        wrong = [(a, b) for a, b in zip(left, right, strict=True) if not _equal(a, b)]
        return f"{wrong[0][0]}, not {wrong[0][1]}" if wrong else None
    at = 0
    for row in left:
        while at < len(right) and not _equal(row, right[at]):
            at += 1
        if at == len(right):
            return f"{row} is not there"
        at += 1
    return None


def _equal(a: Row, b: Row) -> bool:
    return len(a) == len(b) and all(map(_same, a, b))


def _same(a: Any, b: Any) -> bool:
    """Equal; DOUBLEs to 9 digits."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a is b if a is None or b is None else bool(a == b)


def _any_order(row: Row) -> tuple[Any, ...]:
    return tuple((value is None, f"{value:.6g}" if isinstance(value, float) else str(value)) for value in row)
