"""Group by x where GROUP BY says x * 10 + 3: the same groups, over the few values of x and not over all between.

The key is computed from x again above the Aggregate, where it is public.
"""

from __future__ import annotations

from smpc_sql.plan.expressions import (
    Add,
    Expression,
    Literal,
    Multiply,
    Negate,
    Rescale,
    Subtract,
    rebuild,
)
from smpc_sql.plan.relations import Aggregate, Project, Relation, rewrite


def narrow_keys(relation: Relation) -> Relation:
    """Every Aggregate over the insides of its keys, below a Project that restores them."""
    return rewrite(relation, _narrow)


def _narrow(relation: Relation) -> Relation:
    if not isinstance(relation, Aggregate):
        return relation
    keys = tuple(_inside(key) for key in relation.keys)
    if keys == relation.keys:
        return relation
    inner = Aggregate(relation.source, keys, relation.key_names, relation.calls, relation.call_names)
    restored = tuple(_restore(key, inner.column(i)) for i, key in enumerate(relation.keys))
    calls = tuple(inner.column(len(keys) + i) for i in range(len(relation.calls)))
    return Project(inner, (*restored, *calls), (*relation.key_names, *relation.call_names))


def injective_operand(key: Expression) -> Expression | None:
    """The one operand of a function that maps different values to different values, and NULL to NULL; else None."""
    match key:
        case Add(x, Literal(int())) | Subtract(x, Literal(int())) | Negate(x) | Rescale(x):
            return x
        case Add(Literal(int()), x) | Subtract(Literal(int()), x):
            return x
        case Multiply(x, Literal(int(factor))) if factor != 0:
            return x
        case Multiply(Literal(int(factor)), x) if factor != 0:
            return x
        case _:
            return None


def _inside(key: Expression) -> Expression:
    x = injective_operand(key)
    return key if x is None or isinstance(x, Literal) else _inside(x)


def _restore(key: Expression, inside: Expression) -> Expression:
    x = injective_operand(key)
    if x is None or isinstance(x, Literal):
        return inside
    return rebuild(key, tuple(_restore(x, inside) if part is x else part for part in key.parts))
