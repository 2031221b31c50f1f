"""Random schemas, and rows that fit them: few values, so that many are equal; NULLs; keys; several owners."""

from __future__ import annotations

import datetime
import decimal
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Kind:
    """One sort of column. name: of which kind its values are in an expression (see tests/random/queries.py)."""

    name: str
    declared: str
    values: tuple[Any, ...]


def _cents(*numbers: str) -> tuple[decimal.Decimal, ...]:
    return tuple(map(decimal.Decimal, numbers))


def _days(*offsets: int) -> tuple[datetime.date, ...]:
    return tuple(datetime.date(2020, 2, 27) + datetime.timedelta(days=offset) for offset in offsets)


def _moments(*seconds: float) -> tuple[datetime.datetime, ...]:
    return tuple(datetime.datetime(2020, 2, 28, 23) + datetime.timedelta(seconds=s) for s in seconds)


KINDS = (
    Kind("int", "TINYINT CHECK ({} BETWEEN -4 AND 9)", (-4, -1, 0, 1, 2, 3, 9)),
    Kind("int", "INTEGER CHECK ({} BETWEEN -100000 AND 100000)", (-100000, -1, 0, 2, 7, 99999)),
    Kind("num", "DECIMAL(5,2) CHECK ({} BETWEEN -99 AND 99.5)", _cents("-99", "-0.5", "0", "0.01", "2", "99.5")),
    Kind("num", "DECIMAL(3,1) CHECK ({} BETWEEN -5 AND 5)", _cents("-5", "-0.5", "0", "1.5", "2", "4.9")),
    Kind("truth", "BOOLEAN", (True, False)),
    Kind("date", "DATE CHECK ({} BETWEEN '2019-01-01' AND '2021-12-31')", _days(0, 1, 2, 3, 40, -60, 366)),
    Kind("label", "ENUM('x', 'y', 'Zed')", ("x", "y", "Zed")),
    Kind("label", "ENUM('y', 'z')", ("y", "z")),
    Kind("text", "VARCHAR(3)", ("", "a", "ab", "b", "Zed", "y")),
    Kind("text", "VARCHAR(12)", ("", "a", "ab", "abcdefg", "abcdefgh", "abcdefghi", "Zed", "a%b_c", "ABCDEFGH")),
    Kind("text", "VARCHAR(19)", ("", "2020-02-29 10:30:00", "2020-02-29", "2020-1-5T1:2", "2020-13-01", "12", "x")),
    Kind("real", "DOUBLE CHECK ({} BETWEEN -1000 AND 1000)", (-1000.0, -0.5, 0.0, 0.25, 2.0, 7.75)),
    Kind(
        "stamp",
        "TIMESTAMP CHECK ({} BETWEEN '2019-01-01 00:00:00' AND '2021-12-31 00:00:00')",
        _moments(0, 0.000001, 3600, 3599.5, 86400, 90061, -7200),
    ),
)


@dataclass(frozen=True)
class Column:
    """A column of a random table."""

    name: str
    kind: str
    declared: str
    nullable: bool
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A random table and its rows, by owner. key: the column whose values do not repeat, or None."""

    name: str
    columns: tuple[Column, ...]
    key: str | None
    primary: bool
    rows: dict[str, list[Row]]

    @property
    def ddl(self) -> str:
        """CREATE TABLE for our engine and for DuckDB."""
        items = [
            f"{c.name} {c.declared.format(c.name)}{'' if c.nullable else ' NOT NULL'}"
            + (f" {'PRIMARY KEY' if self.primary else 'UNIQUE'}" if c.name == self.key else "")
            for c in self.columns
        ]
        return f"CREATE TABLE {self.name} ({', '.join(items)});"


@st.composite
def tables(draw: st.DrawFn, name: str) -> Table:
    """A table of a key or none, and of one to four other columns."""
    drawn = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    keyed = draw(st.booleans())
    primary = keyed and draw(st.booleans())
    columns = []
    if keyed:
        kind = draw(st.sampled_from([k for k in KINDS if k.name in ("int", "date", "text")]))
        columns.append(Column(f"{name}k", kind.name, kind.declared, not primary, kind.values))
    for i, kind in enumerate(drawn):
        columns.append(Column(f"{name}{'abcd'[i]}", kind.name, kind.declared, draw(st.booleans()), kind.values))
    rows = draw(st.lists(st.tuples(*map(_value, columns)), max_size=8))
    if keyed:
        first = {row[0]: row for row in reversed(rows) if row[0] is not None}
        rows = [row for row in rows if row[0] is None or first[row[0]] is row]
    cut = draw(st.integers(0, len(rows)))
    owned = {"adam": rows[:cut], "zoe": rows[cut:]}
    key = columns[0].name if keyed else None
    return Table(name, tuple(columns), key, primary, {owner: mine for owner, mine in owned.items() if mine or not cut})


def _value(column: Column) -> st.SearchStrategy[Any]:
    values = st.sampled_from(column.values)
    return st.none() | values if column.nullable else values
