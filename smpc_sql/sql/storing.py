"""CREATE TABLE AS: the query of the statement as the table that stores its rows, still as shares.

Every row that the plan may yield is stored, and a secret bit says which there are: so nothing but the plan's own upper
bound is known of their number. A quotient is stored as numerator and denominator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from smpc_sql.catalog import Catalog, Origin, Quotient
from smpc_sql.errors import QueryError, SyntaxInvalid, Unsupported, too_deep_is_refused
from smpc_sql.plan.bounds import check_words
from smpc_sql.plan.chance import chosen_once
from smpc_sql.plan.delivery import Delivery, OutputColumn
from smpc_sql.plan.expressions import Divide, Elapsed, Expression, LongText, PlusRoot, Sqrt
from smpc_sql.plan.optimize import RULES, Rule, optimize
from smpc_sql.plan.pairs import check_pairs, check_sizes
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    CrossJoin,
    Field,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Scan,
    Shared,
    Sort,
    Values,
    Window,
    walk,
)
from smpc_sql.plan.uniqueness import unique_keys
from smpc_sql.schema import OWNER_COLUMN, WORD, Boolean, Column, Decimal, Integer, Interval, SqlType, TableSchema
from smpc_sql.sql.bind import QueryBinder
from smpc_sql.sql.hints import Rooms
from smpc_sql.sql.nodes import line_and_column
from smpc_sql.sql.statements import CreateTableAs

MAX_STORED = 1 << 27
"""Rows that a table made from a query may have at most."""

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Storing:
    """What a CREATE TABLE AS stores. The relation's fields are the schema's columns without origin.valid.

    delivery: the relation, for EXPLAIN, bounds and digests; nothing of it is delivered.
    """

    delivery: Delivery
    schema: TableSchema
    origin: Origin

    @property
    def rows(self) -> int:
        """How many rows are stored, valid or not."""
        return self.delivery.relation.max_rows


@too_deep_is_refused()
def compile_table(statement: CreateTableAs, catalog: Catalog, rules: tuple[Rule, ...] = RULES) -> Storing:
    """The plan and the schema of a CREATE TABLE AS; origin.by is left open. Raises QueryError, placed."""
    select = statement.select
    try:
        bound = QueryBinder(catalog, select.text, rooms=Rooms(select.settings)).bind(select.query)
        names = _names(statement, [name for name, _ in bound.columns])
        parts, quotients = _parts(names, [expression for _, expression in bound.columns])
        stored = Project(bound.relation, tuple(e for _, e, _ in parts), tuple(name for name, _, _ in parts))
        relation = optimize(chosen_once(stored), rules)
        check_sizes(relation)
        outputs = tuple(OutputColumn(f.name, f.type, "word", (i,), f.nullable) for i, f in enumerate(stored.fields))
        delivery = Delivery(relation, outputs, (), (), ranked=False)
        check_words(delivery)
        check_pairs(relation)
        if relation.max_rows > MAX_STORED:
            raise Unsupported(f"a table of up to {relation.max_rows} rows: at most {MAX_STORED} are supported")
        schema, valid = _schema(statement.name, relation, parts)
        return Storing(delivery, schema, _origin(bound.relation, catalog, valid, quotients))
    except QueryError as error:
        if error.line:
            raise
        line, column = line_and_column(select.text, select.start)
        raise type(error)(error.message, line=line, column=column) from error


def _names(statement: CreateTableAs, given: Sequence[str]) -> list[str]:
    """The columns' names: those that the statement lists, then the query's."""
    if len(statement.columns) > len(given):
        raise SyntaxInvalid(f"{len(statement.columns)} names are given for {len(given)} columns")
    names = [*statement.columns, *given[len(statement.columns) :]]
    lowered = [name.lower() for name in names]
    for name in names:
        if lowered.count(name.lower()) > 1:
            raise SyntaxInvalid(f"two columns would be called {name}; give one an alias")
        if name.lower() == OWNER_COLUMN:
            raise Unsupported(f"a column cannot be called {name}: every table has a pseudo-column {OWNER_COLUMN}")
        if len(name) > _LONGEST_NAME:
            raise Unsupported(f"the name of the column {name[:50]}… is too long; give it an alias")
    return names


_Part = tuple[str, Expression, "Column | None"]
"""A column of words: its name, what it holds, and of a long text's word the whole column."""


def _parts(names: Sequence[str], expressions: Sequence[Expression]) -> tuple[list[_Part], tuple[Quotient, ...]]:
    """What is stored: words as they are, of a quotient its two parts, of a long text its words."""
    parts: list[_Part] = []
    quotients = []
    for name, expression in zip(names, expressions, strict=True):
        root: Literal["", "root", "signed_root"] = ""
        quotient = expression
        if isinstance(expression, Sqrt):
            root, quotient = "signed_root" if expression.signed else "root", expression.x
        if isinstance(expression, LongText):
            whole = Column(name, expression.type, expression.nullable, expression.bounds)
            parts += [(c.name, word, whole) for c, word in zip(whole.stored, expression.words, strict=True)]
            continue
        if isinstance(expression, Elapsed):
            raise Unsupported(f"{name}: a column of INTERVAL is not supported; EXTRACT(EPOCH FROM …) makes it a number")
        if isinstance(quotient, PlusRoot):
            raise Unsupported(f"{name}: a column of a sum with a square root is not supported; store both parts of it")
        if not isinstance(quotient, Divide):
            parts.append((name, expression, None))
            continue
        above, below = (_free(f"({name} {what})", names) for what in ("numerator", "denominator"))
        for part in (quotient.numerator, quotient.denominator):
            _check_part(name, part)
        parts += [(above, quotient.numerator, None), (below, quotient.denominator, None)]
        quotients.append(Quotient(name, above, below, root))
    lowered = [name.lower() for name, _, _ in parts]
    if len(set(lowered)) < len(lowered):
        raise SyntaxInvalid("a column has the name of a word of another column; give it an alias")
    return parts, tuple(quotients)


def _check_part(name: str, part: Expression) -> None:
    if part.bounds.low not in WORD or part.bounds.high not in WORD:
        raise Unsupported(
            f"column {name} is stored as a numerator and a denominator, of which one could be anywhere "
            f"in {part.bounds}, which exceeds 64 bits; store the sums and counts that it is made of, "
            "or declare tighter bounds"
        )


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "'"
    return name


def _schema(table: str, relation: Relation, parts: Sequence[_Part]) -> tuple[TableSchema, str]:
    """The stored columns, and which one says which rows are valid."""
    columns: list[Column] = []
    names = [name if whole is None else whole.name for name, _, whole in parts]
    for (name, _, whole), field in zip(parts, relation.fields, strict=True):
        if whole is None:
            columns.append(Column(name, _stored_type(field), field.nullable, field.bounds))
        elif name == whole.name:
            columns.append(replace(whole, nullable=field.nullable))
    valid = ""
    if not _all_valid(relation):
        valid = _free("(valid)", names)
        columns.append(Column(valid, Boolean(), False, Interval(0, 1)))
    keys = (tuple(dict.fromkeys(names[i] for i in sorted(key))) for key in unique_keys(relation) if key)
    return TableSchema(table, tuple(columns), (), tuple(dict.fromkeys(keys))), valid


def _stored_type(field: Field) -> SqlType:
    """The field's type, made wide enough for its bounds: arithmetic here is wider than types are."""
    largest = max(abs(field.bounds.low), abs(field.bounds.high))
    match field.type:
        case Integer(bits):
            return Integer(max(bits, next(b for b in (8, 16, 32, 64, 128) if largest < 1 << (b - 1))))
        case Decimal(precision, scale):
            return Decimal(min(38, max(precision, len(str(largest)), scale)), scale)
        case other:
            return other


def _all_valid(relation: Relation) -> bool:
    """Whether every row of the relation is known to be there."""
    match relation:
        case Scan() | Values():
            return True
        case Shared(single=True):
            return True
        case Project(source) | Sort(source) | Window(source) | Shared(source):
            return _all_valid(source)
        case Aggregate(_, keys):
            return not keys
        case CrossJoin(left, right):
            return _all_valid(left) and _all_valid(right)
        case Join(left, _, kind):
            return kind != "inner" and _all_valid(left)
        case Concat(inputs):
            return all(map(_all_valid, inputs))
        case Filter() | Limit():
            return False
        case _:
            assert_never(relation)


def _origin(relation: Relation, catalog: Catalog, valid: str, quotients: tuple[Quotient, ...]) -> Origin:
    tables = tuple(sorted({node.table for node in walk(relation) if isinstance(node, Scan)}))
    entries = [catalog.table(table) for table in tables]
    owners = {owner for e in entries for owner in (e.owners if e.origin is None else e.origin.owners)}
    return Origin("", tables, tuple(sorted(owners)), valid, quotients)


def made_by(storing: Storing, client: str) -> Origin:
    """The origin, with who asked."""
    return replace(storing.origin, by=client)
