"""The catalog: which tables exist, and who brought how many rows of each. Public, immutable, alike at every party."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from smpc_sql.errors import CatalogConflict, SmpcError, UnknownName
from smpc_sql.schema import (
    LONGEST_TEXT,
    Boolean,
    Column,
    Date,
    Decimal,
    Enum,
    Integer,
    Interval,
    SqlType,
    TableSchema,
    Text,
    type_bounds,
)

MAX_JSON = 16 << 20
MAX_TABLES = 4096
MAX_COLUMNS = 4096
MAX_FRAGMENTS = 65536
MAX_ROWS = 1 << 31
"""Limits on what from_json accepts."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """The rows of a table that one load brought: stored by every party under `id`."""

    id: str
    owner: str
    rows: int


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table: its schema, the DDL that declared it, and its fragments in the order in which rows are stacked."""

    schema: TableSchema
    fragments: tuple[Fragment, ...]
    ddl: str

    @property
    def owners(self) -> tuple[str, ...]:
        """Who brought rows, sorted, each once: the labels of the pseudo-column `owner`."""
        return tuple(sorted({fragment.owner for fragment in self.fragments}))

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(fragment.rows for fragment in self.fragments)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables by name (lower case: SQL's names ignore case)."""

    tables: Mapping[str, TableEntry] = field(default_factory=lambda: MappingProxyType({}))

    def table(self, name: str) -> TableEntry:
        """The table of that name, ignoring case. Raises UnknownName."""
        entry = self.tables.get(name.lower())
        if entry is None:
            known = ", ".join(sorted(entry.schema.name for entry in self.tables.values())) or "none"
            raise UnknownName(f"table {name} does not exist; tables: {known}")
        return entry

    def with_table(self, schema: TableSchema, ddl: str) -> Catalog:
        """A catalog with one more, empty table. Raises CatalogConflict if it exists."""
        if schema.name.lower() in self.tables:
            raise CatalogConflict(f"table {schema.name} exists already")
        return self._with(schema.name, TableEntry(schema, (), ddl))

    def without_table(self, name: str) -> Catalog:
        """A catalog without that table. Raises UnknownName."""
        self.table(name)
        return Catalog(MappingProxyType({n: entry for n, entry in self.tables.items() if n != name.lower()}))

    def with_fragment(self, name: str, fragment: Fragment) -> Catalog:
        """A catalog where the table has one more fragment. Raises UnknownName; CatalogConflict if its id is taken."""
        entry = self.table(name)
        if any(fragment.id == other.id for e in self.tables.values() for other in e.fragments):
            raise CatalogConflict(f"fragment {fragment.id} exists already")
        return self._with(name, replace(entry, fragments=(*entry.fragments, fragment)))

    def _with(self, name: str, entry: TableEntry) -> Catalog:
        return Catalog(MappingProxyType({**self.tables, name.lower(): entry}))

    def canonical_text(self) -> str:
        """Everything in it, in one way only."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    def digest(self) -> bytes:
        """SHA-256 of the canonical text: equal catalogs, equal digests."""
        return hashlib.sha256(b"smpc_sql catalog\x00" + self.canonical_text().encode()).digest()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, tables sorted by name."""
        return {"tables": [_entry_to_json(self.tables[name]) for name in sorted(self.tables)]}

    @staticmethod
    def from_json(data: object) -> Catalog:
        """The catalog of to_json's output, validated. Raises CatalogInvalid."""
        catalog = Catalog()
        for item in _list(_dict(data, "tables")["tables"], MAX_TABLES, "tables"):
            entry = _entry_from_json(item)
            try:
                catalog = catalog.with_table(entry.schema, entry.ddl)
                for fragment in entry.fragments:
                    catalog = catalog.with_fragment(entry.schema.name, fragment)
            except CatalogConflict as error:
                raise CatalogInvalid(str(error)) from error
        return catalog

    @staticmethod
    def from_text(text: str) -> Catalog:
        """The catalog of canonical_text's output. Raises CatalogInvalid."""
        if len(text) > MAX_JSON:
            raise CatalogInvalid("a catalog is too long")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CatalogInvalid("a catalog is not JSON") from error
        return Catalog.from_json(data)


class CatalogInvalid(SmpcError):
    """Stored or received data is not a catalog. Whoever reads it knows whose fault that is."""


def _entry_to_json(entry: TableEntry) -> dict[str, Any]:
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
    }


def _type_to_json(type_: SqlType) -> list[Any]:
    match type_:
        case Integer(bits):
            return ["integer", bits]
        case Decimal(precision, scale):
            return ["decimal", precision, scale]
        case Boolean():
            return ["boolean"]
        case Date():
            return ["date"]
        case Enum(labels):
            return ["enum", *labels]
        case Text(length):
            return ["text", length]
        case _:
            raise CatalogInvalid(f"a column cannot be {type_}")


def _entry_from_json(data: object) -> TableEntry:
    item = _dict(data, "name", "columns", "primary_key", "unique", "fragments", "ddl")
    columns = tuple(_column_from_json(column) for column in _list(item["columns"], MAX_COLUMNS, "columns"))
    names = [column.name.lower() for column in columns]
    if not names or len(set(names)) != len(names):
        raise CatalogInvalid("a table's columns are distinct, and there is at least one")
    keys = [_key(item["primary_key"], names), *(_key(k, names) for k in _list(item["unique"], MAX_COLUMNS, "unique"))]
    schema = TableSchema(_text(item["name"]), columns, keys[0], tuple(keys[1:]))
    fragments = tuple(_fragment_from_json(f) for f in _list(item["fragments"], MAX_FRAGMENTS, "fragments"))
    return TableEntry(schema, fragments, _text(item["ddl"], 1 << 20))


def _column_from_json(data: object) -> Column:
    item = _dict(data, "name", "type", "nullable", "low", "high")
    type_ = _type_from_json(_list(item["type"], 1 << 20, "type"))
    low, high = _integer(item["low"]), _integer(item["high"])
    whole = type_bounds(type_)
    if not (whole.low <= low <= high <= whole.high) or not isinstance(item["nullable"], bool):
        raise CatalogInvalid("a column's bounds do not fit its type")
    return Column(_text(item["name"]), type_, item["nullable"], Interval(low, high))


def _type_from_json(data: list[Any]) -> SqlType:
    match data:
        case ["integer", 8 | 16 | 32 | 64 as bits] if type(bits) is int:
            return Integer(bits)
        case ["decimal", int(precision), int(scale)] if 0 <= scale <= precision <= 18 and precision >= 1:
            return Decimal(precision, scale)
        case ["boolean"]:
            return Boolean()
        case ["date"]:
            return Date()
        case ["text", int(length)] if 1 <= length <= LONGEST_TEXT and type(length) is int:
            return Text(length)
        case ["enum", *labels] if labels and all(isinstance(label, str) for label in labels):
            if len(set(labels)) == len(labels):
                return Enum(tuple(labels))
    raise CatalogInvalid("a column's type is not known")


def _fragment_from_json(data: object) -> Fragment:
    item = _dict(data, "id", "owner", "rows")
    rows = _integer(item["rows"])
    if not 0 <= rows <= MAX_ROWS:
        raise CatalogInvalid("a fragment's number of rows is out of range")
    return Fragment(_text(item["id"]), _text(item["owner"]), rows)


def _dict(data: object, *keys: str) -> dict[str, Any]:
    if not isinstance(data, dict) or set(data) != set(keys):
        raise CatalogInvalid(f"expected an object with {', '.join(keys)}")
    return data


def _list(data: object, limit: int, what: str) -> list[Any]:
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
    key = tuple(_text(name) for name in _list(data, MAX_COLUMNS, "key"))
    if any(name.lower() not in names for name in key):
        raise CatalogInvalid("a key names a column that does not exist")
    return key
