"""Stored tables, as FROM reads them: their words, and the columns that these make."""

from __future__ import annotations

from collections.abc import Mapping

from smpc_sql.catalog import Quotient, TableEntry
from smpc_sql.plan.expressions import Column, Divide, Expression, Literal, Sqrt
from smpc_sql.plan.relations import Field, Filter, Scan
from smpc_sql.schema import OWNER_COLUMN, Double, Enum, SqlType, Text, type_bounds
from smpc_sql.schema import Column as Declared
from smpc_sql.sql.coercion import as_quotient
from smpc_sql.sql.scope import Name, Scope
from smpc_sql.sql.text import joined


def scan_of(entry: TableEntry) -> Scope:
    """A stored table's rows, and the columns that a query sees."""
    schema, origin = entry.schema, entry.origin
    owner = Enum(entry.owners or ("",))
    fields = tuple(Field(c.name, _word_type(c.type), c.nullable, c.bounds) for c in schema.stored)
    last = Field(OWNER_COLUMN, owner, False, type_bounds(owner), public=True)
    keys = tuple(
        tuple(part.name for name in key if (c := schema.column(name)) is not None for part in c.stored)
        for key in entry.keys
        if key not in entry.violated
    )
    scan = Scan(schema.name, (*fields, last), tuple((f.owner, f.rows) for f in entry.fragments), keys)
    places = {f.name: scan.column(i) for i, f in enumerate(scan.fields)}
    relation = Filter(scan, places[origin.valid]) if origin is not None and origin.valid else scan
    quotients = () if origin is None else origin.quotients
    known: dict[str, Expression] = {c.name: _of_words(c, places) for c in schema.columns}
    known |= {q.name: _quotient(q, places) for q in quotients}
    seen = [Name("", name, known[name]) for name, _, _ in entry.visible]
    return Scope(relation, (*seen, Name("", OWNER_COLUMN, places[OWNER_COLUMN], starred=False)))


def _of_words(column: Declared, places: Mapping[str, Column]) -> Expression:
    """A column, in its words."""
    words = [places[part.name] for part in column.stored]
    if isinstance(column.type, Double):
        return as_quotient(words[0])
    return joined(words, column.type) if isinstance(column.type, Text) else words[0]


def _quotient(quotient: Quotient, places: Mapping[str, Column]) -> Expression:
    """What a table keeps as numerator and denominator."""
    denominator: Expression = places[quotient.denominator]
    if denominator.bounds.size == 1 and not denominator.nullable:
        denominator = Literal(denominator.bounds.low, denominator.type)
    divide = Divide(places[quotient.numerator], denominator)
    return Sqrt(divide, quotient.root == "signed_root") if quotient.root else divide


def _word_type(type_: SqlType) -> SqlType:
    """The type of the words: those of a DOUBLE column are a DECIMAL's."""
    return type_.kept if isinstance(type_, Double) else type_
