"""Group before joining: what is looked up by the group's keys is looked up once for a group, not for each of its rows.

GROUP BY o_orderkey of lineitem JOIN orders ON l_orderkey = o_orderkey: the lines are grouped by l_orderkey, and the
groups are joined with the orders. The same for joins and filters within one side of an inner join. What rows without a
partner gave to a group goes with the group, since all rows of a group have the same keys. Of two sides that are both
unique on the keys, the smaller one keeps its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from smpc_sql.plan.expressions import AggregateCall, Column, Expression, columns_of, transform
from smpc_sql.plan.relations import Aggregate, Filter, Join, Project, Relation, rewrite
from smpc_sql.plan.uniqueness import injective_column, unique_keys

Ids = tuple[int, ...]
"""Numbers of fields, which they keep wherever they are moved."""


def group_first(relation: Relation) -> Relation:
    """Every Aggregate of sorted groups as far down as its keys allow."""
    return rewrite(relation, _group_first)


def _group_first(relation: Relation) -> Relation:
    if not isinstance(relation, Aggregate) or relation.enumerated or not isinstance(relation.source, Join | Filter):
        return relation
    if not relation.keys or not all(isinstance(key, Column) for key in relation.keys):
        return relation
    return _Move(relation).moved() or relation


@dataclass(frozen=True, slots=True)
class _Node:
    """A relation, the ids of its fields, and what lies below, where that may be taken apart. number: its own."""

    relation: Relation
    ids: Ids
    number: int
    below: tuple[_Node, ...] = ()

    @property
    def added(self) -> Ids:
        """The ids of what a join sets beside its left rows."""
        assert isinstance(self.relation, Join)
        return self.ids[len(self.relation.left.fields) :]

    @property
    def read(self) -> Ids:
        """The ids of what it reads of its (left) rows."""
        if isinstance(self.relation, Filter):
            return tuple(self.below[0].ids[i] for i in columns_of(self.relation.predicate))
        assert isinstance(self.relation, Join)
        return tuple(self.below[0].ids[i] for i in columns_of(*self.relation.left_keys))


@dataclass(slots=True)
class _Tree:
    """Numbers fields and nodes. same: fields that are equal to an earlier one in all valid rows."""

    count: int = 0
    same: dict[int, int] = field(default_factory=dict)

    def next(self, count: int = 1) -> Ids:
        self.count += count
        return tuple(range(self.count - count, self.count))

    def node(self, relation: Relation) -> _Node:
        (number,) = self.next()
        match relation:
            case Filter(source):
                below = self.node(source)
                return _Node(relation, below.ids, number, (below,))
            case Join(left, right, "inner", expansion=None):
                here, there = self.node(left), self.node(right)
                self._equate(relation, here, there)
                ids = (*here.ids, *(there.ids[i] for i in relation.carried_fields))
                return _Node(relation, ids, number, (here, there))
            case Join(left, expansion=None):
                here = self.node(left)
                more = self.next(len(relation.fields) - len(left.fields))
                return _Node(relation, (*here.ids, *more), number, (here,))
            case _:
                return _Node(relation, self.next(len(relation.fields)), number)

    def _equate(self, join: Join, left: _Node, right: _Node) -> None:
        for mine, other in zip(join.left_keys, join.right_keys, strict=True):
            if isinstance(mine, Column) and isinstance(other, Column) and mine.type == other.type:
                self.same[right.ids[other.index]] = left.ids[mine.index]

    def first(self, number: int) -> int:
        """The leftmost of all fields that are equal to this one."""
        while number in self.same:
            number = self.same[number]
        return number


class _Lost(Exception):
    """A field is needed where it is not."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A relation, and where the fields with some ids are."""

    relation: Relation
    at: Mapping[int, int]
    tree: _Tree

    def find(self, number: int) -> int | None:
        """Where the field is, or one that is equal to it."""
        while number not in self.at and number in self.tree.same:
            number = self.tree.same[number]
        return self.at.get(number)

    def column(self, number: int) -> Column:
        found = self.find(number)
        if found is None:
            raise _Lost
        return self.relation.column(found)

    def over(self, expression: Expression, ids: Ids) -> Expression:
        """An expression over fields with these ids, written over this relation."""
        return transform(expression, lambda node: self.column(ids[node.index]) if isinstance(node, Column) else node)


class _Move:
    def __init__(self, aggregate: Aggregate) -> None:
        self.aggregate = aggregate
        self.tree = _Tree()
        self.root = self.tree.node(aggregate.source)
        self.keys = tuple(self.root.ids[key.index] for key in aggregate.keys if isinstance(key, Column))
        self.lifted: dict[int, _Node] = {}
        pairs = zip(aggregate.call_names, aggregate.calls, strict=True)
        self._own = [(name, call) for name, call in pairs if call.kind != "any"]
        self.results = self.tree.next(len(self._own))

    def moved(self) -> Relation | None:
        """The same with joins above the Aggregate; None if none goes there."""
        self._choose()
        if not any(isinstance(node.relation, Join) for node in self.lifted.values()):
            return None
        try:
            groups = self._grouped(self._without(self.root))
            return self._finished(self._above(groups))
        except _Lost:
            return None

    # what goes above

    def _choose(self) -> None:
        """All joins and filters that read nothing but what is the same within a group."""
        known = {self.tree.first(number) for number in self.keys}
        while True:
            before = len(self.lifted)
            self._visit(self.root, known)
            if len(self.lifted) == before:
                return

    def _visit(self, node: _Node, known: set[int]) -> None:
        if not node.below:
            return
        if node.number not in self.lifted and known.issuperset(map(self.tree.first, node.read)):
            self.lifted[node.number] = node
            if isinstance(node.relation, Join):
                known |= set(map(self.tree.first, node.added))
        self._visit(node.below[0], known)
        if node.number not in self.lifted and isinstance(node.relation, Join):
            for other in node.below[1:]:
                self._visit(other, known)

    def _ordered(self, node: _Node) -> list[_Node]:
        """What goes above, inner nodes first; what is within a side that goes above as a whole stays there."""
        if not node.below:
            return []
        up = node.number in self.lifted
        found = [*self._ordered(node.below[0])]
        if not up:
            found += [inner for other in node.below[1:] for inner in self._ordered(other)]
        return [*found, node] if up else found

    # below the groups

    def _without(self, node: _Node) -> _Place:
        """The relation without what goes above."""
        if not node.below:
            return self._place(node.relation, node.ids)
        source = self._without(node.below[0])
        if node.number in self.lifted:
            return source
        if isinstance(node.relation, Filter):
            filtered = Filter(source.relation, source.over(node.relation.predicate, node.below[0].ids))
            return _Place(filtered, source.at, self.tree)
        join = node.relation
        assert isinstance(join, Join)
        keys = tuple(source.over(key, node.below[0].ids) for key in join.left_keys)
        if join.kind != "inner":
            joined = Join(source.relation, join.right, join.kind, keys, join.right_keys, join.null_safe, join.carried)
            return self._beside(joined, source, node.added)
        other = self._without(node.below[1])
        others = tuple(other.over(key, node.below[1].ids) for key in join.right_keys)
        joined = Join(source.relation, other.relation, "inner", keys, others, join.null_safe)
        ids = {place: number for number, place in other.at.items()}
        return self._beside(joined, source, tuple(ids.get(i, -1) for i in range(len(other.relation.fields))))

    def _place(self, relation: Relation, ids: Sequence[int]) -> _Place:
        at: dict[int, int] = {}
        for place, number in enumerate(ids):
            at.setdefault(number, place)
        return _Place(relation, at, self.tree)

    def _beside(self, joined: Join, left: _Place, added: Iterable[int]) -> _Place:
        width = len(left.relation.fields)
        at = dict(left.at)
        for place, number in enumerate(added):
            at.setdefault(number, width + place)
        return _Place(joined, at, self.tree)

    # the groups

    def _grouped(self, core: _Place) -> _Place:
        """The Aggregate over what is left, with whatever is read above it from any row of a group."""
        rows = core.relation.max_rows
        keys = tuple(dict.fromkeys(core.column(number) for number in self.keys))
        places = {key.index: place for place, key in enumerate(keys)}
        calls = [call.over(lambda part: core.over(part, self.root.ids), rows) for _, call in self._own]
        names = [name for name, _ in self._own]
        for number in self._read_above():
            found = core.find(number)
            if found is not None and found not in places:
                places[found] = len(keys) + len(calls)
                calls.append(AggregateCall("any", core.column(number), None, rows))
                names.append(core.column(number).name)
        at = {number: places[i] for number, i in core.at.items() if i in places}
        at |= {number: len(keys) + i for i, number in enumerate(self.results)}
        grouped = Aggregate(core.relation, keys, tuple(key.name for key in keys), tuple(calls), tuple(names))
        return _Place(grouped, at, self.tree)

    def _read_above(self) -> list[int]:
        """The ids of what joins and filters above read, and of what is carried from any row."""
        read = [number for node in self._ordered(self.root) for number in node.read]
        carried = [call.argument for call in self.aggregate.calls if call.kind == "any" and call.argument is not None]
        return [*dict.fromkeys((*read, *(self.root.ids[i] for i in columns_of(*carried))))]

    # above the groups

    def _above(self, groups: _Place) -> _Place:
        """Joins and filters, each as soon as what it reads is there."""
        place, waiting = groups, self._ordered(self.root)
        while waiting:
            ready = [node for node in waiting if all(place.find(i) is not None for i in node.read)]
            if not ready:
                raise _Lost
            place = self._applied(ready[0], place)
            waiting.remove(ready[0])
        return place

    def _applied(self, node: _Node, place: _Place) -> _Place:
        below = node.below[0].ids
        if isinstance(node.relation, Filter):
            return _Place(Filter(place.relation, place.over(node.relation.predicate, below)), place.at, self.tree)
        join = node.relation
        assert isinstance(join, Join)
        keys = tuple(place.over(key, below) for key in join.left_keys)
        if join.kind != "inner":
            joined = Join(place.relation, join.right, join.kind, keys, join.right_keys, join.null_safe, join.carried)
            return self._beside(joined, place, node.added)
        added = node.below[1].ids
        if join.right.max_rows < place.relation.max_rows and _unique(place.relation, keys):
            turned = Join(join.right, place.relation, "inner", join.right_keys, keys, join.null_safe)
            width = len(join.right.fields)
            at = {number: width + i for number, i in place.at.items()}
            return _Place(turned, {**{number: i for i, number in enumerate(added)}, **at}, self.tree)
        return self._beside(
            Join(place.relation, join.right, "inner", keys, join.right_keys, join.null_safe), place, added
        )

    def _finished(self, place: _Place) -> Relation:
        """The fields that the Aggregate had."""
        aggregate, results = self.aggregate, iter(self.results)
        keys = [place.column(number) for number in self.keys]
        calls = [
            place.over(call.argument, self.root.ids)
            if call.kind == "any" and call.argument is not None
            else place.column(next(results))
            for call in aggregate.calls
        ]
        return Project(place.relation, (*keys, *calls), (*aggregate.key_names, *aggregate.call_names))


def _unique(relation: Relation, keys: Sequence[Expression]) -> bool:
    columns = {injective_column(key) for key in keys}
    return any(key <= columns for key in unique_keys(relation))
