"""From SQL text to a plan that is ready to run: what every party does for itself before it touches a share."""

from __future__ import annotations

from dataclasses import dataclass, field

from smpc_sql.catalog import Catalog, TableEntry
from smpc_sql.correlations.requests import Request
from smpc_sql.disclosures import Disclosure
from smpc_sql.engine.dryrun import DryRun, dry_run
from smpc_sql.engine.lower import lower, lower_rows, lower_size
from smpc_sql.errors import KeysUnchecked, QueryError, too_deep_is_refused
from smpc_sql.operators.deliver import Deliver
from smpc_sql.operators.disclose import Disclose
from smpc_sql.operators.expand_join import ExpandJoin
from smpc_sql.operators.join_size import JoinSize
from smpc_sql.operators.shared_rows import Reads, SharedRows, walk
from smpc_sql.operators.store_rows import StoreRows
from smpc_sql.plan.delivery import Delivery
from smpc_sql.plan.explain import explain_delivery, explain_relation, plan_digest, size_digest
from smpc_sql.plan.pairs import JoinUnsized
from smpc_sql.plan.relations import Join
from smpc_sql.recent import Recent
from smpc_sql.sql.compile import compile_select
from smpc_sql.sql.keys import check_query, key_text, relied_on, without_unchecked
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTableAs
from smpc_sql.sql.storing import Storing, compile_table
from smpc_sql.version import VERSION


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan. digest: sha256 of everything the parties must agree on: plan, catalog, version.

    unchecked: tables on whose keys it relies, of which is not known yet whether they hold between loads.
    """

    delivery: Delivery
    root: Deliver
    digest: bytes
    unchecked: tuple[TableEntry, ...] = ()
    manifests: Recent[tuple[int, int], tuple[Request, ...]] = field(
        default_factory=lambda: Recent(1), compare=False, repr=False
    )

    @property
    def plan(self) -> str:
        """The logical plan as text."""
        return explain_delivery(self.delivery)

    @property
    def discloses(self) -> tuple[Disclosure, ...]:
        """What its run opens to all parties, by name."""
        return _disclosed(self.root)

    @too_deep_is_refused()
    def cost(self, *, index: int, parties: int) -> DryRun:
        """The exact cost for one party."""
        return dry_run(self.root, index=index, parties=parties)

    def manifest(self, *, index: int, parties: int) -> tuple[Request, ...]:
        """The corrections that a party will receive, in order of use. Kept, for who runs the plan again."""

        def make() -> tuple[Request, ...]:
            return self.cost(index=index, parties=parties).requests

        return self.manifests.get((index, parties), make, lambda found: len(found) <= _MOST_KEPT)


@dataclass(frozen=True, slots=True)
class PreparedTable:
    """A CREATE TABLE AS. digest: as a query's, and of the statement's schema too."""

    statement: CreateTableAs
    storing: Storing
    root: StoreRows
    digest: bytes
    unchecked: tuple[TableEntry, ...] = ()

    @property
    def discloses(self) -> tuple[Disclosure, ...]:
        """What its run opens to all parties, by name."""
        return _disclosed(self.root)

    @too_deep_is_refused()
    def cost(self, *, index: int, parties: int) -> DryRun:
        """The exact cost for one party."""
        return dry_run(self.root, index=index, parties=parties)


_MOST_KEPT = 4096
"""Requests of a plan that are kept: about a megabyte."""


def _disclosed(root: Deliver | StoreRows) -> tuple[Disclosure, ...]:
    joins = [operator for operator in walk(root) if isinstance(operator, ExpandJoin)]
    return tuple(sorted({"join_size" if join.sized else "join_rows" for join in joins}))


@too_deep_is_refused()
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
    digest = plan_digest(delivery, catalog, f"{VERSION} {schema.hex()}")
    unchecked = relied_on(lambda known: _table_form(compile_table(statement, known)), catalog)
    return PreparedTable(statement, storing, root, digest, tuple(map(catalog.table, unchecked)))


def _table_form(storing: Storing) -> object:
    return explain_delivery(storing.delivery), _steps(lower_rows(storing.delivery.relation)), storing.schema


@too_deep_is_refused()
def prepare(sql: str, catalog: Catalog) -> Prepared:
    """Parses, plans and checks a SELECT. Raises QueryError for what cannot be answered."""
    delivery = compile_select(sql, catalog)
    root = lower(delivery)
    unchecked = relied_on(lambda known: _compiled_form(sql, known), catalog, lambda: _form(delivery, root))
    tables = tuple(map(catalog.table, unchecked))
    return Prepared(delivery, root, plan_digest(delivery, catalog, VERSION), tables)


def _compiled_form(sql: str, catalog: Catalog) -> object:
    delivery = compile_select(sql, catalog)
    return _form(delivery, lower(delivery))


def _form(delivery: Delivery, root: Deliver) -> object:
    """Equal for plans that do the same, whatever keys they know of."""
    return explain_delivery(delivery), _steps(root.source)


def _steps(root: Reads) -> tuple[Reads, ...]:
    """The root, and the sources of shared rows, by which these do not compare; each once."""
    return (root, *(operator.source for operator in walk(root) if isinstance(operator, SharedRows)))


@dataclass(frozen=True, slots=True)
class PreparedSize:
    """The plan that opens the size of a join, before the query that has it can be planned. digest: as a query's."""

    join: Join
    root: JoinSize
    digest: bytes
    unchecked: tuple[TableEntry, ...] = ()

    @property
    def plan(self) -> str:
        """The logical plan as text."""
        return explain_relation(self.join)

    @property
    def discloses(self) -> tuple[Disclosure, ...]:
        """What its run opens to all parties, by name."""
        return ("join_size",)

    @too_deep_is_refused()
    def cost(self, *, index: int, parties: int) -> DryRun:
        """The exact cost for one party."""
        return dry_run(self.root, index=index, parties=parties)


@too_deep_is_refused()
def prepare_size(sql: str, catalog: Catalog) -> PreparedSize:
    """Plans what opens the next size of a SELECT, or of a CREATE TABLE AS. Raises QueryError, also if there is none."""
    found = _unsized(sql, catalog)
    root = lower_size(found.join, found.sized)
    unchecked = relied_on(lambda known: _size_form(_unsized(sql, known)), catalog)
    digest = size_digest(found.join, catalog, f"{VERSION} step {found.sized.step}")
    return PreparedSize(found.join, root, digest, tuple(map(catalog.table, unchecked)))


def _unsized(sql: str, catalog: Catalog) -> JoinUnsized:
    try:
        match parse_statements(sql):
            case (CreateTableAs() as statement,):
                compile_table(statement, catalog)
            case _:
                compile_select(sql, catalog)
    except JoinUnsized as found:
        return found
    raise QueryError("no join of this query has a size to open")


def _size_form(found: JoinUnsized) -> object:
    return explain_relation(found.join), _steps(lower_size(found.join, found.sized))


def require_checked(prepared: Prepared | PreparedTable | PreparedSize) -> None:
    """Raises KeysUnchecked for a plan that relies on a key of which nobody knows yet whether it holds."""
    if prepared.unchecked:
        names = tuple(entry.schema.name for entry in prepared.unchecked)
        keys = "; ".join(key_text(entry, key) for entry in prepared.unchecked for key in entry.unchecked)
        raise KeysUnchecked(f"not checked yet between loads: {keys}; CHECK TABLE {names[0]} does", names)


@dataclass(frozen=True, slots=True)
class PreparedCheck:
    """A CHECK TABLE: its truths are those of the table's unchecked keys. digest: as a query's."""

    entry: TableEntry
    root: Disclose
    digest: bytes

    @property
    def discloses(self) -> tuple[Disclosure, ...]:
        """What its run opens to all parties, by name."""
        return ("keys",)

    @too_deep_is_refused()
    def cost(self, *, index: int, parties: int) -> DryRun:
        """The exact cost for one party."""
        return dry_run(self.root, index=index, parties=parties)


@too_deep_is_refused()
def prepare_check(table: str, catalog: Catalog) -> PreparedCheck:
    """Plans the check of a table's unchecked keys. Raises QueryError if there are none."""
    entry = catalog.table(table)
    if not entry.unchecked:
        raise QueryError(f"no key of table {entry.schema.name} needs to be checked")
    delivery = compile_select(check_query(entry), without_unchecked(catalog, (entry.schema.name,)))
    root = Disclose(lower_rows(delivery.relation), delivery)
    return PreparedCheck(entry, root, plan_digest(delivery, catalog, f"{VERSION} check"))
