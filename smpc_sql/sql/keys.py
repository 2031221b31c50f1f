"""Declared keys that no single owner can vouch for: which a plan relies on, and the query that checks them.

Each load was checked by its owner. Whether rows of different loads have the same key, the parties find out together:
the query counts the keys that occur more than once, and all that is opened of it is whether there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from smpc_sql.catalog import Catalog, TableEntry, Verdict
from smpc_sql.errors import QueryError, Unsupported

T = TypeVar("T")
Key = tuple[str, ...]


def without_unchecked(catalog: Catalog, names: tuple[str, ...]) -> Catalog:
    """The catalog as if the unchecked keys of these tables did not hold."""
    for name in names:
        verdicts = tuple(Verdict(key, False) for key in catalog.table(name).unchecked)
        catalog = catalog.with_verdicts(name, verdicts)
    return catalog


def relied_on(
    compile_with: Callable[[Catalog], object], catalog: Catalog, form: Callable[[], object] | None = None
) -> tuple[str, ...]:
    """Tables of whose unchecked keys a plan makes use: without them it would be another plan, or none.

    compile_with: a plan's form for a catalog. form: the one for this catalog, where it is known. Sorted by name.
    """
    unchecked = tuple(name for name, entry in sorted(catalog.tables.items()) if entry.unchecked)
    if not unchecked:
        return ()
    known = form() if form is not None else compile_with(catalog)

    def differs(names: tuple[str, ...]) -> bool:
        try:
            return compile_with(without_unchecked(catalog, names)) != known
        except QueryError:
            return True

    if not differs(unchecked):
        return ()
    alone = tuple(name for name in unchecked if differs((name,)))
    return alone or unchecked


def key_text(entry: TableEntry, key: Key) -> str:
    """How a key prints."""
    kind = "PRIMARY KEY" if key == entry.keys[0] and entry.schema.primary_key else "UNIQUE"
    return f"{kind} ({', '.join(key)}) of table {entry.schema.name}"


def check_query(entry: TableEntry) -> str:
    """A query whose one row says of every unchecked key whether it holds: COUNT of keys that occur twice, = 0."""
    return "SELECT " + ", ".join(f"{_repeated(entry, key)} = 0" for key in entry.unchecked)


def _repeated(entry: TableEntry, key: Key) -> str:
    names = [_quoted(name) for name in key]
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    groups = f"SELECT COUNT(*) AS n FROM {_quoted(entry.schema.name)} WHERE {known} GROUP BY {', '.join(names)}"
    return f"(SELECT COUNT(*) FROM ({groups}) AS g WHERE g.n > 1)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def explain_violation(error: QueryError, compile_with: Callable[[Catalog], T], catalog: Catalog) -> QueryError:
    """The error, or a better one where the statement would be possible if a key held that is known not to hold."""
    broken = tuple(name for name, entry in sorted(catalog.tables.items()) if entry.violated)

    def helps(names: tuple[str, ...]) -> bool:
        mended = catalog
        for name in names:
            verdicts = tuple(Verdict(key, True) for key in catalog.table(name).violated)
            mended = mended.with_verdicts(name, verdicts)
        try:
            compile_with(mended)
        except QueryError:
            return False
        return True

    if not broken or not helps(broken):
        return error
    guilty = tuple(name for name in broken if helps((name,))) or broken
    entries = [catalog.table(name) for name in guilty]
    keys = "; ".join(key_text(entry, key) for entry in entries for key in entry.violated)
    return Unsupported(
        f"the query relies on {keys}, which does not hold: rows of different loads have the same key. "
        "Its owners must mend it; until then a query may group by the key first, or join with JOIN_ROWS",
        line=error.line,
        column=error.column,
    )
