"""A small world of numbers whose sums and products leave 64 bits."""

from __future__ import annotations

import decimal
import random
from typing import Any

from tests.plan.judge import World, build

DDL = """
CREATE TABLE m (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 99),
    g  TINYINT NOT NULL CHECK (g BETWEEN 0 AND 2),
    k  INTEGER CHECK (k BETWEEN 0 AND 100000),
    w  DOUBLE,
    h  DOUBLE NOT NULL,
    d  DECIMAL(18,2),
    e  DECIMAL(18,2) NOT NULL,
    b  BIGINT,
    c  BIGINT NOT NULL
);
CREATE TABLE n (
    b  BIGINT UNIQUE,
    p  DECIMAL(18,6),
    q  DECIMAL(12,2) NOT NULL
);
CREATE TABLE nothing (w DOUBLE, b BIGINT, d DECIMAL(18,2));
"""


def _decimal(rng: random.Random, size: int, scale: int) -> decimal.Decimal:
    return decimal.Decimal(rng.randint(-size, size)).scaleb(-scale)


def wide_world() -> World:
    """Few rows, with NULLs, equal values and the ends of the types."""
    rng = random.Random(20)
    longs = [9223372036854775807, -9223372036854775808, 0, -1, 1, 4611686018427387904, 9223372036854775806]
    decimals = [
        decimal.Decimal(10**18 - 1).scaleb(-2),
        -decimal.Decimal(10**18 - 1).scaleb(-2),
        decimal.Decimal("0.01"),
    ]
    rows: list[tuple[Any, ...]] = []
    for i in range(14):
        rows.append(
            (
                i,
                i % 3,
                rng.choice([7, 900, 12345, None]),
                None if i % 5 == 4 else round(rng.uniform(40, 120), 3),
                round(rng.uniform(-1e6, 1e6), 6),
                None if i % 6 == 2 else decimals[i % 3] if i < 3 else _decimal(rng, 10**17, 2),
                _decimal(rng, 10**18 - 1, 2),
                None if i % 7 == 6 else longs[i % 6],
                longs[i % 7],
            )
        )
    others: list[tuple[Any, ...]] = [
        (b, None if i == 2 else _decimal(rng, 10**18 - 1, 6), _decimal(rng, 10**10, 2)) for i, b in enumerate(longs)
    ]
    return build(DDL, {"m": {"x": rows[:6], "y": rows[6:]}, "n": {"x": others}, "nothing": {}})
