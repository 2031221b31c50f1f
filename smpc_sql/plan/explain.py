"""Plans as text: deterministic, SQL-like, parenthesised. The text is a fixture, what a digest hashes, what a user sees.

Constants print at their scale (1.50), dates and labels quoted. A column prints by name; with #position after it where
its input has the name twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal as PythonDecimal
from typing import assert_never

from smpc_sql.catalog import Catalog
from smpc_sql.errors import InternalError
from smpc_sql.plan.delivery import Delivery, Fraction, LocalSortKey, OutputColumn
from smpc_sql.plan.expressions import (
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
from smpc_sql.plan.frames import UP_TO_PEERS
from smpc_sql.plan.relations import (
    MAX_PRODUCT,
    Aggregate,
    Concat,
    CrossJoin,
    Expansion,
    Field,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Scan,
    Shared,
    Sized,
    Sort,
    SortKey,
    Values,
    Window,
    WindowCall,
    sources,
)
from smpc_sql.schema import Boolean, Date, Decimal, Enum, SqlType, Text, Timestamp, type_bounds

_EPOCH = date(1970, 1, 1)
_MIDNIGHT = datetime(1970, 1, 1)


def explain_value(value: int | None, type_: SqlType) -> str:
    """A scaled integer as SQL writes it."""
    if value is None:
        return "NULL"
    match type_:
        case Decimal(_, scale):
            return format(PythonDecimal(value).scaleb(-scale), "f") if scale < 30 else f"{value}e-{scale}"
        case Date() if -719162 <= value <= 2932896:
            return f"'{_EPOCH + timedelta(days=value)}'"
        case Timestamp() if value in type_bounds(type_):
            return f"'{_MIDNIGHT + timedelta(microseconds=value)}'"
        case Enum(labels) if 0 <= value < len(labels):
            return "'" + labels[value].replace("'", "''") + "'"
        case Text(length):
            return f"x'{value.to_bytes(length, 'big').hex()}'"
        case Boolean():
            return "TRUE" if value else "FALSE"
        case _:
            return str(value)


def explain_expression(e: Expression | AggregateCall, names: Sequence[str] | None = None) -> str:
    """An expression as text. names: how the input's fields print; None takes the names that columns carry."""

    def show(x: Expression) -> str:
        return explain_expression(x, names)

    match e:
        case Column(index, name):
            return name if names is None else names[index]
        case Literal(value, type_):
            return explain_value(value, type_)
        case Add(left, right):
            return f"({show(left)} + {show(right)})"
        case Subtract(left, right):
            return f"({show(left)} - {show(right)})"
        case Multiply(left, right):
            return f"({show(left)} * {show(right)})"
        case Negate(x):
            return f"(-{show(x)})"
        case Rescale(x, exponent, type_):
            return f"rescale({show(x)}, {exponent}, {type_})"
        case FromBoolean(x):
            return f"int({show(x)})"
        case Less(left, right):
            return f"({show(left)} < {show(right)})"
        case Equal(left, right):
            return f"({show(left)} = {show(right)})"
        case InSet(x, codes):
            return f"({show(x)} IN ({', '.join(explain_value(code, x.type) for code in codes)}))"
        case IsNull(x):
            return f"({show(x)} IS NULL)"
        case Not(x):
            return f"(NOT {show(x)})"
        case And(terms):
            return "(" + " AND ".join(map(show, terms)) + ")"
        case Or(terms):
            return "(" + " OR ".join(map(show, terms)) + ")"
        case Case(branches, default):
            arms = " ".join(f"WHEN {show(condition)} THEN {show(value)}" for condition, value in branches)
            return f"(CASE {arms} ELSE {show(default)} END)"
        case Lookup(x, table, type_):
            return f"lookup({show(x)}, [{_table(table, type_)}])"
        case FloorDivide(x, divisor):
            return f"floor({show(x)} / {divisor})"
        case WholeQuotient(numerator, denominator, places):
            power = f" * 2^{places}" if places else ""
            return f"floor({show(numerator)}{power} / {show(denominator)})"
        case WholeRoot(x):
            return f"floor(sqrt({show(x)}))"
        case LongQuotient(digits, divisors, _, places):
            power = f" * 2^{places}" if places else ""
            return f"floor(digits({', '.join(map(show, digits))}){power} / ({' * '.join(map(show, divisors))}))"
        case QuotientDigit(x, place):
            return f"digit({show(x)}, {place})"
        case Remainder(x, divisor):
            return f"({show(x)} mod {divisor})"
        case Within(x, interval):
            return f"within({show(x)}, {interval})"
        case LongText(words):
            return f"text({' '.join(map(show, words))})"
        case TextCall(function, operands):
            return function.show([show(operand) for operand in operands])
        case Divide(numerator, denominator):
            return f"({show(numerator)} / {show(denominator)})"
        case Elapsed():
            return f"interval({' '.join(map(show, e.parts))})"
        case WrittenDouble(x):
            return f"text({show(x)})"
        case PlusRoot(x, root):
            return f"({show(x)} + {show(root)})"
        case Sqrt(x, signed):
            return f"{'signed_' if signed else ''}sqrt({show(x)})"
        case AggregateCall(kind, argument, filter_):
            each = "DISTINCT " if e.distinct else ""
            of = " ".join(show(word) for word in (argument, *e.rest) if word is not None)
            more = "".join(f", {x}" for x in (e.place, None if e.by is None else show(e.by)) if x is not None)
            word = f"[{e.word + 1}]" if e.rest else ""
            call = f"{kind}({each}{of}{more}){word}"
            if argument is None:
                call = "presence(*)" if kind == "presence" else "count(*)"
            call = call if filter_ is None else f"{call} FILTER (WHERE {show(filter_)})"
            return f"coalesce({call}, {explain_value(e.filling, e.type)})" if e.filled else call
        case _:
            assert_never(e)


def _table(table: tuple[int, ...], type_: SqlType) -> str:
    """A long table is abbreviated by its digest, which is as telling to a machine."""
    if len(table) <= 16:
        return ", ".join(explain_value(value, type_) for value in table)
    digest = hashlib.sha256(",".join(map(str, table)).encode()).hexdigest()[:16]
    return f"{len(table)} values, sha256 {digest}"


def field_names(fields: tuple[Field, ...]) -> tuple[str, ...]:
    """How the fields of a relation print: by name, with #position where a name occurs twice."""
    counts = Counter(field.name for field in fields)
    return tuple(field.name if counts[field.name] == 1 else f"{field.name}#{i}" for i, field in enumerate(fields))


def explain_relation(relation: Relation) -> str:
    """A relation and all below, one per line, parents first, sources indented; what is shared once, with a number."""
    return "\n".join(_lines(relation, 0, {}))


def _lines(relation: Relation, depth: int, numbers: dict[str, int]) -> list[str]:
    indent = "  " * depth
    if isinstance(relation, Shared):
        known = numbers.get(relation.digest)
        if known is not None:
            return [f"{indent}Shared {known}, see above"]
        numbers[relation.digest] = len(numbers) + 1
        line = f"Shared {numbers[relation.digest]}: {', '.join(field_names(relation.fields))}"
    else:
        line = _line(relation)
    return [indent + line, *(below for source in sources(relation) for below in _lines(source, depth + 1, numbers))]


def _line(relation: Relation) -> str:
    match relation:
        case Values():
            return "Values: one row"
        case Scan(table, fields, fragments):
            columns = ", ".join(map(_field, fields))
            rows = ", ".join(f"{owner} {rows}" for owner, rows in fragments)
            return f"Scan {table}: {columns}; rows: {rows or 'none'}"
        case CrossJoin(_, right):
            what = "one row" if right.max_rows == 1 else "every row"
            return f"CrossJoin with {what}: {', '.join(field_names(relation.fields))}"
        case Join(left, right, kind, left_keys, right_keys, null_safe):
            lefts, rights = field_names(left.fields), field_names(right.fields)
            pairs = zip(left_keys, right_keys, strict=True)
            on = ", ".join(f"{explain_expression(x, lefts)} = {explain_expression(y, rights)}" for x, y in pairs)
            how = " NULLs alike" if null_safe else ""
            if relation.expansion is not None:
                how = _pairs(relation.expansion, relation.max_rows)
            return f"Join {kind}: {on}{how}: {', '.join(field_names(relation.fields))}"
        case Concat():
            return f"Concat: {', '.join(field_names(relation.fields))}"
        case Limit(_, count, offset):
            return f"Limit: {'all' if count is None else count} after {offset}"
        case Filter(source, predicate):
            return f"Filter: {explain_expression(predicate, field_names(source.fields))}"
        case Project(source, expressions, names):
            inner = field_names(source.fields)
            return "Project: " + ", ".join(map(lambda e, n: _named(e, n, inner), expressions, names))
        case Aggregate(source, keys, key_names, calls, call_names):
            inner = field_names(source.fields)
            by = ", ".join(map(lambda e, n: _named(e, n, inner), keys, key_names))
            of = ", ".join(map(lambda e, n: _named(e, n, inner), calls, call_names))
            how = "all groups" if relation.every else "groups" if relation.enumerated else "sorted groups, at most"
            return f"Aggregate: {of or 'nothing'}; by: {by or 'nothing'}; {how}: {relation.max_rows}"
        case Window(source, partition, order, calls, call_names):
            inner = field_names(source.fields)
            of = ", ".join(map(lambda c, n: f"{_window_call(c, inner)} AS {n}", calls, call_names))
            by = ", ".join(explain_expression(key, inner) for key in partition) or "nothing"
            return f"Window: {of}; by: {by}; order: {', '.join(_sort_key(key, inner) for key in order)}"
        case Shared():
            raise InternalError("what is shared prints by its number")
        case Sort(source, keys):
            return "Sort: " + ", ".join(_sort_key(key, field_names(source.fields)) for key in keys)
        case _:
            assert_never(relation)


def _window_call(call: WindowCall, inner: Sequence[str]) -> str:
    arguments = [] if call.argument is None else [explain_expression(call.argument, inner)]
    arguments += [str(call.offset)] if call.offset else []
    frame = "" if call.frame == UP_TO_PEERS else f" {call.frame}"
    return f"{call.kind}({', '.join(arguments)}){frame}"


def _field(field: Field) -> str:
    null = " NULL" if field.nullable else ""
    if isinstance(field.type, Boolean | Enum):
        return f"{field.name} {field.type}{null}"
    low, high = (explain_value(value, field.type) for value in (field.bounds.low, field.bounds.high))
    return f"{field.name} {field.type} {low}..{high}{null}"


def _named(e: Expression | AggregateCall, name: str, inner: Sequence[str]) -> str:
    text = explain_expression(e, inner)
    return text if text == name else f"{text} AS {name}"


def _sort_key(key: SortKey, inner: Sequence[str]) -> str:
    order = "DESC" if key.descending else "ASC"
    return f"{explain_expression(key.expression, inner)} {order} NULLS {'FIRST' if key.nulls_first else 'LAST'}"


def explain_delivery(delivery: Delivery) -> str:
    """What the analyst gets, then the relation it is read from."""
    names = field_names(delivery.relation.fields)
    lines = ["Deliver: " + ", ".join(_output(column, delivery, names) for column in delivery.columns)]
    if delivery.ranked:
        lines.append("Order: by rank")
    elif delivery.order:
        lines.append("Order: by output " + ", ".join(map(_local_key, delivery.order)))
    told = [f"{names[place]} is NULL where {names[by]} = 0" for place, by in delivery.nulls]
    if delivery.valid is not None:
        told.append(f"no row where {names[delivery.valid]} = 0")
    if told:
        lines.append("Told by words: " + "; ".join(told))
    return "\n".join([*lines, explain_relation(delivery.relation)])


def _local_key(key: LocalSortKey) -> str:
    word = f"[{key.word + 1}]" if key.word else ""
    order = f"{'DESC' if key.descending else 'ASC'} NULLS {'FIRST' if key.nulls_first else 'LAST'}"
    return f"{key.output + 1}{word} {order}"


def _fraction(fraction: Fraction, names: Sequence[str]) -> str:
    numerator, denominator = (explain_expression(e, names) for e in (fraction.numerator, fraction.denominator))
    return f"{numerator} / {denominator} mod 2^{fraction.field_bits} - 1"


def _output(column: OutputColumn, delivery: Delivery, names: Sequence[str]) -> str:
    piece = column.pieces[0]
    if column.kind in ("word", "text", "interval"):
        text = " ".join(names[piece] for piece in column.pieces)
        text += "" if column.divisor == 1 else f" / {column.divisor}"
    else:
        text = _fraction(delivery.fractions[piece], names)
        if column.kind in ("plus_root", "plus_signed_root"):
            text += " + "
            piece = column.pieces[1]
        root = _fraction(delivery.fractions[piece], names)
        text = {
            "root": f"sqrt({root})",
            "signed_root": f"signed_sqrt({root})",
            "plus_root": f"{text}sqrt({root})",
            "plus_signed_root": f"{text}signed_sqrt({root})",
        }.get(column.kind, text)
    null = " NULL" if column.nullable else ""
    return f"{text} AS {column.name} {column.type}{null}"


def _pairs(expansion: Expansion, rows: int) -> str:
    if expansion.sized is None or (expansion.limit is None and rows <= MAX_PRODUCT):
        return f", at most {rows} pairs"
    if expansion.limit is None:
        return f", as many pairs as are opened{rounded(expansion.sized)}"
    return f", {rows} pairs{rounded(expansion.sized)}"


def rounded(sized: Sized) -> str:
    """How a size is rounded before it is opened."""
    if sized.step == 0:
        return ", rounded up to a power of two"
    return "" if sized.step == 1 else f", rounded up to a multiple of {sized.step}"


def size_digest(join: Join, catalog: Catalog, version: str) -> bytes:
    """The same as `plan_digest`, for the plan that opens the size of a join."""
    return _digest(b"smpc_sql size", explain_relation(join), catalog, version)


def plan_digest(delivery: Delivery, catalog: Catalog, version: str) -> bytes:
    """SHA-256 of what parties must agree on before they touch a share: the plan, the catalog, the version."""
    return _digest(b"smpc_sql plan", explain_delivery(delivery), catalog, version)


def _digest(kind: bytes, plan: str, catalog: Catalog, version: str) -> bytes:
    parts = [kind, plan.encode(), catalog.digest(), version.encode()]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
