"""From SQL text to a plan that is ready to run: what every party does for itself before it touches a share."""

from __future__ import annotations

from dataclasses import dataclass

from smpc_sql.catalog import Catalog
from smpc_sql.engine.dryrun import DryRun, dry_run
from smpc_sql.engine.lower import lower, lower_rows
from smpc_sql.operators.deliver import Deliver
from smpc_sql.operators.store_rows import StoreRows
from smpc_sql.plan.delivery import Delivery
from smpc_sql.plan.explain import plan_digest
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.parse import CreateTableAs
from smpc_sql.sql.storing import Storing, compile_table
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


@dataclass(frozen=True, slots=True)
class PreparedTable:
    """A CREATE TABLE AS. digest: as a query's, and of the statement's schema too."""

    statement: CreateTableAs
    storing: Storing
    root: StoreRows
    digest: bytes

    def cost(self, *, index: int, parties: int) -> DryRun:
        """The exact cost for one party."""
        return dry_run(self.root, index=index, parties=parties)


def prepare_table(statement: CreateTableAs, catalog: Catalog) -> PreparedTable:
    """Plans and checks a CREATE TABLE AS. Raises QueryError; CatalogConflict if there is such a table already."""
    storing = compile_table(statement, catalog)
    name = statement.name.lower()
    if name in catalog.views or (name in catalog.tables and not statement.replace):
        catalog.with_table(storing.schema, statement.sql)  # raises
    delivery, valid = storing.delivery, storing.origin.valid
    columns = tuple(column.name for column in storing.schema.stored if column.name != valid)
    root = StoreRows(lower_rows(delivery.relation), delivery, columns, valid)
    schema = Catalog().with_table(storing.schema, statement.sql, storing.origin).digest()
    return PreparedTable(statement, storing, root, plan_digest(delivery, catalog, f"{VERSION} {schema.hex()}"))


def prepare(sql: str, catalog: Catalog) -> Prepared:
    """Parses, plans and checks a SELECT. Raises QueryError for what cannot be answered."""
    delivery = compile_select(sql, catalog)
    return Prepared(delivery, lower(delivery), plan_digest(delivery, catalog, VERSION))
