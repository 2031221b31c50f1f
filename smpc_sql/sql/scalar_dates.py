"""EXTRACT, DATE_TRUNC, DATE_DIFF, INTERVAL: what SQL writes about dates."""

from __future__ import annotations

import re

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import Elapsed, Expression, Literal, Lookup
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Enum, Integer
from smpc_sql.sql import ages, dates, intervals, timestamps
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.literals import integer
from smpc_sql.sql.nodes import construct, only, show
from smpc_sql.sql.operations import whole_days

_DATE_PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Month: "month",
    exp.Day: "day",
    exp.Quarter: "quarter",
    exp.Week: "week",
    exp.WeekOfYear: "week",
    exp.DayOfMonth: "day",
    exp.DayOfWeek: "dow",
    exp.DayOfWeekIso: "isodow",
    exp.DayOfYear: "doy",
    exp.Hour: "hour",
    exp.Minute: "minute",
    exp.Second: "second",
}


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def moved(binder: Binder, start: exp.Expr, interval: exp.Expr, sign: int) -> Expression:
    """DATE or TIMESTAMP + INTERVAL; a count of days, weeks or less need not be constant."""
    x = binder.bind(start)
    if isinstance(x, Elapsed):
        step = binder.bind(interval)
        return intervals.plus(x, intervals.times(step, integer(sign)))
    if not isinstance(interval, exp.Interval):
        raise Unsupported(f"a DATE plus or minus {show(interval)} is not supported")
    only(interval, "this", "unit")
    unit = interval.text("unit") or "day"
    count = interval.this
    if isinstance(count, exp.Literal) and count.is_string:
        if not re.fullmatch(r"\s*[+-]?\d{1,9}\s*", count.this):
            return intervals.plus(x, intervals.times(binder.bind(interval), integer(sign)))
        return timestamps.moved(x, sign * int(count.this), unit)
    steps = fold(binder.bind(count))
    if isinstance(steps, Literal) and isinstance(steps.type, Integer) and steps.value is not None:
        return timestamps.moved(x, sign * steps.value, unit)
    return timestamps.moved_by(x, whole_days(steps), unit, sign)


def _date_add(binder: Binder, node: exp.Expr) -> Expression:
    """DATE_ADD and DATE_SUB of an INTERVAL."""
    only(node, "this", "expression", "unit")
    sign = -1 if isinstance(node, exp.DateSub) else 1
    interval = node.expression
    if not isinstance(interval, exp.Interval):
        interval = exp.Interval(this=interval, unit=node.args.get("unit"))
    return moved(binder, node.this, interval, sign)


def _extract(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "expression")
    between = node.expression.unnest()
    if isinstance(between, exp.Sub) and dates.unit_of(node.this.name) == "epoch":
        return _seconds_between(binder, between)
    return _part_of_bound(binder, node.this.name, node.expression)


def _part_of_bound(binder: Binder, name: str, node: exp.Expr) -> Expression:
    """The same of what is not bound yet: the years of an AGE need neither its months nor its days."""
    inner = node.unnest()
    if isinstance(inner, exp.Anonymous) and inner.name.lower() == "age" and dates.unit_of(name) == "year":
        return ages.years(*_two(binder, inner))
    return part_of(name, binder.bind(node))


def part_of(name: str, x: Expression) -> Expression:
    """EXTRACT(name FROM x) of a DATE, TIMESTAMP or INTERVAL."""
    return intervals.part(name, x) if isinstance(x, Elapsed) else timestamps.part(name, x)


def _seconds_between(binder: Binder, node: exp.Expr) -> Expression:
    """EPOCH of TIMESTAMP - TIMESTAMP."""
    end, start = (binder.bind(side) for side in (node.this, node.expression))
    if not timestamps.is_moment(end) or not timestamps.is_moment(start):
        return part_of("epoch", binder.bind(node))
    return timestamps.seconds_between(start, end)


def _epoch(binder: Binder, node: exp.Expr) -> Expression:
    """EPOCH(x)."""
    only(node, "this")
    between = node.this.unnest()
    if isinstance(between, exp.Sub):
        return _seconds_between(binder, between)
    return part_of("epoch", binder.bind(node.this))


def _part(binder: Binder, node: exp.Expr) -> Expression:
    """YEAR(x) and its like."""
    only(node, "this")
    return _part_of_bound(binder, _DATE_PARTS[type(node)], node.this)


def _date_trunc(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "unit")
    return timestamps.truncated(node.text("unit"), binder.bind(node.this))


def _date_diff(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "expression", "unit", "date_part_boundary")
    return timestamps.difference(node.text("unit") or "day", binder.bind(node.expression), binder.bind(node.this))


def _last_day(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this")
    return dates.last_day(timestamps.date_of(binder.bind(node.this)))


def _date_part(binder: Binder, node: exp.Expr) -> Expression:
    """DATE_PART('month', x)."""
    items = node.expressions
    if len(items) != 2 or not isinstance(items[0], exp.Literal) or not items[0].is_string:
        raise Unsupported(f"{construct(node)} is not supported")
    return _part_of_bound(binder, items[0].this, items[1])


def _age(binder: Binder, node: exp.Expr) -> Expression:
    """AGE(later, earlier)."""
    return ages.age(*_two(binder, node))


def _two(binder: Binder, node: exp.Expr) -> tuple[Expression, Expression]:
    if len(node.expressions) != 2:
        raise Unsupported("AGE up to today is not supported, but AGE(later, earlier) is")
    return binder.bind(node.expressions[0]), binder.bind(node.expressions[1])


def _name(binder: Binder, node: exp.Expr) -> Expression:
    """MONTHNAME and DAYNAME: a dictionary of names."""
    only(node, "this")
    names, part = (MONTHS, "month") if isinstance(node, exp.Monthname) else (DAYS, "isodow")
    number = timestamps.part(part, binder.bind(node.this))
    labels = tuple(sorted(names))
    table = tuple(labels.index(names[(n - 1) % len(names)]) for n in range(number.bounds.low, number.bounds.high + 1))
    return Lookup(number, table, Enum(labels))


def _make_date(binder: Binder, node: exp.Expr) -> Expression:
    """MAKE_DATE(year, month, day)."""
    only(node, "year", "month", "day")
    year, month, day = (whole_days(binder.bind(node.args[part])) for part in ("year", "month", "day"))
    return fold(dates.made(year, month, day))


METHODS: dict[type[exp.Expr], Method] = {
    exp.Monthname: _name,
    exp.Dayname: _name,
    exp.DateFromParts: _make_date,
    exp.Extract: _extract,
    **dict.fromkeys(_DATE_PARTS, _part),
    exp.TimestampTrunc: _date_trunc,
    exp.DateTrunc: _date_trunc,
    exp.DateDiff: _date_diff,
    exp.DateAdd: _date_add,
    exp.DateSub: _date_add,
    exp.LastDay: _last_day,
    exp.TimeToUnix: _epoch,
}

FUNCTIONS: dict[str, Method] = {"date_part": _date_part, "datepart": _date_part, "age": _age, **intervals.FUNCTIONS}
"""Functions that the parser knows by name only, in small letters."""
