"""UNION, INTERSECT, EXCEPT and VALUES: relations of the same columns, stacked or looked up in one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import AggregateCall, Column, Divide, Elapsed, Expression, IsNull, Less, Not, Or, Sqrt
from smpc_sql.plan.relations import (
    Aggregate,
    Concat,
    Filter,
    Join,
    Project,
    Relation,
    Sort,
    Values,
    Window,
    WindowCall,
    own_columns,
    substitute,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Double, scale_of
from smpc_sql.sql import intervals
from smpc_sql.sql.coercion import as_quotient, rescaled, unify
from smpc_sql.sql.domain import Domain
from smpc_sql.sql.fixed import common, over_constant, words_of, wrapped
from smpc_sql.sql.literals import is_null
from smpc_sql.sql.nodes import construct, located, only
from smpc_sql.sql.ordering import Output, finish, row_count, sort_keys
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import Name, Scope
from smpc_sql.sql.tables import BindQuery, Bound

_MOST_ROWS = 1000


def bind_set_operation(
    node: exp.SetOperation,
    ctes: Mapping[str, exp.CTE],
    text: str,
    bind_query: BindQuery,
    domain: Domain | None = None,
) -> Bound:
    """Two queries as one. domain: of a correlated one, whose words are the last columns of either query.

    Raises Unsupported, TypeMismatch.
    """
    only(node, "this", "expression", "distinct", "with_", "order", "limit", "offset")
    sides = [_side(part, ctes, bind_query) for part in (node.this, node.expression)]
    around = 0 if domain is None else len(domain.words)
    widths = [len(side.columns) - around for side in sides]
    if widths[0] != widths[1]:
        raise TypeMismatch(f"{construct(node)}: {widths[0]} and {widths[1]} columns do not fit")
    distinct = bool(node.args.get("distinct"))
    relations, columns = alike(sides)
    doubles = any(isinstance(e.type, Double) and over_constant(e) is None for _, e in columns)
    relation = _combined(node, relations, distinct=distinct, doubles=doubles)
    settled = own_columns(relation)
    outputs = [Output(name, node, substitute(expression, settled)) for name, expression in columns]
    scope = Scope(relation, tuple(Name("", output.name, output.expression) for output in outputs))
    own = outputs[: len(outputs) - around]
    keys = sort_keys(node, ScalarBinder(scope, text, "ORDER BY of a set operation"), own)
    count, offset = (row_count(node, clause, text) for clause in ("limit", "offset"))
    return finish(relation, outputs, keys, count, offset or 0, around)


def _side(node: exp.Expr, ctes: Mapping[str, exp.CTE], bind_query: BindQuery) -> Bound:
    bound = bind_query(node, ctes)
    relation = bound.relation
    return Bound(relation.source, bound.columns) if isinstance(relation, Sort) else bound


def _combined(node: exp.Expr, relations: Sequence[Relation], *, distinct: bool, doubles: bool) -> Relation:
    if not distinct and isinstance(node, exp.Union):
        return Concat(tuple(relations))
    if doubles:
        raise Unsupported(f"{construct(node)} of quotients is not supported but by constants; UNION ALL is")
    if isinstance(node, exp.Union):
        return _distinct(Concat(tuple(relations)))
    if not distinct:
        return _with_repetitions(relations[0], relations[1], isinstance(node, exp.Intersect))
    left = _distinct(relations[0])
    marked = Join(left, relations[1], "mark", own_columns(left), own_columns(relations[1]), null_safe=True)
    width = len(left.fields)
    mark = marked.column(width)
    kept = Filter(marked, mark if isinstance(node, exp.Intersect) else Not(mark))
    return Project(kept, own_columns(kept)[:width], tuple(field.name for field in left.fields))


def _with_repetitions(left: Relation, right: Relation, both: bool) -> Relation:
    """INTERSECT ALL, if both, and EXCEPT ALL: of equal left rows the first as many as the right has; or the others."""
    names = tuple(field.name for field in left.fields)
    numbered = Window(left, own_columns(left), (), (WindowCall("row_number"),), ("number",))
    counted = Aggregate(
        right, own_columns(right), names, (AggregateCall("count_star", None, None, right.max_rows),), ("n",)
    )
    width = len(names)
    keys = own_columns(numbered)[:width], own_columns(counted)[:width]
    beside = Join(numbered, counted, "left", *keys, null_safe=True)
    number, count = beside.column(width), beside.column(len(beside.fields) - 1)
    more = Less(count, number)
    kept = Filter(beside, Not(more) if both else Or((IsNull(count), more)))
    return Project(kept, own_columns(kept)[:width], names)


def _distinct(relation: Relation) -> Aggregate:
    return Aggregate(relation, own_columns(relation), tuple(field.name for field in relation.fields), (), ())


def alike(sides: Sequence[Bound]) -> tuple[list[Relation], list[tuple[str, Expression]]]:
    """Relations whose fields are the columns in their common types (of a DOUBLE numerator and denominator, of a long
    text its words), and the columns over those of the first."""
    fields: list[list[Expression]] = [[] for _ in sides]
    names: list[str] = []
    outputs: list[tuple[str, Expression, int]] = []
    for i, (name, _) in enumerate(sides[0].columns):
        values = [_as_null(side.relation, side.columns[i][1]) for side in sides]
        parts, like = _parts(values)
        for own, more in zip(fields, parts, strict=True):
            own += more
        names += [name] * len(parts[0])
        outputs.append((name, like, len(parts[0])))
    relations: list[Relation] = [
        Project(side.relation, tuple(own), tuple(names)) for side, own in zip(sides, fields, strict=True)
    ]
    columns: list[tuple[str, Expression]] = []
    place = 0
    for name, like, width in outputs:
        here = own_columns(relations[0])[place : place + width]
        columns.append((name, wrapped(like, here) if width == len(words_of(like)) else Divide(here[0], here[1])))
        place += width
    return relations, columns


def _as_null(relation: Relation, value: Expression) -> Expression:
    """A column that is the constant NULL in every row as that constant, which takes on any type; else the column."""
    found = value
    while isinstance(found, Column) and isinstance(relation, Project):
        found, relation = relation.expressions[found.index], relation.source
    return found if is_null(found) else value


def _parts(values: Sequence[Expression]) -> tuple[list[list[Expression]], Expression]:
    """The words of every side, and a value of the same kind. Of quotients by constants numerators, of others both."""
    if any(isinstance(value, Elapsed) for value in values):
        like, words = intervals.alike(values)
        return [[word] for word in words], like
    if not any(isinstance(value.type, Double) for value in values):
        values = unify(values)
        return [list(words_of(value)) for value in values], values[0]
    fixed = None if any(isinstance(value, Sqrt) for value in values) else common([as_quotient(v) for v in values])
    if fixed is None:
        return _fractions(values), values[0]
    return [[word] for word in unify(fixed[0])], Divide(fixed[0][0], fixed[1])


def _fractions(values: Sequence[Expression]) -> list[list[Expression]]:
    """Numerators and denominators, all at one scale."""
    if any(isinstance(value, Sqrt) for value in values):
        raise Unsupported("a set operation on square roots (STDDEV, SQRT) is not supported")
    quotients = [as_quotient(value) for value in values]
    scale = max(scale_of(part.type) for q in quotients for part in (q.numerator, q.denominator))
    numerators = unify([rescaled(q.numerator, scale) for q in quotients])
    denominators = unify([rescaled(q.denominator, scale) for q in quotients])
    return [list(pair) for pair in zip(numerators, denominators, strict=True)]


def bind_values(node: exp.Values, text: str, domain: Domain | None = None) -> Bound:
    """VALUES: constant rows; with a domain such rows for each of its rows, whose words are the last columns."""
    rows = node.expressions
    if len(rows) > _MOST_ROWS:
        raise Unsupported(f"VALUES of more than {_MOST_ROWS} rows is not supported")
    relation: Relation = Values()
    names: tuple[Name, ...] = ()
    if domain is not None and domain.words:
        relation, names = domain.relation(), domain.names(0)
    binder = ScalarBinder(Scope(relation, names), text, "VALUES", domain=domain)
    around = tuple(("around", word) for word in own_columns(relation))
    bound = []
    for row in rows:
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        with located(row, text):
            expressions = [fold(binder.bind(item)) for item in items]
        bound.append(Bound(relation, (*((f"col{i}", e) for i, e in enumerate(expressions)), *around)))
    if len({len(row.columns) for row in bound}) != 1:
        raise TypeMismatch("the rows of VALUES must have as many values each")
    relations, columns = alike(bound)
    relation = relations[0] if len(relations) == 1 else Concat(tuple(relations))
    return Bound(relation, tuple((name, substitute(e, own_columns(relation))) for name, e in columns))
