"""What every primitive costs: as docs/protocols.md says, as the dry run says, and the same whatever the secrets are."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from math import ceil, log2
from pathlib import Path

import pytest

import smpc_sql.protocol
from smpc_sql.dry import DryBackend
from smpc_sql.session import Event, Session, stats_of
from smpc_sql.testing import run_parties
from tests.protocol.primitives import FILLS, Case, cases

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocols.md"
ROW = re.compile(r"^\| `(\w+\.\w+)` \| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
LOCAL = (
    "boolean.negate",
    "division.shift_lane",
    "boolean.public_bits",
    "columns.are_many",
    "counting.turned",
    "lookup.table_bits",
    "numerals.inverted",
    "numerals.known",
    "numerals.written",
    "permutation.rows_of",
    "comparison.split_masks",
    "spelling.planes_of",
    "spelling.bytes_of_planes",
    "spelling.widened",
)
PARTS_OF_OTHERS = (
    "comparison.sign_and_borrow",
    "editing.shifted",
    "numerals.every",
    "numerals.products",
    "permutation.routed",
    "permutation.routed_places",
    "permutation.shuffled_words",
    "sorting.bits_at",
    "sorting.sort_groups",
)
CHOICES = ("ordering.sort", "ranking.greatest")  # one of three that are priced; several times one that is
CASES = cases(512, (8, 16, 32, 64), (3, 8, 9), (127, 521, 1279))
"""512 elements, so that no part of a correlation has to be rounded up to 64 bytes."""


@dataclass(frozen=True, slots=True)
class Price:
    """Formulas: rounds; bytes that a party sends to each other party; bytes of corrections to a receiver."""

    rounds: str
    sent: str
    dealt: str


PRICES = {name: Price(*rest) for name, *rest in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def value(formula: str, sizes: dict[str, int], parties: int) -> float:
    names = {**sizes, "p": parties, "ceil": ceil, "log2": log2}
    return eval(formula, {"__builtins__": {}}, names)  # of our own page


def recorded(case: Case, fill: str, parties: int) -> list[list[Event]]:
    """The events of every party."""
    backends: list[object] = []
    run_parties(parties, case.program, *case.shares(fill, parties), timeout=30, record=backends)
    return [backend.events for backend in sorted(backends, key=lambda each: each.index)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_price_is_what_the_page_says(case: Case) -> None:
    price = PRICES[case.name]
    for parties in (2, 3):
        events = recorded(case, "random", parties)
        dealt = value(price.dealt, case.sizes, parties)
        for index, mine in enumerate(events):
            stats = stats_of(mine)
            assert stats.rounds == value(price.rounds, case.sizes, parties)
            assert stats.bytes_sent == value(price.sent, case.sizes, parties) * (parties - 1)
            shuffled = [event for event in mine if event.verb.startswith("Shuffle")]
            if not shuffled:
                assert stats.bytes_dealt == (dealt if index == parties - 1 else 0)
        # a shuffle's turns are dealt to one party each, in equal parts
        assert sum(stats_of(mine).bytes_dealt for mine in events) == dealt


@pytest.mark.parametrize("case", cases(64, (16,), (4,), (127,)), ids=str)
@pytest.mark.parametrize("parties", [2, 5])
def test_the_dry_run_records_the_same(case: Case, parties: int) -> None:
    """And also what is asked of the provider: nothing more than that, in that order."""
    events = recorded(case, "random", parties)
    shares = case.shares("zeros", parties)
    for index, mine in enumerate(events):
        backend = DryBackend(index=index, parties=parties)
        case.program(Session(backend), *(each[index] for each in shares))
        assert backend.events == mine
        assert [r.path for r in backend.requests if r.kind.receiver(parties) == index] == [
            event.path for event in mine if event.size and event.verb != "open"
        ]


@pytest.mark.parametrize("case", cases(64, (8, 64), (3, 9), (127,)), ids=str)
def test_other_secrets_make_the_same_transcript(case: Case) -> None:
    first, *others = [recorded(case, fill, 3) for fill in FILLS]
    assert all(events for events in first)
    for other in others:
        assert other == first


def functions() -> dict[str, object]:
    """Every public function of protocol code by its name on the page."""
    found = {}
    for path in sorted(Path(smpc_sql.protocol.__path__[0]).glob("[a-z]*.py")):
        module = importlib.import_module(f"smpc_sql.protocol.{path.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{path.stem}.{name}"] = function
    return found


def test_the_page_prices_every_primitive_and_no_other() -> None:
    assert sorted(PRICES) == sorted(set(functions()) - {*LOCAL, *PARTS_OF_OTHERS, *CHOICES})
    assert sorted(PRICES) == sorted({case.name for case in CASES})


@pytest.mark.parametrize("name", sorted(PRICES))
def test_docstrings_say_the_same_rounds(name: str) -> None:
    said = re.findall(r"(?<!\S)(\d+) rounds?\b", inspect.getdoc(functions()[name]) or "")
    if PRICES[name].rounds.isdigit():
        assert said == [PRICES[name].rounds]
