"""What the rows up to a point amount to, for each row of another relation, without a row for every pair.

Both sides' rows are stacked and ordered by the value that is compared, so that running sums, counts and extremes of one
side stand beside the rows of the other, which look them up by what they asked for. Between two points lies the
difference of two running sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smpc_sql.plan.expressions import (
    AggregateCall,
    And,
    Case,
    Column,
    Equal,
    Expression,
    IsNull,
    Less,
    Literal,
    Not,
    Subtract,
    Within,
)
from smpc_sql.plan.frames import UP_TO_ROW
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    Filter,
    Join,
    Project,
    Relation,
    SortKey,
    Window,
    WindowCall,
    WindowKind,
)
from smpc_sql.plan.sharing import share
from smpc_sql.schema import Integer, Interval

_AROUND, _WITHIN = Literal(1, Integer(8)), Literal(0, Integer(8))
_ONE, _ZERO = Literal(1, Integer(8)), Literal(0, Integer(64))
_WIDEST = 1 << 62

Run = tuple[WindowKind, Expression]
"""A running sum, count, MIN or MAX, and what of; every list of runs that is made of calls begins with a count."""


@dataclass(frozen=True, slots=True)
class Point:
    """Which rows count: those with equal keys whose value is less than `at`, or greater if `above`, or equal to it if
    `inclusive`. keys: (of a row that asks, of a row that counts), alike in type, as `at` and `value` are.
    """

    keys: tuple[tuple[Expression, Expression], ...]
    at: Expression
    value: Expression
    above: bool
    inclusive: bool


def beside(rows: Relation, inner: Relation, point: Point, runs: Sequence[Run]) -> Relation:
    """The rows, and behind their fields the runs over the inner rows that count; NULL where a key or `at` is.

    Within, NULLs of the value come last, behind all rows that ask.
    """
    rows = share(rows)
    asked = (*(own for own, _ in point.keys), point.at)
    width = len(asked)
    arguments = tuple(argument for _, argument in runs)
    nothing = tuple(Literal(None, argument.type) for argument in arguments)
    names = (*(f"key{i}" for i in range(width)), *(f"value{i}" for i in range(len(runs))), "around")
    counted = (*(other for _, other in point.keys), point.value, *arguments, _WITHIN)
    stacked = Concat((Project(rows, (*asked, *nothing, _AROUND), names), Project(inner, counted, names)))
    around = stacked.column(width + len(runs))
    order = (
        SortKey(stacked.column(width - 1), descending=point.above),
        SortKey(around, descending=not point.inclusive),  # a strict test passes no row of the same value
    )
    values = [Within(stacked.column(width + i), argument.bounds) for i, argument in enumerate(arguments)]
    calls = tuple(WindowCall(kind, value, UP_TO_ROW) for (kind, _), value in zip(runs, values, strict=True))
    partition = tuple(stacked.column(i) for i in range(width - 1))
    results = tuple(f"run{i}" for i in range(len(runs)))
    ordered = Window(stacked, partition, order, calls, results)
    asking = Filter(ordered, Equal(around, _AROUND))
    # rows that ask for the same find the same
    found = tuple(
        AggregateCall("any", asking.column(len(stacked.fields) + i), None, asking.max_rows) for i in range(len(runs))
    )
    groups = Aggregate(asking, tuple(asking.column(i) for i in range(width)), names[:width], found, results)
    own = tuple(groups.column(i) for i in range(width))
    return Join(rows, groups, "left", asked, own, carried=tuple(range(width, width + len(runs))))


def comes_along(call: AggregateCall, single: bool, rows: int) -> bool:
    """Whether running calls tell the aggregate, up to a single point or between two; rows: of both sides together."""
    if call.distinct or call.rest or call.place is not None or call.filled or call.within is not None:
        return False
    if call.kind in ("min", "max") and call.argument is not None:
        return single and extremes_fit(call.argument, rows)
    return call.kind in ("count_star", "count", "sum")


def extremes_fit(x: Expression, rows: int) -> bool:
    """Whether running extremes of so many rows stay within a word (see plan/bounds.py)."""
    return (rows + 2) * (x.bounds.size + 1) < _WIDEST


def runs_of(calls: Sequence[AggregateCall], single: bool) -> list[Run]:
    """What is to run for calls that come along."""
    runs: list[Run] = [("count", _ONE)]
    for call in calls:
        argument = _argument(call)
        runs.append((_kind(call), argument))
        if not single and call.kind == "sum":
            runs.append(("count", argument))
    return runs


def between(
    calls: Sequence[AggregateCall], ends: Sequence[Expression], starts: Sequence[Expression]
) -> tuple[Expression, list[Expression]]:
    """How many rows lie between two points, and the calls over them, from what runs up to the last and before the
    first."""
    known = And((Not(IsNull(ends[0])), Not(IsNull(starts[0]))))
    found: list[Expression] = []
    place = 1
    for call in calls:
        end, start = ends[place], starts[place]
        if call.kind != "sum":
            found.append(_more(known, end, start))
            place += 1
            continue
        count = _more(known, ends[place + 1], starts[place + 1])
        total = Within(Subtract(_or_zero(end), _or_zero(start), call.type), call.bounds.union(Interval(0, 0)))
        found.append(Case(((Less(_ZERO, count), total),), Literal(None, call.type)))
        place += 2
    return _more(known, ends[0], starts[0]), found


def new_columns(before: Relation, after: Relation) -> list[Column]:
    """The fields that stand behind those there were."""
    return [after.column(i) for i in range(len(before.fields), len(after.fields))]


def _kind(call: AggregateCall) -> WindowKind:
    match call.kind:
        case "sum" | "min" | "max":
            return call.kind
        case _:
            return "count"


def _argument(call: AggregateCall) -> Expression:
    """What is counted or summed; NULL where FILTER leaves a row out."""
    argument = _ONE if call.argument is None else call.argument
    return argument if call.filter is None else Case(((call.filter, argument),), Literal(None, argument.type))


def _more(known: Expression, end: Expression, start: Expression) -> Expression:
    """How many more there are at the end, 0 if that lies before the start."""
    end, start = (Within(_or_zero(x), Interval(0, x.bounds.high)) for x in (end, start))
    more = Within(Subtract(end, start, Integer(64)), Interval(0, end.bounds.high))
    return Case(((And((known, Less(start, end))), more),), _ZERO)


def _or_zero(x: Expression) -> Expression:
    return Case(((IsNull(x), Literal(0, x.type)),), x) if x.nullable else x
