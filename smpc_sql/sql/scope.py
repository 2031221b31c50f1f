"""Which names a clause can see, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass

from smpc_sql.errors import UnknownName
from smpc_sql.plan.expressions import Column, Expression, columns_of, transform
from smpc_sql.plan.relations import Relation

OUTER = 1 << 40
"""Column OUTER + i of a correlated subquery is column i of the query around it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A visible column: an expression over the relation's fields. starred: whether * includes it (not the owner).

    merged: a column of USING, found by its name with the table's only, since another name stands for both sides'.
    """

    table: str
    name: str
    expression: Expression
    starred: bool = True
    merged: bool = False

    def within(self, table: str) -> bool:
        """Whether it is seen as a column of that table; "" for without a table's name."""
        return table.lower() == self.table.lower() if table else not self.merged


@dataclass(frozen=True, slots=True)
class Scope:
    """A relation and the names of its columns."""

    relation: Relation
    names: tuple[Name, ...]

    def find(self, name: str, table: str = "") -> Expression | None:
        """The column of that name, ignoring case; None if there is none. Raises UnknownName if there are several."""
        found = [n for n in self.names if n.name.lower() == name.lower() and n.within(table)]
        tables = {n.table.lower() for n in found}
        if len(tables) > 1:
            choices = ", ".join(f"{n.table}.{n.name}" for n in found)
            raise UnknownName(f"column {name} is ambiguous: {choices}")
        return found[0].expression if found else None

    def stars(self, table: str = "") -> tuple[Name, ...]:
        """What * or table.* stands for. Raises UnknownName."""
        if table and table.lower() not in {n.table.lower() for n in self.names}:
            raise UnknownName(f"table {table} is not in FROM; there are: {', '.join(self.tables())}")
        return tuple(n for n in self.names if n.starred and n.within(table))

    def tables(self) -> tuple[str, ...]:
        """The tables' names, in the order in which FROM has them."""
        return tuple(dict.fromkeys(n.table for n in self.names if n.table))

    def unknown(self, name: str, table: str = "") -> UnknownName:
        """The error for a column that does not exist; it lists what does."""
        if table and table.lower() not in {t.lower() for t in self.tables()}:
            return UnknownName(f"table {table} is not in FROM; there are: {', '.join(self.tables()) or 'none'}")
        known = [n.name for n in self.names if n.within(table)]
        return UnknownName(f"column {name} does not exist; columns: {', '.join(known) or 'none'}")


def shifted(expression: Expression, by: int) -> Expression:
    """The expression over a relation whose fields come `by` further right."""

    def shift(node: Expression) -> Expression:
        if not isinstance(node, Column):
            return node
        return Column(node.index + by, node.name, node.type, node.nullable, node.bounds, node.public)

    return transform(expression, shift)


def as_nullable(expression: Expression) -> Expression:
    """The expression over columns that can be NULL."""

    def change(node: Expression) -> Expression:
        if not isinstance(node, Column):
            return node
        return Column(node.index, node.name, node.type, True, node.bounds, node.public)

    return transform(expression, change)


def is_outer(expression: Expression) -> bool:
    """Whether it reads a column of the query around."""
    return any(i >= OUTER for i in columns_of(expression))
