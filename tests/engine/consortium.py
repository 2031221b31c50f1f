"""The judge's tables in a consortium whose parties live in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from smpc_sql.owner import EncodedRows
from smpc_sql.testing import LockstepConsortium
from tests.plan.judge import World, assert_same


def consortium_of(world: World, parties: int) -> LockstepConsortium:
    """A consortium that holds the shares of a world's rows, fragment by fragment."""
    consortium = LockstepConsortium(parties)
    for entry in world.catalog.tables.values():
        consortium.create(entry.ddl)
        start = 0
        for fragment in entry.fragments:
            stacked = world.tables[entry.schema.name.lower()]
            words, nulls = {}, {}
            for column in entry.schema.stored:
                values = stacked[column.name.lower()][start : start + fragment.rows]
                words[column.name] = np.array([value or 0 for value in values], dtype=np.int64)
                if column.nullable:
                    nulls[column.name] = np.array([value is None for value in values], dtype=np.bool_)
            consortium.load(entry.schema.name, EncodedRows(fragment.rows, words, nulls), fragment.owner)
            start += fragment.rows
    return consortium


def check_cost(consortium: LockstepConsortium, sql: str) -> None:
    """What every party did is what the dry run said: verbs, paths, sizes, rounds."""
    prepared = consortium.prepare(sql)
    for backend in consortium.record:
        foretold = prepared.cost(index=backend.index, parties=consortium.parties)
        assert sorted(map(repr, backend.events)) == sorted(map(repr, foretold.events)), sql


def check_answer(consortium: LockstepConsortium, world: World, sql: str, ordered: bool) -> None:
    """The parties' answer is the judge's, and cost what the dry run said."""
    assert_same(consortium.sql(sql).fetchall(), world.expected(sql), ordered)
    check_cost(consortium, sql)


def made_in_both(world: World, statements: Iterable[str], at_judge: Callable[[str], str] = str) -> LockstepConsortium:
    """Two parties with a world's rows, and what the statements make: there, and (see `at_judge`) at DuckDB."""
    consortium = consortium_of(world, 2)
    for sql in statements:
        consortium.create(sql)
        world.duck.execute(at_judge(sql))
    return consortium
