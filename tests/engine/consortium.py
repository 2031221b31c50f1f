"""The judge's tables in a consortium whose parties live in this process."""

from __future__ import annotations

import numpy as np

from smpc_sql.owner import EncodedRows
from smpc_sql.testing import LockstepConsortium
from tests.plan.judge import World


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
