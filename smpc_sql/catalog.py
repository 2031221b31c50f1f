"""The catalog: which tables exist, and who brought how many rows of each. Public, immutable, alike at every party."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from smpc_sql.catalog_entries import Fragment, Origin, Quotient, TableEntry, Verdict, View
from smpc_sql.catalog_json import (
    MAX_TABLES,
    CatalogInvalid,
    entry_from_json,
    entry_to_json,
    list_of,
    object_with,
    view_from_json,
)
from smpc_sql.errors import CatalogConflict, UnknownName
from smpc_sql.schema import TableSchema

__all__ = ["Catalog", "CatalogInvalid", "Fragment", "Origin", "Quotient", "TableEntry", "Verdict", "View"]

MAX_JSON = 16 << 20
"""Characters of a catalog's text that from_text accepts."""


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
            "tables": [entry_to_json(self.tables[name]) for name in sorted(self.tables)],
            "views": [[view.name, view.sql, *view.columns] for _, view in sorted(self.views.items())],
        }

    @staticmethod
    def from_json(data: object) -> Catalog:
        """The catalog of to_json's output, validated. Raises CatalogInvalid."""
        catalog = Catalog()
        found = object_with(data, "tables", "views")
        for item in list_of(found["tables"], MAX_TABLES, "tables"):
            entry = entry_from_json(item)
            try:
                catalog = catalog.with_table(entry.schema, entry.ddl, entry.origin)
                for fragment in entry.fragments:
                    catalog = catalog.with_fragment(entry.schema.name, fragment)
                catalog = catalog.with_verdicts(entry.schema.name, entry.verdicts)
            except CatalogConflict as error:
                raise CatalogInvalid(str(error)) from error
        for item in list_of(found["views"], MAX_TABLES, "views"):
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
