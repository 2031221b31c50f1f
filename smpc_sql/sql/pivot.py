"""PIVOT and UNPIVOT as what they are short for: aggregates with FILTER, and UNION ALL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from sqlglot import exp

from smpc_sql.errors import UnknownName, Unsupported
from smpc_sql.sql.nodes import only
from smpc_sql.sql.outputs import column_name


def is_pivoted(node: exp.Expr) -> bool:
    """Whether a table of FROM is pivoted."""
    return bool(node.args.get("pivots")) or (isinstance(node, exp.Subquery) and isinstance(node.this, exp.Pivot))


def before_pivot(node: exp.Expr) -> tuple[exp.Expr, exp.Pivot]:
    """The table that is pivoted, and how."""
    if isinstance(node.this, exp.Pivot):
        return node.this.this, _long_form(node.this, node.args.get("alias"))
    (*earlier, pivot) = node.args["pivots"]
    source = node.copy()
    source.set("pivots", earlier)
    return source, pivot


def _long_form(pivot: exp.Pivot, alias: exp.Expr | None) -> exp.Pivot:
    """PIVOT t ON … USING … as t PIVOT (… FOR …)."""
    only(pivot, "this", "expressions", "using", "group", "unpivot", "into")
    if pivot.args.get("unpivot"):
        into = pivot.args.get("into")
        name, values = ("name", ["value"]) if into is None else (into.this.name, [v.name for v in into.expressions])
        value: list[exp.Expr] = [exp.to_identifier(v) for v in values]
        field = exp.In(this=exp.to_identifier(name), expressions=pivot.expressions)
        return exp.Pivot(expressions=value, fields=[field], unpivot=True, alias=alias)
    if not all(isinstance(field, exp.In) for field in pivot.expressions):
        raise Unsupported(
            "PIVOT … ON a column needs its values, as in ON ward IN ('ICU', 'surgery'): columns are public"
        )
    using = pivot.args.get("using") or [exp.Count(this=exp.Star())]
    return exp.Pivot(expressions=using, fields=pivot.expressions, group=pivot.args.get("group"), alias=alias)


def pivoted(source: exp.Expr, pivot: exp.Pivot, columns: Sequence[str], text: str) -> exp.Query:
    """The query that a pivot of a table with these columns is. Raises Unsupported and UnknownName."""
    if pivot.args.get("unpivot"):
        return _unpivoted(source, pivot, columns)
    fields = pivot.args.get("fields") or []
    for field in fields:
        only(field, "this", "expressions")
    wanted = [_labelled(field) for field in fields]
    several = len(pivot.expressions) > 1
    outputs: list[exp.Expr] = []
    for values in product(*wanted):
        label = "_".join(name for name, _ in values)
        for item in pivot.expressions:
            suffix = ""
            if several or isinstance(item, exp.Alias):
                suffix = f"_{item.alias if isinstance(item, exp.Alias) else column_name(item, text)}"
            tests = [_test(field.this, value) for field, (_, value) in zip(fields, values, strict=True)]
            outputs.append(exp.alias_(_only(item.unalias(), exp.and_(*tests)), label + suffix, quoted=True))
    group = pivot.args.get("group")
    used = {
        c.name.lower() for part in (*pivot.expressions, *(f.this for f in fields)) for c in part.find_all(exp.Column)
    }
    keys: list[exp.Expr] = [exp.column(exp.to_identifier(c, quoted=True)) for c in columns if c.lower() not in used]
    keys = keys if group is None else [key.copy() for key in group.expressions]
    found = exp.Select(expressions=[*keys, *outputs]).from_(source.copy())
    return found.group_by(*(key.copy() for key in keys)) if keys else found


def _labelled(field: exp.In) -> list[tuple[str, exp.Expr]]:
    """The values of a column that become columns, by their names."""
    found = []
    for item in field.expressions:
        value = item.this if isinstance(item, exp.PivotAlias) else item
        name = item.args["alias"].name if isinstance(item, exp.PivotAlias) else _text(value)
        found.append((name, value))
    if not found:
        raise Unsupported("PIVOT needs the values of its columns, as in FOR ward IN ('ICU', 'surgery')")
    return found


def _text(value: exp.Expr) -> str:
    match value:
        case exp.Literal() | exp.Column() | exp.Identifier():
            return str(value.name)
        case exp.Cast():
            return _text(value.this)
        case exp.Neg():
            return f"-{_text(value.this)}"
        case exp.Boolean():
            return str(bool(value.this)).lower()
        case exp.Null():
            return "NULL"
        case _:
            raise Unsupported("the values of PIVOT are constants")


def _test(column: exp.Expr, value: exp.Expr) -> exp.Expr:
    if isinstance(value, exp.Null):
        return exp.Is(this=column.copy(), expression=exp.Null())
    return exp.EQ(this=column.copy(), expression=value.copy())


def _only(item: exp.Expr, test: exp.Expr) -> exp.Expr:
    """An aggregate of the rows that pass the test."""
    if isinstance(item, exp.Filter):
        raise Unsupported("FILTER in PIVOT is not supported; a WHERE in a subquery or CASE in the aggregate is")
    if not isinstance(item, exp.AggFunc):
        raise Unsupported("PIVOT needs an aggregate for each of its values")
    return exp.Filter(this=item.copy(), expression=exp.Where(this=test))


def _unpivoted(source: exp.Expr, pivot: exp.Pivot, columns: Sequence[str]) -> exp.Query:
    """A row for each of the columns that is not NULL: its name and its value, behind the others."""
    fields = pivot.args.get("fields") or []
    if len(fields) != 1 or len(pivot.expressions) != 1 or isinstance(pivot.expressions[0], exp.Tuple):
        raise Unsupported("UNPIVOT of several columns at once is not supported")
    (value,), (field,) = pivot.expressions, fields
    taken: list[tuple[str, str]] = []
    for item in field.expressions:
        column = item.this if isinstance(item, exp.PivotAlias) else item
        if not isinstance(column, exp.Column | exp.Identifier):
            raise Unsupported("UNPIVOT of anything but columns is not supported")
        if column.name.lower() not in {c.lower() for c in columns}:
            raise UnknownName(f"column {column.name} of UNPIVOT is unknown")
        taken.append((item.args["alias"].name if isinstance(item, exp.PivotAlias) else column.name, column.name))
    gone = {name.lower() for _, name in taken}
    rest = [exp.column(exp.to_identifier(c, quoted=True)) for c in columns if c.lower() not in gone]
    found: exp.Query | None = None
    for label, name in taken:
        column = exp.column(exp.to_identifier(name, quoted=True))
        outputs = [
            *(c.copy() for c in rest),
            exp.alias_(exp.Literal.string(label), field.this.name, quoted=True),
            exp.alias_(column, value.name, quoted=True),
        ]
        part: exp.Query = exp.Select(expressions=outputs).from_(source.copy())
        if not pivot.args.get("include_nulls"):
            part = part.where(exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null())))
        found = part if found is None else exp.Union(this=found, expression=part, distinct=False)
    assert found is not None
    return found
