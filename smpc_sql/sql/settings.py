"""What a statement says about itself before it starts: SET STATEMENT join_rows = 20000 FOR SELECT …

It is about joins of many with many: how many pairs they have at most, or that their number is opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smpc_sql.errors import SyntaxInvalid, Unsupported

MAX_JOIN_ROWS = 1 << 24
"""Rows for which a join of many with many makes room at most."""

POWERS_OF_TWO = 0
"""The step of a size that is rounded up to a power of two."""

_WORDS: Mapping[str, int] = MappingProxyType({"exact": 1, "power_of_two": POWERS_OF_TWO})
_SETTING = re.compile(r"\s*(\w+)\s*=\s*(\w+|'[\d: ]*')\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Room:
    """How many pairs a join of many with many has.

    rows: at most, as somebody declares. step: their number is opened, rounded up to a multiple of step, or if that is 0
    to a power of two. At most one of both; neither: nobody said anything.
    """

    rows: int | None = None
    step: int | None = None

    @property
    def said(self) -> bool:
        """Whether anybody said anything."""
        return self.rows is not None or self.step is not None


@dataclass(frozen=True, slots=True)
class Settings:
    """room: for the joins of every SELECT that has no hint of its own. sizes: those that were opened already, by the
    joins' numbers in the order in which they are bound."""

    room: Room = Room()
    sizes: tuple[tuple[int, int], ...] = ()

    @property
    def prefix(self) -> str:
        """How they are written before a statement; nothing if there are none."""
        parts = []
        if self.room.rows is not None:
            parts.append(f"join_rows = {self.room.rows}")
        if self.room.step is not None:
            words = {step: word for word, step in _WORDS.items()}
            parts.append(f"join_size = {words.get(self.room.step, self.room.step)}")
        if self.sizes:
            parts.append("join_sizes = '" + " ".join(f"{number}:{rows}" for number, rows in self.sizes) + "'")
        return f"SET STATEMENT {', '.join(parts)} FOR " if parts else ""

    def with_size(self, number: int, rows: int) -> Settings:
        """The size of one more join. What was opened of later ones is forgotten: they may be others now."""
        earlier = tuple(known for known in self.sizes if known[0] < number)
        return Settings(self.room, (*earlier, (number, rows)))


NO_SETTINGS = Settings()
"""Of a statement that says nothing."""


def room_of(rows: int | None, size: bool | int | str | None) -> Room:
    """The room that arguments of an API ask for.

    size: True opens the number of pairs, "power_of_two" or a number n opens it rounded up. Raises SyntaxInvalid,
    Unsupported.
    """
    found = Room() if rows is None else Room(rows=_rows("join_rows", rows))
    if size is None or size is False:
        return found
    if found.said:
        raise SyntaxInvalid("a join has a declared bound, join_rows, or its size is opened, join_size; not both")
    return Room(step=step_of("exact" if size is True else str(size)))


def step_of(word: str) -> int:
    """The step of a size: exact, power_of_two, or a number. Raises SyntaxInvalid."""
    known = _WORDS.get(word.lower())
    if known is not None:
        return known
    if not re.fullmatch(r"[1-9]\d{0,7}", word) or int(word) > MAX_JOIN_ROWS:
        raise SyntaxInvalid(f"a join's size is opened exact, power_of_two, or to a multiple of 1 to {MAX_JOIN_ROWS}")
    return int(word)


def parse_settings(text: str) -> Settings:
    """What stands between SET STATEMENT and FOR. Raises SyntaxInvalid, Unsupported."""
    given: dict[str, str] = {}
    while text.strip():
        found = _SETTING.match(text)
        if found is None:
            raise SyntaxInvalid(f"a setting is name = value, not {text.strip()[:40]}")
        given[found[1].lower()] = found[2]
        text = text[found.end() :]
    for name in given:
        if name not in ("join_rows", "join_size", "join_sizes"):
            raise Unsupported(f"setting {name} is not supported; there are join_rows and join_size")
    rows = given.get("join_rows")
    if rows is not None and not rows.isdigit():
        raise SyntaxInvalid("join_rows is a number of rows")
    return Settings(
        room_of(None if rows is None else int(rows), given.get("join_size")), _sizes(given.get("join_sizes", "''"))
    )


def _sizes(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for each in text.strip("'").split():
        number, colon, rows = each.partition(":")
        if not (colon and number.isdigit() and rows.isdigit()):
            raise SyntaxInvalid("join_sizes is a text of number:rows")
        found.append((int(number), _rows("join_sizes", int(rows))))
    return tuple(found)


def _rows(name: str, rows: int) -> int:
    if not 0 <= rows <= MAX_JOIN_ROWS:
        raise Unsupported(f"{name} {rows}: 0 to {MAX_JOIN_ROWS} are supported")
    return max(1, rows)
