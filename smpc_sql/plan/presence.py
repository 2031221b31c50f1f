"""Which of the values that are delivered are there, told by words that are delivered, too: nothing is tested under MPC.

Whether SUM, MIN or MAX of all rows, or of a group, is NULL, and whether a group is there, is whether it has rows.
To find that out under MPC takes a comparison of the number of rows with 0, and to clear what is not there a product.
Neither is needed for what goes to the analyst straight away: where no row takes part, sums and counts are 0 and
extremes a bound of their type (`AggregateCall.filled`), which says nothing; and a word is delivered that is 0 there:
COUNT, if that is asked for anyway, or else the sum of a random word for each row that takes part (`presence`). The
latter is uniform whenever there is such a row, and shows nothing but that; with a chance of 2^-64 it is 0 all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from smpc_sql.plan.cost import ROUND, VECTOR_WORD
from smpc_sql.plan.delivery import Delivery, Fraction
from smpc_sql.plan.expressions import (
    Add,
    AggregateCall,
    And,
    Case,
    Column,
    Expression,
    FromBoolean,
    IsNull,
    Literal,
    Multiply,
    Negate,
    Not,
    Rescale,
    Subtract,
    columns_of,
    transform,
    walk,
)
from smpc_sql.plan.relations import Aggregate, Project, Relation, substitute

Rows = tuple[frozenset[Expression], frozenset[Expression]]
"""Which rows of a group take part in a call: those where some expressions are not NULL, and some conditions true."""

_ALL: Rows = (frozenset(), frozenset())
_STRICT = (Add, Subtract, Multiply, Negate, Rescale, Column, Literal)
_SAVED_ROUNDS = 6


def told_by_words(delivery: Delivery) -> Delivery:
    """The same delivery with NULLs, and groups that are not there, told by words, where all of them can be."""
    relation = delivery.relation
    groups = relation.source if isinstance(relation, Project) else relation
    if delivery.ranked or not isinstance(groups, Aggregate) or groups.every:
        return delivery
    columns = tuple(groups.column(i) for i in range(len(groups.fields)))
    expressions = relation.expressions if isinstance(relation, Project) else columns
    return _Told(delivery, groups, expressions).delivery() or delivery


class _Told:
    def __init__(self, delivery: Delivery, groups: Aggregate, expressions: tuple[Expression, ...]) -> None:
        self.old = delivery
        self.groups = groups
        self.expressions = tuple(map(self._settled, expressions))
        self.more: list[AggregateCall] = []

    def delivery(self) -> Delivery | None:
        """The delivery, or None if something in it must be tested."""
        if not self._is_possible():
            return None
        nulls = []
        for place in self.old.words:
            rows = self._rows_of(place)
            if self._is_nullable(place) and not self._always_there(rows):
                nulls.append((place, self._told_by(rows)))
        valid = self._told_by(_ALL) if self.groups.keys else None
        if self.more and self.groups.keys and not self._is_cheap():
            return None
        if not nulls and valid is None and all(call.nullable is False for call in self.groups.calls):
            return None
        return replace(self.old, relation=self._relation(), nulls=tuple(nulls), valid=valid)

    # -------------------------------------------------------------------------------------------- what can be told

    def _is_possible(self) -> bool:
        groups = self.groups
        if any(call.in_order or (call.nullable and call.filling not in call.bounds) for call in groups.calls):
            return False
        if groups.keys and not (groups.enumerated and self._keys_are_delivered()):
            return False
        if not all(map(self._is_strict, self.old.words)):
            return False
        return all(map(self._is_fraction, self.old.fractions))

    def _keys_are_delivered(self) -> bool:
        """Then the place of a row says nothing."""
        shown = {self.expressions[place] for place in self.old.words}
        return all(self.groups.column(i) in shown for i in range(len(self.groups.keys)))

    def _is_strict(self, place: int) -> bool:
        """Whether a field is NULL just where the same rows of every call in it are none: then its value is known."""
        expression = self.expressions[place]
        if not self._is_nullable(place):
            return True
        if not all(isinstance(node, _STRICT) for node in walk(expression)):
            return False
        if any(isinstance(node, Literal) and node.value is None for node in walk(expression)):
            return False
        return len(columns_of(expression)) == len(self._calls(expression)) and len(self._all_rows(place)) == 1

    def _is_fraction(self, fraction: Fraction) -> bool:
        """Whether its denominator is 0 where it is to be NULL, and in a group that is not there."""
        places = columns_of(fraction.numerator, fraction.denominator)
        needed = {rows for place in places if self._is_nullable(place) for rows in self._all_rows(place)}
        needed -= {_ALL} if self.groups.keys else set()
        zero = [(place, rows) for place in columns_of(fraction.denominator) for rows in self._zero_without(place)]
        return all(
            _vanishes(fraction.denominator, {place for place, rows in zero if rows == mine}) for mine in needed
        ) and (not self.groups.keys or _vanishes(fraction.denominator, {place for place, _ in zero}))

    def _zero_without(self, place: int) -> list[Rows]:
        """The rows without which a field is 0, if it is a sum or a count."""
        expression = self.expressions[place]
        if not isinstance(expression, Column):
            return []
        return [_rows_of(call) for call in self._calls(expression) if call.kind in ("count", "count_star", "sum")]

    def _is_cheap(self) -> bool:
        """A presence of every group is a word of a dealt vector for each row and group."""
        words = self.groups.source.max_rows * self.groups.max_rows * len(self.more)
        return words * VECTOR_WORD <= _SAVED_ROUNDS * ROUND

    # -------------------------------------------------------------------------------------------- of fields and rows

    def _calls(self, expression: Expression) -> list[AggregateCall]:
        keys = len(self.groups.keys)
        return [self.groups.calls[i - keys] for i in columns_of(expression) if i >= keys]

    def _settled(self, expression: Expression) -> Expression:
        """COALESCE of a call and what it is filled with is the filled call."""

        def settle(node: Expression) -> Expression:
            match node:
                case Case(((IsNull(Column() as x), Literal(value)),), Column() as y) if x == y and x.type == node.type:
                    calls = self._calls(x)
                    return replace(x, nullable=False) if calls and calls[0].filling == value else node
                case _:
                    return node

        return transform(expression, settle)

    def _all_rows(self, place: int) -> list[Rows]:
        return list(dict.fromkeys(map(_rows_of, self._calls(self.expressions[place]))))

    def _rows_of(self, place: int) -> Rows:
        """Of a field that is nullable because of a call."""
        return next(iter(self._all_rows(place)), _ALL)

    def _is_nullable(self, place: int) -> bool:
        """Whether a field may be NULL because of a call; a key may for itself."""
        keys = len(self.groups.keys)
        nodes = walk(self.expressions[place])
        return any(isinstance(node, Column) and node.index >= keys and node.nullable for node in nodes)

    def _always_there(self, rows: Rows) -> bool:
        return bool(self.groups.keys) and rows == _ALL

    # -------------------------------------------------------------------------------------------- the new relation

    def _told_by(self, rows: Rows) -> int:
        """The field that is 0 where there are no such rows: a count that is delivered, or one that is added."""
        for place in self.old.words:
            expression = self.expressions[place]
            if isinstance(expression, Column):
                for call in self._calls(expression):
                    if call.kind in ("count", "count_star") and _rows_of(call) == rows:
                        return place
        alike = next((call for call in self.groups.calls if _rows_of(call) == rows), None)
        argument = None if alike is None or not alike.argument or not alike.argument.nullable else alike.argument
        filter_ = None if alike is None else alike.filter
        presence = AggregateCall("presence", argument, filter_, self.groups.source.max_rows)
        if presence not in self.more:
            self.more.append(presence)
        return len(self.expressions) + self.more.index(presence)

    def _relation(self) -> Relation:
        old = self.groups
        calls = tuple(replace(call, filled=True) if call.nullable else call for call in old.calls)
        names = tuple(f"presence{i or ''}" for i in range(len(self.more)))
        groups = replace(old, calls=(*calls, *self.more), call_names=(*old.call_names, *names), every=bool(old.keys))
        columns = tuple(groups.column(i) for i in range(len(groups.fields)))
        added = columns[len(old.fields) :]
        wanted = (*(substitute(expression, columns) for expression in self.expressions), *added)
        if isinstance(self.old.relation, Aggregate):
            return groups
        old_names = tuple(field.name for field in self.old.relation.fields)
        return Project(groups, wanted, (*old_names, *names))


def _rows_of(call: AggregateCall) -> Rows:
    terms = call.filter.terms if isinstance(call.filter, And) else (call.filter,) if call.filter else ()
    known = {term.x.x for term in terms if isinstance(term, Not) and isinstance(term.x, IsNull)}
    passed = {term for term in terms if not (isinstance(term, Not) and isinstance(term.x, IsNull))}
    arguments = known if call.argument is None else {*known, call.argument}
    return frozenset(part for x in arguments for part in _nullable_parts(x)), frozenset(passed)


def _nullable_parts(expression: Expression) -> Iterator[Expression]:
    """An expression is NULL just where one of these is."""
    if isinstance(expression, (*_STRICT, FromBoolean)) and expression.parts:
        for part in expression.parts:
            yield from _nullable_parts(part)
    elif expression.nullable:
        yield expression


def _vanishes(polynomial: Expression, zero: Set[int]) -> bool:
    """Whether a polynomial is 0 where these columns are, whatever the others."""
    match polynomial:
        case Column(index):
            return index in zero
        case Literal(value):
            return value == 0
        case Rescale(x) | Negate(x):
            return _vanishes(x, zero)
        case Add(left, right) | Subtract(left, right):
            return _vanishes(left, zero) and _vanishes(right, zero)
        case Multiply(left, right):
            return _vanishes(left, zero) or _vanishes(right, zero)
        case _:
            return False
