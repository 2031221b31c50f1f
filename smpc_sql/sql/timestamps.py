"""TIMESTAMP: parts, DATE_TRUNC, INTERVAL and DATE_DIFF, by its day and its time of day."""

from __future__ import annotations

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Add, Divide, Expression, Literal, Multiply, Subtract
from smpc_sql.schema import DAY, Date, Integer, Timestamp
from smpc_sql.sql import dates
from smpc_sql.sql.coercion import as_day, at_midnight
from smpc_sql.sql.dates import unit_of
from smpc_sql.sql.literals import integer
from smpc_sql.sql.rounding import floor_divide, remainder

_NUMBER = Integer(64)
_SECOND = 1_000_000
_STEPS = {"hour": 3600 * _SECOND, "minute": 60 * _SECOND, "second": _SECOND, "millisecond": 1000, "microsecond": 1}
_CLOCK = ("hour", "minute", "second")
_WITHIN = {"hour": DAY, "minute": 3600 * _SECOND, "second": 60 * _SECOND}
_WITHIN |= dict.fromkeys(("millisecond", "microsecond"), 60 * _SECOND)


def is_moment(x: Expression) -> bool:
    """DATE or TIMESTAMP."""
    return isinstance(x.type, Date | Timestamp)


def shows_time(x: Expression) -> bool:
    """Whether SQL takes it for a TIMESTAMP: one, or the midnight that DATE_TRUNC of a DATE gives."""
    return isinstance(x.type, Timestamp) or (isinstance(x.type, Date) and x.type.midnight)


def number(x: Expression) -> Expression:
    """Microseconds since 1970-01-01 as an INTEGER."""
    return Subtract(midnight(x), Literal(0, Timestamp()))


def midnight(x: Expression) -> Expression:
    """A DATE as a TIMESTAMP; a TIMESTAMP as it is."""
    if isinstance(x.type, Timestamp):
        return x
    dates.require_date("TIMESTAMP", x)
    return at_midnight(x)


def date_of(x: Expression) -> Expression:
    """The day of a TIMESTAMP; a DATE as it is."""
    if not isinstance(x.type, Timestamp):
        return x
    return Add(Literal(0, Date()), floor_divide(number(x), DAY))


def seconds(x: Expression) -> Expression:
    """EPOCH: seconds since 1970-01-01, a DOUBLE."""
    return Divide(number(x), Literal(_SECOND, _NUMBER), guarded=True)


def seconds_between(start: Expression, end: Expression) -> Expression:
    """EPOCH of end - start, a DOUBLE."""
    return Divide(Subtract(number(end), number(start), _NUMBER), Literal(_SECOND, _NUMBER), guarded=True)


def part(name: str, x: Expression) -> Expression:
    """EXTRACT(name FROM x) of a DATE or TIMESTAMP. Raises Unsupported."""
    name = unit_of(name)
    if name == "epoch" and is_moment(x):
        return seconds(x)
    if name not in _STEPS or not is_moment(x):
        return dates.part(name, date_of(x))
    if isinstance(x.type, Date):
        return Multiply(Subtract(x, Literal(0, Date())), integer(0), _NUMBER)
    return floor_divide(_left(x, _WITHIN[name]), _STEPS[name])


def _left(x: Expression, size: int) -> Expression:
    """What whole multiples of a part of a day leave: of the day first, which other parts and the date want too."""
    time = remainder(number(x), DAY)
    return time if size == DAY else remainder(time, size)


def clock(x: Expression) -> dict[str, Expression]:
    """Hour, minute, second and the microseconds of it ("micros"), each of what those before it leave."""
    if isinstance(x.type, Date):
        return dict.fromkeys((*_CLOCK, "micros"), part("hour", x))
    found, left = {}, remainder(number(x), DAY)
    for name in _CLOCK:
        found[name], left = floor_divide(left, _STEPS[name]), remainder(left, _STEPS[name])
    return {**found, "micros": left}


def truncated(unit: str, x: Expression) -> Expression:
    """DATE_TRUNC: a TIMESTAMP, of a DATE a day that is shown as one."""
    unit = unit_of(unit)
    if not isinstance(x.type, Timestamp):
        return _shown(x if unit in _STEPS and isinstance(x.type, Date) else dates.truncated(unit, x))
    if unit in _STEPS:
        return Subtract(x, _left(x, _STEPS[unit]))
    return midnight(dates.truncated(unit, date_of(x)))


def moved(x: Expression, count: int, unit: str) -> Expression:
    """x + INTERVAL count unit: a TIMESTAMP, of a DATE and days or longer units a day that is shown as one."""
    unit = unit_of(unit)
    if unit in _STEPS and is_moment(x):
        return Add(midnight(x), integer(count * _STEPS[unit]))
    if not isinstance(x.type, Timestamp):
        return _shown(dates.moved(x, count, unit))
    if unit in ("day", "week"):
        return Add(x, integer(count * DAY * (7 if unit == "week" else 1)))
    return Add(midnight(dates.moved(date_of(x), count, unit)), remainder(number(x), DAY))


def moved_by(x: Expression, count: Expression, unit: str, sign: int) -> Expression:
    """x + INTERVAL count unit for a count that is not constant: days and shorter units. Raises Unsupported."""
    unit = unit_of(unit)
    days = {"day": 1, "week": 7}.get(unit)
    if days is None and unit not in _STEPS:
        raise Unsupported("an INTERVAL of months or years that is not constant is not supported")
    if not is_moment(x):
        raise TypeMismatch(f"INTERVAL needs a DATE or TIMESTAMP, got {x.type}")
    step = days if days is not None and isinstance(x.type, Date) else DAY * days if days else _STEPS[unit]
    start = x if days is not None else midnight(x)
    change = Multiply(count, Literal(step, _NUMBER), _NUMBER)
    found = Add(start, change) if sign > 0 else Subtract(start, change)
    return found if isinstance(found.type, Timestamp) else _shown(found)


def _shown(day: Expression) -> Expression:
    return as_day(day, Date(midnight=True))


def difference(unit: str, start: Expression, end: Expression) -> Expression:
    """DATE_DIFF: how many boundaries of the unit lie between. Raises Unsupported."""
    unit = unit_of(unit)
    if unit not in _STEPS or not (is_moment(start) and is_moment(end)):
        return dates.difference(unit, date_of(start), date_of(end))
    ends = [floor_divide(number(x), _STEPS[unit]) for x in (end, start)]
    return Subtract(ends[0], ends[1], _NUMBER)


def step_of(unit: str) -> int | None:
    """The microseconds of an hour or a shorter unit; None for any other."""
    return _STEPS.get(unit_of(unit))
