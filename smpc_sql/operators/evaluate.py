"""Scalar expressions on the rows of a chunk: local where they are linear, batched tasks where they are not.

Every node's code is a generator: it yields tasks (see `tasks`) and is sent their results. All nodes whose parts are
known
run side by side, so the rounds of an expression are those of its deepest chain, not of its size. Equal sub-expressions
are computed once. Three-valued logic lives here and in `plain` only.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, assert_never, cast

import numpy as np

from smpc_sql.errors import InternalError
from smpc_sql.operators.datum import (
    Bits,
    Datum,
    Public,
    Spelled,
    Words,
    add_constant,
    null_share,
    pack_public,
    share_of_bits,
    share_of_words,
)
from smpc_sql.operators.plain import evaluate_public
from smpc_sql.operators.tasks import (
    Conjunction,
    FloorQuotient,
    IsZero,
    Negative,
    Product,
    Scaled,
    SecretQuotient,
    Select,
    Task,
    ToWords,
    Truth,
    run_tasks,
)
from smpc_sql.operators.text import text_steps
from smpc_sql.plan import expressions as plan
from smpc_sql.plan.expressions import Expression
from smpc_sql.protocol.boolean import negate, public_bits
from smpc_sql.protocol.lookup import MAX_BITS, table_bits
from smpc_sql.ring import Array, lane_for, narrow, pack, unpack, words_of
from smpc_sql.schema import Boolean, Integer, Interval, Text
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

Steps = Generator["Task | tuple[Task, ...]", Any, Datum]
"""Yields a task, or several that need not wait for one another; is sent the result, or the list of results."""

TRUTH_TABLE_CODES = 64
"""Up to this many codes a predicate on one value is a truth table (1 round, codes/8 bytes dealt), not a comparison."""


def evaluate(session: Session, expressions: Sequence[Expression], columns: Sequence[Datum], rows: int) -> list[Datum]:
    """The values of the expressions over the columns of a chunk of `rows` rows (a multiple of 8)."""
    return _Evaluation(session, columns, rows).run(expressions)


class _Evaluation:
    def __init__(self, session: Session, columns: Sequence[Datum], rows: int) -> None:
        self.session = session
        self.columns = columns
        self.rows = rows
        self.done: dict[Expression, Datum] = {}

    def run(self, expressions: Sequence[Expression]) -> list[Datum]:
        order: dict[Expression, None] = {}
        for expression in expressions:
            _postorder(expression, order)
        waiting = list(order)
        running: dict[Expression, tuple[Steps, Task | tuple[Task, ...]]] = {}
        while waiting or running:
            waiting = self._start(waiting, running)
            if running:
                self._advance(running)
        return [self.done[expression] for expression in expressions]

    def _start(
        self, waiting: list[Expression], running: dict[Expression, tuple[Steps, Task | tuple[Task, ...]]]
    ) -> list[Expression]:
        """Starts every node whose parts are known; returns the others."""
        blocked = []
        for node in waiting:
            if any(part not in self.done for part in _needed(node)):
                blocked.append(node)
                continue
            parts = [self.done[part] for part in _needed(node)]
            if isinstance(node, plan.Column):
                self.done[node] = self.columns[node.index]
            elif all(isinstance(part, Public) for part in parts) and not _is_spelled(node):
                self.done[node] = evaluate_public(node, cast("list[Public]", parts))
            else:
                self._resume(node, self._steps(node, parts), None, running)
        return blocked

    def _resume(
        self,
        node: Expression,
        steps: Steps,
        result: Any,
        running: dict[Expression, tuple[Steps, Task | tuple[Task, ...]]],
    ) -> None:
        try:
            running[node] = (steps, steps.send(result))
        except StopIteration as stop:
            self.done[node] = stop.value

    def _advance(self, running: dict[Expression, tuple[Steps, Task | tuple[Task, ...]]]) -> None:
        batch = list(running.items())
        running.clear()
        wanted = [task if isinstance(task, tuple) else (task,) for _, (_, task) in batch]
        results = iter(run_tasks(self.session, [task for group in wanted for task in group]))
        for node, (steps, task) in batch:
            found = [next(results) for _ in task] if isinstance(task, tuple) else next(results)
            self._resume(node, steps, found, running)

    # ---------------------------------------------------------------- one generator for each kind of node

    def _steps(self, node: Expression, parts: list[Datum]) -> Steps:
        match node:
            case plan.Add() | plan.Subtract():
                return self._sum(node, parts)
            case plan.Multiply():
                return self._product(parts)
            case plan.Negate():
                return self._scale(parts[0], -1)
            case plan.Rescale(_, exponent):
                return self._scale(parts[0], 10**exponent)
            case plan.FromBoolean():
                return self._from_boolean(parts[0])
            case plan.Less(left, right):
                return self._less(left.bounds, right.bounds, parts)
            case plan.Equal(left, right):
                return self._equal(left.bounds, right.bounds, parts)
            case plan.InSet(x, codes):
                return self._in_set(x.bounds, codes, parts[0])
            case plan.IsNull():
                return self._is_null(parts[0])
            case plan.Not():
                return self._not(parts[0])
            case plan.And():
                return self._and(parts)
            case plan.Or():
                return self._or(parts)
            case plan.Case():
                return self._case(node, parts)
            case plan.Lookup(x, table):
                return self._lookup(x.bounds, table, parts[0])
            case plan.FloorDivide(x, divisor):
                return self._floor_divide(x.bounds, divisor, parts[0])
            case plan.WholeQuotient():
                return self._whole_quotient(node, parts)
            case plan.Remainder(_, divisor):
                return self._remainder(divisor, parts)
            case plan.Within():
                return self._scale(parts[0], 1)
            case plan.TextCall():
                return self._text(node, parts)
            case (
                plan.Column()
                | plan.Literal()
                | plan.Divide()
                | plan.Sqrt()
                | plan.LongText()
                | plan.WrittenDouble()
                | plan.Elapsed()
            ):
                raise InternalError(f"{type(node).__name__} is not evaluated on shared words")
            case _:
                assert_never(node)

    def _words(self, datum: Datum) -> Array:
        if isinstance(datum, Bits | Spelled):
            raise InternalError("a boolean or spelled text where a number is due")
        return share_of_words(self.session, datum, self.rows)

    def _null_of(self, parts: Sequence[Datum]) -> Generator[Task | tuple[Task, ...], Any, BShare | None]:
        """NULL where any part is."""
        nulls = [null for part in parts if (null := null_share(self.session, part, self.rows)) is not None]
        if len(nulls) <= 1:
            return nulls[0] if nulls else None
        if all(null is nulls[0] for null in nulls):
            return nulls[0]
        known = yield from self._all([negate(self.session, null) for null in nulls])
        return negate(self.session, known)

    def _all(self, terms: Sequence[BShare]) -> Generator[Task | tuple[Task, ...], Any, BShare]:
        left = list(terms)
        while len(left) > 1:
            half = len(left) // 2
            found = yield Conjunction(tuple(zip(left[:half], left[half : 2 * half], strict=True)))
            left = [*found, *left[2 * half :]]
        return left[0]

    def _sum(self, node: plan.Add | plan.Subtract, parts: list[Datum]) -> Steps:
        null = yield from self._null_of(parts)
        left, right = self._words(parts[0]), self._words(parts[1])
        return Words(left + right if isinstance(node, plan.Add) else left - right, null)

    def _scale(self, part: Datum, factor: int) -> Steps:
        yield from ()
        return Words(self._words(part) * words_of(factor), null_share(self.session, part, self.rows))

    def _product(self, parts: list[Datum]) -> Steps:
        null = yield from self._null_of(parts)
        left, right = parts
        if isinstance(left, Public):
            left, right = right, left
        x = self._words(left)
        if isinstance(right, Public):
            return Words(x * right.values.astype(np.int64).view(np.uint64), null)
        y = self._words(right)
        if _is_repeated(x):
            x, y = y, x
        found = yield (Scaled(x, y[:1]) if _is_repeated(y) and not _is_repeated(x) else Product(x, y))
        return Words(found, null)

    def _from_boolean(self, part: Datum) -> Steps:
        bits = share_of_bits(self.session, cast("Public | Bits", part), self.rows)
        words = yield ToWords(bits)
        return Words(words, null_share(self.session, part, self.rows))

    def _as_number(self, part: Datum) -> Generator[Task | tuple[Task, ...], Any, Array]:
        """Booleans compare as 0 and 1."""
        if isinstance(part, Bits):
            words: Array = yield ToWords(part.bits)
            return words
        return self._words(part)

    def _difference(self, parts: list[Datum]) -> Generator[Task | tuple[Task, ...], Any, Array]:
        left = yield from self._as_number(parts[0])
        if isinstance(parts[1], Public) and parts[1].values.ndim == 0:
            return add_constant(self.session, left, -int(parts[1].values))
        right = yield from self._as_number(parts[1])
        return left - right

    def _small(
        self, bounds: Interval, d: Array, table: Sequence[bool]
    ) -> Generator[Task | tuple[Task, ...], Any, BShare]:
        """A public predicate of a difference d within bounds, as a truth table over d - low."""
        codes = add_constant(self.session, narrow(d, 16), -bounds.low)
        found = yield Truth(codes, table_bits(bounds.size), (tuple(int(value) for value in table),))
        return cast("BShare", found[0])

    def _less(self, left: Interval, right: Interval, parts: list[Datum]) -> Steps:
        bounds = left - right
        d = yield from self._difference(parts)
        if bounds.size <= TRUTH_TABLE_CODES:
            bits = yield from self._small(bounds, d, [bounds.low + i < 0 for i in range(bounds.size)])
        else:
            bits = yield Negative(narrow(d, lane_for(bounds.bits)))
        null = yield from self._null_of(parts)
        return Bits(bits, null)

    def _equal(self, left: Interval, right: Interval, parts: list[Datum]) -> Steps:
        bounds = left - right
        d = yield from self._difference(parts)
        if bounds.size <= TRUTH_TABLE_CODES:
            bits = yield from self._small(bounds, d, [bounds.low + i == 0 for i in range(bounds.size)])
        else:
            bits = yield IsZero(narrow(d, _equality_lane(bounds)))
        null = yield from self._null_of(parts)
        return Bits(bits, null)

    def _in_set(self, bounds: Interval, codes: tuple[int, ...], part: Datum) -> Steps:
        null = null_share(self.session, part, self.rows)
        inside = [code for code in codes if code in bounds]
        if not inside:
            return Bits(public_bits(self.session, pack_public(np.array(False), self.rows)), null)
        x = self._words(part)
        if bounds.size <= 1 << MAX_BITS:
            wanted = set(inside)
            bits = yield from self._small(bounds, x, [bounds.low + i in wanted for i in range(bounds.size)])
            return Bits(bits, null)
        lane = _equality_lane(bounds - bounds)
        x = narrow(x, lane)
        differences = np.concatenate([add_constant(self.session, x, -code) for code in inside])
        found = yield IsZero(differences)
        outside = [negate(self.session, BShare(row)) for row in _unstack(found, len(inside))]
        none = yield from self._all(outside)
        return Bits(negate(self.session, none), null)

    def _is_null(self, part: Datum) -> Steps:
        yield from ()
        null = null_share(self.session, part, self.rows)
        return Public(np.array(0, dtype=np.int64)) if null is None else Bits(null)

    def _not(self, part: Datum) -> Steps:
        yield from ()
        bits = share_of_bits(self.session, cast("Public | Bits", part), self.rows)
        return Bits(negate(self.session, bits), null_share(self.session, part, self.rows))

    def _true(self, parts: Sequence[Datum]) -> Generator[Task | tuple[Task, ...], Any, list[BShare]]:
        """For every boolean the bit that it is true: neither false nor NULL."""
        bits = [share_of_bits(self.session, cast("Public | Bits", part), self.rows) for part in parts]
        nulls = [null_share(self.session, part, self.rows) for part in parts]
        pairs = [(bit, negate(self.session, null)) for bit, null in zip(bits, nulls, strict=True) if null is not None]
        if not pairs:
            return bits
        found = iter((yield Conjunction(tuple(pairs))))
        return [bit if null is None else next(found) for bit, null in zip(bits, nulls, strict=True)]

    def _and(self, parts: list[Datum]) -> Steps:
        true = yield from self._true(parts)
        if all(null_share(self.session, part, self.rows) is None for part in parts):
            bits = yield from self._all(true)
            return Bits(bits)
        false = self._false(parts, true)
        both = yield from self._all_pairs(true, [negate(self.session, bit) for bit in false])
        # true where all are true; not false where none is false; NULL otherwise
        return Bits(both[0], both[0] ^ both[1])

    def _or(self, parts: list[Datum]) -> Steps:
        true = yield from self._true(parts)
        not_true = [negate(self.session, bit) for bit in true]
        if all(null_share(self.session, part, self.rows) is None for part in parts):
            none = yield from self._all(not_true)
            return Bits(negate(self.session, none))
        both = yield from self._all_pairs(not_true, self._false(parts, true))
        # not true where none is true; false where all are false; NULL where neither
        return Bits(negate(self.session, both[0]), both[0] ^ both[1])

    def _false(self, parts: Sequence[Datum], true: Sequence[BShare]) -> list[BShare]:
        """Neither true nor NULL (the two exclude each other). Local."""
        false = []
        for part, bit in zip(parts, true, strict=True):
            null = null_share(self.session, part, self.rows)
            false.append(negate(self.session, bit if null is None else bit ^ null))
        return false

    def _all_pairs(
        self, left: Sequence[BShare], right: Sequence[BShare]
    ) -> Generator[Task | tuple[Task, ...], Any, tuple[BShare, BShare]]:
        """The ANDs of two lists of equal length, in the same rounds."""
        stacked = [BShare(np.stack([a.packed, b.packed])) for a, b in zip(left, right, strict=True)]
        found = yield from self._all(stacked)
        return BShare(found.packed[0]), BShare(found.packed[1])

    def _case(self, node: plan.Case, parts: list[Datum]) -> Steps:
        conditions, values, default = parts[:-1:2], parts[1::2], parts[-1]
        true = yield from self._true(conditions)
        first = yield from self._first_true(true)
        if isinstance(node.type, Boolean):
            return (yield from self._case_of_bits(first, values, default))
        nulls = yield from self._chosen_null(first, values, default)
        words = yield from self._chosen_words(first, values, default)
        return Words(words, nulls)

    def _first_true(self, true: list[BShare]) -> Generator[Task | tuple[Task, ...], Any, list[BShare]]:
        """Bits of which at most one is set in a row: the first condition that is true."""
        if len(true) == 1:
            return true
        selectors = [true[0]]
        none_yet = negate(self.session, true[0])
        for number, bit in enumerate(true[1:], start=1):
            pairs = [(none_yet, bit)]
            found = yield Conjunction(tuple(pairs))
            selectors.append(found[0])
            if number < len(true) - 1:
                none_yet = none_yet ^ found[0]
        return selectors

    def _chosen_words(
        self, selectors: list[BShare], values: list[Datum], default: Datum
    ) -> Generator[Task | tuple[Task, ...], Any, Array]:
        """default + sum of selector*(value - default)."""
        base = self._words(default)
        tasks: list[Task] = []
        steps: list[int] = []
        for selector, value in zip(selectors, values, strict=True):
            if _is_constant(value) and _is_constant(default):
                steps.append(int(cast("Public", value).values) - int(cast("Public", default).values))
                tasks.append(ToWords(selector))
            else:
                steps.append(1)
                tasks.append(Select(selector, (self._words(value) - base,)))
        result = base
        for step, found in zip(steps, (yield tuple(tasks)), strict=True):
            result = result + (found[0] if isinstance(found, list) else found * words_of(step))
        return result

    def _chosen_null(
        self, selectors: list[BShare], values: list[Datum], default: Datum
    ) -> Generator[Task | tuple[Task, ...], Any, BShare | None]:
        data = [*values, default]
        nulls = [null_share(self.session, datum, self.rows) for datum in data]
        if all(null is None for null in nulls):
            return None
        none = public_bits(self.session, pack_public(np.array(False), self.rows))
        shares = [none if null is None else null for null in nulls]
        return (yield from self._chosen_bits(selectors, shares[:-1], shares[-1]))

    def _chosen_bits(
        self, selectors: list[BShare], values: list[BShare], default: BShare
    ) -> Generator[Task | tuple[Task, ...], Any, BShare]:
        found = yield Conjunction(tuple((s, value ^ default) for s, value in zip(selectors, values, strict=True)))
        result = default
        for bits in found:
            result = result ^ bits
        return result

    def _case_of_bits(self, selectors: list[BShare], values: list[Datum], default: Datum) -> Steps:
        shares = [share_of_bits(self.session, cast("Public | Bits", d), self.rows) for d in [*values, default]]
        bits = yield from self._chosen_bits(selectors, shares[:-1], shares[-1])
        null = yield from self._chosen_null(selectors, values, default)
        return Bits(bits, null)

    def _floor_divide(self, bounds: Interval, divisor: int, part: Datum) -> Steps:
        if divisor == 1:
            return (yield from self._scale(part, 1))
        words = yield FloorQuotient(self._words(part), divisor, bounds.low, bounds.high)
        return Words(words, null_share(self.session, part, self.rows))

    def _whole_quotient(self, node: plan.WholeQuotient, parts: list[Datum]) -> Steps:
        null = yield from self._null_of(parts)
        denominator = self._words(parts[1])
        shifted = self._words(parts[0]) + denominator * words_of(node.shift)
        lane = lane_for((node.denominator.bounds.high << node.bits + 1).bit_length() + 1)
        fine = lane_for(node.denominator.bounds.high.bit_length() + 2)
        whole = yield SecretQuotient(shifted, denominator, node.bits, lane, node.places, fine)
        return Words(add_constant(self.session, whole, -node.shift), null)

    def _remainder(self, divisor: int, parts: list[Datum]) -> Steps:
        yield from ()
        x, whole = map(self._words, parts)
        return Words(x - whole * words_of(divisor), null_share(self.session, parts[0], self.rows))

    def _text(self, node: plan.TextCall, parts: list[Datum]) -> Steps:
        null = yield from self._null_of([parts[i] for i in node.function.leading])
        sizes = [operand.type.length for operand in node.operands if isinstance(operand.type, Text)]
        operands = [part.planes if isinstance(part, Spelled) else self._words(part) for part in parts]
        found = yield from text_steps(self.session, node.function, operands, sizes)
        if isinstance(found, BShare):
            return Bits(found, null)
        return Spelled(found, null) if node.is_spelled else Words(found, null)

    def _lookup(self, bounds: Interval, table: tuple[int, ...], part: Datum) -> Steps:
        """Every bit of the table's values by one truth table, and the bits as words."""
        low = min(table)
        width = (max(table) - low).bit_length()
        codes = add_constant(self.session, narrow(self._words(part), 16), -bounds.low)
        tables = tuple(tuple((value - low) >> bit & 1 for value in table) for bit in range(width))
        bits = (yield Truth(codes, table_bits(bounds.size), tables)) if tables else []
        words = share_of_words(self.session, Public(np.array(low, dtype=np.int64)), self.rows)
        found = (yield tuple(ToWords(bit) for bit in bits)) if bits else []
        for position, bit_words in enumerate(found):
            words = words + bit_words * words_of(1 << position)
        return Words(words, null_share(self.session, part, self.rows))


def _postorder(node: Expression, order: dict[Expression, None]) -> None:
    if node not in order:
        for part in _needed(node):
            _postorder(part, order)
        order[node] = None


def _needed(node: Expression) -> tuple[Expression, ...]:
    """What has to be known before a node: of a remainder the whole quotient, too, which often is wanted itself."""
    if isinstance(node, plan.Remainder):
        return node.x, plan.FloorDivide(node.x, node.divisor, Integer(64))
    return node.parts


def _is_spelled(node: Expression) -> bool:
    return isinstance(node, plan.TextCall) and node.is_spelled


def _is_constant(datum: Datum) -> bool:
    return isinstance(datum, Public) and datum.values.ndim == 0


def _is_repeated(words: Array) -> bool:
    """One shared word for all rows (a one-row table's column)."""
    return words.strides == (0,) and len(words) > 1


def _equality_lane(bounds: Interval) -> int:
    """The narrowest lane in which no value within bounds but 0 is 0."""
    return lane_for(max(abs(bounds.low), abs(bounds.high)).bit_length())


def _unstack(found: BShare, count: int) -> Array:
    """The bits of `count` columns that were tested behind each other -> packed bits of each [count, n/8]."""
    return pack(unpack(found.packed).reshape(count, -1))
