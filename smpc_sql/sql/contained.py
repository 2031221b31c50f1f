"""IN with a subquery: whether a row of values is among others, TRUE, FALSE or NULL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import And, Case, Equal, Expression, IsNull, Less, Literal, Not, columns_of
from smpc_sql.plan.relations import Filter
from smpc_sql.plan.rules.fold_constants import FALSE, TRUE, UNKNOWN
from smpc_sql.plan.rules.push_filters import conjunction
from smpc_sql.plan.sharing import share
from smpc_sql.schema import Double, Enum, Integer, Text
from smpc_sql.sql.beside import call, calls_of, mark
from smpc_sql.sql.coercion import as_quotient, is_numeric, unify
from smpc_sql.sql.correlated import Rows
from smpc_sql.sql.fixed import common, words_of
from smpc_sql.sql.operations import compare
from smpc_sql.sql.scalar import ScalarBinder
from smpc_sql.sql.scope import OUTER, is_outer, shifted

_ZERO = Literal(0, Integer(64))
_MOST_NULLABLE = 3

Pairs = list[tuple[Expression, Expression]]
"""A value and a row's item, word by word."""


def contains(binder: ScalarBinder, rows: Rows, values: Sequence[Expression], unknown_is_false: bool) -> Expression:
    """TRUE if the values are a row's, else NULL if they would be were NULLs known, else FALSE."""
    if len(rows.items) != len(values):
        raise Unsupported(f"IN: {len(values)} values, but the subquery has {len(rows.items)} columns")
    columns = [_pairs(value, item) for value, item in zip(values, rows.items, strict=True)]
    rows = replace(rows, relation=share(rows.relation))
    found = mark(binder, _known(rows, columns).relation, _links(rows, columns), rows.null_safe)
    nullable = [column for column in columns if column[0][0].nullable or column[0][1].nullable]
    if unknown_is_false or not nullable:
        return found
    if len(nullable) > _MOST_NULLABLE:
        raise Unsupported(f"IN of more than {_MOST_NULLABLE} values that may be NULL is not supported here")
    lost = [
        term
        for size in range(1, len(nullable) + 1)
        for unknown in combinations(nullable, size)
        for term in _alike_but(binder, rows, [c for c in columns if c not in unknown], unknown)
    ]
    return Case(((found, TRUE), *((term, UNKNOWN) for term in lost)), FALSE)


def _links(rows: Rows, columns: Sequence[Pairs]) -> Pairs:
    return [*((item, value) for column in columns for value, item in column), *rows.links]


def _known(rows: Rows, columns: Sequence[Pairs]) -> Rows:
    """The rows without NULLs among these items, where equality would take them for known."""
    tests = [Not(IsNull(column[0][1])) for column in columns if column[0][1].nullable] if rows.null_safe else []
    return replace(rows, relation=Filter(rows.relation, conjunction(tuple(tests)))) if tests else rows


def _alike_but(binder: ScalarBinder, rows: Rows, equal: Sequence[Pairs], unknown: Sequence[Pairs]) -> list[Expression]:
    """Whether a row has the values of the equal columns, and in each of the unknown ones it or the value is NULL."""
    rows = _known(rows, equal)
    missing = [column for column in unknown if column[0][1].nullable]
    splits = [
        split
        for size in range(len(missing) + 1)
        for split in combinations(missing, size)
        if all(column in split or column[0][0].nullable for column in unknown)
    ]
    calls = {
        f"unknown{i}" if split else "count(*)": call(
            "count_star", rows.relation, only=_all_null([column[0][1] for column in split])
        )
        for i, split in enumerate(splits)
    }
    counts = calls_of(binder, rows.relation, _links(rows, equal), calls, rows.null_safe)
    terms: list[Expression] = []
    for split, count in zip(splits, counts, strict=True):
        values = _all_null([column[0][0] for column in unknown if column not in split])
        some = Less(_ZERO, count)
        terms.append(some if values is None else And((values, some)))
    return terms


def _all_null(expressions: Sequence[Expression]) -> Expression | None:
    return conjunction(tuple(map(IsNull, expressions))) if expressions else None


def _pairs(value: Expression, item: Expression) -> Pairs:
    """Both sides of value = item in one type, texts word by word."""
    kinds = (value.type, item.type)
    if any(isinstance(kind, Text) for kind in kinds) and all(isinstance(kind, Text | Enum) for kind in kinds):
        both = unify([value, item])
        return list(zip(words_of(both[0]), words_of(both[1]), strict=True))
    return [_pair(value, item)]


def _pair(value: Expression, item: Expression) -> tuple[Expression, Expression]:
    """The same of one word; of quotients by constants their numerators over one denominator."""
    if isinstance(value.type, Double) or isinstance(item.type, Double):
        both = common([as_quotient(value), as_quotient(item)]) if is_numeric(value) and is_numeric(item) else None
        if both is not None:
            value, item = both[0]
    marked = shifted(item, OUTER)
    test = compare("=", value, marked)
    if not isinstance(test, Equal) or is_outer(test.left) or any(i < OUTER for i in columns_of(test.right)):
        raise Unsupported("IN with a subquery is not supported for a quotient by a secret or the constant NULL")
    return test.left, shifted(test.right, -OUTER)
