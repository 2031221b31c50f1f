"""What a query does not compute exactly, and how far off: quotients by secrets that are added up or compared."""

from __future__ import annotations

from dataclasses import dataclass

from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import LongQuotient, WholeQuotient
from smpc_sql.plan.expressions import walk as nodes
from smpc_sql.plan.relations import Relation, expressions_of, walk


@dataclass(frozen=True, slots=True)
class Approximation:
    """Every value of a quotient is nearer to 0 than the exact one, by less than 2^-places; public, from the plan."""

    quotient: str
    places: int

    @property
    def error(self) -> float:
        """What each value is off by, at most."""
        return float(2.0**-self.places)

    def __str__(self) -> str:
        return f"{self.quotient}: off by less than 2^-{self.places} each"


def approximations(relation: Relation) -> tuple[Approximation, ...]:
    """Those of a plan, each once; none where the answer is exact."""
    found = (
        Approximation(_written(node), node.places)
        for below in walk(relation)
        for expression in expressions_of(below)
        for node in nodes(expression)
        if isinstance(node, WholeQuotient | LongQuotient) and node.places > 0
    )
    return tuple(dict.fromkeys(found))


def _written(node: WholeQuotient | LongQuotient) -> str:
    if isinstance(node, LongQuotient):
        return node.name
    return f"{explain_expression(node.numerator)} / {explain_expression(node.denominator)}"
