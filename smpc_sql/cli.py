"""The command line: `smpc-sql demo | query | explain | load | infer | init | party | provider`.

What fails prints one clear line on standard error and exits with code 2. Modules are imported by the command that needs
them, so that `--help` answers at once and a party does not load what only an analyst needs.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from smpc_sql.errors import InternalError, QueryError, SmpcError
from smpc_sql.version import VERSION

if TYPE_CHECKING:
    from smpc_sql.client import Connection
    from smpc_sql.result import Result
    from smpc_sql.transport.base import Link

EXIT_ERROR = 2

_FORMATS = ("table", "csv", "json")
_ANY_FILE = click.Path(path_type=Path)
_consortium = click.option(
    "-c", "--consortium", type=_ANY_FILE, default=Path("consortium.toml"), show_default=True,
    envvar="SMPC_SQL_CONSORTIUM", show_envvar=True, help="The consortium file.",
)  # fmt: skip
_identity = click.option(
    "-i", "--identity", default="analyst", show_default=True, envvar="SMPC_SQL_IDENTITY", show_envvar=True,
    help="Who you are in the consortium; your key lies beside the consortium file.",
)  # fmt: skip

_OURS = "duckdb"
_dialect = click.option(
    "--dialect", default=_OURS, show_default=True, metavar="NAME",
    help="In which SQL is written, by sqlglot's name: mysql, tsql, …",
)  # fmt: skip
_join_rows = click.option(
    "--join-rows", type=click.IntRange(min=0), default=None, metavar="N",
    help="How many pairs a join has at most that is unique on neither side.",
)  # fmt: skip
_join_size = click.option(
    "--join-size", default=None, metavar="exact|power_of_two|N",
    help="Or open how many it has (rounded up), to everybody, where the parties' policies allow it.",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="smpc-sql")
def main() -> None:
    """SQL analytics on secret-shared data: exact answers, nothing else revealed."""


@main.command()
@click.option(
    "--datasets",
    type=_ANY_FILE,
    default=None,
    help="The directory with heart/ and model/.  [default: the source tree's]",
)
def demo(datasets: Path | None) -> None:
    """Take a tour: four hospitals on this machine, judged by DuckDB."""
    with _errors():
        try:
            from parties.demo import run  # noqa: PLC0415

            equal = run(datasets=datasets)
        except KeyboardInterrupt:
            click.echo("stopped; every process has ended", err=True)
            sys.exit(130)
    sys.exit(0 if equal else 1)


@main.command()
@_consortium
@_identity
@click.option(
    "-f", "--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True, help="Of the answer."
)
@_dialect
@_join_rows
@_join_size
@click.argument("sql")
def query(
    consortium: Path,
    identity: str,
    form: str,
    dialect: str,
    join_rows: int | None,
    join_size: str | None,
    sql: str,
) -> None:
    """Run SQL and print the answer. SQL is the text itself, @FILE, or - for standard input."""
    text = _sql_text(sql)
    with _errors(_shown(text, dialect)), _connected(consortium, identity) as con:
        rows = con.execute(text, dialect=dialect, join_rows=join_rows, join_size=join_size)
    if rows.columns:  # a CREATE TABLE has none
        click.echo(_formatted(rows, form), nl=False)
        if form == "table":
            click.echo(str(rows.stats), err=True)


@main.command()
@_consortium
@_identity
@click.option("--analyze", is_flag=True, help="Run it and measure every operator; the answer is not shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with stable keys.")
@_dialect
@_join_rows
@_join_size
@click.argument("sql")
def explain(
    consortium: Path,
    identity: str,
    analyze: bool,
    as_json: bool,
    dialect: str,
    join_rows: int | None,
    join_size: str | None,
    sql: str,
) -> None:
    """Say how a SELECT would run, and what it discloses.

    Operators, sizes, exact rounds and bytes, correlations. Nothing is run, unless --analyze says so.
    """
    text = _sql_text(sql)
    with _errors(_shown(text, dialect)), _connected(consortium, identity) as con:
        click.echo(
            con.explain(text, analyze=analyze, json=as_json, dialect=dialect, join_rows=join_rows, join_size=join_size)
        )


@main.command()
@_consortium
@_identity
@click.option("--owner", default=None, help="Whose rows these are.  [default: the identity]")
@click.option("--delimiter", default=",", show_default=True, help="Between fields: one character.")
@click.option("--no-header", is_flag=True, help="The columns stand in the table's order; no header names them.")
@click.argument("table")
@click.argument("file", type=_ANY_FILE)
def load(
    consortium: Path, identity: str, owner: str | None, delimiter: str, no_header: bool, table: str, file: Path
) -> None:
    """Load a CSV file's rows into a table, as shares.

    Every row is checked against the schema first; each party is sent its own shares alone.
    """
    with _errors(), _connected(consortium, identity) as con:
        rows = con.load_csv(table, file, owner=owner or identity, delimiter=delimiter, header=not no_header)
        click.echo(f"{rows} rows of {owner or identity} loaded into {table}")
        for column, rounding in rows.rounding.items():
            click.echo(f"{column}: {rounding}")


@main.command()
@click.option("--table", default="", help="What the table is to be called.  [default: as the file]")
@click.option("--delimiter", default=",", show_default=True, help="Between fields: one character.")
@click.argument("file", type=_ANY_FILE)
def infer(table: str, delimiter: str, file: Path) -> None:
    """Propose a schema for a CSV file, for review. Nothing leaves this machine."""
    with _errors():
        from smpc_sql.infer import infer as proposal  # noqa: PLC0415

        click.echo(proposal(file, table, delimiter), nl=False)


@main.command()
@click.option("--parties", type=click.IntRange(2, 5), default=3, show_default=True, help="How many parties.")
@click.option("--party", "names", multiple=True, help="A party's name; once for each, instead of --parties.")
@click.option(
    "--analyst", "analysts", multiple=True, default=("analyst",), show_default=True, help="May ask; repeatable."
)
@click.option("--owner", "owners", multiple=True, help="May load rows of that name; repeatable.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where all nodes run; edit the file to spread them."
)
@click.option(
    "--port", type=click.IntRange(1, 65524), default=7100, show_default=True, help="The provider's; others follow."
)
@click.argument("directory", type=_ANY_FILE)
def init(
    parties: int, names: tuple[str, ...], analysts: tuple[str, ...], owners: tuple[str, ...], host: str, port: int,
    directory: Path,
) -> None:  # fmt: skip
    """Write a consortium file and its members' keys into DIRECTORY."""
    with _errors():
        from parties import config  # noqa: PLC0415

        path = config.init(directory, parties=names or parties, analysts=analysts, owners=owners, host=host, port=port)
        stations = [party.name for party in config.read(path).parties]
    click.echo(f"{path} is public: every member needs it. Each NAME.key beside it is for that member alone.\n")
    click.echo(f"  smpc-sql provider -c {path}")
    for name in stations:
        click.echo(f"  smpc-sql party -c {path} {name} --data {directory / name}")
    click.echo(f"  smpc-sql query -c {path} -i {analysts[0]} 'CREATE TABLE …'")


@main.command()
@_consortium
@click.option("--data", type=_ANY_FILE, required=True, help="The directory that keeps this party's shares.")
@click.argument("name")
def party(consortium: Path, data: Path, name: str) -> None:
    """Run the party NAME until it is stopped."""
    with _errors():
        from parties import compute  # noqa: PLC0415

        compute.serve(consortium, name, data, on_ready=_ready)


@main.command()
@_consortium
def provider(consortium: Path) -> None:
    """Run the crypto provider until it is stopped."""
    with _errors():
        from parties import provider as station  # noqa: PLC0415

        station.serve(consortium, on_ready=_ready)


def _ready(link: Link) -> None:
    """Stops in order when told to, and says that all is well."""
    from parties import process  # noqa: PLC0415

    process.stop_on_signals(link)
    click.echo(f"{link.name} is ready", err=True)


@contextmanager
def _errors(sql: str = "") -> Iterator[None]:
    """Our errors become lines on standard error, and exit code 2."""
    try:
        yield
    except SmpcError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(error_text(error, sql))
        sys.exit(EXIT_ERROR)


def error_text(error: SmpcError, sql: str = "") -> Text:
    """An error for people; a QueryError with its line of the SQL, the place underlined."""
    text = Text.assemble(("error: ", "bold red"), str(error))
    if isinstance(error, InternalError):
        text.append("\nThis is a bug in smpc_sql; please report it.")
    lines = sql.splitlines()
    if isinstance(error, QueryError) and 1 <= error.line <= len(lines):
        line, start = lines[error.line - 1].replace("\t", " "), max(error.column - 1, 0)
        found = re.compile(r"\w+|.?").match(line, start)
        width = max(len(found.group()), 1) if found else 1
        text.append(f"\n  {line}\n  {' ' * min(start, len(line))}").append("^" * width, "bold red")
    return text


@contextmanager
def _connected(consortium: Path, identity: str) -> Iterator[Connection]:
    from parties.connect import connect  # noqa: PLC0415

    with connect(consortium, identity) as con:
        yield con


def _shown(sql: str, dialect: str) -> str:
    """The SQL that errors speak of; nothing where that is a translation."""
    return sql if dialect == _OURS else ""


def _sql_text(sql: str) -> str:
    """The argument itself, or what a file (@FILE) or standard input (-) holds."""
    if sql == "-":
        return sys.stdin.read()
    if not sql.startswith("@"):
        return sql
    try:
        return Path(sql[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read {sql[1:]}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None


def _formatted(rows: Result, form: str) -> str:
    match form:
        case "csv":
            out = io.StringIO()
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(rows.columns)
            writer.writerows([_csv_cell(value) for value in row] for row in rows)
            return out.getvalue()
        case "json":
            return _json(rows)
        case _:
            return f"{rows!r}\n"


def _csv_cell(value: object) -> object:
    """As CSV files for loading hold it: NULL empty, booleans in lower case."""
    return ("true" if value else "false") if isinstance(value, bool) else value


def _json(rows: Result) -> str:
    """One object for each row; decimals are numbers with all their digits, dates texts."""
    import msgspec  # noqa: PLC0415

    encoder = msgspec.json.Encoder(decimal_format="number")
    objects = [encoder.encode(dict(zip(rows.columns, row, strict=True))).decode() for row in rows]
    return "[" + ",\n ".join(objects) + "]\n"
