"""Keys between owners: checked under MPC before a plan relies on them; where they do not hold, it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smpc_sql.catalog import Catalog, Fragment, Verdict
from smpc_sql.engine.explain import explain
from smpc_sql.engine.prepare import prepare, prepare_check, require_checked
from smpc_sql.engine.run import run_check
from smpc_sql.errors import KeysUnchecked, QueryError, Unsupported
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable
from tests.engine.consortium import consortium_of
from tests.plan.judge import World, assert_same, build

DDL = """
CREATE TABLE p (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 100000), a SMALLINT CHECK (a BETWEEN 0 AND 99), b VARCHAR(3),
    UNIQUE (a, b)
);
CREATE TABLE v (id INTEGER NOT NULL CHECK (id BETWEEN 0 AND 100000), cost SMALLINT CHECK (cost BETWEEN 0 AND 999));
"""
JOIN = "SELECT p.id, SUM(v.cost) FROM v JOIN p ON v.id = p.id GROUP BY p.id"
NORTH, SOUTH = [(1, 5, "x"), (2, 5, "y"), (3, None, "x")], [(7, 6, "x"), (8, None, "x"), (9, 6, None)]
VISITS = {"north": [(1, 10), (1, 20), (7, None)], "south": [(7, 40), (8, 50), (99, 60)]}


def world_of(*owners: list[tuple[object, ...]]) -> World:
    """DuckDB would not take a key twice: its table declares none."""
    loose = DDL.replace("PRIMARY KEY", "NOT NULL").replace(",\n    UNIQUE (a, b)", "")
    rows = {"p": {f"o{i}": rows for i, rows in enumerate(owners)}, "v": VISITS}
    world = build(loose, rows)  # type: ignore[arg-type]
    catalog = Catalog()
    for statement in parse_statements(DDL):
        assert isinstance(statement, CreateTable)
        catalog = catalog.with_table(statement.schema, statement.ddl)
        for fragment in world.catalog.table(statement.schema.name).fragments:
            catalog = catalog.with_fragment(statement.schema.name, fragment)
    return replace(world, catalog=catalog)


def test_keys_that_hold_are_checked_once() -> None:
    world = world_of(NORTH, SOUTH)
    consortium = consortium_of(world, 2)
    assert consortium.catalog.table("p").unchecked == (("id",), ("a", "b"))
    before = consortium.prepare(JOIN)
    with pytest.raises(KeysUnchecked, match=r"PRIMARY KEY \(id\) of table p; .*CHECK TABLE p") as caught:
        require_checked(before)
    assert caught.value.tables == ("p",)
    assert "whether PRIMARY KEY (id) of table p holds over the rows of all 2 loads" in explain(before, 2)
    assert_same(consortium.sql(JOIN).fetchall(), world.expected(JOIN), False)
    assert consortium.catalog.table("p").verdicts == (Verdict(("id",), True), Verdict(("a", "b"), True))
    assert consortium.catalog.table("p").unchecked == ()
    assert explain(consortium.prepare(JOIN), 2).endswith("discloses:\n  nothing")


@pytest.mark.parametrize(
    ("south", "id_holds", "pair_holds"),
    [
        ([(2, 6, "x")], False, True),
        ([(4, 5, "y"), (6, 7, "z")], True, False),
        ([(3, 5, "x")], False, False),
        ([(4, None, "x"), (6, 5, None)], True, True),
    ],
)
def test_verdicts(south: list[tuple[object, ...]], id_holds: bool, pair_holds: bool) -> None:
    """A key with a NULL in it repeats nothing."""
    consortium = consortium_of(world_of(NORTH, south), 3)
    assert consortium.check("p") == (Verdict(("id",), id_holds), Verdict(("a", "b"), pair_holds))


def test_the_check_opens_one_bit_a_key_and_costs_what_was_predicted() -> None:
    consortium = consortium_of(world_of(NORTH, SOUTH), 2)
    prepared = prepare_check("p", consortium.catalog)
    dry = [prepared.cost(index=i, parties=2) for i in range(2)]
    consortium.check("p")
    for backend, predicted in zip(consortium.record, dry, strict=True):
        assert backend.stats() == predicted.stats
        assert [(e.path, e.size) for e in sorted(backend.events, key=lambda e: e.path)] == [
            (e.path, e.size) for e in sorted(predicted.events, key=lambda e: e.path)
        ]
    last = [event for event in dry[0].events if event.verb == "open"][-1]
    assert last.size == 2 * 8, "two truths in words, and nothing behind them"


def test_a_query_that_relies_on_a_key_that_does_not_hold_is_refused() -> None:
    world = world_of(NORTH, [(2, 6, "x")])
    consortium = consortium_of(world, 2)
    consortium.check("p")
    with pytest.raises(QueryError, match=r"relies on PRIMARY KEY \(id\) of table p, which does not hold"):
        consortium.sql("SELECT v.cost, (SELECT a FROM p WHERE p.id = v.id) AS a FROM v")
    for sql in (
        "SELECT v.cost, p.a FROM v LEFT JOIN p ON v.id = p.id",
        "SELECT id, COUNT(*) FROM p GROUP BY id",
        "SELECT COUNT(*) FROM v WHERE id IN (SELECT id FROM p)",
        "SELECT v.id, q.n FROM v JOIN (SELECT id, COUNT(*) AS n FROM p GROUP BY id) q USING (id)",
    ):
        assert_same(consortium.sql(sql).fetchall(), world.expected(sql), False)


def test_a_new_load_asks_anew_but_mends_nothing() -> None:
    consortium = consortium_of(world_of(NORTH, [(2, 6, "x")]), 2)
    consortium.check("p")
    grown = consortium.catalog.with_fragment("p", Fragment("later", "north", 1))
    assert grown.table("p").violated == (("id",),)
    assert grown.table("p").unchecked == (("a", "b"),)


def test_what_relies_on_no_key_needs_no_check() -> None:
    catalog = consortium_of(world_of(NORTH, SOUTH), 2).catalog
    for sql in ("SELECT a, COUNT(*) FROM p GROUP BY a", "SELECT SUM(cost) FROM v", "SELECT * FROM p"):
        assert prepare(sql, catalog).unchecked == ()
    one_load = consortium_of(world_of(NORTH, []), 2).catalog
    assert prepare(JOIN, one_load).unchecked == ()
    with pytest.raises(QueryError, match="no key of table v"):
        prepare_check("v", catalog)


def test_tables_made_from_unchecked_keys_are_checked_first() -> None:
    consortium = consortium_of(world_of(NORTH, SOUTH), 2)
    consortium.create("CREATE TABLE m AS SELECT id, a FROM p")
    assert consortium.catalog.table("p").unchecked == ()
    assert consortium.catalog.table("m").keys == (("id",),)
    assert consortium.catalog.table("m").unchecked == ()
    broken = consortium_of(world_of(NORTH, [(2, 6, "x")]), 2)
    broken.create("CREATE TABLE m AS SELECT id, a FROM p")
    assert broken.catalog.table("m").keys == ()


def test_statement() -> None:
    (statement,) = parse_statements('check table "P"')
    assert type(statement).__name__ == "CheckTable" and statement.name == "P"  # type: ignore[union-attr]
    with pytest.raises(Unsupported):
        parse_statements("CHECK TABLE p, v")


def test_parties_see_fresh_shares_of_the_truths_alone() -> None:
    """The last words that a party sends differ from run to run, whatever they add up to."""
    consortium = consortium_of(world_of(NORTH, SOUTH), 2)
    prepared = prepare_check("p", consortium.catalog)
    sent: list[bytes] = []

    def watch(backend: Any, tables: Any) -> object:
        exchange = backend.exchange

        def noted(path: bytes, own: Any) -> object:
            if backend.index == 0:
                sent.append(own.tobytes())
            return exchange(path, own)

        backend.exchange = noted
        return run_check(prepared, backend, tables)

    last = []
    for _ in range(3):
        assert consortium._run(watch)[0] == (Verdict(("id",), True), Verdict(("a", "b"), True))
        last.append(sent[-1])
    assert len(set(last)) == 3 and {len(each) for each in last} == {16}
