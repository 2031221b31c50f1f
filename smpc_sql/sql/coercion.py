"""DuckDB's rules for the types of results, and how operands are brought to one type, scale and dictionary.

Types say what DuckDB says, but wider where our result can exceed it: integer arithmetic here is 64 bits wide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    Divide,
    Equal,
    Expression,
    FromBoolean,
    Literal,
    Lookup,
    Multiply,
    Negate,
    Not,
    PlusRoot,
    Rescale,
    Sqrt,
    Subtract,
)
from smpc_sql.schema import (
    DAY,
    Boolean,
    Date,
    Decimal,
    Double,
    Enum,
    Integer,
    Interval,
    SqlType,
    Text,
    Timestamp,
    scale_of,
    type_bounds,
)
from smpc_sql.sql import text
from smpc_sql.sql.literals import date_literal, is_null, text_of, timestamp_literal

_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19, 128: 38}


def is_number(x: Expression) -> bool:
    """INTEGER kinds and DECIMAL."""
    return isinstance(x.type, Integer | Decimal)


def is_numeric(x: Expression) -> bool:
    """The same, and DOUBLE."""
    return isinstance(x.type, Integer | Decimal | Double)


def as_decimal(type_: SqlType) -> Decimal:
    """A number type as DECIMAL."""
    if isinstance(type_, Integer):
        return Decimal(_DIGITS[type_.bits], 0)
    if isinstance(type_, Decimal):
        return type_
    raise TypeMismatch(f"{type_} is not a number")


def widened(type_: SqlType, bounds: Interval) -> SqlType:
    """The type, or the next wider of its kind that holds the bounds."""
    if isinstance(type_, Integer):
        bits = next((bits for bits in (8, 16, 32, 64) if bounds.bits <= bits), 64)
        return Integer(max(type_.bits, bits))
    if isinstance(type_, Decimal):
        digits = len(str(max(abs(bounds.low), abs(bounds.high))))
        return Decimal(max(type_.precision, min(digits, 38)), type_.scale)
    return type_


def rescaled(x: Expression, scale: int) -> Expression:
    """A number at a scale that is not coarser."""
    exponent = scale - scale_of(x.type)
    if exponent == 0:
        return x
    type_ = widened(Decimal(38, scale), x.bounds)
    if isinstance(x, Literal):
        return Literal(None if x.value is None else x.value * 10**exponent, type_)
    return Rescale(x, exponent, type_)


def same_scale(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """Two numbers at the finer of their scales."""
    scale = max(scale_of(left.type), scale_of(right.type))
    return rescaled(left, scale), rescaled(right, scale)


def _integer_type(left: Expression, right: Expression) -> SqlType:
    """The wider of two INTEGER kinds; a constant takes the other's kind where it fits."""
    for constant, other in ((left, right), (right, left)):
        fits = isinstance(constant, Literal) and constant.bounds.intersect(type_bounds(other.type)) == constant.bounds
        if fits and not isinstance(other, Literal):
            return other.type
    return common_type((left.type, right.type))


def add(left: Expression, right: Expression, operator: type[Add] | type[Subtract] = Add) -> Expression:
    """left + right or left - right of two numbers, typed as DuckDB does."""
    if isinstance(left.type, Integer) and isinstance(right.type, Integer):
        type_: SqlType = _integer_type(left, right)
    else:
        a, b = as_decimal(left.type), as_decimal(right.type)
        scale = max(a.scale, b.scale)
        type_ = Decimal(min(max(a.precision - a.scale, b.precision - b.scale) + scale + 1, 38), scale)
    left, right = same_scale(left, right)
    bounds = left.bounds + right.bounds if operator is Add else left.bounds - right.bounds
    return operator(left, right, widened(type_, bounds))


def subtract(left: Expression, right: Expression) -> Expression:
    """left - right of two numbers."""
    return add(left, right, Subtract)


def multiply(left: Expression, right: Expression) -> Expression:
    """left * right of two numbers, typed as DuckDB does."""
    if isinstance(left.type, Integer) and isinstance(right.type, Integer):
        type_: SqlType = _integer_type(left, right)
    else:
        a, b = as_decimal(left.type), as_decimal(right.type)
        most = 18 if max(a.precision, b.precision) <= 18 else 38
        type_ = Decimal(min(a.precision + b.precision, most), a.scale + b.scale)
    return Multiply(left, right, widened(type_, Multiply(left, right).bounds))


def negate(x: Expression) -> Expression:
    """-x of a number; a constant at once."""
    if isinstance(x, Literal) and is_number(x):
        return Literal(None if x.value is None else -x.value, x.type)
    return Negate(x)


def predicate(x: Expression) -> Expression:
    """A condition: BOOLEAN, or a number that is not 0."""
    if isinstance(x.type, Boolean):
        return x
    if is_null(x):
        return Literal(None, Boolean())
    if is_number(x):
        return Not(Equal(x, Literal(0, x.type)))
    raise TypeMismatch(f"a condition must be BOOLEAN, got {x.type}")


def common_type(types: Sequence[SqlType]) -> SqlType:
    """The type of a CASE over values of these types. Raises TypeMismatch."""
    return reduce(_common, types)


def _common(a: SqlType, b: SqlType) -> SqlType:
    match a, b:
        case _ if a == b:
            return a
        case Integer(), Integer():
            return Integer(max(a.bits, b.bits))
        case (Integer() | Decimal(), Integer() | Decimal()):
            x, y = as_decimal(a), as_decimal(b)
            scale = max(x.scale, y.scale)
            return Decimal(min(max(x.precision - x.scale, y.precision - y.scale) + scale, 38), scale)
        case (Boolean(), Integer()):
            return b
        case (Integer(), Boolean()):
            return a
        case Enum(), Enum():
            return Enum(tuple(sorted({*a.labels, *b.labels})))
        case (Text() | Enum(), Text() | Enum()):
            return text.common(a, b)
        case Date(), Date():
            return Date(midnight=True)
        case (Date(), Timestamp()) | (Timestamp(), Date()):
            return Timestamp()
        case (Double(), Integer() | Decimal()) | (Integer() | Decimal(), Double()):
            return Double()
        case _:
            raise TypeMismatch(f"{_kind(a)} and {_kind(b)} do not fit together")


def _kind(type_: SqlType) -> str:
    return "text" if isinstance(type_, Enum) and len(type_.labels) == 1 else str(type_)


def unify(values: Sequence[Expression]) -> tuple[Expression, ...]:
    """The values in their common type; NULL takes it on, text beside a DATE is read as one. Not for DOUBLE."""
    if any(isinstance(value.type, Timestamp) for value in values):
        values = [_as_moment(value, timestamp_literal) for value in values]
    elif any(isinstance(value.type, Date) for value in values):
        values = [_as_moment(value, date_literal) for value in values]
    known = [value.type for value in values if not is_null(value)] or [values[0].type]
    type_ = common_type(known)
    return tuple(_to(value, type_) for value in values)


def _as_moment(x: Expression, read: Callable[[str], Expression]) -> Expression:
    written = text_of(x)
    return x if written is None else read(written)


def at_midnight(x: Expression) -> Expression:
    """A DATE as a TIMESTAMP."""
    if isinstance(x, Literal):
        return Literal(None if x.value is None else x.value * DAY, Timestamp())
    word = Integer(64)
    micros = Multiply(Subtract(x, Literal(0, Date())), Literal(DAY, word), word)
    return Add(Literal(0, Timestamp()), micros)


def as_day(x: Expression, type_: Date) -> Expression:
    """A DATE as one that is shown in another way. Local."""
    if x.type == type_:
        return x
    match x:
        case Literal(value):
            return Literal(value, type_)
        case Add(Literal(0), Subtract(day, Literal(0))) if day.type == type_:
            return day
        case _:
            return Add(Literal(0, type_), Subtract(x, Literal(0, Date())))


def _to(x: Expression, type_: SqlType) -> Expression:
    """A value in a type that `common_type` found for it."""
    if x.type == type_:
        return x
    if isinstance(type_, Text):
        return text.fitted(x, type_)
    if is_null(x):
        return Literal(None, type_)
    if isinstance(type_, Enum):
        return recoded(x, type_)
    if isinstance(x.type, Date):
        return as_day(x, type_) if isinstance(type_, Date) else at_midnight(x)
    if isinstance(x.type, Boolean):
        x = FromBoolean(x)
    exponent = scale_of(type_) - scale_of(x.type)
    if isinstance(x, Literal) and x.value is not None:
        return Literal(x.value * 10**exponent, type_)
    return x if x.type == type_ else Rescale(x, exponent, type_)


def recoded(x: Expression, type_: Enum) -> Expression:
    """An ENUM or text in a dictionary that has all its labels."""
    if not isinstance(x.type, Enum):
        raise TypeMismatch(f"{x.type} is not text")
    codes = {label: code for code, label in enumerate(type_.labels)}
    if isinstance(x, Literal) and x.value is not None:
        return Literal(codes[x.type.labels[x.value]], type_)
    labels = x.type.labels[x.bounds.low : x.bounds.high + 1]
    return Lookup(x, tuple(codes[label] for label in labels), type_)


def cast(x: Expression, target: SqlType) -> Expression:
    """CAST where it is exact for every value that x can have. Raises TypeMismatch, Unsupported."""
    source = x.type
    written = text_of(x)
    match source, target:
        case _ if is_null(x) and not isinstance(target, Double):
            return Literal(None, target)
        case _ if source == target:
            return x
        case _, Date() if written is not None:
            return date_literal(written)
        case _, Timestamp() if written is not None:
            return timestamp_literal(written)
        case Date(), Date():
            return as_day(x, target)
        case Date(), Timestamp():
            return at_midnight(x)
        case (Integer() | Decimal(), Integer() | Decimal()):
            return _cast_number(x, target)
        case Boolean(), Integer():
            return _to(FromBoolean(x), target)
        case ((Integer() | Decimal()), Boolean()):
            return predicate(x)
        case ((Integer() | Decimal()), Double()):
            return as_quotient(x)
        case _:
            raise Unsupported(f"CAST of {_kind(source)} to {target} is not supported")


def _cast_number(x: Expression, target: SqlType) -> Expression:
    return _to(x, wide_enough(rescaled(x, scale_of(target)).bounds, target))


def fitting(x: Expression, target: SqlType) -> Expression:
    """A number at the target's scale, in its type, or in a wider one where it might not fit."""
    return _to(x, wide_enough(x.bounds, target))


def wide_enough(bounds: Interval, target: SqlType) -> SqlType:
    """A type of numbers, or the narrowest wider one with its scale that holds these values.

    So CAST is exact, as arithmetic is that leaves a type: an error would tell that there is such a value.
    """
    wider: list[SqlType] = [target]
    if isinstance(target, Integer):
        wider += [Integer(bits) for bits in _DIGITS if bits > target.bits]
    elif isinstance(target, Decimal):
        wider += [Decimal(precision, target.scale) for precision in range(target.precision + 1, 39)]
    return next((type_ for type_ in wider if bounds.intersect(type_bounds(type_)) == bounds), wider[-1])


def as_quotient(x: Expression) -> Divide:
    """A number as a fraction over 1; a quotient as it is."""
    if isinstance(x, Divide):
        return x
    if is_null(x):
        return Divide(Literal(None, Integer(32)), Literal(1, Integer(32)), guarded=True)
    if isinstance(x, Sqrt | PlusRoot):
        raise Unsupported(
            "this arithmetic on a square root (STDDEV, SQRT) is not supported, but + and - of what has none, * and /"
        )
    scale = scale_of(x.type)
    one = Literal(10**scale, Decimal(38, scale) if scale else Integer(32))
    if not is_number(x):
        raise TypeMismatch(f"{_kind(x.type)} is not a number")
    return Divide(x, one, guarded=True)
