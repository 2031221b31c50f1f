"""INTERVALs: what lies between two TIMESTAMPs, in microseconds, so that they compare and add up as numbers."""

from __future__ import annotations

import re

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Add, Divide, Elapsed, Expression, Literal, Multiply, Subtract
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import DAY, Date, Integer, Timestamp
from smpc_sql.sql import timestamps
from smpc_sql.sql.binder import Binder
from smpc_sql.sql.dates import unit_of
from smpc_sql.sql.literals import is_null
from smpc_sql.sql.nodes import only, show

_WORD = Integer(64)
_COUNT = re.compile(r"\s*([+-]?\d{1,9})\s*([a-z]*)\s*", re.ASCII | re.IGNORECASE)
_MICROS = {"week": 7 * DAY, "day": DAY}


def between(start: Expression, end: Expression) -> Expression:
    """end - start of TIMESTAMPs, or a TIMESTAMP and a DATE."""
    if is_null(start) or is_null(end):
        return Elapsed(Literal(None, _WORD))
    return Elapsed(Subtract(timestamps.number(end), timestamps.number(start), _WORD))


def plus(left: Expression, right: Expression) -> Expression:
    """Two INTERVALs, or a DATE or TIMESTAMP and one: a TIMESTAMP. Raises TypeMismatch."""
    if isinstance(left, Elapsed) and isinstance(right, Elapsed):
        return Elapsed(Add(left.x, right.x, _WORD))
    moment, step = (right, left) if isinstance(left, Elapsed) else (left, right)
    if not isinstance(step, Elapsed) or not isinstance(moment.type, Date | Timestamp):
        raise TypeMismatch(f"{left.type} and {right.type} do not add up")
    return Add(timestamps.midnight(moment), step.x)


def times(left: Expression, right: Expression) -> Expression:
    """An INTERVAL times an INTEGER. Raises TypeMismatch."""
    x, count = (left, right) if isinstance(left, Elapsed) else (right, left)
    if not isinstance(x, Elapsed) or not isinstance(count.type, Integer):
        raise TypeMismatch(f"{left.type} * {right.type} is not supported; an INTERVAL times an INTEGER is")
    return Elapsed(Multiply(x.x, count, _WORD))


def seconds(x: Elapsed) -> Expression:
    """EPOCH, a DOUBLE."""
    return Divide(x.x, Literal(1_000_000, _WORD), guarded=True)


def interval(binder: Binder, node: exp.Expr) -> Expression:
    """INTERVAL count unit, of weeks or shorter units. Raises Unsupported."""
    only(node, "this", "unit")
    count, unit = node.this, node.text("unit")
    if isinstance(count, exp.Literal) and count.is_string:
        found = _COUNT.fullmatch(count.this)
        if found is None or (found[2] and unit):
            raise Unsupported(f"the interval {show(node)} is not supported")
        steps: Expression = Literal(int(found[1]), _WORD)
        unit = unit or found[2]
    else:
        steps = fold(binder.bind(count))
    step = _MICROS.get(unit_of(unit or "second")) or timestamps.step_of(unit or "second")
    if step is None or not isinstance(steps.type, Integer):
        raise Unsupported(f"{show(node)} on its own is not supported, but of whole weeks, days and shorter units")
    return Elapsed(fold(Multiply(steps, Literal(step, _WORD), _WORD)))
