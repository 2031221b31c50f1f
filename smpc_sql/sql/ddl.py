"""CREATE TABLE to TableSchema: types, and from CHECK, NOT NULL and keys what is known of the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from sqlglot import exp

from smpc_sql.errors import SyntaxInvalid, TypeMismatch, UnknownName, Unsupported
from smpc_sql.schema import (
    DOUBLE_DECIMALS,
    DOUBLE_LIMIT,
    LONGEST_TEXT,
    OWNER_COLUMN,
    Column,
    Date,
    Decimal,
    Double,
    Enum,
    Integer,
    Interval,
    SqlType,
    TableSchema,
    Text,
    Timestamp,
    scale_of,
    type_bounds,
)
from smpc_sql.sql.literals import days, timestamp_literal
from smpc_sql.sql.nodes import construct, located, only, show
from smpc_sql.sql.types import is_text_type, to_type

_MAX_COLUMNS = 4096
_MIRRORED = {exp.GTE: exp.LTE, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.LT: exp.GT, exp.EQ: exp.EQ}


def bind_create_table(node: exp.Create, text: str) -> TableSchema:
    """The schema that a CREATE TABLE declares. Raises QueryError with line and column."""
    with located(node, text):
        if not isinstance(node.this, exp.Schema):
            raise Unsupported("CREATE TABLE without a list of columns is not supported")
        only(node, "this", "kind", "exists", "replace")
        with located(node.this.this, text):
            only(node.this.this, "this")
    return _Table(node.this.this.name, text).bind(node.this.expressions)


@dataclass(slots=True)
class _Table:
    """Collects columns and constraints; the order in which they stand does not matter."""

    name: str
    text: str

    def bind(self, items: list[exp.Expr]) -> TableSchema:
        definitions = [item for item in items if isinstance(item, exp.ColumnDef)]
        decimals, dictionaries = _decimals(items), _dictionaries(items)
        columns = [self._column(definition, decimals, dictionaries) for definition in definitions]
        if not columns or len(columns) > _MAX_COLUMNS:
            raise SyntaxInvalid(f"table {self.name} needs 1 to {_MAX_COLUMNS} columns")
        names = [stored.name.lower() for column in columns for stored in column.stored]
        if len(names) > _MAX_COLUMNS:
            raise Unsupported(f"table {self.name}: its VARCHARs need {len(names)} words; {_MAX_COLUMNS} are supported")
        for definition, column in zip(definitions, columns, strict=True):
            for name in (stored.name.lower() for stored in column.stored):
                if names.count(name) > 1:
                    with located(definition, self.text):
                        raise SyntaxInvalid(f"column {name} is declared twice")
        schema = TableSchema(self.name, tuple(columns))
        for definition in definitions:
            for constraint in definition.args.get("constraints") or ():
                with located(definition, self.text), located(constraint, self.text):
                    schema = self._column_constraint(schema, definition.name, constraint.kind)
        for item in items:
            if not isinstance(item, exp.ColumnDef):
                with located(item, self.text):
                    schema = self._table_constraint(schema, item)
        return replace(schema, columns=tuple(map(_limited, schema.columns)))

    def _column(
        self, definition: exp.ColumnDef, decimals: Mapping[str, int], dictionaries: Mapping[str, Enum]
    ) -> Column:
        with located(definition, self.text):
            only(definition, "this", "kind", "constraints")
            name = definition.name
            if name.lower() == OWNER_COLUMN:
                raise Unsupported(f"a column cannot be named {name}: every table has a pseudo-column {OWNER_COLUMN}")
            if definition.kind is None:
                raise SyntaxInvalid(f"column {name} needs a type")
            dictionary = dictionaries.get(name.lower()) if is_text_type(definition.kind) else None
            type_ = dictionary or _column_type(definition.kind, name)
            if isinstance(type_, Text) and _is_collated(definition):
                type_ = Text(type_.length, ascii=False)
            if isinstance(type_, Double):
                type_ = Double(decimals.get(name.lower(), DOUBLE_DECIMALS))
            return Column(name, type_, True, type_bounds(type_))

    def _column_constraint(self, schema: TableSchema, name: str, kind: exp.Expr) -> TableSchema:
        match kind:
            case exp.NotNullColumnConstraint():
                return schema if kind.args.get("allow_null") else _not_null(schema, (name,))
            case exp.PrimaryKeyColumnConstraint():
                return self._primary_key(schema, (name,))
            case exp.UniqueColumnConstraint():
                return replace(schema, unique=(*schema.unique, (name,)))
            case exp.CheckColumnConstraint():
                return _check(schema, kind.this)
            case exp.Reference():
                return schema  # a note for people: neither checked nor relied on
            case exp.CollateColumnConstraint():
                column = schema.column(name)
                if not kind.this.name.upper() == "C" or column is None or not isinstance(column.type, Text):
                    raise Unsupported("a COLLATE other than VARCHAR(…) COLLATE C is not supported")
                return schema
            case _:
                raise Unsupported(f"{_constraint_name(kind)} is not supported")

    def _table_constraint(self, schema: TableSchema, item: exp.Expr) -> TableSchema:
        match item:
            case exp.Constraint():
                for inner in item.expressions:
                    schema = self._table_constraint(schema, inner)
                return schema
            case exp.PrimaryKey():
                return self._primary_key(schema, _key(schema, item.expressions))
            case exp.UniqueColumnConstraint(this=exp.Schema()):
                return replace(schema, unique=(*schema.unique, _key(schema, item.this.expressions)))
            case exp.CheckColumnConstraint():
                return _check(schema, item.this)
            case exp.ForeignKey():
                _key(schema, item.expressions)
                return schema  # a note for people: neither checked nor relied on
            case _:
                raise Unsupported(f"{_constraint_name(item)} is not supported")

    def _primary_key(self, schema: TableSchema, names: tuple[str, ...]) -> TableSchema:
        if schema.primary_key:
            raise SyntaxInvalid(f"table {schema.name} has two primary keys")
        return replace(_not_null(schema, names), primary_key=names)


def _column_type(data_type: exp.DataType, name: str) -> SqlType:
    if is_text_type(data_type):
        return _text_type(data_type, name)
    type_ = to_type(data_type)
    if isinstance(type_, Decimal) and type_.precision > 18:
        raise Unsupported(f"type {type_} of column {name} is not supported: at most 18 digits are")
    return type_


def _is_collated(definition: exp.ColumnDef) -> bool:
    """Whether COLLATE says that a text is compared by its bytes, whatever its characters."""
    constraints = definition.args.get("constraints") or ()
    return any(isinstance(constraint.kind, exp.CollateColumnConstraint) for constraint in constraints)


def _limited(column: Column) -> Column:
    """A DOUBLE column within the default limit, on every side where no CHECK has set a bound."""
    if not isinstance(column.type, Double):
        return column
    widest, bounds = type_bounds(column.type), column.bounds
    limit = min(DOUBLE_LIMIT * 10 ** scale_of(column.type), widest.high)
    low = -limit if bounds.low == widest.low and bounds.high >= -limit else bounds.low
    high = limit if bounds.high == widest.high and bounds.low <= limit else bounds.high
    return replace(column, bounds=Interval(low, high))


def _text_type(data_type: exp.DataType, name: str) -> Text:
    """VARCHAR(n)."""
    length = next((int(part.name) for part in data_type.expressions if part.name.isdigit()), 0)
    if not 1 <= length <= LONGEST_TEXT:
        written = f"VARCHAR({length})" if length else "VARCHAR without a length"
        raise Unsupported(
            f"type {written} of column {name} is not supported; VARCHAR(1) to VARCHAR({LONGEST_TEXT}) are, "
            "and ENUM('…', '…'), a public dictionary"
        )
    return Text(length)


def _constraint_name(node: exp.Expr) -> str:
    return construct(node).removesuffix(" COLUMN CONSTRAINT")


def _key(schema: TableSchema, parts: list[exp.Expr]) -> tuple[str, ...]:
    names = []
    for part in parts:
        column = schema.column(part.name)
        if column is None:
            raise UnknownName(f"column {part.name} does not exist in table {schema.name}")
        names.append(column.name)
    return tuple(names)


def _not_null(schema: TableSchema, names: tuple[str, ...]) -> TableSchema:
    lowered = {name.lower() for name in names}
    columns = (replace(c, nullable=c.nullable and c.name.lower() not in lowered) for c in schema.columns)
    return replace(schema, columns=tuple(columns))


def _check(schema: TableSchema, condition: exp.Expr) -> TableSchema:
    """A conjunction of bounds of single columns."""
    match condition:
        case exp.Paren():
            return _check(schema, condition.this)
        case exp.And():
            for term in condition.flatten():
                schema = _check(schema, term)
            return schema
        case exp.Between():
            only(condition, "this", "low", "high")
            column = _checked_column(schema, condition.this)
            low, high = (_constant(condition.args[side], column.type) for side in ("low", "high"))
            return _bounded(schema, column, low, high)
        case exp.In():
            only(condition, "this", "expressions")
            return _check_in(schema, condition)
        case exp.GTE() | exp.LTE() | exp.GT() | exp.LT() | exp.EQ():
            return _check_comparison(schema, condition)
        case _:
            raise Unsupported(f"CHECK ({show(condition)}) is not supported; bounds as in x BETWEEN 0 AND 9 are")


_MOST_DECIMALS = 18


def _decimals(items: list[exp.Expr]) -> dict[str, int]:
    """What CHECK (x = ROUND(x, n)) says: how many decimals are kept of a DOUBLE column, by its lower-case name."""
    found = {}
    for node in (equality for item in items for equality in item.find_all(exp.EQ)):
        rounding = _rounding(node)
        if rounding is not None:
            found[rounding[0]] = rounding[1]
    return found


def _rounding(node: exp.Expr) -> tuple[str, int] | None:
    """(x in lower case, n) of x = ROUND(x, n)."""
    for column, rounded in ((node.this, node.expression), (node.expression, node.this)):
        if not isinstance(column, exp.Column) or not isinstance(rounded, exp.Round) or rounded.this != column:
            continue
        digits = rounded.args.get("decimals")
        if isinstance(digits, exp.Literal) and digits.this.isdecimal() and int(digits.this) <= _MOST_DECIMALS:
            return column.name.lower(), int(digits.this)
    return None


def _dictionaries(items: list[exp.Expr]) -> dict[str, Enum]:
    """What CHECK (x IN ('a', 'b')) says of text: its published dictionary, in the order of text; by lower-case name."""
    found = {}
    for node in (membership for item in items for membership in item.find_all(exp.In)):
        labels = [item.this for item in node.expressions if isinstance(item, exp.Literal) and item.is_string]
        if isinstance(node.this, exp.Column) and labels and len(labels) == len(node.expressions):
            found[node.this.name.lower()] = Enum(tuple(sorted(set(labels), key=str.encode)))
    return found


def _check_comparison(schema: TableSchema, node: exp.Binary) -> TableSchema:
    rounding = _rounding(node) if isinstance(node, exp.EQ) else None
    rounded = None if rounding is None else schema.column(rounding[0])
    if rounded is not None and isinstance(rounded.type, Double):
        return schema
    kind, left, right = type(node), node.this, node.expression
    if isinstance(right.unnest(), exp.Column):
        kind, left, right = _MIRRORED[kind], right, left
    column = _checked_column(schema, left)
    value = _constant(right, column.type)
    step = 1 if value.denominator == 1 else 0  # x > 3 is x >= 4; x > 3.5 is rounded inwards anyway
    if kind is exp.EQ:
        return _bounded(schema, column, value, value)
    if kind in (exp.GTE, exp.GT):
        return _bounded(schema, column, value + (step if kind is exp.GT else 0), None)
    return _bounded(schema, column, None, value - (step if kind is exp.LT else 0))


def _check_in(schema: TableSchema, node: exp.In) -> TableSchema:
    named = schema.column(node.this.name) if isinstance(node.this, exp.Column) else None
    if named is not None and isinstance(named.type, Enum):
        if {item.this for item in node.expressions} != set(named.type.labels):
            raise Unsupported(
                f"CHECK ({show(node)}) of some of an ENUM's labels is not supported; declare fewer labels"
            )
        return schema
    column = _checked_column(schema, node.this)
    values = sorted({_constant(item, column.type) for item in node.expressions})
    if not values or any(value.denominator != 1 for value in values):
        raise TypeMismatch(f"CHECK ({show(node)}): a value does not fit {column.type}")
    if values[-1] - values[0] != len(values) - 1:
        raise Unsupported(f"CHECK ({show(node)}) with gaps between its values is not supported; bounds are, or an ENUM")
    return _bounded(schema, column, values[0], values[-1])


def _checked_column(schema: TableSchema, node: exp.Expr) -> Column:
    node = node.unnest()
    if not isinstance(node, exp.Column):
        raise Unsupported(f"CHECK of {show(node)} is not supported; bounds of a column are")
    column = schema.column(node.name)
    if column is None or node.table:
        raise UnknownName(f"column {show(node)} does not exist in table {schema.name}")
    if not isinstance(column.type, Integer | Decimal | Date | Timestamp | Double):
        raise Unsupported(f"CHECK of column {column.name}, which is {_short(column.type)}, is not supported")
    return column


def _short(type_: SqlType) -> str:
    return "an ENUM" if isinstance(type_, Enum) else str(type_)


def _constant(node: exp.Expr, type_: SqlType) -> Fraction:
    """A constant as a multiple of the type's unit, maybe a broken one."""
    node = node.unnest()
    if isinstance(node, exp.Neg):
        return -_constant(node.this, type_)
    if isinstance(node, exp.Cast) and to_type(node.to) == type_ and isinstance(type_, Date | Timestamp):
        node = node.this
    if isinstance(node, exp.Literal) and len(node.this) <= 50:
        if node.is_string and isinstance(type_, Date):
            return Fraction(days(node.this))
        if node.is_string and isinstance(type_, Timestamp):
            return Fraction(timestamp_literal(node.this).value or 0)
        if not node.is_string and not isinstance(type_, Date | Timestamp):
            try:
                return Fraction(node.this.replace("_", "")) * Fraction(10) ** scale_of(type_)
            except ValueError:
                raise TypeMismatch(f"CHECK: {show(node)} is not a number") from None
    raise TypeMismatch(f"CHECK: {show(node)} is not a constant {type_}")


def _bounded(schema: TableSchema, column: Column, low: Fraction | None, high: Fraction | None) -> TableSchema:
    """The schema with a column's bounds narrowed."""
    old = column.bounds
    least = old.low if low is None else max(old.low, ceil(low))
    most = old.high if high is None else min(old.high, floor(high))
    if least > most:
        raise TypeMismatch(f"the CHECKs of column {column.name} allow no value")
    narrowed = replace(column, bounds=Interval(least, most))
    columns = tuple(narrowed if c.name == column.name else c for c in schema.columns)
    return replace(schema, columns=columns)
