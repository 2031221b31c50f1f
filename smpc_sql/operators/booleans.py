"""Three-valued logic of the rows of a chunk: NOT, AND, OR, CASE, and whether a value is NULL.

A step is a generator: it yields tasks (see `tasks`), is sent their results, and gives a datum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from smpc_sql.operators.datum import Bits, Datum, Public, Words, pack_public
from smpc_sql.operators.steps import Giving, Rows, Steps, all_of
from smpc_sql.operators.tasks import (
    Conjunction,
    Select,
    Task,
    ToWords,
)
from smpc_sql.plan import expressions as plan
from smpc_sql.protocol.boolean import negate, public_bits
from smpc_sql.ring import Array, words_of
from smpc_sql.schema import Boolean
from smpc_sql.sharing import BShare


def is_null(rows: Rows, part: Datum) -> Steps:
    """Whether the value is NULL; public where it never is. Local."""
    yield from ()
    null = rows.null(part)
    return Public(np.array(0, dtype=np.int64)) if null is None else Bits(null)


def negation(rows: Rows, part: Datum) -> Steps:
    """NOT. Local."""
    yield from ()
    bits = rows.bits(part)
    return Bits(negate(rows.session, bits), rows.null(part))


def _true(rows: Rows, parts: Sequence[Datum]) -> Giving[list[BShare]]:
    """For every boolean the bit that it is true: neither false nor NULL."""
    bits = [rows.bits(part) for part in parts]
    nulls = [rows.null(part) for part in parts]
    pairs = [(bit, negate(rows.session, null)) for bit, null in zip(bits, nulls, strict=True) if null is not None]
    if not pairs:
        return bits
    found = iter((yield Conjunction(tuple(pairs))))
    return [bit if null is None else next(found) for bit, null in zip(bits, nulls, strict=True)]


def conjunction(rows: Rows, parts: list[Datum]) -> Steps:
    """AND: FALSE where any part is, else NULL where any part is."""
    true = yield from _true(rows, parts)
    if all(rows.null(part) is None for part in parts):
        bits = yield from all_of(true)
        return Bits(bits)
    false = _false(rows, parts, true)
    both = yield from _all_pairs(rows, true, [negate(rows.session, bit) for bit in false])
    # true where all are true; not false where none is false; NULL otherwise
    return Bits(both[0], both[0] ^ both[1])


def disjunction(rows: Rows, parts: list[Datum]) -> Steps:
    """OR: TRUE where any part is, else NULL where any part is."""
    true = yield from _true(rows, parts)
    not_true = [negate(rows.session, bit) for bit in true]
    if all(rows.null(part) is None for part in parts):
        none = yield from all_of(not_true)
        return Bits(negate(rows.session, none))
    both = yield from _all_pairs(rows, not_true, _false(rows, parts, true))
    # not true where none is true; false where all are false; NULL where neither
    return Bits(negate(rows.session, both[0]), both[0] ^ both[1])


def _false(rows: Rows, parts: Sequence[Datum], true: Sequence[BShare]) -> list[BShare]:
    """Neither true nor NULL (the two exclude each other). Local."""
    false = []
    for part, bit in zip(parts, true, strict=True):
        null = rows.null(part)
        false.append(negate(rows.session, bit if null is None else bit ^ null))
    return false


def _all_pairs(rows: Rows, left: Sequence[BShare], right: Sequence[BShare]) -> Giving[tuple[BShare, BShare]]:
    """The ANDs of two lists of equal length, in the same rounds."""
    stacked = [BShare(np.stack([a.packed, b.packed])) for a, b in zip(left, right, strict=True)]
    found = yield from all_of(stacked)
    return BShare(found.packed[0]), BShare(found.packed[1])


def case(rows: Rows, node: plan.Case, parts: list[Datum]) -> Steps:
    """The value behind the first condition that is TRUE, or the default. parts: condition, value, ..., default."""
    conditions, values, default = parts[:-1:2], parts[1::2], parts[-1]
    true = yield from _true(rows, conditions)
    first = yield from _first_true(rows, true)
    if isinstance(node.type, Boolean):
        return (yield from _case_of_bits(rows, first, values, default))
    nulls = yield from _chosen_null(rows, first, values, default)
    words = yield from _chosen_words(rows, first, values, default)
    return Words(words, nulls)


def _first_true(rows: Rows, true: list[BShare]) -> Giving[list[BShare]]:
    """Bits of which at most one is set in a row: the first condition that is true."""
    if len(true) == 1:
        return true
    selectors = [true[0]]
    none_yet = negate(rows.session, true[0])
    for number, bit in enumerate(true[1:], start=1):
        found = yield Conjunction(((none_yet, bit),))
        selectors.append(found[0])
        if number < len(true) - 1:
            none_yet = none_yet ^ found[0]
    return selectors


def _chosen_words(rows: Rows, selectors: list[BShare], values: list[Datum], default: Datum) -> Giving[Array]:
    """default + sum of selector*(value - default)."""
    base = rows.words(default)
    tasks: list[Task] = []
    steps: list[int] = []
    for selector, value in zip(selectors, values, strict=True):
        if _is_constant(value) and _is_constant(default):
            steps.append(int(cast("Public", value).values) - int(cast("Public", default).values))
            tasks.append(ToWords(selector))
        else:
            steps.append(1)
            tasks.append(Select(selector, (rows.words(value) - base,)))
    result = base
    for step, found in zip(steps, (yield tuple(tasks)), strict=True):
        result = result + (found[0] if isinstance(found, list) else found * words_of(step))
    return result


def _chosen_null(rows: Rows, selectors: list[BShare], values: list[Datum], default: Datum) -> Giving[BShare | None]:
    data = [*values, default]
    nulls = [rows.null(datum) for datum in data]
    if all(null is None for null in nulls):
        return None
    none = public_bits(rows.session, pack_public(np.array(False), rows.count))
    shares = [none if null is None else null for null in nulls]
    return (yield from _chosen_bits(rows, selectors, shares[:-1], shares[-1]))


def _chosen_bits(rows: Rows, selectors: list[BShare], values: list[BShare], default: BShare) -> Giving[BShare]:
    found = yield Conjunction(tuple((s, value ^ default) for s, value in zip(selectors, values, strict=True)))
    result = default
    for bits in found:
        result = result ^ bits
    return result


def _case_of_bits(rows: Rows, selectors: list[BShare], values: list[Datum], default: Datum) -> Steps:
    shares = [rows.bits(d) for d in [*values, default]]
    bits = yield from _chosen_bits(rows, selectors, shares[:-1], shares[-1])
    null = yield from _chosen_null(rows, selectors, values, default)
    return Bits(bits, null)


def _is_constant(datum: Datum) -> bool:
    return isinstance(datum, Public) and datum.values.ndim == 0
