"""Comparisons of sums and differences, written so that one relation's part of them stands alone."""

from __future__ import annotations

from collections.abc import Callable

from smpc_sql.plan.expressions import Add, Expression, Less, Subtract
from smpc_sql.schema import Date, Decimal, Integer, SqlType

OTHER, ALONE = 1, 2
"""Which of two relations an expression reads; together 3, and 0 for a constant."""

Reads = Callable[[Expression], int]


def apart(test: Less, reads: Reads) -> Less:
    """x - y < c with x alone as x < c + y, with y alone as x - c < y, x + y < c as x < c - y; and these again."""
    again = _left(test.left, test.right, reads, first=True) or _left(test.right, test.left, reads, first=False)
    return test if again is None else apart(again, reads)


def _left(whole: Expression, c: Expression, reads: Reads, *, first: bool) -> Less | None:
    """whole < c, or if not `first` c < whole, with a part of `whole` alone on its side; None if there is none."""
    if not isinstance(whole, Add | Subtract) or reads(whole) & ALONE == 0 or reads(c) & ALONE:
        return None
    x, y = whole.left, whole.right
    if not all(isinstance(e.type, Date | Integer | Decimal) for e in (x, y, c)):
        return None
    if reads(x) == ALONE and not reads(y) & ALONE:
        alone, moved = x, _plus(c, y, whole.type) if isinstance(whole, Subtract) else _minus(c, y, whole.type)
    elif reads(y) == ALONE and not reads(x) & ALONE:
        if isinstance(whole, Subtract):
            alone, moved, first = y, _minus(x, c, whole.type), not first
        else:
            alone, moved = y, _minus(c, x, whole.type)
    else:
        return None
    return Less(alone, moved) if first else Less(moved, alone)


def _plus(x: Expression, y: Expression, type_: SqlType) -> Expression:
    if isinstance(y.type, Date):
        x, y = y, x
    return Add(x, y) if isinstance(x.type, Date) else Add(x, y, type_)


def _minus(x: Expression, y: Expression, type_: SqlType) -> Expression:
    return Subtract(x, y) if isinstance(x.type, Date) else Subtract(x, y, type_)
