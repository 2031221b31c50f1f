"""`smpc-sql demo`: four hospitals, a provider and an analyst on this machine, and a tour of queries.

Every answer is shown beside the one that DuckDB gives on the pooled plaintext, which exists only here, to compare.
"""

from __future__ import annotations

import math
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from parties.directory_store import peek
from parties.local import local
from smpc_sql.errors import ConfigError
from smpc_sql.result import Result

WIDTH = 100
HOSPITALS = ("cleveland", "budapest", "zurich_basel", "long_beach_va")
MODEL_OWNER = "cardiology_lab"
_SHOWN_COLUMNS = ("age", "sex", "cp", "chol")
_SCORE = "m.b0 + m.age * h.age + m.sex * h.sex + m.cp * h.cp + m.chol * h.chol + m.oldpeak * h.oldpeak"


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour: what is asked, in words and in SQL that DuckDB reads too."""

    question: str
    sql: str


TOUR = (
    Stop(
        "How many patients did each hospital bring, and how many of them are ill?",
        "SELECT owner, COUNT(*) AS patients, COUNT(*) FILTER (WHERE num > 0) AS ill\n"
        "FROM heart GROUP BY owner ORDER BY owner",
    ),
    Stop(
        "Among patients over 50 whose cholesterol was measured: averages by sex (1 male, 0 female)",
        "SELECT sex, COUNT(*) AS n, AVG(chol) AS chol, AVG(thalach) AS heart_rate\n"
        "FROM heart WHERE age > 50 AND chol > 0 GROUP BY sex ORDER BY sex",
    ),
    Stop(
        "Age weighted by severity, by chest pain and sex: products of secret columns, and a quotient",
        "SELECT cp, sex, COUNT(*) AS n, SUM(age * num) / SUM(num) AS weighted_age\n"
        "FROM heart GROUP BY cp, sex HAVING COUNT(*) >= 50 ORDER BY cp, sex",
    ),
    Stop(
        "How does ST depression spread among the healthy and the ill? Exact decimals, NULLs left out",
        "SELECT num > 0 AS ill, COUNT(oldpeak) AS n, AVG(oldpeak) AS mean, STDDEV(oldpeak) AS sd\n"
        "FROM heart GROUP BY num > 0 ORDER BY ill",
    ),
    Stop(
        "The extremes among the ill of all hospitals",
        "SELECT MIN(age) AS youngest, MAX(age) AS oldest, MIN(oldpeak) AS low, MAX(oldpeak) AS high\n"
        "FROM heart WHERE num > 0",
    ),
    Stop(
        "A laboratory's secret model scores every hospital's secret rows: the average score",
        f"SELECT h.owner, AVG({_SCORE}) AS score\n"
        "FROM heart h CROSS JOIN model m WHERE h.chol > 0 GROUP BY h.owner ORDER BY score DESC",
    ),
    Stop(
        "How good is the model at a threshold of one half?",
        f"SELECT h.num > 0 AS ill, COUNT(*) FILTER (WHERE {_SCORE} > 0.5) AS told_ill, COUNT(*) AS n\n"
        "FROM heart h CROSS JOIN model m WHERE h.chol > 0 GROUP BY h.num > 0 ORDER BY ill",
    ),
)


def run(console: Console | None = None, datasets: Path | None = None) -> bool:
    """The whole tour; returns whether every answer equals DuckDB's. Raises SmpcError; leaves no process behind.

    datasets: the directory that holds heart/ and model/; by default that of the source tree.
    """
    console = console or _console()
    files = _checked(datasets or Path(__file__).resolve().parent.parent / "datasets")
    with _terminated_as_interrupted(), tempfile.TemporaryDirectory(prefix="smpc_sql_demo_") as scratch:
        return _tour(console, files, Path(scratch))


def _console() -> Console:
    """At most as wide as is good to read; just that where nobody knows the width."""
    given = Console()
    return Console(width=min(WIDTH, given.width) if given.is_terminal else WIDTH, highlight=False)


def _checked(datasets: Path) -> Path:
    for needed in ("heart/schema.sql", "model/schema.sql", "model/model.csv", *(f"heart/{h}.csv" for h in HOSPITALS)):
        if not (datasets / needed).is_file():
            raise ConfigError(f"{datasets / needed} is missing: run the demo from the source tree, or name --datasets")
    return datasets


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A polite kill ends the demo as Ctrl-C does: through the `with` blocks that end the processes."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tour(console: Console, files: Path, scratch: Path) -> bool:
    began = time.monotonic()
    judge = _pooled(files)
    console.print(_welcome())
    with _progress(console) as progress:
        task = progress.add_task("starting four parties and the provider", total=2 + len(HOSPITALS) + len(TOUR))
        with local(parties=len(HOSPITALS), directory=scratch) as con:
            started = time.monotonic() - began
            progress.update(task, advance=1, description="declaring the tables")
            con.execute((files / "heart" / "schema.sql").read_text(encoding="utf-8"))
            con.execute((files / "model" / "schema.sql").read_text(encoding="utf-8"))
            loaded = []
            for hospital in HOSPITALS:
                progress.update(task, advance=1, description=f"{hospital} splits its rows into shares")
                path = files / "heart" / f"{hospital}.csv"
                loaded.append((hospital, path, con.load_csv("heart", path, owner=hospital)))
            path = files / "model" / "model.csv"
            loaded.append((MODEL_OWNER, path, con.load_csv("model", path, owner=MODEL_OWNER)))
            console.print(_loaded(loaded, started))
            console.print(_held(files, scratch, con.parties))
            progress.update(task, advance=1)
            equal, seconds = 0, 0.0
            for number, stop in enumerate(TOUR, 1):
                progress.update(task, description=f"question {number} of {len(TOUR)}")
                result = con.sql(stop.sql)
                expected = judge.execute(stop.sql).fetchall()
                same = equal_rows(result.fetchall(), expected)
                console.print(_answered(number, stop, result, expected, same))
                equal, seconds = equal + same, seconds + result.stats.seconds
                progress.update(task, advance=1)
    console.print(_farewell(equal, seconds, time.monotonic() - began))
    return equal == len(TOUR)


def _pooled(files: Path) -> Any:
    """A DuckDB connection with everybody's rows in the clear. Raises ConfigError without DuckDB."""
    try:
        import duckdb  # noqa: PLC0415 - only the demo and the tests need it
    except ImportError:
        raise ConfigError(
            "the demo compares with DuckDB, which is not installed: pip install 'smpc-sql[demo]'"
        ) from None
    con = duckdb.connect()
    for table, owned in (("heart", HOSPITALS), ("model", ("model",))):
        con.execute((files / table / "schema.sql").read_text(encoding="utf-8"))
        con.execute(f"ALTER TABLE {table} ADD COLUMN owner VARCHAR")
        for name in owned:
            query = f"INSERT INTO {table} BY NAME SELECT *, ? AS owner FROM read_csv(?)"
            con.execute(query, [name, str(files / table / f"{name}.csv")])
    return con


def equal_rows(ours: Sequence[tuple[Any, ...]], theirs: Sequence[tuple[Any, ...]]) -> bool:
    """The same rows in the same order: exactly, and to 9 significant digits where a value is a double."""
    return len(ours) == len(theirs) and all(
        len(one) == len(other) and all(map(_equal, one, other)) for one, other in zip(ours, theirs, strict=True)
    )


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=0.0)
    return bool(one == other)


def _progress(console: Console) -> Progress:
    parts = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*parts, console=console, transient=True)


def _welcome() -> RenderableType:
    text = (
        "Four hospitals have patients' data that they may not pool. Each splits its rows into shares, one for each of "
        "four parties: a party's share is noise, only all four together mean anything. An analyst sends SQL, the "
        "parties compute on shares, and the analyst alone adds up the answer."
    )
    return Panel(text, title="[bold]smpc_sql[/bold]", box=ROUNDED, border_style="cyan", padding=(0, 1))


def _loaded(loaded: Sequence[tuple[str, Path, int]], started: float) -> RenderableType:
    table = Table(
        box=SIMPLE_HEAD, title=f"five processes after {started:.1f} s; loaded as shares", title_justify="left"
    )
    table.add_column("owner", style="cyan")
    table.add_column("file")
    table.add_column("rows", justify="right")
    for owner, path, rows in loaded:
        table.add_row(owner, f"{path.parent.name}/{path.name}", str(rows))
    return table


def _held(files: Path, scratch: Path, parties: Sequence[str]) -> RenderableType:
    """The first patient's row as its owner knows it, and as every party's own store holds it."""
    with (files / "heart" / f"{HOSPITALS[0]}.csv").open(encoding="utf-8") as lines:
        names, values = (next(lines).strip().split(",") for _ in range(2))
    row = dict(zip(names, values, strict=True))
    title = f"the first patient's row: as {HOSPITALS[0]} knows it, and all that the parties hold of it"
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for name in _SHOWN_COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(HOSPITALS[0], *(row[name] for name in _SHOWN_COLUMNS), style="bold green")
    words = [_first_words(scratch / party) for party in parties]
    for party, share in zip(parties, words, strict=True):
        table.add_row(party, *(f"{word:016x}" for word in share), style="dim")
    sums = [sum(column) % 2**64 for column in zip(*words, strict=True)]
    table.add_row("sum mod 2⁶⁴", *(str(total) for total in sums), style="green")
    return table


def _first_words(store: Path) -> list[int]:
    """The shown columns of the first row that a party holds, as its store on disc has them."""
    catalog, read = peek(store)
    fragment = next(iter(read(catalog.table("heart"))))
    return [int(fragment.words[column][0]) for column in _SHOWN_COLUMNS]


def _answered(
    number: int, stop: Stop, result: Result, expected: Sequence[tuple[Any, ...]], same: bool
) -> RenderableType:
    ours = _rows("under MPC", result.columns, result.fetchall(), "cyan")
    theirs = _rows("DuckDB on pooled plaintext", result.columns, expected, "white")
    verdict = Text.assemble(
        ("✓ equal", "bold green") if same else ("✗ different", "bold red"), "   ", str(result.stats)
    )
    sql = Syntax(stop.sql, "sql", theme="ansi_dark", background_color="default", word_wrap=True)
    body = Group(Padding(sql, (0, 0, 1, 0)), Columns([ours, theirs], padding=(0, 2)), verdict)
    title = f"[bold]{number}[/bold]  {stop.question}"
    return Panel(body, title=title, title_align="left", box=ROUNDED, border_style="cyan", padding=(0, 1))


def _rows(title: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], style: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, title_style=style, min_width=len(title))
    for place, name in enumerate(columns):
        texts = any(isinstance(row[place], str) for row in rows)
        table.add_column(name, justify="left" if texts else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    return table


def _shown(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.10g}"
        case _:
            return str(value)


def _farewell(equal: int, seconds: float, total: float) -> RenderableType:
    whole = equal == len(TOUR)
    text = Text.assemble(
        (f"{equal} of {len(TOUR)} answers equal the pooled plaintext's.", "bold green" if whole else "bold red"),
        f" {seconds:.1f} s of queries, {total:.1f} s in all; every process has ended.\n",
        "Next: README.md for a first query in Python, or smpc-sql --help.",
    )
    return Panel(text, box=ROUNDED, border_style="green" if whole else "red", padding=(0, 1))
