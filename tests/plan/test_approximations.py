"""A result says what of it is not exact, and by how much at most."""

from __future__ import annotations

import pytest

from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import consortium_of
from tests.plan.judge import World, build

DDL = "CREATE TABLE t (w DECIMAL(3,2) NOT NULL, n SMALLINT NOT NULL CHECK (n BETWEEN 1 AND 1000));"


@pytest.fixture(scope="module")
def world() -> World:
    return build(DDL, {"t": {"adam": [("0.25", 3), ("1.5", 7)], "zoe": [("-2.75", 999)]}})


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


def test_sums_of_quotients_by_secrets_have_a_bound(world: World, consortium: LockstepConsortium) -> None:
    result = consortium.sql("SELECT SUM(w / n) FROM t")
    (found,) = result.approximations
    ((exact,),) = world.expected("SELECT SUM(w / n) FROM t")
    assert found.places >= 31 and "n" in found.quotient and "2^-" in str(found)
    assert abs(result.fetchall()[0][0] - exact) <= 3 * found.error


@pytest.mark.parametrize(
    "sql", ["SELECT AVG(w), SUM(w) / SUM(n) FROM t", "SELECT w / n FROM t", "SELECT SUM(w / 3) FROM t"]
)
def test_the_rest_is_exact(sql: str, consortium: LockstepConsortium) -> None:
    assert consortium.sql(sql).approximations == []
