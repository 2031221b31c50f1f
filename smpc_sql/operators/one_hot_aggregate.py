"""GROUP BY keys whose domains are public and small: every group of the product of the domains, in one round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from smpc_sql.correlations.bits import RandomWords
from smpc_sql.operators.aggregate import (
    Partial,
    Partials,
    call_masks,
    constant_words,
    expressions_of,
    extremes,
    finish,
    from_smallest,
    inputs_of,
    is_counted,
    total,
)
from smpc_sql.operators.base import ChunkColumns, OfRows, Tables, where
from smpc_sql.operators.datum import Datum, Public, Words, add_constant, null_share, share_of_words
from smpc_sql.operators.evaluate import evaluate
from smpc_sql.operators.load import Steps, row_bytes, steps_of
from smpc_sql.operators.mask import Mask, mask_of, mask_of_chunk, resolve
from smpc_sql.operators.table import Chunk, Raw, SharedTable, chunks_of
from smpc_sql.operators.tasks import RandomIf, Select, Task, ToWords, run_tasks
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import AggregateCall, Expression, FromBoolean
from smpc_sql.plan.relations import key_size
from smpc_sql.protocol.arithmetic import bit_product
from smpc_sql.protocol.grouping import group_sums
from smpc_sql.protocol.lookup import one_hot, table_bits
from smpc_sql.ring import Array, lane_for, narrow, unpack, words_of
from smpc_sql.schema import Boolean
from smpc_sql.session import CHUNKS_IN_FLIGHT, Session
from smpc_sql.sharing import AShare, BShare

_EXTREME_WORDS = 1 << 22  # MIN and MAX hold a word for every row and group: 32 MiB


@dataclass(frozen=True, slots=True)
class OneHotAggregate(OfRows):
    """The keys of a row become one code; x*onehot(code) is dealt and rotated (`protocol.grouping`).

    Rows that a predicate leaves out get a code of no group. Keys that are public in a chunk (the owner) cost nothing:
    they only say where the chunk's groups are.
    """

    predicate: Expression | None
    keys: tuple[Expression, ...]
    calls: tuple[AggregateCall, ...]
    every: bool

    @property
    def rows(self) -> int:
        """The product of the domains."""
        return prod(key_size(key) for key in self.keys)

    def describe(self) -> str:
        """See Operator."""
        keys = ", ".join(map(explain_expression, self.keys))
        calls = ", ".join(map(explain_expression, self.calls)) or "nothing"
        groups = "all one-hot groups" if self.every else "one-hot groups"
        return f"{groups} of {keys}: {calls}{where(self.predicate)}"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        steps = self._steps()
        limit = steps.rows
        if any(call.kind in ("min", "max") for call in self.calls):
            limit = max(1024, min(limit, _EXTREME_WORDS // self.rows // 8 * 8))
        chunks = chunks_of(table, limit)
        found = session.fork(self._chunk, chunks, lambda chunk: chunk.shape, steps.at_once)
        partials = [self._spread(session, places, partial) for places, partial in found]
        partials.append(self._nothing(session))
        totals = total(session, self.calls, partials)
        return finish(session, self.calls, totals, keys=self._key_columns(), every=self.every, rows_bound=table.rows)

    def _steps(self) -> Steps:
        """The dealt vectors, a word for every group, are what a step holds."""
        evaluated = row_bytes([*expressions_of(self.predicate, self.calls, split=False), *self.keys])
        vectors = 8 << (self.rows - 1 + (self.predicate is not None)).bit_length()
        measures = sum(call.kind in ("sum", "presence") or call.filter is not None for call in self.calls)
        # a step takes few messages: small ones cost no more
        return steps_of(evaluated + vectors * (1 + measures), least=1 << 10, at_least=CHUNKS_IN_FLIGHT)

    def _chunk(self, session: Session, chunk: Chunk) -> tuple[Array, Partials]:
        return _ChunkGroups(session, chunk, self).run()

    def _nothing(self, session: Session) -> Partials:
        nothing = constant_words(session, 0, self.rows)
        return Partials(nothing, tuple(Partial(nothing, None) for _ in self.calls))

    def _spread(self, session: Session, places: Array, partial: Partials) -> Partials:
        """A chunk's groups at their places among all groups."""

        def spread(words: Array) -> Array:
            out = np.zeros(self.rows, dtype=np.uint64)
            out[places] = words
            return out

        calls = tuple(
            Partial(spread(call.value), None if call.count is None else spread(call.count)) for call in partial.calls
        )
        return Partials(spread(partial.sizes), calls)

    def _key_columns(self) -> tuple[Raw, ...]:
        """The keys of all groups: the last varies fastest, NULL comes last."""
        columns = []
        repeat = self.rows
        for key in self.keys:
            size = key_size(key)
            repeat //= size
            codes = np.arange(self.rows) // repeat % size
            null = (codes == key.bounds.size).astype(np.uint8) if key.nullable else None
            values = (
                np.where(codes == key.bounds.size, 0, codes + key.bounds.low)
                if key.nullable
                else codes + key.bounds.low
            )
            columns.append(Raw(values.astype(np.int64), null, secret=False, boolean=isinstance(key.type, Boolean)))
        return tuple(columns)


def _as_number(key: Expression) -> Expression:
    return FromBoolean(key) if isinstance(key.type, Boolean) else key


class _ChunkGroups:
    """One chunk: evaluate, make the code, then all sums of all groups in one round; MIN and MAX by group."""

    def __init__(self, session: Session, chunk: Chunk, operator: OneHotAggregate) -> None:
        self.session = session
        self.chunk = chunk
        self.rows = chunk.padded
        self.operator = operator
        self.calls = operator.calls
        self.keys = [_as_number(key) for key in operator.keys]
        wanted = list(dict.fromkeys([*expressions_of(operator.predicate, self.calls, split=False), *self.keys]))
        found = evaluate(session, wanted, ChunkColumns(chunk), self.rows)
        self.values = dict(zip(wanted, found, strict=True))

    def run(self) -> tuple[Array, Partials]:
        base = mask_of_chunk(self.chunk)
        if self.operator.predicate is not None:
            base = base & mask_of(self.session, self.values[self.operator.predicate], self.rows)
        every = call_masks(self.session, Mask(), self.calls, self.values, self.rows, split=False)
        base, *masks = resolve(self.session, [base, *every])
        places, sizes = self._places()
        groups = len(places)
        code, bits = self._code(sizes, groups, base)
        calls = self._sums(code, bits, groups, masks)
        return places, calls

    # ------------------------------------------------------------------------------------------- the code of a row

    def _is_fixed(self, key: Expression) -> bool:
        datum = self.values[key]
        return isinstance(datum, Public) and datum.values.ndim == 0

    def _places(self) -> tuple[Array, list[int]]:
        """Where the groups of this chunk are among all groups; and for every key its size, or 0 if it is fixed here."""
        places = np.zeros(1, dtype=np.int64)
        sizes = []
        for key in self.keys:
            size = key_size(key)
            if self._is_fixed(key):
                datum = self.values[key]
                assert isinstance(datum, Public)
                is_null = datum.null is not None and bool(datum.null)
                codes = np.array([key.bounds.size if is_null else int(datum.values) - key.bounds.low])
                sizes.append(0)
            else:
                codes = np.arange(size)
                sizes.append(size)
            places = (places[:, None] * size + codes[None, :]).reshape(-1)
        return places, sizes

    def _code(self, sizes: Sequence[int], groups: int, base: Mask) -> tuple[Array, int]:
        """Every row's code in [0, groups), or `groups` where the row does not count; and the bits of a code."""
        spare = 0 if base.everything else 1
        bits = max(1, (groups + spare - 1).bit_length())
        lane = lane_for(bits + 1)
        code = np.zeros(self.rows, dtype=np.uint64)
        digits = self._digits(sizes)
        for size, digit in zip(sizes, digits, strict=True):
            if size:
                code = code * words_of(size) + digit
        code = narrow(code, lane)
        if base.everything:
            return code, bits
        code = add_constant(self.session, code, -groups)
        if base.public is not None:
            code = code * unpack(base.public)
        if base.secret:
            chosen = bit_product(self.session, BShare(base.bits.packed[None]), AShare(code[None, None]))
            code = chosen.words[0, 0]
        return add_constant(self.session, code, groups), bits

    def _digits(self, sizes: Sequence[int]) -> list[Array]:
        """For every key x - low, or its last code where it is NULL."""
        digits = []
        tasks: list[Task] = []
        for key, size in zip(self.keys, sizes, strict=True):
            datum = self.values[key]
            digits.append(self._digit(key, datum) if size else np.zeros(0, dtype=np.uint64))
            null = null_share(self.session, datum, self.rows) if size else None
            if null is not None:
                rest = add_constant(self.session, np.negative(digits[-1]), key.bounds.size)
                tasks.append(Select(null, (rest,)))
        found = iter(run_tasks(self.session, tasks) if tasks else ())
        for i, (key, size) in enumerate(zip(self.keys, sizes, strict=True)):
            if size and null_share(self.session, self.values[key], self.rows) is not None:
                digits[i] = digits[i] + next(found)[0]
        return digits

    def _digit(self, key: Expression, datum: Datum) -> Array:
        assert isinstance(datum, Public | Words)
        return add_constant(self.session, share_of_words(self.session, datum, self.rows), -key.bounds.low)

    # ------------------------------------------------------------------------------------------- sums and extremes

    def _sums(self, code: Array, bits: int, groups: int, masks: Sequence[Mask]) -> Partials:
        words, counts, compared = self._measures(masks)
        measures = [*words.values(), *counts.values()]
        stacked = np.stack(measures) if measures else np.zeros((0, self.rows), dtype=np.uint64)
        sums = group_sums(self.session, AShare(code), bits, AShare(stacked)).words[:, :groups]
        sizes = sums[0]
        sum_of = dict(zip(words, sums[1:], strict=False))
        count_of = dict(zip(counts, sums[1 + len(words) :], strict=True))
        found = self._extremes(code, bits, groups, compared)
        calls = []
        for i, (call, mask) in enumerate(zip(self.calls, masks, strict=True)):
            count = count_of.get(mask.key)
            if call.kind == "sum":
                value = sum_of[inputs_of(call, split=False)[0], mask.key]
            elif call.kind == "presence":
                value = sum_of["presence", mask.key]
            elif call.kind in ("min", "max"):
                value = found[i]
            else:
                value = sizes if count is None else count
            calls.append(Partial(value, count))
        return Partials(sizes, tuple(calls))

    def _measures(self, masks: Sequence[Mask]) -> tuple[dict[object, Array], dict[object, Array], dict[int, Array]]:
        """What is summed, per expression and mask; bits to be counted, per mask; what is compared, per call."""
        tasks: list[Task] = []
        slots: list[tuple[dict[object, Array], object, bool]] = []
        words: dict[object, Array] = {}
        counts: dict[object, Array] = {}
        compared: dict[object, Array] = {}
        for i, (call, mask) in enumerate(zip(self.calls, masks, strict=True)):
            if call.kind == "presence":
                if ("presence", mask.key) not in words:
                    words["presence", mask.key] = self._random_words(mask)
                    if mask.secret:
                        tasks.append(RandomIf(mask.bits))
                        slots.append((words, ("presence", mask.key), False))
                continue
            if is_counted(call) and not mask.everything and mask.key not in counts:
                counts[mask.key] = self._public_bits(mask)
                if mask.secret:
                    tasks.append(ToWords(mask.bits))
                    slots.append((counts, mask.key, False))
            if call.kind not in ("sum", "min", "max"):
                continue
            (first,) = inputs_of(call, split=False)
            into = words if call.kind == "sum" else compared
            key: object = (first, mask.key) if call.kind == "sum" else i
            if key in into:
                continue
            datum = self.values[first]
            assert isinstance(datum, Public | Words)
            plain = (
                share_of_words(self.session, datum, self.rows)
                if call.kind == "sum"
                else from_smallest(self.session, call, datum, self.rows)
            )
            into[key] = plain if mask.public is None else plain * unpack(mask.public)
            if mask.secret:
                tasks.append(Select(mask.bits, (plain,)))
                slots.append((into, key, True))
        for (into, name, listed), result in zip(slots, run_tasks(self.session, tasks) if tasks else (), strict=True):
            into[name] = result[0] if listed else result
        return words, counts, {i: array for i, array in compared.items() if isinstance(i, int)}

    def _random_words(self, mask: Mask) -> Array:
        """For every row of a public mask a random word that nobody knows; else a place for such words."""
        if mask.secret:
            return np.zeros(self.rows, dtype=np.uint64)
        (words,) = self.session.deal(RandomWords(self.rows, 64))
        return words if mask.public is None else words * unpack(mask.public)

    def _public_bits(self, mask: Mask) -> Array:
        if mask.public is None or not self.session.first:
            return np.zeros(self.rows, dtype=np.uint64)
        return unpack(mask.public).astype(np.uint64)

    def _extremes(self, code: Array, bits: int, groups: int, compared: dict[int, Array]) -> dict[int, Array]:
        """For every call and group the smallest of the group's rows (others count as 0, the greatest)."""
        if not compared:
            return {}
        selectors = one_hot(self.session, AShare(code), table_bits(1 << bits), groups)
        each = np.broadcast_to(np.stack(list(compared.values())), (groups, len(compared), self.rows))
        mine = bit_product(self.session, selectors, AShare(each)).words
        found = extremes(self.session, [(self.calls[i], mine[:, place]) for place, i in enumerate(compared)])
        return dict(zip(compared, found, strict=True))
