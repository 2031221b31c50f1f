"""Relations of a logical plan: what is computed, on which fields, of how many rows at most. Frozen; self-printing.

A relation's rows are secret but for their number, `max_rows`: a Filter clears a row's secret validity, it does not
shrink the relation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as members
from math import prod
from typing import Literal as OneOf
from typing import assert_never

from smpc_sql.errors import InternalError, TypeMismatch, Unsupported
from smpc_sql.plan.cost import COMPARED, ROUND, VECTOR_WORD, sort_cost
from smpc_sql.plan.expressions import BIT, AggregateCall, Column, Equal, Expression, transform
from smpc_sql.plan.frames import UP_TO_PEERS, Frame
from smpc_sql.schema import Boolean, Double, Integer, Interval, SqlType


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a relation. public: every party knows its values (not whether the row is valid)."""

    name: str
    type: SqlType
    nullable: bool
    bounds: Interval
    public: bool = False


class _Relation:
    """What every relation knows; set by `_know` while it is built, and no part of its identity."""

    __slots__ = ("fields", "max_rows")

    fields: tuple[Field, ...]
    max_rows: int

    def _know(self, fields: tuple[Field, ...], max_rows: int) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "max_rows", max_rows)

    def column(self, index: int) -> Column:
        """The expression that reads field `index` of this relation."""
        f = self.fields[index]
        return Column(index, f.name, f.type, f.nullable, f.bounds, f.public)


@dataclass(frozen=True, slots=True)
class Scan(_Relation):
    """A base table: the columns of its schema, or some of them, and last the public pseudo-column `owner`.

    A field's name is the column's name in the schema. fragments: (owner, rows) in the order in which the rows are
    stacked. The code of `owner` is its position among the owners sorted; a table without fragments has Enum(("",)).
    keys: names of columns that no two rows have alike, where none is NULL (declared PRIMARY KEY, UNIQUE).
    """

    table: str
    fields: tuple[Field, ...]
    fragments: tuple[tuple[str, int], ...]
    keys: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.fields or not self.fields[-1].public:
            raise InternalError(f"scan of {self.table}: the last field is the public owner")
        object.__setattr__(self, "max_rows", sum(rows for _, rows in self.fragments))


@dataclass(frozen=True, slots=True)
class Values(_Relation):
    """One row without fields: what a SELECT without FROM reads."""

    def __post_init__(self) -> None:
        self._know((), 1)


@dataclass(frozen=True, slots=True)
class Filter(_Relation):
    """The rows for which `predicate` is true."""

    source: Relation
    predicate: Expression

    def __post_init__(self) -> None:
        if not isinstance(self.predicate.type, Boolean):
            raise TypeMismatch(f"filter predicate must be BOOLEAN, got {self.predicate.type}")
        self._know(self.source.fields, self.source.max_rows)


def _field(name: str, e: Expression | AggregateCall, public: bool) -> Field:
    return Field(name, e.type, e.nullable, e.bounds, public)


@dataclass(frozen=True, slots=True)
class Project(_Relation):
    """One field per expression, for every row."""

    source: Relation
    expressions: tuple[Expression, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        pairs = zip(self.names, self.expressions, strict=True)
        fields = tuple(_field(name, e, not e.secret) for name, e in pairs)
        self._know(fields, self.source.max_rows)


def key_size(key: Expression) -> int:
    """How many values a group key can take, NULL included."""
    return key.bounds.size + key.nullable


MAX_ENUMERATED = 4096
"""Groups that are enumerated at most, whatever the cost model says."""


@dataclass(frozen=True, slots=True)
class Aggregate(_Relation):
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
        keys = [_field(name, key, enumerated) for name, key in zip(self.key_names, self.keys, strict=True)]
        calls = [_field(name, call, False) for name, call in zip(self.call_names, self.calls, strict=True)]
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


MAX_PRODUCT = 1 << 20
"""Rows of a cross join at most."""


@dataclass(frozen=True, slots=True)
class CrossJoin(_Relation):
    """The fields of both, every row of the left beside every row of the right; as a rule the right is one row."""

    left: Relation
    right: Relation

    def __post_init__(self) -> None:
        left, right = self.left.max_rows, self.right.max_rows
        if right != 1 and left * right > MAX_PRODUCT:
            raise Unsupported(
                f"CROSS JOIN of relations of up to {left} and {right} rows: at most {MAX_PRODUCT} are supported"
            )
        self._know((*self.left.fields, *self.right.fields), left * right)


JoinKind = OneOf["inner", "left", "mark"]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A left row may match many right rows, as neither side is known to be unique: a row for every pair.

    limit: how many pairs there are at most, as the query says; None where it does not. refusal: what to say, and line
    and column of where, if the pairs need a limit.
    """

    limit: int | None
    refusal: tuple[str, int, int] = field(default=("", 0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Join(_Relation):
    """Every row of the left beside the one row of the right with equal keys, of which there is at most one (but with an
    expansion, which is of an inner join).

    inner: left rows that have a match. left: all left rows, NULLs beside those without. mark: all left rows, and only
    whether there is a match, never NULL; the right's keys need not be unique then. A NULL key matches nothing, or if
    null_safe NULL. Keys are expressions over their own side, of one scale and dictionary.
    carried: the right's fields that come to stand beside, ascending; None for all (of a mark none do).
    """

    left: Relation
    right: Relation
    kind: JoinKind
    left_keys: tuple[Expression, ...]
    right_keys: tuple[Expression, ...]
    null_safe: bool = False
    carried: tuple[int, ...] | None = None
    expansion: Expansion | None = None

    def __post_init__(self) -> None:
        if not self.left_keys or len(self.left_keys) != len(self.right_keys):
            raise InternalError("a join has keys, as many on either side")
        for keys in zip(self.left_keys, self.right_keys, strict=True):
            Equal(*keys)  # raises where they do not fit
        if self.kind == "mark":
            right: tuple[Field, ...] = (Field("matched", Boolean(), False, BIT),)
        else:
            outer = self.kind == "left"
            fields = [self.right.fields[i] for i in self.carried_fields]
            right = tuple(replace(f, public=False, nullable=f.nullable or outer) for f in fields)
        if self.expansion is None:
            self._know((*self.left.fields, *right), self.left.max_rows)
            return
        if self.kind != "inner" or self.null_safe:
            raise InternalError("only an inner join of keys that are not NULL is expanded")
        pairs, limit = self.left.max_rows * self.right.max_rows, self.expansion.limit
        left = tuple(replace(f, public=False) for f in self.left.fields)
        self._know((*left, *right), pairs if limit is None else min(limit, pairs))

    @property
    def carried_fields(self) -> tuple[int, ...]:
        """The right's fields that stand behind the left's, in this order."""
        if self.kind == "mark":
            return ()
        return tuple(range(len(self.right.fields))) if self.carried is None else self.carried


@dataclass(frozen=True, slots=True)
class Concat(_Relation):
    """The rows of all sources, whose fields have the same types; the names are the first source's."""

    inputs: tuple[Relation, ...]

    def __post_init__(self) -> None:
        first, *others = (source.fields for source in self.inputs)
        fields = tuple(replace(f, public=False) for f in first)
        for other in others:
            if [f.type for f in other] != [f.type for f in fields]:
                raise InternalError("stacked relations have the same types")
            fields = tuple(
                replace(f, nullable=f.nullable or g.nullable, bounds=f.bounds.union(g.bounds))
                for f, g in zip(fields, other, strict=True)
            )
        self._know(fields, sum(source.max_rows for source in self.inputs))


@dataclass(frozen=True, slots=True)
class SortKey:
    """One ORDER BY key; ENUMs order by dictionary position. A DOUBLE key is a Divide (or Sqrt of one)."""

    expression: Expression
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Sort(_Relation):
    """The same rows, ordered."""

    source: Relation
    keys: tuple[SortKey, ...]

    def __post_init__(self) -> None:
        self._know(self.source.fields, self.source.max_rows)


@dataclass(frozen=True, slots=True)
class Limit(_Relation):
    """At most `count` of the valid rows (None: all), after the first `offset` valid ones."""

    source: Relation
    count: int | None
    offset: int = 0

    def __post_init__(self) -> None:
        rows = max(0, self.source.max_rows - self.offset)
        self._know(self.source.fields, rows if self.count is None else min(rows, self.count))


WindowKind = OneOf[
    "row_number",
    "rank",
    "dense_rank",
    "count_star",
    "count",
    "sum",
    "min",
    "max",
    "lag",
    "lead",
    "nth_value",
    "last_value",
]


@dataclass(frozen=True, slots=True)
class WindowCall:
    """A window function. frame: which rows aggregates and values are of; the others see their whole partition.

    offset: of lag and lead, by how many rows; of nth_value which row of the frame, from 1.
    """

    kind: WindowKind
    argument: Expression | None = None
    frame: Frame = UP_TO_PEERS
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Window(_Relation):
    """The same rows, and for each the calls over its partition up to it, in the order of the keys: fields behind."""

    source: Relation
    partition: tuple[Expression, ...]
    order: tuple[SortKey, ...]
    calls: tuple[WindowCall, ...]
    call_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for key in (*self.partition, *(key.expression for key in self.order)):
            if isinstance(key.type, Double):
                raise Unsupported("PARTITION BY and ORDER BY of a window over a DOUBLE is not supported")
        rows = self.source.max_rows
        fields = [_call_field(name, call, rows) for name, call in zip(self.call_names, self.calls, strict=True)]
        self._know((*(replace(f, public=False) for f in self.source.fields), *fields), rows)


def numbered(relation: Relation) -> Window:
    """The same rows, told apart by a last field: a number each, in an order left to chance."""
    return Window(relation, (), (), (WindowCall("row_number"),), ("number",))


def _call_field(name: str, call: WindowCall, rows: int) -> Field:
    argument = call.argument
    if call.kind in ("count_star", "count") or argument is None:
        counts = call.kind in ("count_star", "count")
        low = 0 if call.kind == "count" or (counts and call.frame.may_be_empty) else 1
        return Field(name, Integer(64), False, Interval(low, max(low, call.frame.rows(rows) if counts else rows)))
    if call.kind == "sum":
        total = AggregateCall("sum", argument, None, call.frame.rows(rows))
        return Field(name, total.type, True, total.bounds)
    return Field(name, argument.type, True, argument.bounds)


@dataclass(frozen=True, slots=True)
class Shared(_Relation):
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


def walk(relation: Relation) -> Iterator[Relation]:
    """The relation and all below, parents first, left to right; what is shared once, where it is met first."""
    met: set[str] = set()
    waiting = [relation]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Shared):
            if node.digest in met:
                continue
            met.add(node.digest)
        yield node
        waiting += reversed(sources(node))


def expressions_of(relation: Relation) -> tuple[Expression | AggregateCall, ...]:
    """The expressions that a relation evaluates itself, over the fields of its source (a Join's: see left_keys)."""
    match relation:
        case Scan() | Values() | CrossJoin() | Join() | Concat() | Limit() | Shared():
            return ()
        case Filter(_, predicate):
            return (predicate,)
        case Project(_, expressions):
            return expressions
        case Aggregate(_, keys, _, calls):
            return (*keys, *calls)
        case Sort(_, keys):
            return tuple(key.expression for key in keys)
        case Window(_, partition, order, calls):
            arguments = tuple(call.argument for call in calls if call.argument is not None)
            return (*partition, *(key.expression for key in order), *arguments)
        case _:
            assert_never(relation)


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


def substitute(expression: Expression, by: Sequence[Expression]) -> Expression:
    """Every Column(i) replaced by by[i]: the expression as the relation below would write it."""
    return transform(expression, lambda node: by[node.index] if isinstance(node, Column) else node)


def substitute_call(call: AggregateCall, by: Sequence[Expression], rows: int) -> AggregateCall:
    """The same in an aggregate's argument and filter, for groups of at most `rows` rows."""
    return call.over(lambda part: substitute(part, by), rows)


def rebase(relation: Relation, new: Sequence[Relation], by: Sequence[Expression] | None = None) -> Relation:
    """The same relation over new sources: its columns read by[i], or the new source's field i if `by` is None.

    Types, bounds and nullability are found anew.
    """
    if isinstance(relation, Scan | Values):
        return relation
    if isinstance(relation, CrossJoin):
        return CrossJoin(new[0], new[1])
    if isinstance(relation, Concat):
        return Concat(tuple(new))
    if isinstance(relation, Join):
        return _rebase_join(relation, new[0], new[1])
    source = new[0]
    by = by if by is not None else tuple(source.column(i) for i in range(len(source.fields)))
    match relation:
        case Filter(_, predicate):
            return Filter(source, substitute(predicate, by))
        case Project(_, expressions, names):
            return Project(source, tuple(substitute(e, by) for e in expressions), names)
        case Aggregate(_, keys, key_names, calls, call_names, most, every):
            new_keys = tuple(substitute(key, by) for key in keys)
            new_calls = tuple(substitute_call(call, by, source.max_rows) for call in calls)
            return Aggregate(source, new_keys, key_names, new_calls, call_names, most, every)
        case Sort(_, keys):
            return Sort(source, _substitute_keys(keys, by))
        case Window(_, partition, order, calls, names):
            window_calls = tuple(
                call if call.argument is None else replace(call, argument=substitute(call.argument, by))
                for call in calls
            )
            parts = tuple(substitute(key, by) for key in partition)
            return Window(source, parts, _substitute_keys(order, by), window_calls, names)
        case Limit(_, count, offset):
            return Limit(source, count, offset)
        case Shared():
            return Shared(source)
        case _:
            assert_never(relation)


def _substitute_keys(keys: tuple[SortKey, ...], by: Sequence[Expression]) -> tuple[SortKey, ...]:
    return tuple(SortKey(substitute(k.expression, by), k.descending, k.nulls_first) for k in keys)


def own_columns(relation: Relation) -> tuple[Column, ...]:
    """All fields of a relation as expressions over it."""
    return tuple(relation.column(i) for i in range(len(relation.fields)))


def _rebase_join(join: Join, left: Relation, right: Relation) -> Join:
    lefts, rights = own_columns(left), own_columns(right)
    left_keys = tuple(substitute(key, lefts) for key in join.left_keys)
    right_keys = tuple(substitute(key, rights) for key in join.right_keys)
    return replace(join, left=left, right=right, left_keys=left_keys, right_keys=right_keys)


def _again(shared: Shared, source: Relation) -> Relation:
    return shared if source == shared.source else Shared(source)


def rewrite(
    relation: Relation,
    change: Callable[[Relation], Relation],
    joint: Callable[[Shared, Relation], Relation] | None = None,
) -> Relation:
    """Every relation replaced by change(relation), from the leaves up, columns kept true to the fields they read.

    What is shared is rewritten once: joint(shared, its new source) is what takes its place everywhere.
    """
    done: dict[str, Relation] = {}

    def visit(node: Relation) -> Relation:
        if isinstance(node, Shared):
            if node.digest not in done:
                done[node.digest] = (joint or _again)(node, visit(node.source))
            return done[node.digest]
        old = sources(node)
        new = tuple(map(visit, old))
        return change(node if new == old else rebase(node, new))

    return visit(relation)
