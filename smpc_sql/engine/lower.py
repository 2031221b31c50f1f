"""Logical plan -> physical plan: the one place where an algorithm is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from smpc_sql.errors import InternalError, Unsupported
from smpc_sql.operators.base import Operator
from smpc_sql.operators.concat_rows import ConcatRows
from smpc_sql.operators.cross_product import CrossProduct
from smpc_sql.operators.cross_row import CrossRow
from smpc_sql.operators.deliver import Deliver
from smpc_sql.operators.expand_join import ExpandJoin
from smpc_sql.operators.join_size import JoinSize
from smpc_sql.operators.lookup_join import LookupJoin
from smpc_sql.operators.map_rows import MapRows
from smpc_sql.operators.one_hot_aggregate import OneHotAggregate
from smpc_sql.operators.rank_rows import MAX_ROWS, RankRows
from smpc_sql.operators.scan import OneRow, ScanFragments
from smpc_sql.operators.shared_rows import SharedRows
from smpc_sql.operators.shuffle_rows import ShuffleRows
from smpc_sql.operators.sort_rows import SortRows, sort_column
from smpc_sql.operators.sorted_aggregate import SortedAggregate, SortedCall
from smpc_sql.operators.total_aggregate import TotalAggregate
from smpc_sql.operators.window_rows import WindowColumn, WindowRows
from smpc_sql.plan.bounds import key_bounds
from smpc_sql.plan.chance import is_by_chance
from smpc_sql.plan.delivery import Delivery
from smpc_sql.plan.expressions import AggregateCall, Column, Divide, Equal, Expression, Sqrt, walk
from smpc_sql.plan.pairs import every_pair
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    CrossJoin,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Scan,
    Shared,
    Sized,
    Sort,
    SortKey,
    Values,
    Window,
    is_single,
    own_columns,
    substitute,
    substitute_call,
)
from smpc_sql.plan.rules.push_filters import conjunction, conjuncts
from smpc_sql.plan.sharing import readers, shared_below
from smpc_sql.schema import WORD, Interval

FEW_ROWS = 256
"""Up to this many rows are ranked by comparing all pairs, which takes fewer rounds than sorting."""


Joints = Mapping[str, SharedRows]
"""The operators of what is shared, by digest."""


def lower(delivery: Delivery) -> Deliver:
    """The operators that compute a delivery. Raises Unsupported for what no operator does at this size."""
    relation = delivery.relation
    joints = _joints(relation)
    keys: tuple[SortKey, ...] = ()
    count, offset = None, 0
    if delivery.ranked:
        if isinstance(relation, Limit):
            count, offset, relation = relation.count, relation.offset, relation.source
        if isinstance(relation, Sort):
            keys, relation = relation.keys, relation.source
    rows = _lower(relation, joints)
    width = len(relation.fields)
    cut = (count is not None or offset > 0) and not _enumerated_in_order(relation, keys)
    if rows.rows > 1 and (cut or not _positions_are_known(relation, delivery)):
        rows = ShuffleRows(rows, width)
    if delivery.ranked:
        rows = _rank(rows, width, keys, count, offset)
    return Deliver(rows, delivery)


def lower_rows(relation: Relation) -> Operator:
    """The operators that compute a relation's rows for a table. Raises Unsupported.

    Their order is kept as it is: a stored row's place is as secret as a loaded one's, and what reads a table treats it
    so (whatever is delivered, or cut, from the rows of a scan is shuffled first). A LIMIT of few rows, which does not
    drop any, is carried out here: those that are valid are brought to the front.
    """
    rows = _lower(relation, _joints(relation))
    if rows.rows > relation.max_rows:
        return SortRows(rows, len(relation.fields), (), relation.max_rows, 0)
    return rows


def lower_size(join: Join, sized: Sized) -> JoinSize:
    """The operators that count the pairs of a join of many with many. Raises Unsupported."""
    joints = _joints(join)
    left, left_keys = _with_keys(join.left, join.left_keys, joints)
    right, right_keys = _with_keys(join.right, join.right_keys, joints)
    return JoinSize(left, right, left_keys, right_keys, _bounds(join), sized)


def _joints(root: Relation) -> Joints:
    """What is shared, each over what it reads itself."""
    joints: dict[str, SharedRows] = {}
    often = readers(root)
    for number, shared in enumerate(shared_below(root), start=1):
        joints[shared.digest] = SharedRows(_lower(shared.source, joints), number, often[shared.digest])
    return joints


def _positions_are_known(relation: Relation, delivery: Delivery) -> bool:
    """Whether a row's position says no more than the columns that are delivered: all group keys are among them.

    Sorted groups stand in the order of their keys, which those that a HAVING leaves out would show by their gaps.
    """
    base, predicate, expressions = peel(relation)
    if not isinstance(base, Aggregate) or not (base.enumerated or predicate is None):
        return False
    shown = {expressions[place] for place in delivery.words}
    return all(base.column(i) in shown for i in range(len(base.keys)))


def _enumerated_in_order(relation: Relation, keys: tuple[SortKey, ...]) -> bool:
    """Whether a LIMIT leaves every row where its key says, and its order no ties: all group keys are among it.

    Else it must choose among ties by chance; and of groups that were sorted, the place of one among all would show.
    """
    base, _, expressions = peel(relation)
    if not isinstance(base, Aggregate) or not base.enumerated:
        return False
    ordered = {substitute(key.expression, expressions) for key in keys}
    return all(base.column(i) in ordered for i in range(len(base.keys)))


def _rank(source: Operator, width: int, keys: tuple[SortKey, ...], count: int | None, offset: int) -> Operator:
    """Few rows, and quotients, are compared pair by pair; many are sorted."""
    quotients = any(isinstance(key.expression, Divide | Sqrt) for key in keys)
    if not quotients and (source.rows > FEW_ROWS or any(not _comparable(key) for key in keys)):
        return _sorted(source, width, keys, count, offset)
    if keys and source.rows > MAX_ROWS:
        raise Unsupported(
            f"ORDER BY a quotient with LIMIT, or that is not selected, of {source.rows} rows: at most {MAX_ROWS} are "
            "supported"
        )
    for key in keys:
        quotient = key.expression.x if isinstance(key.expression, Sqrt) else key.expression
        if isinstance(quotient, Divide) and quotient.denominator.bounds.low < 0:
            raise Unsupported("ORDER BY a quotient whose denominator may be negative")
    return RankRows(source, width, keys, count, offset)


def _comparable(key: SortKey) -> bool:
    """Whether the difference of any two values is a word."""
    bounds = key_bounds(key) - key_bounds(key)
    return bounds.low in WORD and bounds.high in WORD


def _sorted(source: Operator, width: int, keys: tuple[SortKey, ...], count: int | None, offset: int) -> Operator:
    needed = [key.expression for key in keys if not isinstance(key.expression, Column)]
    places = {expression: width + i for i, expression in enumerate(dict.fromkeys(needed))}
    if places:
        raise InternalError("a sort key is a column of what is sorted")
    columns = tuple(
        sort_column(key.expression.index, key.expression, descending=key.descending, nulls_first=key.nulls_first)
        for key in keys
        if isinstance(key.expression, Column)
    )
    return SortRows(source, width, columns, count, offset)


def _lower(relation: Relation, joints: Joints) -> Operator:
    match relation:
        case Scan(table, fields, fragments):
            return ScanFragments(table, fields, fragments)
        case Values():
            return OneRow()
        case Filter() | Project():
            base, predicate, expressions = peel(relation)
            if predicate is None and expressions == tuple(base.column(i) for i in range(len(base.fields))):
                return _lower(base, joints)
            return MapRows(_lower(base, joints), predicate, expressions)
        case Aggregate(enumerated=False, keys=keys) if keys or any(call.in_order for call in relation.calls):
            return _sorted_aggregate(relation, joints)
        case Aggregate(source, keys, _, calls, every=every):
            base, predicate, expressions = _peel(source, (*keys, *(part for call in calls for part in call.parts)))
            return _aggregate(
                _lower(base, joints),
                predicate,
                tuple(substitute(key, expressions) for key in keys),
                tuple(substitute_call(call, expressions, call.rows) for call in calls),
                every,
            )
        case CrossJoin(left, right):
            if is_single(right):
                return CrossRow(_lower(left, joints), _lower(right, joints), len(left.fields))
            return CrossProduct(_lower(left, joints), _lower(right, joints), len(left.fields), len(right.fields))
        case Join():
            return _join(relation, joints)
        case Window():
            return _window(relation, joints)
        case Concat(inputs):
            return ConcatRows(tuple(_lower(each, joints) for each in inputs), relation.fields)
        case Shared(digest=digest):
            return joints[digest]
        case Sort(source, keys):
            return _lower(source, joints)  # the order of an inner query's rows is nobody's to see
        case Limit(source, count, offset):
            return _inner_limit(source, count, offset, joints)
        case _:
            assert_never(relation)


def _inner_limit(source: Relation, count: int | None, offset: int, joints: Joints) -> Operator:
    keys: tuple[SortKey, ...] = ()
    if isinstance(source, Sort):
        keys, source = source.keys, source.source
    rows = _lower(source, joints)
    if rows.rows > 1:
        rows = ShuffleRows(rows, len(source.fields))
    return _rank(rows, len(source.fields), keys, count, offset)


def _aggregate(
    source: Operator,
    predicate: Expression | None,
    keys: tuple[Expression, ...],
    calls: tuple[AggregateCall, ...],
    every: bool,
) -> Operator:
    if not keys:
        return TotalAggregate(source, predicate, calls)
    return OneHotAggregate(source, predicate, keys, calls, every)


def _sorted_aggregate(relation: Aggregate, joints: Joints) -> Operator:
    """Keys, arguments and filters become columns of the rows that are sorted."""
    base, predicate, expressions = peel(relation.source)
    columns = [substitute(key, expressions) for key in relation.keys]

    def column_of(expression: Expression) -> int:
        expression = substitute(expression, expressions)
        if expression not in columns:
            columns.append(expression)
        return columns.index(expression)

    def place(expression: Expression | None) -> int | None:
        return None if expression is None else column_of(expression)

    calls = tuple(
        SortedCall(c, place(c.argument), place(c.filter), place(c.by), tuple(map(column_of, c.rest)))
        for c in relation.calls
    )
    source = MapRows(_lower(base, joints), predicate, tuple(columns))
    return SortedAggregate(source, relation.fields[: len(relation.keys)], calls, relation.max_rows)


def _join(join: Join, joints: Joints) -> Operator:
    if join.expansion is not None and every_pair(join):
        return _every_pair(join, joints)
    left, left_keys = _with_keys(join.left, join.left_keys, joints)
    right, right_keys = _with_keys(join.right, join.right_keys, joints)
    bounds, width = _bounds(join), len(join.left.fields)
    if join.expansion is not None:
        sized = join.expansion.sized is not None
        return ExpandJoin(left, right, width, join.carried_fields, left_keys, right_keys, bounds, join.max_rows, sized)
    return LookupJoin(left, right, width, join.carried_fields, left_keys, right_keys, bounds, join.kind, join.null_safe)


def _bounds(join: Join) -> tuple[Interval, ...]:
    return tuple(a.bounds.union(b.bounds) for a, b in zip(join.left_keys, join.right_keys, strict=True))


def _every_pair(join: Join, joints: Joints) -> Operator:
    """Few pairs are put side by side, and those with equal keys are kept."""
    crossed = CrossJoin(join.left, join.right)
    width, columns = len(join.left.fields), own_columns(crossed)
    keys = tuple(
        Equal(substitute(mine, columns), substitute(other, columns[width:]))
        for mine, other in zip(join.left_keys, join.right_keys, strict=True)
    )
    kept = (*columns[:width], *(columns[width + i] for i in join.carried_fields))
    return MapRows(_lower(crossed, joints), conjunction(keys), kept)


def _window(window: Window, joints: Joints) -> Operator:
    """Keys and arguments become columns of the rows that are sorted."""
    base, predicate, expressions = peel(window.source)
    columns = list(expressions)

    def place(expression: Expression) -> int:
        wanted = substitute(expression, expressions)
        if wanted not in columns:
            columns.append(wanted)
        return columns.index(wanted)

    partition = tuple(sort_column(place(key), key) for key in window.partition)
    order = tuple(
        sort_column(place(k.expression), k.expression, descending=k.descending, nulls_first=k.nulls_first)
        for k in window.order
    )
    calls = tuple(
        WindowColumn(c.kind, None, c.frame, c.offset, Interval(0, 0))
        if c.argument is None
        else WindowColumn(c.kind, place(c.argument), c.frame, c.offset, c.argument.bounds)
        for c in window.calls
    )
    source: Operator = MapRows(_lower(base, joints), predicate, tuple(columns))
    if is_by_chance(window):
        source = ShuffleRows(source, len(columns))
    return WindowRows(source, len(expressions), partition, order, calls)


def _with_keys(relation: Relation, keys: tuple[Expression, ...], joints: Joints) -> tuple[Operator, tuple[int, ...]]:
    """The relation's rows, behind their columns the keys that are none, and where all keys stand."""
    width = len(relation.fields)
    more = tuple(dict.fromkeys(key for key in keys if not isinstance(key, Column)))
    places = tuple(key.index if isinstance(key, Column) else width + more.index(key) for key in keys)
    if not more:
        return _lower(relation, joints), places
    base, predicate, expressions = peel(relation)
    return MapRows(
        _lower(base, joints), predicate, (*expressions, *(substitute(key, expressions) for key in more))
    ), places


def peel(relation: Relation) -> tuple[Relation, Expression | None, tuple[Expression, ...]]:
    """What lies below filters and projections, the rows they keep, and their fields as expressions on what lies
    below. A projection whose expressions would be written out too often lies below, too.
    """
    match relation:
        case Filter(source, predicate):
            base, known, expressions = _peel(source, (predicate,))
            mine = substitute(predicate, expressions)
            return base, mine if known is None else conjunction((*conjuncts(known), *conjuncts(mine))), expressions
        case Project(source, wanted, _):
            base, known, expressions = _peel(source, wanted)
            return base, known, tuple(substitute(e, expressions) for e in wanted)
        case _:
            return relation, None, tuple(relation.column(i) for i in range(len(relation.fields)))


_LONGEST = 2_000
"""Operations that an expression may have as written out, if part of it is a projection's."""


def _peel(
    relation: Relation, above: Sequence[Expression]
) -> tuple[Relation, Expression | None, tuple[Expression, ...]]:
    base, known, expressions = peel(relation)
    if max((_size(e, expressions) for e in above), default=0) > _LONGEST:
        return relation, None, tuple(relation.column(i) for i in range(len(relation.fields)))
    return base, known, expressions


def _size(e: Expression, expressions: Sequence[Expression]) -> int:
    """How many operations it has over what lies below."""
    return e.size + sum(expressions[node.index].size - 1 for node in walk(e) if isinstance(node, Column))
