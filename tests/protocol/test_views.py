"""What every party, and every n - 1 parties, see is uniform, on secrets chosen against it; broken masks are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smpc_sql import field
from smpc_sql.correlations.base import Correlation
from smpc_sql.correlations.bits import BitProduct, BitTriple, RandomIf
from smpc_sql.correlations.fields import FieldTriple, LiftMask, Zero
from smpc_sql.correlations.masks import PrefixMask, ShiftMask, SignMask, ZeroMask
from smpc_sql.correlations.permutations import Shuffle, ShuffledColumn
from smpc_sql.correlations.products import InnerProduct, SquarePair, Triple
from smpc_sql.correlations.tables import Choice, DigitCounts, OneHotSums, TableMask
from smpc_sql.ring import Array
from smpc_sql.session import Session
from smpc_sql.sharing import AShare
from smpc_sql.testing import run_backends
from tests.protocol.on_shares import share_bits, share_words
from tests.protocol.primitives import Case, cases
from tests.protocol.watching import LIMIT, Watching, as_bytes, independent, uniform, worst
from tests.test_correlations import dealt

TIMES = 20
CASES = cases(64, (8, 64), (8,), (127,))


def watched(program: Callable[..., Any], shares: list[Any], parties: int, exponent: int = 0) -> list[Watching]:
    """What every party saw of one run."""
    sessions: dict[int, Watching] = {}

    def play(backend: Any, *mine: Any) -> None:
        session = sessions[backend.index] = Watching(backend, exponent)
        program(session, *mine)

    run_backends(parties, play, *shares, timeout=30)
    return [sessions[index] for index in range(parties)]


def exponent_of(case: Case) -> int:
    """Of the field in which it computes, or 0."""
    return next((e for e in field.EXPONENTS if field.limbs(e) == case.sizes.get("l")), 0)


@pytest.mark.parametrize("fill", ["zeros", "greatest"])
@pytest.mark.parametrize("case", [case for case in CASES if not case.opens_places], ids=str)
def test_what_is_opened_says_nothing(case: Case, fill: str) -> None:
    for parties in (2, 3):
        views = [watched(case.program, case.shares(fill, parties), parties, exponent_of(case)) for _ in range(TIMES)]
        assert worst(views) < LIMIT


@pytest.mark.parametrize("case", [case for case in CASES if case.opens_places], ids=str)
def test_where_places_are_opened_each_party_sends_uniform_bytes(case: Case) -> None:
    """Opened places are a uniform order, and are tested as such; see test_permutation.py."""
    for parties in (2, 3):
        views = [watched(case.program, case.shares("zeros", parties), parties) for _ in range(TIMES)]
        for place in range(len(views[0][0].sent)):
            for party in range(parties):
                assert uniform(np.concatenate([run[party].sent[place] for run in views])) < LIMIT


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize("value", [0, (1 << 64) - 1])
def test_every_party_but_one_holds_uniform_shares_of_an_owners_rows(parties: int, value: int) -> None:
    words = np.full(4096, value, dtype=np.uint64)
    bits = np.full(1 << 15, value & 1, dtype=np.uint8)
    for shares in (
        [share.words.view(np.uint8) for share in share_words(words, parties)],
        [share.packed for share in share_bits(bits, parties)],
    ):
        for left_out in range(parties):
            others = [share for i, share in enumerate(shares) if i != left_out]
            assert max(uniform(share) for share in others) < LIMIT
            assert uniform(np.bitwise_xor.reduce(others)) < LIMIT
            for i, share in enumerate(others[1:], start=1):
                assert independent(share, np.bitwise_xor.reduce(others[:i])) < LIMIT


DEALT = (
    Triple(1000, 64),
    InnerProduct(200, 5, 64),
    BitTriple(1000),
    BitProduct(1, 1600, 1, 64),
    RandomIf(1600, 64),
    SignMask(1600, 64),
    ZeroMask(1600, 16),
    PrefixMask(1000, 32),
    ShiftMask(1600, 64),
    TableMask(1600, 8),
    OneHotSums(160, 8, 1),
    Zero(1000, 64, 0, 0),
    Zero(1000, 8, 1, 0),
    Zero(1000, 64, 0, 127),
    LiftMask(1600, 127),
    FieldTriple(1000, 521),
    Shuffle(1000, 1, 1, 1, 0),
    Choice(1000, 3, 2),
    Choice(1000, 3, 0),
    DigitCounts(5120, 3, 1),
    ShuffledColumn(1000, 0, 32, 0, 1),
)


@pytest.mark.parametrize("kind", DEALT, ids=str)
def test_every_party_but_one_is_dealt_uniform_shares(kind: Correlation) -> None:
    """Also the receiver of the correction, and whatever the law makes of the secret: zeros, or one-hot bits."""
    shares = dealt(kind, 3)
    for i, part in enumerate((*kind.independent, *kind.dependent)):
        if isinstance(kind, ShuffledColumn) or (isinstance(kind, Shuffle) and i >= 1 + len(kind.masks)):
            continue  # parts that not all have
        mine = [as_bytes(each[i][:, 0] if part.field else each[i]) for each in shares]
        for left_out in range(3):
            first, second = (each for party, each in enumerate(mine) if party != left_out)
            assert max(uniform(first), uniform(second), independent(first, second)) < LIMIT


# ----------------------------------------------------------------------- the same test finds masks that are broken


def no_mask(session: Session, x: AShare) -> None:
    session.deal(SquarePair(len(x), 64))
    session.open(x.words)


def half_a_mask(session: Session, x: AShare) -> None:
    a, _ = session.deal(SquarePair(len(x), 64))
    session.open(x.words - (a & np.uint64((1 << 63) - 1)))


def one_mask_for_two(session: Session, x: AShare) -> None:
    a, _ = session.deal(SquarePair(len(x), 64))
    session.open(np.concatenate([x.words - a, x.words - a]))


def one_mask_for_all(session: Session, x: AShare) -> None:
    a, _ = session.deal(SquarePair(1, 64))
    session.open(x.words - a)


def a_mask_that_all_know(session: Session, x: AShare) -> None:
    seed = np.random.default_rng(5)  # the first party alone masks, and any party can redo it
    session.open(x.words - session.public(seed.integers(0, 1 << 64, len(x), dtype=np.uint64)))


BROKEN = (no_mask, half_a_mask, one_mask_for_two, one_mask_for_all, a_mask_that_all_know)


@pytest.mark.parametrize("program", BROKEN, ids=lambda program: program.__name__)
def test_a_broken_mask_is_found(program: Callable[[Session, AShare], Array]) -> None:
    # shares as an owner's are when the secret is public: only the mask can hide it
    shares = [AShare(np.zeros(64, dtype=np.uint64))] * 2
    views = [watched(program, [shares], 2) for _ in range(TIMES)]
    assert worst(views) > 2 * LIMIT


def test_a_sound_mask_passes_on_the_same_shares() -> None:
    def sound(session: Session, x: AShare) -> None:
        a, _ = session.deal(SquarePair(len(x), 64))
        session.open(x.words - a)

    shares = [AShare(np.zeros(64, dtype=np.uint64))] * 2
    assert worst([watched(sound, [shares], 2) for _ in range(TIMES)]) < LIMIT
