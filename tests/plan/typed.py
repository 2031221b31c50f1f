"""Tables of the small world with DOUBLEs: zeros, negatives, NULLs, equal values."""

from __future__ import annotations

from typing import Any

DDL = """
CREATE TABLE r (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 1000),
    g  TINYINT CHECK (g BETWEEN 0 AND 3),
    x  DOUBLE CHECK (x BETWEEN -100 AND 100),
    y  DOUBLE CHECK (y >= -5 AND y <= 50.5 AND y = ROUND(y, 2)),
    p  REAL NOT NULL CHECK (p BETWEEN 0 AND 10 AND ROUND(p, 1) = p),
    m  DECIMAL(6,2) CHECK (m BETWEEN -99 AND 99),
    n  INTEGER NOT NULL CHECK (n BETWEEN -3 AND 40)
);
CREATE TABLE s (
    x DOUBLE CHECK (x = ROUND(x, 3)),
    c INTEGER CHECK (c BETWEEN 0 AND 9)
);
"""

_R = [
    (1, 0, 1.5, 2.25, 0.5, "12.50", 4),
    (2, 0, -0.000001, 50.5, 1.5, "-0.01", 0),
    (3, 0, 99.999999, -5.0, 9.5, None, 7),
    (4, 1, None, 0.0, 0.0, "0", -3),
    (5, 1, 0.0, 0.01, 10.0, "33.33", 40),
    (6, 1, 1.5, None, 2.5, "12.50", 2),
    (7, 2, -100.0, 3.14, 3.5, "-99", 0),
    (8, 2, 2.5, 2.5, 2.5, "2.50", 3),
    (9, None, 0.333333, 33.33, 7.5, "1.25", 12),
    (10, 3, None, None, 1.0, None, 1),
]
_S = [(1.5, 1), (2.5, 2), (None, 3), (-100.0, 4), (0.125, 5), (1.5, None), (0.0, 0)]


def rows() -> dict[str, dict[str, list[tuple[Any, ...]]]]:
    """The rows of every owner."""
    return {"r": {"zoe": _R[:6], "adam": _R[6:]}, "s": {"bob": list(_S)}}
