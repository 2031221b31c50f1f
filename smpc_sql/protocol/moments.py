"""Reading dates and moments from secret texts, as planes of bits (see `spelling`); whatever stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from smpc_sql.protocol.characters import BLANKS, DIGITS, END, kinds
from smpc_sql.protocol.editing import shifted
from smpc_sql.protocol.matching import prefix_or
from smpc_sql.protocol.numerals import ZERO, every, inverted, known, products, written
from smpc_sql.ring import Array
from smpc_sql.session import Session

_SEPARATORS = b"-/\\ "
_YEAR, _MONTH, _DAY, _DATE = 4, 5, 8, 10  # where the year ends; where month, day and the text begin to be over
_HOUR, _MINUTE, _SECOND, _FRACTION = 11, 14, 17, 20
_BEFORE_TIME = BLANKS | frozenset(b"T")
_MICROS = 6
DIGIT, LONE = -1, -2
"""Places of a form: a digit; one of two, or the only one."""

_YMD = [0, 1, 2, 3, _MONTH, _MONTH + 1, _DAY, _DAY + 1]
_CLOCK = [_HOUR, _HOUR + 1, _MINUTE, _MINUTE + 1, _SECOND, _SECOND + 1, *range(_FRACTION, _FRACTION + _MICROS)]


def read_date(session: Session, planes: Array) -> Array:
    """A mark and the digits of a date YYYYMMDD: [9, 7, n/8]; see `read_number` for what is none.

    A date is blanks, a year of 4 digits, a month and a day of 1 or 2, blanks; with -, /, \\ or a blank between, twice
    the same. What is before it is taken away; then a 0 is put before a month, and before a day, of one digit.
    """
    (blank,) = kinds(session, planes, (BLANKS,))
    leading = inverted(session, prefix_or(session, inverted(session, blank)))
    text = _longer(shifted(session, planes, leading, 1), _DATE, 2)
    digit, blank, end, between = kinds(session, text, (DIGITS, BLANKS, END, _SEPARATORS))
    marks = np.stack([digit, blank ^ end, between], axis=1)
    places = np.concatenate([text, marks], axis=1)
    width = planes.shape[1]
    for place in (_MONTH, _DAY):
        alone = inverted(session, places[place + 1, width])
        places = _with_zero(session, places, place, alone, slice(width, width + 1))
    text, marks = places[:, :width], places[:, width:]
    terms = [*_ymd_terms(session, text, marks[:, 0], marks[:, 2]), marks[_DATE:, 1]]
    (valid,) = every(session, [np.concatenate(terms)])
    return written(session, valid, np.zeros_like(valid), text[_YMD, :4])


def read_fields(session: Session, planes: Array, form: Sequence[int]) -> Array:
    """A mark and the digits of a text of a form: [1 + digits, 7, n/8]; see `read_number` for what is none.

    The form's places: codes of characters, of which a space stands for any blank; DIGIT; LONE, before which a 0 is put
    where the digit has none behind it, and behind which a DIGIT stands. Blanks before and behind it do not count.
    """
    letters = sorted({c for c in form if c >= 0})
    sets = (DIGITS, BLANKS, END, *(BLANKS if c in BLANKS else {c} for c in letters))
    digit, blank, end, *each = kinds(session, planes, sets)
    runs = prefix_or(session, inverted(session, np.stack([blank, (blank ^ end)[::-1]], axis=1)))
    leading, more = inverted(session, runs[:, 0]), runs[::-1, 1]
    (alone,) = products(session, (digit, inverted(session, _next(digit))))
    marks = np.stack([digit, more, alone, *each], axis=1)
    places = shifted(session, np.concatenate([planes[:, :4], marks], axis=1), leading, 1)
    lone = [place for place, c in enumerate(form) if c == LONE]
    places = _longer(places, len(form) + 1, len(lone))
    for place in lone:
        places = _with_zero(session, places, place, places[place, 6], slice(4, 6))
    terms = [places[place, 4 if c < 0 else 7 + letters.index(c)] for place, c in enumerate(form)]
    (valid,) = every(session, [np.stack([*terms, inverted(session, places[len(form), 5])])])
    return written(session, valid, np.zeros_like(valid), places[[p for p, c in enumerate(form) if c < 0], :4])


def read_timestamp(session: Session, planes: Array, loose: bool = False) -> Array:
    """A mark and the digits of a moment YYYYMMDDhhmmssffffff: [21, 7, n/8]; see `read_number` for what is none.

    A moment is blanks, a date as in `read_date`, and nothing, or T or a blank, an hour of 1 or 2 digits and a colon,
    and then up to any place where a field ends: a minute, a colon, a second, a point, digits of which 6 count. Behind a
    time may be Z and spaces. From where on nothing else comes is a suffix AND. This mark, and whether a digit stands
    alone, move with the text to its start, and make room for zeros before fields of one digit: so every character comes
    to the place where its form has it, and a longer form is a longer prefix of conditions, of which one mark is asked.
    loose: behind a date without a time may be blanks, as where a DATE is read.
    """
    sets = (DIGITS, BLANKS, END, _SEPARATORS, _BEFORE_TIME, b":", b".", b" ", b"Z")
    digit, blank, end, between, before_time, colon, point, space, zulu = kinds(session, planes, sets)
    others = [blank, (space ^ end)[::-1], (blank ^ end)[::-1]]
    runs = prefix_or(session, inverted(session, np.stack(others[: 2 + loose], axis=1)))
    leading, more = inverted(session, runs[:, 0]), runs[::-1, 1]
    some = runs[::-1, 2] if loose else inverted(session, end)
    over = inverted(session, more)
    alone, last = products(
        session, (digit, inverted(session, _next(digit))), (zulu, np.concatenate([over[1:], _all(session, over[:1])]))
    )
    # all zero behind the text: no end is marked, but what is not over
    marks = [digit, more ^ last, alone, between, before_time, colon, point, some]
    width = planes.shape[1]
    places = shifted(session, np.concatenate([planes, np.stack(marks, axis=1)], axis=1), leading, 1)
    places = _longer(places, _FRACTION + _MICROS, 5)
    for place in (_MONTH, _DAY, _HOUR, _MINUTE, _SECOND):
        places = _with_zero(session, places, place, places[place, width + 2], slice(width, width + 2))
    return _moment(session, places[:, :width], _Marks(*(places[:, width + i] for i in (0, 1, 3, 4, 5, 6, 7))))


class _Marks(NamedTuple):
    """A bit for every place: what stands there; more: whether the moment goes on, some: whether the text does."""

    digit: Array
    more: Array
    between: Array
    before_time: Array
    colon: Array
    point: Array
    some: Array


def _moment(session: Session, text: Array, marks: _Marks) -> Array:
    """The characters at their places, and marks of them: a fraction's digits go on until one is missing."""
    missing = prefix_or(session, inverted(session, marks.digit[_FRACTION:]))
    over = inverted(session, marks.more)
    ends = inverted(session, np.concatenate([np.zeros_like(missing[:1]), missing[:-1]]))
    around = np.stack([marks.digit[_HOUR], marks.digit[_HOUR + 1], marks.before_time[_DATE], marks.colon[_HOUR + 2]])
    date = np.concatenate(_ymd_terms(session, text, marks.digit, marks.between))
    cuts = np.stack([ends, over[_FRACTION:]])
    groups = [around, marks.digit[_MINUTE : _MINUTE + 2], marks.digit[_SECOND : _SECOND + 2], date, cuts]
    hour, minute, second, date, cut = every(session, groups)
    steps = np.stack([hour, minute, marks.colon[_MINUTE + 2], second, marks.point[_SECOND + 2]])
    reached = inverted(session, prefix_or(session, inverted(session, steps)))
    last = np.stack([over[_MINUTE], over[_MINUTE + 2], over[_SECOND], over[_SECOND + 2], np.bitwise_xor.reduce(cut)])
    clock = text[_CLOCK, :4]
    each = np.broadcast_to(marks.digit[_CLOCK][:, None], clock.shape)
    here, clock = products(session, (reached, last), (clock, each))
    ended = np.bitwise_xor.reduce(here) ^ inverted(session, marks.some[_DATE])
    (valid,) = products(session, (date, ended))
    digits = np.concatenate([text[_YMD, :4], clock])
    return written(session, valid, np.zeros_like(valid), digits)


def _ymd_terms(session: Session, text: Array, digit: Array, between: Array) -> list[Array]:
    """What holds of the first ten characters of a date: digits, and twice the same between them."""
    return [digit[_YMD], between[[_YEAR]], inverted(session, text[_YEAR] ^ text[_DAY - 1])]


def _longer(places: Array, least: int, more: int) -> Array:
    """With zeros behind: at least so many places, and room for as many more."""
    missing = max(least - len(places), more)
    return np.concatenate([places, np.zeros((missing, *places.shape[1:]), dtype=np.uint8)])


def _with_zero(session: Session, places: Array, place: int, alone: Array, marks: slice) -> Array:
    """A 0 at a place where one digit stands alone; of the marks behind its bits these are set. 1 round."""
    zero = np.zeros_like(places[:1])
    zero[0, : marks.start] = known(session, ZERO, marks.start)
    zero[0, marks] = session.public(np.uint8(255))
    kept, rest = places[:place], places[place:]
    (change,) = products(session, (rest ^ np.concatenate([zero, rest[:-1]]), np.broadcast_to(alone, rest.shape)))
    return np.concatenate([kept, rest ^ change])


def _next(bits: Array) -> Array:
    """What is known at the place behind; nothing behind the last."""
    return np.concatenate([bits[1:], np.zeros_like(bits[:1])])


def _all(session: Session, like: Array) -> Array:
    return np.full_like(like, session.public(np.uint8(255)))
