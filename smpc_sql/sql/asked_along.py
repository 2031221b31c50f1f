"""Correlated subqueries whose rows come along in the order of one column: see along.py for how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import substitute
from smpc_sql.sql import along
from smpc_sql.sql.every import total_of
from smpc_sql.sql.literals import NULL
from smpc_sql.sql.operations import choose
from smpc_sql.sql.ordering import row_count
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import Scope
from smpc_sql.sql.two_comparisons import Comparison

if TYPE_CHECKING:
    from smpc_sql.sql.select import SelectBinder


@dataclass(frozen=True, slots=True)
class Totals:
    """Aggregates by name that stand beside the rows around, and when they are there (HAVING)."""

    items: tuple[tuple[str, Expression], ...]
    having: Expression | None

    @property
    def values(self) -> tuple[Expression, ...]:
        """As scalar subqueries."""
        items = tuple(item for _, item in self.items)
        return items if self.having is None else tuple(choose([self.having], [item, NULL]) for item in items)


def total_along(binder: ScalarBinder, select: SelectBinder, scope: Scope) -> Totals | None:
    """The aggregates of a SELECT, beside the binder's rows. None: not in this way."""
    tests = _tests(binder, select, scope)
    total = total_of(select, scope) if tests else None
    if not tests or total is None:
        return None
    values = along.totals(binder, total.groups.source, select.links, tests, total.groups.calls)
    if values is None:
        return None
    by = [*(outer for _, outer in total.links), *values]
    items = tuple((name, substitute(item, by)) for name, item in total.items)
    return Totals(items, None if total.having is None else substitute(total.having, by))


def last_along(binder: ScalarBinder, select: SelectBinder, scope: Scope) -> bool:
    """Whether a SELECT asks for the row that is last (or first) along; its links tell then which one that is."""
    tests = _tests(binder, select, scope)
    if not tests or select.total or not _one_by_order(select):
        return False
    first = select.select.args["order"].expressions[0]
    own = ScalarBinder(scope, select.text, "ORDER BY", select.aliases)
    if own.bind(first.this) != tests[0].inner:
        return False
    found = along.last(binder, scope.relation, select.links, tests, bool(first.args.get("desc")))
    if found is None:
        return False
    select.links.append((tests[0].inner, found))
    select.around = (*select.around, tests[0].inner)
    select.rest.clear()
    return True


def _tests(binder: ScalarBinder, select: SelectBinder, scope: Scope) -> list[Comparison] | None:
    """The comparisons with the rows around, if their rows come along."""
    tests = along.comparisons(select.rest)
    if tests is None or select.domain is not None or select.queries.rooms.of(select.select).room.said:
        return None
    return tests if along.comes_along(binder, scope.relation, select.links, tests) else None


def _one_by_order(select: SelectBinder) -> bool:
    """Whether it is ORDER BY and LIMIT 1 of rows as they are."""
    args = select.select.args
    if any(args.get(clause) for clause in ("group", "having", "qualify", "offset", "distinct")):
        return False
    if args.get("order") is None or select.select.find(exp.Window) is not None:
        return False
    return row_count(select.select, "limit", select.text) == 1
