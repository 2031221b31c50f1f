"""EXPLAIN: the operators with their sizes, the exact cost, and what is disclosed."""

from __future__ import annotations

from smpc_sql.engine.dryrun import Root
from smpc_sql.engine.prepare import Prepared, PreparedSize
from smpc_sql.operators.base import Operator
from smpc_sql.operators.deliver import Deliver
from smpc_sql.operators.expand_join import ExpandJoin
from smpc_sql.operators.join_size import JoinSize
from smpc_sql.operators.shared_rows import SharedRows
from smpc_sql.sql.keys import key_text


def explain(prepared: Prepared | PreparedSize, parties: int) -> str:
    """The plan as text, for a consortium of `parties`: deterministic, and exact (see `engine.dryrun`).

    Of a query that opens the size of a join first: the plan that opens it.
    """
    costs = [prepared.cost(index=i, parties=parties) for i in range(parties)]
    sent = ", ".join(f"{cost.stats.bytes_sent:,}" for cost in costs)
    dealt = costs[0].dealt
    lines = [
        "plan:",
        *("  " + line for line in prepared.plan.splitlines()),
        "operators:",
        *_tree(prepared.root, 1, set()),
        f"cost with {parties} parties{', up to the size' if isinstance(prepared, PreparedSize) else ''}:",
        f"  rounds: {costs[0].stats.rounds}",
        f"  bytes sent by each party: {sent}",
        f"  bytes dealt by the provider: {sum(size for _, _, size in dealt):,}",
        *(f"    {name}: {count:,} dealt, {size:,} bytes" for name, count, size in dealt),
        "discloses:",
        *(f"  {line}" for line in disclosures(prepared) or ("nothing",)),
    ]
    return "\n".join(lines)


def disclosures(prepared: Prepared | PreparedSize) -> tuple[str, ...]:
    """What everybody learns by running it, beside what is public anyway: a line each."""
    keys = tuple(
        f"once, before it first runs (CHECK TABLE {entry.schema.name}): whether {key_text(entry, key)} "
        f"holds over the rows of all {sum(fragment.rows > 0 for fragment in entry.fragments)} loads, yes or no"
        for entry in prepared.unchecked
        for key in entry.unchecked
    )
    return (*keys, *disclosed(prepared.root))


def disclosed(operator: Operator | Root) -> tuple[str, ...]:
    """What all parties learn beyond sizes, a line each, in the order in which it is opened."""
    below = (line for source in operator.inputs for line in disclosed(source))
    own = (operator.discloses,) if isinstance(operator, ExpandJoin | JoinSize) else ()
    return tuple(dict.fromkeys((*below, *own)))


def _tree(operator: Operator | Root, depth: int, seen: set[int]) -> list[str]:
    """seen: the numbers of the shared rows that are printed already."""
    what = "deliver to the analyst" if isinstance(operator, Deliver) else operator.describe()
    indent = "  " * depth
    if isinstance(operator, SharedRows):
        if operator.number in seen:
            return [f"{indent}shared {operator.number}, see above; {operator.rows:,} rows"]
        seen.add(operator.number)
    line = f"{indent}{what}; {operator.rows:,} rows"
    return [line, *(inner for source in operator.inputs for inner in _tree(source, depth + 1, seen))]
