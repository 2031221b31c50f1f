"""Interactive steps of expressions, and how steps that are ready together run in one batch.

An expression's code yields a task and is sent its result; `run_tasks` runs what all waiting expressions of a chunk have
yielded: tasks of one form become one call of a protocol, so their rounds are shared; several forms run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smpc_sql.operators import spelled_texts
from smpc_sql.plan.text import TextFunction
from smpc_sql.protocol import arithmetic, boolean, comparison, division, lookup
from smpc_sql.protocol.long_division import divide_digits
from smpc_sql.ring import Array, lane_for
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


@dataclass(frozen=True, slots=True, eq=False)
class Negative:
    """d < 0 in the lane of d [n] -> BShare."""

    d: Array


@dataclass(frozen=True, slots=True, eq=False)
class IsZero:
    """d = 0 in the lane of d [n] -> BShare."""

    d: Array


@dataclass(frozen=True, slots=True, eq=False)
class Conjunction:
    """x & y for every pair -> list of BShare."""

    pairs: tuple[tuple[BShare, BShare], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """x*y for words [n] -> words [n]."""

    x: Array
    y: Array


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """x*factor for words x [n] and one shared word factor [1] -> words [n]."""

    x: Array
    factor: Array


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    """bit*word for every word of `words` -> list of words [n]."""

    bits: BShare
    words: tuple[Array, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Public 0/1 tables of x [n] in [0, 2^bits) -> list of BShare."""

    x: Array
    bits: int
    tables: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ToWords:
    """Bits as words 0 or 1 [n], uint64."""

    bits: BShare


@dataclass(frozen=True, slots=True, eq=False)
class RandomIf:
    """Random words where a bit is set, 0 elsewhere [n], uint64."""

    bits: BShare


@dataclass(frozen=True, slots=True, eq=False)
class FloorQuotient:
    """floor(x / divisor) of words x [n] within [low, high] -> words [n]."""

    x: Array
    divisor: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, eq=False)
class SecretQuotient:
    """floor(numerator * 2^places / denominator) of words [n], whole quotients below 2^bits (`division`) -> words [n].

    lane: for the digits before the point. width: of denominators, in bits, for those behind, which are `places`.
    """

    numerator: Array
    denominator: Array
    bits: int
    lane: int
    places: int
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class SecretRoot:
    """floor(sqrt(x)) of words x [n] from 0 to 4^bits - 1 -> words [n]. lane: of the comparisons (`division`)."""

    x: Array
    bits: int
    lane: int


@dataclass(frozen=True, slots=True, eq=False)
class LongDivision:
    """floor(x * 2^places / (d1 * d2 * …)) of x < 2^bits as digits [k, n], by words [m, n] below 2^width -> digits.

    See `protocol.long_division`.
    """

    digits: Array
    divisors: Array
    bits: int
    places: int
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class Spelling:
    """A function of spelled texts, or to or from them: operands are words [n], or planes -> what it gives."""

    function: TextFunction
    operands: tuple[Array, ...]


Task = (
    Negative
    | IsZero
    | Conjunction
    | Product
    | Scaled
    | Select
    | Truth
    | ToWords
    | RandomIf
    | FloorQuotient
    | SecretQuotient
    | SecretRoot
    | LongDivision
    | Spelling
)


_STEPS = ((4, 1 << 10), (2, 1 << 12))
"""Of so few quotients, so many bits at once: fewer rounds, and more comparisons."""


def _step(quotients: int) -> int:
    return next((step for step, most in _STEPS if quotients <= most), 1)


def _form(task: Task) -> tuple[Hashable, ...]:
    """Tasks of one form run as one call."""
    match task:
        case Negative(d) | IsZero(d):
            return type(task).__name__, d.dtype.itemsize, len(d)
        case Select(_, words):
            return "Select", len(words), words[0].dtype.itemsize
        case Truth(_, bits, _):
            return "Truth", bits
        case FloorQuotient(_, divisor, low, high):
            return "FloorQuotient", divisor, low, high
        case SecretQuotient(_, _, bits, lane, places, width):
            return "SecretQuotient", bits, lane, places, width
        case SecretRoot(_, bits, lane):
            return "SecretRoot", bits, lane
        case LongDivision(digits, divisors, bits, places, width):
            return "LongDivision", len(digits), len(divisors), bits, places, width
        case Spelling(function):
            return "Spelling", function
        case _:
            return (type(task).__name__,)


def run_tasks(session: Session, tasks: Sequence[Task]) -> list[Any]:
    """The results of the tasks, in order. All of one form in one call, the forms side by side."""
    forms: dict[tuple[Hashable, ...], list[int]] = {}
    for number, task in enumerate(tasks):
        forms.setdefault(_form(task), []).append(number)
    batches = [(form[0], numbers) for form, numbers in forms.items()]

    def run(branch: Session, batch: tuple[Hashable, list[int]]) -> list[Any]:
        return _RUN[batch[0]](branch, [tasks[number] for number in batch[1]])

    done = [run(session, batches[0])] if len(batches) == 1 else session.fork(run, batches)
    results: list[Any] = [None] * len(tasks)
    for (_, numbers), found in zip(batches, done, strict=True):
        for number, result in zip(numbers, found, strict=True):
            results[number] = result
    return results


def _stack(arrays: Sequence[Array]) -> Array:
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)


def _bits_of(share: BShare) -> list[BShare]:
    return [BShare(row) for row in share.packed]


def _negative(session: Session, tasks: Sequence[Negative]) -> list[BShare]:
    return _bits_of(comparison.negative(session, AShare(_stack([task.d for task in tasks]))))


def _is_zero(session: Session, tasks: Sequence[IsZero]) -> list[BShare]:
    return _bits_of(comparison.is_zero(session, AShare(_stack([task.d for task in tasks]))))


def _conjunction(session: Session, tasks: Sequence[Conjunction]) -> list[list[BShare]]:
    found = iter(boolean.conjunction(session, [pair for task in tasks for pair in task.pairs]))
    return [[next(found) for _ in task.pairs] for task in tasks]


def _product(session: Session, tasks: Sequence[Product]) -> list[Array]:
    squares = [task.x is task.y for task in tasks]
    if all(squares):
        return list(arithmetic.square(session, AShare(_stack([task.x for task in tasks]))).words)
    x, y = AShare(_stack([task.x for task in tasks])), AShare(_stack([task.y for task in tasks]))
    return list(arithmetic.multiply(session, x, y).words)


def _scaled(session: Session, tasks: Sequence[Scaled]) -> list[Array]:
    x = AShare(_stack([task.x for task in tasks]))
    factors = AShare(np.concatenate([task.factor for task in tasks]))
    return list(arithmetic.scaled_product(session, x, factors).words)


def _select(session: Session, tasks: Sequence[Select]) -> list[list[Array]]:
    bits = BShare(_stack([task.bits.packed for task in tasks]))
    words = AShare(_stack([_stack(task.words) if len(task.words) == 1 else np.stack(task.words) for task in tasks]))
    return [list(group) for group in arithmetic.bit_product(session, bits, words).words]


def _truth(session: Session, tasks: Sequence[Truth]) -> list[list[BShare]]:
    x = AShare(_stack([task.x for task in tasks]))
    return lookup.truth_tables(session, x, tasks[0].bits, [task.tables for task in tasks])


def _to_words(session: Session, tasks: Sequence[ToWords]) -> list[Array]:
    return list(arithmetic.to_words(session, BShare(_stack([task.bits.packed for task in tasks])), 64).words)


def _random_if(session: Session, tasks: Sequence[RandomIf]) -> list[Array]:
    return list(arithmetic.random_if(session, BShare(_stack([task.bits.packed for task in tasks]))).words)


def _floor_quotient(session: Session, tasks: Sequence[FloorQuotient]) -> list[Array]:
    first = tasks[0]
    x = np.concatenate([task.x for task in tasks])
    found = division.divide_by_public(session, x, first.divisor, first.low, first.high)
    return np.split(found, np.cumsum([len(task.x) for task in tasks])[:-1])


def _secret_quotient(session: Session, tasks: Sequence[SecretQuotient]) -> list[Array]:
    above, below = (np.concatenate(each) for each in zip(*((t.numerator, t.denominator) for t in tasks), strict=True))
    first = tasks[0]
    step = _step(len(above))
    found, rest = division.divide(session, above, below, first.bits, first.lane, step)
    if first.places:
        step = min(step, 63 - first.width)
        lane = lane_for(first.width + step + 1)
        behind = division.places(session, rest, below, first.places, lane, step)
        found = (found << np.uint64(first.places)) + behind
    return np.split(found, np.cumsum([len(task.numerator) for task in tasks])[:-1])


def _secret_root(session: Session, tasks: Sequence[SecretRoot]) -> list[Array]:
    found = division.root(session, np.concatenate([task.x for task in tasks]), tasks[0].bits, tasks[0].lane)
    return np.split(found, np.cumsum([len(task.x) for task in tasks])[:-1])


def _long_division(session: Session, tasks: Sequence[LongDivision]) -> list[Array]:
    first = tasks[0]
    digits = np.concatenate([task.digits for task in tasks], axis=1)
    divisors = np.concatenate([task.divisors for task in tasks], axis=1)
    step = _step(divisors.size)
    found = divide_digits(session, digits, divisors, first.bits, first.places, step, first.width)
    return np.split(found, np.cumsum([task.digits.shape[1] for task in tasks])[:-1], axis=1)


def _spelling(session: Session, tasks: Sequence[Spelling]) -> list[Any]:
    """Tasks of one function behind one another, where it works on packed bits alone; else side by side."""
    function = tasks[0].function
    if len(tasks) == 1:
        return [spelled_texts.run(session, function, tasks[0].operands)]
    if not spelled_texts.is_of_bits(function):

        def run(branch: Session, task: Spelling) -> Array:
            return spelled_texts.run(branch, function, task.operands)

        return session.fork(run, tasks, lambda task: task.operands[0].shape)
    stacked = tuple(np.concatenate(each, axis=-1) for each in zip(*(task.operands for task in tasks), strict=True))
    return list(np.split(spelled_texts.run(session, function, stacked), len(tasks), axis=-1))


_RUN: dict[Hashable, Callable[..., list[Any]]] = {
    "Negative": _negative,
    "IsZero": _is_zero,
    "Conjunction": _conjunction,
    "Product": _product,
    "Scaled": _scaled,
    "Select": _select,
    "Truth": _truth,
    "ToWords": _to_words,
    "RandomIf": _random_if,
    "FloorQuotient": _floor_quotient,
    "SecretQuotient": _secret_quotient,
    "SecretRoot": _secret_root,
    "LongDivision": _long_division,
    "Spelling": _spelling,
}
