"""A tiny interpreter of deliveries on plain rows: what a plan means, without shares.

Exact integers, None for NULL. It checks on the way what plans promise: bounds, nullability, 64 bits, sizes of fields.
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction as Ratio
from functools import cmp_to_key
from itertools import product
from typing import Any, NamedTuple, assert_never

from smpc_sql.moments import interval_text, parts_of_interval
from smpc_sql.plan.delivery import Delivery, LocalSortKey
from smpc_sql.plan.expressions import (
    DIGIT,
    Add,
    AggregateCall,
    And,
    Case,
    Column,
    Divide,
    Elapsed,
    Equal,
    Expression,
    FloorDivide,
    FromBoolean,
    InSet,
    IsNull,
    Less,
    Literal,
    LongQuotient,
    LongText,
    Lookup,
    Multiply,
    Negate,
    Not,
    Or,
    PlusRoot,
    QuotientDigit,
    Remainder,
    Rescale,
    Sqrt,
    Subtract,
    TextCall,
    WholeQuotient,
    WholeRoot,
    Within,
    WrittenDouble,
)
from smpc_sql.plan.frames import Edge
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    CrossJoin,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Scan,
    Shared,
    Sort,
    SortKey,
    Values,
    Window,
    WindowCall,
)
from smpc_sql.schema import (
    WORD,
    Boolean,
    Date,
    Decimal,
    Double,
    Duration,
    Enum,
    SqlType,
    Text,
    Timestamp,
    text_of_words,
)

Row = tuple[int | None, ...]
Tables = Mapping[str, Mapping[str, Sequence[int | None]]]
"""By table, by column in lower case: scaled integers, fragments stacked; `owner` holds the codes of owners sorted."""


class Written(NamedTuple):
    """An INTERVAL that will be text."""

    months: int
    days: int
    micros: int


def evaluate(e: Expression, row: Row) -> int | None:
    """A word-valued expression on one row."""
    value = _evaluate(e, row)
    if value is None:
        assert e.nullable, f"NULL in what is not nullable: {e}"
    else:
        assert value in e.bounds, f"{value} is not in {e.bounds}: {e}"
        assert value in WORD or (isinstance(e, TextCall) and e.is_spelled)
    return value


def _evaluate(e: Expression, row: Row) -> int | None:
    def of(x: Expression) -> int | None:
        return evaluate(x, row)

    match e:
        case Column(index):
            return row[index]
        case Literal(value):
            return value
        case Add(left, right):
            return _strict(lambda a, b: a + b, of(left), of(right))
        case Subtract(left, right):
            return _strict(lambda a, b: a - b, of(left), of(right))
        case Multiply(left, right):
            return _strict(lambda a, b: a * b, of(left), of(right))
        case Less(left, right):
            return _strict(lambda a, b: int(a < b), of(left), of(right))
        case Equal(left, right):
            return _strict(lambda a, b: int(a == b), of(left), of(right))
        case Negate(x):
            return _strict(lambda a: -a, of(x))
        case Rescale(x, exponent):
            return _strict(lambda a: a * 10**exponent, of(x))
        case FromBoolean(x):
            return of(x)
        case Not(x):
            return _strict(lambda a: 1 - a, of(x))
        case InSet(x, codes):
            return _strict(lambda a: int(a in codes), of(x))
        case Lookup(x, table):
            return _strict(lambda a: table[a - x.bounds.low], of(x))
        case FloorDivide(x, divisor):
            return _strict(lambda a: a // divisor, of(x))
        case WholeQuotient(numerator, denominator, places):
            return _strict(lambda a, b: (a << places) // max(b, 1), of(numerator), of(denominator))
        case WholeRoot(x):
            return _strict(math.isqrt, of(x))
        case QuotientDigit(LongQuotient(digits, divisors, _, places), place):
            parts = map(of, (*digits, *divisors))
            return _strict(lambda *a: _digit(a[: len(digits)], a[len(digits) :], places, place), *parts)
        case LongQuotient() | QuotientDigit():
            raise AssertionError("a long quotient is not a word")
        case Remainder(x, divisor):
            return _strict(lambda a: a % divisor, of(x))
        case Within(x):
            return of(x)
        case IsNull(x):
            return int(of(x) is None)
        case And(terms):
            values = [of(term) for term in terms]
            return 0 if 0 in values else None if None in values else 1
        case Or(terms):
            values = [of(term) for term in terms]
            return 1 if 1 in values else None if None in values else 0
        case Case(branches, default):
            return next((of(value) for condition, value in branches if of(condition) == 1), of(default))
        case TextCall(function, operands):
            texts = [of(x) for x in operands]
            leading = [texts[i] for i in function.leading]
            return None if None in leading else function.compute([value or 0 for value in texts])
        case Divide() | Sqrt() | PlusRoot() | LongText() | WrittenDouble() | Elapsed():
            raise AssertionError(f"{type(e).__name__} is not a word")
        case _:
            assert_never(e)


def _digit(digits: Sequence[int], divisors: Sequence[int], places: int, place: int) -> int:
    total = sum(digit << DIGIT * i for i, digit in enumerate(reversed(digits)))
    return (total << places) // math.prod(max(d, 1) for d in divisors) >> DIGIT * place & ((1 << DIGIT) - 1)


def _strict(function: Callable[..., int], *values: int | None) -> int | None:
    return None if None in values else function(*values)


def rows_of(relation: Relation, tables: Tables) -> list[Row]:
    """The valid rows of a relation, in order where it is a Sort or a Limit."""
    rows = _rows(relation, tables)
    assert len(rows) <= relation.max_rows
    for row in rows:
        for value, field in zip(row, relation.fields, strict=True):
            assert field.nullable if value is None else value in field.bounds, (field, value)
    return rows


def _rows(relation: Relation, tables: Tables) -> list[Row]:
    match relation:
        case Shared(source):
            return rows_of(source, tables)
        case Values():
            return [()]
        case Scan(table, fields, fragments):
            data = [tables[table.lower()][field.name.lower()] for field in fields]
            rows = [tuple(values) for values in zip(*data, strict=True)]
            assert len(rows) == sum(count for _, count in fragments)
            return rows
        case Filter(source, predicate):
            return [row for row in rows_of(source, tables) if evaluate(predicate, row) == 1]
        case Project(source, expressions):
            return [tuple(evaluate(e, row) for e in expressions) for row in rows_of(source, tables)]
        case CrossJoin(left, right):
            beside = rows_of(right, tables)
            return [(*row, *other) for row in rows_of(left, tables) for other in beside]
        case Join(left, right):
            return _join(relation, rows_of(left, tables), rows_of(right, tables))
        case Concat(inputs):
            return [row for source in inputs for row in rows_of(source, tables)]
        case Aggregate(source):
            return _aggregate(relation, rows_of(source, tables))
        case Window(source):
            return _window(relation, rows_of(source, tables))
        case Sort(source, keys):
            return sorted(rows_of(source, tables), key=_sort_key(keys))
        case Limit(source, count, offset):
            rows = rows_of(source, tables)
            return rows[offset:] if count is None else rows[offset : offset + count]
        case _:
            assert_never(relation)


def _join(join: Join, left: list[Row], right: list[Row]) -> list[Row]:
    def key(keys: tuple[Expression, ...], row: Row) -> Row | None:
        values = tuple(evaluate(e, row) for e in keys)
        return None if None in values and not join.null_safe else values

    partners: dict[Row, list[Row]] = {}
    for row in right:
        k = key(join.right_keys, row)
        if k is not None:
            partners.setdefault(k, []).append(row)
    found = [(row, k, partners.get(k, []) if k is not None else []) for row in left for k in [key(join.left_keys, row)]]
    if join.kind == "mark":
        return [(*row, int(bool(matches))) for row, _, matches in found]
    if join.expansion is None:
        assert all(len(matches) <= 1 for _, _, matches in found), "the right side is not unique"
    nothing: Row = (None,) * len(join.right.fields)
    beside = [(row, matches or [nothing] * (join.kind == "left")) for row, _, matches in found]
    return [(*row, *(match[i] for i in join.carried_fields)) for row, matches in beside for match in matches]


def _window(window: Window, rows: list[Row]) -> list[Row]:
    groups: dict[Row, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(evaluate(key, row) for key in window.partition), []).append(row)
    found = []
    order = _sort_key(window.order)
    for members in groups.values():
        members = sorted(members, key=order)
        for i, row in enumerate(members):
            found.append((*row, *(_window_value(call, members, i, window.order) for call in window.calls)))
    return found


def _reached(rows: list[Row], i: int, key: SortKey, edge: Edge) -> list[int]:
    """Which rows' keys are no further behind row i's than an edge says, or not before it."""
    keys = [evaluate(key.expression, row) for row in rows]
    own, sign = keys[i], -1 if key.descending else 1
    if own is None:
        return [j for j, other in enumerate(keys) if other is None]
    ends = [j for j, other in enumerate(keys) if other is not None and sign * (other - own) <= edge.offset]
    starts = [j for j, other in enumerate(keys) if other is not None and sign * (other - own) >= edge.offset]
    nulls = keys.count(None) if key.nulls_first else 0
    return [min(starts, default=len(rows) - (0 if key.nulls_first else keys.count(None))), max(ends, default=nulls - 1)]


def _window_value(call: WindowCall, rows: list[Row], i: int, keys: tuple[SortKey, ...]) -> int | None:
    order = _sort_key(keys)
    peers = [j for j, row in enumerate(rows) if order(row) == order(rows[i])]
    start, end = call.frame.start, call.frame.end
    low = {"partition": 0, "peers": peers[0], "row": max(0, i + start.offset)}.get(start.at, 0)
    high = {"partition": len(rows) - 1, "peers": peers[-1], "row": min(len(rows) - 1, i + end.offset)}.get(end.at, 0)
    if start.at == "key":
        low = _reached(rows, i, keys[0], start)[0]
    if end.at == "key":
        high = _reached(rows, i, keys[0], end)[-1]
    values = [] if call.argument is None else [evaluate(call.argument, row) for row in rows]
    within = [value for value in values[low : max(0, high + 1)] if value is not None]
    match call.kind:
        case "row_number":
            return i + 1
        case "rank":
            return peers[0] + 1
        case "dense_rank":
            return 1 + sum(order(rows[j]) != order(rows[j + 1]) for j in range(i))
        case "count_star":
            return max(0, high - low + 1)
        case "count":
            return len(within)
        case "sum":
            return sum(within) if within else None
        case "min":
            return min(within, default=None)
        case "max":
            return max(within, default=None)
        case "lag":
            return values[i - call.offset] if i >= call.offset else None
        case "lead":
            return values[i + call.offset] if i + call.offset < len(rows) else None
        case "nth_value":
            return values[low + call.offset - 1] if low + call.offset - 1 <= high else None
        case "last_value":
            return values[high] if low <= high else None
        case _:
            assert_never(call.kind)


def _aggregate(aggregate: Aggregate, rows: list[Row]) -> list[Row]:
    """Groups in the order of their public enumeration."""
    keys, calls = aggregate.keys, aggregate.calls
    groups: dict[Row, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(evaluate(key, row) for key in keys), []).append(row)
    if not keys:
        groups.setdefault((), [])
    if not aggregate.enumerated:
        return [(*group, *(_call(call, members) for call in calls)) for group, members in groups.items()]
    nulls: list[list[int | None]] = [[None] if key.nullable else [] for key in keys]
    domains = [[*range(k.bounds.low, k.bounds.high + 1), *null] for k, null in zip(keys, nulls, strict=True)]
    enumerated = list(product(*domains))
    present = [group for group in enumerated if group in groups]
    assert len(present) == len(groups), "a group outside of the public domain"
    listed = enumerated if aggregate.every else present
    return [(*group, *(_call(call, groups.get(group, [])) for call in calls)) for group in listed]


def _call(call: AggregateCall, rows: list[Row]) -> int | None:
    kept = [row for row in rows if call.filter is None or evaluate(call.filter, row) == 1]
    argument = call.argument
    if argument is None:
        return len(kept)
    if call.kind == "presence":
        return sum(evaluate(argument, row) is not None for row in kept)
    values = [value for value in (_argument(call, row) for row in kept) if value is not None]
    values = list(dict.fromkeys(values)) if call.distinct else values
    by = call.by
    pairs = [] if by is None else [(evaluate(by, row), _argument(call, row)) for row in kept]
    pairs = [(key, value) for key, value in pairs if key is not None and value is not None]
    result: Any
    match call.kind:
        case "count":
            result = len(values)
        case "sum":
            result = sum(values) if values else None
        case "min":
            result = min(values, default=None)
        case "max":
            result = max(values, default=None)
        case "any":
            assert len({evaluate(argument, row) for row in rows}) == 1, "a key does not follow from the others"
            result = evaluate(argument, rows[0])
        case "place":
            assert call.place is not None
            result = sorted(values)[call.place.of(len(values))] if values else None
        case "arg_min":
            result = min(pairs)[1] if pairs else None
        case "arg_max":
            result = min((-key, value) for key, value in pairs)[1] if pairs else None
        case _:
            raise AssertionError(call.kind)
    if call.filled and result is None:
        result = call.filling
    result = result[call.word] if isinstance(result, tuple) else result
    assert result is None or result in call.bounds
    return result  # type: ignore[no-any-return]


def _argument(call: AggregateCall, row: Row) -> Any:
    """A word, or a long text's words as a tuple."""
    assert call.argument is not None
    words = [evaluate(e, row) for e in (call.argument, *call.rest)]
    return words[0] if words[0] is None or not call.rest else tuple(word or 0 for word in words)


def _sort_key(keys: Sequence[SortKey]) -> Callable[[Row], Any]:
    def compare(a: Row, b: Row) -> int:
        for key in keys:
            x, y = _sort_value(key.expression, a), _sort_value(key.expression, b)
            outcome = _compare(x, y, key.descending, key.nulls_first)
            if outcome:
                return outcome
        return 0

    return cmp_to_key(compare)


def _sort_value(e: Expression, row: Row) -> Any:
    if not isinstance(e, Divide):
        return evaluate(e, row)
    numerator, denominator = evaluate(e.numerator, row), evaluate(e.denominator, row)
    assert e.denominator.bounds.low >= 0
    return None if numerator is None or not denominator else Ratio(numerator, denominator)


def _compare(x: Any, y: Any, descending: bool, nulls_first: bool) -> int:
    if x is None or y is None:
        outcome = (x is None) - (y is None)
        return -outcome if nulls_first else outcome
    outcome = (x > y) - (x < y)
    return -outcome if descending else outcome


def answer(delivery: Delivery, tables: Tables) -> list[tuple[Any, ...]]:
    """The rows that the analyst sees, as Python values."""
    rows = [_told(delivery, row) for row in rows_of(delivery.relation, tables)]
    rows = [row for row in rows if delivery.valid is None or row[delivery.valid]]
    decoded = [_output_row(delivery, row) for row in rows]
    if not delivery.ranked and delivery.order:
        decoded.sort(key=_local_key(delivery.order))
    return [
        tuple(
            _shown(value) if column.written or column.kind == "interval" else _python(value, column.type)
            for value, column in zip(row, delivery.columns, strict=True)
        )
        for row in decoded
    ]


def _told(delivery: Delivery, row: Row) -> Row:
    """NULL where a word says so."""
    none = {place for place, by in delivery.nulls if not row[by]}
    return tuple(None if place in none else value for place, value in enumerate(row))


def _output_row(delivery: Delivery, row: Row) -> tuple[Any, ...]:
    values: list[Any] = []
    for column in delivery.columns:
        piece = column.pieces[0]
        if column.kind == "word":
            word = row[piece]
            values.append(Ratio(word, column.divisor) if column.divisor != 1 and word is not None else word)
            continue
        if column.kind == "interval":
            parts = tuple(row[piece] for piece in column.pieces)
            values.append(None if None in parts else Written(*parts if len(parts) == 3 else parts_of_interval(*parts)))
            continue
        if column.kind == "text":
            words = tuple(row[piece] for piece in column.pieces)
            values.append(None if words[0] is None else words)
            continue
        if column.kind in ("plus_root", "plus_signed_root"):
            parts = [
                _output_row(replace(delivery, columns=(replace(column, kind=kind, pieces=(piece,)),)), row)[0]
                for kind, piece in zip(("fraction", column.kind.removeprefix("plus_")), column.pieces, strict=True)
            ]
            assert (parts[0] is None) == (parts[1] is None)
            values.append(None if None in parts else float(parts[0]) + parts[1])
            continue
        fraction = delivery.fractions[piece]
        numerator, denominator = _polynomial(fraction.numerator, row), _polynomial(fraction.denominator, row)
        if numerator is None or not denominator:
            assert column.nullable
            values.append(None)
            continue
        assert 2 * abs(numerator) * abs(denominator) < 2**fraction.field_bits - 1
        ratio = Ratio(numerator, denominator)
        if column.kind == "whole":
            assert denominator == 1
            values.append(numerator)
            continue
        signed = column.kind == "signed_root" and ratio < 0
        root = column.kind in ("root", "signed_root")
        values.append((-math.sqrt(-ratio) if signed else math.sqrt(ratio)) if root else ratio)
    return tuple(values)


def _polynomial(e: Expression, row: Row) -> int | None:
    """A polynomial in a field; only these nodes are allowed, and bounds hold but may exceed 64 bits."""
    match e:
        case Column(index):
            value = row[index]
        case Literal(value):
            pass
        case Add(left, right):
            value = _strict(lambda a, b: a + b, _polynomial(left, row), _polynomial(right, row))
        case Subtract(left, right):
            value = _strict(lambda a, b: a - b, _polynomial(left, row), _polynomial(right, row))
        case Multiply(left, right):
            value = _strict(lambda a, b: a * b, _polynomial(left, row), _polynomial(right, row))
        case Negate(x):
            value = _strict(lambda a: -a, _polynomial(x, row))
        case Rescale(x, exponent):
            value = _strict(lambda a: a * 10**exponent, _polynomial(x, row))
        case _:
            raise AssertionError(f"not a polynomial: {e}")
    assert value is None or value in e.bounds
    return value


def _local_key(order: Sequence[LocalSortKey]) -> Callable[[tuple[Any, ...]], Any]:
    def compare(a: tuple[Any, ...], b: tuple[Any, ...]) -> int:
        for key in order:
            x, y = (row[key.output] for row in (a, b))
            if isinstance(x, tuple) or isinstance(y, tuple):
                x, y = (None if text is None else text[key.word] for text in (x, y))
            outcome = _compare(x, y, key.descending, key.nulls_first)
            if outcome:
                return outcome
        return 0

    return cmp_to_key(compare)


def _shown(value: Any) -> str | None:
    """A DOUBLE or INTERVAL as text."""
    if isinstance(value, Written):
        return interval_text(*value)
    return None if value is None else repr(float(value))


def _python(value: Any, type_: SqlType) -> Any:
    if value is None:
        return None
    match type_:
        case Decimal(_, scale):
            return decimal.Context(prec=90).scaleb(decimal.Decimal(value), -scale)
        case Boolean():
            return bool(value)
        case Date():
            return datetime.date(1970, 1, 1) + datetime.timedelta(days=value)
        case Timestamp():
            return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)
        case Duration():
            return datetime.timedelta(microseconds=round(value))
        case Enum(labels):
            return labels[value]
        case Double():
            return float(value)
        case Text(length):
            return text_of_words(value if isinstance(value, tuple) else (value,), length)
        case _:
            return value
