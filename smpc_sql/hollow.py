"""Arrays without content: numpy arrays of zeros of which only the shape and the dtype are ever worked out.

What a dry run computes with: the same protocol code makes the same arrays, and no time is spent on what is in them.
A hollow array looks at one block of zeros that is never written, so that it takes no memory either. What is computed
from one is hollow again; assigning to it, or to parts of it, does nothing. Anything that is not foreseen here is
computed by numpy on the zeros themselves: slower, and of the same shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, SupportsIndex

import numpy as np

from smpc_sql.ring import Array

_BLOCK = 1 << 24  # bytes: blocks of zeros are multiples of it


class Hollow(np.ndarray[Any, Any]):
    """An array whose content nobody may rely on. Only `hollow` makes them."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """The result's shape and dtype, and nothing else."""
        into = options.pop("out", None)
        if into is not None:
            for array in into:
                if not isinstance(array, Hollow):
                    array.fill(0)
            return into[0] if len(into) == 1 else into
        if method == "__call__" and ufunc.signature is None and not options:
            return _elementwise(ufunc, inputs)
        if method == "reduce":
            return _reduced(ufunc, inputs[0], **options)
        if method == "at":
            return None
        if method == "accumulate":
            x = inputs[0]
            return hollow(x.shape, options.get("dtype") or _accumulated(ufunc, x.dtype))
        return getattr(ufunc, method)(*map(_plain, inputs), **options)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """The functions of numpy that protocols use; others run on zeros."""
        known = _FUNCTIONS.get(function)
        if known is not None:
            return known(*args, **kwargs)
        return function(*map(_plain, args), **{name: _plain(x) for name, x in kwargs.items()})

    def __getitem__(self, key: Any) -> Any:
        """Rows picked by an array of places are hollow; a slice is a view, as of any array."""
        if isinstance(key, np.ndarray) and key.dtype.kind in "ui":
            return hollow((*key.shape, *self.shape[1:]), self.dtype)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Nothing."""

    def astype(self, dtype: Any, *unused: Any, copy: Any = True, **options: Any) -> Any:
        """See numpy."""
        wanted = np.dtype(dtype)
        return self if wanted == self.dtype and not copy else hollow(self.shape, wanted)

    def copy(self, *unused: Any) -> Any:
        """See numpy."""
        return hollow(self.shape, self.dtype)

    def fill(self, value: Any) -> None:
        """Nothing."""

    def sort(self, *unused: Any, **options: Any) -> None:
        """Nothing."""

    def take(self, indices: Any, axis: SupportsIndex | None = None, *unused: Any, **options: Any) -> Any:
        """See numpy."""
        return _take(self, indices, axis)

    def cumsum(self, axis: SupportsIndex | None = None, dtype: Any = None, out: Any = None) -> Any:
        """See numpy."""
        return _cumsum(self, axis, dtype, out)

    def repeat(self, repeats: Any, axis: SupportsIndex | None = None) -> Any:
        """See numpy."""
        return _repeat(self, repeats, axis)


def hollow(shape: int | tuple[int, ...], dtype: Any) -> Array:
    """An array without content; nobody may write to it. Python's own numbers are real zeros."""
    kind = dtype if isinstance(dtype, np.dtype) else np.dtype(dtype)
    if kind.hasobject:
        return np.full(shape, 0, dtype=kind)
    whole = (shape,) if isinstance(shape, int) else shape
    size = math.prod(whole) * kind.itemsize
    return Hollow(whole, kind, _zeros(-(-size // _BLOCK) * _BLOCK))


@lru_cache(maxsize=4)
def _zeros(size: int) -> bytes | memoryview:
    """So many bytes that are 0. The system gives no memory for what is never written."""
    block = np.zeros(max(size, 64), dtype=np.uint8)
    block.flags.writeable = False
    return block.data


def _plain(x: Any) -> Any:
    """Zeros that numpy works on; of arrays in a list or a tuple, too."""
    if isinstance(x, list | tuple):
        return type(x)(map(_plain, x))
    return x.view(np.ndarray) if isinstance(x, Hollow) else x


# --- ufuncs


def _elementwise(ufunc: np.ufunc, inputs: Sequence[Any]) -> Any:
    shapes: list[tuple[int, ...]] = []
    kinds: list[Any] = []
    for x in inputs:
        if isinstance(x, np.ndarray):
            if x.shape and x.shape not in shapes:
                shapes.append(x.shape)
            kinds.append(x.dtype)
        else:
            kinds.append(x.dtype if isinstance(x, np.generic) else type(x))
    shape = shapes[0] if len(shapes) == 1 else np.broadcast_shapes(*shapes)
    found = tuple(hollow(shape, kind) for kind in _outcome(ufunc, tuple(kinds)))
    return found[0] if len(found) == 1 else found


@lru_cache(maxsize=4096)
def _outcome(ufunc: np.ufunc, kinds: tuple[Any, ...]) -> tuple[np.dtype[Any], ...]:
    """The dtypes of a ufunc's results, for operands of dtypes or types of Python."""
    ones = [np.ones(1, dtype=kind) if isinstance(kind, np.dtype) else kind(1) for kind in kinds]
    found = ufunc(*ones)
    return tuple(x.dtype for x in found) if isinstance(found, tuple) else (found.dtype,)


@lru_cache(maxsize=256)
def _accumulated(ufunc: np.ufunc, kind: np.dtype[Any]) -> np.dtype[Any]:
    return ufunc.accumulate(np.ones(1, dtype=kind)).dtype


@lru_cache(maxsize=256)
def _total(ufunc: np.ufunc, kind: np.dtype[Any]) -> np.dtype[Any]:
    found: np.dtype[Any] = ufunc.reduce(np.ones(1, dtype=kind)).dtype
    return found


def _reduced(
    ufunc: np.ufunc, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **unused: Any
) -> Any:
    kind = np.dtype(dtype) if dtype is not None else _total(ufunc, x.dtype)
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {each % x.ndim for each in axes}
    left = tuple(1 if i in gone else n for i, n in enumerate(x.shape) if keepdims or i not in gone)
    return hollow(left, kind) if left else kind.type(0)


# --- functions


def _shape_of(x: Any) -> tuple[int, ...]:
    return x.shape if isinstance(x, np.ndarray | np.generic) else np.shape(x)


def _kind_of(arrays: Sequence[Any], dtype: Any) -> np.dtype[Any]:
    return np.dtype(dtype) if dtype is not None else np.result_type(*(_plain(x) for x in arrays))


def _concatenate(arrays: Sequence[Any], axis: int | None = 0, out: Any = None, *, dtype: Any = None, **_: Any) -> Any:
    if out is not None:
        out[...] = 0
        return out
    arrays = tuple(arrays)
    kind = _kind_of(arrays, dtype)
    if axis is None:
        return hollow(sum(math.prod(_shape_of(x)) for x in arrays), kind)
    first = list(_shape_of(arrays[0]))
    first[axis] = sum(_shape_of(x)[axis] for x in arrays)
    return hollow(tuple(first), kind)


def _stack(arrays: Sequence[Any], axis: int = 0, out: Any = None, *, dtype: Any = None, **_: Any) -> Any:
    arrays = tuple(arrays)
    shape = list(_shape_of(arrays[0]))
    shape.insert(axis % (len(shape) + 1), len(arrays))
    return hollow(tuple(shape), _kind_of(arrays, dtype))


def _empty_like(x: Any, dtype: Any = None, *args: Any, shape: Any = None, **_: Any) -> Any:
    return hollow(_shape_of(x) if shape is None else shape, x.dtype if dtype is None else dtype)


def _full_like(x: Any, value: Any, dtype: Any = None, *args: Any, shape: Any = None, **_: Any) -> Any:
    return _empty_like(x, dtype, shape=shape)


def _take(x: Any, indices: Any, axis: Any = None, *unused: Any, **options: Any) -> Any:
    picked = _shape_of(indices)
    if axis is None:
        return hollow(picked, x.dtype) if picked else x.dtype.type(0)
    shape = _shape_of(x)
    place = axis % len(shape)
    return hollow((*shape[:place], *picked, *shape[place + 1 :]), x.dtype)


def _cumsum(x: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    if out is not None:
        out[...] = 0
        return out
    kind = _accumulated(np.add, x.dtype) if dtype is None else dtype
    return hollow(x.size if axis is None else x.shape, kind)


def _repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    if not isinstance(repeats, int) or axis is None:
        return np.repeat(_plain(x), _plain(repeats), axis)
    shape = list(x.shape)
    shape[axis] *= repeats
    return hollow(tuple(shape), x.dtype)


def _where(condition: Any, x: Any, y: Any) -> Any:
    shape = np.broadcast_shapes(*map(_shape_of, (condition, x, y)))
    kind = np.result_type(*(_plain(each) if isinstance(each, np.ndarray | np.generic) else each for each in (x, y)))
    return hollow(shape, kind)


def _broadcast(x: Any, shape: Any, subok: bool = False) -> Any:
    return np.broadcast_to(_plain(x), shape).view(Hollow)


_FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.empty_like: _empty_like,
    np.zeros_like: _empty_like,
    np.ones_like: _empty_like,
    np.full_like: _full_like,
    np.copyto: lambda *unused, **options: None,
    np.take: _take,
    np.cumsum: _cumsum,
    np.repeat: _repeat,
    np.where: _where,
    np.broadcast_to: _broadcast,
}
