"""Opened sizes of joins: what is opened, how it is rounded, that the rest is planned with it, what is said."""

from __future__ import annotations

import pytest

from smpc_sql.engine.dryrun import dry_run
from smpc_sql.engine.explain import disclosures, explain
from smpc_sql.engine.prepare import prepare_size
from smpc_sql.engine.report import report
from smpc_sql.errors import QueryError, SizeUnknown, SyntaxInvalid, Unsupported
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_cost, consortium_of
from tests.operators.test_expand_join import world_of
from tests.plan.judge import World, assert_same

PAIRS = "l.n, r.m FROM l JOIN r ON l.k = r.k WHERE l.n < 40"
KEYS = [None if i % 11 == 0 else i % 89 for i in range(1100)]


@pytest.fixture(scope="module")
def world() -> World:
    """Tables whose pairs are too many to be looked at."""
    return world_of(KEYS, KEYS[:1000])


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


def pairs(world: World) -> int:
    """How many there are."""
    ((size,),) = world.expected("SELECT COUNT(*) FROM l JOIN r ON l.k = r.k WHERE l.n < 40")
    return int(size)


@pytest.mark.parametrize("how", ["", "(EXACT)", "(300)", "(7)", "(POWER_OF_TWO)"])
def test_the_size_is_opened_as_the_query_says(how: str, world: World, consortium: LockstepConsortium) -> None:
    size = pairs(world)
    rounded = {"(300)": -(-size // 300) * 300, "(7)": -(-size // 7) * 7, "(POWER_OF_TWO)": 1 << (size - 1).bit_length()}
    sql = f"SELECT /*+ JOIN_SIZE{how} */ {PAIRS}"
    assert consortium.size(sql) == rounded.get(how, size)
    for index, backend in enumerate(consortium.record):
        assert backend.stats() == dry_run(prepare_size(sql, consortium.catalog).root, index=index, parties=2).stats


def test_the_rest_is_planned_with_the_size(world: World, consortium: LockstepConsortium) -> None:
    sql = f"SELECT /*+ JOIN_SIZE(POWER_OF_TWO) */ {PAIRS}"
    sized = consortium.sized(sql)
    assert_same(consortium.sql(sized).fetchall(), world.expected(sql), ordered=False)
    assert sized.startswith("SET STATEMENT join_sizes = '1:512' FOR SELECT")
    prepared = consortium.prepare(sized)
    assert prepared.discloses == ("join_size",) and "512 pairs, rounded up to a power of two" in prepared.plan
    check_cost(consortium, sized)
    bounded = consortium.prepare(f"SET STATEMENT join_rows = 512 FOR SELECT {PAIRS}")
    assert bounded.cost(index=0, parties=2).stats == prepared.cost(index=0, parties=2).stats
    assert bounded.digest != prepared.digest


def test_a_size_that_is_wrong_fails_the_query(consortium: LockstepConsortium) -> None:
    with pytest.raises(QueryError, match="opened as its size"):
        consortium.sql(f"SET STATEMENT join_sizes = '1:3' FOR SELECT /*+ JOIN_SIZE */ {PAIRS}")


def test_no_pairs_make_room_for_one() -> None:
    world = world_of([1] * 1100, [2] * 1100)
    consortium = consortium_of(world, 2)
    sql = "SELECT /*+ JOIN_SIZE{} */ l.n, r.m FROM l JOIN r USING (k)"
    assert [consortium.size(sql.format(how)) for how in ("", "(7)", "(POWER_OF_TWO)")] == [1, 1, 1]
    assert consortium.sql(sql.format("")).fetchall() == []


def test_several_joins_are_opened_one_after_the_other(world: World, consortium: LockstepConsortium) -> None:
    sql = (
        "SET STATEMENT join_size = power_of_two FOR SELECT a.n, b.m, c.n FROM l a JOIN r b ON a.k = b.k "
        "JOIN l c ON c.k = b.k WHERE a.n < 20 AND c.n < 120"
    )
    sized = consortium.sized(sql)
    assert sized.startswith("SET STATEMENT join_size = power_of_two, join_sizes = '1:")
    plain = sql.partition(" FOR ")[2]
    assert_same(consortium.sql(sized).fetchall(), world.expected(plain), ordered=False)
    assert explain(consortium.prepare(sized), 2).count("expand rows") == 2


def test_an_outer_join_is_sized(world: World, consortium: LockstepConsortium) -> None:
    sql = "SELECT /*+ JOIN_SIZE */ l.n, r.m FROM l LEFT JOIN r ON l.k = r.k AND r.m < 30 AND l.n < 300"
    assert_same(consortium.sql(sql).fetchall(), world.expected(sql), ordered=False)


def test_what_needs_no_size_opens_none(consortium: LockstepConsortium) -> None:
    few = "SELECT /*+ JOIN_SIZE */ COUNT(*) FROM l JOIN r ON l.k = r.k"  # groups need no pairs
    assert consortium.prepare(few).discloses == ()
    with pytest.raises(QueryError, match="no join of this query"):
        prepare_size(few, consortium.catalog)


def test_explain_says_what_is_disclosed(consortium: LockstepConsortium) -> None:
    sql = f"SELECT /*+ JOIN_SIZE(1000) */ {PAIRS}"
    with pytest.raises(SizeUnknown):
        consortium.prepare(sql)
    prepared = prepare_size(sql, consortium.catalog)
    assert prepared.discloses == ("join_size",)
    text = explain(prepared, 2)
    assert "cost with 2 parties, up to the size:" in text
    assert text.partition("discloses:\n  ")[2] == disclosures(prepared)[0] == prepared.root.discloses
    assert "pairs of rows a join has, rounded up to a multiple of 1000;" in text
    assert report(prepared, 2)["discloses"] == list(disclosures(prepared))


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT /*+ JOIN_SIZE(0) */ 1", "exact, power_of_two"),
        ("SELECT /*+ JOIN_SIZE JOIN_ROWS(3) */ 1", "one hint"),
        ("SET STATEMENT join_rows = 99999999 FOR SELECT 1", "0 to 16777216"),
        ("SET STATEMENT join_rows = 1, join_size = exact FOR SELECT 1", "not both"),
        ("SET STATEMENT join_rows = many FOR SELECT 1", "number of rows"),
        ("SET STATEMENT threads = 1 FOR SELECT 1", "threads"),
        ("SET STATEMENT join_rows = 1 SELECT 1", "FOR"),
        ("SET STATEMENT join_rows = 1 FOR SHOW TABLES", "anything but a query"),
        ("SET STATEMENT join_sizes = '1' FOR SELECT 1", "number:rows"),
    ],
)
def test_settings_that_are_none(sql: str, what: str, consortium: LockstepConsortium) -> None:
    with pytest.raises((SyntaxInvalid, Unsupported), match=what):
        consortium.sql(sql)


def test_no_size_is_opened_in_vain(consortium: LockstepConsortium) -> None:
    sql = f"SELECT n FROM (SELECT /*+ JOIN_SIZE */ {PAIRS}) UNION ALL SELECT n + m FROM l JOIN r ON l.k = r.k"
    with pytest.raises(Unsupported, match="JOIN_ROWS"):
        consortium.size(sql)


def test_a_select_of_its_own_hint_keeps_it(consortium: LockstepConsortium) -> None:
    sql = f"SET STATEMENT join_rows = 5000 FOR SELECT n FROM (SELECT /*+ JOIN_ROWS(700) */ {PAIRS})"
    assert "at most 700 pairs" in consortium.prepare(sql).plan
    assert "at most 5000 pairs" in consortium.prepare(sql.replace("/*+ JOIN_ROWS(700) */", "")).plan
