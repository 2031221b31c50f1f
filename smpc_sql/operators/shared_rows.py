"""Rows that several operators read: computed for the first of them, kept until the last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from smpc_sql.operators.base import Operator, RowForRow, Tables
from smpc_sql.operators.table import SharedTable
from smpc_sql.session import Session


@dataclass(frozen=True, slots=True)
class SharedRows(RowForRow):
    """The source's rows, once. number: which of a plan's shared rows; readers: how many operators run this one.

    The number alone tells those of one plan apart: nobody walks a source twice to compare. Readers see the same
    shares, and whatever they open of them is masked afresh.
    """

    source: Operator = field(compare=False)
    number: int
    readers: int

    def describe(self) -> str:
        """See Operator."""
        return f"shared {self.number}, for {self.readers} readers"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        return tables.once(self.number, self.readers, lambda: self.source.run(session, tables))


class Reads(Protocol):
    """What has operators below it: an operator, or what a plan ends with."""

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """The operators whose results it reads."""


def walk(root: Reads) -> Iterator[Reads]:
    """The root and all operators below, parents first, left to right; shared rows once, where they are met first."""
    waiting: list[Reads] = [root]
    seen: set[int] = set()
    while waiting:
        operator = waiting.pop()
        if isinstance(operator, SharedRows):
            if operator.number in seen:
                continue
            seen.add(operator.number)
        yield operator
        waiting += reversed(operator.inputs)
