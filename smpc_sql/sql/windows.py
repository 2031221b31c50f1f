"""Window functions. Aggregates of a whole partition are looked up by every row; the others come from a Window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    Case,
    Divide,
    Elapsed,
    Equal,
    Expression,
    FloorDivide,
    FromBoolean,
    Less,
    Literal,
    Multiply,
    Remainder,
    Subtract,
    WholeQuotient,
    Within,
)
from smpc_sql.plan.frames import UP_TO_PEERS, WHOLE
from smpc_sql.plan.relations import (
    Aggregate,
    CrossJoin,
    Join,
    Relation,
    WindowCall,
    WindowKind,
    own_columns,
    substitute,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.sharing import share
from smpc_sql.schema import Boolean, Double, Integer, Interval
from smpc_sql.sql import quotient
from smpc_sql.sql.aggregate import GroupedBinder, is_aggregate
from smpc_sql.sql.coercion import as_quotient
from smpc_sql.sql.fixed import all_words, word_of, wrapped
from smpc_sql.sql.framed import Over, bind_frame, bind_order, order_word
from smpc_sql.sql.literals import integer
from smpc_sql.sql.nodes import construct, located, only, show
from smpc_sql.sql.operations import choose
from smpc_sql.sql.scalar import ScalarBinder

_RANKS: dict[type[exp.Expr], WindowKind] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
}
_VALUES: dict[type[exp.Expr], WindowKind] = {
    exp.FirstValue: "nth_value",
    exp.NthValue: "nth_value",
    exp.LastValue: "last_value",
}
_WORD = Integer(64)


@dataclass(frozen=True, slots=True)
class Windows:
    """Binds the window functions of one SELECT. named: its WINDOW clause, by lower-case name.

    around: what tells apart the rows of the query around, of a correlated subquery: every partition is of one of them.
    """

    named: Mapping[str, exp.Expr]
    around: tuple[Expression, ...] = ()

    def bind(self, binder: ScalarBinder, node: exp.Expr) -> Expression:
        """Columns beside the binder's rows. Raises Unsupported."""
        node = self._resolved(node)
        only(node, "this", "partition_by", "order", "spec", "over")
        function = node.this
        if isinstance(function, exp.IgnoreNulls | exp.RespectNulls) and not is_aggregate(function):
            raise Unsupported(f"{construct(function)} in a window is not supported")
        with located(node, binder.text):
            keys = [binder.bind(key) for key in node.args.get("partition_by") or ()]
            partition = (*all_words(map(order_word, keys)), *binder.of_keys(self.around))
            order = bind_order(binder, node.args.get("order"))
            frame = bind_frame(binder, node.args.get("spec"), node.args.get("order"))
        over = Over(binder, partition, order, frame)
        with located(function, binder.text):
            if type(function) in _RANKS:
                only(function)
                return over.attach(WindowCall(_RANKS[type(function)]))
            if type(function) in _SHARES:
                return _SHARES[type(function)](over, function)
            if isinstance(function, exp.Lag | exp.Lead):
                return _shift(over, function)
            if type(function) in _VALUES:
                return _value(over, function)
            if frame == WHOLE:
                return _of_partition(binder, function, partition)
            if not is_aggregate(function.this if isinstance(function, exp.Filter) else function):
                raise Unsupported(f"{construct(function)} in a window is not supported")
            return over.aggregate(function)

    def _resolved(self, node: exp.Expr) -> exp.Expr:
        """OVER name is what WINDOW name AS (…) says."""
        alias = node.args.get("alias")
        if alias is None:
            return node
        definition = self.named.get(alias.name.lower())
        if definition is None:
            raise Unsupported(f"window {alias.name} is not defined")
        keys = ("partition_by", "order", "spec")
        taken = {key: definition.args.get(key) or node.args.get(key) for key in keys}
        return self._resolved(exp.Window(this=node.this, alias=definition.args.get("alias"), **taken))


def _constant(over: Over, node: exp.Expr | None, otherwise: int, low: int, what: str) -> int:
    x = integer(otherwise) if node is None else fold(over.binder.bind(node))
    if not isinstance(x, Literal) or not isinstance(x.type, Integer) or x.value is None or x.value < low:
        raise Unsupported(f"{what} must be a constant of at least {low}")
    return x.value


def _row_value(over: Over, call: WindowCall, x: Expression) -> Expression:
    """A call that gives the value of another row: of a quotient by a secret that of both its parts."""
    if isinstance(x, Elapsed):
        return x.alike(_row_value(over, call, x.x))
    word = word_of(x)
    if isinstance(word.type, Double):
        q = as_quotient(x)
        above, below = (over.attach(replace(call, argument=part)) for part in (q.numerator, q.denominator))
        return Divide(above, below, q.guarded)
    boolean = isinstance(word.type, Boolean)
    found = over.attach(replace(call, argument=FromBoolean(word) if boolean else word))
    if boolean:
        return Equal(found, Literal(1, found.type))
    return wrapped(x, [found]) if isinstance(x.type, Double) else found


def _shift(over: Over, node: exp.Expr) -> Expression:
    """LAG and LEAD; of a negative offset the other."""
    only(node, "this", "offset", "default")
    ahead = isinstance(node, exp.Lead)
    offset = _constant(over, node.args.get("offset"), 1, -(1 << 31), f"{show(node)}: the offset")
    x = over.binder.bind(node.this)
    if offset == 0:
        return x
    ahead, offset = ahead == (offset > 0), abs(offset)
    shifted = _row_value(over, WindowCall("lead" if ahead else "lag", x, offset=offset), x)
    default = node.args.get("default")
    if default is None:
        return shifted
    place = over.attach(WindowCall("row_number"))
    last: Expression = Literal(offset, place.type)
    if ahead:
        total = over.attach(WindowCall("count_star", None, WHOLE))
        place, last = total, Add(place, Literal(offset - 1, _WORD), total.type)
    return choose([Less(last, place)], [shifted, over.binder.bind(default)])


def _value(over: Over, node: exp.Expr) -> Expression:
    """FIRST_VALUE, LAST_VALUE and NTH_VALUE of the frame."""
    only(node, "this", "offset")
    kind = _VALUES[type(node)]
    number = _constant(over, node.args.get("offset"), 1, 1, f"{show(node)}: the number") if kind == "nth_value" else 0
    x = over.binder.bind(node.this)
    return _row_value(over, WindowCall(kind, x, over.frame, number), x)


def _ntile(over: Over, node: exp.Expr) -> Expression:
    """Of n rows the first n mod k buckets have one more than the others, n div k = q: row r, from 0, is in bucket
    r div (q + 1) if that is one of them, else (r - n mod k) div q."""
    only(node, "this")
    buckets = _constant(over, node.this, 0, 1, show(node))
    number = Subtract(over.attach(WindowCall("row_number")), integer(1), _WORD)
    count = over.attach(WindowCall("count_star", None, WHOLE))
    size, more = FloorDivide(count, buckets, _WORD), Remainder(count, buckets)
    large = Multiply(more, Add(size, integer(1), _WORD), _WORD)
    within = Less(number, Within(large, Interval(0, count.bounds.high)))
    skipped = Case(((within, Literal(0, _WORD)),), _plain(more))
    row = Within(Subtract(number, skipped, _WORD), Interval(0, max(0, count.bounds.high - 1)))
    wide = Add(size, FromBoolean(within), _WORD)
    bucket = WholeQuotient(row, wide)
    return Within(Add(bucket, integer(1), _WORD), Interval(1, buckets))


def _plain(x: Expression) -> Expression:
    return Add(x, Literal(0, _WORD), _WORD)


def _percent_rank(over: Over, node: exp.Expr) -> Expression:
    """(rank - 1) / (n - 1), 0 of a single row."""
    only(node)
    rank = over.attach(WindowCall("rank"))
    count = over.attach(WindowCall("count_star", None, WHOLE))
    alone = FromBoolean(Equal(count, Literal(1, count.type)))
    others = Add(Subtract(count, integer(1), _WORD), alone, _WORD)
    below = Within(others, Interval(1, max(1, count.bounds.high - 1)))
    return quotient.make(Subtract(rank, integer(1), _WORD), below)


def _cume_dist(over: Over, node: exp.Expr) -> Expression:
    """How many rows come before or beside, out of all."""
    only(node)
    reached = over.attach(WindowCall("count_star", None, UP_TO_PEERS))
    return quotient.make(reached, over.attach(WindowCall("count_star", None, WHOLE)))


_SHARES: dict[type[exp.Expr], Callable[[Over, exp.Expr], Expression]] = {
    exp.Ntile: _ntile,
    exp.PercentRank: _percent_rank,
    exp.CumeDist: _cume_dist,
}


def _of_partition(binder: ScalarBinder, node: exp.Expr, partition: tuple[Expression, ...]) -> Expression:
    """Any aggregate over a whole partition: grouped by it, and looked up."""
    if not is_aggregate(node.this if isinstance(node, exp.Filter) else node):
        raise Unsupported(f"{construct(node)} in a window is not supported")
    keys = tuple(dict.fromkeys(partition))
    if any(isinstance(key.type, Double) for key in keys):
        raise TypeMismatch("PARTITION BY needs words, got DOUBLE")
    names = tuple(f"key{i}" for i in range(len(keys)))
    groups = GroupedBinder(binder.scope, binder.text, "a window function", {}, keys, names, arguments=binder)
    expression = groups.bind(node)
    columns = binder.attach((*keys, *_operands(groups)), _looked_up(groups, names))
    return substitute(expression, columns)


def _operands(groups: GroupedBinder) -> tuple[Expression, ...]:
    return tuple(part for call in groups.calls for part in call.parts)


def _looked_up(groups: GroupedBinder, names: tuple[str, ...]) -> Callable[[Relation, tuple[Expression, ...]], Relation]:
    width, calls = len(names), tuple(groups.calls)

    def widen(relation: Relation, mine: tuple[Expression, ...]) -> Relation:
        relation = share(relation)
        rest = iter(mine[width:])
        settled = [call.over(lambda _: next(rest), relation.max_rows) for call in calls]
        titles = tuple(f"window{i}" for i in range(len(calls)))
        grouped = Aggregate(relation, mine[:width], names, tuple(settled), titles)
        if not width:
            return CrossJoin(relation, grouped)
        right_keys = own_columns(grouped)[:width]
        return Join(relation, grouped, "inner", mine[:width], right_keys, null_safe=True)

    return widen
