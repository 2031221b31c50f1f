"""Columns of text, as a CSV file holds them, read as scaled integers: all rows at once, character by character."""

from __future__ import annotations

import decimal
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from smpc_sql.decoding import Mask, Words
from smpc_sql.schema import WORD_BYTES, Text

_LONGEST_NUMBER = 64  # characters; a longer text is no number of 64 bits that anybody wrote on purpose
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?0*[0-9]{1,17})?")
_DIGIT_LIMIT = (2**63 - 10) // 10  # below it, ten times a number and a digit still fits 63 bits


def numbers_of(values: Sequence[str], scale: int) -> tuple[Words, Mask, Mask]:
    """Texts as integers times 10^scale: (words, which are no number of 64 bits, which have more than `scale` decimals).

    One pass over character positions, all rows at once; what it cannot read (an exponent) is tried one by one.
    """
    stripped = [value.strip() for value in values]
    chars = _characters([v if len(v) <= _LONGEST_NUMBER and "\0" not in v else "?" for v in stripped])
    rows = len(stripped)
    total, decimals, digits = np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    bad, inexact, point, ended = (np.zeros(rows, np.bool_) for _ in range(4))
    for position in range(chars.shape[1]):
        char = chars[:, position]
        is_digit = (char >= ord("0")) & (char <= ord("9"))
        is_point, is_end = char == ord("."), char == 0
        is_sign = ((char == ord("-")) | (char == ord("+"))) if position == 0 else np.zeros(rows, np.bool_)
        bad |= ~(is_digit | is_point | is_end | is_sign) | (is_point & point) | (ended & ~is_end)
        value = np.where(is_digit, char, ord("0")).astype(np.int64) - ord("0")
        counts = is_digit & ~(point & (decimals >= scale))
        inexact |= is_digit & ~counts & (value > 0)
        bad |= counts & (total > _DIGIT_LIMIT)
        total = np.where(counts & ~bad, total * 10 + value, total)
        decimals += counts & point
        digits += is_digit
        point |= is_point
        ended |= is_end
    power = np.array([10**k for k in range(min(scale, 18) + 1)], np.int64)
    factor = power[np.minimum(scale - decimals, len(power) - 1)]
    bad |= (digits == 0) | (total > (2**63 - 1) // factor)
    total = np.where(bad, 0, total) * np.where(bad, 1, factor)
    total = np.where(chars[:, 0] == ord("-"), -total, total)
    for row in np.flatnonzero(bad):
        total[row], bad[row], inexact[row] = _one_number(stripped[row], scale)
    return total, bad, inexact & ~bad


def _one_number(text: str, scale: int) -> tuple[int, bool, bool]:
    """(word, is no number of 64 bits, has more than `scale` decimals) of one text, exponents and all."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return 0, True, False
    sign, digits, exponent = decimal.Decimal(text).as_tuple()
    if not isinstance(exponent, int) or exponent + len(digits) > _LONGEST_NUMBER:
        return 0, any(digits), False
    magnitude, shift = int("".join(map(str, digits))), max(exponent + scale, -len(digits))  # further down, all is rest
    magnitude, rest = (magnitude * 10**shift, 0) if shift >= 0 else divmod(magnitude, 10**-shift)
    word = -magnitude if sign else magnitude
    if not -(2**63) <= word < 2**63:
        return 0, True, False
    return (0, False, True) if rest else (word, False, False)


def days_of(values: Sequence[str]) -> tuple[Words, Mask]:
    """YYYY-MM-DD as days since 1970-01-01: (words, which are no such date)."""
    stripped = [value.strip() for value in values]
    malformed = np.fromiter((len(value) != len("YYYY-MM-DD") for value in stripped), np.bool_, len(stripped))
    plain = [value if len(value) == len("YYYY-MM-DD") else "1970-01-01" for value in stripped]
    chars = _characters([*plain, "1970-01-01"])[:-1].astype(np.int64) - ord("0")  # the last row fixes the width
    dashes, digits = chars[:, [4, 7]], chars[:, [0, 1, 2, 3, 5, 6, 8, 9]]
    malformed |= (dashes != ord("-") - ord("0")).any(axis=1) | ((digits < 0) | (digits > 9)).any(axis=1)
    digits = np.where(malformed[:, None], np.array([1, 9, 7, 0, 0, 1, 0, 1]), digits)
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = digits[:, 4] * 10 + digits[:, 5], digits[:, 6] * 10 + digits[:, 7]
    malformed |= (year < 1) | (month < 1) | (month > 12) | (day < 1)
    months = np.where(malformed, 0, (year - 1970) * 12 + month - 1)
    first, following = _first_day(months), _first_day(months + 1)
    malformed |= day > following - first
    return first + day - 1, malformed


def _first_day(months: Words) -> Words:
    """Months since 1970-01 as days since 1970-01-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def words_of_texts(values: Sequence[str], type_: Text) -> tuple[Words, Mask]:
    """Texts as words: (words [words, rows], which do not fit)."""
    raw = [value.encode() for value in values]
    length, sizes = type_.length, [word.length for word in type_.words]
    bad = np.fromiter((len(each) > length or b"\0" in each for each in raw), np.bool_, len(raw))
    fitting = [b"" if wrong else each for each, wrong in zip(raw, bad.tolist(), strict=True)]
    padded = np.array(fitting, f"S{length}").view(np.uint8).reshape(len(raw), length)
    filled = np.zeros((len(sizes), len(raw), 8), np.uint8)
    for place, size in enumerate(sizes):
        filled[place, :, 8 - size :] = padded[:, place * WORD_BYTES : place * WORD_BYTES + size]
    return filled.view(">i8").reshape(len(sizes), len(raw)).astype(np.int64), bad


def _characters(values: Sequence[str]) -> npt.NDArray[np.uint32]:
    """Texts as a matrix of code points, [rows, longest], filled up with 0."""
    packed = np.array(values, dtype=np.str_) if len(values) else np.zeros(0, "U1")
    width = max(packed.dtype.itemsize // 4, 1)
    return np.ascontiguousarray(packed.astype(f"U{width}")).view(np.uint32).reshape(len(values), width)
