"""A catalog's entries as plain JSON values, and back: whatever is stored or received is validated."""

from __future__ import annotations

import re
from typing import Any

from smpc_sql.catalog_entries import Fragment, Origin, Quotient, TableEntry, Verdict, View
from smpc_sql.errors import SmpcError
from smpc_sql.schema import (
    LONGEST_TEXT,
    WORD,
    Boolean,
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
    type_bounds,
)

MAX_TABLES = 4096
MAX_COLUMNS = 4096
MAX_FRAGMENTS = 65536
MAX_ROWS = 1 << 31
"""Limits on what is accepted."""


class CatalogInvalid(SmpcError):
    """Stored or received data is not a catalog. Whoever reads it knows whose fault that is."""


def entry_to_json(entry: TableEntry) -> dict[str, Any]:
    """A table with all that is known of it."""
    schema = entry.schema
    return {
        "name": schema.name,
        "columns": [
            {
                "name": column.name,
                "type": _type_to_json(column.type),
                "nullable": column.nullable,
                "low": column.bounds.low,
                "high": column.bounds.high,
            }
            for column in schema.columns
        ],
        "primary_key": list(schema.primary_key),
        "unique": [list(key) for key in schema.unique],
        "fragments": [{"id": f.id, "owner": f.owner, "rows": f.rows} for f in entry.fragments],
        "ddl": entry.ddl,
        "verdicts": [[verdict.unique, *verdict.key] for verdict in entry.verdicts],
        "origin": None if entry.origin is None else _origin_to_json(entry.origin),
    }


def _origin_to_json(origin: Origin) -> dict[str, Any]:
    return {
        "by": origin.by,
        "tables": list(origin.tables),
        "owners": list(origin.owners),
        "valid": origin.valid,
        "quotients": [[q.name, q.numerator, q.denominator, q.root] for q in origin.quotients],
    }


def _origin_from_json(data: object, schema: TableSchema) -> Origin | None:
    if data is None:
        return None
    item = object_with(data, "by", "tables", "owners", "valid", "quotients")
    tables, owners = (
        tuple(_text(name) for name in list_of(item[key], MAX_FRAGMENTS, key)) for key in ("tables", "owners")
    )
    quotients = tuple(_quotient_from_json(q, schema) for q in list_of(item["quotients"], MAX_COLUMNS, "quotients"))
    valid = "" if item["valid"] == "" else _text(item["valid"])
    column = schema.column(valid) if valid else None
    if valid and (column is None or not isinstance(column.type, Boolean) or column.nullable):
        raise CatalogInvalid("the column of valid rows is not there, or no BOOLEAN NOT NULL")
    return Origin(_text(item["by"]), tables, owners, valid, quotients)


def _quotient_from_json(data: object, schema: TableSchema) -> Quotient:
    match data:
        case [str(name), str(numerator), str(denominator), "" | "root" | "signed_root" as root]:
            parts = schema.column(numerator), schema.column(denominator)
            if all(part is not None and isinstance(part.type, Integer | Decimal) for part in parts):
                return Quotient(_text(name), numerator, denominator, root)
    raise CatalogInvalid("a quotient's columns are not there, or no numbers")


def _type_to_json(type_: SqlType) -> list[Any]:
    match type_:
        case Integer(bits):
            return ["integer", bits]
        case Decimal(precision, scale):
            return ["decimal", precision, scale]
        case Boolean():
            return ["boolean"]
        case Date(midnight):
            return ["date", "midnight"] if midnight else ["date"]
        case Timestamp():
            return ["timestamp"]
        case Enum(labels):
            return ["enum", *labels]
        case Text(length, ascii):
            return ["text", length, "ascii" if ascii else "utf8"]
        case Double(int(decimals)):
            return ["double", decimals]
        case _:
            raise CatalogInvalid(f"a column cannot be {type_}")


def entry_from_json(data: object) -> TableEntry:
    """What entry_to_json gave. Raises CatalogInvalid."""
    item = object_with(data, "name", "columns", "primary_key", "unique", "fragments", "ddl", "origin", "verdicts")
    columns = tuple(_column_from_json(column) for column in list_of(item["columns"], MAX_COLUMNS, "columns"))
    names = [column.name.lower() for column in columns]
    stored = [part.name.lower() for column in columns for part in column.stored]
    if not names or len(set(stored)) != len(stored) or len(stored) > MAX_COLUMNS:
        raise CatalogInvalid("a table's columns are distinct, and there is at least one")
    keys = [_key(item["primary_key"], names), *(_key(k, names) for k in list_of(item["unique"], MAX_COLUMNS, "unique"))]
    schema = TableSchema(_text(item["name"]), columns, keys[0], tuple(keys[1:]))
    fragments = tuple(_fragment_from_json(f) for f in list_of(item["fragments"], MAX_FRAGMENTS, "fragments"))
    verdicts = tuple(verdict_from_json(v) for v in list_of(item["verdicts"], MAX_COLUMNS, "verdicts"))
    origin = _origin_from_json(item["origin"], schema)
    entry = TableEntry(schema, fragments, _text(item["ddl"], 1 << 20), origin, verdicts)
    if any(verdict.key not in entry.keys for verdict in verdicts):
        raise CatalogInvalid("a verdict is on a key that does not exist")
    return entry


def verdict_from_json(data: object) -> Verdict:
    """Of [unique, column, …]. Raises CatalogInvalid."""
    match data:
        case [bool(unique), str(), *_]:
            return Verdict(tuple(_text(name) for name in data[1:]), unique)
    raise CatalogInvalid("expected a verdict on a key")


def view_from_json(data: object) -> View:
    """Of [name, sql, column, …]. Raises CatalogInvalid."""
    match data:
        case [str(), str(), *_]:
            return View(_text(data[0]), _text(data[1], 1 << 20), tuple(_text(name) for name in data[2:]))
    raise CatalogInvalid("expected a view")


def _column_from_json(data: object) -> Column:
    item = object_with(data, "name", "type", "nullable", "low", "high")
    type_ = _type_from_json(list_of(item["type"], 1 << 20, "type"))
    low, high = _integer(item["low"]), _integer(item["high"])
    whole = WORD if isinstance(type_, Date | Timestamp) else type_bounds(type_)
    if (
        low not in WORD
        or high not in WORD
        or not (whole.low <= low <= high <= whole.high)
        or not isinstance(item["nullable"], bool)
    ):
        raise CatalogInvalid("a column's bounds do not fit its type")
    return Column(_text(item["name"]), type_, item["nullable"], Interval(low, high))


def _type_from_json(data: list[Any]) -> SqlType:
    match data:
        case ["integer", 8 | 16 | 32 | 64 | 128 as bits] if type(bits) is int:
            return Integer(bits)
        case ["decimal", int(precision), int(scale)] if 0 <= scale <= precision <= 38 and precision >= 1:
            return Decimal(precision, scale)
        case ["boolean"]:
            return Boolean()
        case ["date"]:
            return Date()
        case ["date", "midnight"]:
            return Date(midnight=True)
        case ["timestamp"]:
            return Timestamp()
        case ["double", int(decimals)] if 0 <= decimals <= 18 and type(decimals) is int:
            return Double(decimals)
        case ["text", int(length), "ascii" | "utf8" as kind] if 1 <= length <= LONGEST_TEXT and type(length) is int:
            return Text(length, kind == "ascii")
        case ["enum", *labels] if labels and all(isinstance(label, str) for label in labels):
            if len(set(labels)) == len(labels):
                return Enum(tuple(labels))
    raise CatalogInvalid("a column's type is not known")


def _fragment_from_json(data: object) -> Fragment:
    item = object_with(data, "id", "owner", "rows")
    rows = _integer(item["rows"])
    if not 0 <= rows <= MAX_ROWS:
        raise CatalogInvalid("a fragment's number of rows is out of range")
    return Fragment(_text(item["id"]), _text(item["owner"]), rows)


def object_with(data: object, *keys: str) -> dict[str, Any]:
    """Data that is an object with just these keys. Raises CatalogInvalid."""
    if not isinstance(data, dict) or set(data) != set(keys):
        raise CatalogInvalid(f"expected an object with {', '.join(keys)}")
    return data


def list_of(data: object, limit: int, what: str) -> list[Any]:
    """Data that is a list of at most `limit` items. Raises CatalogInvalid, which names `what`."""
    if not isinstance(data, list) or len(data) > limit:
        raise CatalogInvalid(f"{what}: expected a list of at most {limit}")
    return data


def _text(data: object, limit: int = 256) -> str:
    if not isinstance(data, str) or not data or len(data) > limit or re.search(r"[\x00]", data):
        raise CatalogInvalid("expected a text")
    return data


def _integer(data: object) -> int:
    if type(data) is not int:
        raise CatalogInvalid("expected an integer")
    return data


def _key(data: object, names: list[str]) -> tuple[str, ...]:
    key = tuple(_text(name) for name in list_of(data, MAX_COLUMNS, "key"))
    if any(name.lower() not in names for name in key):
        raise CatalogInvalid("a key names a column that does not exist")
    return key
