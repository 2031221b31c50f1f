"""Scalar expressions on the rows of a chunk: local where they are linear, batched tasks where they are not.

Every node's steps are a generator: it yields tasks (see `tasks`) and is sent their results. All nodes whose parts are
known run side by side, so the rounds of an expression are those of its deepest chain, not of its size. Equal
sub-expressions are computed once. Three-valued logic lives in `booleans` and `plain` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never, cast

from smpc_sql.errors import InternalError
from smpc_sql.operators import arithmetic, booleans, comparisons
from smpc_sql.operators.datum import Bits, Datum, Public, Spelled, Words
from smpc_sql.operators.plain import evaluate_public
from smpc_sql.operators.steps import Asked, Rows, Steps, null_of
from smpc_sql.operators.tasks import run_tasks
from smpc_sql.operators.text import text_steps
from smpc_sql.plan import expressions as plan
from smpc_sql.plan.expressions import Expression
from smpc_sql.schema import Integer, Text
from smpc_sql.session import Session
from smpc_sql.sharing import BShare

Running = dict[Expression, tuple[Steps, Asked]]
"""The steps of nodes that wait for what they have asked."""


def evaluate(session: Session, expressions: Sequence[Expression], columns: Sequence[Datum], rows: int) -> list[Datum]:
    """The values of the expressions over the columns of a chunk of `rows` rows (a multiple of 8)."""
    return _Evaluation(Rows(session, rows), columns).run(expressions)


class _Evaluation:
    """Expressions over columns of a chunk, of which every node is computed once. done: those that are known."""

    def __init__(self, rows: Rows, columns: Sequence[Datum]) -> None:
        self.rows = rows
        self.columns = columns
        self.done: dict[Expression, Datum] = {}

    def run(self, expressions: Sequence[Expression]) -> list[Datum]:
        order: dict[Expression, None] = {}
        for expression in expressions:
            _postorder(expression, order)
        waiting = list(order)
        running: Running = {}
        while waiting or running:
            waiting = self._start(waiting, running)
            if running:
                self._advance(running)
        return [self.done[expression] for expression in expressions]

    def _start(self, waiting: list[Expression], running: Running) -> list[Expression]:
        """Starts every node whose parts are known; returns the others."""
        blocked = []
        for node in waiting:
            if any(part not in self.done for part in _needed(node)):
                blocked.append(node)
                continue
            parts = [self.done[part] for part in _needed(node)]
            if isinstance(node, plan.Column):
                self.done[node] = self.columns[node.index]
            elif all(isinstance(part, Public) for part in parts) and not _is_spelled(node):
                self.done[node] = evaluate_public(node, cast("list[Public]", parts))
            else:
                self._resume(node, _steps(self.rows, node, parts), None, running)
        return blocked

    def _resume(
        self,
        node: Expression,
        steps: Steps,
        result: Any,
        running: Running,
    ) -> None:
        try:
            running[node] = (steps, steps.send(result))
        except StopIteration as stop:
            self.done[node] = stop.value

    def _advance(self, running: Running) -> None:
        batch = list(running.items())
        running.clear()
        wanted = [task if isinstance(task, tuple) else (task,) for _, (_, task) in batch]
        results = iter(run_tasks(self.rows.session, [task for group in wanted for task in group]))
        for node, (steps, task) in batch:
            found = [next(results) for _ in task] if isinstance(task, tuple) else next(results)
            self._resume(node, steps, found, running)


def _postorder(node: Expression, order: dict[Expression, None]) -> None:
    if node not in order:
        for part in _needed(node):
            _postorder(part, order)
        order[node] = None


def _needed(node: Expression) -> tuple[Expression, ...]:
    """What has to be known before a node: of a remainder the whole quotient, too, which often is wanted itself."""
    if isinstance(node, plan.Remainder):
        return node.x, plan.FloorDivide(node.x, node.divisor, Integer(64))
    return node.parts


def _is_spelled(node: Expression) -> bool:
    return isinstance(node, plan.TextCall) and node.is_spelled


def _steps(rows: Rows, node: Expression, parts: list[Datum]) -> Steps:
    match node:
        case plan.Add() | plan.Subtract():
            return arithmetic.add(rows, node, parts)
        case plan.Multiply():
            return arithmetic.product(rows, parts)
        case plan.Negate():
            return arithmetic.scale(rows, parts[0], -1)
        case plan.Rescale(_, exponent):
            return arithmetic.scale(rows, parts[0], 10**exponent)
        case plan.FromBoolean():
            return arithmetic.of_boolean(rows, parts[0])
        case plan.Less(left, right):
            return comparisons.less(rows, left.bounds, right.bounds, parts)
        case plan.Equal(left, right):
            return comparisons.equal(rows, left.bounds, right.bounds, parts)
        case plan.InSet(x, codes):
            return comparisons.in_set(rows, x.bounds, codes, parts[0])
        case plan.IsNull():
            return booleans.is_null(rows, parts[0])
        case plan.Not():
            return booleans.negation(rows, parts[0])
        case plan.And():
            return booleans.conjunction(rows, parts)
        case plan.Or():
            return booleans.disjunction(rows, parts)
        case plan.Case():
            return booleans.case(rows, node, parts)
        case plan.Lookup(x, table):
            return arithmetic.lookup(rows, x.bounds, table, parts[0])
        case plan.FloorDivide(x, divisor):
            return arithmetic.floor_divide(rows, x.bounds, divisor, parts[0])
        case plan.WholeQuotient():
            return arithmetic.whole_quotient(rows, node, parts)
        case plan.LongQuotient():
            return arithmetic.long_quotient(rows, node, parts)
        case plan.QuotientDigit(_, place):
            return arithmetic.quotient_digit(parts[0], place)
        case plan.WholeRoot():
            return arithmetic.whole_root(rows, node, parts[0])
        case plan.Remainder(_, divisor):
            return arithmetic.remainder(rows, divisor, parts)
        case plan.Within():
            return arithmetic.scale(rows, parts[0], 1)
        case plan.TextCall():
            return _text(rows, node, parts)
        case (
            plan.Column()
            | plan.Literal()
            | plan.Divide()
            | plan.Sqrt()
            | plan.PlusRoot()
            | plan.LongText()
            | plan.WrittenDouble()
            | plan.Elapsed()
        ):
            raise InternalError(f"{type(node).__name__} is not evaluated on shared words")
        case _:
            assert_never(node)


def _text(rows: Rows, node: plan.TextCall, parts: list[Datum]) -> Steps:
    null = yield from null_of(rows, [parts[i] for i in node.function.leading])
    sizes = [operand.type.length for operand in node.operands if isinstance(operand.type, Text)]
    operands = [part.planes if isinstance(part, Spelled) else rows.words(part) for part in parts]
    found = yield from text_steps(rows.session, node.function, operands, sizes)
    if isinstance(found, BShare):
        return Bits(found, null)
    return Spelled(found, null) if node.is_spelled else Words(found, null)
