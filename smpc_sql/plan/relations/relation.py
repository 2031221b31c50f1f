"""Every relation, what any of them is made of, and the joint by which a plan is a graph."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from dataclasses import fields as members
from typing import assert_never

from smpc_sql.plan.relations.grouping import Aggregate
from smpc_sql.plan.relations.joining import CrossJoin, Join
from smpc_sql.plan.relations.node import Node
from smpc_sql.plan.relations.ordering import Limit, Sort
from smpc_sql.plan.relations.rows import Concat, Filter, Project, Scan, Values
from smpc_sql.plan.relations.windows import Window


@dataclass(frozen=True, slots=True)
class Shared(Node):
    """The same rows, in any order, computed once for all that read them: a plan is a graph, and this is its joint.

    digest: of all that the source is made of, by which equal ones are one; nobody compares or walks a source twice.
    single: see `is_single`.
    """

    source: Relation = field(compare=False, repr=False)
    digest: str = field(init=False)
    single: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.source, Shared):  # what is shared twice is shared
            object.__setattr__(self, "source", self.source.source)
        object.__setattr__(self, "digest", fingerprint(self.source))
        object.__setattr__(self, "single", is_single(self.source))
        self._know(self.source.fields, self.source.max_rows)


Relation = Scan | Values | Filter | Project | Aggregate | CrossJoin | Join | Concat | Sort | Limit | Window | Shared
"""Every relation."""


_BELOW = ("source", "left", "right", "inputs")


def fingerprint(relation: Relation) -> str:
    """A digest of all that a relation is made of: equal relations have equal ones."""
    if isinstance(relation, Shared):
        return relation.digest
    return digest_over(relation, [fingerprint(source) for source in sources(relation)])


def digest_over(relation: Relation, below: Sequence[str]) -> str:
    """The fingerprint of a relation whose sources have those below."""
    own = [getattr(relation, f.name) for f in members(relation) if f.name not in _BELOW]
    return hashlib.sha256(repr((type(relation).__name__, own, list(below))).encode()).hexdigest()


def sources(relation: Relation) -> tuple[Relation, ...]:
    """The relations right below."""
    match relation:
        case Scan() | Values():
            return ()
        case CrossJoin(left, right) | Join(left, right):
            return (left, right)
        case Concat(inputs):
            return inputs
        case _:
            return (relation.source,)


def is_single(relation: Relation) -> bool:
    """Whether it is known to have exactly one valid row."""
    match relation:
        case Scan() | Values():
            return relation.max_rows == 1
        case Aggregate(_, keys):
            return not keys  # a total has its row always
        case Project(source) | Sort(source) | Window(source):
            return is_single(source)
        case CrossJoin(left, right):
            return is_single(left) and is_single(right)
        case Join(left, _, kind):
            return kind != "inner" and is_single(left)
        case Shared(single=single):
            return single
        case Filter() | Limit() | Concat():
            return False
        case _:
            assert_never(relation)
