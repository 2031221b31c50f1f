"""Values of rows up to a point, for each row around: totals, and the row that is last (see plan/along.py).

`(SELECT COUNT(*) FROM b WHERE b.patient = a.patient AND b.day < a.day)` asks for a running count of b's rows.
`… ORDER BY b.day DESC LIMIT 1` asks for the last day, and then for the row of that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smpc_sql.plan import along
from smpc_sql.plan.along import Run
from smpc_sql.plan.expressions import AggregateCall, Case, Expression, Less, Literal
from smpc_sql.plan.relations import Relation
from smpc_sql.sql.beside import Links
from smpc_sql.sql.coercion import unify
from smpc_sql.sql.every import of_none
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.two_comparisons import Comparison, comparison, many_pairs


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
    single, rows = len(tests) == 1, binder.scope.relation.max_rows + inner.max_rows
    if not all(along.comes_along(call, single, rows) for call in calls):
        return None
    runs = along.runs_of(calls, single)
    if single:
        return of_none(calls, _running(binder, inner, links, tests[0], runs)[1:])
    upper, lower = tests[::-1] if tests[0].above else tests
    ends = _running(binder, inner, links, upper, runs)
    starts = _running(binder, inner, links, replace(lower, negated=not lower.negated), runs)
    return along.between(calls, ends, starts)[1]


def last(
    binder: ScalarBinder, inner: Relation, links: Links, tests: Sequence[Comparison], descending: bool
) -> Expression | None:
    """The value nearest to the point, for rows that come along ordered by it; NULL if no row passes. None: no such."""
    first = next((test for test in tests if test.above != descending), None)
    if first is None or not along.extremes_fit(first.inner, binder.scope.relation.max_rows + inner.max_rows):
        return None
    (found,) = _running(binder, inner, links, first, [("max" if descending else "min", first.inner)])
    others = [test.of(found, test.outer) for test in tests if test is not first]
    return Case(((others[0], found),), Literal(None, found.type)) if others else found


def _running(
    binder: ScalarBinder, inner: Relation, links: Links, test: Comparison, runs: Sequence[Run]
) -> list[Expression]:
    """The runs over the rows with equal keys that pass the test, beside the rows around."""
    keys = (*(outer for _, outer in links), test.outer)

    def widen(relation: Relation, mine: tuple[Expression, ...]) -> Relation:
        theirs = (*(key for key, _ in links), test.inner)
        pairs = [unify(pair) for pair in zip(mine, theirs, strict=True)]
        at, value = pairs[-1]
        point = along.Point(tuple((a, b) for a, b in pairs[:-1]), at, value, test.above, test.negated)
        return along.beside(relation, inner, point, runs)

    return list(binder.attach(keys, widen))
