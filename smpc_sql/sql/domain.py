"""Correlated subqueries of any shape as joins with the values that they are asked for.

What a subquery reads of the queries around it makes a table, its domain: the different values in the rows of the query
right around. The domain stands in the subquery's FROM, so that conditions of any kind are conditions of a join; the
rows around then look up their own by equality, NULLs being alike. A subquery within the subquery reads the domain's
columns as any others (Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeVar

from sqlglot import exp

from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Aggregate, Project, Relation, key_size, own_columns, substitute
from smpc_sql.plan.sharing import share
from smpc_sql.plan.uniqueness import unique_keys
from smpc_sql.sql.joined import Leaf
from smpc_sql.sql.outputs import Words
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import Name, shifted

T = TypeVar("T")


class Wanted(Exception):
    """A column that the domain does not have yet: it is added, and the subquery bound again."""

    def __init__(self, domain: Domain) -> None:
        super().__init__("a column of the query around")
        self.domain = domain


class Domain:
    """The columns of the queries around that a subquery reads. outer: who binds the query right around it.

    keyed: its rows are all rows around, if anything tells these apart.
    """

    def __init__(self, outer: ScalarBinder, *, keyed: bool = False) -> None:
        self._outer = outer
        self._keyed = keyed
        self._read: list[Expression] = []

    @property
    def words(self) -> tuple[Expression, ...]:
        """The words of all columns, over the rows of the query around: the domain's fields."""
        return tuple(_over_words(self._columns)[0])

    @property
    def linked(self) -> tuple[int, ...]:
        """Which words the rows around are found by: their key, or all."""
        key = self._key()
        words = self.words
        return tuple(words.index(column) for column in key) if key else tuple(range(len(words)))

    @property
    def _columns(self) -> tuple[Expression, ...]:
        """What is read, and behind it the key."""
        return (*self._read, *(column for column in self._key() if column not in self._read))

    def _key(self) -> tuple[Expression, ...]:
        """What tells the rows around apart; () if there are fewer different values than rows, or nothing does."""
        rows = self._outer.rows_around()
        read, _ = _over_words(self._read)
        if not read or (not self._keyed and prod(map(key_size, read)) < rows.max_rows):
            return ()
        for key in unique_keys(rows):
            if key and not any(rows.fields[i].nullable for i in key):
                return tuple(rows.column(i) for i in sorted(key))
        return ()

    def name_of(self, node: exp.Column) -> str | None:
        """The name of a column of the queries around, None if there is none. Raises Wanted where it is new."""
        found = self._outer.outer_column(node)
        if found is None:
            return None
        if found not in self._read:
            self._read.append(found)
            raise Wanted(self)
        return _name(self._read.index(found))

    def names(self, start: int) -> tuple[Name, ...]:
        """The columns, where the domain's fields begin at that place; no SQL can name them."""
        return self.names_of([shifted(field, start) for field in own_columns(self.relation())])

    def names_of(self, fields: Sequence[Expression]) -> tuple[Name, ...]:
        """The same where the words are these."""
        _, columns = _over_words(self._columns)
        known = [(_name(i), substitute(column, fields)) for i, column in enumerate(columns)]
        known += [(_word(i), field) for i, field in enumerate(fields)]
        return tuple(Name("", name, expression, starred=False, merged=True) for name, expression in known)

    def leaf(self, start: int, node: exp.Expr) -> Leaf:
        """The domain as a table of FROM."""
        return Leaf(self.relation(), start, "the query around", node)

    def relation(self) -> Relation:
        """The different values, or those of all rows where a key tells these apart."""
        rows = self._outer.rows_around()
        words = tuple(substitute(word, own_columns(rows)) for word in self.words)
        names = tuple(f"outer{i}" for i in range(len(words)))
        if self._key():
            return share(Project(rows, words, names))
        return share(Aggregate(rows, words, names, (), ()))

    def fields(self, names: tuple[Name, ...]) -> tuple[Expression, ...]:
        """The words, as a scope with these names has them."""
        known = {name.name: name.expression for name in names}
        return tuple(known[_word(i)] for i in range(len(self.words)))


def with_domain(outer: ScalarBinder, bind: Callable[[Domain], T], *, keyed: bool = False) -> T:
    """What `bind` makes with a domain that has all columns that it reads."""
    domain = Domain(outer, keyed=keyed)
    while True:
        try:
            return bind(domain)
        except Wanted as wanted:
            if wanted.domain is not domain:
                raise


def _over_words(columns: Sequence[Expression]) -> tuple[list[Expression], list[Expression]]:
    """The words that columns are made of, and the columns over these: of a quotient by a secret both its parts."""
    words = Words()
    over = [words.over(column, "outer") for column in columns]
    return words.expressions, over


def _name(i: int) -> str:
    return f"\0outer{i}"


def _word(i: int) -> str:
    return f"\0word{i}"
