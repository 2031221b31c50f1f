"""Moments as text: microseconds since 1970-01-01, without a time zone."""

from __future__ import annotations

import datetime
import re

_MOMENT = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?\s*", re.ASCII
)
_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


def moment_word(text: str) -> int | None:
    """Microseconds of YYYY-MM-DD, YYYY-MM-DD HH:MM[:SS[.ffffff]] (or T between); None for any other text."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    fraction = int((match[7] or "").ljust(6, "0"))
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, fraction)
    except ValueError:
        return None
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(word: int) -> datetime.datetime:
    """The reverse. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + datetime.timedelta(microseconds=word)
