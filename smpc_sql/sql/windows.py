"""Window functions. Without an order, an aggregate of the partition looked up by every row; with one, a Window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Add, Equal, Expression, FromBoolean, Less, Literal, parts
from smpc_sql.plan.relations import (
    Aggregate,
    CrossJoin,
    Join,
    Relation,
    SortKey,
    Window,
    WindowCall,
    WindowKind,
    own_columns,
    substitute,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.sharing import share
from smpc_sql.schema import Boolean, Double, Integer, Text
from smpc_sql.sql import quotient
from smpc_sql.sql.aggregate import GroupedBinder, is_aggregate
from smpc_sql.sql.fixed import all_words, over_constant, word_of, words_of, wrapped
from smpc_sql.sql.literals import integer
from smpc_sql.sql.nodes import construct, located, only, show
from smpc_sql.sql.operations import choose, require_numbers
from smpc_sql.sql.scalar import ScalarBinder

_RANKS: dict[type[exp.Expr], WindowKind] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
}
_VALUES: dict[type[exp.Expr], WindowKind] = {exp.FirstValue: "first_value", exp.LastValue: "last_value"}
_SHIFTS: dict[type[exp.Expr], WindowKind] = {exp.Lag: "lag", exp.Lead: "lead"}
_OF_VALUES = ("first_value", "last_value", "lag", "lead")
_WHOLE, _PEERS, _ROWS = "whole", "peers", "rows"


@dataclass(frozen=True, slots=True)
class Windows:
    """Binds the window functions of one SELECT. named: its WINDOW clause, by lower-case name."""

    named: Mapping[str, exp.Expr]

    def bind(self, binder: ScalarBinder, node: exp.Expr) -> Expression:
        """Columns beside the binder's rows. Raises Unsupported."""
        node = self._resolved(node)
        only(node, "this", "partition_by", "order", "spec", "over")
        function = node.this
        if isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
            raise Unsupported(f"{construct(function)} in a window is not supported")
        partition = all_words(binder.bind(key) for key in node.args.get("partition_by") or ())
        order = self._order(binder, node.args.get("order"))
        frame = _frame(node.args.get("spec"), ordered=bool(order))
        with located(function, binder.text):
            if type(function) in _RANKS:
                return self._rank(binder, function, partition, order)
            if type(function) in _SHIFTS:
                return self._shift(binder, function, partition, order)
            if type(function) in _VALUES:
                return self._value(binder, function, partition, order, frame)
            if frame == _WHOLE:
                return _of_partition(binder, function, partition)
            return self._running(binder, function, partition, order, frame == _PEERS)

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
        return exp.Window(this=node.this, **taken)

    def _order(self, binder: ScalarBinder, order: exp.Expr | None) -> tuple[SortKey, ...]:
        keys = []
        for item in () if order is None else order.expressions:
            only(item, "this", "desc", "nulls_first")
            expression = word_of(binder.bind(item.this))
            if isinstance(expression.type, Double):
                raise Unsupported("a window in the order of a quotient by what is not constant is not supported")
            for word in words_of(expression):
                keys.append(SortKey(word, bool(item.args.get("desc")), bool(item.args.get("nulls_first"))))
        return tuple(keys)

    def _attach(
        self, binder: ScalarBinder, partition: tuple[Expression, ...], order: tuple[SortKey, ...], call: WindowCall
    ) -> Expression:
        """A call's value; of a text as many calls as it has words."""
        width = len(partition)
        arguments = () if call.argument is None else words_of(call.argument)
        keys = (*partition, *(key.expression for key in order), *arguments)

        def widen(relation: Relation, mine: tuple[Expression, ...]) -> Relation:
            behind = mine[width + len(order) :]
            calls = tuple(replace(call, argument=argument) for argument in behind) or (call,)
            ordered = tuple(
                replace(key, expression=e) for key, e in zip(order, mine[width : width + len(order)], strict=True)
            )
            return Window(relation, mine[:width], ordered, calls, (call.kind,) * len(calls))

        columns = binder.attach(keys, widen)
        if call.argument is None or not isinstance(call.argument.type, Text):
            return columns[0]
        return wrapped(call.argument, columns) if call.kind in _OF_VALUES else columns[0]

    def _rank(
        self, binder: ScalarBinder, node: exp.Expr, partition: tuple[Expression, ...], order: tuple[SortKey, ...]
    ) -> Expression:
        only(node)
        return self._attach(binder, partition, order, WindowCall(_RANKS[type(node)]))

    def _shift(
        self, binder: ScalarBinder, node: exp.Expr, partition: tuple[Expression, ...], order: tuple[SortKey, ...]
    ) -> Expression:
        only(node, "this", "offset", "default")
        steps = node.args.get("offset")
        count = integer(1) if steps is None else fold(binder.bind(steps))
        if not isinstance(count, Literal) or not isinstance(count.type, Integer) or (count.value or 0) < 1:
            raise Unsupported(f"{show(node)}: the offset must be a constant above 0")
        offset = count.value or 1
        value = binder.bind(node.this)
        call = WindowCall(_SHIFTS[type(node)], _word(value), offset=offset)
        shifted = _typed(self._attach(binder, partition, order, call), value)
        default = node.args.get("default")
        if default is None:
            return shifted
        place: Expression = self._attach(binder, partition, order, WindowCall("row_number"))
        last: Expression = Literal(offset, place.type)
        if call.kind == "lead":
            total = _of_partition(binder, exp.Count(this=exp.Star()), partition)
            place, last = total, Add(place, Literal(offset - 1, Integer(64)), total.type)
        inside = Less(last, place)
        return choose([inside], [shifted, binder.bind(default)])

    def _value(
        self,
        binder: ScalarBinder,
        node: exp.Expr,
        partition: tuple[Expression, ...],
        order: tuple[SortKey, ...],
        frame: str,
    ) -> Expression:
        only(node, "this")
        if frame == _WHOLE and order:
            raise Unsupported(f"{show(node)} over a whole partition is not supported")
        value = binder.bind(node.this)
        call = WindowCall(_VALUES[type(node)], _word(value), peers=frame != _ROWS)
        return _typed(self._attach(binder, partition, order, call), value)

    def _running(
        self,
        binder: ScalarBinder,
        node: exp.Expr,
        partition: tuple[Expression, ...],
        order: tuple[SortKey, ...],
        peers: bool,
    ) -> Expression:
        """SUM, COUNT and AVG up to the row."""
        only(node, "this")
        if isinstance(node, exp.Count) and (node.this is None or isinstance(node.this, exp.Star)):
            return self._attach(binder, partition, order, WindowCall("count_star", peers=peers))
        if not isinstance(node, exp.Sum | exp.Count | exp.Avg) or isinstance(node.this, exp.Distinct):
            raise Unsupported(f"{show(node)} in a window with ORDER BY is not supported; SUM, COUNT and AVG are")
        value = words_of(binder.bind(node.this))[0] if isinstance(node, exp.Count) else binder.bind(node.this)
        x = _word(value)
        count = WindowCall("count", x, peers)
        if isinstance(node, exp.Count):
            return self._attach(binder, partition, order, count)
        require_numbers(construct(node), x)
        total = self._attach(binder, partition, order, WindowCall("sum", x, peers))
        if isinstance(node, exp.Sum):
            return wrapped(value, [total]) if isinstance(value.type, Double) else total
        average = quotient.make(total, self._attach(binder, partition, order, count), guarded=True)
        fixed = over_constant(value)
        return average if fixed is None else quotient.divide(average, fixed.denominator)


def _word(x: Expression) -> Expression:
    """What a window function works on: a BOOLEAN as a number, the numerator over a constant."""
    word = word_of(x)
    if isinstance(word.type, Double):
        raise Unsupported("a window function over a quotient by what is not constant is not supported")
    return FromBoolean(word) if isinstance(word.type, Boolean) else word


def _typed(x: Expression, value: Expression) -> Expression:
    """A word as what it was before `_word`."""
    if isinstance(value.type, Boolean):
        return Equal(x, Literal(1, x.type))
    return wrapped(value, [x]) if isinstance(value.type, Double) else x


def _frame(spec: exp.Expr | None, *, ordered: bool) -> str:
    """How far a frame reaches: the whole partition, up to the row's peers, or up to the row."""
    if spec is None:
        return _PEERS if ordered else _WHOLE
    only(spec, "kind", "start", "start_side", "end", "end_side", "over")
    start = f"{spec.args.get('start')} {spec.args.get('start_side') or ''}".strip().upper()
    end = f"{spec.args.get('end') or 'CURRENT ROW'} {spec.args.get('end_side') or ''}".strip().upper()
    kind = str(spec.args.get("kind") or "RANGE").upper()
    if start == "UNBOUNDED PRECEDING" and end == "UNBOUNDED FOLLOWING":
        return _WHOLE
    if start == "UNBOUNDED PRECEDING" and end == "CURRENT ROW" and kind in ("ROWS", "RANGE"):
        if kind == "RANGE" and not ordered:
            return _WHOLE
        return _ROWS if kind == "ROWS" else _PEERS
    raise Unsupported(f"the window frame {kind} BETWEEN {start} AND {end} is not supported")


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
    return tuple(part for call in groups.calls for part in parts(call))


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
