"""Outputs without choices: a fraction leaves through a field, where there are sums and products, but no CASE."""

from __future__ import annotations

from smpc_sql.plan.expressions import Case, Column, Divide, Expression, PlusRoot, Sqrt, WrittenDouble, rebuild
from smpc_sql.plan.legal import legal
from smpc_sql.plan.relations import Limit, Project, Relation, Sort, SortKey, own_columns
from smpc_sql.plan.wide import over_words, words_of

Outputs = list[tuple[str, Expression]]


def without_choices(relation: Relation, outputs: Outputs) -> tuple[Relation, Outputs]:
    """Outputs whose numerators and denominators are polynomials of columns, and the relation that has these.

    A CASE among numbers that leave 64 bits is the sum of its values, each times the bit that it is chosen.
    """
    if not any(map(_has_choice, (e for _, e in outputs))):
        return relation, outputs
    spread = _Spread(_unordered(relation))
    found = [(name, spread.output(e)) for name, e in outputs]
    return _over(relation, spread), found


def _has_choice(e: Expression) -> bool:
    if isinstance(e, Sqrt | PlusRoot | WrittenDouble):
        return any(map(_has_choice, e.parts))
    return isinstance(e, Divide) and any(isinstance(x, Case) for part in e.parts for x in words_of(part))


def _unordered(relation: Relation) -> Relation:
    while isinstance(relation, Sort | Limit):
        relation = relation.source
    return relation


def _over(relation: Relation, spread: _Spread) -> Relation:
    """A Sort or a Limit over rows with more fields."""
    match relation:
        case Limit(source, count, offset):
            return Limit(_over(source, spread), count, offset)
        case Sort(source, keys):
            below = _over(source, spread)
            return Sort(below, tuple(SortKey(spread.output(k.expression), k.descending, k.nulls_first) for k in keys))
        case _:
            return spread.relation()


class _Spread:
    """The fields of a relation, and behind them what polynomials read."""

    def __init__(self, source: Relation) -> None:
        self.source = source
        self.expressions: list[Expression] = list(own_columns(source))
        self.names = [field.name for field in source.fields]

    def output(self, e: Expression) -> Expression:
        """The same of polynomials of columns."""
        if isinstance(e, Sqrt | PlusRoot | WrittenDouble):
            return rebuild(e, tuple(map(self.output, e.parts)))
        if isinstance(e, Divide) and _has_choice(e):
            return rebuild(e, tuple(over_words(legal(part), self._field) for part in e.parts))
        return e

    def _field(self, e: Expression) -> Column:
        if e not in self.expressions:
            self.expressions.append(e)
            self.names.append("chosen")
        i = self.expressions.index(e)
        e = self.expressions[i]
        return Column(i, self.names[i], e.type, e.nullable, e.bounds, not e.secret)

    def relation(self) -> Relation:
        """The rows with all these fields."""
        return Project(self.source, tuple(self.expressions), tuple(self.names))
