"""Tables of the small world with DOUBLEs: zeros, negatives, NULLs, equal values."""

from __future__ import annotations

import datetime
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
CREATE TABLE stays (
    id   INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 100),
    came TIMESTAMP NOT NULL CHECK (came BETWEEN TIMESTAMP '2019-12-01 00:00:00' AND '2024-12-31 23:59:59.999999'),
    went TIMESTAMP CHECK (went >= TIMESTAMP '1960-01-01' AND went < '2030-01-01'),
    born DATE CHECK (born BETWEEN '1950-01-01' AND '2020-12-31'),
    k    INTEGER CHECK (k BETWEEN -50 AND 50)
);
CREATE TABLE calls (t TIMESTAMP, k INTEGER CHECK (k BETWEEN 0 AND 9));
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
_STAYS = [
    (0, "2020-02-28 23:59:59.999999", "2020-02-29 00:00:00", "1950-01-01", 1),
    (1, "2019-12-31 12:30:15.5", None, "2000-02-29", -3),
    (2, "2024-01-31 01:02:03.000004", "2024-03-31 01:02:03.000004", None, 0),
    (3, "2021-01-03 00:00:00", "2021-01-03 00:00:00", "1969-12-31", 50),
    (4, "2021-01-04 18:45:00.123456", "2022-06-15 06:00:00", "1970-01-01", None),
    (5, "2020-02-28 23:59:59.999999", "1969-12-31 23:59:59.5", "2020-12-31", -50),
    (6, "2024-12-31 23:59:59.999999", "2029-12-31 23:00:00", "1999-12-31", 7),
]
_CALLS = [
    ("2021-01-03 00:00:00", 1), (None, 2), ("1582-10-15 04:05:06", 3), ("9999-12-31 23:59:59", 4),
    ("2020-02-28 23:59:59.999999", 5),
]  # fmt: skip
_S = [(1.5, 1), (2.5, 2), (None, 3), (-100.0, 4), (0.125, 5), (1.5, None), (0.0, 0)]


def rows() -> dict[str, dict[str, list[tuple[Any, ...]]]]:
    """The rows of every owner."""
    stays = [
        (i, moment(came), moment(went), born and datetime.date.fromisoformat(born), k)
        for i, came, went, born, k in _STAYS
    ]
    calls = [(moment(at), k) for at, k in _CALLS]
    return {
        "r": {"zoe": _R[:6], "adam": _R[6:]},
        "s": {"bob": list(_S)},
        "stays": {"zoe": stays[:4], "bob": stays[4:]},
        "calls": {"adam": calls},
    }


def moment(text: str | None) -> datetime.datetime | None:
    """A TIMESTAMP as Python has it."""
    return None if text is None else datetime.datetime.fromisoformat(text)
