"""What a SELECT says about its joins in a comment behind its SELECT: /*+ JOIN_ROWS(20000) */ or /*+ JOIN_SIZE */."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlglot import exp

from smpc_sql.errors import SyntaxInvalid, Unsupported
from smpc_sql.plan.relations import Expansion, Join, Sized, fingerprint
from smpc_sql.sql.settings import MAX_JOIN_ROWS, NO_SETTINGS, Room, Settings, step_of

_HINT = re.compile(r"\s*(\w+)\s*(?:\(\s*(\w{1,18})\s*\))?\s*,?")


def room_hinted(select: exp.Select) -> Room:
    """What a SELECT says of the pairs of its joins. Raises SyntaxInvalid, Unsupported for hints that are not ours."""
    room = Room()
    for comment in select.comments or ():
        if not comment.lstrip().startswith("+"):
            continue
        text = comment.lstrip()[1:]
        while text.strip():
            found = _HINT.match(text)
            if found is None:
                raise SyntaxInvalid(f"a hint is JOIN_ROWS(number of rows) or JOIN_SIZE, not {text.strip()[:40]}")
            if room.said:
                raise SyntaxInvalid("a SELECT has one hint, JOIN_ROWS(n) or JOIN_SIZE")
            room = _room(found[1], found[2])
            text = text[found.end() :]
    return room


def _room(name: str, argument: str | None) -> Room:
    match name.upper():
        case "JOIN_ROWS":
            if argument is None or not argument.isdigit():
                raise SyntaxInvalid("a hint is JOIN_ROWS(number of rows)")
            if int(argument) > MAX_JOIN_ROWS:
                raise Unsupported(f"JOIN_ROWS({argument}): at most {MAX_JOIN_ROWS} are supported")
            return Room(rows=max(1, int(argument)))  # whether there is room is looked at for one pair, too
        case "JOIN_SIZE":
            return Room(step=step_of(argument or "exact"))
        case _:
            raise Unsupported(f"hint {name} is not supported; there are JOIN_ROWS(n) and JOIN_SIZE")


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of one statement. Joins whose size is to be opened are numbered as they are bound, equal ones alike."""

    settings: Settings = NO_SETTINGS
    _numbers: dict[str, int] = field(default_factory=dict)

    def of(self, select: exp.Select) -> Pairs:
        """For the joins of one SELECT's FROM."""
        own = room_hinted(select)
        return Pairs(own if own.said else self.settings.room, self)

    def sized(self, join: Join, step: int) -> tuple[int | None, Sized]:
        """The size of a join if it is known, and how it is to be opened."""
        number = self._numbers.setdefault(fingerprint(join), len(self._numbers) + 1)
        return dict(self.settings.sizes).get(number), Sized(number, step)


@dataclass(frozen=True, slots=True)
class Pairs:
    """How many pairs the joins of one FROM have."""

    room: Room
    rooms: Rooms

    @property
    def limit(self) -> int | None:
        """At most, as the query declares; None where it does not."""
        return self.room.rows

    def expansion(self, join: Join) -> Expansion:
        """For a join of many with many, which comes with an expansion that nobody limits."""
        assert join.expansion is not None
        if self.room.step is None:
            return Expansion(self.room.rows, join.expansion.refusal)
        size, sized = self.rooms.sized(join, self.room.step)
        return Expansion(size, join.expansion.refusal, sized)
