"""GROUP BY: what the keys of its groups are, as they are written and as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from smpc_sql.errors import UnknownName, Unsupported
from smpc_sql.plan.expressions import Expression
from smpc_sql.schema import Double
from smpc_sql.sql.aggregate import has_aggregate
from smpc_sql.sql.fixed import over_constant
from smpc_sql.sql.fixed_point import keyed
from smpc_sql.sql.grouping_sets import expand
from smpc_sql.sql.nodes import located, only, show
from smpc_sql.sql.outputs import is_star, starred, unaliased
from smpc_sql.sql.scope import Scope


def group_key(key: Expression, node: exp.Expr) -> Expression:
    """A key of GROUP BY or DISTINCT as words. Raises Unsupported for what is none."""
    key = keyed(key)
    if isinstance(key.type, Double) and over_constant(key) is None:
        raise Unsupported(f"GROUP BY or DISTINCT of a square root (STDDEV, SQRT) is not supported: {show(node)}")
    return key


@dataclass(frozen=True, slots=True)
class GroupBy:
    """The GROUP BY of one SELECT over its rows. aliases: of its outputs, in lower case."""

    select: exp.Select
    scope: Scope
    aliases: Mapping[str, exp.Expr]
    text: str

    def sets(self) -> Sequence[Sequence[exp.Expr]]:
        """What each grouping set has, most often one."""
        group = self.select.args["group"]
        with located(group, self.text):
            only(group, "expressions", "all")
            if group.args.get("all"):
                return [self._all_keys()]
            sets = expand(group.expressions) or [group.expressions]
        return [[self._item(item) for item in items] for items in sets]

    def _all_keys(self) -> list[exp.Expr]:
        """GROUP BY ALL: every output without an aggregate."""
        keys: list[exp.Expr] = []
        for item in self.select.expressions:
            if is_star(item):
                names = starred(item, self.scope)
                keys += [exp.column(name.name, name.table or None, quoted=True) for name in names]
            elif not has_aggregate(item):
                keys.append(unaliased(item))
        return keys

    def _item(self, item: exp.Expr) -> exp.Expr:
        """An ordinal or an alias is what it stands for; a column comes before an alias."""
        if isinstance(item, exp.Literal) and not item.is_string:
            return unaliased(self._ordinal(item))
        if isinstance(item, exp.Column) and not item.table and item.name.lower() in self.aliases:
            with located(item, self.text):
                if self.scope.find(item.name) is None:
                    return self.aliases[item.name.lower()]
        return item

    def _ordinal(self, item: exp.Literal) -> exp.Expr:
        items = self.select.expressions
        with located(item, self.text):
            if not item.this.isdecimal() or not 1 <= int(item.this) <= len(items):
                raise UnknownName(f"GROUP BY {item.this}: there are {len(items)} outputs")
            if any(is_star(other) for other in items):
                raise Unsupported(f"GROUP BY {item.this} with * is not supported")
        chosen: exp.Expr = items[int(item.this) - 1]
        return chosen
