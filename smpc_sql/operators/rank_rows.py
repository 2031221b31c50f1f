"""ORDER BY and LIMIT under MPC, for few rows: every pair is compared once, and a row's rank is how many come before
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.operators.base import RowForRow, Tables
from smpc_sql.operators.datum import Bits, Datum, Words, add_constant, share_of_words
from smpc_sql.operators.evaluate import evaluate
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.tasks import IsZero, Negative, Product, Select, Task, run_tasks
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import Divide, Expression, FromBoolean, Sqrt
from smpc_sql.plan.relations import SortKey
from smpc_sql.protocol.arithmetic import to_words
from smpc_sql.protocol.boolean import conjunction, negate
from smpc_sql.protocol.comparison import negative
from smpc_sql.ring import Array, lane_for, narrow, pack, pad_rows, padded, unpack
from smpc_sql.schema import Boolean, Interval
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare

MAX_ROWS = 4096
"""Beyond this many rows all pairs are too many."""

_PAIRS = 1 << 16


@dataclass(frozen=True, slots=True)
class RankRows(RowForRow):
    """Adds the rank (0, 1, …) as the last column, and keeps the valid rows of rank offset … offset + count - 1 valid.

    Rows that are alike rank in the order in which they stand.
    """

    columns: int
    keys: tuple[SortKey, ...]
    count: int | None
    offset: int

    def describe(self) -> str:
        """See Operator."""
        keys = ", ".join(explain_expression(key.expression) + (" DESC" if key.descending else "") for key in self.keys)
        limit = "" if self.count is None else f", keep {self.count}"
        return f"rank rows by {keys or 'position'}{limit}{f' after {self.offset}' if self.offset else ''}"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        columns = whole_columns(session, table, range(self.columns))
        valid = whole_valid(session, table)
        rows = table.rows
        rank = self._rank(session, columns, valid, rows)
        valid = self._limit(session, rank, valid, rows)
        raws = [Raw(c.words, c.null, secret=True, boolean=c.boolean) for c in columns]
        return SharedTable((Piece(rows, (*raws, Raw(rank, None, secret=True, boolean=False)), valid),))

    def _rank(self, session: Session, columns: Sequence[Column], valid: Array | None, rows: int) -> Array:
        if not self.keys or rows < 2:
            return _running_count(session, valid, rows)
        levels = _levels(session, self.keys, columns, rows)
        first, second = np.triu_indices(rows, 1)
        blocks = [(first[i : i + _PAIRS], second[i : i + _PAIRS]) for i in range(0, len(first), _PAIRS)]

        def block(branch: Session, pair: tuple[Array, Array]) -> Array:
            return _ranks_of_pairs(branch, levels, valid, *pair, rows)

        total = np.zeros(rows, dtype=np.uint64)
        for part in session.fork(block, blocks, lambda pair: len(pair[0])):
            total += part
        return total

    def _limit(self, session: Session, rank: Array, valid: Array | None, rows: int) -> Array | None:
        """valid and rank < offset + count and not rank < offset."""
        offset = min(self.offset, rows)
        limits = [] if self.count is None or self.count + offset >= rows else [offset + self.count]
        limits += [offset] if offset else []
        if not limits:
            return valid
        lane = lane_for(max([rows, *limits]).bit_length() + 1)
        words = narrow(pad_rows(rank), lane)
        below = negative(session, AShare(np.stack([add_constant(session, words, -limit) for limit in limits])))
        bits = [BShare(row) for row in below.packed]
        if offset:
            bits[-1] = negate(session, bits[-1])
        bits += [] if valid is None else [BShare(pack(pad_rows(valid)))]
        kept = bits[0]
        for each in bits[1:]:
            (kept,) = conjunction(session, [(kept, each)])
        return unpack(kept.packed)[:rows]


def _running_count(session: Session, valid: Array | None, rows: int) -> Array:
    """How many valid rows stand before each."""
    if valid is None:
        return np.arange(rows, dtype=np.uint64) if session.first else np.zeros(rows, dtype=np.uint64)
    words = to_words(session, BShare(pack(pad_rows(valid))), 64).words[:rows]
    running = np.cumsum(words, dtype=np.uint64)
    running -= words
    return running


@dataclass(frozen=True, slots=True)
class _Level:
    """A part of the order: words to compare, within bounds; or (denominator given) quotients of words."""

    words: Array
    bounds: Interval
    denominator: Array | None = None


def _levels(session: Session, keys: Sequence[SortKey], columns: Sequence[Column], rows: int) -> list[_Level]:
    """The parts of the order, most significant first, all ascending."""
    data: list[Datum] = [_datum(column) for column in columns]
    wanted = list(dict.fromkeys(part for key in keys for part in _parts(key)))
    found = evaluate(session, wanted, data, padded(rows))
    values = dict(zip(wanted, found, strict=True))
    levels = []
    for key in keys:
        parts = [values[part] for part in _parts(key)]
        levels += _quotient(session, key, parts, rows) if len(parts) == 2 else [_word(session, key, parts[0], rows)]
    return levels


def _datum(column: Column) -> Datum:
    null = None if column.null is None else BShare(pack(pad_rows(column.null)))
    if column.boolean:
        return Bits(BShare(pack(pad_rows(column.words))), null)
    return Words(pad_rows(column.words), null)


def _parts(key: SortKey) -> tuple[Expression, ...]:
    expression = key.expression
    if isinstance(expression, Sqrt):
        expression = expression.x
    if isinstance(expression, Divide):
        return expression.numerator, expression.denominator
    return (FromBoolean(expression) if isinstance(expression.type, Boolean) else expression,)


def _word(session: Session, key: SortKey, datum: Datum, rows: int) -> _Level:
    """The key's distance from its first value; NULL one before, or one behind."""
    (expression,) = _parts(key)
    bounds, size = expression.bounds, expression.bounds.size
    words = _share(session, datum, padded(rows))
    if key.descending:
        words = add_constant(session, np.negative(words), bounds.high)
    else:
        words = add_constant(session, words, -bounds.low)
    null = None if not isinstance(datum, Words) else datum.null
    if null is None:
        return _Level(words, Interval(0, size - 1))
    place = -1 if key.nulls_first else size
    (chosen,) = run_tasks(session, [Select(null, (add_constant(session, np.negative(words), place),))])
    return _Level(words + chosen[0], Interval(min(0, place), max(size - 1, place)))


def _quotient(session: Session, key: SortKey, parts: Sequence[Datum], rows: int) -> list[_Level]:
    """Whether it is NULL, and then the quotient."""
    numerator, denominator = (_share(session, part, padded(rows)) for part in parts)
    expressions = _parts(key)
    bounds = expressions[1].bounds
    lane = lane_for(max(abs(bounds.low), abs(bounds.high)).bit_length())
    nulls = [part.null for part in parts if isinstance(part, Words) and part.null is not None]
    known = negate(session, run_tasks(session, [IsZero(narrow(denominator, lane))])[0])
    for null in nulls:
        (known,) = conjunction(session, [(known, negate(session, null))])
    is_null = to_words(session, BShare(negate(session, known).packed[None]), 64).words[0]
    if key.nulls_first:
        is_null = add_constant(session, np.negative(is_null), 1)
    (chosen,) = run_tasks(session, [Select(known, (numerator, denominator))])
    if key.descending:
        chosen[0] = np.negative(chosen[0])
    values = -expressions[0].bounds if key.descending else expressions[0].bounds
    reach = (values * bounds).union(Interval(0, 0))  # NULLs are cleared to 0
    return [_Level(is_null, Interval(0, 1)), _Level(chosen[0], reach, chosen[1])]


def _share(session: Session, datum: Datum, rows: int) -> Array:
    return share_of_words(session, datum, rows)  # type: ignore[arg-type]  # never a boolean


def _ranks_of_pairs(
    session: Session, levels: Sequence[_Level], valid: Array | None, first: Array, second: Array, rows: int
) -> Array:
    """What these pairs (first < second) add to every row's rank."""
    before = _before(session, levels, first, second)
    behind = negate(session, before)
    counted = [before, behind]
    if valid is not None:
        masks = [BShare(pack(pad_rows(valid[places]))) for places in (first, second)]
        counted = conjunction(session, list(zip(counted, masks, strict=True)))
    words = to_words(session, BShare(np.stack([bits.packed for bits in counted])), 64).words[:, : len(first)]
    ranks = np.zeros(rows, dtype=np.uint64)
    np.add.at(ranks, second, words[0])  # first before second: second is one further back
    np.add.at(ranks, first, words[1])
    return ranks


def _before(session: Session, levels: Sequence[_Level], first: Array, second: Array) -> BShare:
    """Whether the first of each pair comes before the second, or is like it."""
    later: BShare | None = None  # second < first, decided by the levels so far from the least significant
    for less, equal in reversed(_compared(session, levels, first, second)):
        if later is None:
            later = less
            continue
        (tied,) = conjunction(session, [(equal, later)])
        later = less ^ tied
    assert later is not None
    return negate(session, later)


def _compared(session: Session, levels: Sequence[_Level], first: Array, second: Array) -> list[tuple[BShare, BShare]]:
    """For every level whether second < first, and whether they are equal (not for the last level: never asked)."""
    products: list[Task] = []
    for level in levels:
        if level.denominator is not None:
            d = level.denominator
            products += [Product(pad_rows(level.words[second]), pad_rows(d[first]))]
            products += [Product(pad_rows(level.words[first]), pad_rows(d[second]))]
    done = iter(run_tasks(session, products) if products else ())
    tests: list[Task] = []
    for number, level in enumerate(levels):
        if level.denominator is None:
            d = pad_rows(level.words[second] - level.words[first])
            lane = lane_for((level.bounds - level.bounds).bits)
        else:
            d = next(done) - next(done)
            lane = lane_for((level.bounds - level.bounds).bits)
        tests.append(Negative(narrow(d, lane)))
        if number < len(levels) - 1:
            tests.append(IsZero(narrow(d, lane)))
    found = run_tasks(session, tests)
    pairs = [(found[i], found[i + 1]) for i in range(0, len(found) - 1, 2)]
    return [*pairs, (found[-1], found[-1])]
