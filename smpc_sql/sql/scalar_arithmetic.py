"""+ - * / // % and the functions of numbers, over bound operands."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.errors import Unsupported
from smpc_sql.plan.expressions import (
    Add,
    Case,
    Divide,
    Elapsed,
    Expression,
    Literal,
    PlusRoot,
    Sqrt,
    Subtract,
    Within,
)
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Date, Double, Integer, Interval
from smpc_sql.sql import coercion, intervals, quotient, roots, rounding, timestamps, whole_division
from smpc_sql.sql.binder import Binder, Method, operands
from smpc_sql.sql.factors import is_negative
from smpc_sql.sql.fixed import common
from smpc_sql.sql.literals import integer, is_null
from smpc_sql.sql.nodes import only, show
from smpc_sql.sql.operations import absolute, compare, is_null_of, require_numbers, whole_days, without_null
from smpc_sql.sql.scalar_dates import moved

_MOST_DIGITS = 15
_MOST_POWER = 8
_ROUNDINGS: dict[type[exp.Expr], str] = {exp.Floor: "FLOOR", exp.Ceil: "CEIL", exp.Trunc: "TRUNC", exp.Round: "ROUND"}


def _add(binder: Binder, node: exp.Expr) -> Expression:
    if isinstance(node.this, exp.Interval):
        return moved(binder, node.expression, node.this, 1)
    if isinstance(node.expression, exp.Interval):
        return moved(binder, node.this, node.expression, 1)
    left, right = without_null(*operands(binder, node))
    if isinstance(left, Elapsed) or isinstance(right, Elapsed):
        return intervals.plus(left, right)
    if isinstance(right.type, Date):
        left, right = right, left
    if isinstance(left.type, Date):
        return Add(left, whole_days(right))
    require_numbers("+", left, right)
    if isinstance(left.type, Double) or isinstance(right.type, Double):
        return quotient.plus(left, right)
    return coercion.add(left, right)


def _sub(binder: Binder, node: exp.Expr) -> Expression:
    if isinstance(node.expression, exp.Interval):
        return moved(binder, node.this, node.expression, -1)
    left, right = without_null(*operands(binder, node))
    if isinstance(right, Elapsed):
        return intervals.plus(left, intervals.times(right, integer(-1)))
    if timestamps.shows_time(left) or timestamps.shows_time(right):
        return intervals.between(right, left)
    if isinstance(left.type, Date):
        return Subtract(left, right if isinstance(right.type, Date) else whole_days(right))
    require_numbers("-", left, right)
    if isinstance(left.type, Double) or isinstance(right.type, Double):
        return quotient.difference(left, right)
    return coercion.subtract(left, right)


def _mul(binder: Binder, node: exp.Expr) -> Expression:
    left, right = without_null(*operands(binder, node))
    if isinstance(left, Elapsed) or isinstance(right, Elapsed):
        return intervals.times(left, right)
    require_numbers("*", left, right)
    if isinstance(left.type, Double) or isinstance(right.type, Double):
        return quotient.times(left, right)
    return coercion.multiply(left, right)


def _div(binder: Binder, node: exp.Expr) -> Expression:
    left, right = without_null(*operands(binder, node))
    if isinstance(left, Elapsed):
        return intervals.over(left, right)
    require_numbers("/", left, right)
    return quotient.divide(left, right)


def _neg(binder: Binder, node: exp.Expr) -> Expression:
    x = binder.bind(node.this)
    if isinstance(x, Elapsed):
        return intervals.times(x, integer(-1))
    require_numbers("-", x)
    return quotient.minus(x) if isinstance(x.type, Double) else coercion.negate(x)


def _abs(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this")
    x = binder.bind(node.this)
    require_numbers("ABS", x)
    if isinstance(x, Sqrt):
        q = coercion.as_quotient(x.x)
        return Sqrt(Divide(absolute(q.numerator), absolute(q.denominator), q.guarded), most=x.most) if x.signed else x
    if isinstance(x, PlusRoot):
        return quotient.choose((compare("<", x, integer(0)),), (quotient.minus(x), x))
    if isinstance(x, Divide):
        return Divide(absolute(x.numerator), absolute(x.denominator), x.guarded)
    return absolute(x)


def _sign(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this")
    x = binder.bind(node.this)
    require_numbers("SIGN", x)
    zero = integer(0)
    below, above = compare("<", x, zero), compare("<", zero, x)
    one, minus_one = Literal(1, Integer(8)), Literal(-1, Integer(8))
    null = is_null_of(x)
    return Case(((null, Literal(None, Integer(8))), (above, one), (below, minus_one)), Literal(0, Integer(8)))


def _sqrt(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this")
    x = binder.bind(node.this)
    require_numbers("SQRT", x)
    q = quotient.positive(coercion.as_quotient(x))
    n = q.numerator
    if n.bounds.low < 0:  # an error would tell that there is such a value
        known = Case(((is_negative(n), Literal(None, n.type)),), n)
        q = Divide(Within(known, Interval(0, max(0, n.bounds.high))), q.denominator, q.guarded)
    return Sqrt(q)


def _power(binder: Binder, node: exp.Expr) -> Expression:
    """A constant whole power, from 1 to 8: a DOUBLE, as DuckDB has it."""
    x, power = binder.bind(node.this), fold(binder.bind(node.expression))
    require_numbers("POWER", x)
    whole = power.value if isinstance(power, Literal) and isinstance(power.type, Integer) else None
    if whole is None or not 1 <= whole <= _MOST_POWER:
        raise Unsupported(f"a power that is no constant from 1 to {_MOST_POWER} is not supported: {show(node)}")
    times = quotient.times if isinstance(x.type, Double) else coercion.multiply
    found = x
    for _ in range(whole - 1):
        found = times(found, x)
    return coercion.as_quotient(found)


def _integer_division(binder: Binder, node: exp.Expr) -> Expression:
    left, right = without_null(*operands(binder, node))
    if not isinstance(left.type, Integer) or not isinstance(right.type, Integer):
        raise Unsupported(f"// is supported for INTEGERs only: {show(node)}")
    divisor = _divisor(right)
    return whole_division.quotient(left, right) if divisor is None else rounding.whole_quotient(left, divisor)


def _modulo(binder: Binder, node: exp.Expr) -> Expression:
    left, right = without_null(*operands(binder, node))
    require_numbers("%", left, right)
    if isinstance(left.type, Double) or isinstance(right.type, Double):
        fixed = common((coercion.as_quotient(left), coercion.as_quotient(right)))
        if fixed is None:
            raise Unsupported(f"% of a quotient by what is not constant is not supported: {show(node)}")
        return Divide(_remainder(*fixed[0]), fixed[1], guarded=True)
    return _remainder(*coercion.same_scale(left, right))


def _remainder(left: Expression, right: Expression) -> Expression:
    divisor = _divisor(right)
    return whole_division.remainder(left, right) if divisor is None else rounding.modulo(left, divisor)


def _divisor(x: Expression) -> int | None:
    """A constant other than 0, else None."""
    x = fold(x)
    return x.value or None if isinstance(x, Literal) else None


def _round(binder: Binder, node: exp.Expr) -> Expression:
    """FLOOR, CEIL, TRUNC and ROUND."""
    only(node, "this", "decimals")
    name = _ROUNDINGS[type(node)]
    x = binder.bind(node.this)
    require_numbers(name, x)
    if is_null(x):
        return x
    digits = node.args.get("decimals")
    places = Literal(0, Integer(32)) if digits is None else fold(binder.bind(digits))
    if not isinstance(places, Literal) or not isinstance(places.type, Integer) or places.value is None:
        raise Unsupported(f"{name} to a number of digits that is not constant is not supported")
    if abs(places.value) > _MOST_DIGITS:
        raise Unsupported(f"{name} to more than {_MOST_DIGITS} digits is not supported")
    if isinstance(x, Sqrt):
        return roots.rounded_root(name, x, places.value)
    return rounding.rounded(name, x, places.value)


METHODS: dict[type[exp.Expr], Method] = {
    **intervals.METHODS,
    exp.Add: _add,
    exp.Sub: _sub,
    exp.Mul: _mul,
    exp.Div: _div,
    exp.Neg: _neg,
    exp.Abs: _abs,
    exp.Sign: _sign,
    exp.Sqrt: _sqrt,
    exp.Pow: _power,
    exp.IntDiv: _integer_division,
    exp.Mod: _modulo,
    **dict.fromkeys(_ROUNDINGS, _round),
}
