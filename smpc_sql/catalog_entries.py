"""What a catalog has entries of: tables, their fragments, origins and checked keys; views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smpc_sql.schema import Double, SqlType, TableSchema


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
