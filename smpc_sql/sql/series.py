"""Tables of constants: generate_series, range and unnest of lists, as the VALUES that they stand for."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Elapsed, Literal
from smpc_sql.plan.relations import Values
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import DAY, Date, Integer, Timestamp
from smpc_sql.sql.coercion import unify
from smpc_sql.sql.literals import is_null, text_of
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import Scope

_MOST = 1000
"""Rows of a series at most."""

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_EPOCH = datetime.datetime(1970, 1, 1)


def is_series(node: exp.Expr) -> bool:
    """Whether a table of FROM is a series."""
    return isinstance(node, exp.Unnest) or (isinstance(node, exp.Table) and isinstance(node.this, exp.GenerateSeries))


def unnested(node: exp.Select) -> exp.Select:
    """SELECT UNNEST(…) [AS x], and nothing else, as SELECT x FROM UNNEST(…) AS x; any other as it is."""
    item = node.expressions[0] if len(node.expressions) == 1 else None
    listed = None if item is None else item.unalias()
    if not isinstance(listed, exp.Explode) or node.args.get("from_") is not None:
        return node
    name = item.alias if isinstance(item, exp.Alias) else f"unnest({listed.this.sql(dialect='duckdb')})"
    column = exp.to_identifier(name, quoted=True)
    found = node.copy()
    found.set("expressions", [exp.Column(this=column)])
    table = exp.Unnest(
        expressions=[listed.this.copy()],
        alias=exp.TableAlias(this=exp.to_identifier("unnest"), columns=[column.copy()]),
    )
    found.set("from_", exp.From(this=table))
    return found


def series_name(node: exp.Expr) -> str:
    """What its column is called where no alias names it."""
    if isinstance(node, exp.Unnest):
        return "unnest"
    return "range" if node.this.args.get("is_end_exclusive") else "generate_series"


def series_rows(node: exp.Expr, text: str) -> exp.Expr:
    """The rows of a series. Raises Unsupported where they are not constants, and TypeMismatch."""
    if isinstance(node, exp.Unnest):
        if len(node.expressions) != 1 or node.args.get("offset"):
            raise Unsupported("UNNEST of several lists, or WITH ORDINALITY, is not supported")
        (listed,) = node.expressions
        if isinstance(listed, exp.GenerateSeries):
            return _values(_items(listed, text))
        if not isinstance(listed, exp.Array):
            raise Unsupported("UNNEST is supported of lists that are written out, as [1, 2, 3], and of series")
        return _values(item.copy() for item in listed.expressions)
    return _values(_items(node.this, text))


def _values(items: Iterator[exp.Expr]) -> exp.Expr:
    rows: list[exp.Expr] = []
    for item in items:
        if len(rows) == _MOST:
            raise Unsupported(f"a series of more than {_MOST} rows is not supported")
        rows.append(exp.Tuple(expressions=[item]))
    if not rows:
        return exp.select(exp.Literal.number(0)).where(exp.false())
    return exp.Values(expressions=rows)


def _items(node: exp.GenerateSeries, text: str) -> Iterator[exp.Expr]:
    binder = ScalarBinder(Scope(Values(), ()), text, "a series (which is of constants)")
    given = [node.args.get(name) for name in ("start", "end", "step")]
    start, end = (None if part is None else fold(binder.bind(part)) for part in given[:2])
    name = "RANGE" if node.args.get("is_end_exclusive") else "GENERATE_SERIES"
    if not isinstance(start, Literal) or not isinstance(end, Literal):
        raise Unsupported(f"{name} needs constants: a table has a public number of rows")
    if is_null(start) or is_null(end):
        return iter(())
    if isinstance(start.type, Date | Timestamp) and text_of(end) is not None:
        start, end = (known for x in unify([start, end]) if isinstance(known := fold(x), Literal))
    first, last, inclusive = start.value or 0, end.value or 0, not node.args.get("is_end_exclusive")
    if isinstance(start.type, Integer) and isinstance(end.type, Integer):
        step = Literal(1, Integer(32)) if given[2] is None else fold(binder.bind(given[2]))
        if not isinstance(step, Literal) or not isinstance(step.type, Integer) or not step.value:
            raise TypeMismatch(f"{name} of integers needs a step that is a constant integer other than 0")
        return map(_integer, range(first, last + ((1 if step.value > 0 else -1) if inclusive else 0), step.value))
    if not isinstance(start.type, Date | Timestamp) or not isinstance(end.type, Date | Timestamp):
        raise TypeMismatch(f"{name} is of integers, DATEs or TIMESTAMPs, not of {start.type} and {end.type}")
    if not isinstance(given[2], exp.Interval):
        raise TypeMismatch(f"{name} of DATEs or TIMESTAMPs needs an INTERVAL as its step")
    return map(_moment, _moments(_micros(start), _micros(end), given[2], binder, inclusive))


def _micros(x: Literal) -> int:
    assert x.value is not None
    return x.value * DAY if isinstance(x.type, Date) else x.value


def _moments(start: int, end: int, step: exp.Interval, binder: ScalarBinder, inclusive: bool) -> Iterator[int]:
    """Microseconds since 1970, each the step behind the one before."""
    unit = step.text("unit").upper().removesuffix("S")
    months, micros = 0, 0
    if unit in _MONTHS and step.this is not None and step.this.name.lstrip("-").isdecimal():
        months = int(step.this.name) * _MONTHS[unit]
    else:
        span = fold(binder.bind(step))
        known = span.x if isinstance(span, Elapsed) else None
        micros = known.value or 0 if isinstance(known, Literal) else 0
    if not months and not micros:
        raise Unsupported("the step of a series is an INTERVAL of one unit, other than 0")
    forward = months + micros > 0
    now = start
    while now < end if forward else now > end:
        yield now
        now = now + micros if micros else _months_later(now, months)
    if now == end and inclusive:
        yield now


def _months_later(micros: int, months: int) -> int:
    moment = _EPOCH + datetime.timedelta(microseconds=micros)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    following = datetime.datetime(year + month // 11, (month + 1) % 12 + 1, 1)
    day = min(moment.day, (following - datetime.timedelta(days=1)).day)
    return (moment.replace(year=year, month=month + 1, day=day) - _EPOCH) // datetime.timedelta(microseconds=1)


def _integer(value: int) -> exp.Expr:
    constant = exp.Literal.number(abs(value))
    return constant if value >= 0 else exp.Neg(this=constant)


def _moment(micros: int) -> exp.Expr:
    moment = _EPOCH + datetime.timedelta(microseconds=micros)
    return exp.cast(exp.Literal.string(moment.isoformat(" ")), exp.DataType.Type.TIMESTAMP)
