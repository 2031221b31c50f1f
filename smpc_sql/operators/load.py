"""How many rows a step works on, and how many steps at once: what they hold stays bounded, whatever the query's length.

What a step holds are dealt masks, and messages under way: for each row so many bytes for each expression that is
computed at the same time. All of it is public: the plan alone decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smpc_sql.operators.table import CHUNK_ROWS
from smpc_sql.plan import expressions as plan
from smpc_sql.plan.expressions import Expression
from smpc_sql.ring import lane_for
from smpc_sql.session import CHUNKS_IN_FLIGHT

PRODUCT_BYTES = 64
"""What a product of two words, or of a bit and a word, takes a row."""

_BYTES = 16 << 20  # what the steps that run at the same time may take, roughly
_LEAST = 1 << 13  # rows; below, a step costs its messages
_LONG = 256
_LONG_DIVISION = 1 << 12


@dataclass(frozen=True, slots=True)
class Steps:
    """Rows that a step works on, and how many steps run at once."""

    rows: int
    at_once: int


def steps_of(row_bytes: int, least: int = _LEAST, at_least: int = 2) -> Steps:
    """Of work that holds so many bytes for each row: CHUNK_ROWS, or a fraction of it by a power of 2, but `least`.

    So many at least run at once, to hide a round trip behind the others.
    """
    rows = CHUNK_ROWS
    while rows > least and at_least * rows * row_bytes > _BYTES:
        rows //= 2
    return Steps(rows, max(at_least, min(CHUNKS_IN_FLIGHT, _BYTES // max(1, rows * row_bytes))))


def row_bytes(expressions: Iterable[Expression]) -> int:
    """Bytes a row that evaluating expressions holds at its fullest: what is ready at the same time runs together."""
    depths: dict[Expression, int] = {}
    loads: dict[int, int] = {}
    for expression in expressions:
        _visit(expression, depths, loads)
    return max(loads.values(), default=0)


def _visit(node: Expression, depths: dict[Expression, int], loads: dict[int, int]) -> int:
    """How many interactive steps lie before a node's value; adds its own bytes to those of its step."""
    known = depths.get(node)
    if known is not None:
        return known
    depth = max((_visit(part, depths, loads) for part in node.parts), default=0)
    own = _own_bytes(node)
    if own:
        loads[depth] = loads.get(depth, 0) + own
        depth += 1
    depths[node] = depth
    return depth


def _own_bytes(node: Expression) -> int:
    """Of masks, what is opened, and what comes of it; 0 for what is local."""
    match node:
        case plan.Less(left, right) | plan.Equal(left, right):
            bounds = left.bounds - right.bounds
            return 3 * lane_for(min(64, bounds.bits)) // 2
        case plan.InSet(x, codes):
            return min(_LONG, len(codes) * lane_for(min(64, x.bounds.bits + 1)))
        case plan.Multiply(left, right):
            return PRODUCT_BYTES if left.secret and right.secret else 0
        case plan.Case():
            return PRODUCT_BYTES * (len(node.parts) // 2)
        case (
            plan.FloorDivide()
            | plan.Remainder()
            | plan.WholeQuotient()
            | plan.WholeRoot()
            | plan.TextCall()
            | plan.Lookup()
        ):
            return _LONG
        case plan.LongQuotient():
            return _LONG_DIVISION * len(node.divisors)
        case _:
            return 0
