"""A small world for joins, sets and windows: keys declared and not, NULLs, duplicates, an empty table."""

from __future__ import annotations

import datetime
import decimal
import random
from typing import Any

from tests.plan import typed
from tests.plan.judge import QUERIES, World, build

DDL = """
CREATE TABLE t (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 1000000),
    k  INTEGER CHECK (k BETWEEN 0 AND 100000),
    a  TINYINT NOT NULL CHECK (a BETWEEN -5 AND 9),
    b  SMALLINT CHECK (b BETWEEN 0 AND 20),
    d  DECIMAL(6,2) CHECK (d BETWEEN -99 AND 99.5),
    e  ENUM('low', 'high', 'Mid'),
    f  BOOLEAN,
    g  DATE CHECK (g BETWEEN '2020-01-01' AND '2021-12-31')
);
CREATE TABLE u (
    uid INTEGER PRIMARY KEY CHECK (uid BETWEEN 0 AND 100000),
    x   SMALLINT CHECK (x BETWEEN -3 AND 50),
    e   ENUM('Mid', 'high', 'other'),
    y   DECIMAL(5,1) CHECK (y BETWEEN -50 AND 50)
);
CREATE TABLE w (
    k INTEGER CHECK (k BETWEEN 0 AND 100000),
    z SMALLINT NOT NULL CHECK (z BETWEEN 0 AND 9),
    q INTEGER CHECK (q BETWEEN -10 AND 10)
);
CREATE TABLE v (
    p SMALLINT NOT NULL CHECK (p BETWEEN 0 AND 2),
    r SMALLINT NOT NULL,
    s SMALLINT CHECK (s BETWEEN 0 AND 99),
    PRIMARY KEY (p, r)
);
CREATE TABLE none (x INTEGER, y SMALLINT);
CREATE TABLE words (
    i    SMALLINT PRIMARY KEY CHECK (i BETWEEN 0 AND 99),
    a    VARCHAR(1),
    b    VARCHAR(7),
    c    VARCHAR(8),
    d    VARCHAR(14) NOT NULL,
    e    VARCHAR(15),
    f    VARCHAR(40),
    raw  VARCHAR(9) COLLATE C,
    kind ENUM('green', 'dark green', 'red')
);
CREATE TABLE colors (name VARCHAR(12) PRIMARY KEY, price SMALLINT CHECK (price BETWEEN 0 AND 99));
CREATE TABLE days (i SMALLINT NOT NULL CHECK (i BETWEEN 0 AND 99), h DATE);
"""

DAYS = [
    None if text is None else datetime.date.fromisoformat(text)
    for text in (
        "0001-01-01", "1582-10-15", "1900-02-28", "1900-03-01", "1969-12-31", "1970-01-01", "2000-02-29", None,
        "2019-12-31", "2020-01-31", "2020-02-29", "2021-01-03", "2021-01-04", "2024-12-30", "2100-03-31", "9998-12-31",
    )
]  # fmt: skip

FORTY = "abcdefghijklmnopqrstuvwxyz0123456789ABCD"
WORDS = [
    (0, "a", "abc", "abcdefgh", "abcdefghijklmn", "abcdefghijklmno", "the quick brown fox jumps over dogs", "é", "red"),
    (1, "", "", "", "", "", "", "", "green"),
    (2, None, None, None, "abc", None, None, None, None),
    (3, "b", "abcdefg", "abcdefg", "abcdefg", "abcdefgh", "abcdefg", "abcdefg", "dark green"),
    (4, "A", "ABC", "Abcdefgh", "green", "dark green", "special packages requests above", "Zürich", "green"),
    (5, "z", "green", "green", "dark green", "green", "green", "z", "green"),
    (6, "%", "a_c", "100%", "50% off", "a%b_c", "specialrequests", "日本", None),
    (7, " ", " a ", "  ab  ", " lead", "trail ", "  both   sides  ", "e", "red"),
    (8, "a", "abc", "abcdefgh", "abcdefghijklmn", "abcdefghijklmno", "requests special", "ß", "red"),
    (9, "b", "abd", "abcdefgi", "abcdefghijklmo", "abcdefghijklmnp", FORTY, "a", "red"),
    (10, "~", "~~~~~~~", "~~~~~~~~", "~", "abab", "ababababab", "~", "dark green"),
    (11, None, "abc", None, "red", "red", None, "red", "red"),
]  # fmt: skip
COLORS = [("green", 3), ("dark green", 7), ("red", None), ("abcdefg", 1), ("abcdefgh", 2), ("", 0)]

Row = tuple[Any, ...]
FILES = sorted((QUERIES / "relational").glob("*.sql"))


def small_world() -> World:
    """The same rows on every run."""
    random.seed(7)
    t, u = [_t(i) for i in range(13)], [_u(uid) for uid in (3, 5, 70000, 12)]
    w = [(_maybe(_key()), random.randint(0, 9), _maybe(random.randint(-10, 10))) for _ in range(9)]
    v = [(p, r, _maybe(random.randint(0, 99))) for p in (0, 1, 2) for r in (0, 5)]
    tables = {"t": {"zoe": t[:5], "adam": t[5:]}, "u": {"zoe": u[:2], "bob": u[2:]}, "w": {"bob": w}, "v": {"bob": v}}
    texts = {"words": {"zoe": WORDS[:5], "adam": WORDS[5:]}, "colors": {"bob": COLORS[:4], "adam": COLORS[4:]}}
    days = {"bob": list(enumerate(DAYS))}
    return build(DDL + typed.DDL, {**tables, **texts, "days": days, **typed.rows()})


def _maybe(value: Any) -> Any:
    return None if random.random() < 0.2 else value


def _key() -> int:
    return random.choice([3, 5, 70000, 99, 42])


def _cents(low: int, high: int, scale: int) -> decimal.Decimal:
    return decimal.Decimal(random.randint(low, high)).scaleb(-scale)


def _t(i: int) -> Row:
    return (
        1000 * i % 7919 + i,
        _maybe(_key()),
        random.randint(-5, 9),
        _maybe(random.randint(0, 20)),
        _maybe(_cents(-9900, 9950, 2)),
        _maybe(random.choice(["low", "high", "Mid"])),
        _maybe(random.random() < 0.5),
        _maybe(datetime.date(2020, 1, 1) + datetime.timedelta(days=random.randint(0, 730))),
    )


def _u(uid: int) -> Row:
    return (
        uid,
        _maybe(random.randint(-3, 50)),
        _maybe(random.choice(["Mid", "high", "other"])),
        _maybe(_cents(-500, 500, 1)),
    )
