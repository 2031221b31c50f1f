"""The analyst's side of a result: the parties' shares combined into rows, and the rows as Python and pandas values.

What a party sends: a list of arrays, in this order, for a delivery of `rows` rows (how many is public; which ones are
valid is not). Packed bits are laid as `ring.pack` lays them, of `rows` rounded up to a multiple of 8, and XOR-shared;
words are shared additively mod 2^64; field elements additively mod p = 2^field_bits - 1.

  valid       packed bits: rows that are not valid are dropped
  rank        uint64 words [rows], where the delivery is ranked
  per field in `delivery.words`:
    words     uint64 words [rows]
    nulls     packed bits, where the field is nullable
              (field `delivery.valid`: rows where its word is 0 are dropped, too; fields of `delivery.nulls`: where
              one's word is 0, the other is NULL)
  per fraction:
    products  uint64 limbs, little-endian, [2, rows, ceil(field_bits / 64)]: numerator * rho and denominator * rho
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction as Ratio
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from smpc_sql.decoding import Mask, Words, decode_column, decode_text, decode_whole
from smpc_sql.errors import InternalError, PeerError, QueryError
from smpc_sql.moments import interval_text, parts_of_interval
from smpc_sql.plan.approximations import Approximation, approximations
from smpc_sql.plan.delivery import Delivery, Fraction, LocalSortKey, OutputColumn
from smpc_sql.rational import near_root, reconstruct, root_to_float, to_float
from smpc_sql.ring import Array, padded, unpack
from smpc_sql.schema import (
    Boolean,
    Date,
    Decimal,
    Double,
    Duration,
    Enum,
    Integer,
    SqlType,
    Text,
    Timestamp,
)
from smpc_sql.sharing import combine_bits, combine_words

_SHOWN_ROWS = 40
_SHOWN_WIDTH = 60


@dataclass(frozen=True, slots=True)
class QueryStats:
    """What a query cost, from the analyst's call to the answer.

    seconds: wall time. rounds: of messages between the parties. bytes_sent: by each party, in the consortium's order.
    bytes_dealt: by the provider. As text: one line.
    """

    seconds: float
    rounds: int
    bytes_sent: tuple[int, ...]
    bytes_dealt: int

    def __str__(self) -> str:
        sent, dealt = _amount(max(self.bytes_sent, default=0)), _amount(self.bytes_dealt)
        return f"{self.seconds:.2f} s · {self.rounds} rounds · {sent} sent by a party · {dealt} dealt"


def _amount(size: int) -> str:
    """Bytes for people: 17 B, 1.2 kB, 3.4 MB."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


class Result:
    """The rows of an answer, in order. Values are int, decimal.Decimal, bool, datetime's date and datetime, str, float;
    NULL is None.

    `fetchall`, `df` and iteration give every row, as often as they are called; `fetchone` and `fetchmany` walk through
    the rows with a cursor of their own.
    """

    def __init__(
        self,
        columns: Sequence[str],
        types: Sequence[SqlType],
        values: Sequence[Sequence[Any]],
        stats: QueryStats,
        approximations: Sequence[Approximation] = (),
    ) -> None:
        """values: one sequence for each column, all equally long."""
        self.columns: list[str] = list(columns)
        self.types: list[SqlType] = list(types)
        self.stats = stats
        self.approximations: list[Approximation] = list(approximations)
        """What of it is not exact, and how far off at most; mostly nothing."""
        self._values = [list(column) for column in values]
        self._rows: list[tuple[Any, ...]] = list(zip(*self._values, strict=True))
        self._next = 0

    @property
    def description(self) -> list[tuple[str, SqlType, None, None, None, None, None]]:
        """PEP 249: for every column its name and type, and five times None."""
        return [
            (name, type_, None, None, None, None, None) for name, type_ in zip(self.columns, self.types, strict=True)
        ]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row."""
        return list(self._rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None after the last."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next `size` rows, fewer at the end."""
        rows = self._rows[self._next : self._next + size]
        self._next += len(rows)
        return rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def df(self) -> pd.DataFrame:
        """The rows as a DataFrame: int64, float64 (DECIMAL and DOUBLE), bool, datetime64[us], ordered category.

        With NULLs, integers are Int64 and booleans boolean; NaN and NaT stand for NULL elsewhere. A name that comes
        again gets its count as a suffix, as in DuckDB.
        """
        pairs = zip(self.types, self._values, strict=True)
        frame = pd.DataFrame({place: _series(type_, values) for place, (type_, values) in enumerate(pairs)})
        lowered = [name.lower() for name in self.columns]
        earlier = [lowered[:place].count(name) for place, name in enumerate(lowered)]
        frame.columns = pd.Index(
            [f"{n}_{again}" if again else n for n, again in zip(self.columns, earlier, strict=True)]
        )
        return frame

    def show(self, *, max_rows: int = _SHOWN_ROWS) -> None:
        """Print the rows as a table; of more than `max_rows`, the first and the last."""
        print(_table(self, max_rows))

    def __repr__(self) -> str:
        return _table(self, _SHOWN_ROWS)


def decode(delivery: Delivery, shares_by_party: Mapping[str, Sequence[Array]], stats: QueryStats) -> Result:
    """Combine what every party sent (by its name, in the order that the module's text gives) into the result.

    Raises PeerError for a party whose arrays have the wrong form; InternalError where the values cannot be what was
    asked; QueryError for the square root of a negative number.
    """
    pieces = _combined(delivery, shares_by_party)
    valid = next(pieces).astype(np.bool_)
    rank = _signed(next(pieces)) if delivery.ranked else None
    whole: dict[int, tuple[Words, Mask | None]] = {}
    for place in delivery.words:
        column = _signed(next(pieces))
        nullable = delivery.relation.fields[place].nullable
        whole[place] = (column, next(pieces).astype(np.bool_) if nullable else None)
    if delivery.valid is not None:
        valid &= whole[delivery.valid][0] != 0
    rows = np.flatnonzero(valid)
    if rank is not None:
        rows = rows[np.argsort(rank[rows], kind="stable")]
    words = {place: (column[rows], None if null is None else null[rows]) for place, (column, null) in whole.items()}
    for place, by in delivery.nulls:
        null = words[by][0] == 0
        words[place] = (np.where(null, 0, words[place][0]), null)
    ratios = [_ratios(fraction, next(pieces)[:, rows]) for fraction in delivery.fractions]
    values = [_values(column, words, ratios) for column in delivery.columns]
    order = _order(delivery, words, ratios, len(rows))
    return Result(
        [column.name for column in delivery.columns],
        [column.type for column in delivery.columns],
        [[column[row] for row in order] for column in values] if delivery.order else values,
        stats,
        approximations(delivery.relation),
    )


def _forms(
    delivery: Delivery, rows: int
) -> Iterator[tuple[tuple[int, ...], type[Any], Callable[[Sequence[Array]], Array]]]:
    """For every piece its shape, its dtype, and how shares of it are combined."""
    bits: tuple[tuple[int, ...], type[Any], Callable[[Sequence[Array]], Array]]
    bits = ((padded(rows) // 8,), np.uint8, lambda shares: unpack(combine_bits(shares))[:rows])
    yield bits
    if delivery.ranked:
        yield (rows,), np.uint64, combine_words
    for place in delivery.words:
        yield (rows,), np.uint64, combine_words
        if delivery.relation.fields[place].nullable:
            yield bits
    for fraction in delivery.fractions:
        limbs = -(-fraction.field_bits // 64)
        yield (2, rows, limbs), np.uint64, partial(_combine_elements, modulus=(1 << fraction.field_bits) - 1)


def _combined(delivery: Delivery, shares_by_party: Mapping[str, Sequence[Array]]) -> Iterator[Array]:
    """Every piece's values, after all forms are checked: bits and words, and field elements as Python integers."""
    rows = _row_count(delivery, shares_by_party)
    forms = list(_forms(delivery, rows))
    for party, shares in shares_by_party.items():
        found = [(share.shape, share.dtype) for share in shares]
        if found != [(shape, np.dtype(dtype)) for shape, dtype, _ in forms]:
            raise PeerError(party, "sent a result that does not have the form of this query's result")
    for place, (_, _, combine) in enumerate(forms):
        yield combine([shares[place] for shares in shares_by_party.values()])


def _row_count(delivery: Delivery, shares_by_party: Mapping[str, Sequence[Array]]) -> int:
    """The number of rows that all parties sent; every delivery has a rank, a word or a fraction whose shape says it."""
    counts: dict[str, int] = {}
    for party, shares in shares_by_party.items():
        shape = shares[1].shape if len(shares) > 1 else ()
        if not shape:
            raise PeerError(party, "sent a result that does not have the form of this query's result")
        counts[party] = shape[1] if len(shape) > 1 else shape[0]
    first = next(iter(counts), None)
    if first is None:
        raise InternalError("a result of no party")
    for party, count in counts.items():
        if count != counts[first]:
            raise PeerError(party, f"sent a result of {count} rows where {first} sent {counts[first]}")
    return counts[first]


def _combine_elements(shares: Sequence[Array], *, modulus: int) -> Array:
    """The sum mod p of field elements [2, rows, limbs], as Python integers [2, rows]."""
    total = [0] * (shares[0].shape[0] * shares[0].shape[1])
    size = 8 * shares[0].shape[2]
    for share in shares:
        data = np.ascontiguousarray(share, dtype="<u8").tobytes()
        for place in range(len(total)):
            total[place] += int.from_bytes(data[place * size : (place + 1) * size], "little")
    elements = np.empty(len(total), dtype=object)
    elements[:] = [element % modulus for element in total]
    return elements.reshape(shares[0].shape[:2])


def _signed(words: Array) -> Words:
    return words.astype(np.uint64, copy=False).view(np.int64)


def _ratios(fraction: Fraction, products: Array) -> list[Ratio | None]:
    """The exact quotients, None for NULL."""
    above, below = fraction.numerator.bounds, fraction.denominator.bounds
    highest, deepest = max(abs(above.low), abs(above.high)), max(abs(below.low), abs(below.high))
    modulus = (1 << fraction.field_bits) - 1
    try:
        return [reconstruct(n, d, modulus, highest, deepest) for n, d in zip(*products.tolist(), strict=True)]
    except ValueError as error:
        raise InternalError(f"a delivered quotient is impossible: {error}") from None


def _values(
    column: OutputColumn, words: Mapping[int, tuple[Words, Mask | None]], ratios: Sequence[Sequence[Ratio | None]]
) -> list[Any]:
    if column.written:
        return [
            None if x is None else repr(x)
            for x in _values(replace(column, type=Double(), written=False), words, ratios)
        ]
    if column.kind == "word":
        values, nulls = words[column.pieces[0]]
        if isinstance(column.type, Duration) and column.divisor != 1:
            return [None if x is None else _timedelta(x) for x in _quotients(values, nulls, column.divisor, Ratio)]
        if isinstance(column.type, Double):
            return _quotients(values, nulls, column.divisor)
        return decode_column(column.type, values, nulls)
    if column.kind == "interval":
        return _interval_texts([words[place][0] for place in column.pieces], words[column.pieces[0]][1])
    if isinstance(column.type, Text):
        return decode_text(column.type, [words[place][0] for place in column.pieces], words[column.pieces[0]][1])
    if column.kind == "whole":
        return [None if ratio is None else decode_whole(column.type, int(ratio)) for ratio in ratios[column.pieces[0]]]
    if column.kind in ("plus_root", "plus_signed_root"):
        return [None if x is None else to_float(x) for x in _sums(column, ratios)]
    read: Callable[[Ratio], Any] = {"root": root_to_float, "signed_root": _signed_root}.get(column.kind, to_float)
    read = _timedelta if isinstance(column.type, Duration) else read
    try:
        return [None if ratio is None else read(ratio) for ratio in ratios[column.pieces[0]]]
    except ValueError as error:
        raise QueryError(f"{column.name}: {error}") from None


def _timedelta(micros: Ratio) -> timedelta:
    """Whole microseconds, halves to even."""
    return timedelta(microseconds=round(micros))


def _interval_texts(words: Sequence[Words], nulls: Mask | None) -> list[str | None]:
    """Of one word, microseconds between two TIMESTAMPs; of three months, days and microseconds."""
    rows = zip(*(word.tolist() for word in words), strict=True)
    texts = [interval_text(*(row if len(row) == 3 else parts_of_interval(*row))) for row in rows]
    return list(texts) if nulls is None else [None if n else t for t, n in zip(texts, nulls.tolist(), strict=True)]


def _quotients(
    values: Words, nulls: Mask | None, divisor: int, divide: Callable[[int, int], Any] = operator.truediv
) -> list[Any]:
    """Words over a public divisor, as the nearest doubles: Python divides integers with one rounding."""
    found: list[Any] = [divide(value, divisor) for value in values.tolist()]
    if nulls is None:
        return found
    return [None if null else value for value, null in zip(found, nulls.tolist(), strict=True)]


def _sums(column: OutputColumn, ratios: Sequence[Sequence[Ratio | None]]) -> list[Ratio | None]:
    """A fraction plus a root of one, so near that what is as near as another is equal to it."""
    signed = column.kind == "plus_signed_root"
    pairs = zip(*(ratios[piece] for piece in column.pieces), strict=True)
    return [None if x is None or y is None else x + near_root(y, signed=signed) for x, y in pairs]


def _signed_root(value: Ratio) -> float:
    """The root of |value|, with the sign of the value."""
    return -root_to_float(-value) if value < 0 else root_to_float(value)


def _order(
    delivery: Delivery,
    words: Mapping[int, tuple[Words, Mask | None]],
    ratios: Sequence[Sequence[Ratio | None]],
    rows: int,
) -> list[int]:
    """The rows' order by the delivery's keys: exact values (a root orders as its fraction does), stable."""
    order = list(range(rows))
    for key in reversed(delivery.order):
        column = delivery.columns[key.output]
        if column.kind in ("word", "text", "interval"):
            values, nulls = words[column.pieces[key.word]]
            exact: list[Any] = values.tolist()
            if nulls is not None:
                exact = [None if null else value for value, null in zip(exact, nulls.tolist(), strict=True)]
        elif column.kind in ("plus_root", "plus_signed_root"):
            exact = list(_sums(column, ratios))
        else:
            exact = list(ratios[column.pieces[0]])
        order = _sorted(order, exact, key)
    return order


def _sorted(order: list[int], values: Sequence[Any], key: LocalSortKey) -> list[int]:
    """Rows sorted by one key; equal ones, and NULLs among themselves, stay in order."""
    nulls = [row for row in order if values[row] is None]
    present = sorted(
        (row for row in order if values[row] is not None), key=lambda row: values[row], reverse=key.descending
    )
    return nulls + present if key.nulls_first else present + nulls


def _series(type_: SqlType, values: list[Any]) -> pd.Series[Any]:
    """A column of a DataFrame."""
    absent = any(value is None for value in values)
    match type_:
        case Integer():
            wide = any(value is not None and abs(value) >> 63 for value in values)
            return pd.Series(values, dtype="float64" if wide else "Int64" if absent else "int64")
        case Boolean():
            return pd.Series(values, dtype="boolean" if absent else "bool")
        case Decimal() | Double():
            return pd.Series([np.nan if value is None else float(value) for value in values], dtype="float64")
        case Date() | Timestamp():
            return pd.Series(np.array(values, dtype="datetime64[us]"))
        case Duration():
            return pd.Series(np.array(values, dtype="timedelta64[us]"))
        case Text():
            return pd.Series(values, dtype="str")
        case Enum(labels):
            return pd.Series(pd.Categorical(values, categories=list(labels), ordered=True))


def _table(result: Result, max_rows: int) -> str:
    """Rows in a frame, names and types above, numbers to the right; in the middle of too many rows, dots."""
    if not result.columns:
        return "done"
    rows = result.fetchall()
    hidden = len(rows) > max_rows
    head = rows[: (max_rows + 1) // 2] if hidden else rows
    tail = rows[len(rows) - max_rows // 2 :] if hidden else []
    types = [str(type_).lower() for type_ in result.types]
    cells = [[_cell(value) for value in row] for row in (*head, *tail)]
    titles = [[_cut(name) for name in result.columns], [_cut(type_) for type_ in types]]
    widths = [max(map(len, column)) for column in zip(*titles, *cells, strict=True)]
    right = [isinstance(type_, Integer | Decimal | Double) for type_ in result.types]
    middle = [["·"] * len(widths)] * 3 if hidden else []
    lines = [_rule("┌┬┐", widths)]
    lines += [
        "│" + "│".join(f" {text:^{width}} " for text, width in zip(row, widths, strict=True)) + "│" for row in titles
    ]
    lines.append(_rule("├┼┤", widths))
    for row in (*cells[: len(head)], *middle, *cells[len(head) :]):
        aligned = (f"{t:>{w}}" if r else f"{t:<{w}}" for t, w, r in zip(row, widths, right, strict=True))
        lines.append("│" + "│".join(f" {text} " for text in aligned) + "│")
    lines.append(_rule("└┴┘", widths))
    count = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
    lines.append(f"{count} ({len(head) + len(tail)} shown)" if hidden else count)
    return "\n".join(lines)


def _rule(corners: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join("─" * (width + 2) for width in widths) + corners[2]


def _cell(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case _:
            return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_WIDTH else text[: _SHOWN_WIDTH - 1] + "…"
