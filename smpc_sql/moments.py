"""Moments as text: microseconds since 1970-01-01, without a time zone; and INTERVALs."""

from __future__ import annotations

import datetime
import re

_MOMENT = re.compile(
    r"[ \t-\r]*([0-9]{4})([-/\\ ])([0-9]{1,2})\2([0-9]{1,2})"
    r"(?:[T \t-\r]([0-9]{1,2}):(?:([0-9]{1,2})(?::(?:([0-9]{1,2})(?:\.([0-9]*))?)?)?)?Z? *)?"
)
_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)
_DAY = datetime.timedelta(days=1)
_DIGITS = 20


def moment_digits(text: str) -> str | None:
    """The digits YYYYMMDDhhmmss and those of the fraction of a text in the form of a moment; None for any other text.

    YYYY-MM-DD, YYYY-MM-DD hh:mm[:ss[.f…]] or with T between, and with Z or spaces behind: month, day, hour, minute and
    second may have one digit, a field may be missing behind its colon. The fraction has 6 digits, or more.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    fields = (match[1], *((match[i] or "").rjust(2, "0") for i in (3, 4, 5, 6, 7)))
    return "".join(fields) + (match[8] or "").ljust(6, "0")


def moment_word(text: str, *, cut: bool = False) -> int | None:
    """Microseconds of a text (see `moment_digits`); None for what is no moment from year 1 to 9999.

    cut: what is finer than microseconds is left out; else it is no moment.
    """
    digits = moment_digits(text)
    if digits is None or (len(digits) > _DIGITS and not cut):
        return None
    day, clock = digits[:8], digits[8:_DIGITS]
    hour, minute, second = (int(clock[at : at + 2]) for at in (0, 2, 4))
    within = datetime.timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(clock[6:]))
    if minute > 59 or second > 59 or within > _DAY:
        return None
    try:
        moment = datetime.datetime(int(day[:4]), int(day[4:6]), int(day[6:])) + within
    except (ValueError, OverflowError):
        return None
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(word: int) -> datetime.datetime:
    """The reverse. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + datetime.timedelta(microseconds=word)


_DAY_MICROS = 86_400_000_000


def interval_text(months: int, days: int, micros: int) -> str:
    """An INTERVAL as DuckDB writes it: 1 year 2 months 3 days 04:05:06.5, parts that are 0 left out."""
    years = abs(months) // 12 * (-1 if months < 0 else 1)
    counts = (("year", years), ("month", months - 12 * years), ("day", days))
    shown = [f"{count} {unit}{'' if abs(count) == 1 else 's'}" for unit, count in counts if count]
    if micros or not shown:
        seconds, fraction = divmod(abs(micros), 1_000_000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        shown.append(("-" if micros < 0 else "") + (f"{clock}.{fraction:06}".rstrip("0") if fraction else clock))
    return " ".join(shown)


def parts_of_interval(word: int) -> tuple[int, int, int]:
    """Months, days and microseconds of what lies between two TIMESTAMPs: whole days, and a rest of the same sign."""
    sign = -1 if word < 0 else 1
    days, rest = divmod(abs(word), _DAY_MICROS)
    return 0, sign * days, sign * rest
