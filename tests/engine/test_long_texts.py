"""Orders of long texts in tables of too many rows to compare all pairs: as DuckDB says."""

from __future__ import annotations

import random

import pytest

from smpc_sql.sort_cost import by_ranks, pairs_cost
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import check_answer, check_cost, consortium_of
from tests.plan.judge import World, build

ROWS = 640
DDL = """
CREATE TABLE notes (
    id SMALLINT PRIMARY KEY CHECK (id BETWEEN 0 AND 999), t VARCHAR(40), s VARCHAR(5) NOT NULL,
    u VARCHAR(18) COLLATE C
);
"""
QUERIES = (
    ("SELECT id, t FROM notes ORDER BY t, id LIMIT 40", True),
    ("SELECT t, id FROM notes ORDER BY t DESC NULLS LAST, id LIMIT 30", True),
    ("SELECT t, s FROM notes ORDER BY t NULLS FIRST, s DESC, id LIMIT 20 OFFSET 50", True),
    ("SELECT u, id FROM notes WHERE s > 'b' ORDER BY u DESC NULLS FIRST, id DESC LIMIT 70", True),
    ("SELECT s, id FROM notes ORDER BY s DESC, id LIMIT 25 OFFSET 3", True),
    ("SELECT id, ROW_NUMBER() OVER (ORDER BY t, id), RANK() OVER (PARTITION BY s ORDER BY t DESC) FROM notes", False),
    ("SELECT s, MIN(t), MAX(t), COUNT(DISTINCT t), MAX(u), MIN(s) FROM notes GROUP BY s", False),
    ("SELECT MIN(t), MAX(t), MIN(u), MAX(u) FILTER (WHERE s < 'c'), COUNT(DISTINCT t) FROM notes WHERE id > 9", False),
    ("SELECT MAX(t), COUNT(*), SUM(id), COUNT(u), MIN(id), SUM(id) FILTER (WHERE s > 'b') FROM notes", False),
    ("SELECT ARG_MAX(t, id), ARG_MIN(u, s), MAX(s), ARG_MIN(id, id) FROM notes", False),
    ("SELECT MIN(t), MAX(u) FILTER (WHERE id > 999), COUNT(*), SUM(id) FROM notes WHERE s > 'x'", False),
    ("SELECT MIN(s), MAX(s), COUNT(DISTINCT s), MIN(id), MAX(id), MEDIAN(id) FROM notes", False),
    ("SELECT MIN(s), MAX(s), MAX(t), MIN(id), MAX(id) FROM notes", False),
    ("SELECT t, u, COUNT(*) FROM notes GROUP BY t, u ORDER BY t DESC, u LIMIT 15", True),
)


def text(chance: random.Random, letters: str, longest: int) -> str:
    """Often the beginning of another one, or empty."""
    whole = chance.choice(letters) * longest
    size = chance.choice((0, 1, 6, 7, 8, 13, 14, 15, longest, chance.randint(0, longest)))
    found = whole[: min(size, longest)]
    if found and chance.random() < 0.4:
        place = chance.randrange(len(found))
        found = found[:place] + chance.choice(letters) + found[place + 1 :]
    return found


@pytest.fixture(scope="module")
def world() -> World:
    chance = random.Random(3)

    def maybe(value: str) -> str | None:
        return None if chance.random() < 0.1 else value

    notes = [
        (
            i,
            maybe(text(chance, "ab~\x01", 40)),
            text(chance, "abc", 3),
            maybe(text(chance, "aéz", 9)),
        )
        for i in range(ROWS)
    ]
    chance.shuffle(notes)
    return build(DDL, {"notes": {"a": notes[:300], "b": notes[300:]}})


@pytest.fixture(scope="module")
def consortium(world: World) -> LockstepConsortium:
    return consortium_of(world, 2)


@pytest.mark.parametrize(("sql", "ordered"), QUERIES)
def test_long_texts_in_order(sql: str, ordered: bool, world: World, consortium: LockstepConsortium) -> None:
    check_answer(consortium, world, sql, ordered)


@pytest.mark.parametrize("limit", ["LIMIT 5", "LIMIT 1", "LIMIT 7 OFFSET 630"])
def test_a_limit_of_many_rows_without_an_order(limit: str, world: World, consortium: LockstepConsortium) -> None:
    """Any rows will do, but each once. Nothing is left to sort by where all rows count."""
    sql = f"SELECT id, t, s FROM notes {limit}"
    found = consortium.sql(sql).fetchall()
    assert len(set(found)) == len(found) == len(world.expected(sql))
    assert set(found) <= set(world.expected("SELECT id, t, s FROM notes"))
    check_cost(consortium, sql)


def test_there_are_so_many_that_pieces_are_ranked() -> None:
    cost, levels = by_ranks(ROWS, 40 * 7, 2)
    assert levels
    assert cost < pairs_cost(ROWS, [64] * 5, 2)
