"""Parts of dates, DATE_TRUNC, INTERVAL, DATE_DIFF: from a public table where a date has few values, else arithmetic.

Days are counted from 0000-03-01, so that a leap day ends a year. [Neri, Schneider 2023: Euclidean affine functions]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    And,
    Case,
    Expression,
    FromBoolean,
    Less,
    Literal,
    Lookup,
    Multiply,
    Not,
    Subtract,
    Within,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Date, Integer, Interval
from smpc_sql.sql import rounding
from smpc_sql.sql.literals import integer
from smpc_sql.sql.rounding import whole_quotient

_NUMBER = Integer(64)
_EPOCH = date(1970, 1, 1)
_SHORT_TABLE = 1024
_FEW_YEARS = 64  # so many comparisons at once cost less than the arithmetic, in bytes and in rounds
_START = -719468  # 0000-03-01
_CENTURIES, _YEARS = 146097, 1461  # quarters of a day in 100 years, in a year
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BEFORE_1970 = 719529  # days from 0000-01-01, less 1 since the first day of a month is 1
_FIRST_DAY, _LAST_DAY = (date.min - _EPOCH).days, (date.max - _EPOCH).days

Part = Callable[[date], int]

_PARTS: dict[str, Part] = {
    "year": lambda d: d.year,
    "month": lambda d: d.month,
    "day": lambda d: d.day,
    "quarter": lambda d: (d.month + 2) // 3,
    "dow": lambda d: d.isoweekday() % 7,
    "isodow": lambda d: d.isoweekday(),
    "doy": lambda d: d.timetuple().tm_yday,
    "week": lambda d: d.isocalendar()[1],
    "isoyear": lambda d: d.isocalendar()[0],
}

_SYNONYMS = {
    "years": "year", "y": "year", "yr": "year", "months": "month", "mon": "month", "days": "day", "d": "day",
    "dayofmonth": "day", "quarters": "quarter", "dayofweek": "dow", "weekday": "dow", "dayofyear": "doy",
    "hours": "hour", "hr": "hour", "h": "hour", "minutes": "minute", "min": "minute", "seconds": "second",
    "sec": "second", "s": "second", "milliseconds": "millisecond", "ms": "millisecond", "us": "microsecond",
    "microseconds": "microsecond", "weeks": "week", "w": "week", "weekofyear": "week",
}  # fmt: skip

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def unit_of(name: str) -> str:
    """A unit's or part's name as DuckDB spells it first."""
    lowered = name.lower()
    return _SYNONYMS.get(lowered, lowered)


def require_date(what: str, x: Expression) -> None:
    """Raises TypeMismatch."""
    if not isinstance(x.type, Date):
        raise TypeMismatch(f"{what} needs a DATE, got {x.type}")


def _settled(x: Expression) -> Expression:
    """x, or its value where it is made of constants: what is built upon a DATE literal stays one node."""
    return fold(x) if all(isinstance(part, Literal) for part in x.parts) else x


def _number(x: Expression) -> Expression:
    """Days since 1970-01-01 as an INTEGER."""
    return _settled(Subtract(x, Literal(0, Date())))


def _date(days: Expression) -> Expression:
    return _settled(Add(Literal(0, Date()), days))


def _plus(*terms: Expression) -> Expression:
    total = terms[0]
    for term in terms[1:]:
        total = _settled(Add(total, term, _NUMBER))
    return total


def _minus(x: Expression, y: Expression) -> Expression:
    return _settled(Subtract(x, y, _NUMBER))


def _times(x: Expression, factor: int) -> Expression:
    return _settled(Multiply(x, Literal(factor, _NUMBER), _NUMBER))


def _floor_divide(x: Expression, divisor: int) -> Expression:
    """floor(x / divisor)."""
    return _settled(rounding.floor_divide(x, divisor))


def _remainder(x: Expression, divisor: int) -> Expression:
    """x - divisor * floor(x / divisor)."""
    return _settled(rounding.remainder(x, divisor))


def _table(x: Expression, function: Callable[[int], int]) -> Expression:
    """function(x), from a public table."""
    return _settled(Lookup(x, tuple(function(value) for value in range(x.bounds.low, x.bounds.high + 1)), _NUMBER))


def _day_of(value: int) -> date:
    return _EPOCH + timedelta(days=min(_LAST_DAY, max(_FIRST_DAY, value)))


def _year_of(value: int) -> int:
    """The year of any day, before 0001 and after 9999 too."""
    era, day = divmod(value - _START, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    ordinal = day - (365 * year + year // 4 - year // 100)
    return year + 400 * era + (ordinal >= 306)


def part(name: str, x: Expression) -> Expression:
    """EXTRACT(name FROM x) of a DATE. Raises Unsupported."""
    name = unit_of(name)
    require_date("EXTRACT", x)
    if name not in _PARTS:
        raise Unsupported(f"the part {name.upper()} of a DATE is not supported; there are: {', '.join(_PARTS)}")
    if x.bounds.size <= _SHORT_TABLE:
        return _table(x, lambda day: _PARTS[name](_day_of(day)))
    if name == "year" and _year_of(x.bounds.high) - _year_of(x.bounds.low) <= _FEW_YEARS:
        return _reached(x)
    return _computed(name, x)


def _reached(x: Expression) -> Expression:
    """The year: the first one, and one for each New Year's Day after it that x reaches, all compared at once."""
    first, last = _year_of(x.bounds.low), _year_of(x.bounds.high)
    ends = (_START + 305 + 365 * n + n // 4 - n // 100 + n // 400 for n in range(first, last))
    return _plus(integer(first), *(FromBoolean(Less(Literal(end, Date()), x)) for end in ends))


def _computed(name: str, x: Expression) -> Expression:
    days = _number(x)
    match name:
        case "year" | "month" | "day" | "quarter":
            return _Civil(x).part(name)
        case "dow":
            return _remainder(_plus(days, integer(4)), 7)
        case "isodow":
            return _plus(_remainder(_plus(days, integer(3)), 7), integer(1))
        case "doy":
            year = _Civil(x).part("year")
            return Within(_plus(_minus(days, _new_year(year)), integer(1)), Interval(1, 366))
    thursday = _plus(_minus(days, _remainder(_plus(days, integer(3)), 7)), integer(3))
    year = _Civil(_date(thursday)).part("year")
    if name == "isoyear":
        return year
    ordinal = Within(_minus(thursday, _new_year(year)), Interval(0, 365))
    return _plus(_floor_divide(ordinal, 7), integer(1))


class _Civil:
    """Year, month and day of a DATE."""

    def __init__(self, x: Expression) -> None:
        self.bounds = x.bounds
        quarters = _plus(_times(_minus(_number(x), integer(_START)), 4), integer(3))
        self.century = _floor_divide(quarters, _CENTURIES)
        in_century = _plus(_times(_floor_divide(_remainder(quarters, _CENTURIES), 4), 4), integer(3))
        self.year = _floor_divide(in_century, _YEARS)
        self.ordinal = _floor_divide(_remainder(in_century, _YEARS), 4)
        self.fifths = _plus(_times(self.ordinal, 5), integer(461))

    def part(self, name: str) -> Expression:
        """year, month, day or quarter."""
        match name:
            case "month":
                return self._month(lambda month: month)
            case "quarter":
                return self._month(lambda month: (month + 2) // 3)
            case "day":
                return _plus(_floor_divide(_remainder(self.fifths, 153), 5), integer(1))
        later = _settled(FromBoolean(_settled(Less(Literal(305, _NUMBER), self.ordinal))))
        year = _plus(_times(self.century, 100), self.year, later)
        return _settled(Within(year, Interval(_year_of(self.bounds.low), _year_of(self.bounds.high))))

    def _month(self, name: Callable[[int], int]) -> Expression:
        march = _settled(Within(_floor_divide(self.fifths, 153), Interval(3, 14)))
        return _table(march, lambda month: name((month - 1) % 12 + 1))


def _new_year(year: Expression) -> Expression:
    """Days since 1970-01-01 of January 1."""
    full = _minus(year, integer(1))
    leaps = _plus(_minus(_floor_divide(full, 4), _floor_divide(full, 100)), _floor_divide(full, 400))
    return _plus(_times(full, 365), leaps, integer(_START + 306))


def _first_of_month(months: Expression) -> Expression:
    """Days since 1970-01-01 of the first day of month 12 * year + month - 1."""
    year, month = _floor_divide(months, 12), _remainder(months, 12)
    earlier = _table(month, lambda m: int(m < 2))
    start = _table(month, lambda m: (153 * ((m + 10) % 12) + 2) // 5)
    full = _minus(year, earlier)
    leaps = _plus(_minus(_floor_divide(full, 4), _floor_divide(full, 100)), _floor_divide(full, 400))
    return _plus(_times(full, 365), leaps, start, integer(_START))


def year_from_march(x: Expression) -> tuple[Expression, Expression]:
    """The year of a DATE, if years began in March, and how many days of it are over: so many at any year's such day."""
    require_date("AGE", x)
    if x.bounds.size > _SHORT_TABLE:
        civil = _Civil(x)
        return _plus(_times(civil.century, 100), civil.year), civil.ordinal
    year = _table(x, lambda day: _day_of(day).year - (_day_of(day).month < 3))
    return year, _table(x, lambda day: (153 * ((_day_of(day).month + 9) % 12) + 2) // 5 + _day_of(day).day - 1)


def part_of(name: str, day: date) -> int:
    """A part of a known day."""
    return _PARTS[name](day)


def months_of(x: Expression) -> Expression:
    """12 * year + month - 1, of a DATE."""
    return _plus(_times(part("year", x), 12), part("month", x), integer(-1))


def truncated(unit: str, x: Expression) -> Expression:
    """DATE_TRUNC of a DATE; a DATE itself (DuckDB: a TIMESTAMP at midnight). Raises Unsupported."""
    unit = unit_of(unit)
    require_date("DATE_TRUNC", x)
    days = _number(x)
    match unit:
        case "day":
            return x
        case "week":
            return Subtract(x, _remainder(_plus(days, integer(3)), 7))
        case "month":
            return Subtract(x, _plus(part("day", x), integer(-1)))
        case "quarter":
            months = months_of(x)
            return _date(_first_of_month(_minus(months, _remainder(months, 3))))
        case "year":
            return _date(_new_year(part("year", x)))
    raise Unsupported(f"DATE_TRUNC to {unit.upper()} is not supported")


def last_day(x: Expression) -> Expression:
    """The last day of a DATE's month."""
    require_date("LAST_DAY", x)
    return _date(_plus(_first_of_month(_plus(months_of(x), integer(1))), integer(-1)))


def made(year: Expression, month: Expression, day: Expression) -> Expression:
    """The DATE of a year, a month and a day; NULL where there is none from 0001-01-01 to 9999-12-31."""
    tests: list[Expression] = []
    parts = []
    for x, low, high in ((year, 1, 9999), (month, 1, 12), (day, 1, 31)):
        inside = _inside(x, low, high)
        tests += inside
        kept = Case(((_all(inside), x),), Literal(low, x.type)) if inside else x
        parts.append(Within(kept, Interval(low, high)))
    century = _floor_divide(parts[0], 100)
    return made_of(century, _minus(parts[0], _times(century, 100)), parts[1], parts[2], tests)


def made_of(
    century: Expression, year: Expression, month: Expression, day: Expression, tests: Sequence[Expression]
) -> Expression:
    """The DATE of a year 100 * century + year; of each two digits. NULL where there is none, or a test fails."""
    year = Within(year, Interval(0, 99))
    first = _table(year, lambda y: int(y == 0))
    long_century = _table(century, lambda c: int(c % 4 == 0))
    leap = _plus(Multiply(first, long_century, _NUMBER), _table(year, lambda y: int(y > 0 and y % 4 == 0)))
    length = _plus(
        _table(month, lambda m: 0 if not 1 <= m <= 12 else _LENGTHS[m - 1]),
        Multiply(leap, _table(month, lambda m: int(m == 2)), _NUMBER),
    )
    days = _plus(
        _table(century, lambda c: 36524 * c + -(-c // 4) - _BEFORE_1970),
        _table(year, lambda y: 365 * y + max(0, y - 1) // 4),
        Multiply(long_century, _table(year, lambda y: int(y > 0)), _NUMBER),
        _table(month, lambda m: sum(_LENGTHS[: m - 1]) if 1 <= m <= 12 else 0),
        Multiply(leap, _table(month, lambda m: int(m > 2)), _NUMBER),
        day,
    )
    there = [*tests, Not(Less(day, integer(1))), Not(Less(length, day))]
    if century.bounds.low == 0:
        there.append(Less(integer(0), _plus(century, year)))
    found = Within(_date(days), Interval(_FIRST_DAY, _LAST_DAY))
    return Case(((_all(there), found),), Literal(None, Date()))


def _all(tests: Sequence[Expression]) -> Expression:
    return tests[0] if len(tests) == 1 else And(tuple(tests))


def _inside(x: Expression, low: int, high: int) -> list[Expression]:
    """What must hold for an INTEGER to be from low to high."""
    tests: list[Expression] = []
    if x.bounds.low < low or x.nullable:
        tests.append(Not(Less(x, Literal(low, x.type))))
    if x.bounds.high > high:
        tests.append(Not(Less(Literal(high, x.type), x)))
    return tests


def moved(x: Expression, count: int, unit: str) -> Expression:
    """x + INTERVAL count unit; the last day of a month that has no such day. Raises Unsupported."""
    unit = unit_of(unit)
    require_date("INTERVAL", x)
    if unit in ("day", "week"):
        return _settled(Add(x, integer(count * (7 if unit == "week" else 1))))
    if unit not in _MONTHS:
        raise Unsupported(f"INTERVAL in {unit.upper()} with a DATE is not supported")
    months = _plus(months_of(x), integer(count * _MONTHS[unit]))
    length, day = length_of(months), part("day", x)
    kept = _settled(Case(((_settled(Less(length, day)), length),), day))
    return _date(_plus(_first_of_month(months), kept, integer(-1)))


def length_of(months: Expression) -> Expression:
    """The days of month 12 * year + month - 1."""
    first, following = _first_of_month(months), _first_of_month(_plus(months, integer(1)))
    return _settled(Within(_minus(following, first), Interval(28, 31)))


def difference(unit: str, start: Expression, end: Expression) -> Expression:
    """DATE_DIFF: how many boundaries of the unit lie between. Raises Unsupported."""
    unit = unit_of(unit)
    require_date("DATE_DIFF", start)
    require_date("DATE_DIFF", end)
    match unit:
        case "day":
            return Subtract(end, start)
        case "week":
            return whole_quotient(Subtract(end, start), 7)  # whole weeks, not boundaries: so does DuckDB
        case "month":
            ends = (months_of(x) for x in (end, start))
        case "quarter":
            ends = (_floor_divide(months_of(x), 3) for x in (end, start))
        case "year":
            ends = (part("year", x) for x in (end, start))
        case _:
            raise Unsupported(f"DATE_DIFF in {unit.upper()} is not supported")
    return _minus(*ends)
