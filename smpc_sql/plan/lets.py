"""Names for what several expressions over a relation have in common: fields of Projects below them.

Written out, numbers in parts that are made of parts would double at every step. A name is a column from BEHIND on
until the relation is settled; it stands for an expression over the relation's own fields and earlier names.
"""

from __future__ import annotations

from smpc_sql.plan.expressions import Column, Expression, columns_of, transform
from smpc_sql.plan.relations import Project, Relation, own_columns

BEHIND = 1 << 24
"""Columns from here on are names."""

_SMALL = 12
"""Operations that may be written twice."""


class Lets:
    """The names over one relation."""

    def __init__(self, source: Relation) -> None:
        self.source = source
        self.named: dict[Expression, int] = {}
        self.levels: list[int] = []

    def __call__(self, e: Expression) -> Expression:
        """The name of an expression, or the same where it is small, or public."""
        if e.size < _SMALL or not e.secret:
            return e
        if e not in self.named:
            below = [self.levels[i - BEHIND] for i in columns_of(e) if i >= BEHIND]
            self.named[e] = len(self.levels)
            self.levels.append(1 + max(below, default=0))
        return Column(BEHIND + self.named[e], "part", e.type, e.nullable, e.bounds, not e.secret)

    def relation(self) -> Relation:
        """The relation with a field behind its own for every name."""
        found = self.source
        for level in range(1, max(self.levels, default=0) + 1):
            new = tuple(self._settled(e, level - 1) for e, i in self.named.items() if self.levels[i] == level)
            names = (*(field.name for field in found.fields), *(["part"] * len(new)))
            found = Project(found, (*own_columns(found), *new), names)
        return found

    def settled(self, e: Expression) -> Expression:
        """An expression over that relation."""
        return self._settled(e, max(self.levels, default=0))

    def _settled(self, e: Expression, level: int) -> Expression:
        if not self.levels:
            return e
        places = {i: place for place, i in enumerate(self._order()) if self.levels[i] <= level}
        width = len(self.source.fields)

        def read(node: Expression) -> Expression:
            if not isinstance(node, Column) or node.index < BEHIND:
                return node
            at = width + places[node.index - BEHIND]
            return Column(at, node.name, node.type, node.nullable, node.bounds, node.public)

        return transform(e, read)

    def _order(self) -> list[int]:
        return sorted(range(len(self.levels)), key=lambda i: (self.levels[i], i))
