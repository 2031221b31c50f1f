"""What an operator reads, computed side by side: independent inputs are branches of a fork, and share their rounds.

Rows that several branches read are computed before the fork, so that no branch is first by chance: every act has its
place in the program, whichever thread is faster. Large tables are computed one after the other: there chunks fill the
rounds already, and memory would grow with every branch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from smpc_sql.operators.base import Operator, Tables, unwrapped
from smpc_sql.operators.scan import OneRow, ScanFragments
from smpc_sql.operators.shared_rows import SharedRows
from smpc_sql.operators.table import SharedTable
from smpc_sql.session import Session

MOST_ROWS = 1 << 18
"""Inputs that scan more rows than this together, or have more anywhere below, are not computed side by side."""

DEEPEST = 56
"""Bytes of a branch's path, seven for each fork, from which on no more runs side by side: branches are threads."""


def run_inputs(session: Session, tables: Tables, inputs: Sequence[Operator]) -> list[SharedTable]:
    """The inputs' rows, in order. Rounds: those of the longest, and of what several read."""
    below = [tuple(_below(source)) for source in inputs]
    common = _read_by_several(tables, below)
    busy = [source for source in inputs if not _is_quiet(tables, source, common)]
    deep = len(session.prefix) >= DEEPEST
    if deep or len(busy) < 2 or _is_large([operator for each in below for operator in each]):
        return [source.run(session, tables) for source in inputs]
    for number in sorted(common):
        tables.keep(number, common[number].readers)
        common[number].operator.run(session, tables)
    return session.fork(lambda branch, i: inputs[i].run(branch, tables), range(len(inputs)), lambda i: i)


def _is_large(operators: Sequence[Operator]) -> bool:
    """Whether any of them, or all tables that they scan together, have too many rows."""
    scanned = sum(operator.rows for operator in operators if isinstance(unwrapped(operator), ScanFragments))
    return scanned > MOST_ROWS or any(operator.rows > MOST_ROWS for operator in operators)


@dataclass(frozen=True, slots=True)
class _Common:
    """Shared rows, and what runs them: themselves, or what measures them."""

    operator: Operator
    readers: int


def _read_by_several(tables: Tables, below: Sequence[Sequence[Operator]]) -> dict[int, _Common]:
    """The shared rows below more than one input that nobody has computed yet, by number: inner ones come first."""
    met: dict[int, int] = {}
    found: dict[int, _Common] = {}
    for place, operators in enumerate(below):
        for operator in operators:
            shared = unwrapped(operator)
            if not isinstance(shared, SharedRows) or tables.knows(shared.number):
                continue
            if met.setdefault(shared.number, place) != place:
                found[shared.number] = _Common(operator, shared.readers)
    return found


def _is_quiet(tables: Tables, operator: Operator, common: Mapping[int, _Common]) -> bool:
    """Whether its rows take no message of their own."""
    match unwrapped(operator):
        case ScanFragments() | OneRow():
            return True
        case SharedRows(number=number):
            return tables.knows(number) or number in common
        case _:
            return False


def _below(root: Operator) -> Iterator[Operator]:
    """The operator and all below; shared rows once."""
    waiting, seen = [root], set[int]()
    while waiting:
        operator = waiting.pop()
        shared = unwrapped(operator)
        if isinstance(shared, SharedRows):
            if shared.number in seen:
                continue
            seen.add(shared.number)
        yield operator
        waiting += operator.inputs
