"""What functions of aggregates ask of the SELECT that they stand in."""

from __future__ import annotations

from typing import Protocol

from smpc_sql.plan.expressions import AggregateKind, Expression
from smpc_sql.plan.places import Place
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import Scope


class AggregateCalls(Protocol):
    """Who collects the aggregates of a SELECT."""

    keys: tuple[Expression, ...]
    scope: Scope

    @property
    def arguments(self) -> ScalarBinder:
        """Who binds their arguments."""

    def call(
        self,
        kind: AggregateKind,
        argument: Expression | None,
        filter_: Expression | None,
        distinct: bool = False,
        place: Place | None = None,
        by: Expression | None = None,
        rest: tuple[Expression, ...] = (),
        word: int = 0,
    ) -> Expression:
        """The column of a call."""
