"""What every system computes, and on what: one list, of numpy alone, so that peers' workers can import it too.

Columns: x in [0, 10^6], y in [0, 1000], k in [0, 9] (a product fits 64 bits), z and w of 31 bits with sign, p and q
of 62 bits with sign. The same seed gives every process the same columns, so that every answer can be checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Columns = dict[str, np.ndarray[Any, np.dtype[np.int64]]]
CONSTANT = 5
GROUPS = 10

SCHEMA = """
CREATE TABLE {t} (
    x BIGINT NOT NULL CHECK (x BETWEEN 0 AND 1000000),
    y BIGINT NOT NULL CHECK (y BETWEEN 0 AND 1000),
    k TINYINT NOT NULL CHECK (k BETWEEN 0 AND 9),
    z INTEGER NOT NULL CHECK (z BETWEEN -1073741824 AND 1073741823),
    w INTEGER NOT NULL CHECK (w BETWEEN -1073741824 AND 1073741823),
    p BIGINT NOT NULL CHECK (p BETWEEN -2305843009213693952 AND 2305843009213693951),
    q BIGINT NOT NULL CHECK (q BETWEEN -2305843009213693952 AND 2305843009213693951)
)
"""


def columns(rows: int) -> Columns:
    """The table: int64 [rows] for every name."""
    draw = np.random.default_rng(rows).integers
    found = {
        "x": draw(0, 10**6 + 1, rows),
        "y": draw(0, 1001, rows),
        "k": draw(0, GROUPS, rows),
        "z": draw(-(1 << 30), 1 << 30, rows),
        "w": draw(-(1 << 30), 1 << 30, rows),
        "p": draw(-(1 << 61), 1 << 61, rows),
        "q": draw(-(1 << 61), 1 << 61, rows),
    }
    found["w"][::3] = found["z"][::3]  # else nothing would be equal
    return found


@dataclass(frozen=True, slots=True)
class Workload:
    """One line of the table.

    sql: {t} stands for the table, {half} for half of its rows. needs: the columns that it reads. expected: the answer
    as a flat list of integers. rows: how many of ours.
    """

    name: str
    title: str
    sql: str
    needs: str
    expected: Callable[[Columns], list[int]]
    rows: int = 1_000_000


def _flat(*parts: Any) -> list[int]:
    return [int(v) for part in parts for v in np.asarray(part).reshape(-1)]


def _groups(c: Columns) -> list[int]:
    counts = np.bincount(c["k"], minlength=GROUPS)
    sums = [c["x"][c["k"] == key].sum() for key in range(GROUPS)]
    return _flat(sums, counts)


WORKLOADS = (
    Workload(
        "inner",
        "SUM(x * y), 64 bit",
        "SELECT SUM(x * y) FROM {t}",
        "xy",
        lambda c: _flat((c["x"] * c["y"]).sum()),
    ),
    Workload(
        "multiply",
        "multiply twice, 64 bit: SUM(x * y * k)",
        "SELECT SUM(x * y * k) FROM {t}",
        "xyk",
        lambda c: _flat((c["x"] * c["y"] * c["k"]).sum()),
    ),
    Workload(
        "less_constant",
        "compare with a constant, 32 bit",
        f"SELECT COUNT(*) FROM {{t}} WHERE z < {CONSTANT}",
        "z",
        lambda c: _flat((c["z"] < CONSTANT).sum()),
    ),
    Workload(
        "less",
        "compare two secrets, 64 bit",
        "SELECT COUNT(*) FROM {t} WHERE p < q",
        "pq",
        lambda c: _flat((c["p"] < c["q"]).sum()),
    ),
    Workload(
        "equal",
        "equality of two secrets, 32 bit",
        "SELECT COUNT(*) FROM {t} WHERE z = w",
        "zw",
        lambda c: _flat((c["z"] == c["w"]).sum()),
    ),
    Workload(
        "filter_sum",
        "SUM(x * y) WHERE z < c",
        f"SELECT SUM(x * y) FROM {{t}} WHERE z < {CONSTANT}",
        "xyz",
        lambda c: _flat((c["x"] * c["y"])[c["z"] < CONSTANT].sum()),
    ),
    Workload(
        "group",
        "GROUP BY 10 known keys, SUM and COUNT",
        "SELECT k, SUM(x), COUNT(*) FROM {t} GROUP BY k ORDER BY k",
        "kx",
        _groups,
    ),
    Workload(
        "sort",
        "ORDER BY LIMIT half, 32-bit keys",
        "SELECT z FROM {t} ORDER BY z LIMIT {half}",
        "z",
        lambda c: _flat(np.sort(c["z"])[: len(c["z"]) // 2]),
        100_000,
    ),
)
"""A sum of products of three columns is one multiplication of columns and one inner product. The sort gives half of the
rows: without a LIMIT ours would leave sorting to the analyst, who gets all rows anyway."""


def by_name(name: str) -> Workload:
    """The workload of that name."""
    return next(workload for workload in WORKLOADS if workload.name == name)
