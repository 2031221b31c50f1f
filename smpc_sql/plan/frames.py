"""Frames of window functions: which rows of its partition a row sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smpc_sql.errors import InternalError


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a frame begins or ends: at an end of the partition, at the first or last row with equal keys ("peers"),
    `offset` rows behind the row (before it, if negative), or as far behind in the words of the only order key ("key").

    NULLs are the same distance away from each other, and from nothing else.
    """

    at: Literal["partition", "peers", "row", "key"]
    offset: int = 0

    def __str__(self) -> str:
        if self.at == "key":
            return f"key{self.offset:+}"
        return self.at if self.at != "row" else f"row{self.offset:+}" if self.offset else "row"


PARTITION, PEERS, ROW = Edge("partition"), Edge("peers"), Edge("row")


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows from `start` to `end`, both included, as far as they are in the partition."""

    start: Edge
    end: Edge

    def __post_init__(self) -> None:
        if ends_early(self.start, self.end):
            raise InternalError("a frame does not end before it starts")

    def __str__(self) -> str:
        return f"{self.start}..{self.end}"

    @property
    def of_peers(self) -> bool:
        """Whether rows with equal keys see the same rows."""
        return "row" not in (self.start.at, self.end.at)

    @property
    def may_be_empty(self) -> bool:
        """Whether it may hold no row: it lies before or behind the row."""
        before = self.end.at in ("row", "key") and self.end.offset < 0
        return before or (self.start.at in ("row", "key") and self.start.offset > 0)

    @property
    def of_distances(self) -> bool:
        """Whether it begins or ends with a distance of the order key."""
        return "key" in (self.start.at, self.end.at)

    def rows(self, most: int) -> int:
        """How many rows it holds at most, of a partition of at most `most`."""
        if self.start.at == self.end.at == "row":
            return min(most, self.end.offset - self.start.offset + 1)
        return most


def ends_early(start: Edge, end: Edge) -> bool:
    """Whether a frame between them would end before it starts. Equal keys have the distance 0."""
    pair = start.at, end.at
    return (pair == ("row", "row") or ("key" in pair and "partition" not in pair)) and start.offset > end.offset


UP_TO_PEERS, UP_TO_ROW, WHOLE = Frame(PARTITION, PEERS), Frame(PARTITION, ROW), Frame(PARTITION, PARTITION)
