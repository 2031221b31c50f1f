"""SQL type names."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.schema import Boolean, Date, Decimal, Double, Enum, Integer, SqlType, Timestamp

_T = exp.DType
_PLAIN: dict[object, SqlType] = {
    _T.TINYINT: Integer(8),
    _T.SMALLINT: Integer(16),
    _T.INT: Integer(32),
    _T.BIGINT: Integer(64),
    _T.BOOLEAN: Boolean(),
    _T.DATE: Date(),
    **dict.fromkeys((_T.TIMESTAMP, _T.TIMESTAMPNTZ, _T.DATETIME), Timestamp()),
    _T.DOUBLE: Double(),
    _T.FLOAT: Double(),
}
_TEXT = (_T.TEXT, _T.VARCHAR, _T.CHAR, _T.NCHAR, _T.NVARCHAR)
_COARSER = {_T.TIMESTAMP_S: 0, _T.TIMESTAMP_MS: 3}
_MOST_LABELS = 65536


def is_text_type(data_type: exp.DataType) -> bool:
    """VARCHAR and its other names."""
    return data_type.this in _TEXT


def to_type(data_type: exp.DataType) -> SqlType:
    """The type of a name in SQL. Raises Unsupported by name; TypeMismatch for impossible parameters."""
    parameters = data_type.expressions
    if data_type.this == _T.ENUM:
        labels = tuple(label.this for label in parameters if isinstance(label, exp.Literal) and label.is_string)
        if not labels or len(labels) != len(parameters) or len(labels) > _MOST_LABELS:
            raise TypeMismatch(f"ENUM needs 1 to {_MOST_LABELS} texts")
        if len(set(labels)) != len(labels):
            raise TypeMismatch("the labels of an ENUM must be distinct")
        return Enum(labels)
    if data_type.this == _T.DECIMAL:
        return _decimal(parameters)
    type_ = _PLAIN.get(data_type.this)
    if type_ is None or parameters:
        raise Unsupported(f"type {data_type.sql(dialect='duckdb')} is not supported")
    return type_


def to_cast_type(data_type: exp.DataType) -> tuple[SqlType, int | None]:
    """A type that CAST may name and no column has, or any other; and of a TIMESTAMP that is coarser its decimals."""
    if data_type.this in _COARSER:
        return Timestamp(), _COARSER[data_type.this]
    return Integer(128) if data_type.this == _T.INT128 else to_type(data_type), None


def _decimal(parameters: list[exp.Expr]) -> Decimal:
    """DECIMAL alone is DECIMAL(18, 3), DECIMAL(p) is DECIMAL(p, 0)."""
    numbers = [p.this.this for p in parameters]
    if not all(isinstance(n, str) and n.isdecimal() and len(n) <= 3 for n in numbers):
        raise TypeMismatch("DECIMAL needs a precision and a scale")
    precision, scale = ([int(n) for n in numbers] + [0])[:2] if numbers else (18, 3)
    if not 1 <= precision <= 38 or scale > precision:
        raise TypeMismatch(f"DECIMAL({precision},{scale}): the precision is 1 to 38, the scale at most the precision")
    return Decimal(precision, scale)
