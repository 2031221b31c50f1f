"""The catalog: which tables exist, and who brought how many rows of each. Public, immutable, alike at every party."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from smpc_sql.errors import CatalogConflict, SmpcError, UnknownName
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
class Quotient:
    """A DOUBLE of a table made from a query: two stored columns, whose quotient it is, or (root) the root of that."""

    name: str
    numerator: str
    denominator: str
    root: Literal["", "root", "signed_root"] = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table's rows come from that no owner loaded: CREATE TABLE AS, whose text is the table's `ddl`.

    by: who asked for it. tables: those that the query read. owners: whose rows went into it. valid: the stored BOOLEAN
    column, secret and never shown, that says which rows there are; "" if all rows are.
    """

    by: str
    tables: tuple[str, ...]
    owners: tuple[str, ...]
    valid: str = ""
    quotients: tuple[Quotient, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether no two rows of a table, over all loads, agree on a declared key; rows with a NULL in it aside."""

    key: tuple[str, ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class View:
    """A query with a name. sql: its text. columns: names for its outputs, from the first."""

    name: str
    sql: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table: its schema, the DDL that declared it, and its fragments in the order in which rows are stacked.

    origin: of a table that was made from others; its schema then has every stored column, some of which nobody sees.
    verdicts: of the keys that were checked for these fragments.
    """

    schema: TableSchema
    fragments: tuple[Fragment, ...]
    ddl: str
    origin: Origin | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """The declared keys, each once, by the columns' names in the schema."""
        declared = (key for key in (self.schema.primary_key, *self.schema.unique) if key)
        named = (tuple(c.name for name in key if (c := self.schema.column(name)) is not None) for key in declared)
        return tuple(dict.fromkeys(named))

    @property
    def unchecked(self) -> tuple[tuple[str, ...], ...]:
        """The keys of which nobody knows whether they hold between loads: each load was checked by itself."""
        if sum(fragment.rows > 0 for fragment in self.fragments) <= 1:
            return ()
        known = {verdict.key for verdict in self.verdicts}
        return tuple(key for key in self.keys if key not in known)

    @property
    def violated(self) -> tuple[tuple[str, ...], ...]:
        """The keys that rows of different loads have alike."""
        return tuple(verdict.key for verdict in self.verdicts if not verdict.unique)

    @property
    def owners(self) -> tuple[str, ...]:
        """Who brought rows, sorted, each once: the labels of the pseudo-column `owner`."""
        return tuple(sorted({fragment.owner for fragment in self.fragments}))

    @property
    def visible(self) -> tuple[tuple[str, SqlType, bool], ...]:
        """Name, type and whether it can be NULL, of every column that a query sees."""
        origin = self.origin or Origin("", (), ())
        shown = {quotient.numerator: quotient.name for quotient in origin.quotients}
        hidden = {origin.valid, *(quotient.denominator for quotient in origin.quotients)}
        return tuple(
            (shown[c.name], Double(), True) if c.name in shown else (c.name, c.type, c.nullable)
            for c in self.schema.columns
            if c.name not in hidden
        )

    @property
    def rows(self) -> int:
        """How many rows there are in all, or may be: where a column says which rows are valid, the most."""
        return sum(fragment.rows for fragment in self.fragments)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables and views by name (lower case: SQL's names ignore case); no name is both."""

    tables: Mapping[str, TableEntry] = field(default_factory=lambda: MappingProxyType({}))
    views: Mapping[str, View] = field(default_factory=lambda: MappingProxyType({}))

    def table(self, name: str) -> TableEntry:
        """The table of that name, ignoring case. Raises UnknownName."""
        entry = self.tables.get(name.lower())
        if entry is None and name.lower() in self.views:
            raise UnknownName(f"{name} is a view, not a table")
        if entry is None:
            known = ", ".join(sorted(entry.schema.name for entry in self.tables.values())) or "none"
            raise UnknownName(f"table {name} does not exist; tables: {known}")
        return entry

    def with_table(self, schema: TableSchema, ddl: str, origin: Origin | None = None) -> Catalog:
        """A catalog with one more, empty table. Raises CatalogConflict if it exists."""
        self._check_free(schema.name)
        return self._with(schema.name, TableEntry(schema, (), ddl, origin))

    def without_table(self, name: str) -> Catalog:
        """A catalog without that table. Raises UnknownName."""
        self.table(name)
        tables = {n: entry for n, entry in self.tables.items() if n != name.lower()}
        return replace(self, tables=MappingProxyType(tables))

    def view(self, name: str) -> View:
        """The view of that name, ignoring case. Raises UnknownName."""
        found = self.views.get(name.lower())
        if found is None:
            what = "is a table, not a view" if name.lower() in self.tables else "does not exist"
            known = ", ".join(view.name for _, view in sorted(self.views.items())) or "none"
            raise UnknownName(f"view {name} {what}; views: {known}")
        return found

    def with_view(self, view: View) -> Catalog:
        """A catalog with one more view. Raises CatalogConflict if a table or a view of that name exists."""
        self._check_free(view.name)
        return replace(self, views=MappingProxyType({**self.views, view.name.lower(): view}))

    def without_view(self, name: str) -> Catalog:
        """A catalog without that view; views that read it stay, and cannot be used. Raises UnknownName."""
        self.view(name)
        return replace(self, views=MappingProxyType({n: view for n, view in self.views.items() if n != name.lower()}))

    def with_verdicts(self, name: str, verdicts: tuple[Verdict, ...]) -> Catalog:
        """A catalog that knows of these keys of a table whether they hold. Raises UnknownName."""
        entry = self.table(name)
        new = {verdict.key for verdict in verdicts}
        kept = tuple(verdict for verdict in entry.verdicts if verdict.key not in new)
        return self._with(name, replace(entry, verdicts=(*kept, *verdicts)))

    def _check_free(self, name: str) -> None:
        if name.lower() in self.tables:
            raise CatalogConflict(f"table {name} exists already")
        if name.lower() in self.views:
            raise CatalogConflict(f"view {name} exists already")

    def with_fragment(self, name: str, fragment: Fragment) -> Catalog:
        """A catalog where the table has one more fragment. Raises UnknownName; CatalogConflict if its id is taken."""
        entry = self.table(name)
        if any(fragment.id == other.id for e in self.tables.values() for other in e.fragments):
            raise CatalogConflict(f"fragment {fragment.id} exists already")
        if entry.origin is not None and entry.fragments:
            raise CatalogConflict(f"table {entry.schema.name} was made by CREATE TABLE AS: it takes no more rows")
        verdicts = tuple(verdict for verdict in entry.verdicts if not verdict.unique)  # more rows mend nothing
        return self._with(name, replace(entry, fragments=(*entry.fragments, fragment), verdicts=verdicts))

    def _with(self, name: str, entry: TableEntry) -> Catalog:
        return replace(self, tables=MappingProxyType({**self.tables, name.lower(): entry}))

    def canonical_text(self) -> str:
        """Everything in it, in one way only."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    def digest(self) -> bytes:
        """SHA-256 of the canonical text: equal catalogs, equal digests."""
        return hashlib.sha256(b"smpc_sql catalog\x00" + self.canonical_text().encode()).digest()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, tables and views sorted by name."""
        return {
            "tables": [_entry_to_json(self.tables[name]) for name in sorted(self.tables)],
            "views": [[view.name, view.sql, *view.columns] for _, view in sorted(self.views.items())],
        }

    @staticmethod
    def from_json(data: object) -> Catalog:
        """The catalog of to_json's output, validated. Raises CatalogInvalid."""
        catalog = Catalog()
        found = _dict(data, "tables", "views")
        for item in _list(found["tables"], MAX_TABLES, "tables"):
            entry = _entry_from_json(item)
            try:
                catalog = catalog.with_table(entry.schema, entry.ddl, entry.origin)
                for fragment in entry.fragments:
                    catalog = catalog.with_fragment(entry.schema.name, fragment)
                catalog = catalog.with_verdicts(entry.schema.name, entry.verdicts)
            except CatalogConflict as error:
                raise CatalogInvalid(str(error)) from error
        for item in _list(found["views"], MAX_TABLES, "views"):
            try:
                catalog = catalog.with_view(view_from_json(item))
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
    item = _dict(data, "by", "tables", "owners", "valid", "quotients")
    tables, owners = (
        tuple(_text(name) for name in _list(item[key], MAX_FRAGMENTS, key)) for key in ("tables", "owners")
    )
    quotients = tuple(_quotient_from_json(q, schema) for q in _list(item["quotients"], MAX_COLUMNS, "quotients"))
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


def _entry_from_json(data: object) -> TableEntry:
    item = _dict(data, "name", "columns", "primary_key", "unique", "fragments", "ddl", "origin", "verdicts")
    columns = tuple(_column_from_json(column) for column in _list(item["columns"], MAX_COLUMNS, "columns"))
    names = [column.name.lower() for column in columns]
    stored = [part.name.lower() for column in columns for part in column.stored]
    if not names or len(set(stored)) != len(stored) or len(stored) > MAX_COLUMNS:
        raise CatalogInvalid("a table's columns are distinct, and there is at least one")
    keys = [_key(item["primary_key"], names), *(_key(k, names) for k in _list(item["unique"], MAX_COLUMNS, "unique"))]
    schema = TableSchema(_text(item["name"]), columns, keys[0], tuple(keys[1:]))
    fragments = tuple(_fragment_from_json(f) for f in _list(item["fragments"], MAX_FRAGMENTS, "fragments"))
    verdicts = tuple(verdict_from_json(v) for v in _list(item["verdicts"], MAX_COLUMNS, "verdicts"))
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
    item = _dict(data, "name", "type", "nullable", "low", "high")
    type_ = _type_from_json(_list(item["type"], 1 << 20, "type"))
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
