"""From SQL text to a plan that is ready to run: what every party does for itself before it touches a share."""

from __future__ import annotations

from dataclasses import dataclass

from smpc_sql.catalog import Catalog
from smpc_sql.engine.dryrun import DryRun, dry_run
from smpc_sql.engine.lower import lower
from smpc_sql.operators.deliver import Deliver
from smpc_sql.plan.delivery import Delivery
from smpc_sql.plan.explain import plan_digest
from smpc_sql.sql.compile import compile_select
from smpc_sql.version import VERSION


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan. digest: sha256 of everything the parties must agree on: plan, catalog, version."""

    delivery: Delivery
    root: Deliver
    digest: bytes

    def cost(self, *, index: int, parties: int) -> DryRun:
        """The exact cost for one party."""
        return dry_run(self.root, index=index, parties=parties)


def prepare(sql: str, catalog: Catalog) -> Prepared:
    """Parses, plans and checks a SELECT. Raises QueryError for what cannot be answered."""
    delivery = compile_select(sql, catalog)
    return Prepared(delivery, lower(delivery), plan_digest(delivery, catalog, VERSION))
