"""Plans in which a number may leave 64 bits, as plans of words: fields of wide numbers become fields of their parts.

A field of a relation that is not provably a word becomes a polynomial over fields of the new relation, which are
(`plan/wide.py`). A SUM is split into sums of terms that stay within 64 bits in a group of all rows; what compares wide
numbers, keys and the values of MIN and MAX, reads their digits. The binder and all rules know nothing of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from smpc_sql.plan.expressions import Column, Divide, Expression, Literal, Rescale, Sqrt, columns_of
from smpc_sql.plan.legal import legal
from smpc_sql.plan.lets import Lets
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    CrossJoin,
    Filter,
    Join,
    Limit,
    Project,
    Relation,
    Scan,
    Shared,
    Sort,
    SortKey,
    Values,
    Window,
    WindowCall,
    own_columns,
    substitute,
)
from smpc_sql.plan.wide import Let, as_it_is, digit_count, digits, fits, is_number, over_words, total_of, words_of
from smpc_sql.plan.wide_calls import call_parts, weighted, window_parts
from smpc_sql.schema import SqlType

Fields = tuple[Expression, ...]
"""For every field of a relation what it is over the fields of the new one: a column, or a polynomial of columns."""


def widened(relation: Relation) -> tuple[Relation, Fields]:
    """The same rows without wide fields. A Sort at the root keeps its keys; see `digit_keys`.

    What cannot be split stays as it is: `plan/bounds.py` will refuse it.
    """
    return _Widening().visit(relation, root=True)


def digit_keys(relation: Relation) -> Relation:
    """A Sort whose keys are columns: of wide keys their digits. Any other relation as it is."""
    if not isinstance(relation, Sort):
        return relation
    if all(isinstance(key.expression, Column | Divide | Sqrt) for key in relation.keys):
        return relation
    below = _Fields(relation.source, own_columns(relation.source))
    keys = [
        SortKey(word if isinstance(word, Divide | Sqrt) else below.field(word, "key"), key.descending, key.nulls_first)
        for key in relation.keys
        for word in _key_words(key.expression)
    ]
    return Sort(below.relation(), tuple(keys))


def _key_words(key: Expression, let: Let = as_it_is) -> list[Expression]:
    """What tells apart and orders as a key does."""
    return [key] if fits(key) or not is_number(key) else digits(key, let=let)


class _Fields:
    """The fields of a Project over a relation, found one by one."""

    def __init__(self, source: Relation, expressions: Sequence[Expression] = ()) -> None:
        self.source = source
        self.expressions = list(expressions)
        self.names = [source.fields[i].name for i in range(len(expressions))]

    def field(self, e: Expression, name: str) -> Column:
        """The column of an expression."""
        if e not in self.expressions:
            self.add([e], name)
        i = self.expressions.index(e)
        e = self.expressions[i]
        return Column(i, self.names[i], e.type, e.nullable, e.bounds, not e.secret)

    def add(self, expressions: Sequence[Expression], name: str) -> None:
        """Fields behind the others."""
        self.expressions += expressions
        self.names += [name] * len(expressions)

    def put(self, e: Expression, type_: SqlType, name: str) -> Expression:
        """A legal expression as what it is over the fields."""
        if not is_number(e):
            return self.field(e, name)
        return _retyped(over_words(e, lambda word: self.field(word, name)), type_)

    def relation(self) -> Project:
        """The Project."""
        return Project(self.source, tuple(self.expressions), tuple(self.names))


class _Widening:
    def __init__(self) -> None:
        self.shared: dict[str, tuple[Relation, Fields]] = {}

    def visit(self, relation: Relation, root: bool = False) -> tuple[Relation, Fields]:
        """The relation without wide fields."""
        match relation:
            case Scan() | Values():
                return relation, own_columns(relation)
            case Shared(digest=digest):
                if digest not in self.shared:
                    source, fields = self.visit(relation.source)
                    self.shared[digest] = Shared(source), fields
                return self.shared[digest]
            case Filter(source, predicate):
                below, fields = self.visit(source)
                lets = Lets(below)
                condition = _over(predicate, fields, lets)
                return Filter(lets.relation(), lets.settled(condition)), fields
            case Project(source, expressions, names):
                below, fields = self.visit(source)
                lets = Lets(below)
                over = [_over(e, fields, lets) for e in expressions]
                made = _Fields(lets.relation())
                wanted = map(lets.settled, over)
                new = tuple(made.put(e, e.type, name) for e, name in zip(wanted, names, strict=True))
                return made.relation(), new
            case Sort(source, keys):
                below, fields = self.visit(source)
                lets = Lets(below)
                over = [_over(k.expression, fields, lets) for k in keys]
                new_keys = tuple(
                    SortKey(lets.settled(e), k.descending, k.nulls_first) for e, k in zip(over, keys, strict=True)
                )
                ordered = Sort(lets.relation(), new_keys)
                return ordered if root else digit_keys(ordered), fields
            case Limit(source, count, offset):
                below, fields = self.visit(source)
                return Limit(below, count, offset), fields
            case CrossJoin(left, right):
                (new_left, lefts), (new_right, rights) = self.visit(left), self.visit(right)
                crossed = CrossJoin(new_left, new_right)
                return crossed, (*_moved(lefts, crossed, 0), *_moved(rights, crossed, len(new_left.fields)))
            case Join():
                return self._join(relation)
            case Concat():
                return self._concat(relation)
            case Aggregate():
                return self._aggregate(relation)
            case Window():
                return self._window(relation)
            case _:
                assert_never(relation)

    def _aggregate(self, aggregate: Aggregate) -> tuple[Relation, Fields]:
        below, fields = self.visit(aggregate.source)
        lets = Lets(below)
        keys = [_key_words(_over(key, fields, lets), lets) for key in aggregate.keys]
        key_names = [name for name, words in zip(aggregate.key_names, keys, strict=True) for _ in words]
        over = [c.over(lambda part: _over(part, fields, lets), below.max_rows) for c in aggregate.calls]
        named = [call_parts(call, lets) for call in over]
        below, keys = lets.relation(), [list(map(lets.settled, words)) for words in keys]
        made = [[(weight, part.over(lets.settled, below.max_rows)) for weight, part in parts] for parts in named]
        calls = tuple(dict.fromkeys(part for parts in made for _, part in parts))
        names = {part: name for name, parts in zip(aggregate.call_names, made, strict=True) for _, part in parts}
        grouped = Aggregate(
            below,
            tuple(word for words in keys for word in words),
            tuple(key_names),
            calls,
            tuple(names[call] for call in calls),
            aggregate.most,
            aggregate.every,
        )
        columns = iter(own_columns(grouped))
        values: list[list[tuple[int, Expression]]] = [[*weighted([next(columns) for _ in words])] for words in keys]
        column_of = dict(zip(calls, columns, strict=True))
        values += [[(weight, column_of[part]) for weight, part in parts] for parts in made]
        return _settled(grouped, values, [field.type for field in aggregate.fields])

    def _join(self, join: Join) -> tuple[Relation, Fields]:
        (left, lefts), (right, rights) = self.visit(join.left), self.visit(join.right)
        left_keys: list[Expression] = []
        right_keys: list[Expression] = []
        for one, other in zip(join.left_keys, join.right_keys, strict=True):
            mine, yours = _over(one, lefts, as_it_is), _over(other, rights, as_it_is)
            wide = is_number(mine) and not (fits(mine) and fits(yours))
            count = digit_count(mine.bounds.union(yours.bounds))
            left_keys += digits(mine, count) if wide else [mine]
            right_keys += digits(yours, count) if wide else [yours]
        carried = columns_of(*(rights[i] for i in join.carried_fields))
        every = join.kind == "mark" or carried == tuple(range(len(right.fields)))
        new = replace(
            join,
            left=left,
            right=right,
            left_keys=tuple(left_keys),
            right_keys=tuple(right_keys),
            carried=None if every else carried,
        )
        width = len(left.fields)
        if join.kind == "mark":
            return new, (*_moved(lefts, new, 0), new.column(width))
        places = {old: width + i for i, old in enumerate(new.carried_fields)}
        by = [new.column(places.get(i, 0)) for i in range(len(right.fields))]
        return new, (*_moved(lefts, new, 0), *(substitute(rights[i], by) for i in join.carried_fields))

    def _concat(self, concat: Concat) -> tuple[Relation, Fields]:
        """Every source the same columns: of what is wide in one of them, digits in all."""
        visited = [self.visit(source) for source in concat.inputs]
        made = [_Fields(below) for below, _ in visited]
        counts = []
        for place, field in enumerate(concat.fields):
            each = [fields[place] for _, fields in visited]
            count = 0 if all(isinstance(e, Column) for e in each) else digit_count(field.bounds)
            for one, e in zip(made, each, strict=True):
                one.add(digits(e, count) if count else [e], field.name)
            counts.append(max(1, count))
        stacked = Concat(tuple(one.relation() for one in made))
        columns = iter(own_columns(stacked))
        values: list[list[tuple[int, Expression]]] = [[*weighted([next(columns) for _ in range(n)])] for n in counts]
        return _settled(stacked, values, [field.type for field in concat.fields])

    def _window(self, window: Window) -> tuple[Relation, Fields]:
        below, fields = self.visit(window.source)
        lets = Lets(below)
        partition = [word for key in window.partition for word in _key_words(_over(key, fields, lets), lets)]
        order = [
            SortKey(word, key.descending, key.nulls_first)
            for key in window.order
            for word in _key_words(_over(key.expression, fields, lets), lets)
        ]
        over = [_of_window(call, lambda part: _over(part, fields, lets)) for call in window.calls]
        named = [window_parts(call, window.max_rows, lets) for call in over]
        made = [[(weight, _of_window(part, lets.settled)) for weight, part in parts] for parts in named]
        below, partition = lets.relation(), list(map(lets.settled, partition))
        order = [SortKey(lets.settled(k.expression), k.descending, k.nulls_first) for k in order]
        calls = tuple(dict.fromkeys(part for parts in made for _, part in parts))
        names = {part: name for name, parts in zip(window.call_names, made, strict=True) for _, part in parts}
        new = Window(below, tuple(partition), tuple(order), calls, tuple(names[call] for call in calls))
        column_of = dict(zip(calls, own_columns(new)[len(below.fields) :], strict=True))
        values: list[list[tuple[int, Expression]]] = [[(1, e)] for e in _moved(fields, new, 0)]
        values += [[(weight, column_of[part]) for weight, part in parts] for parts in made]
        return _settled(new, values, [field.type for field in window.fields])


def _over(e: Expression, fields: Fields, let: Let) -> Expression:
    return legal(substitute(e, fields), let)


def _of_window(call: WindowCall, change: Let) -> WindowCall:
    return call if call.argument is None else replace(call, argument=change(call.argument))


def _moved(fields: Fields, relation: Relation, start: int) -> Fields:
    """The same over a relation in which the fields begin at `start`."""
    columns = own_columns(relation)[start:]
    return tuple(substitute(e, columns) for e in fields)


def _settled(
    relation: Relation, values: Sequence[Sequence[tuple[int, Expression]]], types: Sequence[SqlType]
) -> tuple[Relation, Fields]:
    """Fields that are sums of columns with weights; where a column's own type has to change, by a Project."""
    found = [
        parts[0][1] if len(parts) == 1 and parts[0][0] == 1 else total_of(parts, type_)
        for parts, type_ in zip(values, types, strict=True)
    ]
    if all(isinstance(word, Column | Literal) for e in found for word in words_of(e)):
        return relation, tuple(map(_retyped, found, types))
    made = _Fields(relation)
    new = tuple(made.put(e, type_, "part") for e, type_ in zip(found, types, strict=True))
    return made.relation(), new


def _retyped(e: Expression, type_: SqlType) -> Expression:
    return e if isinstance(e, Column) or e.type == type_ else Rescale(e, 0, type_)
