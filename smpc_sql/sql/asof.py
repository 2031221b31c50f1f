"""ASOF JOIN as what it is short for: LATERAL (SELECT … ORDER BY … LIMIT 1)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from smpc_sql.errors import UnknownName, Unsupported
from smpc_sql.sql.nodes import and_terms, only
from smpc_sql.sql.scope import Name

_TURNED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GTE: exp.LTE, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.LT: exp.GT}


def as_lateral(join: exp.Join, names: Sequence[Name]) -> exp.Join:
    """`a ASOF [LEFT] JOIN b ON a.k = b.k AND a.t >= b.t` as a [LEFT] JOIN LATERAL of b's rows, the last of them first.

    names: of the tables before. Raises Unsupported without exactly one comparison of both sides, and UnknownName.
    """
    only(join, "this", "method", "side", "on", "using")
    using = join.args.get("using") or []
    condition = join.args.get("on")
    terms = [] if condition is None else and_terms(condition)
    right = join.this.alias_or_name
    if using:
        terms = [_compared(item, right, names, i == len(using) - 1) for i, item in enumerate(using)]
    tests = [term for term in terms if type(term) in _TURNED]
    if len(tests) != 1:
        raise Unsupported("ASOF JOIN needs equalities and exactly one of >=, >, <=, < between its tables")
    (test,) = tests
    if _is_before(test.this, right, names):
        theirs, kind = test.expression, type(test)
    else:
        theirs, kind = test.this, _TURNED[type(test)]
    star: exp.Expr = exp.Star(**({"except_": [exp.column(item.name) for item in using]} if using else {}))
    chosen = exp.Select(expressions=[star]).from_(join.this.copy()).where(*(term.copy() for term in terms))
    descending = kind in (exp.GTE, exp.GT)
    chosen = chosen.order_by(exp.Ordered(this=theirs.copy(), desc=descending, nulls_first=False)).limit(1)
    alias = exp.TableAlias(this=exp.to_identifier(right))
    lateral = exp.Lateral(this=exp.Subquery(this=chosen), alias=alias)
    found = exp.Join(this=lateral, side=join.args.get("side"), on=exp.true())
    found.parent = join.parent
    return found


def _compared(item: exp.Expr, right: str, names: Sequence[Name], last: bool) -> exp.Expr:
    """What a column of USING stands for: the last is not before the right's, the others are equal."""
    table = next((n.table for n in names if n.table and n.name.lower() == item.name.lower()), None)
    if table is None:
        raise UnknownName(f"column {item.name} of USING is in no table before")
    kind = exp.GTE if last else exp.EQ
    return kind(this=exp.column(item.name, table), expression=exp.column(item.name, right))


def _is_before(node: exp.Expr, right: str, names: Sequence[Name]) -> bool:
    """Whether a side of the comparison is of the tables before."""
    columns = list(node.find_all(exp.Column))
    if not columns:
        raise Unsupported("ASOF JOIN compares a column of either side")
    return not any(_reads_right(column, right, names) for column in columns)


def _reads_right(column: exp.Column, right: str, names: Sequence[Name]) -> bool:
    if column.table:
        return column.table.lower() == right.lower()
    return all(n.name.lower() != column.name.lower() for n in names)
