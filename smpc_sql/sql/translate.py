"""SQL of another dialect as DuckDB's, in which everything else here reads it."""

from __future__ import annotations

import sqlglot
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError, UnsupportedError

from smpc_sql.errors import QueryError, SyntaxInvalid, Unsupported, too_deep_is_refused

OURS = "duckdb"


def translated(sql: str, dialect: str) -> str:
    """A script in DuckDB's SQL. dialect: one that sqlglot knows, by its name; comments and hints are lost.

    Places in later errors are those of the translation. Raises SyntaxInvalid, with the place; Unsupported for what
    DuckDB's SQL has no words for; QueryError for a dialect that nobody knows.
    """
    if dialect == OURS:
        return sql
    known = sorted(name for name in Dialect.classes if name)
    if dialect not in known:
        raise QueryError(f"there is no dialect {dialect!r}; there are: {', '.join(known)}")
    try:
        with too_deep_is_refused():
            found = sqlglot.transpile(sql, read=dialect, write=OURS, comments=False, unsupported_level=ErrorLevel.RAISE)
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        what = place.get("description") or str(error)
        raise SyntaxInvalid(f"{what} ({dialect})", line=place.get("line") or 0, column=place.get("col") or 0) from None
    except UnsupportedError as error:
        raise Unsupported(f"{error} (from {dialect})") from None
    except SqlglotError as error:
        raise SyntaxInvalid(f"{error} ({dialect})") from None
    return ";\n".join(found)
