"""Steps hold a bounded number of bytes, whatever the query's length."""

from __future__ import annotations

import pytest

from smpc_sql.operators.load import row_bytes, steps_of
from smpc_sql.operators.table import CHUNK_ROWS
from smpc_sql.plan.expressions import Column, Expression, Less, Literal, Multiply
from smpc_sql.schema import Integer, Interval
from smpc_sql.session import CHUNKS_IN_FLIGHT


@pytest.mark.parametrize("size", [1, 60, 170, 300, 1000, 4000])
def test_what_runs_at_once_is_bounded(size: int) -> None:
    steps = steps_of(size, least=1024)
    assert steps.rows * steps.at_once * size <= max(32 << 20, 2 * 1024 * size)
    assert 2 <= steps.at_once <= CHUNKS_IN_FLIGHT
    assert CHUNK_ROWS % steps.rows == 0
    assert steps.rows % 8 == 0


def test_light_work_runs_in_whole_chunks() -> None:
    assert (steps_of(0).rows, steps_of(0).at_once) == (CHUNK_ROWS, CHUNKS_IN_FLIGHT)


def _column(index: int) -> Column:
    return Column(index, f"c{index}", Integer(), False, Interval(-(10**6), 10**6))


def test_what_is_ready_at_the_same_time_counts_together() -> None:
    limit = Literal(5, Integer())
    conditions: list[Expression] = [Less(_column(i), limit) for i in range(4)]
    assert row_bytes(conditions) == 4 * row_bytes(conditions[:1])
    product = Multiply(_column(0), _column(1))
    later = Less(product, limit)  # not before the product is there
    assert row_bytes([later]) == max(row_bytes([product]), row_bytes([later]))
    assert row_bytes([later, conditions[2]]) < row_bytes([later]) + row_bytes([conditions[2]]) + row_bytes([product])
    assert row_bytes([_column(0)]) == 0
