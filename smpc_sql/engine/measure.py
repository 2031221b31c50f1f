"""What each operator of a plan costs, predicted (dry) and measured: rounds and bytes exactly, seconds as they were.

Operators call one another, so a wrapper around each takes note of the stretch of the session's program in which it ran;
every act of the session has its place there, and belongs to the innermost stretch around it.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from smpc_sql.operators.base import Operator, Tables
from smpc_sql.operators.deliver import Deliver
from smpc_sql.operators.join_size import JoinSize
from smpc_sql.operators.table import SharedTable
from smpc_sql.session import Event, Session

_COUNTER = 3  # bytes of a path that count the acts of one branch
_BRANCH = 7  # with the number of a branch behind them


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one operator at one party, its inputs' cost not included. Bytes: sent to all others; dealt to this party."""

    seconds: float
    rounds: int
    bytes_sent: int
    bytes_dealt: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Acts first + 1 … last of the branch `prefix`, and their time and rounds, inner operators included."""

    prefix: bytes
    first: int
    last: int
    seconds: float
    rounds: int

    def holds(self, path: bytes) -> bool:
        cut = len(self.prefix)
        return (
            path.startswith(self.prefix) and self.first < int.from_bytes(path[cut : cut + _COUNTER], "big") <= self.last
        )

    def inside(self, other: _Span) -> bool:
        """Whether it is part of another span."""
        if self.prefix == other.prefix:
            return other.first <= self.first and self.last <= other.last
        return self.prefix.startswith(other.prefix) and other.holds(self.prefix)


class Record:
    """What wrappers note during one run, by the operators' numbers."""

    def __init__(self) -> None:
        self.spans: dict[int, list[_Span]] = {}
        self._lock = threading.Lock()

    def note(self, number: int, span: _Span) -> None:
        """Takes a stretch down."""
        with self._lock:
            self.spans.setdefault(number, []).append(span)


_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Measured:
    """An operator that takes note of where and how long it runs. Equal to another one of the same operator."""

    operator: Operator
    number: int
    record: Record = dataclasses.field(compare=False, repr=False)

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """The operator's."""
        return self.operator.inputs

    @property
    def rows(self) -> int:
        """The operator's."""
        return self.operator.rows

    def describe(self) -> str:
        """The operator's."""
        return self.operator.describe()

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        found: SharedTable = _noted(self.operator.run, session, tables, self.number, self.record)
        return found


def _noted(run: Any, session: Session, tables: Tables, number: int, record: Record) -> Any:
    started, first, rounds = time.perf_counter(), session.acts, session.rounds
    result = run(session, tables)
    seconds = time.perf_counter() - started
    record.note(number, _Span(session.prefix, first, session.acts, seconds, session.rounds - rounds))
    return result


class Instrumented:
    """A plan whose operators are measured. operators: all of them, parents first; each one's number is its place."""

    def __init__(self, root: Deliver | JoinSize) -> None:
        self.record = Record()
        self.operators: list[Operator | Deliver | JoinSize] = [root]
        self.children: dict[int, list[int]] = {0: []}
        self._wrapped: dict[Operator, Measured] = {}
        self._root = self._with_inputs(root, 0)

    def run(self, session: Session, tables: Tables) -> None:
        """As the plan's root does; what it finds is thrown away."""
        _noted(self._root.run, session, tables, 0, self.record)

    def total(self, events: Iterable[Event]) -> Cost:
        """Of the whole, from the session's events. Operators side by side share their seconds and rounds."""
        return _total(self.record.spans.get(0, []), tuple(events))

    def costs(self, events: Iterable[Event]) -> list[Cost]:
        """Of every operator, from the session's events."""
        spans = [self.record.spans.get(i, []) for i in range(len(self.operators))]
        known = tuple(events)
        whole = [_total(each, known) for each in spans]
        return [self._own(i, spans, whole[i], known) for i in range(len(self.operators))]

    def _own(self, number: int, spans: Sequence[list[_Span]], whole: Cost, events: Sequence[Event]) -> Cost:
        """Without the inputs' stretches that lie inside."""
        inner = [
            child
            for place in dict.fromkeys(self.children[number])
            for child in spans[place]
            if any(child.inside(own) for own in spans[number])
        ]
        below = _total(inner, events)
        seconds, rounds = _passed(spans[number], inner)
        return Cost(
            max(0.0, whole.seconds - seconds),
            max(0, whole.rounds - rounds),
            whole.bytes_sent - below.bytes_sent,
            whole.bytes_dealt - below.bytes_dealt,
        )

    def _wrap(self, operator: Operator) -> Measured:
        """One wrapper for equal operators: what a plan computes once is computed once here, too."""
        found = self._wrapped.get(operator)
        if found is None:
            number = len(self.operators)
            self.operators.append(operator)
            self.children[number] = []
            found = self._wrapped[operator] = Measured(self._with_inputs(operator, number), number, self.record)
        return found

    def _with_inputs(self, operator: Any, number: int) -> Any:
        """The operator over wrapped inputs, wherever it holds them."""
        wrapped = {source: self._wrap(source) for source in operator.inputs}
        self.children[number] = [wrapped[source].number for source in operator.inputs]
        changes: dict[str, Any] = {}
        for field in dataclasses.fields(operator):
            value = getattr(operator, field.name)
            if isinstance(value, tuple) and value == operator.inputs:
                changes[field.name] = tuple(wrapped[source] for source in value)
            elif dataclasses.is_dataclass(value) and value in operator.inputs:
                changes[field.name] = wrapped[value]
        return dataclasses.replace(operator, **changes) if changes else operator


def _passed(own: Sequence[_Span], inner: Sequence[_Span]) -> tuple[float, int]:
    """The seconds and rounds that pass while inner stretches run: of those side by side, the longest branch's."""
    forks: dict[tuple[int, bytes], dict[bytes, tuple[float, int]]] = {}
    for child in inner:
        place = next(i for i, span in enumerate(own) if child.inside(span))
        rest = child.prefix[len(own[place].prefix) :]
        act, branch = (rest[:_COUNTER], rest[_COUNTER:_BRANCH]) if rest else (child.first.to_bytes(8, "big"), b"")
        branches = forks.setdefault((place, act), {})
        seconds, rounds = branches.get(branch, (0.0, 0))
        branches[branch] = seconds + child.seconds, rounds + child.rounds
    longest = [tuple(map(max, zip(*branches.values(), strict=True))) for branches in forks.values()]
    return sum(seconds for seconds, _ in longest), sum(rounds for _, rounds in longest)


def _total(spans: Sequence[_Span], events: Sequence[Event]) -> Cost:
    mine = [event for event in events if any(span.holds(event.path) for span in spans)]
    return Cost(
        sum(span.seconds for span in spans),
        sum(span.rounds for span in spans),
        sum(event.size for event in mine if event.verb == "open"),
        sum(event.size for event in mine if event.verb != "open"),
    )
