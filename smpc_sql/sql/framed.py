"""What a window function's OVER clause says: partition, order and frame; and aggregates of frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    LARGEST_DIVISOR,
    AggregateCall,
    AggregateKind,
    Case,
    Elapsed,
    Equal,
    Expression,
    Literal,
    Sqrt,
    WholeQuotient,
    columns_of,
)
from smpc_sql.plan.frames import PARTITION, PEERS, ROW, UP_TO_PEERS, WHOLE, Edge, Frame, ends_early
from smpc_sql.plan.places import Place
from smpc_sql.plan.relations import Relation, SortKey, Window, WindowCall
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import DAY, Date, Decimal, Double, Integer, Text, Timestamp, scale_of
from smpc_sql.sql import quotient
from smpc_sql.sql.aggregate import GroupedBinder
from smpc_sql.sql.coercion import as_quotient, multiply
from smpc_sql.sql.fixed import word_of, words_of, wrapped
from smpc_sql.sql.fixed_point import unscaled
from smpc_sql.sql.literals import integer
from smpc_sql.sql.nodes import only
from smpc_sql.sql.operations import choose
from smpc_sql.sql.rounding import whole_digits
from smpc_sql.sql.scalar import ScalarBinder

_OF_VALUES = ("nth_value", "last_value", "lag", "lead")
_OF_FRAMES = ("count_star", "count", "sum", "min", "max")


@dataclass(frozen=True, slots=True)
class Over:
    """An OVER clause, bound; binder: of the rows beside which its values come to stand."""

    binder: ScalarBinder
    partition: tuple[Expression, ...]
    order: tuple[SortKey, ...]
    frame: Frame

    def attach(self, call: WindowCall) -> Expression:
        """A call's value; of a text as many calls as it has words. Calls of one OVER behind each other share a sort."""
        if call.frame.of_distances and call.kind not in ("count_star", "count", "sum"):
            raise Unsupported(
                "over a window frame of RANGE with a distance only sums, counts and what is made of these are supported"
            )
        width, order = len(self.partition), self.order
        arguments = () if call.argument is None else words_of(call.argument)
        keys = (*self.partition, *(key.expression for key in order), *arguments)

        def widen(relation: Relation, mine: tuple[Expression, ...]) -> Relation:
            behind = mine[width + len(order) :]
            calls = tuple(replace(call, argument=argument) for argument in behind) or (call,)
            ordered = tuple(
                replace(key, expression=e) for key, e in zip(order, mine[width : width + len(order)], strict=True)
            )
            names = (call.kind,) * len(calls)
            if _same(relation, mine[:width], ordered, behind):
                assert isinstance(relation, Window)
                together, titles = (*relation.calls, *calls), (*relation.call_names, *names)
                return Window(relation.source, mine[:width], ordered, together, titles)
            return Window(relation, mine[:width], ordered, calls, names)

        columns = self.binder.attach(keys, widen)
        if call.argument is None or not isinstance(call.argument.type, Text):
            return columns[0]
        return wrapped(call.argument, columns) if call.kind in _OF_VALUES else columns[0]

    def aggregate(self, node: exp.Expr) -> Expression:
        """An aggregate function of the frame's rows."""
        return _FramedBinder(self).bind(node)


def _same(
    relation: Relation,
    partition: tuple[Expression, ...],
    order: tuple[SortKey, ...],
    arguments: tuple[Expression, ...],
) -> bool:
    """Whether a call with these can join the calls of a window."""
    if not isinstance(relation, Window) or relation.partition != partition or relation.order != order:
        return False
    return all(i < len(relation.source.fields) for i in columns_of(*arguments))


class _FramedBinder(GroupedBinder):
    """Binds an aggregate function whose calls are of frames, not of groups."""

    def __init__(self, over: Over) -> None:
        binder = over.binder
        super().__init__(binder.scope, binder.text, "a window function", {}, (), (), arguments=binder)
        self._over = over

    def call(
        self,
        kind: AggregateKind,
        argument: Expression | None,
        filter_: Expression | None,
        distinct: bool = False,
        place: Place | None = None,
        by: Expression | None = None,
        rest: tuple[Expression, ...] = (),
        word: int = 0,
    ) -> Expression:
        """The value of a window's call; what a FILTER leaves out is NULL to it."""
        if distinct:
            raise Unsupported("DISTINCT in a window with an order or a frame is not supported")
        if kind not in _OF_FRAMES or (rest and kind != "count"):
            raise Unsupported(
                "in a window with an order or a frame only sums, counts and extremes of words are supported"
            )
        if filter_ is not None:
            given = integer(1) if argument is None else argument
            argument, kind = (
                choose([filter_], [given, Literal(None, given.type)]),
                "count" if argument is None else kind,
            )
        if kind == "count" and argument is not None and not argument.nullable:
            kind, argument = "count_star", None
        AggregateCall(kind, argument, None, 1)  # raises where the argument does not fit
        return self._over.attach(WindowCall(kind, argument, self._over.frame))  # type: ignore[arg-type]


def bind_order(binder: ScalarBinder, order: exp.Expr | None) -> tuple[SortKey, ...]:
    """ORDER BY of a window, as words."""
    keys = []
    for item in () if order is None else order.expressions:
        only(item, "this", "desc", "nulls_first")
        descending, nulls_first = bool(item.args.get("desc")), bool(item.args.get("nulls_first"))
        word = order_word(binder.bind(item.this))
        keys += [SortKey(part, descending, nulls_first) for part in words_of(word)]
    return tuple(keys)


def order_word(x: Expression) -> Expression:
    """What orders as x does, equal where that is, NULL where that is, and is made of words: x itself if it is.

    Of a quotient by a constant it is the numerator. Else floor(2^k n / d), which is exact: two quotients with
    denominators up to 2^(k/2) differ by 2^-k at least, if at all. Raises Unsupported
    where denominators have more than 58 bits.
    """
    word = word_of(x.x if isinstance(x, Sqrt) else x)
    if not isinstance(word.type, Double):
        return word
    q = quotient.positive(as_quotient(word))
    numerator, denominator = (whole_digits(part) for part in (q.numerator, unscaled(q.denominator)[0]))
    shift = 2 * denominator.bounds.high.bit_length()
    if denominator.bounds.high >= LARGEST_DIVISOR:
        raise Unsupported("a window by so large a quotient is not supported; declare tighter bounds, or ROUND it")
    floor = WholeQuotient(multiply(numerator, Literal(1 << shift, Integer(64))), denominator)
    if 0 in denominator.bounds:
        return Case(((Equal(denominator, Literal(0, denominator.type)), Literal(None, floor.type)),), floor)
    return floor


def bind_frame(binder: ScalarBinder, spec: exp.Expr | None, order: exp.Expr | None) -> Frame:
    """The frame of an OVER clause in the order of its ORDER BY. Raises Unsupported and TypeMismatch."""
    ordered = order is not None
    if spec is None:
        return UP_TO_PEERS if ordered else WHOLE
    only(spec, "kind", "start", "start_side", "end", "end_side", "over")
    kind = str(spec.args.get("kind") or "RANGE").upper()
    if kind not in ("ROWS", "RANGE", "GROUPS"):
        raise Unsupported(f"the window frame {kind} is not supported")
    keys = () if order is None else tuple(item.this for item in order.expressions)
    given = spec.args.get("end") or "CURRENT ROW"
    start = _edge(binder, spec.args.get("start"), spec.args.get("start_side"), kind, keys, first=True)
    end = _edge(binder, given, spec.args.get("end_side"), kind, keys, first=False)
    if ends_early(start, end):
        raise Unsupported("a window frame that ends before it starts is not supported")
    frame = Frame(start, end)
    return WHOLE if frame.of_peers and not ordered else frame


def _edge(
    binder: ScalarBinder, given: object, side: object, kind: str, keys: tuple[exp.Expr, ...], *, first: bool
) -> Edge:
    word, where = str(given).upper(), str(side or "").upper()
    if word == "UNBOUNDED":
        if (where == "PRECEDING") != first:
            raise Unsupported(f"a window frame that {'starts' if first else 'ends'} with UNBOUNDED {where}")
        return PARTITION
    if word == "CURRENT ROW":
        return ROW if kind == "ROWS" else PEERS
    if kind == "GROUPS" or not isinstance(given, exp.Expr):
        raise Unsupported(f"a window frame of {kind} with a distance is not supported, but of ROWS and RANGE")
    if kind == "RANGE":
        if len(keys) != 1:
            raise Unsupported("a window frame of RANGE with a distance needs one ORDER BY key")
        distance = _distance(binder.bind(keys[0]), fold(binder.bind(given)))
        return Edge("key", -distance if where == "PRECEDING" else distance) if distance else PEERS
    steps = fold(binder.bind(given))
    if not isinstance(steps, Literal) or not isinstance(steps.type, Integer) or steps.value is None or steps.value < 0:
        raise Unsupported("the distance of a window frame must be a constant that is not negative")
    return Edge("row", -steps.value if where == "PRECEDING" else steps.value)


_LARGEST_KEYS = 1 << 61
"""Keys with more values than that could leave 64 bits when they are moved by a distance as large."""


def _distance(key: Expression, given: Expression) -> int:
    """How far keys are apart at most, in the words of the key: of a constant number, or INTERVAL of DATEs and
    TIMESTAMPs. Raises Unsupported and TypeMismatch."""
    if not isinstance(key.type, Integer | Decimal | Date | Timestamp):
        raise Unsupported(f"a window frame of RANGE with a distance in the order of {key.type} is not supported")
    if key.bounds.size > _LARGEST_KEYS:
        raise Unsupported("a window frame of RANGE with a distance needs a key of 61 bits; declare tighter bounds")
    spans = isinstance(given, Elapsed)
    constant = given.x if isinstance(given, Elapsed) and not given.monthly else given
    if not isinstance(constant, Literal) or constant.value is None or constant.value < 0:
        raise Unsupported("the distance of a window frame must be a constant that is not negative")
    number = isinstance(key.type, Integer | Decimal)
    fitting = Integer if spans or isinstance(key.type, Date) else Integer | Decimal
    if (spans and number) or (not spans and isinstance(key.type, Timestamp)) or not isinstance(constant.type, fitting):
        raise TypeMismatch(f"{given.type} is no distance of {key.type}")
    unit = DAY if spans and isinstance(key.type, Date) else 10 ** scale_of(constant.type)
    distance, rest = divmod(int(constant.value * 10 ** scale_of(key.type)), int(unit))
    if rest:
        raise Unsupported(f"the distance of a window frame is finer than its order, of {key.type}")
    return distance
