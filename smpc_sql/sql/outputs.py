"""What a SELECT puts out: the words that it materialises, and the names of its columns."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.errors import InternalError, UnknownName
from smpc_sql.plan.expressions import (
    Add,
    Case,
    Column,
    Divide,
    Elapsed,
    Expression,
    Literal,
    LongText,
    Multiply,
    Negate,
    PlusRoot,
    Rescale,
    Sqrt,
    Subtract,
    Within,
    WrittenDouble,
    rebuild,
)
from smpc_sql.plan.wide import fits, words_of
from smpc_sql.schema import WORD, Double
from smpc_sql.sql.fixed import over_constant
from smpc_sql.sql.nodes import only
from smpc_sql.sql.quotient import known_together
from smpc_sql.sql.scope import Name, Scope


def is_star(item: exp.Expr) -> bool:
    """Whether a SELECT item is * or table.*"""
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def unaliased(item: exp.Expr) -> exp.Expr:
    """A SELECT item without its alias."""
    inner: exp.Expr = item.unalias()
    return inner


def starred(item: exp.Expr, scope: Scope) -> list[Name]:
    """The columns that * or table.* stands for. Raises UnknownName, Unsupported."""
    star = item.this if isinstance(item, exp.Column) else item
    only(star, "except_")
    table = item.text("table") if isinstance(item, exp.Column) else ""
    excluded = {column.name.lower() for column in star.args.get("except_") or ()}
    names = scope.stars(table)
    for name in sorted(excluded):
        if scope.find(name, table) is None:
            raise scope.unknown(name, table)
    if not names:
        raise UnknownName("* without FROM stands for nothing")
    return [name for name in names if name.name.lower() not in excluded]


def delivered(x: Expression) -> Expression:
    """An output of the whole statement: an INTERVAL without the parts that nobody asks for any more, a sum with a root
    of which neither part is there where the other is not.
    """
    match x:
        case Elapsed(micros):
            return Elapsed(micros)
        case PlusRoot():
            return known_together(x)
        case WrittenDouble(PlusRoot() as inner):
            return WrittenDouble(known_together(inner))
        case _:
            return x


class Words:
    """The fields of a SELECT's Project: its outputs, and of DOUBLEs the words that their polynomials read."""

    def __init__(self) -> None:
        self.expressions: list[Expression] = []
        self.names: list[str] = []

    def over(self, expression: Expression, name: str) -> Expression:
        """The expression over the fields, which are added where they are missing."""
        if isinstance(expression, Elapsed):
            split = expression.split and tuple(self._field(part, name) for part in expression.split)
            return Elapsed(self.over(expression.x, name), split, expression.monthly)
        if isinstance(expression, WrittenDouble):
            return WrittenDouble(self.over(expression.x, name))
        if isinstance(expression, PlusRoot):
            return PlusRoot(self.over(expression.x, name), self.over(expression.root, name), expression.together)
        if isinstance(expression, Sqrt):
            return Sqrt(self.over(expression.x, name), expression.signed, expression.most)
        if isinstance(expression, Divide):
            if over_constant(expression) is not None and _is_word(expression.numerator):
                return Divide(self._field(expression.numerator, name), expression.denominator, expression.guarded)
            numerator = self._polynomial(expression.numerator)
            return Divide(numerator, self._polynomial(expression.denominator), expression.guarded)
        if isinstance(expression, LongText):
            return LongText(tuple(self._field(word, name) for word in expression.bare), expression.type)
        return self._field(expression, name)

    def _polynomial(self, e: Expression) -> Expression:
        match e:
            case Literal():
                return e
            case Add() | Subtract() | Multiply() | Negate() | Rescale():
                return rebuild(e, tuple(map(self._polynomial, e.parts)))
            case Within(x) if isinstance(x, _POLYNOMIAL) and not any(isinstance(y, Case) for y in words_of(x)):
                return rebuild(e, (self._polynomial(x),))
            case Column(name=name):
                return self._field(e, name)
            case Case(branches, default) if not fits(e):
                chosen = tuple((self._field(condition, "chosen"), self._choice(value)) for condition, value in branches)
                return Case(chosen, self._choice(default))
            case _:
                return self._field(e, "word")

    def _choice(self, e: Expression) -> Expression:
        """A value of a CASE: constants are fields, too, since an outer join may make them NULL."""
        return self._field(e, "word") if isinstance(e, Literal) and e.value is not None else self._polynomial(e)

    def _field(self, e: Expression, name: str) -> Column:
        if isinstance(e.type, Double):
            raise InternalError("a DOUBLE is not a word")
        if e not in self.expressions:
            self.expressions.append(e)
            self.names.append(name)
        i = self.expressions.index(e)
        return Column(i, self.names[i], e.type, e.nullable, e.bounds, not e.secret)


def _is_word(e: Expression) -> bool:
    """Whether a polynomial stays within 64 bits on the way: then it is computed as a word."""
    within = e.bounds.intersect(WORD) == e.bounds
    return within and (not isinstance(e, _POLYNOMIAL) or all(map(_is_word, e.parts)))


_POLYNOMIAL = (Add, Subtract, Multiply, Negate, Rescale)


def column_name(item: exp.Expr, text: str, scope: Scope | None = None) -> str:
    """What DuckDB calls an output: its alias, the column's declared name, or the expression's text."""
    if isinstance(item, exp.Alias):
        return item.alias
    if isinstance(item, exp.Column):
        names = () if scope is None else scope.names
        return next((n.name for n in names if n.name.lower() == item.name.lower()), item.name)
    if isinstance(item, exp.Count) and (item.this is None or isinstance(item.this, exp.Star)):
        return "count_star()"
    sql = item.sql(dialect="duckdb", comments=False, normalize_functions="lower")
    if isinstance(item, exp.AggFunc) and "start" in item.meta and "(" in sql:  # sqlglot knows VAR_SAMP as VARIANCE
        written = text[item.meta["start"] : item.meta["end"] + 1].lower()
        return written + sql[sql.index("(") :]
    return f"({sql})" if isinstance(item, exp.Binary) else sql
