"""Kinds of changes of a catalog: what each makes of it, and each as text."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from smpc_sql.catalog import Catalog, CatalogInvalid, Fragment, Origin, Verdict, View
from smpc_sql.catalog_json import verdict_from_json, view_from_json
from smpc_sql.errors import CatalogConflict
from smpc_sql.schema import TableSchema


class Busy(CatalogConflict):
    """The table is being changed by somebody else: worth another try."""


@dataclass(frozen=True, slots=True)
class CreateTable:
    """A new, empty table. replace: one of that name goes first, with its rows."""

    schema: TableSchema
    ddl: str
    replace: bool = False

    @property
    def table(self) -> str:
        """Which table changes."""
        return self.schema.name

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises CatalogConflict."""
        return _replaced(catalog, self.table, self.replace).with_table(self.schema, self.ddl)


@dataclass(frozen=True, slots=True)
class MakeTable:
    """A new table with the rows of a query (CREATE TABLE AS). The fragment's id is the change's, in hexadecimal."""

    schema: TableSchema
    ddl: str
    origin: Origin
    fragment: Fragment
    replace: bool = False

    @property
    def table(self) -> str:
        """Which table changes."""
        return self.schema.name

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises CatalogConflict."""
        made = _replaced(catalog, self.table, self.replace).with_table(self.schema, self.ddl, self.origin)
        return made.with_fragment(self.table, self.fragment)


def _replaced(catalog: Catalog, table: str, replace: bool) -> Catalog:
    return catalog.without_table(table) if replace and table.lower() in catalog.tables else catalog


@dataclass(frozen=True, slots=True)
class CreateView:
    """A new view. replace: one of that name goes first."""

    view: View
    replace: bool = False

    @property
    def table(self) -> str:
        """Which name changes."""
        return self.view.name

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises CatalogConflict."""
        if self.replace and self.table.lower() in catalog.views:
            catalog = catalog.without_view(self.table)
        return catalog.with_view(self.view)


@dataclass(frozen=True, slots=True)
class DropView:
    """A view goes."""

    table: str

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName."""
        return catalog.without_view(self.table)


@dataclass(frozen=True, slots=True)
class JudgeKeys:
    """What the parties found out about keys of a table that consists of these fragments."""

    table: str
    fragments: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName; Busy if rows have come in between."""
        if tuple(fragment.id for fragment in catalog.table(self.table).fragments) != self.fragments:
            raise Busy(f"table {self.table} was changed by somebody else; try again")
        return catalog.with_verdicts(self.table, self.verdicts)


@dataclass(frozen=True, slots=True)
class DropTable:
    """A table goes, with its fragments."""

    table: str

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName."""
        return catalog.without_table(self.table)


@dataclass(frozen=True, slots=True)
class AddFragment:
    """A table gets more rows. The fragment's id is the change's, in hexadecimal."""

    table: str
    fragment: Fragment

    def apply(self, catalog: Catalog) -> Catalog:
        """The catalog afterwards. Raises UnknownName."""
        return catalog.with_fragment(self.table, self.fragment)


Change = CreateTable | MakeTable | DropTable | AddFragment | CreateView | DropView | JudgeKeys


def fragment_of(change: Change) -> Fragment | None:
    """The fragment that a change brings."""
    return change.fragment if isinstance(change, AddFragment | MakeTable) else None


def change_text(change: Change) -> str:
    """A change as canonical JSON: equal changes, equal texts."""
    match change:
        case CreateTable(schema, ddl, replace):
            data: dict[str, Any] = {"create": Catalog().with_table(schema, ddl).to_json(), "replace": replace}
        case MakeTable(replace=replace):
            data = {"make": dataclasses.replace(change, replace=False).apply(Catalog()).to_json(), "replace": replace}
        case CreateView(view, replace):
            data = {"view": [view.name, view.sql, *view.columns], "replace": replace}
        case DropView(name):
            data = {"drop_view": name.lower()}
        case JudgeKeys(table, fragments, verdicts):
            found = [[verdict.unique, *verdict.key] for verdict in verdicts]
            data = {"judge": table.lower(), "fragments": list(fragments), "verdicts": found}
        case DropTable(table):
            data = {"drop": table.lower()}
        case AddFragment(table, fragment):
            data = {"table": table.lower(), "id": fragment.id, "owner": fragment.owner, "rows": fragment.rows}
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def change_of(text: str) -> Change:
    """The change that such a text tells of. Raises CatalogInvalid, ValueError, KeyError or TypeError for another."""
    data = json.loads(text)
    if "create" in data:
        (entry,) = Catalog.from_json(data["create"]).tables.values()
        return CreateTable(entry.schema, entry.ddl, data["replace"] is True)
    if "make" in data:
        (entry,) = Catalog.from_json(data["make"]).tables.values()
        if entry.origin is None or len(entry.fragments) != 1:
            raise CatalogInvalid("a table that was made has an origin and one fragment")
        return MakeTable(entry.schema, entry.ddl, entry.origin, entry.fragments[0], data["replace"] is True)
    if "view" in data:
        return CreateView(view_from_json(data["view"]), data["replace"] is True)
    if "drop_view" in data:
        return DropView(data["drop_view"])
    if "judge" in data:
        verdicts = tuple(map(verdict_from_json, data["verdicts"]))
        return JudgeKeys(data["judge"], tuple(map(str, data["fragments"])), verdicts)
    if "drop" in data:
        return DropTable(data["drop"])
    return AddFragment(data["table"], Fragment(data["id"], data["owner"], data["rows"]))
