"""Groups, and whether they are enumerated or sorted."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from smpc_sql.errors import Unsupported
from smpc_sql.plan.cost import COMPARED, ROUND, VECTOR_WORD, sort_cost
from smpc_sql.plan.expressions import AggregateCall, Expression
from smpc_sql.plan.relations.node import Node, field_of
from smpc_sql.schema import Double

if TYPE_CHECKING:
    from smpc_sql.plan.relations.relation import Relation


def key_size(key: Expression) -> int:
    """How many values a group key can take, NULL included."""
    return key.bounds.size + key.nullable


MAX_ENUMERATED = 4096
"""Groups that are enumerated at most, whatever the cost model says."""


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """One row per group: keys, then calls. Without keys exactly one row.

    Where `enumerated`, the rows enumerate the product of the keys' domains: the last key varies fastest, each key
    ascends from bounds.low to bounds.high, and NULL comes after them where the key is nullable. So the keys are public;
    which rows are valid (groups that exist) is secret. Else the groups that exist come sorted by their keys, which are
    secret, before the rows that are not valid. most: how many there are at most, where more is known than that each is
    a row of the source. every: of enumerated groups, those without rows are there, too.
    """

    source: Relation
    keys: tuple[Expression, ...]
    key_names: tuple[str, ...]
    calls: tuple[AggregateCall, ...]
    call_names: tuple[str, ...]
    most: int | None = None
    every: bool = False

    def __post_init__(self) -> None:
        for key in self.keys:
            if isinstance(key.type, Double):
                raise Unsupported("GROUP BY a DOUBLE is not supported")
        enumerated = self.enumerated
        keys = [field_of(name, key, enumerated) for name, key in zip(self.key_names, self.keys, strict=True)]
        calls = [field_of(name, call, False) for name, call in zip(self.call_names, self.calls, strict=True)]
        groups = prod(key_size(key) for key in self.keys)
        sizes = [groups, self.source.max_rows, *([] if self.most is None else [self.most])]
        self._know((*keys, *calls), groups if enumerated or not self.keys else min(sizes))

    @property
    def enumerated(self) -> bool:
        """Whether all groups that the keys' domains allow are enumerated: nothing needs an order, and it is cheaper."""
        groups = prod(key_size(key) for key in self.keys)
        if any(call.in_order for call in self.calls) or groups > MAX_ENUMERATED:
            return False
        return not self.keys or self._cost_enumerated(groups) <= self._cost_sorted(groups)

    def _cost_enumerated(self, groups: int) -> int:
        """One-hot vectors of all groups for the row's number and every sum; a tournament a group for MIN and MAX."""
        extremes = sum(call.kind in ("min", "max") for call in self.calls)
        per_row = groups * (VECTOR_WORD * (1 + len(self.calls) - extremes) + COMPARED * extremes)
        return self.source.max_rows * per_row + ROUND * (1 + 8 * bool(extremes) * self.source.max_rows.bit_length())

    def _cost_sorted(self, groups: int) -> int:
        """A sort by the keys; for MIN and MAX one each, by their arguments too."""
        key_bits = groups.bit_length() + 1
        arguments = [call.bounds.size.bit_length() + 1 for call in self.calls if call.kind in ("min", "max")]
        passes = sum(key_bits + bits for bits in arguments) or key_bits
        return sort_cost(self.source.max_rows, passes)
