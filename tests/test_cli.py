"""The command line: what it prints, in which format, and one clear line for whatever fails."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from click.testing import Result as Ran

from parties import config
from smpc_sql import cli
from smpc_sql.errors import DataError, InternalError, PeerError, SmpcError, UnknownName
from smpc_sql.result import QueryStats, Result
from smpc_sql.schema import Boolean, Date, Decimal, Double, Enum, Integer


class Connection:
    """A stand-in for a connection: notes what it is asked, and answers or fails as told."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, ...]] = []

    def _reply(self, *asked: Any) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def execute(self, sql: str, **settings: Any) -> Any:
        return self._reply("execute", sql, *(each for each in settings.items() if each[1] not in (None, "duckdb")))

    def explain(self, sql: str, *, analyze: bool = False, json: bool = False, **settings: Any) -> Any:
        return self._reply("explain", sql, *(each for each in settings.items() if each[1] not in (None, "duckdb")))

    def load_csv(self, table: str, path: Path, owner: str, *, delimiter: str, header: bool) -> Any:
        return self._reply("load", table, str(path), owner, delimiter, header)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    def invoke(con: Connection | SmpcError, *arguments: str, stdin: str = "") -> Ran:
        @contextmanager
        def connected(consortium: Path, identity: str) -> Iterator[Connection]:
            if isinstance(con, SmpcError):
                raise con
            con.asked.append((str(consortium), identity))
            yield con

        monkeypatch.setattr(cli, "_connected", connected)
        return CliRunner().invoke(cli.main, arguments, input=stdin)

    return invoke


ROWS = Result(
    ["n", "cost", "ill", "day", "sex", "mean"],
    [Integer(64), Decimal(20, 2), Boolean(), Date(), Enum(("F", 'M"')), Double()],
    [
        [1, None],
        [decimal.Decimal("123456789012345678.10"), None],
        [True, None],
        [datetime.date(2020, 1, 2), None],
        ['M"', None],
        [0.1, None],
    ],
    QueryStats(0.4123, 23, (1_200_000, 17), 3_400),
)
NOTHING = Result([], [], [], ROWS.stats)


def test_an_answer_as_a_table(run: Any) -> None:
    ran = run(Connection(ROWS), "query", "SELECT 1")
    assert ran.exit_code == 0
    assert ran.stdout == f"{ROWS!r}\n"
    assert ran.stderr == "0.41 s · 23 rounds · 1.2 MB sent by a party · 3.4 kB dealt\n"


def test_an_answer_as_csv(run: Any) -> None:
    ran = run(Connection(ROWS), "query", "--format", "csv", "SELECT 1")
    assert (ran.stdout, ran.stderr) == (
        'n,cost,ill,day,sex,mean\n1,123456789012345678.10,true,2020-01-02,"M""",0.1\n,,,,,\n', ""
    )  # fmt: skip


def test_an_answer_as_json(run: Any) -> None:
    ran = run(Connection(ROWS), "query", "--format", "json", "SELECT 1")
    exact = json.loads(ran.stdout, parse_float=decimal.Decimal)
    assert exact[0] == {
        "n": 1, "cost": decimal.Decimal("123456789012345678.10"), "ill": True, "day": "2020-01-02", "sex": 'M"',
        "mean": decimal.Decimal("0.1"),
    }  # fmt: skip
    assert set(exact[1].values()) == {None}
    empty = Result(["n"], [Integer(64)], [[]], ROWS.stats)
    assert json.loads(run(Connection(empty), "query", "--format", "json", "SELECT 1").stdout) == []


def test_a_statement_without_rows_prints_nothing(run: Any) -> None:
    ran = run(Connection(NOTHING), "query", "CREATE TABLE t (x INTEGER)")
    assert (ran.exit_code, ran.output) == (0, "")


def test_where_sql_comes_from(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "q.sql"
    file.write_text("SELECT 2")
    for argument, expected in (("SELECT 1", "SELECT 1"), (f"@{file}", "SELECT 2"), ("-", "SELECT 3")):
        con = Connection(NOTHING)
        assert run(con, "query", "-c", "c.toml", "-i", "ana", argument, stdin="SELECT 3").exit_code == 0
        assert con.asked == [("c.toml", "ana"), ("execute", expected)]
    missing = run(Connection(NOTHING), "query", "@nowhere.sql")
    assert missing.exit_code == 2
    assert "cannot read nowhere.sql: No such file" in missing.stderr


def test_another_dialect(run: Any) -> None:
    con = Connection(ROWS)
    assert run(con, "query", "--dialect", "tsql", "SELECT TOP 3 [a b] FROM t").exit_code == 0
    assert ("execute", "SELECT TOP 3 [a b] FROM t", ("dialect", "tsql")) in con.asked
    wrong = UnknownName("column a does not exist", line=1, column=8)
    ran = run(wrong, "query", "--dialect", "mysql", "SELECT IF(a, 1, 2) FROM t")
    assert ran.stderr == "error: line 1, column 8: column a does not exist\n"  # of the translation


def test_room_for_joins(run: Any) -> None:
    con = Connection(ROWS)
    assert run(con, "query", "--join-rows", "500", "SELECT 1").exit_code == 0
    assert run(con, "explain", "--join-size", "power_of_two", "SELECT 1").exit_code == 0
    assert ("execute", "SELECT 1", ("join_rows", 500)) in con.asked
    assert ("explain", "SELECT 1", ("join_size", "power_of_two")) in con.asked


def test_explain_and_load(run: Any) -> None:
    con = Connection("the plan")
    assert run(con, "explain", "SELECT 1").stdout == "the plan\n"
    con = Connection(303)
    ran = run(con, "load", "-i", "cleveland", "heart", "c.csv")
    assert ran.stdout == "303 rows of cleveland loaded into heart\n"
    run(con, "load", "-i", "cleveland", "--owner", "budapest", "heart", "b.csv")
    run(con, "load", "-i", "cleveland", "--delimiter", ";", "--no-header", "heart", "c.csv")
    assert con.asked[1::2] == [
        ("load", "heart", "c.csv", "cleveland", ",", True),
        ("load", "heart", "b.csv", "budapest", ",", True),
        ("load", "heart", "c.csv", "cleveland", ";", False),
    ]


def test_an_error_in_the_sql_is_underlined(run: Any) -> None:
    sql = "SELECT sex,\n\tagee FROM heart"
    ran = run(Connection(UnknownName("column agee does not exist", line=2, column=2)), "query", sql)
    assert ran.exit_code == cli.EXIT_ERROR
    assert ran.stdout == ""
    assert ran.stderr == "error: line 2, column 2: column agee does not exist\n   agee FROM heart\n   ^^^^\n"


@pytest.mark.parametrize(
    ("line", "column", "mark"),
    [(0, 0, None), (9, 1, None), (1, 1, "^^^^^^"), (1, 8, "^"), (1, 40, "^"), (1, 0, "^^^^^^")],
)
def test_the_place_may_be_anywhere(line: int, column: int, mark: str | None) -> None:
    shown = cli.error_text(UnknownName("it", line=line, column=column), "SELECT * FROM t").plain.splitlines()
    assert (shown[-1].strip() if len(shown) > 1 else None) == mark


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (DataError("c.csv: 1 row does not fit", ["c.csv row 88: ca: not in CHECK (ca BETWEEN 0 AND 3)"]), "row 88: ca"),
        (PeerError("party2", "did not answer within 30 s"), "error: party2: did not answer"),
        (InternalError("[bold]boom[/bold]"), "[bold]boom[/bold]\nThis is a bug"),
    ],
)
def test_other_errors_are_clear_and_no_traceback(run: Any, error: SmpcError, says: str) -> None:
    for con, arguments in ((Connection(error), ("load", "heart", "c.csv")), (error, ("query", "SELECT 1"))):
        ran = run(con, *arguments)
        assert ran.exit_code == cli.EXIT_ERROR
        assert says in ran.stderr
        assert "Traceback" not in ran.output


def test_init_writes_a_consortium_that_can_be_read(tmp_path: Path) -> None:
    arguments = ["init", str(tmp_path / "study"), "--parties", "2", "--owner", "cleveland", "--port", "7300"]
    ran = CliRunner().invoke(cli.main, arguments)
    assert ran.exit_code == 0
    consortium = config.read(tmp_path / "study" / "consortium.toml")
    assert [party.endpoint for party in consortium.parties] == ["tcp://127.0.0.1:7301", "tcp://127.0.0.1:7302"]
    assert consortium.client("cleveland").owners == ("cleveland",)
    for name in consortium.party_names:
        assert f"party -c {tmp_path / 'study' / 'consortium.toml'} {name} --data" in ran.stdout
    again = CliRunner().invoke(cli.main, arguments)
    assert again.exit_code == cli.EXIT_ERROR
    assert "exists already" in again.stderr


def test_a_consortium_file_that_is_not_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "consortium.toml")
    for command in (["query", "SELECT 1"], ["party", "p1", "--data", str(tmp_path / "d")], ["provider"]):
        ran = CliRunner().invoke(cli.main, [command[0], "-c", missing, *command[1:]])
        assert ran.exit_code == cli.EXIT_ERROR
        assert "consortium.toml: No such file" in ran.stderr.replace("\n", "")


def test_every_command_has_help() -> None:
    assert sorted(cli.main.commands) == ["demo", "explain", "infer", "init", "load", "party", "provider", "query"]
    for name, command in cli.main.commands.items():
        assert isinstance(command, click.Command)
        assert CliRunner().invoke(cli.main, [name, "--help"]).exit_code == 0
