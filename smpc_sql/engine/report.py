"""EXPLAIN (FORMAT JSON) and what a party measures for EXPLAIN ANALYZE. The keys are documented in docs/sql.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from smpc_sql.dry import DryBackend
from smpc_sql.engine.dryrun import zeros_for
from smpc_sql.engine.explain import disclosures
from smpc_sql.engine.measure import Cost, Instrumented
from smpc_sql.engine.prepare import Prepared, PreparedSize
from smpc_sql.network import NetworkBackend
from smpc_sql.operators.base import Stored, Tables
from smpc_sql.operators.deliver import Deliver
from smpc_sql.session import Session

FORMAT = 1
"""Goes up when a key changes its meaning or goes."""


def report(prepared: Prepared | PreparedSize, parties: int) -> dict[str, Any]:
    """A plan, its predicted cost operator by operator, and what it discloses: plain JSON values, deterministic."""
    dry = [_dry(prepared, i, parties) for i in range(parties)]
    plan = Instrumented(prepared.root)
    totals = [prepared.cost(index=i, parties=parties) for i in range(parties)]
    return {
        "format": FORMAT,
        "parties": parties,
        "plan": prepared.plan.splitlines(),
        "operators": _node(plan, 0, dry, set()),
        "cost": {
            "rounds": totals[0].stats.rounds,
            "bytes_sent": [total.stats.bytes_sent for total in totals],
            "bytes_dealt": sum(size for _, _, size in totals[0].dealt),
            "dealt": [{"kind": kind, "count": count, "bytes": size} for kind, count, size in totals[0].dealt],
        },
        "discloses": list(disclosures(prepared)),
    }


def as_text(found: dict[str, Any]) -> str:
    """A report as JSON text."""
    return json.dumps(found, indent=2, ensure_ascii=False)


def analyze(prepared: Prepared, backend: NetworkBackend, tables: Stored) -> dict[str, Any]:
    """Runs a plan and throws its result away; the report, with "measured" for this party: a cost for every operator.

    "measured" is a list in the order of `report`'s operators, parents first, each once. "total": of the whole, which
    is less than they add up to where they run side by side.
    """
    backend.expect(prepared.cost(index=backend.index, parties=backend.parties).requests)
    plan = Instrumented(prepared.root)
    plan.run(Session(backend), Tables(tables))
    measured = [_values(cost) for cost in plan.costs(backend.events)]
    return {**report(prepared, backend.parties), "measured": measured, "total": _values(plan.total(backend.events))}


def _values(c: Cost) -> dict[str, Any]:
    return {"seconds": c.seconds, "rounds": c.rounds, "bytes_sent": c.bytes_sent, "bytes_dealt": c.bytes_dealt}


def _dry(prepared: Prepared | PreparedSize, index: int, parties: int) -> list[Cost]:
    backend = DryBackend(index=index, parties=parties)
    plan = Instrumented(prepared.root)
    plan.run(Session(backend), Tables(zeros_for(prepared.root)))
    return plan.costs(backend.events)


def _node(plan: Instrumented, number: int, costs: Sequence[Sequence[Cost]], seen: set[int]) -> dict[str, Any]:
    """seen: operators that stand elsewhere already, whose inputs stand there, too."""
    operator = plan.operators[number]
    mine = [cost[number] for cost in costs]
    below = [] if number in seen else plan.children[number]
    seen.add(number)
    return {
        "number": number,
        "operator": type(operator).__name__,
        "text": "deliver to the analyst" if isinstance(operator, Deliver) else operator.describe(),
        "rows": operator.rows,
        "predicted": {
            "rounds": max(cost.rounds for cost in mine),
            "bytes_sent": [cost.bytes_sent for cost in mine],
            "bytes_dealt": sum(cost.bytes_dealt for cost in mine),
        },
        "inputs": [_node(plan, child, costs, seen) for child in below],
    }
