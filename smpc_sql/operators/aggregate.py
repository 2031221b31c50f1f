"""What the ways to aggregate have in common: the partial results of chunks, how they add up, and the finished table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.datum import Datum, add_constant, share_of_words
from smpc_sql.operators.mask import Mask, mask_of, mask_of_known
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.plan.expressions import AggregateCall, Expression, FromBoolean, Multiply
from smpc_sql.protocol.comparison import is_zero
from smpc_sql.protocol.extremes import minimum
from smpc_sql.ring import Array, lane_for, narrow, pad_rows, unpack, words_of
from smpc_sql.schema import Boolean, Interval
from smpc_sql.session import Session
from smpc_sql.sharing import AShare


@dataclass(frozen=True, slots=True)
class Partial:
    """What some rows give to one call. value: words [groups] (of MIN and MAX: the smallest, `flipped` for MAX).

    count: words [groups], how many rows took part; None where that is the number of the group's rows, or not needed.
    """

    value: Array
    count: Array | None


@dataclass(frozen=True, slots=True)
class Partials:
    """What some rows give to every group: how many rows it has (words [groups]), and to every call."""

    sizes: Array
    calls: tuple[Partial, ...]


def inputs_of(call: AggregateCall, *, split: bool) -> tuple[Expression, ...]:
    """The expressions that a call reads in every row, as numbers where it computes with them.

    split: the two factors of SUM(x*y) rather than their product, for an inner product.
    """
    argument = call.argument
    if argument is None:
        return ()
    if call.kind in ("min", "max") and isinstance(argument.type, Boolean):
        return (FromBoolean(argument),)
    if (
        split
        and call.kind in ("sum", "presence")
        and isinstance(argument, Multiply)
        and argument.left.secret
        and argument.right.secret
    ):
        return argument.left, argument.right
    return (argument,)


def expressions_of(predicate: Expression | None, calls: Sequence[AggregateCall], *, split: bool) -> list[Expression]:
    """Everything that has to be evaluated for a chunk, each once."""
    wanted: dict[Expression, None] = {}
    if predicate is not None:
        wanted[predicate] = None
    for call in calls:
        if call.filter is not None:
            wanted[call.filter] = None
        wanted |= dict.fromkeys(inputs_of(call, split=split))
    return list(wanted)


def call_masks(
    session: Session,
    base: Mask,
    calls: Sequence[AggregateCall],
    values: dict[Expression, Datum],
    rows: int,
    *,
    split: bool,
) -> list[Mask]:
    """For every call the rows that take part: those of `base`, that pass its FILTER, and are not NULL.

    Calls for which the same rows take part get the same mask.
    """
    known = {e: mask_of_known(session, values[e], rows) for call in calls for e in inputs_of(call, split=split)}
    passing = {c.filter: mask_of(session, values[c.filter], rows) for c in calls if c.filter is not None}
    masks = []
    for call in calls:
        mask = base if call.filter is None else base & passing[call.filter]
        for expression in inputs_of(call, split=split):
            mask = mask & known[expression]
        masks.append(mask)
    return masks


def is_counted(call: AggregateCall) -> bool:
    """Whether it matters how many rows took part in a call."""
    return call.nullable or call.kind in ("count", "count_star")


def low_and_high(call: AggregateCall) -> Interval:
    """The bounds of what MIN or MAX compares."""
    (argument,) = inputs_of(call, split=False)
    return argument.bounds


def from_smallest(session: Session, call: AggregateCall, datum: Datum, rows: int) -> Array:
    """For MIN: x - high, for MAX: low - x: never positive, so that 0 stands for 'no row'. Local; words [rows]."""
    words = share_of_words(session, datum, rows)  # type: ignore[arg-type]  # never a boolean
    if call.kind == "min":
        return add_constant(session, words, -low_and_high(call).high)
    return add_constant(session, np.negative(words), low_and_high(call).low)


def to_extreme(session: Session, call: AggregateCall, smallest: Array) -> Array:
    """The reverse of `from_smallest`. Local."""
    if call.kind == "min":
        return add_constant(session, smallest, low_and_high(call).high)
    return add_constant(session, np.negative(smallest), low_and_high(call).low)


def extreme_lane(call: AggregateCall) -> int:
    """The lane that holds every difference of two values of `from_smallest`."""
    span = low_and_high(call).size - 1
    return lane_for(span.bit_length() + 1)


def extremes(session: Session, calls: Sequence[tuple[AggregateCall, Array]]) -> list[Array]:
    """The smallest of every call's words [groups, n] -> [groups]; calls of one shape play one tournament together."""
    shapes: dict[tuple[int, ...], list[int]] = {}
    for number, (_, words) in enumerate(calls):
        shapes.setdefault(words.shape, []).append(number)
    found: dict[int, Array] = {}
    for shape, numbers in shapes.items():
        lane = max(extreme_lane(calls[number][0]) for number in numbers)
        words = np.stack([calls[number][1] for number in numbers]).reshape(-1, shape[1])
        smallest = minimum(session, AShare(words), lane).words.reshape(len(numbers), shape[0])
        found.update(zip(numbers, smallest, strict=True))
    return [found[number] for number in range(len(calls))]


def total(session: Session, calls: Sequence[AggregateCall], partials: Sequence[Partials]) -> Partials:
    """All partial results of the same groups together. Sums are local; MIN and MAX play on."""
    sizes = _sum([partial.sizes for partial in partials])
    compared = [i for i, call in enumerate(calls) if call.kind in ("min", "max")]
    candidates = [(calls[i], np.stack([partial.calls[i].value for partial in partials], axis=-1)) for i in compared]
    smallest = dict(zip(compared, extremes(session, candidates), strict=True))
    found = []
    for i in range(len(calls)):
        parts = [partial.calls[i] for partial in partials]
        counts = [partial.calls[i].count for partial in partials]
        # a chunk whose rows all took part counts them as its group sizes
        count = None
        if any(c is not None for c in counts):
            count = _sum([p.sizes if c is None else c for p, c in zip(partials, counts, strict=True)])
        value = smallest[i] if i in smallest else _sum([part.value for part in parts])
        found.append(Partial(value, count))
    return Partials(sizes, tuple(found))


def _sum(arrays: Sequence[Array]) -> Array:
    result = arrays[0]
    for array in arrays[1:]:
        result = result + array
    return result


def finish(
    session: Session,
    calls: Sequence[AggregateCall],
    totals: Partials,
    *,
    keys: tuple[Raw, ...],
    every: bool,
    rows_bound: int,
) -> SharedTable:
    """The table of groups: a group is valid if it has rows (or `every`); its NULLs are found in one batch."""
    groups = len(totals.sizes)
    tests = [] if every else [totals.sizes]
    nullable = [call.nullable for call in calls]
    counts = [totals.sizes if partial.count is None else partial.count for partial in totals.calls]
    tests += [count for count, may in zip(counts, nullable, strict=True) if may]
    empty = _empty(session, tests, groups, rows_bound)
    valid = None
    if not every:
        exists = empty.pop(0)
        valid = exists ^ np.uint8(1) if session.first else exists
    columns = []
    for call, partial, count, may in zip(calls, totals.calls, counts, nullable, strict=True):
        value = count if call.kind in ("count", "count_star") else partial.value
        if call.kind in ("min", "max"):
            value = to_extreme(session, call, value)
        null = empty.pop(0) if may else None
        columns.append(Raw(value, null, secret=True, boolean=isinstance(call.type, Boolean)))
    return SharedTable((Piece(groups, (*keys, *columns), valid),))


def _empty(session: Session, counts: Sequence[Array], groups: int, rows_bound: int) -> list[Array]:
    """count = 0 for every group, as one byte a group (XOR shares). One comparison for all; equal counts once."""
    if not counts:
        return []
    distinct = {id(count): count for count in counts}
    lane = lane_for(max(1, rows_bound.bit_length()))
    stacked = pad_rows(np.stack([narrow(count, lane) for count in distinct.values()]))
    found = dict(zip(distinct, unpack(is_zero(session, AShare(stacked)).packed)[:, :groups], strict=True))
    return [found[id(count)] for count in counts]


def constant_words(session: Session, value: int, groups: int = 1) -> Array:
    """A public number as a share [groups]. Local."""
    return np.full(groups, words_of(value) if session.first else np.uint64(0), dtype=np.uint64)
