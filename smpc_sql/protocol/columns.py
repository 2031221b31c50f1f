"""Moving many rows, column by column: what `permutation` does, and never more than a column of it under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.correlations.permutations import Order, ShuffledColumn
from smpc_sql.ring import Array, lane_of
from smpc_sql.session import Session

MANY_ROWS = 1 << 17
"""From so many rows on memory counts more than the columns' going side by side."""

_PIECE = 1 << 16  # rows
_EMPTY: Array = np.empty(0, dtype=np.uint8)
_BYTE: Array = np.zeros(1, dtype=np.uint8)


def are_many(rows: int) -> bool:
    """Whether so many rows are worked on the frugal way."""
    return rows >= MANY_ROWS


@dataclass(frozen=True, slots=True)
class Shares:
    """This party's shares of a column [n], words of any lane: by XOR, or by addition."""

    words: Array
    xor: bool

    @property
    def form(self) -> tuple[int, int, bool]:
        """What moving it costs depends on."""
        return len(self.words), lane_of(self.words), self.xor


def routed_columns(session: Session, columns: list[Shares], outs: Sequence[Array | None] = ()) -> list[Array]:
    """`permutation.route` of columns [n], the last of which are the destinations, uint32 by addition; without these.

    Each party's order is dealt once (`Order`), and a column after the other is shuffled by all of them. The list is
    used up: what nobody else holds is freed on the way. outs: where the columns are to be put. A shuffle's rounds and
    one more, side by side; bytes as there.
    """
    key = routed_columns, tuple(column.form for column in columns)
    return list(session.alike(key, lambda session: _routed(session, columns, outs)))


def _routed(session: Session, columns: list[Shares], outs: Sequence[Array | None]) -> list[Array]:
    forms = [column.form for column in columns]
    shuffled = shuffled_columns(session, columns)
    at = _opened(session, shuffled.pop())
    found = []
    for i in range(len(shuffled)):
        column, shuffled[i] = shuffled[i], _EMPTY
        out = outs[i] if i < len(outs) else None
        out = np.empty_like(column) if out is None else out
        for start in range(0, forms[i][0], _PIECE):
            out[at[start : start + _PIECE]] = column[start : start + _PIECE]
        del column
        found.append(out)
    return found


def shuffled_columns(session: Session, columns: list[Shares]) -> list[Array]:
    """`permutation.shuffle` of columns [n]: they, in an order that no party knows. The list is used up."""
    count, parties = len(columns[0].words), session.parties
    orders = [session.draw(Order(count, turn)) for turn in range(parties)]
    order = orders[session.index](0)
    forms = [column.form for column in columns]

    def shuffled(branch: Session, place: int) -> Array:
        column, xor = columns[place].words, columns[place].xor
        columns[place] = Shares(_EMPTY, xor)
        held = [column]
        del column
        for turn in range(parties):
            kind = ShuffledColumn(count, turn, lane_of(held[0]), xor, parties - turn)
            part = branch.draw(kind)
            (_permuted if turn == branch.index else _masked)(branch, kind, held, order, part)
        return held[0]

    found = session.fork(shuffled, range(len(columns)), lambda place: forms[place], 1)
    columns.clear()
    return found


def _masked(session: Session, kind: ShuffledColumn, held: list[Array], _: Array, part: Callable[[int], Array]) -> None:
    """Sends the column less a mask to whose turn it is; goes on with the other mask."""
    mask = part(0)
    (np.bitwise_xor if kind.xor else np.subtract)(held[0], mask, out=mask)
    held[0] = _EMPTY
    session.collect(mask, kind.turn)
    del mask
    held[0] = part(1)


def _permuted(
    session: Session, kind: ShuffledColumn, held: list[Array], order: Array, part: Callable[[int], Array]
) -> None:
    """The sum of the column and what the others sent, in this party's order, and the correction."""
    add = np.bitwise_xor if kind.xor else np.add
    received = session.collect(np.broadcast_to(_BYTE, (held[0].nbytes,)), kind.turn)
    total = received.pop().view(held[0].dtype)
    total = add(held[0], total, out=total if total.flags.writeable else None)
    held[0] = _EMPTY
    while received:
        add(total, received.pop().view(total.dtype), out=total)
    out = part(2)
    if not out.flags.writeable:
        out = out.copy()
    for start in range(0, len(order), _PIECE):
        rows = slice(start, start + _PIECE)
        add(out[rows], np.take(total, order[rows]), out=out[rows])
    held[0] = out


def _opened(session: Session, words: Array) -> Array:
    """`open`, piece after piece; the words are overwritten."""

    def opened(branch: Session, start: int) -> None:
        rows = slice(start, start + _PIECE)
        words[rows] = branch.open(words[rows].copy())

    session.fork(opened, range(0, len(words), _PIECE), lambda start: min(_PIECE, len(words) - start), 2)
    return words
