"""Values of rows up to a point, for each row around: totals, and the row that is last, without a row for every pair.

`(SELECT COUNT(*) FROM b WHERE b.patient = a.patient AND b.day < a.day)`: both sides' rows are stacked and ordered by
day, so that running sums and extremes of b's rows stand beside those of a, which look them up by what they asked for.
What lies between two points is the difference of two such sums. `… ORDER BY b.day DESC LIMIT 1` asks for the last day,
and then for the row of that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smpc_sql.plan.expressions import (
    AggregateCall,
    And,
    Case,
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
from smpc_sql.sql.beside import Links
from smpc_sql.sql.coercion import unify
from smpc_sql.sql.every import of_none
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.two_comparisons import Comparison, comparison, many_pairs

_AROUND, _WITHIN = Literal(1, Integer(8)), Literal(0, Integer(8))
_ONE, _ZERO = Literal(1, Integer(8)), Literal(0, Integer(64))
_WIDEST = 1 << 62

Run = tuple[WindowKind, Expression]
"""A running sum, count, MIN or MAX, and what of."""


def comparisons(terms: Sequence[Expression]) -> list[Comparison] | None:
    """Terms of WHERE that read the rows around, all as comparisons; None if one is not."""
    found = [test for test in map(comparison, terms) if test is not None]
    return found if len(found) == len(terms) else None


def comes_along(binder: ScalarBinder, inner: Relation, links: Links, tests: Sequence[Comparison]) -> bool:
    """Whether rows are asked for by one column's order, up to a point or between two, and pairs would be too many."""
    if not tests or any(test.test is not Less for test in tests) or len(tests) > 2:
        return False
    if len(tests) == 2 and (tests[0].inner != tests[1].inner or tests[0].above == tests[1].above):
        return False
    return many_pairs(binder.scope.relation, inner, links, tests)


def totals(
    binder: ScalarBinder, inner: Relation, links: Links, tests: Sequence[Comparison], calls: Sequence[AggregateCall]
) -> list[Expression] | None:
    """The calls over the rows with equal keys that pass the tests, which come along; None where this cannot tell."""
    single = len(tests) == 1
    if not all(_runs(call, single, binder.scope.relation.max_rows + inner.max_rows) for call in calls):
        return None
    runs: list[Run] = [("count", _ONE)]
    for call in calls:
        argument = _argument(call)
        runs.append((_kind(call), argument))
        if not single and call.kind == "sum":
            runs.append(("count", argument))
    if single:
        return of_none(calls, running(binder, inner, links, tests[0], runs)[1:])
    upper, lower = tests[::-1] if tests[0].above else tests
    ends = running(binder, inner, links, upper, runs)
    starts = running(binder, inner, links, replace(lower, negated=not lower.negated), runs)
    known = And((Not(IsNull(ends[0])), Not(IsNull(starts[0]))))
    found: list[Expression] = []
    place = 1
    for call in calls:
        end, start = ends[place], starts[place]
        if call.kind != "sum":
            found.append(_between(known, end, start))
            place += 1
            continue
        count = _between(known, ends[place + 1], starts[place + 1])
        total = Within(Subtract(_or_zero(end), _or_zero(start), call.type), call.bounds.union(Interval(0, 0)))
        found.append(Case(((Less(_ZERO, count), total),), Literal(None, call.type)))
        place += 2
    return found


def last(
    binder: ScalarBinder, inner: Relation, links: Links, tests: Sequence[Comparison], descending: bool
) -> Expression | None:
    """The value nearest to the point, for rows that come along ordered by it; NULL if no row passes. None: no such."""
    first = next((test for test in tests if test.above != descending), None)
    rows = binder.scope.relation.max_rows + inner.max_rows
    if first is None or (rows + 2) * (first.inner.bounds.size + 1) >= _WIDEST:
        return None
    (found,) = running(binder, inner, links, first, [("max" if descending else "min", first.inner)])
    others = [test.of(found, test.outer) for test in tests if test is not first]
    return Case(((others[0], found),), Literal(None, found.type)) if others else found


def running(
    binder: ScalarBinder, inner: Relation, links: Links, test: Comparison, runs: Sequence[Run]
) -> list[Expression]:
    """The runs over the rows with equal keys that pass the test, beside the rows around; NULL where one's key is."""
    keys = (*(outer for _, outer in links), test.outer)

    def widen(relation: Relation, mine: tuple[Expression, ...]) -> Relation:
        return _beside(share(relation), mine, inner, [key for key, _ in links], test, runs)

    return list(binder.attach(keys, widen))


def _beside(
    rows: Relation,
    mine: tuple[Expression, ...],
    inner: Relation,
    inner_keys: Sequence[Expression],
    test: Comparison,
    runs: Sequence[Run],
) -> Relation:
    """The rows, and behind their fields the runs. mine: the keys, and what the test compares with.

    Within, NULLs of the test's column come last, behind all rows around that ask.
    """
    pairs = [unify(pair) for pair in zip(mine, (*inner_keys, test.inner), strict=True)]
    width = len(pairs)
    asked = tuple(outer for outer, _ in pairs)
    arguments = tuple(argument for _, argument in runs)
    nothing = tuple(Literal(None, argument.type) for argument in arguments)
    names = (*(f"key{i}" for i in range(width)), *(f"value{i}" for i in range(len(runs))), "around")
    stacked = Concat(
        (
            Project(rows, (*asked, *nothing, _AROUND), names),
            Project(inner, (*(own for _, own in pairs), *arguments, _WITHIN), names),
        )
    )
    around = stacked.column(width + len(runs))
    order = (
        SortKey(stacked.column(width - 1), descending=test.above),
        SortKey(around, descending=not test.negated),  # a strict test passes no row of the same value
    )
    values = [Within(stacked.column(width + i), argument.bounds) for i, argument in enumerate(arguments)]
    calls = tuple(WindowCall(kind, value, UP_TO_ROW) for (kind, _), value in zip(runs, values, strict=True))
    partition = tuple(stacked.column(i) for i in range(width - 1))
    results = tuple(f"run{i}" for i in range(len(runs)))
    ordered = Window(stacked, partition, order, calls, results)
    asking = Filter(ordered, Equal(around, _AROUND))
    # rows around that ask for the same find the same
    found = tuple(
        AggregateCall("any", asking.column(len(stacked.fields) + i), None, asking.max_rows) for i in range(len(runs))
    )
    groups = Aggregate(asking, tuple(asking.column(i) for i in range(width)), names[:width], found, results)
    own = tuple(groups.column(i) for i in range(width))
    return Join(rows, groups, "left", asked, own, carried=tuple(range(width, width + len(runs))))


def _runs(call: AggregateCall, single: bool, rows: int) -> bool:
    """Whether a running call tells the aggregate."""
    if call.distinct or call.rest or call.place is not None or call.filled or call.within is not None:
        return False
    if call.kind in ("min", "max") and call.argument is not None:
        return single and (rows + 2) * (call.argument.bounds.size + 1) < _WIDEST
    return call.kind in ("count_star", "count", "sum")


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


def _between(known: Expression, end: Expression, start: Expression) -> Expression:
    """How many more there are at the end, 0 if that lies before the start."""
    end, start = (Within(_or_zero(x), Interval(0, x.bounds.high)) for x in (end, start))
    more = Subtract(end, start, Integer(64))
    some = And((known, Less(start, end)))
    return Case(((some, Within(more, Interval(0, end.bounds.high))),), _ZERO)


def _or_zero(x: Expression) -> Expression:
    return Case(((IsNull(x), Literal(0, x.type)),), x) if x.nullable else x
