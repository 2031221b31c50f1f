"""ROLLUP, CUBE and GROUPING SETS: several GROUP BYs of the same rows, one behind the other.

Sums, counts and extremes of coarser groups are made of the finest groups'; other aggregates read the rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

from sqlglot import exp

from smpc_sql.errors import UnknownName, Unsupported
from smpc_sql.plan.expressions import (
    AggregateCall,
    Case,
    Column,
    Expression,
    IsNull,
    Literal,
    Lookup,
)
from smpc_sql.plan.relations import Aggregate, Concat, Project, Relation, own_columns
from smpc_sql.plan.sharing import share
from smpc_sql.schema import Integer, Interval
from smpc_sql.sql.aggregate import GroupedBinder
from smpc_sql.sql.fixed import words_of
from smpc_sql.sql.nodes import only, show
from smpc_sql.sql.rounding import scaled

MAX_SETS = 64

_WORD = Integer(64)


def expand(items: Sequence[exp.Expr]) -> list[tuple[exp.Expr, ...]] | None:
    """The grouping sets of a GROUP BY's items, as they are written; None if it is a plain list of keys."""
    if not any(isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple) for item in items):
        return None
    alternatives = [_sets(item) for item in items]
    count = 1
    for sets in alternatives:
        count *= len(sets)
    if count > MAX_SETS:
        raise Unsupported(f"{count} grouping sets: at most {MAX_SETS} are supported")
    return [tuple(key for part in chosen for key in part) for chosen in product(*alternatives)]


def _sets(item: exp.Expr) -> list[tuple[exp.Expr, ...]]:
    if isinstance(item, exp.GroupingSets):
        only(item, "expressions")
        return [found for inner in item.expressions for found in _sets(inner)]
    if not isinstance(item, exp.Rollup | exp.Cube):
        return [_keys(item)]
    only(item, "expressions")
    units = [_keys(unit) for unit in item.expressions]
    if isinstance(item, exp.Rollup):
        chosen = [units[:length] for length in range(len(units), -1, -1)]
    else:
        if len(units) > MAX_SETS.bit_length():
            raise Unsupported(f"CUBE of {len(units)}: at most {MAX_SETS} grouping sets are supported")
        flags = product((True, False), repeat=len(units))
        chosen = [[unit for unit, flag in zip(units, taken, strict=True) if flag] for taken in flags]
    return [tuple(key for unit in some for key in unit) for some in chosen]


def _keys(item: exp.Expr) -> tuple[exp.Expr, ...]:
    """A key, or several in brackets."""
    while isinstance(item, exp.Paren):
        item = item.this
    return tuple(item.expressions) if isinstance(item, exp.Tuple) else (item,)


class GroupingSetsBinder(GroupedBinder):
    """Groups of several sets of keys: of each field keys (NULL where it is none of the set's), the set's number, calls.

    sets: positions of keys, ascending.
    """

    sets: tuple[tuple[int, ...], ...] = ((),)
    extra_fields = 1

    def key_column(self, i: int) -> Column:
        """A key is NULL in the sets that it is not in."""
        column = super().key_column(i)
        if all(i in chosen for chosen in self.sets):
            return replace(column, public=False)
        bounds = column.bounds.union(Interval(0, 0))
        return Column(column.index, column.name, column.type, True, bounds)

    def bind_inner(self, node: exp.Expr) -> Expression:
        """GROUPING says which keys are none of the set's."""
        if isinstance(node, exp.Grouping | exp.GroupingId):
            only(node, "expressions")
            return self._grouping([self._place(key) for key in node.expressions])
        function = node.this if isinstance(node, exp.WithinGroup) else node
        if isinstance(function, exp.Mode) and len(self.sets) > 1:  # equal rows would have to be counted for every set
            raise Unsupported("MODE with ROLLUP, CUBE or GROUPING SETS is not supported")
        return super().bind_inner(node)

    def _grouping(self, places: Sequence[int]) -> Expression:
        number = Column(len(self.keys), "set", _WORD, False, Interval(0, len(self.sets) - 1))
        table = []
        for chosen in self.sets:
            bits = [int(place not in chosen) for place in places]
            table.append(sum(bit << at for at, bit in enumerate(reversed(bits))))
        return Lookup(number, tuple(table), _WORD)

    def grouped(self, source: Relation, calls: tuple[AggregateCall, ...]) -> Relation:
        """All sets behind each other."""
        names = self.call_names
        everything = tuple(range(len(self.keys)))
        finest = Aggregate(source, self.keys, self.key_names, calls, names)
        below: Relation
        merged = len(self.sets) > 1 and all(_adds_up(call) for call in calls)
        if merged and (everything in self.sets or finest.enumerated):
            keys: tuple[Expression, ...] = own_columns(finest)[: len(self.keys)]
            again = tuple(_again(call, finest.column(len(keys) + i)) for i, call in enumerate(calls))
            total, below, back = again, share(finest), _as_before(calls)
        else:
            keys, total, below, back = self.keys, calls, share(source), tuple
        inputs = []
        for number, chosen in enumerate(self.sets):
            if total is not calls and chosen == everything:
                inputs.append(self._filled(below, number, chosen, own_columns(below)[len(self.keys) :]))
                continue
            own = tuple(keys[i] for i in chosen)
            groups = Aggregate(below, own, tuple(self.key_names[i] for i in chosen), total, names)
            inputs.append(self._filled(groups, number, chosen, back(own_columns(groups)[len(chosen) :])))
        return inputs[0] if len(inputs) == 1 else Concat(tuple(inputs))

    def _filled(self, groups: Relation, number: int, chosen: tuple[int, ...], calls: Sequence[Expression]) -> Relation:
        """Groups with all keys, and the number of their set."""
        keys = [
            groups.column(chosen.index(i)) if i in chosen else Literal(None, key.type)
            for i, key in enumerate(self.keys)
        ]
        return Project(groups, (*keys, Literal(number, _WORD), *calls), (*self.key_names, "set", *self.call_names))

    def _place(self, node: exp.Expr) -> int:
        """The position of a GROUPING's operand among the keys; of a long text that of its first word."""
        found = self.as_key(node)
        column = None if found is None else words_of(found)[0]
        if not isinstance(column, Column):
            raise UnknownName(f"GROUPING({show(node)}): that is no key of GROUP BY")
        return column.index


def _adds_up(call: AggregateCall) -> bool:
    return not call.in_order and not call.rest and call.kind in ("count_star", "count", "sum", "min", "max")


def _again(call: AggregateCall, found: Column) -> AggregateCall:
    """A call of groups of groups: within the bounds that it has of the rows themselves."""
    kind = call.kind if call.kind in ("min", "max") else "sum"
    return AggregateCall(kind, found, None, call.rows, within=call.bounds)


def _as_before(
    calls: tuple[AggregateCall, ...],
) -> Callable[[Sequence[Expression]], Sequence[Expression]]:
    """Counts that were added up are counts again: of no groups 0."""

    def back(columns: Sequence[Expression]) -> Sequence[Expression]:
        found = []
        for call, column in zip(calls, columns, strict=True):
            if call.kind in ("count", "count_star"):
                column = Case(((IsNull(column), Literal(0, call.type)),), scaled(column, call.type))
            found.append(column)
        return found

    return back
