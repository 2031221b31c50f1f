"""How many pairs a join of many with many has: counted as expand_join.py counts them, and opened to all parties.

Every use is listed by EXPLAIN, and allowed by every party's own policy. A size that is rounded up is rounded before it
is opened, so that nothing else is learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smpc_sql.correlations.fields import Zero
from smpc_sql.operators.base import OfSides, Tables
from smpc_sql.operators.expand_join import Pairs, stacked
from smpc_sql.operators.side_by_side import run_inputs
from smpc_sql.plan.explain import rounded
from smpc_sql.plan.relations import Sized
from smpc_sql.protocol.comparison import negative
from smpc_sql.protocol.division import divide_by_public
from smpc_sql.ring import Array, pad_rows, unpack
from smpc_sql.schema import Interval
from smpc_sql.session import Session
from smpc_sql.sharing import AShare


@dataclass(frozen=True, slots=True)
class JoinSize(OfSides):
    """The root of the plan that opens a size. One round to open it; rounding up is a comparison, or a division."""

    left_keys: tuple[int, ...]
    right_keys: tuple[int, ...]
    bounds: tuple[Interval, ...]
    sized: Sized

    @property
    def rows(self) -> int:
        """One number."""
        return 1

    @property
    def discloses(self) -> str:
        """What all parties and the analyst learn."""
        return f"how many pairs of rows a join has{rounded(self.sized)}; what is left is planned with that size"

    def describe(self) -> str:
        """See Operator."""
        return f"disclose how many pairs have {len(self.left_keys)} equal keys{rounded(self.sized)}"

    def run(self, session: Session, tables: Tables) -> int:
        """The size. At least 1, which is the least that a join makes room for."""
        left, right = run_inputs(session, tables, self.inputs)
        if not (left.rows and right.rows):
            return 1
        pairs = Pairs(session, stacked(session, left, right, self.left_keys, self.right_keys, self.bounds))
        most = left.rows * right.rows
        step = self.sized.step
        if not step:
            return _power(session, pairs.total, most)
        return max(1, step * _steps(session, pairs.total, step, most))


def _power(session: Session, total: Array, most: int) -> int:
    """The smallest power of two that is no less: how many powers are too small, compared all at once."""
    powers = np.array([1 << i for i in range((most - 1).bit_length())] or [1], dtype=np.uint64)
    rooms = session.public(powers) - np.broadcast_to(total, powers.shape)
    found = session.open_bits(unpack(negative(session, AShare(pad_rows(rooms))).packed)[: len(powers)])
    return 1 << int(found.sum())


def _steps(session: Session, total: Array, step: int, most: int) -> int:
    """The total in steps, rounded up. The shares are re-randomised before they are opened."""
    count = total
    if step > 1:
        raised = total + np.full(1, session.public(np.uint64(step - 1)), dtype=np.uint64)
        count = divide_by_public(session, pad_rows(raised), step, 0, most + step - 1)[:1]
    (zero,) = session.deal(Zero(1, 64, 0, 0))
    return int(session.open(count + zero)[0])
