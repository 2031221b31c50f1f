"""Numbers of the rows of a chunk: sums and products, division, tables of codes.

A step is a generator: it yields tasks (see `tasks`), is sent their results, and gives a datum.
"""

from __future__ import annotations

import numpy as np

from smpc_sql.operators.datum import Datum, Digits, Public, Words, add_constant, constant
from smpc_sql.operators.steps import Rows, Steps, null_of
from smpc_sql.operators.tasks import (
    FloorQuotient,
    LongDivision,
    Product,
    Scaled,
    SecretQuotient,
    SecretRoot,
    ToWords,
    Truth,
)
from smpc_sql.plan import expressions as plan
from smpc_sql.protocol.lookup import table_bits
from smpc_sql.ring import Array, lane_for, narrow, words_of
from smpc_sql.schema import Interval


def add(rows: Rows, node: plan.Add | plan.Subtract, parts: list[Datum]) -> Steps:
    """The sum or the difference. Local, but for NULLs of both."""
    null = yield from null_of(rows, parts)
    left, right = rows.words(parts[0]), rows.words(parts[1])
    return Words(left + right if isinstance(node, plan.Add) else left - right, null)


def scale(rows: Rows, part: Datum, factor: int) -> Steps:
    """The number times a public factor. Local."""
    yield from ()
    return Words(rows.words(part) * words_of(factor), rows.null(part))


def product(rows: Rows, parts: list[Datum]) -> Steps:
    """The product: local with a public factor, else one task, cheaper where a factor is the same for all rows."""
    null = yield from null_of(rows, parts)
    left, right = parts
    if isinstance(left, Public):
        left, right = right, left
    x = rows.words(left)
    if isinstance(right, Public):
        return Words(x * right.values.astype(np.int64).view(np.uint64), null)
    y = rows.words(right)
    if _is_repeated(x):
        x, y = y, x
    found = yield (Scaled(x, y[:1]) if _is_repeated(y) and not _is_repeated(x) else Product(x, y))
    return Words(found, null)


def of_boolean(rows: Rows, part: Datum) -> Steps:
    """A boolean as 0 or 1."""
    bits = rows.bits(part)
    words = yield ToWords(bits)
    return Words(words, rows.null(part))


def floor_divide(rows: Rows, bounds: Interval, divisor: int, part: Datum) -> Steps:
    """floor(x / divisor) of an x within bounds."""
    if divisor == 1:
        return (yield from scale(rows, part, 1))
    words = yield FloorQuotient(rows.words(part), divisor, bounds.low, bounds.high)
    return Words(words, rows.null(part))


def whole_quotient(rows: Rows, node: plan.WholeQuotient, parts: list[Datum]) -> Steps:
    """The whole quotient by a secret, which `plan.WholeQuotient` defines; shifted, as the task wants no sign."""
    null = yield from null_of(rows, parts)
    denominator = rows.words(parts[1])
    shifted = rows.words(parts[0]) + denominator * words_of(node.shift)
    lane = lane_for((node.denominator.bounds.high << node.bits + 1).bit_length() + 1)
    width = node.denominator.bounds.high.bit_length()
    whole = yield SecretQuotient(shifted, denominator, node.bits, lane, node.places, width)
    return Words(add_constant(rows.session, whole, -node.shift), null)


def long_quotient(rows: Rows, node: plan.LongQuotient, parts: list[Datum]) -> Steps:
    """The digits of a quotient of numbers in parts."""
    null = yield from null_of(rows, parts)
    words = np.stack([rows.words(part) for part in parts])
    count = len(node.digits)
    width = max(divisor.bounds.high for divisor in node.divisors).bit_length()
    bits = max(1, node.greatest.bit_length())
    found = yield LongDivision(words[:count], words[count:], bits, node.places, width)
    return Digits(found[: node.count], null)


def quotient_digit(part: Datum, place: int) -> Steps:
    """One of them. Local."""
    yield from ()
    assert isinstance(part, Digits)
    return Words(part.words[place], part.null)


def whole_root(rows: Rows, node: plan.WholeRoot, part: Datum) -> Steps:
    """The whole square root."""
    words = yield SecretRoot(rows.words(part), node.bits, lane_for(2 * node.bits + 2))
    return Words(words, rows.null(part))


def remainder(rows: Rows, divisor: int, parts: list[Datum]) -> Steps:
    """x - whole * divisor. parts: x, and the whole quotient. Local."""
    yield from ()
    x, whole = map(rows.words, parts)
    return Words(x - whole * words_of(divisor), rows.null(parts[0]))


def lookup(rows: Rows, bounds: Interval, table: tuple[int, ...], part: Datum) -> Steps:
    """Every bit of the table's values by one truth table, and the bits as words."""
    low = min(table)
    width = (max(table) - low).bit_length()
    codes = add_constant(rows.session, narrow(rows.words(part), 16), -bounds.low)
    tables = tuple(tuple((value - low) >> bit & 1 for value in table) for bit in range(width))
    bits = (yield Truth(codes, table_bits(bounds.size), tables)) if tables else []
    words = rows.words(constant(low))
    found = (yield tuple(ToWords(bit) for bit in bits)) if bits else []
    for position, bit_words in enumerate(found):
        words = words + bit_words * words_of(1 << position)
    return Words(words, rows.null(part))


def _is_repeated(words: Array) -> bool:
    """One shared word for all rows (a one-row table's column)."""
    return words.strides == (0,) and len(words) > 1
