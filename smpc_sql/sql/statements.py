"""Statements, as they are understood: what each asks, and the settings that a query in it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.schema import TableSchema
from smpc_sql.sql.settings import NO_SETTINGS, Room, Settings


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE TABLE. ddl: its text."""

    schema: TableSchema
    ddl: str
    if_not_exists: bool
    replace: bool = False


@dataclass(frozen=True, slots=True)
class DropTable:
    """DROP TABLE."""

    name: str
    if_exists: bool


@dataclass(frozen=True, slots=True)
class CheckTable:
    """CHECK TABLE: do its keys hold between loads?"""

    name: str


@dataclass(frozen=True, slots=True)
class CopyFrom:
    """COPY table FROM file: a CSV file on the side of who says so."""

    table: str
    path: str
    delimiter: str = ","
    header: bool = True


@dataclass(frozen=True, slots=True)
class ShowTables:
    """SHOW TABLES."""


@dataclass(frozen=True, slots=True)
class Describe:
    """DESCRIBE table."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """A query. sql: its text without settings; text: the whole text that it stands in, from `start` on, to which
    positions refer.
    """

    query: exp.Expr
    sql: str
    text: str
    start: int
    settings: Settings = NO_SETTINGS

    @property
    def asked(self) -> str:
        """Its text with its settings: what the parties are asked."""
        return self.settings.prefix + self.sql


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """CREATE TABLE name AS query. columns: names for its columns, from the first; sql: the whole statement's text."""

    name: str
    columns: tuple[str, ...]
    select: Select
    sql: str
    if_not_exists: bool
    replace: bool

    @property
    def asked(self) -> str:
        """Its text with the query's settings: what the parties are asked."""
        return self.select.settings.prefix + self.sql


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE VIEW name AS query. columns: names for its columns, from the first."""

    name: str
    columns: tuple[str, ...]
    select: Select
    sql: str
    if_not_exists: bool
    replace: bool


@dataclass(frozen=True, slots=True)
class DropView:
    """DROP VIEW."""

    name: str
    if_exists: bool


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN query. analyze: it is run, and measured. json: the plan is wanted as JSON."""

    select: Select
    analyze: bool = False
    json: bool = False


Statement = (
    CreateTable
    | CreateTableAs
    | CreateView
    | DropTable
    | DropView
    | CheckTable
    | CopyFrom
    | ShowTables
    | Describe
    | Select
    | Explain
)

Sizable = TypeVar("Sizable", Select, CreateTableAs)
"""What may have joins whose size is opened."""


def with_settings(statement: Statement, settings: Settings) -> Statement:
    """The statement with these settings. Raises Unsupported for one that has no query, or a view."""
    match statement:
        case Select():
            return replace(statement, settings=settings)
        case Explain(select) | CreateTableAs(select=select):
            return replace(statement, select=replace(select, settings=settings))
        case _:
            raise Unsupported("SET STATEMENT … FOR anything but a query or CREATE TABLE AS is not supported")


def sized(statement: Sizable, number: int, rows: int) -> Sizable:
    """The statement with the size of one of its joins, which was opened."""
    if isinstance(statement, CreateTableAs):
        return replace(statement, select=sized(statement.select, number, rows))
    return replace(statement, settings=statement.settings.with_size(number, rows))


def with_room(statement: Statement, room: Room) -> Statement:
    """The statement with this room for its joins, if it has a query and says nothing of it itself."""
    match statement:
        case (
            Select(settings=settings)
            | Explain(Select(settings=settings))
            | CreateTableAs(select=Select(settings=settings))
        ):
            return statement if settings.room.said else with_settings(statement, replace(settings, room=room))
        case _:
            return statement
