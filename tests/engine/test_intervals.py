"""INTERVALs as the analyst gets them."""

from __future__ import annotations

import datetime

import pytest

from smpc_sql.errors import Unsupported
from smpc_sql.sql.compile import compile_select
from tests.engine.consortium import consortium_of
from tests.plan.judge import build

DDL = "CREATE TABLE stays (came TIMESTAMP NOT NULL, went TIMESTAMP);"


def test_intervals_are_timedeltas_in_python_and_in_frames() -> None:
    start = datetime.datetime(2024, 2, 28, 23, 59, 59, 999999)
    went = (start + datetime.timedelta(days=400, microseconds=3), None, datetime.datetime(2024, 1, 1))
    rows = [(start, end) for end in went]
    world = build(DDL, {"stays": {"o": rows}})
    result = consortium_of(world, 2).sql("SELECT went - came AS stay FROM stays ORDER BY stay NULLS LAST")
    wanted = world.duck.execute("SELECT went - came AS stay FROM stays ORDER BY stay NULLS LAST")
    assert str(result.types[0]) == "INTERVAL"
    assert result.fetchall() == wanted.fetchall()
    frame = result.df()
    assert frame["stay"].dtype.kind == "m" and frame["stay"].isna().tolist() == [False, False, True]
    assert frame["stay"][1] == datetime.timedelta(days=400, microseconds=3)


def test_months_alone_are_refused() -> None:
    world = build(DDL, {"stays": {"o": []}})
    with pytest.raises(Unsupported, match="on its own"):
        compile_select("SELECT went - came > INTERVAL 1 MONTH FROM stays", world.catalog)
