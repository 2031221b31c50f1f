"""Arrays without content have the shapes and dtypes of arrays with one, and cost nothing to write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smpc_sql.hollow import Hollow, hollow
from smpc_sql.ring import Array, bit_reverse, pack, pad_rows, unpack


def _written(x: Array) -> Array:
    x[..., 2:] = 1
    x += x.dtype.type(1)
    return x


WORK: dict[str, Callable[[Array], Any]] = {
    "sum of two": lambda x: x + x,
    "with a number of Python": lambda x: x & 1,
    "with a word": lambda x: x.astype(np.uint8) * np.uint64(3),
    "of other shapes": lambda x: x[:, None] - x[0],
    "with a real one": lambda x: x ^ np.arange(x.shape[-1], dtype=x.dtype),
    "compared": lambda x: x < x + 1,
    "two results": lambda x: divmod(x, 3)[1],
    "total": lambda x: x.sum(axis=-1, dtype=np.uint64),
    "total of bytes": lambda x: x.astype(np.uint8).sum(axis=0),
    "total that stays an axis": lambda x: x.sum(axis=1, keepdims=True, dtype=x.dtype),
    "all": lambda x: np.add.reduce(x, axis=None),
    "exclusive or": lambda x: np.bitwise_xor.reduce(x, axis=0),
    "prefixes": lambda x: np.bitwise_xor.accumulate(x, axis=-1),
    "running sums": lambda x: np.cumsum(x, axis=1, dtype=np.uint32),
    "running sums of all": lambda x: x.astype(np.uint8).cumsum(),
    "into another": lambda x: np.add(x, x, out=np.empty_like(x)),
    "in place": lambda x: _written(x.copy()),
    "concatenated": lambda x: np.concatenate([x, np.zeros((3, x.shape[1]), dtype=np.uint8)]),
    "concatenated behind": lambda x: np.concatenate([x, x], axis=-1),
    "stacked": lambda x: np.stack([x, x], axis=-1),
    "picked": lambda x: x[np.array([1, 1, 0])],
    "picked in an axis": lambda x: np.take(x, np.arange(4), axis=1),
    "picked by themselves": lambda x: x[x.astype(np.uint32)[0, :2] * 0],
    "masked": lambda x: x[np.array([True, False])],
    "viewed": lambda x: x.view(np.uint8),
    "turned": lambda x: x.T.reshape(-1, 2, 1),
    "one column": lambda x: np.ascontiguousarray(x[:, 1]),
    "one for all": lambda x: np.broadcast_to(x[:1], x.shape) + x,
    "where": lambda x: np.where(x == 0, x, np.uint32(1)),
    "repeated": lambda x: np.repeat(x, 3, axis=0),
    "tiled": lambda x: np.tile(x, (2, 1)),
    "differences": lambda x: np.diff(x, axis=1, prepend=x.dtype.type(0)),
    "filled": lambda x: np.full_like(x, 3, shape=(5,)),
    "added at": lambda x: [np.add.at(y := np.copy(x), (0, slice(None)), 1), y][1],
    "split": lambda x: np.split(x, 2)[1],
    "as bits and back": lambda x: unpack(pack(pad_rows(x.astype(np.uint8)))),
    "bits reversed": bit_reverse,
    "matrices": lambda x: x @ x.T,
    "ordered": lambda x: np.argsort(x, axis=1),
}


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.uint64])
def test_shape_and_dtype_are_those_of_zeros(name: str, dtype: Any) -> None:
    found, expected = WORK[name](hollow((2, 8), dtype)), WORK[name](np.zeros((2, 8), dtype=dtype))
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert found.strides == expected.strides or not isinstance(found, Hollow)


def test_what_is_one_word_for_all_rows_stays_so() -> None:
    assert np.broadcast_to(hollow(1, np.uint64), (9,)).strides == (0,)


def test_results_are_hollow_again() -> None:
    x = hollow((4, 16), np.uint64)
    for found in (x + 1, x.view(np.uint8), x[1:], np.cumsum(x), np.stack([x, x]), x.sum(axis=0), np.empty_like(x)):
        assert isinstance(found, Hollow)


def test_what_is_written_to_a_real_array_is_zero() -> None:
    real = np.full(4, 7, dtype=np.uint64)
    np.add(hollow(4, np.uint64), hollow(4, np.uint64), out=real)
    assert not real.any()


def test_one_value_is_a_number() -> None:
    assert hollow(3, np.uint64).sum() == 0 and not (hollow(3, np.uint8) == 1).any()
