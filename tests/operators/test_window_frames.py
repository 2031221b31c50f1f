"""Ends of frames and running extremes, on shares: against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from smpc_sql.operators.running_extremes import of_frames
from smpc_sql.operators.window_frames import Ends, shifted
from smpc_sql.plan.frames import PARTITION, ROW, UP_TO_ROW, WHOLE, Edge, Frame
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import combine_words, split_words
from tests.operators.test_order_statistics import byte_shares
from tests.protocol.on_shares import run

SIZES = ([1], [5], [3, 1, 4], [1, 1, 1, 6])


def behind(steps: int) -> Edge:
    return Edge("row", steps)


FRAMES = (
    UP_TO_ROW,
    WHOLE,
    Frame(ROW, ROW),
    Frame(ROW, PARTITION),
    Frame(behind(-1), behind(1)),
    Frame(behind(-3), behind(-2)),
    Frame(behind(2), behind(4)),
    Frame(behind(-5), ROW),
    Frame(ROW, behind(2)),
    Frame(PARTITION, behind(-1)),
    Frame(behind(1), PARTITION),
    Frame(PARTITION, behind(2)),
)


def rows_of_frame(frame: Frame, sizes: list[int]) -> list[range]:
    """By definition: which rows every row sees."""
    found, start = [], 0
    for size in sizes:
        for i in range(start, start + size):
            low = start if frame.start == PARTITION else max(start, i + frame.start.offset)
            high = start + size - 1 if frame.end == PARTITION else min(start + size - 1, i + frame.end.offset)
            found.append(range(low, high + 1))
        start += size
    return found


def test_a_shift_leaves_zeros() -> None:
    words = np.arange(1, 5, dtype=np.uint64)
    assert shifted(words, 1).tolist() == [2, 3, 4, 0]
    assert shifted(words, -2).tolist() == [0, 0, 1, 2]
    assert shifted(words, 9).tolist() == shifted(words, -4).tolist() == [0] * 4


@pytest.mark.parametrize("sizes", SIZES)
def test_sums_of_frames(sizes: list[int]) -> None:
    rows = sum(sizes)
    starts = np.isin(np.arange(rows), np.cumsum([0, *sizes[:-1]])).astype(np.uint8)
    words = np.random.default_rng(rows).integers(0, 1000, rows).astype(np.uint64)

    def program(session: Session, mine: Array, flags: Array) -> Any:
        ends = Ends(session, flags, flags)
        ends.add("index", ends.index)
        ends.add_sums("x", mine)
        for frame in FRAMES:
            for edge, last in ((frame.start, False), (frame.end, True)):
                ends.want_sums(edge, last, ["x"])
        return [ends.sums(f.end, True, ["x"])[0] - ends.sums(f.start, False, ["x"])[0] for f in FRAMES]

    results = run(2, program, split_words(words, 2), byte_shares(starts, 2))
    for frame, found in zip(FRAMES, zip(*results, strict=True), strict=True):
        wanted = [sum(int(words[j]) for j in seen) for seen in rows_of_frame(frame, sizes)]
        assert combine_words(found).tolist() == wanted, frame


@pytest.mark.parametrize("sizes", SIZES)
def test_extremes_of_frames(sizes: list[int]) -> None:
    rows, most = sum(sizes), 20
    number = np.repeat(np.arange(1, len(sizes) + 1), sizes).astype(np.uint64)
    values = np.random.default_rng(rows).integers(0, most, rows, endpoint=True).astype(np.uint64)

    def program(session: Session, mine: Array, groups: Array) -> Any:
        return [of_frames(session, mine, groups, most, frame) for frame in FRAMES]

    results = run(2, program, split_words(values, 2), split_words(number, 2))
    for frame, found in zip(FRAMES, zip(*results, strict=True), strict=True):
        for got, seen in zip(combine_words(found).tolist(), rows_of_frame(frame, sizes), strict=True):
            assert not seen or got == max(int(values[j]) for j in seen), frame
