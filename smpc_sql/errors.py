"""Every error that smpc_sql raises, by whose fault it is. None ever holds a share, a seed or a secret value.

SmpcError
├── QueryError          the analyst's: what was asked (with line and column where they are known)
│   ├── SyntaxInvalid       not SQL
│   ├── Unsupported         SQL that is not (yet) supported: the construct is named
│   ├── UnknownName         a table, column or function that does not exist
│   ├── TypeMismatch        an expression whose types do not fit
│   ├── OverflowPossible    an expression that could leave 64 bits: its name and bounds
│   ├── CatalogConflict     a table that exists already, or is in use
│   ├── KeysUnchecked       the query relies on keys of which nobody knows yet whether they hold
│   └── SizeUnknown         the number of pairs of a join is to be opened before the rest can be planned
├── DataError           the owner's: rows that do not fit the schema (row numbers and columns, never values)
├── PolicyError         refused by an owner's policy, or by who asks
├── ConfigError         the operator's: a consortium file, a key, an address
├── PeerError           another node's: which one, and what it did
└── InternalError       ours: a broken invariant; always a bug
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class SmpcError(Exception):
    """Base of all errors of this package."""


class QueryError(SmpcError):
    """The query cannot be answered as asked.

    line, column: position in the SQL text, counted from 1; 0 where unknown.
    """

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(f"line {line}, column {column}: {message}" if line else message)


class SyntaxInvalid(QueryError):
    """The text is not SQL."""


class Unsupported(QueryError):
    """The SQL is valid, but this construct is not supported; the message names it."""


class UnknownName(QueryError):
    """A table, column or function that does not exist; the message lists what does."""


class TypeMismatch(QueryError):
    """The types in an expression do not fit together."""


class OverflowPossible(QueryError):
    """The declared bounds do not prove that an expression stays within 63 bits and a sign."""


class CatalogConflict(QueryError):
    """A table that exists already, does not exist, or is being changed by somebody else."""


class KeysUnchecked(QueryError):
    """The query relies on keys that were checked within every load, but not yet between loads. tables: whose keys."""

    def __init__(self, message: str, tables: Sequence[str] = (), *, line: int = 0, column: int = 0) -> None:
        self.tables = tuple(tables)
        super().__init__(message, line=line, column=column)


class SizeUnknown(QueryError):
    """The query opens how many pairs of rows a join has, and can only be planned with it. number: which join."""

    def __init__(self, message: str, number: int = 0, *, line: int = 0, column: int = 0) -> None:
        self.number = number
        super().__init__(message, line=line, column=column)


class DataError(SmpcError):
    """Rows do not fit the schema. `problems` holds one line for each, with row and column, never the value."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__("\n".join([message, *(f"  {problem}" for problem in self.problems)]))


class PolicyError(SmpcError):
    """What was asked is not permitted to who asks; the message names the smallest grant that would allow it."""


class ConfigError(SmpcError):
    """A consortium file, a key or an address is wrong; the message says which, and what to do."""


class PeerError(SmpcError):
    """Another node failed. `peer` is its name in the consortium."""

    def __init__(self, peer: str, message: str) -> None:
        self.peer = peer
        self.message = message
        super().__init__(f"{peer}: {message}")


class InternalError(SmpcError):
    """A broken invariant of smpc_sql itself; always a bug, please report it."""


@contextmanager
def too_deep_is_refused() -> Iterator[None]:
    """What walks a plan, and may find it too deep. Raises Unsupported then."""
    try:
        yield
    except RecursionError:
        raise Unsupported("so deeply nested an expression is not supported") from None
