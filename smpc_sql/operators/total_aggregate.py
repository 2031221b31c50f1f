"""Aggregates over all rows, without GROUP BY: one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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
from smpc_sql.operators.datum import share_of_words
from smpc_sql.operators.evaluate import evaluate
from smpc_sql.operators.load import PRODUCT_BYTES, Steps, row_bytes, steps_of
from smpc_sql.operators.mask import Mask, mask_of, mask_of_chunk, resolve
from smpc_sql.operators.table import Chunk, SharedTable, chunks_of
from smpc_sql.operators.tasks import RandomIf, Select, Task, ToWords, run_tasks
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import AggregateCall, Expression
from smpc_sql.protocol.arithmetic import inner_product, square_sum
from smpc_sql.ring import Array, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import AShare


@dataclass(frozen=True, slots=True)
class TotalAggregate(OfRows):
    """Chunk by chunk: evaluate, select, sum. Sums of products are inner products, whose correlation is one word."""

    predicate: Expression | None
    calls: tuple[AggregateCall, ...]

    @property
    def rows(self) -> int:
        """One."""
        return 1

    def describe(self) -> str:
        """See Operator."""
        return f"total of {', '.join(map(explain_expression, self.calls))}{where(self.predicate)}"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        steps = self._steps()
        partials = session.fork(self._chunk, chunks_of(table, steps.rows), lambda chunk: chunk.shape, steps.at_once)
        if not partials:
            nothing = constant_words(session, 0)
            partials = [Partials(nothing, tuple(Partial(nothing, None) for _ in self.calls))]
        totals = total(session, self.calls, partials)
        return finish(session, self.calls, totals, keys=(), every=True, rows_bound=table.rows)

    def _steps(self) -> Steps:
        evaluated = row_bytes(expressions_of(self.predicate, self.calls, split=True))
        summed = PRODUCT_BYTES * sum(call.argument is not None for call in self.calls)
        return steps_of(max(evaluated, summed))

    def _chunk(self, session: Session, chunk: Chunk) -> Partials:
        return _ChunkTotals(session, chunk, self.predicate, self.calls).run()


class _ChunkTotals:
    """One chunk: first what has to be evaluated, then all selections and counts in one round, then the sums."""

    def __init__(
        self, session: Session, chunk: Chunk, predicate: Expression | None, calls: tuple[AggregateCall, ...]
    ) -> None:
        self.session = session
        self.chunk = chunk
        self.rows = chunk.padded
        self.predicate = predicate
        self.calls = calls
        wanted = expressions_of(predicate, calls, split=True)
        found = evaluate(session, wanted, ChunkColumns(chunk), self.rows)
        self.values = dict(zip(wanted, found, strict=True))

    def run(self) -> Partials:
        base = mask_of_chunk(self.chunk)
        if self.predicate is not None:
            base = base & mask_of(self.session, self.values[self.predicate], self.rows)
        masks = resolve(self.session, call_masks(self.session, base, self.calls, self.values, self.rows, split=True))
        selected = self._select(masks)
        values = [constant_words(self.session, 0) for _ in masks]
        compared = []
        for i, (call, mask) in enumerate(zip(self.calls, masks, strict=True)):
            if call.kind == "sum":
                values[i] = self._sum(call, mask, selected)
            elif call.kind == "presence":
                values[i] = selected[mask.key, "presence"]
            elif call.kind in ("min", "max"):
                compared.append((i, selected[mask.key, call.kind, inputs_of(call, split=True)[0]][None]))
        found = extremes(self.session, [(self.calls[i], words) for i, words in compared])
        for (i, _), smallest in zip(compared, found, strict=True):
            values[i] = smallest
        calls = [Partial(value, selected.get((mask.key, "count"))) for value, mask in zip(values, masks, strict=True)]
        return Partials(constant_words(self.session, 0), tuple(calls))

    def _sum(self, call: AggregateCall, mask: Mask, selected: dict[object, Array]) -> Array:
        first, *second = inputs_of(call, split=True)
        words = selected[mask.key, "sum", first]
        if not second:
            return _sum(words)
        if second[0] == first:
            return square_sum(self.session, AShare(words[None])).words
        other = self._words(second[0])
        return inner_product(self.session, AShare(words[None]), AShare(other[None])).words

    def _words(self, expression: Expression) -> Array:
        return share_of_words(self.session, self.values[expression], self.rows)  # type: ignore[arg-type]  # a number

    def _select(self, masks: list[Mask]) -> dict[object, Array]:
        """For every mask and what is summed or compared under it the words, 0 where not selected; and what is needed
        of the number of its rows, [1]: their count, and a word that is random unless there are none.
        """
        wanted: dict[object, Array] = {}
        by_mask: dict[object, _Selection] = {}
        for call, mask in zip(self.calls, masks, strict=True):
            selection = by_mask.setdefault(mask.key, _Selection(mask, [], set()))
            selection.whether.add("presence" if call.kind == "presence" else "count" if is_counted(call) else "")
            if call.kind not in ("sum", "min", "max"):
                continue
            first = inputs_of(call, split=True)[0]
            key = (mask.key, call.kind, first)
            if key not in wanted:
                smallest = call.kind != "sum"
                wanted[key] = (
                    from_smallest(self.session, call, self.values[first], self.rows) if smallest else self._words(first)
                )
                selection.keys.append(key)
        return self._selected(wanted, by_mask)

    def _selected(self, wanted: dict[object, Array], by_mask: dict[object, _Selection]) -> dict[object, Array]:
        tasks: list[Task] = []
        for mask, keys, whether in by_mask.values():
            if mask.secret:
                tasks += [ToWords(mask.bits)] if "count" in whether else []
                tasks += [RandomIf(mask.bits)] if "presence" in whether else []
                tasks += [Select(mask.bits, tuple(wanted[key] for key in keys))] if keys else []
        results = iter(run_tasks(self.session, tasks) if tasks else ())
        for name, (mask, keys, whether) in by_mask.items():
            if "count" in whether:
                count = None if mask.secret else mask.public_count(self.rows)
                wanted[name, "count"] = _sum(next(results)) if count is None else constant_words(self.session, count)
            if "presence" in whether:
                wanted[name, "presence"] = _sum(next(results)) if mask.secret else self._known_presence(mask)
            if mask.secret:
                found = next(results) if keys else []
                wanted.update(zip(keys, found, strict=True))
            elif mask.public is not None:
                chosen = unpack(mask.public)
                wanted.update((key, wanted[key] * chosen) for key in keys)
        return wanted

    def _known_presence(self, mask: Mask) -> Array:
        """Random all the same: beside another chunk's, it must not show whether that one's is 0."""
        if not mask.public_count(self.rows):
            return constant_words(self.session, 0)
        (words,) = self.session.deal(RandomWords(1, 64))
        return words


class _Selection(NamedTuple):
    """What is wanted of the rows of a mask: the keys of words, and what of their number ("count", "presence")."""

    mask: Mask
    keys: list[object]
    whether: set[str]


def _sum(words: Array) -> Array:
    total: Array = words.sum(keepdims=True, dtype=np.uint64)
    return total
