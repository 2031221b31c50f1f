"""Functions that cut, join and change texts: constants and ENUMs in public, on their dictionary; VARCHARs under MPC."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Expression, Literal, Lookup, Not, TextCall
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.text import Affix, ChangeCase, Clip, Join, Length, Slice, Tail, TextFunction, Trim
from smpc_sql.schema import LONGEST_TEXT, Enum, Integer, Text
from smpc_sql.sql import text_values
from smpc_sql.sql.binder import Binder, Method, operands
from smpc_sql.sql.literals import NULL, is_null, text_literal, text_of
from smpc_sql.sql.nodes import construct, only, show
from smpc_sql.sql.operations import choose, is_null_of
from smpc_sql.sql.text import fitted, spell, text_type, unspelled
from smpc_sql.sql.written import written

_Edit = Callable[[str], str]


def _text(node: exp.Expr, x: Expression) -> Expression:
    if not is_null(x) and not isinstance(x.type, Text | Enum):
        raise TypeMismatch(f"{_name(node)} needs text, got {x.type}")
    return x


def _name(node: exp.Expr) -> str:
    return construct(node).removeprefix("function ")


def _mapped(x: Expression, labels: Enum, edit: _Edit) -> Expression:
    """An ENUM or a constant, through its dictionary."""
    if isinstance(x, Literal):
        return text_literal(edit(labels.labels[x.value or 0]))
    edited = [edit(label) for label in labels.labels[x.bounds.low : x.bounds.high + 1]]
    after = Enum(tuple(sorted(set(edited))))
    return Lookup(x, tuple(after.labels.index(label) for label in edited), after)


def _counted(node: exp.Expr, type_: Text) -> None:
    if not type_.ascii:
        raise Unsupported(f"{_name(node)} of {type_} is not supported, since its characters may be of several bytes")


def _integer(binder: Binder, node: exp.Expr, given: exp.Expr) -> int | None:
    """A constant; None for NULL."""
    x = fold(binder.bind(given))
    if is_null(x):
        return None
    if not isinstance(x, Literal) or not isinstance(x.type, Integer) or x.value is None:
        raise Unsupported(f"{_name(node)} is supported for constant places only: {show(node)}")
    return x.value


# cutting


def _substring(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "start", "length")
    x = _text(node, binder.bind(node.this))
    start = _integer(binder, node, node.args["start"])
    given = node.args.get("length")
    length = None if given is None else _integer(binder, node, given)
    if is_null(x) or start is None or (given is not None and length is None):
        return NULL
    if isinstance(x.type, Enum):
        return _mapped(x, x.type, lambda text: cut(text, start, length))
    assert isinstance(x.type, Text)
    _counted(node, x.type)
    return _of_places(x, x.type, start, length)


def cut(text: str, start: int, length: int | None) -> str:
    """SUBSTRING as DuckDB has it: 1 is the first place, -1 the last, 0 before the first; a length < 0 goes back."""
    low = start - 1 if start > 0 else len(text) + start if start < 0 else -1
    if length is None:
        return text[max(low, 0) :]
    low, high = (low, low + length) if length >= 0 else (low + length, low)
    return text[max(low, 0) : max(high, 0)]


def _of_places(x: Expression, type_: Text, start: int, length: int | None) -> Expression:
    """The same of secret text: places counted from its start are known; from its end they depend on its length."""
    size = type_.length
    if start >= 0:
        first = start - 1
        low, high = (first, size) if length is None else (first, first + length)
        return _slice(x, type_, min(low, high), min(max(low, high), size))
    if length is None:
        return _tail(x, type_, -start)
    if length < 0:
        start, length = start + length, -length
    if length == 0:
        return _empty(x)
    spelled = TextCall(Tail(type_, min(-start, size)), (spell(x),))
    kept = spelled.function.type
    assert isinstance(kept, Text)
    plain = Text(kept.length, kept.ascii)
    return unspelled(TextCall(Clip(plain, min(length, plain.length), -start - length), (spelled,)))


def _slice(x: Expression, type_: Text, low: int, high: int) -> Expression:
    low = max(low, 0)
    if high <= low:
        return _empty(x)
    return _call(x, Slice(type_, low, high - low))


def _tail(x: Expression, type_: Text, count: int) -> Expression:
    if count == 0:
        return _empty(x)
    return x if count >= type_.length else _call(x, Tail(type_, count))


def _empty(x: Expression) -> Expression:
    """An empty text where x is not NULL."""
    return choose([Not(is_null_of(x))], [text_literal(""), NULL])


def _call(x: Expression, function: TextFunction) -> Expression:
    return unspelled(TextCall(function, (spell(x),)))


def _end(binder: Binder, node: exp.Expr) -> Expression:
    """LEFT and RIGHT; a count < 0 leaves out as many at the other end."""
    x, count = _text(node, binder.bind(node.this)), _integer(binder, node, node.expression)
    only(node, "this", "expression")
    if is_null(x) or count is None:
        return NULL
    left = isinstance(node, exp.Left)
    if isinstance(x.type, Enum):
        return _mapped(x, x.type, lambda text: _end_of(text, count, left=left))
    assert isinstance(x.type, Text)
    _counted(node, x.type)
    size = x.type.length
    if left and count >= 0:
        return _slice(x, x.type, 0, min(count, size))
    if not left and count >= 0:
        return _tail(x, x.type, count)
    if -count >= size:
        return _empty(x)
    return _call(x, Clip(x.type, size + count, -count)) if left else _slice(x, x.type, -count, size)


def _end_of(text: str, count: int, *, left: bool) -> str:
    if left:
        return text[:count] if count >= 0 or -count < len(text) else ""
    if count >= 0:
        return text[max(len(text) - count, 0) :]
    return text[-count:]


# changing


def _case(binder: Binder, node: exp.Expr) -> Expression:
    """LOWER and UPPER."""
    only(node, "this")
    x, upper = _text(node, binder.bind(node.this)), isinstance(node, exp.Upper)
    if is_null(x):
        return NULL
    if isinstance(x.type, Enum):
        return _mapped(x, x.type, text_values.upper if upper else text_values.lower)
    assert isinstance(x.type, Text)
    _counted(node, x.type)
    return _call(x, ChangeCase(x.type, upper))


def _trim(binder: Binder, node: exp.Expr) -> Expression:
    """TRIM, LTRIM and RTRIM of one character."""
    only(node, "this", "position", "expression")
    x = _text(node, binder.bind(node.this))
    given = node.args.get("expression")
    known = " " if given is None else text_of(binder.bind(given))
    if known is None:
        raise Unsupported("TRIM of anything but constant characters is not supported")
    side = str(node.args.get("position") or "BOTH").upper()
    left, right = side != "TRAILING", side != "LEADING"
    if is_null(x):
        return NULL
    if isinstance(x.type, Enum):
        return _mapped(x, x.type, lambda text: _trimmed(text, known, left=left, right=right))
    assert isinstance(x.type, Text)
    if len(known) != 1 or not known.isascii() or known == "\0":
        raise Unsupported("TRIM of secret text of anything but one constant character of ASCII is not supported")
    return _call(x, Trim(x.type, left, right, ord(known)))


def _trimmed(text: str, known: str, *, left: bool, right: bool) -> str:
    text = text.lstrip(known) if left else text
    return text.rstrip(known) if right else text


def _length(binder: Binder, node: exp.Expr) -> Expression:
    """LENGTH in characters, STRLEN in bytes."""
    in_bytes = isinstance(node, exp.Anonymous)
    if in_bytes and len(node.expressions) != 1:
        raise TypeMismatch("STRLEN needs a text")
    if not in_bytes:
        only(node, "this")
    x = _text(node, binder.bind(node.expressions[0] if in_bytes else node.this))
    if is_null(x):
        return Literal(None, Integer(64))
    if isinstance(x.type, Enum):
        sizes = tuple(len(label.encode() if in_bytes else label) for label in x.type.labels)
        return fold(Lookup(x, sizes[x.bounds.low : x.bounds.high + 1], Integer(64)))
    assert isinstance(x.type, Text)
    if not in_bytes:
        _counted(node, x.type)
    return TextCall(Length(x.type), (spell(x),))


# joining


def _pipes(binder: Binder, node: exp.Expr) -> Expression:
    """||: NULL if either is."""
    return _joined(node, [written(x) for x in operands(binder, node)])


def _concat(binder: Binder, node: exp.Expr) -> Expression:
    """CONCAT: NULLs are passed over."""
    only(node, "expressions", "coalesce")
    items = [written(binder.bind(item)) for item in node.expressions]
    known = [item for item in items if not is_null(item)]
    filled = [choose([is_null_of(x)], [text_literal(""), x]) if x.nullable else x for x in known]
    return _joined(node, filled or [text_literal("")])


def _joined(node: exp.Expr, items: Sequence[Expression]) -> Expression:
    if any(is_null(item) for item in items):
        return NULL
    merged: list[Expression] = []
    for item in items:
        before = text_of(merged[-1]) if merged else None
        after = text_of(item)
        if before is not None and after is not None:
            merged[-1] = text_literal(before + after)
        else:
            merged.append(item)
    found = merged[0]
    for item in merged[1:]:
        found = _pair(node, found, item)
    return found


def _pair(node: exp.Expr, left: Expression, right: Expression) -> Expression:
    a, b = text_of(left), text_of(right)
    if a is not None and b is not None:
        return text_literal(a + b)
    if a is not None and isinstance(right.type, Enum):
        return _mapped(right, right.type, lambda text: a + text)
    if b is not None and isinstance(left.type, Enum):
        return _mapped(left, left.type, lambda text: text + b)
    sizes = [text_type(x.type).length for x in (left, right) if isinstance(x.type, Text | Enum)]
    if sum(sizes) > LONGEST_TEXT:
        raise Unsupported(f"{_name(node)} to a text of more than {LONGEST_TEXT} bytes is not supported")
    if a is not None:
        return _affixed(right, a, "")
    if b is not None:
        return _affixed(left, "", b)
    (x, s), (y, t) = map(_as_text, (left, right))
    return unspelled(TextCall(Join(s, t), (spell(x), spell(y))))


def _affixed(x: Expression, before: str, after: str) -> Expression:
    x, type_ = _as_text(x)
    return _call(x, Affix(type_, before.encode(), after.encode())) if before or after else x


def _as_text(x: Expression) -> tuple[Expression, Text]:
    assert isinstance(x.type, Text | Enum)
    type_ = text_type(x.type)
    return fitted(x, type_), type_


FUNCTIONS: dict[str, Method] = {"strlen": _length}
"""Functions that the parser does not know, by lower-case name."""

METHODS: dict[type[exp.Expr], Method] = {
    exp.Substring: _substring,
    exp.Left: _end,
    exp.Right: _end,
    exp.Lower: _case,
    exp.Upper: _case,
    exp.Trim: _trim,
    exp.Length: _length,
    exp.DPipe: _pipes,
    exp.Concat: _concat,
}
