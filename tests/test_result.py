"""Shares of a result become rows, in order, and rows become Python and pandas values; DuckDB judges."""

from __future__ import annotations

import datetime
import decimal
import secrets
from collections.abc import Sequence
from fractions import Fraction as Ratio
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpc_sql.errors import InternalError, PeerError, QueryError
from smpc_sql.plan.delivery import Delivery, Fraction, LocalSortKey, OutputColumn
from smpc_sql.plan.expressions import Column
from smpc_sql.plan.relations import Field, Scan
from smpc_sql.result import QueryStats, Result, decode
from smpc_sql.ring import Array, pack, pad_rows
from smpc_sql.schema import Boolean, Date, Decimal, Double, Enum, Integer, Interval, SqlType, type_bounds
from smpc_sql.sharing import split_bits, split_words

STATS = QueryStats(0.5, 12, (100, 120), 64)
BOUND = Interval(-1000, 1000)
SOME_RATIOS = [Ratio(1, 3), Ratio(-1, 2), Ratio(2), None]
OWNER = Field("owner", Enum(("",)), False, Interval(0, 0), public=True)


def field(name: str, type_: SqlType, *, nullable: bool = False) -> Field:
    return Field(name, type_, nullable, type_bounds(type_))


def delivery(
    fields: Sequence[Field], fractions: int = 0, *, bits: int = 127, root: bool = False, ranked: bool = False,
    order: Sequence[LocalSortKey] = (),
) -> Delivery:  # fmt: skip
    """All fields as words, then so many fractions."""
    scan = Scan("t", (*fields, OWNER), (("", 100),))
    integer = Column(0, "n", Integer(64), False, BOUND)
    outputs = [OutputColumn(f.name, f.type, "word", (place,), f.nullable) for place, f in enumerate(fields)]
    outputs += [OutputColumn(f"q{k}", Double(), "root" if root else "fraction", (k,), True) for k in range(fractions)]
    return Delivery(scan, tuple(outputs), (Fraction(integer, integer, bits),) * fractions, tuple(order), ranked)


def share_elements(values: Sequence[tuple[int, int]], bits: int, parties: int) -> list[Array]:
    """Pairs of field elements -> every party's limbs [2, rows, limbs]."""
    modulus, limbs = (1 << bits) - 1, -(-bits // 64)
    out = [np.zeros((2, len(values), limbs), np.uint64) for _ in range(parties)]
    for row, pair in enumerate(values):
        for part, value in enumerate(pair):
            shares = [secrets.randbelow(modulus) for _ in range(parties - 1)]
            for party, share in enumerate([*shares, (value - sum(shares)) % modulus]):
                out[party][part, row] = np.frombuffer(share.to_bytes(8 * limbs, "little"), np.uint64)
    return out


def send(
    what: Delivery,
    valid: Sequence[int],
    words: Sequence[Sequence[int | None]],
    ratios: Sequence[Sequence[Ratio | None]] = (),
    ranks: Sequence[int] | None = None,
    parties: int = 3,
) -> dict[str, list[Array]]:
    """What the parties send for these columns."""

    def bits(values: Sequence[Any]) -> list[Array]:
        return split_bits(pack(pad_rows(np.array([bool(value) for value in values], np.uint8))), parties)

    def additive(values: Sequence[int | None]) -> list[Array]:
        return split_words(np.array([value or 0 for value in values], np.int64).view(np.uint64), parties)

    pieces = [bits(valid)]
    if ranks is not None:
        pieces.append(additive(ranks))
    for place, values in zip(what.words, words, strict=True):
        pieces.append(additive(values))
        if what.relation.fields[place].nullable:
            pieces.append(bits([value is None for value in values]))
    for fraction, column in zip(what.fractions, ratios, strict=True):
        modulus = (1 << fraction.field_bits) - 1
        pairs = []
        for ratio in column:
            rho = 1 + secrets.randbelow(modulus - 1)
            pair = (0, 0) if ratio is None else (ratio.numerator, ratio.denominator)
            pairs.append((pair[0] * rho % modulus, pair[1] * rho % modulus))
        pieces.append(share_elements(pairs, fraction.field_bits, parties))
    return {f"party_{k}": [piece[k] for piece in pieces] for k in range(parties)}


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_every_type_comes_back(parties: int) -> None:
    what = delivery(
        [
            field("i", Integer(64)),
            field("d", Decimal(5, 2), nullable=True),
            field("b", Boolean(), nullable=True),
            field("t", Date()),
            field("e", Enum(("F", "M"))),
        ],
        1,
    )
    columns = [[-(2**63), 2**63 - 1, 5], [None, -125, 7], [1, None, 0], [0, -1, 19782], [1, 0, 0]]
    sent = send(what, [1, 1, 0], columns, [[Ratio(1, 3), None, Ratio(2)]], parties=parties)
    result = decode(what, sent, STATS)
    assert result.fetchall() == [
        (-(2**63), None, True, datetime.date(1970, 1, 1), "M", 1 / 3),
        (2**63 - 1, decimal.Decimal("-1.25"), None, datetime.date(1969, 12, 31), "F", None),
    ]
    assert result.columns == ["i", "d", "b", "t", "e", "q0"]
    assert [str(type_) for type_ in result.types] == [
        "BIGINT",
        "DECIMAL(5,2)",
        "BOOLEAN",
        "DATE",
        "ENUM('F', 'M')",
        "DOUBLE",
    ]
    assert result.stats is STATS


@pytest.mark.parametrize("bits", [127, 521, 1279])
@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(1, 1000)), min_size=1, max_size=10))
def test_quotients_are_correctly_rounded(bits: int, pairs: list[tuple[int, int]]) -> None:
    what = delivery([field("i", Integer(8))], 1, bits=bits)
    ratios = [Ratio(*pair) for pair in pairs]
    result = decode(what, send(what, [1] * len(pairs), [[0] * len(pairs)], [ratios]), STATS)
    assert [row[1] for row in result] == [n / d for n, d in pairs]


def test_roots() -> None:
    what = delivery([], 1, root=True)
    sent = send(what, [1, 1, 1], [], [[Ratio(2), None, Ratio(9, 4)]])
    assert decode(what, sent, STATS).fetchall() == [(2**0.5,), (None,), (1.5,)]
    with pytest.raises(QueryError, match="q0: the square root of a negative number"):
        decode(what, send(what, [1], [], [[Ratio(-1)]]), STATS)


def test_one_field_in_two_columns() -> None:
    base = delivery([field("i", Integer(8))])
    twice = Delivery(base.relation, (*base.columns, OutputColumn("j", Integer(8), "word", (0,), False)), (), (), False)
    assert decode(twice, send(twice, [1], [[7]]), STATS).fetchall() == [(7, 7)]


def test_ranks_order_the_valid_rows() -> None:
    what = delivery([field("i", Integer(8))], 1, ranked=True)
    sent = send(what, [1, 0, 1, 1], [[10, 11, 12, 13]], [[Ratio(k) for k in range(4)]], ranks=[2, 0, 0, 1])
    assert decode(what, sent, STATS).fetchall() == [(12, 2.0), (13, 3.0), (10, 0.0)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-2, 2) | st.none(), st.sampled_from(SOME_RATIOS)), max_size=12),
    st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
def test_order_is_duckdbs(
    rows: list[tuple[int | None, Ratio | None]], first: bool, desc0: bool, desc1: bool, nulls0: bool, nulls1: bool
) -> None:
    keys = [LocalSortKey(0, desc0, nulls0), LocalSortKey(2, desc1, nulls1)]
    if first:
        keys.reverse()
    what = delivery([field("i", Integer(8), nullable=True), field("row", Integer(64))], 1, order=keys)
    places = list(range(len(rows)))
    result = decode(what, send(what, [1] * len(rows), [[i for i, _ in rows], places], [[q for _, q in rows]]), STATS)
    frame = pd.DataFrame(
        {
            "i": pd.array([i for i, _ in rows], "Int64"),
            "row": pd.array(places, "Int64"),
            "q": np.array([np.nan if q is None else float(q) for _, q in rows], np.float64),
        }
    )
    by = [
        f"{'iq'[k.output > 0]} {'DESC' if k.descending else 'ASC'} NULLS {'FIRST' if k.nulls_first else 'LAST'}"
        for k in keys
    ]
    with duckdb.connect() as con:
        con.register("frame", frame)
        judged = con.execute(
            f'SELECT i, "row", CASE WHEN isnan(q) THEN NULL ELSE q END AS q FROM frame ORDER BY {", ".join(by)}, "row"'
        )
        assert result.fetchall() == judged.fetchall()


def test_order_is_exact_where_doubles_are_equal() -> None:
    what = delivery([field("i", Integer(8))], 1, bits=1279, order=[LocalSortKey(1, False, False)])
    huge = Column(0, "n", Integer(64), False, Interval(-(10**40), 10**40))
    what = Delivery(what.relation, what.columns, (Fraction(huge, huge, 1279),), what.order, False)
    sent = send(what, [1, 1], [[1, 2]], [[Ratio(10**30 + 1, 10**30), Ratio(1)]])
    assert decode(what, sent, STATS).fetchall() == [(2, 1.0), (1, 1.0)]


def test_no_rows_and_no_valid_rows() -> None:
    what = delivery([field("i", Integer(8), nullable=True)], 1)
    for count in (0, 5, 8):
        result = decode(what, send(what, [0] * count, [[None] * count], [[None] * count]), STATS)
        assert (result.fetchall(), len(result), result.fetchone()) == ([], 0, None)
        assert list(result.df().columns) == ["i", "q0"]
        assert "0 rows" in repr(result)


def broken(sent: dict[str, list[Array]], place: int, piece: Array | None) -> dict[str, list[Array]]:
    shares = [share for k, share in enumerate(sent["party_1"]) if k != place or piece is not None]
    if piece is not None:
        shares[place] = piece
    return {**sent, "party_1": shares}


def test_a_party_that_sends_something_else_is_named() -> None:
    what = delivery([field("i", Integer(8), nullable=True)], 1)
    sent = send(what, [1, 0, 1], [[1, 2, None]], [[Ratio(1), None, Ratio(2)]])
    wrong: list[tuple[int, Array | None]] = [
        (0, np.zeros(2, np.uint8)),
        (0, np.zeros(1, np.int8)),
        (1, np.zeros(3, np.uint32)),
        (1, np.zeros((), np.uint64)),
        (2, None),
        (3, np.zeros((2, 3, 3), np.uint64)),
        (3, np.zeros((2, 4, 2), np.uint64)),
    ]
    for place, piece in wrong:
        with pytest.raises(PeerError, match="party_1: sent a result that does not have the form"):
            decode(what, broken(sent, place, piece), STATS)
    with pytest.raises(PeerError, match="party_1: sent a result of 4 rows where party_0 sent 3"):
        decode(what, broken(sent, 1, np.zeros(4, np.uint64)), STATS)
    with pytest.raises(PeerError, match="party_1"):
        decode(what, {**sent, "party_1": []}, STATS)
    with pytest.raises(InternalError):
        decode(what, {}, STATS)


def test_a_quotient_that_cannot_be() -> None:
    what = delivery([], 1)
    sent = send(what, [1], [], [[Ratio(10**15 + 1, 10**15)]])
    with pytest.raises(InternalError, match="impossible"):
        decode(what, sent, STATS)


def made() -> Result:
    types: list[SqlType] = [Integer(32), Decimal(5, 2), Boolean(), Date(), Enum(("b", "a")), Double(), Integer(128)]
    day = datetime.date(2020, 1, 2)
    rows = [
        (1, decimal.Decimal("1.25"), True, day, "a", 1.5, 3),
        (2, decimal.Decimal("-0.50"), False, day, "b", 0.1, 4),
    ]
    return Result(
        ["i", "d", "b", "t", "e", "q", "h"], types, [list(column) for column in zip(*rows, strict=True)], STATS
    )


def with_nulls() -> Result:
    whole = made()
    return Result(
        whole.columns, whole.types, [[*column, None] for column in zip(*whole.fetchall(), strict=True)], STATS
    )


def test_frames_are_duckdbs() -> None:
    values = "(1, 1.25, true, '2020-01-02', 'a', 1.5, 3), (2, -0.5, false, '2020-01-02', 'b', 0.1, 4)"
    ddl = "CREATE TABLE t (i BIGINT, d DECIMAL(5,2), b BOOLEAN, t DATE, e ENUM('b', 'a'), q DOUBLE, h BIGINT)"
    with duckdb.connect() as con:
        con.execute(ddl).execute(f"INSERT INTO t VALUES {values}")
        pd.testing.assert_frame_equal(made().df(), con.execute("SELECT * FROM t").df())
        con.execute("INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL)")
        judged, ours = con.execute("SELECT * FROM t").df(), with_nulls().df()
    pd.testing.assert_frame_equal(ours.drop(columns=["i", "h", "b"]), judged.drop(columns=["i", "h", "b"]))
    assert ours["i"].dtype == "Int64"
    assert ours["b"].dtype == "boolean"
    assert ours["h"].tolist() == [3, 4, pd.NA]
    assert ours["b"].tolist() == [True, False, pd.NA]


def test_names_that_come_again() -> None:
    result = Result(["a", "a", "A"], [Integer(8)] * 3, [[1], [2], [3]], STATS)
    assert list(result.df().columns) == ["a", "a_1", "A_2"]
    assert result.fetchall() == [(1, 2, 3)]


def test_cursor_and_whole() -> None:
    result = Result(["i"], [Integer(8)], [list(range(5))], STATS)
    assert result.fetchone() == (0,)
    assert result.fetchmany(2) == [(1,), (2,)]
    assert len(result.fetchall()) == len(list(result)) == len(result) == 5
    assert result.fetchmany(9) == [(3,), (4,)]
    assert (result.fetchmany(9), result.fetchone()) == ([], None)
    assert result.description == [("i", Integer(8), None, None, None, None, None)]


def test_the_text_table(capsys: pytest.CaptureFixture[str]) -> None:
    whole = with_nulls()
    some = Result(whole.columns[:5], whole.types[:5], list(zip(*whole.fetchall(), strict=True))[:5], STATS)
    some.show()
    assert capsys.readouterr().out == (
        "┌─────────┬──────────────┬─────────┬────────────┬────────────────┐\n"
        "│    i    │      d       │    b    │     t      │       e        │\n"
        "│ integer │ decimal(5,2) │ boolean │    date    │ enum('b', 'a') │\n"
        "├─────────┼──────────────┼─────────┼────────────┼────────────────┤\n"
        "│       1 │         1.25 │ true    │ 2020-01-02 │ a              │\n"
        "│       2 │        -0.50 │ false   │ 2020-01-02 │ b              │\n"
        "│    NULL │         NULL │ NULL    │ NULL       │ NULL           │\n"
        "└─────────┴──────────────┴─────────┴────────────┴────────────────┘\n"
        "3 rows\n"
    )


def test_a_long_table_is_cut_in_the_middle() -> None:
    lines = repr(Result(["i"], [Integer(32)], [list(range(100))], STATS)).splitlines()
    shown = [line.strip("│ ") for line in lines[4:-2]]
    assert shown == [*map(str, range(20)), "·", "·", "·", *map(str, range(80, 100))]
    assert lines[-1] == "100 rows (40 shown)"


def test_a_statement_without_an_answer() -> None:
    nothing = Result([], [], [], STATS)
    assert (repr(nothing), nothing.fetchall(), nothing.df().shape) == ("done", [], (0, 0))
