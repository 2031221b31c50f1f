"""Joins of many with many: all pairs or none, what is said about it, and degrees of every shape."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smpc_sql.engine.explain import explain
from smpc_sql.errors import QueryError, Unsupported
from smpc_sql.sql.compile import compile_select
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_cost, consortium_of
from tests.plan.judge import World, assert_same, build

DDL = """
CREATE TABLE l (n INTEGER NOT NULL CHECK (n BETWEEN 0 AND 9999), k SMALLINT CHECK (k BETWEEN -9 AND 99), b BOOLEAN);
CREATE TABLE r (m INTEGER NOT NULL CHECK (m BETWEEN 0 AND 9999), k SMALLINT CHECK (k BETWEEN -9 AND 99), b BOOLEAN);
"""
SHAPES = {
    "all of one key": ([5] * 6, [5] * 7),
    "degrees one, two, three": ([1, 2, 2, 3, 3, 3], [3, 3, 3, 2, 2, 1]),
    "keys of one side only": ([1, 1, 7, 8, None], [9, 1, 1, 1, None, -9]),
    "nothing in common": ([1, 2, 3], [4, 4, None]),
    "one row each": ([4], [4]),
    "large and small keys in turn": ([0, 0, 1, 2, 2, 2, 2, 50], [99, 0, 2, 2, 1, 1, 1, 0, 50]),
}


def world_of(left: Sequence[int | None], right: Sequence[int | None]) -> World:
    rows = [[(i, key, None if i % 3 == 2 else i % 2 == 0) for i, key in enumerate(keys)] for keys in (left, right)]
    return build(DDL, {"l": {"x": rows[0][:2], "y": rows[0][2:]}, "r": {"z": rows[1]}})


@pytest.mark.parametrize("shape", SHAPES)
def test_pairs_of_every_shape(shape: str) -> None:
    left, right = SHAPES[shape]
    world = world_of(left, right)
    consortium = consortium_of(world, 2)
    ((size,),) = world.expected("SELECT COUNT(*) FROM l JOIN r USING (k)")
    sql = "SELECT /*+ JOIN_ROWS({}) */ l.n, l.b, r.m, r.b FROM l JOIN r ON l.k = r.k WHERE l.n < 900"
    for limit in {size, size + 1, size + 9} - {0}:
        assert_same(consortium.sql(sql.format(limit)).fetchall(), world.expected(sql), ordered=False)
        check_cost(consortium, sql.format(limit))
    if size > 1:
        with pytest.raises(QueryError, match=f"more than the {size - 1} pairs"):
            consortium.sql(sql.format(size - 1))


def test_no_room_is_no_answer() -> None:
    """A bound of no pairs was believed; the answer was empty though there were pairs."""
    consortium = consortium_of(world_of([5, 5], [5, 5]), 2)
    with pytest.raises(QueryError, match="more than"):
        consortium.sql("SELECT /*+ JOIN_ROWS(0) */ l.n, r.m FROM l JOIN r ON l.k = r.k")


def test_three_parties_fail_together_or_answer() -> None:
    world = world_of(*SHAPES["degrees one, two, three"])
    consortium = consortium_of(world, 3)
    sql = "SELECT /*+ JOIN_ROWS({}) */ l.n, r.m FROM l JOIN r ON l.k = r.k"
    assert_same(consortium.sql(sql.format(14)).fetchall(), world.expected(sql), ordered=False)
    with pytest.raises(QueryError, match="JOIN_ROWS"):
        consortium.sql(sql.format(9))


@pytest.fixture(scope="module")
def wide() -> LockstepConsortium:
    """Tables whose pairs are too many to be looked at."""
    keys = [i % 97 for i in range(1100)]
    return consortium_of(world_of(keys, keys), 2)


def test_explain_says_what_is_disclosed(wide: LockstepConsortium) -> None:
    text = explain(wide.prepare("SELECT /*+ JOIN_ROWS(20000) */ l.n, r.m FROM l JOIN r ON l.k = r.k"), 2)
    assert "expand rows with 1 equal keys to pairs" in text
    assert text.endswith("discloses:\n  whether a join has more than 20000 pairs of rows (then the query fails)")
    assert explain(wide.prepare("SELECT COUNT(*) FROM l"), 2).endswith("discloses:\n  nothing")


def test_without_a_limit_too_many_pairs_are_refused(wide: LockstepConsortium) -> None:
    with pytest.raises(Unsupported, match=r"neither \(\w\.k\) nor \(\w\.k\) .*JOIN_ROWS") as error:
        compile_select("SELECT l.n, r.m\nFROM l JOIN r ON l.k = r.k", wide.catalog)
    assert (error.value.line, error.value.column) == (2, 13)


@pytest.mark.parametrize(
    ("hint", "message"),
    [("JOIN_ROWS(many)", "JOIN_ROWS"), ("HASH_JOIN(5)", "HASH_JOIN"), ("JOIN_ROWS(99999999999)", "at most")],
)
def test_other_hints_are_refused(wide: LockstepConsortium, hint: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        compile_select(f"SELECT /*+ {hint} */ n FROM l", wide.catalog)
