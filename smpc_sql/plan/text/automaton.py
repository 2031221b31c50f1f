"""Regular expressions as deterministic automata, which secret texts of ASCII are run through.

[Thompson 1968] for one of many states, [Rabin-Scott 1959] for one of few: a state stands for all places of the pattern
that the text read so far may have come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

from smpc_sql.errors import Unsupported
from smpc_sql.plan.text.regex import Capture, Chain, Chars, Choice, Edge, Regex, Repeat

CODES = range(1, 128)
"""Characters of ASCII; 0 is behind the end of a text."""

MOST_STATES = 64
_MOST_PLACES = 2000
_MOST_SETS = 1000


@dataclass(frozen=True, slots=True)
class Automaton:
    """moves[q]: (codes, the state that they lead to) for all that leave state q, None for where no match is left;
    a text starts in state 0.
    """

    moves: tuple[tuple[tuple[tuple[int, ...], int | None], ...], ...]
    accepting: tuple[int, ...]

    def accepts(self, data: bytes) -> bool:
        """Whether a text ends in a state that accepts."""
        state: int | None = 0
        for code in data:
            if state is None:
                return False
            state = next((target for codes, target in self.moves[state] if code in codes), state)
        return state in self.accepting


@dataclass(slots=True)
class _Places:
    """The places of a pattern: where a character leads on, and where nothing is read (condition: at an edge)."""

    read: dict[int, tuple[frozenset[int], int]] = field(default_factory=dict)
    free: dict[int, list[tuple[int, Edge | None]]] = field(default_factory=dict)
    numbers: Iterable[int] = field(default_factory=count)

    def new(self) -> int:
        place = next(iter(self.numbers))
        if place > _MOST_PLACES:
            raise Unsupported("with a regular expression of so many characters is not supported")
        return place

    def step(self, start: int, end: int, edge: Edge | None = None) -> None:
        self.free.setdefault(start, []).append((end, edge))

    def build(self, regex: Regex, start: int) -> int:
        """Where the pattern ends that begins at a place. The first free step is the one that is tried first."""
        end = self.new()
        match regex:
            case Chars(ranges):
                codes = frozenset(c for low, high in ranges for c in range(max(low, 1), min(high, 127) + 1))
                self.read[start] = codes, end
            case Chain(parts):
                for part in parts:
                    start = self.build(part, start)
                self.step(start, end)
            case Choice(options):
                for option in options:
                    first = self.new()
                    self.step(start, first)
                    self.step(self.build(option, first), end)
            case Capture(part):
                self.step(self.build(part, start), end)
            case Edge():
                self.step(start, end, regex)
            case Repeat(part, low, high, greedy):
                for _ in range(low):
                    start = self.build(part, start)
                if high is None:
                    self._loop(part, start, end, greedy)
                else:
                    for _ in range(high - low):
                        start = self._maybe(part, start, end, greedy)
                    self.step(start, end)
        return end

    def _maybe(self, part: Regex, start: int, end: int, greedy: bool) -> int:
        first = self.new()
        for target in (first, end) if greedy else (end, first):
            self.step(start, target)
        return self.build(part, first)

    def _loop(self, part: Regex, start: int, end: int, greedy: bool) -> None:
        again = self.new()
        self.step(start, again)
        self.step(self._maybe(part, again, end, greedy), again)

    def reach(self, places: Iterable[int], edges: Sequence[Edge]) -> list[int]:
        """All places that can be reached without reading, what is tried first in front. edges: where the text is."""
        found: dict[int, None] = {}
        waiting = list(places)[::-1]
        while waiting:
            place = waiting.pop()
            if place not in found:
                found[place] = None
                steps = [end for end, edge in self.free.get(place, ()) if edge is None or edge in edges]
                waiting += steps[::-1]
        return list(found)


_START, _END = Edge(end=False), Edge(end=True)
_ANY = Chars(((1, 127),))


def matching(regex: Regex) -> Automaton:
    """Accepts a text that has a match somewhere. Raises Unsupported."""
    places = _Places()
    first = places.new()
    last = places.build(Chain((Repeat(_ANY, 0, None, greedy=True), regex)), first)
    return _determined(places, first, last)


def _determined(places: _Places, first: int, last: int) -> Automaton:
    """The sets of places that a text may have come to; one with the last place is the same whatever follows."""
    classes = _classes(places)

    def state_of(reached: list[int]) -> tuple[int, ...]:
        return (last,) if last in reached else tuple(sorted(reached))

    start = state_of(places.reach([first], (_START,)))
    states = {(start, True): 0}
    moves: list[dict[int, int]] = []
    accepting = []
    waiting = [(start, True)]
    while waiting:
        state, is_start = waiting.pop(0)
        edges = (_START, _END) if is_start else (_END,)
        if last in places.reach(state, edges):
            accepting.append(len(moves))
        found: dict[int, int] = {}
        for number, (code, _) in enumerate(classes):
            after = [places.read[p][1] for p in state if p in places.read and code in places.read[p][0]]
            target = state if state == (last,) else state_of(places.reach(after, ()))
            key = target, is_start and state == (last,)
            if key not in states:
                states[key] = len(states)
                waiting.append(key)
            found[number] = states[key]
        moves.append(found)
        if len(states) > _MOST_SETS:
            raise Unsupported("with a regular expression of so many states is not supported")
    return _smallest(moves, accepting, classes)


def _classes(places: _Places) -> list[tuple[int, tuple[int, ...]]]:
    """The characters in classes that no place tells apart: one of each, and all."""
    sets = sorted({codes for codes, _ in places.read.values()}, key=sorted)
    found: dict[tuple[bool, ...], list[int]] = {}
    for code in CODES:
        found.setdefault(tuple(code in codes for codes in sets), []).append(code)
    return [(codes[0], tuple(codes)) for codes in found.values()]


def _smallest(
    moves: Sequence[dict[int, int]], accepting: Sequence[int], classes: Sequence[tuple[int, tuple[int, ...]]]
) -> Automaton:
    """The automaton of the fewest states: those are one that no text tells apart. [Moore 1956] Raises Unsupported."""
    kind = [int(state in accepting) for state in range(len(moves))]
    while True:
        seen: dict[tuple[int, ...], int] = {}
        finer = []
        for state, found in enumerate(moves):
            mark = (kind[state], *(kind[found[number]] for number in range(len(classes))))
            finer.append(seen.setdefault(mark, len(seen)))
        if len(seen) == len(set(kind)):
            break
        kind = finer
    members = {kind[state]: state for state in reversed(range(len(moves)))}
    order = {old: new for new, old in enumerate(sorted(members, key=lambda each: members[each]))}
    if len(order) > MOST_STATES:
        raise Unsupported(f"with a regular expression of more than {MOST_STATES} states is not supported")
    rows, ends = [], []
    for old, new in order.items():
        state = members[old]
        targets: dict[int, list[int]] = {}
        for number, target in moves[state].items():
            targets.setdefault(order[kind[target]], []).extend(classes[number][1])
        rows.append({target: tuple(sorted(codes)) for target, codes in targets.items() if target != new})
        if state in accepting:
            ends.append(new)
    lost = {state for state, row in enumerate(rows) if not row and state not in ends and state}
    return Automaton(
        tuple(tuple((codes, None if t in lost else t) for t, codes in sorted(row.items())) for row in rows), tuple(ends)
    )
