"""Random order statistics, grouping sets and frames: parties answer as DuckDB does, at the cost foretold."""

from __future__ import annotations

import decimal
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from smpc_sql.sql.compile import compile_select
from tests.engine.consortium import check_cost, consortium_of
from tests.plan.judge import World, assert_same, build
from tests.plan.plain import answer

SEEDS = range(int(os.environ.get("RANDOM_SEEDS", "6")))

DDL = """
CREATE TABLE r (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 100),
    k INTEGER, e ENUM('x', 'y', 'z'), f BOOLEAN,
    a SMALLINT NOT NULL CHECK (a BETWEEN -9 AND 9), b INTEGER CHECK (b BETWEEN -1000 AND 1000), c BIGINT,
    d DECIMAL(8,2) CHECK (d BETWEEN -50 AND 50)
);
"""


def random_world(seed: int) -> World:
    """Up to 20 rows of two owners: few keys, many NULLs and duplicates."""
    draw = random.Random(seed)

    def maybe(value: Any) -> Any:
        return None if draw.random() < 0.25 else value

    rows = [
        (
            i,
            maybe(draw.choice([1, 2, 2**31 - 1])),
            maybe(draw.choice("xyz")),
            maybe(draw.random() < 0.5),
            draw.randint(-9, 9) if draw.random() < 0.5 else 1,
            maybe(draw.randint(-1000, 1000)),
            maybe(draw.choice([-(2**62), 5, 2**62, draw.randint(-5, 5)])),
            maybe(decimal.Decimal(draw.randint(-5000, 5000)).scaleb(-2)),
        )
        for i in draw.sample(range(100), draw.choice([0, 1, 2, 5, 13, 20]))
    ]
    cut = draw.randint(0, len(rows))
    return build(DDL, {"r": {"o": rows[:cut], "p": rows[cut:]}})


def order_statistic(draw: random.Random) -> str:
    """An aggregate; of DECIMALs between values only by halves and quarters, which DuckDB's doubles hold."""
    kind = draw.choice(["median", "cont", "disc", "within", "within", "extreme"])
    x = draw.choice(["a", "b", "d", "a - b", "id"] if kind in ("median", "cont") else ["a", "b", "c", "d", "e", "f"])
    p = draw.choice(["0", "0.25", "0.5", "0.75", "1"] if x == "d" else ["0", "0.1", "0.5", "0.9", "1", "0.333", "0.25"])
    distinct = draw.choice(["", "", "DISTINCT "])
    match kind:
        case "median":
            call = f"MEDIAN({distinct}{x})"
        case "cont":
            call = f"QUANTILE_CONT({distinct}{x}, {draw.choice(['', '', '-'])}{p})"
        case "disc":
            call = f"QUANTILE_DISC({distinct}{x}, {draw.choice(['', '', '-'])}{p})"
        case "extreme":
            call = f"{draw.choice(['ARG_MIN', 'ARG_MAX'])}({x}, {draw.choice(['id', '-id', 'id * 3 - 50'])})"
        case _:
            how = "DISC" if x in ("c", "e", "f") else draw.choice(["CONT", "DISC"])
            call = f"PERCENTILE_{how}({p}) WITHIN GROUP (ORDER BY {x}{draw.choice(['', ' DESC'])})"
    filter_ = draw.choice(["", "", " FILTER (WHERE f)", " FILTER (WHERE a > 0 OR e = 'x')"])
    return call + filter_


def percentile_query(draw: random.Random) -> str:
    """Some of them together with other aggregates, of groups or of all rows."""
    keys = draw.choice(["", "k", "e", "f, e", "k, f", "a > 0", "owner"])
    calls = [order_statistic(draw) for _ in range(draw.randint(1, 3))]
    calls += draw.sample(
        ["COUNT(*)", "SUM(a)", "AVG(b)", "MIN(d)", "MAX(b)", "COUNT(DISTINCT a)", "SUM(DISTINCT b)"], 2
    )
    draw.shuffle(calls)
    where = draw.choice(["", "", " WHERE a > -3", " WHERE b IS NOT NULL", " WHERE id < 0"])
    having = draw.choice(["", "", " HAVING MEDIAN(a) > 0"])
    listed = ", ".join([keys, *calls] if keys else calls)
    return f"SELECT {listed} FROM r{where}{f' GROUP BY {keys}' if keys else ''}{having}"


def grouping_query(draw: random.Random) -> str:
    """Grouping sets of few keys; aggregates that add up, and now and then one that does not."""
    keys = draw.sample(["k", "e", "f", "owner", "(a > 0)"], 3)
    some = [f"({', '.join(draw.sample(keys, draw.randint(0, 3)))})" for _ in range(draw.randint(1, 3))]
    by = draw.choice(
        [
            f"ROLLUP ({', '.join(keys)})",
            f"CUBE ({', '.join(keys[:2])}), {keys[2]}",
            f"{keys[0]}, ROLLUP ({keys[1]}), ROLLUP ({keys[2]})",
            f"GROUPING SETS (({', '.join(keys)}), {', '.join(some)})",
            f"GROUPING SETS (ROLLUP ({keys[0]}, ({keys[1]}, {keys[2]})), {keys[2]})",
        ]
    )
    calls = draw.sample(["COUNT(*)", "COUNT(b)", "SUM(a)", "SUM(d)", "AVG(b)", "MIN(d)", "MAX(a)", "VAR_POP(a)"], 3)
    calls += draw.choice([[], [], [], ["MEDIAN(a)"], ["COUNT(DISTINCT a)"], ["SUM(a) FILTER (WHERE f)"]])
    calls += draw.choice([[], [f"GROUPING({keys[0]})"], [f"GROUPING({', '.join(keys)})"]])
    where = draw.choice(["", "", " WHERE a > -3", " WHERE id < 0"])
    having = draw.choice(["", "", " HAVING COUNT(*) > 2", f" HAVING GROUPING({keys[1]}) = 0"])
    return f"SELECT {', '.join([*keys, *calls])} FROM r{where} GROUP BY {by}{having}"


def frame(draw: random.Random) -> str:
    """A frame clause, or none."""
    starts = [f"{n} PRECEDING" for n in (3, 2, 1)] + ["CURRENT ROW"] + [f"{n} FOLLOWING" for n in (1, 2, 30)]
    match draw.choice(["rows", "rows", "rows", "unbounded", "range", "none"]):
        case "rows":
            low, high = sorted(draw.choices(range(len(starts)), k=2))
            return f"ROWS BETWEEN {starts[low]} AND {starts[high]}"
        case "unbounded":
            edge = draw.choice(starts)
            return draw.choice(
                [f"ROWS BETWEEN UNBOUNDED PRECEDING AND {edge}", f"ROWS BETWEEN {edge} AND UNBOUNDED FOLLOWING"]
            )
        case "range":
            low = draw.choice(["UNBOUNDED PRECEDING", "CURRENT ROW"])
            high = draw.choice(["UNBOUNDED FOLLOWING", "CURRENT ROW"])
            return f"{draw.choice(['RANGE', 'GROUPS'])} BETWEEN {low} AND {high}"
        case _:
            return ""


def distance_call(draw: random.Random) -> str:
    """A sum or count of the rows whose key is near. Not of distance 0, of which DuckDB forgets peers."""
    near = [f"{n} PRECEDING" for n in (900, 40, 2, 1)] + ["CURRENT ROW"] + [f"{n} FOLLOWING" for n in (1, 3, 100)]
    low, high = sorted(draw.sample(range(len(near)), 2))
    start = draw.choice(["UNBOUNDED PRECEDING", near[low], near[low]])
    end = draw.choice(["UNBOUNDED FOLLOWING", near[high], near[high]])
    order = draw.choice(["a", "b", "d", "id", "CAST(k AS BIGINT)", "a - b", "a * 10", "b DESC"])
    nulls = draw.choice(["", "", " NULLS FIRST", " NULLS LAST"])
    partition = draw.choice(["", "PARTITION BY e ", "PARTITION BY f, k ", "PARTITION BY a > 0 ", "PARTITION BY id "])
    some = draw.choice(["", "", " FILTER (WHERE f)", " FILTER (WHERE b > 0)"])
    call = draw.choice(["SUM(a)", "SUM(b)", "COUNT(d)", "COUNT(*)", "AVG(d)", "AVG(b)", "VAR_POP(a)"])
    return f"{call}{some} OVER ({partition}ORDER BY {order}{nulls} RANGE BETWEEN {start} AND {end})"


def window_call(draw: random.Random) -> str:
    """A window function; in an order without ties, or one for which ties do not matter."""
    x = draw.choice(["a", "b", "d", "a / 4", "e"])
    number = x if x != "e" else "a"
    extent = frame(draw)
    some = draw.choice(["", "", " FILTER (WHERE f)", " FILTER (WHERE b > 0)"])
    kind = draw.choice(["sum", "sum", "extreme", "extreme", "value", "shift", "rank"])
    peers = "ROWS" not in extent and kind in ("sum", "extreme", "rank")
    order = draw.choice(["k", "e DESC", "a, b", "a / 3"]) if peers and draw.random() < 0.6 else "a DESC, id"
    partition = draw.choice(["", "", "PARTITION BY e ", "PARTITION BY f, k ", "PARTITION BY a > 0 "])
    words = [f"SUM({number})", f"COUNT({x})", "COUNT(*)", f"AVG({number})", "VAR_POP(a)"]
    match kind:
        case "sum":
            call = draw.choice(words) + some
        case "extreme":
            call = f"{draw.choice(['MIN', 'MAX'])}({draw.choice(['a', 'b', 'd', 'e', 'k'])}){some}"
        case "value":
            call = draw.choice(
                [f"FIRST_VALUE({x})", f"LAST_VALUE({x})", f"NTH_VALUE({x}, {draw.choice([1, 2, 3, 25])})"]
            )
        case "shift":
            call, extent = f"{draw.choice(['LAG', 'LEAD'])}({x}, {draw.choice([0, 1, 2, 25])})", ""
        case _:
            ranks = ["RANK()", "DENSE_RANK()", "PERCENT_RANK()", "CUME_DIST()"]
            ranks += ["ROW_NUMBER()", "NTILE(3)", "NTILE(7)"] if order.endswith("id") else []
            call, extent = draw.choice(ranks), ""
    return f"{call} OVER ({partition}ORDER BY {order} {extent})"


def frame_query(draw: random.Random) -> str:
    """Some windows over all rows, or over a part of them."""
    calls = [draw.choice([window_call, window_call, distance_call])(draw) for _ in range(draw.randint(1, 4))]
    where = draw.choice(["", "", " WHERE a > -3", " WHERE id < 0"])
    return f"SELECT id, {', '.join(calls)} FROM r{where}"


@pytest.mark.parametrize("query", [percentile_query, grouping_query, frame_query])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_aggregates(seed: int, query: Callable[[random.Random], str]) -> None:
    world = random_world(seed)
    draw = random.Random(1000 + seed)
    consortium = consortium_of(world, 2)
    for number in range(12):
        sql = query(draw)
        expected = world.expected(sql)
        assert_same(answer(compile_select(sql, world.catalog), world.tables), expected, False)
        if number % 3 == 0:
            assert_same(consortium.sql(sql).fetchall(), expected, False)
            check_cost(consortium, sql)
