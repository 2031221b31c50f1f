"""Every primitive as a program with inputs of a size, for the tests of prices, transcripts and of what parties see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from smpc_sql.field import limbs, modulus
from smpc_sql.protocol import (
    arithmetic,
    automata,
    bits,
    boolean,
    characters,
    columns,
    comparison,
    counting,
    division,
    editing,
    expansion,
    extremes,
    fractions,
    grouping,
    long_division,
    lookup,
    matching,
    moments,
    numerals,
    permutation,
    ranking,
    rewriting,
    sorting,
    spelling,
)
from smpc_sql.protocol.dense_ranks import sort_by_ranks
from smpc_sql.protocol.permutation import Rows, rows_of
from smpc_sql.ring import Array, lane_for
from tests.protocol.on_shares import share_bits, share_field, share_words, share_xor

FILLS = ("zeros", "greatest", "random")


@dataclass(frozen=True, slots=True)
class Input:
    """A secret argument. kind: words, bits (packed), xor (words shared by XOR), field, flags (bytes 0 or 1, by XOR)."""

    kind: str
    shape: tuple[int, ...]
    lane: int = 64
    limit: int | None = None

    def shares(self, fill: str, parties: int) -> Sequence[Any]:
        """One share for each party of secrets that are all 0, all the greatest that is allowed, or random."""
        most = self.limit if self.limit is not None else (1 << (1 if self.kind in ("bits", "flags") else self.lane)) - 1
        if self.kind == "field":
            p = modulus(self.lane)
            values = {"zeros": 0, "greatest": p - 1, "random": p // 3}
            return share_field([values[fill]] * self.shape[0], self.lane, parties)
        secret = np.full(self.shape, most if fill == "greatest" else 0, dtype=np.uint64)
        if fill == "random":
            secret = np.random.default_rng(11).integers(0, most, self.shape, dtype=np.uint64, endpoint=True)
        match self.kind:
            case "words":
                return share_words(secret, parties, self.lane)
            case "bits":
                return share_bits(secret.astype(np.uint8), parties)
            case "flags":
                return [share & 1 for share in share_xor(secret.astype(np.uint8), parties)]
            case _:
                return share_xor(secret, parties)


@dataclass(frozen=True, slots=True)
class Case:
    """A primitive at one size. name: as in docs/protocols.md. sizes: what its letters in the formulas stand for."""

    name: str
    program: Callable[..., Any]
    inputs: tuple[Input, ...]
    sizes: dict[str, int] = field(default_factory=dict)
    opens_places: bool = False

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{letter}={size}' for letter, size in self.sizes.items())})"

    def shares(self, fill: str, parties: int) -> list[Sequence[Any]]:
        """Every input's shares."""
        return [each.shares(fill, parties) for each in self.inputs]


def _pairs(width: int, groups: int) -> int:
    """How many pairs a tournament compares, each level's rounded up to a multiple of 8."""
    total = 0
    while width > 1:
        total += groups * (-(-(width // 2) // 8) * 8)
        width -= width // 2
    return total


def _lanes(n: int, lane: int) -> list[Case]:
    words = Input("words", (n,), lane)
    rows = Input("words", (64, n // 64), lane)
    return [
        Case("arithmetic.multiply", arithmetic.multiply, (words, words), {"n": n, "L": lane}),
        Case("arithmetic.square", arithmetic.square, (words,), {"n": n, "L": lane}),
        Case("arithmetic.inner_product", arithmetic.inner_product, (rows, rows), {"k": 64, "n": n // 64, "L": lane}),
        Case("arithmetic.square_sum", arithmetic.square_sum, (rows,), {"k": 64, "n": n // 64, "L": lane}),
        Case(
            "arithmetic.scaled_product",
            arithmetic.scaled_product,
            (rows, Input("words", (64,), lane)),
            {"k": 64, "n": n // 64, "L": lane},
        ),
        Case(
            "arithmetic.matrix_product",
            arithmetic.matrix_product,
            (Input("words", (8, n // 8), lane), Input("words", (n // 8, 8), lane)),
            {"r": 8, "m": n // 8, "c": 8, "L": lane},
        ),
        Case(
            "arithmetic.bit_product",
            arithmetic.bit_product,
            (Input("bits", (1, n)), Input("words", (1, 3, n), lane)),
            {"n": n, "m": 3, "L": lane},
        ),
        Case(
            "arithmetic.to_words",
            lambda session, share: arithmetic.to_words(session, share, lane),
            (Input("bits", (n,)),),
            {"n": n, "L": lane},
        ),
        *([Case("arithmetic.random_if", arithmetic.random_if, (Input("bits", (n,)),), {"n": n})] if lane == 64 else []),
        Case("comparison.negative", comparison.negative, (words,), {"n": n, "L": lane}),
        Case("comparison.less_than", comparison.less_than, (words, words), {"n": n, "L": lane}),
        Case("comparison.is_zero", comparison.is_zero, (words,), {"n": n, "L": lane}),
        Case(
            "extremes.smaller",
            lambda session, a, b: extremes.smaller(session, a, b, lane),
            (Input("words", (1, n), limit=(1 << (lane - 1)) - 1), Input("words", (1, n), limit=(1 << (lane - 1)) - 1)),
            {"n": n, "L": lane},
        ),
        Case(
            "extremes.minimum",
            lambda session, x: extremes.minimum(session, x, lane),
            (Input("words", (n // 8, 19), limit=(1 << (lane - 1)) - 1),),
            {"n": 19, "q": _pairs(19, n // 8), "L": lane},
        ),
        Case(
            "division.divide",
            lambda session, x, y: division.divide(session, x.words, y.words, 3, lane),
            (Input("words", (n,), limit=(1 << (lane - 5)) - 1), Input("words", (n,), limit=(1 << (lane - 5)) - 1)),
            {"n": n, "u": 3, "t": 3, "L": lane},
        ),
        Case(
            "division.reached",
            lambda session, x, y: division.reached(session, x.words, y.words, 2, lane),
            (Input("words", (1, n), limit=(1 << (lane - 5)) - 1), Input("words", (1, n), limit=(1 << (lane - 5)) - 1)),
            {"n": n, "t": 3, "L": lane},
        ),
        Case(
            "division.places",
            lambda session, x, y: division.places(session, x.words, y.words, 3, lane, 2),
            (Input("words", (n,), limit=(1 << (lane - 5)) - 1), Input("words", (n,), limit=(1 << (lane - 5)) - 1)),
            {"n": n, "u": 2, "t": 4, "L": lane},
        ),
        Case(
            "division.root",
            lambda session, x: division.root(session, x.words, lane // 2 - 1, lane),
            (Input("words", (n,), limit=(1 << (lane - 2)) - 1),),
            {"n": n, "u": lane // 2 - 1, "L": lane},
        ),
        Case("bits.decompose", lambda session, x: bits.decompose(session, x.words), (words,), {"n": n, "L": lane}),
    ]


def _domains(n: int, width: int) -> list[Case]:
    codes = Input("words", (n,), limit=(1 << width) - 1)
    sizes = {"n": n, "b": width, "B": 1 if width <= 8 else 2}
    tables = [[[1, 0, 1], [0, 1]]]
    return [
        Case(
            "lookup.truth_tables",
            lambda session, x: lookup.truth_tables(session, x, width, tables),
            (Input("words", (1, n), limit=(1 << width) - 1),),
            sizes,
        ),
        Case("lookup.one_hot", lambda session, x: lookup.one_hot(session, x, width, 5), (codes,), sizes),
        Case(
            "grouping.group_sums",
            lambda session, key, measures: grouping.group_sums(session, key, width, measures),
            (codes, Input("words", (2, n))),
            {**sizes, "m": 2},
        ),
    ]


def _fields(n: int, exponent: int) -> list[Case]:
    elements = Input("field", (n,), exponent)
    sizes = {"n": n, "l": limbs(exponent)}
    return [
        Case(
            "fractions.lift",
            lambda session, x: fractions.lift(session, x, exponent),
            (Input("words", (n,), limit=(1 << 62) - 1),),
            sizes,
        ),
        Case(
            "fractions.multiply",
            lambda session, x, y: fractions.multiply(session, x, y, exponent),
            (elements, elements),
            sizes,
        ),
        Case(
            "fractions.blind",
            lambda session, x, y, z: fractions.blind(session, x, y, z, exponent),
            (elements, elements, elements),
            sizes,
        ),
    ]


def _quotients(n: int) -> list[Case]:
    return [
        Case(
            "division.divide_by_public",
            lambda session, x: division.divide_by_public(session, x.words, 30, 0, 100),
            (Input("words", (n,), limit=100),),
            {"n": n, "s": 3, "L": 8},
        ),
        *(_shift(n, lane) for lane in (16, 32, 64)),
        *(_long(n, step, lane, width) for step, lane, width in ((1, 32, 30), (4, 64, 40))),
    ]


def _long(n: int, step: int, lane: int, width: int) -> Case:
    """Numbers of 40 bits in two digits, by two words, to 24 binary places."""
    steps = 40 // step + 24 // step
    return Case(
        "long_division.divide_digits",
        lambda session, x, y: long_division.divide_digits(session, x.words, y.words, 40, 24, step, width),
        (Input("words", (2, n), limit=(1 << 16) - 1), Input("words", (2, n), limit=(1 << width) - 1)),
        {"n": n, "u": steps + 1, "t": 2 * steps * ((1 << step) - 1), "c": 2, "b": 40, "L": lane},
    )


def _shift(n: int, lane: int) -> Case:
    return Case(
        "division.shift",
        lambda session, x: division.shift(session, x.words, lane // 2 - 3, 0, lane),
        (Input("words", (n,), limit=(1 << (lane - 3)) - 1),),
        {"n": n, "L": lane},
    )


def _moves(n: int) -> list[Case]:
    words, key, ids = Input("words", (3, n)), Input("xor", (2, n)), Input("words", (1, n), 32)
    sizes = {"n": n, "w": 3, "x": 2, "y": 1}
    key_parts = (Input("xor", (n,)), Input("xor", (n,)))
    pairs = {"n": n, "c": n * (n - 1) // 2}

    def rows(program: Callable[..., Any]) -> Callable[..., Any]:
        return lambda session, a, b, c, *more: program(
            session, rows_of(n, words=a.words, bits=b, places=c.words), *more
        )

    def ordered(program: Callable[..., Any]) -> Callable[..., Any]:
        """Destinations that are a permutation: here that which turns all around."""
        return lambda session, *mine: program(
            session, *mine, session.public(np.arange(n, dtype=np.uint32)[::-1].copy())
        )

    def sort(session: Any, first: Array, second: Array) -> Any:
        return sorting.sort_by_digits(session, [sorting.KeyPart(first, 3), sorting.KeyPart(second, 5)])

    def sort_few(session: Any, first: Array, second: Array) -> Any:
        return sorting.sort_by_pairs(session, [sorting.KeyPart(first, 3), sorting.KeyPart(second, 5)])

    def sort_long(session: Any, first: Array, second: Array) -> Any:
        return sort_by_ranks(session, [sorting.KeyPart(first, 16), sorting.KeyPart(second, 64)], (4,))

    def in_order(session: Any, rows: Rows, ids: Array) -> Any:
        return sorting.in_order(session, rows, [sorting.KeyPart(rows.bits[0], 64)], ids)

    def shares_of(rows: Rows) -> list[columns.Shares]:
        every = zip((rows.words, rows.bits, rows.places), (False, True, False), strict=True)
        return [columns.Shares(column, xor) for part, xor in every for column in part]

    def shuffled_columns(session: Any, rows: Rows) -> Any:
        return columns.shuffled_columns(session, shares_of(rows))

    def routed_columns(session: Any, rows: Rows, places: Array) -> Any:
        return columns.routed_columns(session, [*shares_of(rows), columns.Shares(places, xor=False)])

    inputs = (words, key, ids)
    return [
        Case("permutation.shuffle", rows(permutation.shuffle), inputs, sizes),
        Case("permutation.route", ordered(rows(permutation.route)), inputs, sizes, opens_places=True),
        Case("columns.shuffled_columns", rows(shuffled_columns), inputs, sizes),
        Case("columns.routed_columns", ordered(rows(routed_columns)), inputs, sizes, opens_places=True),
        Case(
            "counting.digit_counts",
            lambda session, digits: counting.digit_counts(
                session, digits.astype(np.uint8), 3, session.parties - 1, len(digits)
            ),
            (Input("xor", (8 * n,)),),
            {"n": 8 * n, "d": 3},
        ),
        Case(
            "sorting.partition_destinations",
            sorting.partition_destinations,
            (Input("flags", (n,)),),
            {"n": n, "d": 1},
        ),
        Case(
            "sorting.partition_destinations",
            lambda session, digits: sorting.partition_destinations(session, digits.astype(np.uint8), 3),
            (Input("xor", (n,)),),
            {"n": n, "d": 3},
        ),
        Case("sorting.partition", rows(sorting.partition), (*inputs, Input("flags", (n,))), sizes, opens_places=True),
        Case("sorting.sort_by_digits", sort, key_parts, {"n": n, "k": 2, "d": 4, "b": 1}, opens_places=True),
        Case(
            "ranking.ranks_by_pairs",
            ranking.ranks_by_pairs,
            (Input("xor", (1, n)),),
            {**pairs, "k": 1, "L": 64, "f": 10},
        ),
        Case(
            "ranking.ranks_by_pairs",
            ranking.ranks_by_pairs,
            (Input("xor", (3, n)),),
            {**pairs, "k": 3, "L": 64, "f": 10},
        ),
        Case(
            "ranking.winners",
            lambda session, key, words: ranking.winners(session, key, words.words),
            (Input("xor", (2, n, 4)), Input("words", (3, n, 4))),
            {"n": n, "g": 4, "k": 2, "w": 3, "L": 64, "f": 10, "c": 6 * n},
        ),
        Case("sorting.sort_by_pairs", sort_few, key_parts, {**pairs, "k": 2, "L": 8, "f": 3}, opens_places=True),
        Case(
            "dense_ranks.sort_by_ranks",
            sort_long,
            key_parts,
            {"n": n, "g": 4, "k": 5, "d": 4, "b": 6, "L": 32, "M": 16, "h": 9, "e": 22},
            opens_places=True,
        ),
        Case("sorting.to_old_places", ordered(rows(sorting.to_old_places)), inputs, sizes, opens_places=True),
        Case("sorting.in_order", ordered(rows(in_order)), inputs, sizes, opens_places=True),
        Case("sorting.destinations_of", ordered(sorting.destinations_of), (), {"n": n}, opens_places=True),
    ]


def _expansions(n: int) -> list[Case]:
    """n rows and as many slots."""
    offsets, bits = Input("words", (n,), 32, limit=n), n.bit_length()
    sizes = {"n": n, "z": n, "u": bits, "L": lane_for(bits + 1)}
    words = Input("words", (3, n))

    def expand(session: Any, words: Any, xor: Any, offsets: Any) -> Any:
        return expansion.expand(session, rows_of(n, words=words.words, bits=xor), offsets.words, n)

    return [
        Case("expansion.spread", lambda session, x: expansion.spread(session, x.words, n), (offsets,), sizes),
        Case(
            "expansion.expand",
            expand,
            (words, Input("xor", (2, n)), offsets),
            {**sizes, "w": 3, "x": 2},
            opens_places=True,
        ),
        Case(
            "expansion.carry",
            lambda session, words, marks: expansion.carry(session, words.words, marks),
            (words, Input("flags", (n,))),
            {"n": n, "w": 3},
            opens_places=True,
        ),
    ]


def _logic(n: int) -> list[Case]:
    flag = Input("bits", (n,))
    words = Input("xor", (n,))
    return [
        Case(
            "boolean.conjunction", lambda session, x, y: boolean.conjunction(session, [(x, y)]), (flag, flag), {"n": n}
        ),
        Case("boolean.all_of", lambda session, *x: boolean.all_of(session, x), (flag,) * 5, {"n": n, "t": 5}),
        Case("boolean.any_of", lambda session, *x: boolean.any_of(session, x), (flag,) * 4, {"n": n, "t": 4}),
        Case("bits.conjunction_words", bits.conjunction_words, (words, words), {"n": n, "L": 64}),
        Case(
            "bits.compress",
            lambda session, x: bits.compress(session, x, 72),
            (Input("xor", (3, n)),),
            {"k": 3, "u": 72},
        ),
        Case("bits.words_are_zero", bits.words_are_zero, (Input("xor", (3, n)),), {"n": n, "k": 3}),
    ]


def _texts(n: int) -> list[Case]:
    """'%ab%' in 8 characters: 7 places; 24 pairs of bits, 22 halves, 14 characters, 7 windows, an OR of 7."""
    planes = Input("bits", (8, 7, n))
    segments = ((), (ord("a"), ord("b")), ())

    def bits(program: Callable[..., Any]) -> Callable[..., Any]:
        return lambda session, x, *more: program(session, x.packed, *more)

    return [
        Case(
            "spelling.spell",
            lambda session, x: spelling.spell(session, x.words, (7, 7), 7),
            (Input("words", (2, n), limit=(1 << 56) - 1),),
            {"n": n, "k": 2, "L": 64},
        ),
        Case(
            "spelling.join_words",
            bits(lambda session, x: spelling.join_words(session, x, (7,))),
            (Input("bits", (7, 7, n)),),
            {"n": n, "c": 7, "w": 7},
        ),
        Case(
            "matching.match",
            bits(lambda session, x: matching.match(session, x, segments, fold=False)),
            (planes,),
            {"n": n, "a": 24 + 22 + 14 + 7 + 6, "r": 3 + 1 + 3},
        ),
        Case("matching.prefix_or", bits(matching.prefix_or), (Input("bits", (8, n)),), {"n": n, "a": 12, "r": 3}),
        Case(
            "matching.occurrences",
            bits(lambda session, x: matching.occurrences(session, x, b"ab")),
            (planes,),
            {"n": n, "a": 24 + 22 + 14 + 7, "r": 3 + 1},
        ),
        Case(
            "automata.accepts",
            bits(lambda s, x: automata.accepts(s, x, ((((97,), 1),), (((98,), 2),), ()), (2,))),
            (planes,),
            {"n": n, "a": 8 * (3 + 2 + 1 + 2) + 7 * 2, "r": 3 + 7},
        ),
        *_edits(n, planes, bits),
        *_rewriting(n, planes, bits),
        *_reading(n, planes, bits),
    ]


def _reading(n: int, planes: Input, bits: Callable[..., Any]) -> list[Case]:
    """Of 8 characters of 7 bits, into 3 digits before the point and 2 behind it, and one to round by."""
    kinds, spaces, between = 8 * (3 + 5 + 3 + 4), 8 * (3 + 3 + 2 + 2), 10 * (3 + 7 + 4 + 6)
    ends, every = 3 * 12 + 6 * 8 + 8, 8 + 8 + 8 + 5 * 4 - 1 + 7 + 1
    number = 8 * (3 + 7 + 3 + 7) + ends + 2 * 4 * 8 + 4 * 2 * 4 * 8 + every
    moment = 8 * 30 + 2 * 12 + 2 * 8 + 4 * 8 * 15 + (5 * 26 - 5 - 8 - 11 - 14 - 17) * 15 + 7 + 26 + 5 + 5 + 12 * 4 + 1
    fields = 8 * 16 + 2 * 12 + 8 + 4 * 8 * 8 + 9 * 8 + 4
    moment_rounds = 3 + 3 + 1 + 4 + 5 + 3 + 4 + 3 + 1 + 1
    date = spaces + 12 + 4 * 8 * 7 + between + (2 * 10 - 5 - 8) * 10 + 8 + 7
    sets = (characters.DIGITS, characters.BLANKS, b"+")
    return [
        Case(
            "characters.kinds",
            bits(lambda s, x: np.stack(characters.kinds(s, x, sets))),
            (planes,),
            {"n": n, "a": kinds, "r": 3},
        ),
        Case(
            "numerals.read_number",
            bits(lambda s, x: numerals.read_number(s, x, 3, 2)),
            (planes,),
            {"n": n, "a": number, "r": 3 + 3 + 1 + 1 + 4 + 6 + 1},
        ),
        Case("moments.read_date", bits(moments.read_date), (planes,), {"n": n, "a": date, "r": 3 + 3 + 4 + 3 + 2 + 4}),
        Case(
            "moments.read_timestamp", bits(moments.read_timestamp), (planes,), {"n": n, "a": moment, "r": moment_rounds}
        ),
        Case(
            "moments.read_fields",
            bits(lambda s, x: moments.read_fields(s, x, (moments.LONE, moments.DIGIT, 46, moments.DIGIT))),
            (planes,),
            {"n": n, "a": fields, "r": 3 + 3 + 1 + 4 + 1 + 3},
        ),
        Case("numerals.digits", bits(numerals.digits), (planes,), {"n": n, "c": 8}),
    ]


def _rewriting(n: int, planes: Input, bits: Callable[..., Any]) -> list[Case]:
    """Of 8 characters of 7 bits: a character is looked for with 6 ANDs, counts of 8 have 4 digits."""
    there, moved, found = 8 * 6, 4 * 8 * 7, 8 * (3 + 2 + 1)
    count, compare, close = 3 * 8, (2 + 1) * 2 * 8, 4 * 8 + (10 + 9 + 8 + 7) * 8
    rewritings: list[tuple[str, Callable[..., Any], int, int]] = [
        (
            "part",
            lambda s, x: rewriting.part(s, x, b"-", 2),
            found + count + compare + 8 + 56 + moved,
            3 + 3 + 2 + 2 + 4,
        ),
        ("replaced", lambda s, x: rewriting.replaced(s, x, b"-", b""), found + count + close, 3 + 3 + 5),
        (
            "exchanged",
            lambda s, x: rewriting.exchanged(s, x, [((97,), 98), ((32,), None)]),
            8 * (3 + 2 + 2 + 2) + count + close,
            3 + 3 + 5,
        ),
        ("backwards", rewriting.backwards, there + moved, 3 + 4),
        ("padded_left", lambda s, x: rewriting.padded_left(s, x, 8, b"0"), there + moved, 3 + 4),
    ]
    rows = Input("bits", (4, 8, n))
    position = {"n": n, "a": 24 + 22 + 14 + 7 + 9, "c": 3, "r": 3 + 1 + 3 + 1}
    return [
        *(Case(f"rewriting.{name}", bits(f), (planes,), {"n": n, "a": a, "r": r}) for name, f, a, r in rewritings),
        Case("rewriting.position", bits(lambda s, x: rewriting.position(s, x, b"ab")), (planes,), position),
        Case("rewriting.first_code", bits(rewriting.first_code), (planes,), {"n": n, "c": 7}),
        Case("rewriting.counted", bits(lambda s, x: rewriting.counted(s, x[0], 8)), (rows,), {"n": n, "a": 24, "r": 3}),
        Case(
            "rewriting.compared",
            bits(lambda s, x: np.stack(rewriting.compared(s, x, 5))),
            (rows,),
            {"n": n, "a": compare, "r": 2},
        ),
    ]


def _edits(n: int, planes: Input, bits: Callable[..., Any]) -> list[Case]:
    """Of 8 characters of 7 bits: whether there is one takes 6 ANDs each, and moving them one for each bit and digit."""
    there, moved = 8 * 6, 8 * 7
    editings: list[tuple[str, Callable[..., Any], int, int]] = [
        ("present", editing.present, there, 3),
        ("changed_case", lambda s, x: editing.changed_case(s, x, True), 8 * 10, 5),
        ("affixed", lambda s, x: editing.affixed(s, x, b"<", b">"), there, 3),
        ("clipped", lambda s, x: editing.clipped(s, x, 6, 1), there + 6 * 7, 4),
        ("tail", lambda s, x: editing.tail(s, x, 3), there + 3 * moved, 3 + 3),
        ("trimmed", lambda s, x: editing.trimmed(s, x, True, True), 2 * there + 2 * 12 + 5 * moved, 2 * 3 + 2 * 3 + 5),
        ("numeral", lambda s, x: editing.numeral(s, x, True, 2), 5 * 3 + 5 + 3 * 7 * 7 + moved, 2 + 3 + 3 + 1),
        ("joined", lambda s, x: editing.joined(s, x, x), there + 4 * 2 * moved, 3 + 4),
    ]
    cases = [Case(f"editing.{name}", bits(f), (planes,), {"n": n, "a": a, "r": r}) for name, f, a, r in editings]
    return [*cases, Case("editing.lengths", bits(editing.lengths), (planes,), {"n": n, "a": there, "c": 8})]


def cases(n: int, lanes: Sequence[int], widths: Sequence[int], exponents: Sequence[int]) -> list[Case]:
    """Every primitive for n elements (a multiple of 64), in these lanes, bits of a domain, and fields."""
    found = [*_logic(n), *_moves(n), *_expansions(n), *_quotients(n), *_texts(n)]
    for lane in lanes:
        found += _lanes(n, lane)
    for width in widths:
        found += _domains(n, width)
    for exponent in exponents:
        found += _fields(n, exponent)
    return found
