"""The analyst's and the owner's face to the network: a connection to all parties of a consortium.

The connection plans every query itself, ships its SQL to all parties, and combines the shares that they send back, as
nobody else can. Rows to be loaded are checked, encoded and split here: no party sees a row.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, assert_never

from smpc_sql import local_results, owner
from smpc_sql.asking import Asking
from smpc_sql.calls import Calls
from smpc_sql.catalog import Catalog
from smpc_sql.changing import Changing
from smpc_sql.errors import QueryError
from smpc_sql.known_catalog import KnownCatalog
from smpc_sql.owner import EncodedRows, Loaded
from smpc_sql.result import Result
from smpc_sql.schema import TableSchema
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.settings import room_of
from smpc_sql.sql.statements import (
    CheckTable,
    CopyFrom,
    CreateTable,
    CreateTableAs,
    CreateView,
    Describe,
    DropTable,
    DropView,
    Explain,
    Select,
    ShowTables,
    with_room,
)
from smpc_sql.sql.translate import OURS, translated
from smpc_sql.transport.base import Link

if TYPE_CHECKING:
    import pandas as pd


class Connection:
    """A connection to all parties. Use it as a context manager, or close it. Any number of threads may use it at once.

    Raises PeerError, naming a party, when one cannot be reached, does not answer, or contradicts the others.
    """

    def __init__(
        self,
        link: Link,
        parties: tuple[str, ...],
        *,
        timeout: float,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """timeout: seconds that a party may be silent. on_close: called after the link was closed."""
        self.parties = parties
        self.timeout = timeout
        self._calls = Calls(link, parties, timeout=timeout, on_close=on_close)
        self._catalog = KnownCatalog(self._calls)
        self._changing = Changing(self._calls, self._catalog)
        self._asking = Asking(self._calls, self._catalog, self._changing.check)

    def execute(
        self,
        sql: str,
        *,
        dialect: str = OURS,
        join_rows: int | None = None,
        join_size: bool | int | str | None = None,
    ) -> Result:
        """Runs every statement of a script; returns what the last one gives (no rows and no columns for DDL).

        A statement that fails ends the script; those before it stay done, as in any autocommitting database.
        dialect: in which it is written, by sqlglot's name; parties are sent its translation.
        join_rows: how many pairs a join has at most that is unique on neither side. join_size: or how many it has is
        opened to everybody, where all parties' policies allow it: True, or rounded up to "power_of_two" or a multiple
        of a number. Both are what SET STATEMENT says in SQL, which comes first, as hints do.
        """
        given, room = local_results.nothing(), room_of(join_rows, join_size)
        for statement in (with_room(each, room) for each in parse_statements(translated(sql, dialect))):
            match statement:
                case Select():
                    given = self._asking.checked(self._asking.select, statement)
                case Explain():
                    given = local_results.texts(explain=[self._asking.explain(statement)])
                case CreateTable() | DropTable() | CreateView() | DropView():
                    self._changing.define(statement)
                    given = local_results.nothing()
                case CreateTableAs():
                    self._asking.checked(self._changing.create_as, statement)
                    given = local_results.nothing()
                case CopyFrom(table, path, delimiter, header):
                    given = local_results.count(self.load_csv(table, path, delimiter=delimiter, header=header))
                case CheckTable(name):
                    given = self._changing.check(name)
                case ShowTables():
                    given = local_results.names(self._catalog.fetch())
                case Describe(name):
                    given = local_results.described(name, self._catalog.fetch())
                case _:
                    assert_never(statement)
        return given

    def sql(
        self,
        sql: str,
        *,
        dialect: str = OURS,
        join_rows: int | None = None,
        join_size: bool | int | str | None = None,
    ) -> Result:
        """Runs one query. The same as `execute`, for one SELECT."""
        return self.execute(sql, dialect=dialect, join_rows=join_rows, join_size=join_size)

    def explain(
        self,
        sql: str,
        *,
        analyze: bool = False,
        json: bool = False,
        dialect: str = OURS,
        join_rows: int | None = None,
        join_size: bool | int | str | None = None,
    ) -> str:
        """The plan of a SELECT: operators, sizes, exact rounds, bytes and correlations, and what it discloses.

        dialect, join_rows, join_size: as `execute`. With an opened size there is no plan but of what opens it, until
        it runs.
        analyze: it is run too, and every operator's seconds, rounds and bytes are measured; its answer is not shown.
        json: as JSON, with the keys that docs/sql.md lists. An EXPLAIN around the SELECT may say both as well.
        """
        room = room_of(join_rows, join_size)
        match [with_room(each, room) for each in parse_statements(translated(sql, dialect))]:
            case [Select() as select]:
                return self._asking.explain(Explain(select, analyze, json))
            case [Explain(select) as given]:
                return self._asking.explain(Explain(select, analyze or given.analyze, json or given.json))
            case _:
                raise QueryError("EXPLAIN takes one SELECT")

    def load_csv(
        self, table: str, path: str | Path, owner: str | None = None, *, delimiter: str = ",", header: bool = True
    ) -> Loaded:
        """Loads a CSV file's rows, all or none; returns how many, and what rounding DOUBLE columns lost.

        owner: who brings them (by default this identity). header: it names the columns, in any order; without one they
        stand in the table's.

        Raises DataError, naming every row that does not fit, PolicyError, UnknownName.
        """
        return self._changing.load(table, owner, lambda schema: _read_csv(schema, path, delimiter, header))

    def load_df(self, table: str, frame: pd.DataFrame, owner: str | None = None) -> Loaded:
        """Loads a DataFrame's rows, all or none; returns how many. See load_csv."""
        return self._changing.load(table, owner, lambda schema: _from_frame(schema, frame))

    @property
    def catalog(self) -> Catalog:
        """The tables, as all parties know them now."""
        return self._catalog.fetch()

    def close(self) -> None:
        """Ends the connection. A second call changes nothing."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _read_csv(schema: TableSchema, path: str | Path, delimiter: str, header: bool) -> EncodedRows:
    return owner.read_csv(schema, path, delimiter=delimiter, header=header)


def _from_frame(schema: TableSchema, frame: pd.DataFrame) -> EncodedRows:
    return owner.from_frame(schema, frame)
