"""USING and NATURAL: columns that stand for both sides of a join at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from smpc_sql.errors import UnknownName
from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Values
from smpc_sql.sql.operations import choose, compare, is_null_of, unified
from smpc_sql.sql.scope import Name, Scope, as_nullable
from smpc_sql.sql.tables import From


def using_columns(
    left: From, right: From, using: Sequence[exp.Expr], side: str
) -> tuple[tuple[Name, ...], list[Expression]]:
    """The names after a join, and the equalities of USING, whose columns stand for both sides at once."""
    before = list(map(nullable_name, left.names)) if side in ("right", "full") else list(left.names)
    after = list(map(nullable_name, right.names)) if side in ("left", "full") else list(right.names)
    conditions = []
    for item in using:
        pairs = [Scope(Values(), tuple(names)).find(item.name) for names in (before, after)]
        for found, names in zip(pairs, (before, after), strict=True):
            if found is None:
                raise Scope(Values(), tuple(names)).unknown(item.name)
        a, b = pairs
        assert a is not None and b is not None
        conditions.append(compare("=", a, b))
        both = _both(a, b, side)
        place = next(i for i, n in enumerate(before) if n.name.lower() == item.name.lower() and not n.merged)
        name = Name("", before[place].name, both)
        before[place:place] = [name]
        before = [_hidden(n, item.name, n is not name) for n in before]
        after = [_hidden(n, item.name, True) for n in after]
    return (*before, *after), conditions


def in_common(left: From, right: From) -> list[exp.Expr]:
    """The columns of a NATURAL JOIN."""
    names = {n.name.lower() for n in right.names if n.starred}
    common = dict.fromkeys(n.name for n in left.names if n.starred and not n.merged and n.name.lower() in names)
    if not common:
        raise UnknownName("NATURAL JOIN of tables without a column in common")
    return [exp.to_identifier(name) for name in common]


def _both(left: Expression, right: Expression, side: str) -> Expression:
    """What a column of USING stands for: the side whose rows are all there."""
    if side == "right":
        return right
    if side == "full":
        left, right = unified([left, right])
        return choose([is_null_of(left)], [right, left])
    return left


def _hidden(name: Name, column: str, hide: bool) -> Name:
    return replace(name, merged=True) if hide and name.name.lower() == column.lower() else name


def nullable_name(name: Name) -> Name:
    """A column of the side that an outer join fills up with NULLs."""
    return replace(name, expression=as_nullable(name.expression))
