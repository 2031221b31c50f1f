"""Functions that cut, join and change texts: constants and ENUMs in public, on their dictionary; VARCHARs under MPC."""

from __future__ import annotations

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Expression, Literal, Lookup, TextCall
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.text import ChangeCase, Clip, Length, Trim
from smpc_sql.schema import Enum, Integer, Text
from smpc_sql.sql import text_values
from smpc_sql.sql.binder import Binder, Method, operands
from smpc_sql.sql.edits import call, concatenated, cut, empty, mapped, require_ascii, sliced, substring, tail
from smpc_sql.sql.literals import NULL, is_null, text_literal, text_of
from smpc_sql.sql.nodes import construct, only, show
from smpc_sql.sql.operations import choose, is_null_of
from smpc_sql.sql.text import spell
from smpc_sql.sql.written import written


def _text(node: exp.Expr, x: Expression) -> Expression:
    if not is_null(x) and not isinstance(x.type, Text | Enum):
        raise TypeMismatch(f"{_name(node)} needs text, got {x.type}")
    return x


def _name(node: exp.Expr) -> str:
    return construct(node).removeprefix("function ")


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
        return mapped(x, x.type, lambda text: cut(text, start, length))
    assert isinstance(x.type, Text)
    require_ascii(_name(node), x.type)
    return substring(x, x.type, start, length)


def _end(binder: Binder, node: exp.Expr) -> Expression:
    """LEFT and RIGHT; a count < 0 leaves out as many at the other end."""
    x, count = _text(node, binder.bind(node.this)), _integer(binder, node, node.expression)
    only(node, "this", "expression")
    if is_null(x) or count is None:
        return NULL
    left = isinstance(node, exp.Left)
    if isinstance(x.type, Enum):
        return mapped(x, x.type, lambda text: _end_of(text, count, left=left))
    assert isinstance(x.type, Text)
    require_ascii(_name(node), x.type)
    size = x.type.length
    if left and count >= 0:
        return sliced(x, x.type, 0, min(count, size))
    if not left and count >= 0:
        return tail(x, x.type, count)
    if -count >= size:
        return empty(x)
    return call(x, Clip(x.type, size + count, -count)) if left else sliced(x, x.type, -count, size)


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
        return mapped(x, x.type, text_values.upper if upper else text_values.lower)
    assert isinstance(x.type, Text)
    require_ascii(_name(node), x.type)
    return call(x, ChangeCase(x.type, upper))


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
        return mapped(x, x.type, lambda text: _trimmed(text, known, left=left, right=right))
    assert isinstance(x.type, Text)
    if len(known) != 1 or not known.isascii() or known == "\0":
        raise Unsupported("TRIM of secret text of anything but one constant character of ASCII is not supported")
    return call(x, Trim(x.type, left, right, ord(known)))


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
        require_ascii(_name(node), x.type)
    return TextCall(Length(x.type), (spell(x),))


# joining


def _pipes(binder: Binder, node: exp.Expr) -> Expression:
    """||: NULL if either is."""
    return concatenated(_name(node), [written(x) for x in operands(binder, node)])


def _concat(binder: Binder, node: exp.Expr) -> Expression:
    """CONCAT: NULLs are passed over."""
    only(node, "expressions", "coalesce")
    items = [written(binder.bind(item)) for item in node.expressions]
    known = [item for item in items if not is_null(item)]
    filled = [choose([is_null_of(x)], [text_literal(""), x]) if x.nullable else x for x in known]
    return concatenated(_name(node), filled or [text_literal("")])


def _concat_ws(binder: Binder, node: exp.Expr) -> Expression:
    """CONCAT_WS: NULLs are passed over, and no separator stands for them; NULL if the separator is."""
    only(node, "expressions", "coalesce")
    given, *items = [written(binder.bind(item)) for item in node.expressions]
    if not items:
        raise TypeMismatch("CONCAT_WS needs a separator and a text")
    if is_null(given):
        return NULL
    known = [item for item in items if not is_null(item)]
    separator = text_of(given)
    if separator is None:
        raise Unsupported("CONCAT_WS is supported for a constant separator only")
    parts: list[Expression] = []
    sure = next((i for i, x in enumerate(known) if not x.nullable), len(known))
    for i, x in enumerate(known):
        # each behind a separator, of which the first is taken away; or each up to one that is there before one
        terms = [x, given] if i < sure < len(known) else [x] if i == sure else [given, x]
        part = concatenated("CONCAT_WS", terms)
        parts.append(choose([is_null_of(x)], [text_literal(""), part]) if x.nullable else part)
    joined = concatenated("CONCAT_WS", parts or [text_literal("")])
    return joined if sure < len(known) or not known else _without_first(joined, len(separator.encode()))


def _without_first(x: Expression, size: int) -> Expression:
    """A text without its first bytes."""
    if isinstance(x.type, Enum):
        return mapped(x, x.type, lambda text: text.encode()[size:].decode())
    assert isinstance(x.type, Text)
    return sliced(x, x.type, size, x.type.length)


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
    exp.ConcatWs: _concat_ws,
}
