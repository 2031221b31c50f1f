"""The order of joins is what they cost, whatever the order in which they are written."""

from __future__ import annotations

from itertools import permutations

import pytest

from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.plan.join_order import MOST, Equals, Member, Step, Table, cheapest
from smpc_sql.plan.relations import Join, Relation, Scan, sources, walk
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable

DDL = """
CREATE TABLE facts (id INTEGER PRIMARY KEY, o INTEGER NOT NULL, s INTEGER NOT NULL, amount SMALLINT NOT NULL);
CREATE TABLE orders (o INTEGER PRIMARY KEY, c INTEGER NOT NULL);
CREATE TABLE customers (c INTEGER PRIMARY KEY, n TINYINT NOT NULL);
CREATE TABLE suppliers (s INTEGER PRIMARY KEY, n TINYINT NOT NULL);
CREATE TABLE nations (n TINYINT PRIMARY KEY, name ENUM('a', 'b', 'c') NOT NULL);
"""
ROWS = {"facts": 60_000, "orders": 15_000, "customers": 1_500, "suppliers": 100, "nations": 25}
WHERE = (
    "f.o = o.o", "o.c = c.c", "f.s = s.s", "c.n = s.n", "s.n = n.n",
)  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Catalog:
    catalog = Catalog()
    for statement in parse_statements(DDL):
        assert isinstance(statement, CreateTable)
        catalog = catalog.with_table(statement.schema, statement.ddl)
        name = statement.schema.name
        catalog = catalog.with_fragment(name, Fragment(name, "o", ROWS[name]))
    return catalog


def tree(relation: Relation) -> tuple[str, frozenset[object]]:
    """The table whose rows stay, and the trees that it looks up, in any order."""
    if isinstance(relation, Scan):
        return relation.table, frozenset()
    stays, *others = [tree(source) for source in sources(relation)]
    return stays[0], stays[1] | set(others)


def looks_up(table: str, *others: tuple[str, frozenset[object]]) -> tuple[str, frozenset[object]]:
    return table, frozenset(others)


def test_many_rows_look_up_few(shop: Catalog) -> None:
    trees = set()
    for i, tables in enumerate(permutations(("facts f", "orders o", "customers c", "suppliers s", "nations n"))):
        if i % 7 == 0:
            conditions = " AND ".join(WHERE[i % 5 :] + WHERE[: i % 5])
            sql = f"SELECT n.name, SUM(f.amount) FROM {', '.join(tables)} WHERE {conditions} GROUP BY n.name"
            trees.add(tree(compile_select(sql, shop).relation))
    orders, suppliers = looks_up("orders", looks_up("customers")), looks_up("suppliers", looks_up("nations"))
    assert trees == {looks_up("facts", orders, suppliers)}


def test_every_equality_is_tested(shop: Catalog) -> None:
    sql = f"SELECT COUNT(*) FROM facts f, orders o, customers c, suppliers s, nations n WHERE {' AND '.join(WHERE)}"
    relation = compile_select(sql, shop, ()).relation
    joins = [node for node in walk(relation) if isinstance(node, Join)]
    assert len(joins) == 4
    text = " ".join(str(node.predicate) for node in walk(relation) if type(node).__name__ == "Filter")  # type: ignore[union-attr]
    assert text.count("Equal(") == 1  # customers and suppliers of one nation


def test_without_any_way_to_join_there_is_no_tree() -> None:
    large = Table(1 << 15, (), 1)
    assert cheapest([large, large], []) is None
    equals = Equals((Member(1, 1), Member(2, 2)), 20)
    many = cheapest([large, large], [equals])
    assert many is not None and many.how == "many" and many.rows == 1 << 30
    limited = cheapest([large, large], [equals], 1000)
    assert limited is not None and limited.rows == 1000
    step = cheapest([large, Table(1 << 15, (2,), 1)], [equals])
    assert step is not None and step.how == "lookup" and [part.tables for part in step.parts] == [1, 2]


def chain(length: int) -> Step | None:
    """Tables of growing size, each with the key of the next smaller one."""
    tables = [Table(10 * 3**i, (1 << 2 * i,), 1) for i in range(length)]
    equals = [Equals((Member(1 << i + 1, 1 << 2 * i + 3), Member(1 << i, 1 << 2 * i)), 10) for i in range(length - 1)]
    return cheapest(tables, equals)


def test_greedy_search_finds_a_chain_too() -> None:
    for length in (MOST, MOST + 1, MOST + 4):
        step = chain(length)
        assert step is not None and step.rows == 10 * 3 ** (length - 1)
        assert step == chain(length)


def test_the_side_of_fewer_rows_looks_up_where_both_are_unique() -> None:
    equals = Equals((Member(1, 1), Member(2, 2)), 20)
    step = cheapest([Table(3000, (1,), 1), Table(200, (2,), 1)], [equals])
    assert step is not None and step.rows == 200 and step.keys == (2, 1)
