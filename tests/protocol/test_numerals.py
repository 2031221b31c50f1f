"""Numbers, dates and moments read from secret texts, against what the plan's functions say."""

from __future__ import annotations

import random
from functools import partial

import numpy as np
import pytest

from smpc_sql.plan.text import DIGIT, LONE, ReadDate, ReadFields, ReadNumber, ReadTimestamp
from smpc_sql.protocol import characters, moments, numerals
from smpc_sql.schema import Text
from smpc_sql.sharing import combine_bits, combine_words
from tests.protocol.on_shares import run, share_xor
from tests.protocol.test_editing import edited
from tests.protocol.test_spelling import planes_of_texts

LENGTH = 11
NUMBERS = [
    b"", b" ", b"+", b".", b"-.", b"12", b" 12\t", b"+12", b"-12", b"--1", b"1 2", b"1.", b".5", b"-0.55 ", b"1..2",
    b"1-", b"12345678901", b"00000000001", b"0.123456789", b"1e5", b"a", b"1\n", b"\x0b\x0c\r7",
]  # fmt: skip
DATES = [
    b"2020-01-31", b" 2020-1-31", b"2020-1-1 ", b"2020/12/1", b"2020 1 2", b"2020\\1\\2", b"2020-1/2", b"2020.1.2",
    b"2020-01-311", b"202-01-01", b"2020-001-1", b"2020-1", b"", b"20200131", b"2020-1-1x", b"2020--1-1",
    b"2020-1-1  x",
]  # fmt: skip


def random_texts(letters: bytes, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    return [bytes(rng.choices(letters, k=rng.randint(0, LENGTH))) for _ in range(57)]


def test_every_character_is_of_its_kinds() -> None:
    texts = [bytes([code]) for code in range(1, 128)] + [b""]
    sets = [characters.DIGITS, characters.BLANKS, characters.END, b"+", b"azAZ", bytes(range(32, 64)), b"\x7f09"]
    shares = share_xor(planes_of_texts(texts, 1, 7), 2)
    found = run(2, lambda s, x: np.stack(characters.kinds(s, x, sets)), shares)
    bits = np.unpackbits(combine_bits([each.reshape(-1) for each in found]).reshape(len(sets), 1, -1), axis=-1)
    for codes, row in zip(sets, bits, strict=True):
        assert row.sum() == len(set(codes))


@pytest.mark.parametrize(("ones", "decimals", "parties"), [(11, 0, 2), (3, 2, 3), (1, 9, 2), (11, 11, 2)])
def test_numbers(ones: int, decimals: int, parties: int) -> None:
    texts = NUMBERS + random_texts(b"0012 .-+", 7)
    found = edited(lambda s, x: numerals.read_number(s, x, ones, decimals), texts, parties=parties)
    wanted = ReadNumber(Text(LENGTH), ones, decimals)
    for text, got in zip(texts, found, strict=True):
        expected = wanted.edit(text)
        assert got == expected or (not expected and not got[0] & 1), (text, got)


def test_dates() -> None:
    texts = DATES + random_texts(b"012-/ ", 3) + random_texts(b"0123456789", 5)
    texts += [b" " * (i % 2) + text[:4] + b"-" + text[4:6] + b"-" + text[6:8] for i, text in enumerate(texts[-57:])]
    texts = [text[:LENGTH] for text in texts][:80]
    found = edited(moments.read_date, texts)
    for text, got in zip(texts, found, strict=True):
        expected = ReadDate(Text(LENGTH)).edit(text)
        assert got == expected or (not expected and not got[0] & 1), (text, got)


def moments_to_read() -> list[bytes]:
    """Texts at the edge of the form, and parts of others put together."""
    rng = random.Random(11)
    parts = [
        (b"", b"", b" ", b"\t "), (b"2020", b"0001", b"20200"), (b"-", b"/", b" "), (b"1", b"02", b"99", b"x"),
        (b"-", b"/", b" "), (b"1", b"31", b"310"), (b" ", b"T", b"\n", b"", b"  "), (b"1", b"23", b"24", b"", b"010"),
        (b":", b":", b":", b""), (b"5", b"59", b"", b"z"), (b":", b":", b"", b"."), (b"0", b"07", b"60", b""),
        (b".", b".", b"", b":"), (b"", b"5", b"123456", b"1234567", b"12x"),
        (b"", b"", b"Z", b" ", b"Z  ", b"z", b" Z"),
    ]  # fmt: skip
    texts = [b"".join(rng.choice(some) for some in parts) for _ in range(200)]
    plain = [b"".join(some[min(1, rng.randint(0, 5))] for some in parts) for _ in range(100)]
    whole = b"2020-01-31 10:11:12.123456"
    cut = (whole[:i] for i in range(len(whole) + 1))
    return [*DATES, *cut, whole + b"7Z", b"2020-1-1 1:2:3Z", *texts, *plain]


@pytest.mark.parametrize(("length", "parties", "loose"), [(30, 2, False), (30, 2, True), (10, 2, False), (17, 3, True)])
def test_moments(length: int, parties: int, loose: bool) -> None:
    texts = [text for text in moments_to_read() if len(text) <= length]
    texts = texts[: len(texts) // 8 * 8]
    wanted = [ReadTimestamp(Text(length), loose).edit(text) for text in texts]
    read = partial(moments.read_timestamp, loose=loose)
    found = edited(read, texts, lengths=(length,), parties=parties)
    for text, expected, got in zip(texts, wanted, found, strict=True):
        assert got == expected or (not expected and not got[0] & 1), (text, got)
    assert 3 < sum(map(bool, wanted)) < len(texts) - 3


@pytest.mark.parametrize(
    ("form", "parties"),
    [
        ((LONE, DIGIT, 46, LONE, DIGIT, 46, *[DIGIT] * 4), 2),
        ((*[DIGIT] * 4, LONE, DIGIT, LONE, DIGIT), 3),
        ((LONE, DIGIT, 32), 2),
    ],
)
def test_fields(form: tuple[int, ...], parties: int) -> None:
    texts = [
        b"31.12.2020",
        b"1.2.2020",
        b" 1.12.2020\t",
        b"1.2.202",
        b"1.2.20201",
        b"001.2.2020",
        b"1 .2.2020",
        b"1.2.2020 x",
    ]
    texts += [b"20200131", b"2020131", b"202011", b"20201", b" 20201231 ", b"12 ", b"1\t ", b" 1 1"]
    texts += random_texts(b"0123 .", 9)[:32]
    texts = [text[:LENGTH] for text in texts]
    wanted = [ReadFields(Text(LENGTH), form).edit(text) for text in texts]
    found = edited(partial(moments.read_fields, form=form), texts, parties=parties)
    for text, expected, got in zip(texts, wanted, found, strict=True):
        assert got == expected or (not expected and not got[0] & 1), (text, got)
    assert sum(map(bool, wanted)) > 1


def test_the_number_of_digits() -> None:
    texts = [b"00000000000", b"12345678901", b"99999999999", b"00000000007"] * 2
    found = run(2, numerals.digits, share_xor(planes_of_texts(texts, LENGTH, 7), 2))
    assert combine_words(found).tolist() == [int(text) for text in texts]
