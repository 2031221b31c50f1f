"""AGE(later, earlier): months, days and time between two DATEs or TIMESTAMPs, as a calendar counts them.

Of the months that lie between the two, the last one is not over while the day and time of the later one within its
month are before those of the earlier. The days that are left count from there by the length of the earlier one's month.
Where the first is not the later one, all parts are negative.
"""

from __future__ import annotations

from smpc_sql.errors import TypeMismatch
from smpc_sql.plan.expressions import (
    Add,
    And,
    Case,
    Elapsed,
    Expression,
    FromBoolean,
    Less,
    Literal,
    Multiply,
    Subtract,
    Within,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import DAY, Date, Integer, Interval, Timestamp
from smpc_sql.sql import dates, intervals, timestamps
from smpc_sql.sql.coercion import unify
from smpc_sql.sql.literals import integer, is_null, text_of
from smpc_sql.sql.rounding import remainder

_WORD = Integer(64)
_ZERO = integer(0)


def age(first: Expression, second: Expression) -> Expression:
    """first - second by the calendar. Raises TypeMismatch."""
    both = _moments(first, second)
    if both is None:
        return Elapsed(Literal(None, _WORD))
    a, b = map(_Moment, both)
    earlier = fold(Less(*(both if a.is_date and b.is_date else map(timestamps.midnight, both))))
    places = _within((a.day, a.time), (b.day, b.time))
    months = _towards_zero(_difference(a.months, b.months), *places)
    return intervals.made(months, *_days(a, b, earlier))


def years(first: Expression, second: Expression) -> Expression:
    """EXTRACT(YEAR FROM AGE(first, second)): counted from March, which is cheaper and all one."""
    both = _moments(first, second)
    if both is None:
        return Literal(None, _WORD)
    days = [timestamps.date_of(x) for x in both]
    (year, day), (other, since) = map(dates.year_from_march, days)
    places = _within((day, _time(both[0])), (since, _time(both[1])))
    return _towards_zero(_difference(year, other), *places)


def _moments(first: Expression, second: Expression) -> tuple[Expression, Expression] | None:
    """Two DATEs or TIMESTAMPs; None where one is NULL. Raises TypeMismatch."""
    if is_null(first) or is_null(second):
        return None
    if text_of(first) is not None or text_of(second) is not None:
        first, second = unify((first, second))
    for x in (first, second):
        if not isinstance(x.type, Date | Timestamp):
            raise TypeMismatch(f"AGE needs DATEs or TIMESTAMPs, got {x.type}")
    return first, second


def _time(x: Expression) -> Expression:
    return _ZERO if isinstance(x.type, Date) else remainder(timestamps.number(x), DAY)


def _within(*places: tuple[Expression, Expression]) -> list[Expression]:
    """What orders days and times within a month or a year."""
    if all(time == _ZERO for _, time in places):
        return [day for day, _ in places]
    return [_sum(fold(Multiply(day, Literal(DAY, _WORD), _WORD)), time) for day, time in places]


class _Moment:
    """A DATE or TIMESTAMP as months, the day of its month, and the time of the day."""

    def __init__(self, x: Expression) -> None:
        day = timestamps.date_of(x)
        self.months = dates.months_of(day)
        self.day = dates.part("day", day)
        self.is_date = isinstance(x.type, Date)
        self.time = _time(x)


def _towards_zero(between: Expression, a: Expression, b: Expression) -> Expression:
    """One less if a < b where it is above 0, one more if b < a where it is below."""
    not_over, too_many = fold(Less(a, b)), fold(Less(b, a))
    above, below = fold(Less(_ZERO, between)), fold(Less(between, _ZERO))
    less = FromBoolean(fold(And((above, not_over))))
    more = FromBoolean(fold(And((below, too_many))))
    low, high = between.bounds.low, between.bounds.high
    bounds = Interval(low - (low > 0), high + (high < 0))
    return fold(Within(_sum(_difference(between, less), more), bounds))


def _days(a: _Moment, b: _Moment, earlier: Expression) -> tuple[Expression, Expression]:
    """Days and microseconds that are left of the last month."""
    time: Expression = _ZERO
    short: Expression = _ZERO
    if not a.is_date or not b.is_date:
        time, short = _borrowed(_signed(earlier, _difference(a.time, b.time)), DAY, Interval(0, DAY - 1))
    months = Case(((earlier, a.months),), b.months)
    day = _difference(_signed(earlier, _difference(a.day, b.day)), short)
    days, _ = _borrowed(day, dates.length_of(months), Interval(0, 30))
    return _signed(earlier, days), _signed(earlier, time)


def _borrowed(x: Expression, unit: int | Expression, bounds: Interval) -> tuple[Expression, Expression]:
    """x, or x + unit where it is below 0; and 1 there, else 0."""
    negative = fold(FromBoolean(fold(Less(x, _ZERO))))
    added = fold(Multiply(negative, Literal(unit, _WORD) if isinstance(unit, int) else unit, _WORD))
    return fold(Within(_sum(x, added), bounds)), negative


def _signed(earlier: Expression, x: Expression) -> Expression:
    """-x where the first is earlier."""
    return fold(Case(((earlier, _difference(_ZERO, x)),), x)) if x != _ZERO else x


def _sum(x: Expression, y: Expression) -> Expression:
    return fold(Add(x, y, _WORD))


def _difference(x: Expression, y: Expression) -> Expression:
    return fold(Subtract(x, y, _WORD))
