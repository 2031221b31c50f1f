"""Results that the client makes itself, of what it knows already: they cost the parties nothing."""

from __future__ import annotations

from smpc_sql.catalog import Catalog, TableEntry
from smpc_sql.result import QueryStats, Result
from smpc_sql.schema import Enum, Integer
from smpc_sql.sql.compile import describe

_FREE = QueryStats(0.0, 0, (), 0)


def nothing() -> Result:
    """No rows and no columns, as of DDL."""
    return Result([], [], [], _FREE)


def count(rows: int) -> Result:
    """How many rows were loaded, as DuckDB says it of COPY."""
    return Result(["Count"], [Integer(64)], [[int(rows)]], _FREE)


def texts(**columns: list[str]) -> Result:
    """Columns of texts, by their names."""
    types = [Enum(tuple(dict.fromkeys(values)) or ("",)) for values in columns.values()]
    return Result(list(columns), types, list(columns.values()), _FREE)


def names(catalog: Catalog) -> Result:
    """SHOW TABLES: tables and views."""
    known = {name: entry.schema.name for name, entry in catalog.tables.items()}
    known |= {name: view.name for name, view in catalog.views.items()}
    return texts(name=[known[name] for name in sorted(known)])


def described(name: str, catalog: Catalog) -> Result:
    """DESCRIBE of a table or view. Raises UnknownName."""
    columns, types, nullable = zip(*describe(name, catalog), strict=True)
    key = () if name.lower() in catalog.views else catalog.table(name).schema.primary_key
    return texts(
        column_name=list(columns),
        column_type=[str(type_) for type_ in types],
        null=["YES" if null else "NO" for null in nullable],
        key=["PRI" if column in key else "" for column in columns],
    )


def keys(entry: TableEntry) -> Result:
    """CHECK TABLE: which declared keys hold, once all have been checked."""
    return texts(
        key=[", ".join(key) for key in entry.keys],
        holds=["no" if key in entry.violated else "yes" for key in entry.keys],
    )
