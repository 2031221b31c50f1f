"""Secret texts run through public automata, as planes of bits (see `spelling`).

A text is in one state at a time: which one is a bit for each state, of which one is set. A move is an AND of that bit
with one that says that the character is among those that lead there, and what is at the end of a text leads nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smpc_sql.protocol.boolean import conjunction
from smpc_sql.protocol.characters import kinds
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

Moves = Sequence[Sequence[tuple[tuple[int, ...], "int | None"]]]
"""By state: the codes that lead on, and where to; None for where nothing is accepted any more."""

_CODES = 127


def accepts(session: Session, planes: Array, moves: Moves, accepting: Sequence[int]) -> Array:
    """Whether texts end in a state that accepts, packed bits; they start in state 0.

    3 rounds for the characters, and one for each place but the first, up to where no move is left. An AND for each move
    that is possible at a place.
    """
    reached = _reached(moves, len(planes))
    sets = sorted({codes for states in reached for state in states for codes, _ in moves[state]})
    found = kinds(session, planes[: len(reached)], sets) if sets else []
    leads = dict(zip(sets, found, strict=True))
    state = {0: np.full(planes.shape[-1], session.public(np.uint8(255)), dtype=np.uint8)}
    for place, states in enumerate(reached):
        ways = [(source, codes, target) for source in states for codes, target in moves[source]]
        if place == 0:
            gone = [leads[codes][0] for _, codes, _ in ways]
        else:
            gone = _and(session, *((state[source], leads[codes][place]) for source, codes, _ in ways))
        after = dict(state)
        for (source, _, target), bits in zip(ways, gone, strict=True):
            after[source] = after[source] ^ bits
            if target is not None:
                after[target] = after[target] ^ bits if target in after else bits
        state = after
    ends = [state[each] for each in accepting if each in state]
    return np.bitwise_xor.reduce(ends) if ends else np.zeros(planes.shape[-1], dtype=np.uint8)


def _reached(moves: Moves, length: int) -> list[list[int]]:
    """For each place the states that a text which goes on there may be in, up to where none can be left any more."""
    places: list[list[int]] = []
    states = {0}
    while len(places) < length and any(moves[state] for state in states):
        places.append(sorted(state for state in states if moves[state]))
        targets = {target for state in states for _, target in moves[state] if target is not None}
        states = targets | {state for state in states if sum(len(codes) for codes, _ in moves[state]) < _CODES}
    return places


def _and(session: Session, *pairs: tuple[Array, Array]) -> list[Array]:
    return [bits.packed for bits in conjunction(session, [(BShare(x), BShare(y)) for x, y in pairs])]
