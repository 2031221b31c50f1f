"""INTERVALs: what lies between two TIMESTAMPs, in microseconds, so that they compare and add up as numbers.

What SQL counts apart, months, days and the rest (30 hours are no day), stands beside, for EXTRACT and for text; what
nobody reads of it is never computed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    Case,
    Column,
    Divide,
    Elapsed,
    Expression,
    Literal,
    Multiply,
    Sqrt,
    Subtract,
    Within,
    WrittenDouble,
    columns_of,
    walk,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import DAY, Date, Decimal, Double, Integer, Interval, Timestamp
from smpc_sql.sql import quotient, rounding, timestamps
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.dates import unit_of
from smpc_sql.sql.fixed import over_constant, plain
from smpc_sql.sql.literals import integer, is_null
from smpc_sql.sql.nodes import construct, only, show
from smpc_sql.sql.operations import is_null_of

MONTH = 30 * DAY
"""Microseconds of a month where INTERVALs are compared."""

_WORD = Integer(64)
_ZERO = integer(0)
_SECOND = 1_000_000
_YEAR_SECONDS = 31_557_600  # EPOCH takes years of 365.25 days
_COUNTS = re.compile(r"\s*([+-]?\d{1,9})\s*([a-z]*)\s*", re.ASCII | re.IGNORECASE)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}
_FUNCTIONS = {f"to_{unit}s": unit for unit in ("year", "month", "week", "day", "hour", "minute", "second")}
_FUNCTIONS |= {"to_milliseconds": "millisecond", "to_microseconds": "microsecond", "to_quarters": "quarter"}


def between(start: Expression, end: Expression) -> Expression:
    """end - start of TIMESTAMPs, or a TIMESTAMP and a DATE."""
    if is_null(start) or is_null(end):
        return Elapsed(Literal(None, _WORD))
    return Elapsed(Subtract(timestamps.number(end), timestamps.number(start), _WORD))


def made(months: Expression, days: Expression, micros: Expression) -> Elapsed:
    """The INTERVAL of three INTEGERs."""
    terms = [_times(months, MONTH), _times(days, DAY), micros]
    total = fold(Add(Add(terms[0], terms[1], _WORD), terms[2], _WORD))
    plain_days = months == _ZERO and all(isinstance(x, Literal) for x in (days, micros)) and _is_short(days, micros)
    return Elapsed(total, () if plain_days else (months, days, micros), monthly=months != _ZERO)


def _is_short(days: Expression, micros: Expression) -> bool:
    """Whether days and time have one sign, the time being less than a day: as between two TIMESTAMPs."""
    x, y = days.bounds.low, micros.bounds.low
    return abs(y) < DAY and x * y >= 0


def parts(x: Elapsed) -> tuple[Expression, ...]:
    """Its months, days and microseconds. Raises Unsupported where they are not known."""
    if x.split is None:
        raise Unsupported(
            "which days and hours an INTERVAL has that was a key of groups, is an average, or was multiplied by a "
            "fraction is not known; EXTRACT(EPOCH FROM …) is"
        )
    if x.split:
        return x.split
    days = rounding.truncated(x.x, DAY)
    ends = x.x.bounds.intersect(Interval(1 - DAY, DAY - 1)) or Interval(0, 0)
    rest = Within(Subtract(x.x, _times(days, DAY), _WORD), Interval(min(ends.low, 0), max(ends.high, 0)))
    return _ZERO, days, rest


def plus(left: Expression, right: Expression) -> Expression:
    """Two INTERVALs, or a DATE or TIMESTAMP and one: a TIMESTAMP. Raises TypeMismatch, Unsupported."""
    if isinstance(left, Elapsed) and isinstance(right, Elapsed):
        sums = _each(left, right)
        return Elapsed(_sum(left.x, right.x), sums, left.monthly or right.monthly)
    moment, step = (right, left) if isinstance(left, Elapsed) else (left, right)
    if not isinstance(step, Elapsed) or not isinstance(moment.type, Date | Timestamp):
        raise TypeMismatch(f"{left.type} and {right.type} do not add up")
    if not step.monthly:
        return Add(timestamps.midnight(moment), whole(step))
    months, days, micros = parts(step)
    count = fold(months)
    if not isinstance(count, Literal) or count.value is None:
        raise Unsupported("an INTERVAL of months or years that is not constant is not supported")
    moved = timestamps.midnight(timestamps.moved(moment, count.value, "month"))
    return Add(moved, fold(Add(_times(days, DAY), micros, _WORD)))


def _each(left: Elapsed, right: Elapsed) -> tuple[Expression, ...] | None:
    if left.split is None or right.split is None:
        return None
    pairs = zip(parts(left), parts(right), strict=True)
    return tuple(fold(Add(a, b, _WORD)) for a, b in pairs)


def _sum(left: Expression, right: Expression) -> Expression:
    if isinstance(left.type, Double) or isinstance(right.type, Double):
        return quotient.plus(left, right)
    return Add(left, right, _WORD)


def whole(x: Elapsed) -> Expression:
    """Its microseconds as an INTEGER."""
    return plain(rounding.rounded("ROUND", x.x)) if isinstance(x.x.type, Double) else x.x


def times(left: Expression, right: Expression) -> Expression:
    """An INTERVAL times a number. Raises TypeMismatch."""
    x, count = (left, right) if isinstance(left, Elapsed) else (right, left)
    if not isinstance(x, Elapsed) or not isinstance(count.type, Integer | Decimal | Double) or isinstance(count, Sqrt):
        raise TypeMismatch(f"{left.type} * {right.type} is not supported; an INTERVAL times a number is")
    if isinstance(count.type, Integer) and isinstance(x.x.type, Integer):
        split = None if x.split is None else tuple(fold(Multiply(part, count, _WORD)) for part in parts(x))
        return Elapsed(fold(Multiply(x.x, count, _WORD)), split, x.monthly)
    return _rounded(quotient.times(x.x, count), x)


def over(x: Elapsed, number: Expression) -> Expression:
    """An INTERVAL over a number; NULL over 0. Raises TypeMismatch."""
    if not isinstance(number.type, Integer | Decimal | Double) or isinstance(number, Sqrt):
        raise TypeMismatch(f"INTERVAL / {number.type} is not supported; an INTERVAL over a number is")
    return _rounded(quotient.divide(x.x, number), x)


def _rounded(found: Expression, x: Elapsed) -> Expression:
    """A DOUBLE over a constant as whole microseconds, halves to even; of others that is who reads them."""
    fixed = over_constant(found)
    return Elapsed(found if fixed is None else rounding.cast_quotient(fixed, _WORD), None, x.monthly)


def days_between(x: Elapsed) -> Expression | None:
    """The whole days of what lies between two TIMESTAMPs; None of what else an INTERVAL may be."""
    return parts(x)[1] if x.split == () and isinstance(x.x.type, Integer) else None


def average(x: Elapsed, found: Expression, days: Expression | None) -> Elapsed:
    """The average of INTERVALs like x: of its microseconds, and of its days, of which whole ones count as days."""
    if days is None:
        return Elapsed(found, None, x.monthly)
    count = plain(rounding.rounded("TRUNC", days))
    micros = plain(rounding.rounded("TRUNC", found))
    return Elapsed(found, (_ZERO, count, Subtract(micros, _times(count, DAY), _WORD)))


def alike(values: Sequence[Expression]) -> tuple[Elapsed, list[Expression]]:
    """INTERVALs and NULLs of one column: an INTERVAL that knows of its parts what all do, and their microseconds.

    Raises TypeMismatch.
    """
    null = Literal(None, _WORD)
    known = [value for value in values if isinstance(value, Elapsed)]
    for value in values:
        if not isinstance(value, Elapsed) and not is_null(value):
            raise TypeMismatch(f"{value.type} and INTERVAL do not fit together")
    words = [whole(value) if isinstance(value, Elapsed) else null for value in values]
    split = () if all(value.split == () for value in known) else None
    return Elapsed(words[0], split, any(value.monthly for value in known)), words


def seconds(x: Elapsed) -> Expression:
    """EPOCH, a DOUBLE."""
    if not x.monthly:
        million = Literal(_SECOND, _WORD)
        return quotient.divide(x.x, million) if isinstance(x.x, Divide) else Divide(x.x, million, guarded=True)
    months, days, micros = parts(x)
    years = _truncated(months, 12)
    rest = Subtract(months, _times(years, 12), _WORD)
    whole_part = Add(_times(years, _YEAR_SECONDS * _SECOND), _times(rest, MONTH), _WORD)
    total = Add(Add(whole_part, _times(days, DAY), _WORD), micros, _WORD)
    return Divide(fold(total), Literal(_SECOND, _WORD), guarded=True)


_OF_MONTHS = {"year": 12, "decade": 120, "century": 1200, "millennium": 12000}
_OF_TIME = {"hour": (0, 3600 * _SECOND), "minute": (3600 * _SECOND, 60 * _SECOND), "second": (60 * _SECOND, _SECOND)}
_OF_TIME |= {"millisecond": (60 * _SECOND, 1000), "microsecond": (60 * _SECOND, 1)}


def part(name: str, x: Elapsed) -> Expression:
    """EXTRACT(name FROM x): towards 0. Raises Unsupported."""
    return _null_with(_part(unit_of(name), x), x)


def _null_with(found: Expression, x: Elapsed) -> Expression:
    """What is made of parts, NULL where the INTERVAL is: a part may be 0 without reading all that can be NULL."""
    asked = {node.index for node in walk(x) if isinstance(node, Column) and node.nullable}
    if not x.nullable or isinstance(found.type, Double) or (asked and asked <= set(columns_of(found))):
        return found
    return fold(Case(((is_null_of(x), Literal(None, found.type)),), found))


def text_of(x: Elapsed) -> Expression:
    """CAST to VARCHAR, an output: of each part the analyst's side reads."""
    if not x.split:
        return WrittenDouble(x)
    months, days, micros = x.split
    return WrittenDouble(Elapsed(x.x, (_null_with(months, x), days, micros), x.monthly))


def _part(name: str, x: Elapsed) -> Expression:
    if name == "epoch":
        return seconds(x)
    months, days, micros = parts(x)
    if name == "day":
        return fold(days)
    if name in _OF_MONTHS:
        return _truncated(months, _OF_MONTHS[name])
    if name in ("month", "quarter"):
        month = _rest(months, 12)
        return month if name == "month" else fold(Add(_truncated(month, 3), integer(1), _WORD))
    if name in _OF_TIME:
        within, step = _OF_TIME[name]
        return _truncated(_rest(micros, within) if within else micros, step)
    raise Unsupported(f"the part {name.upper()} of an INTERVAL is not supported")


def _truncated(x: Expression, step: int) -> Expression:
    return fold(rounding.truncated(fold(x), step))


def _rest(x: Expression, step: int) -> Expression:
    return fold(rounding.modulo(fold(x), step))


def _times(x: Expression, factor: int) -> Expression:
    return fold(Multiply(x, Literal(factor, _WORD), _WORD))


def interval(binder: Binder, node: exp.Expr) -> Expression:
    """INTERVAL count unit; as text several of them. Raises Unsupported."""
    only(node, "this", "unit")
    count, unit = node.this, node.text("unit")
    if not isinstance(count, exp.Literal) or not count.is_string:
        return counted(fold(binder.bind(count)), unit or "second", show(node))
    found: Expression | None = None
    place, text = 0, count.this
    while place < len(text) or found is None:
        match = _COUNTS.match(text, place)
        if match is None or (match[2] and unit):
            raise Unsupported(f"the interval {show(node)} is not supported")
        step = counted(integer(int(match[1])), unit or match[2] or "second", show(node))
        found = step if found is None else plus(found, step)
        place = match.end()
    return found


def counted(count: Expression, unit: str, shown: str) -> Elapsed:
    """So many of a unit. Raises Unsupported."""
    unit = unit_of(unit)
    if not isinstance(count.type, Integer):
        raise Unsupported(f"{shown} is not supported, but of whole units")
    if unit in _MONTHS:
        return made(_times(count, _MONTHS[unit]), _ZERO, _ZERO)
    if unit in _DAYS:
        return made(_ZERO, _times(count, _DAYS[unit]), _ZERO)
    step = timestamps.step_of(unit)
    if step is None:
        raise Unsupported(f"{shown}: the unit {unit.upper()} is not supported")
    return made(_ZERO, _ZERO, _times(count, step))


def _to_unit(binder: Binder, node: exp.Expr) -> Expression:
    """TO_DAYS(x) and its like."""
    if isinstance(node, exp.ToDays):
        only(node, "this")
        return counted(fold(binder.bind(node.this)), "day", show(node))
    if len(node.expressions) != 1:
        raise Unsupported(f"{construct(node)} has one argument")
    return counted(fold(binder.bind(node.expressions[0])), _FUNCTIONS[node.name.lower()], show(node))


METHODS: dict[type[exp.Expr], Method] = {exp.Interval: interval, exp.ToDays: _to_unit}
FUNCTIONS: dict[str, Method] = dict.fromkeys(_FUNCTIONS, _to_unit)
"""Functions that the parser knows by name only."""
