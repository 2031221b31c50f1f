"""EXISTS under equalities and two comparisons, without a row for every pair.

A row has v > lo and w < hi among those with equal keys where the least w of all with v > lo is below hi. Both sides'
rows are stacked and ordered by v and lo, so that a running MIN finds it for every row around; this then looks itself up
by what it asked for. v and w are most often one column: `admitted BETWEEN a.discharged AND a.discharged + 30`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from smpc_sql.plan.apart import ALONE, OTHER, apart
from smpc_sql.plan.dependencies import follows
from smpc_sql.plan.expressions import And, Column, Equal, Expression, Less, Literal, Not, Or, Within, columns_of, walk
from smpc_sql.plan.frames import UP_TO_ROW
from smpc_sql.plan.relations import (
    MAX_PRODUCT,
    Concat,
    Filter,
    Join,
    Project,
    Relation,
    SortKey,
    Window,
    WindowCall,
    key_size,
)
from smpc_sql.plan.sharing import share
from smpc_sql.plan.uniqueness import injective_column, unique_keys
from smpc_sql.schema import Integer
from smpc_sql.sql.beside import Links
from smpc_sql.sql.coercion import unify
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import OUTER, shifted

_AROUND, _WITHIN = Literal(1, Integer(8)), Literal(0, Integer(8))
_WIDEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Comparison:
    """test(inner, outer), or test(outer, inner), or the negation of it: of a subquery's rows with those around."""

    test: type[Less] | type[Equal]
    inner: Expression
    outer: Expression
    inner_first: bool
    negated: bool

    @property
    def above(self) -> bool:
        """Of Less: whether it is inner > outer, or >=."""
        return self.inner_first == self.negated

    def of(self, inner: Expression, outer: Expression) -> Expression:
        """The same of other values."""
        outcome = self.test(inner, outer) if self.inner_first else self.test(outer, inner)
        return Not(outcome) if self.negated else outcome


def comparison(term: Expression) -> Comparison | None:
    """inner < outer and its like; None for what does not have one side each."""
    negated = isinstance(term, Not)
    test = term.x if isinstance(term, Not) else term
    if not isinstance(test, Less | Equal):
        return None
    test = apart(test, _reads) if isinstance(test, Less) else test
    for inner, outer in ((test.left, test.right), (test.right, test.left)):
        columns, others = columns_of(inner), columns_of(outer)
        if columns and all(i < OUTER for i in columns) and others and all(i >= OUTER for i in others):
            return Comparison(type(test), inner, shifted(outer, -OUTER), inner is test.left, negated)
    return None


def _reads(expression: Expression) -> int:
    places = columns_of(expression)
    return ALONE * any(i < OUTER for i in places) + OTHER * any(i >= OUTER for i in places)


def within_both(binder: ScalarBinder, inner: Relation, links: Links, tests: Sequence[Comparison]) -> Expression | None:
    """Whether a row has equal keys and passes both tests; None where pairs of rows are few, or this cannot tell."""
    around = binder.scope.relation
    if len(tests) != 2 or not many_pairs(around, inner, links, tests):
        return None
    fitting = [pair for pair in (tests, tests[::-1]) if _fits(pair[0], pair[1], around.max_rows + inner.max_rows)]
    if not fitting:
        return None
    first, second = min(fitting, key=lambda pair: pair[1].inner.bounds.size)
    keys = (*(outer for _, outer in links), first.outer, second.outer)

    def widen(relation: Relation, mine: tuple[Expression, ...]) -> Relation:
        return _marked(share(relation), mine, inner, [key for key, _ in links], first, second)

    (found,) = binder.attach(keys, widen)
    return found


def many_pairs(around: Relation, inner: Relation, links: Links, tests: Sequence[Comparison]) -> bool:
    """Whether a join of the different values around with the rows would be of too many pairs."""
    for relation, keys in ((inner, [key for key, _ in links]), (around, [key for _, key in links])):
        known = set(map(injective_column, keys))
        if any(key <= known for key in unique_keys(relation)):
            return False
    read = [*(outer for _, outer in links), *(test.outer for test in tests)]
    columns = dict.fromkeys(part for e in read for part in walk(e) if isinstance(part, Column))
    return min(around.max_rows, prod(map(key_size, columns))) * inner.max_rows > MAX_PRODUCT


def _fits(first: Comparison, second: Comparison, rows: int) -> bool:
    """Whether rows can be ordered by the first, and the extremes that the second asks for be found (see bounds.py)."""
    told = second.test is Less or second.negated
    return first.test is Less and told and (rows + 2) * (second.inner.bounds.size + 1) < _WIDEST


def _marked(
    rows: Relation,
    mine: tuple[Expression, ...],
    inner: Relation,
    inner_keys: Sequence[Expression],
    first: Comparison,
    second: Comparison,
) -> Relation:
    """The rows, and behind their fields whether there is a row for them. mine: keys, then the outer of both tests.

    Rows around that are NULL anywhere find nothing, since a mark's keys do not; within, NULLs of the first test come
    last, behind all rows around that ask, and no extreme is of NULLs.
    """
    *keys, bound, limit = mine
    pairs = [unify(pair) for pair in zip((*keys, bound), (*inner_keys, first.inner), strict=True)]
    width = len(pairs)
    asked = tuple(outer for outer, _ in pairs)
    none, unasked = Literal(None, second.inner.type), Literal(limit.bounds.low, limit.type)
    names = (*(f"key{i}" for i in range(len(keys))), "bound", "limit", "value", "around")
    stacked = Concat(
        (
            Project(rows, (*asked, limit, none, _AROUND), names),
            Project(inner, (*(own for _, own in pairs), unasked, second.inner, _WITHIN), names),
        )
    )
    value, around = Within(stacked.column(width + 1), second.inner.bounds), stacked.column(width + 2)
    order = (
        SortKey(stacked.column(width - 1), descending=first.above),
        SortKey(around, descending=not first.negated),  # a strict test passes no row of the same value
    )
    both = second.test is Equal
    calls = [WindowCall("min", value, UP_TO_ROW)] if both or not second.above else []
    calls += [WindowCall("max", value, UP_TO_ROW)] if both or second.above else []
    partition = tuple(stacked.column(i) for i in range(len(keys)))
    ordered = Window(stacked, partition, order, tuple(calls), tuple(call.kind for call in calls))
    places = range(len(stacked.fields), len(ordered.fields))
    outcomes = tuple(second.of(ordered.column(i), ordered.column(width)) for i in places)
    passed = outcomes[0] if len(outcomes) == 1 else Or(outcomes)
    found = Filter(ordered, And((Equal(ordered.column(width + 2), _AROUND), passed)))
    wanted = asked if follows(rows, limit, asked) else (*asked, limit)
    return Join(rows, found, "mark", wanted, tuple(found.column(i) for i in range(len(wanted))))
