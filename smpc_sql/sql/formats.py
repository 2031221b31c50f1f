"""STRFTIME: dates and moments as text, by a constant format; few possible texts are a public dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.moments import moment_of
from smpc_sql.plan.expressions import Expression, Literal, Not
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import DAY, Date
from smpc_sql.sql import dates, timestamps
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.edits import concatenated
from smpc_sql.sql.layout import digits_of, laid_out, of_few
from smpc_sql.sql.literals import NULL, is_null, text_literal, text_of
from smpc_sql.sql.nodes import only
from smpc_sql.sql.operations import choose, is_null_of
from smpc_sql.sql.rounding import remainder
from smpc_sql.sql.scalar_dates import DAYS, MONTHS

_FEW = 400
_LONGEST = 100
_SECOND = 1_000_000
_TIMES = ("hour", "minute", "second")
_PLAIN = ("month", "day", *_TIMES, "doy")


@dataclass(frozen=True, slots=True)
class Code:
    """What stands for a part of a moment: how it is shown, and in how many digits, if their number is fixed.

    modulus: what is left by it is enough to know, if not 0.
    """

    part: str
    show: Callable[[int], str]
    digits: int = 0
    modulus: int = 0


def _padded(part: str, digits: int) -> Code:
    return Code(part, lambda value: f"{value:0{digits}}", digits)


_CODES = {
    "Y": _padded("year", 4), "G": _padded("isoyear", 4), "m": _padded("month", 2), "d": _padded("day", 2),
    "H": _padded("hour", 2), "M": _padded("minute", 2), "S": _padded("second", 2), "f": _padded("micros", 6),
    "j": _padded("doy", 3), "V": _padded("week", 2), "u": _padded("isodow", 1), "w": _padded("dow", 1),
    "y": Code("year", lambda year: f"{year % 100:02}", 2, 100),
    "-y": Code("year", lambda year: str(year % 100), 0, 100),
    "I": Code("hour", lambda hour: f"{(hour + 11) % 12 + 1:02}"),
    "-I": Code("hour", lambda hour: str((hour + 11) % 12 + 1)),
    "p": Code("hour", lambda hour: "AM" if hour < 12 else "PM"),
    "a": Code("isodow", lambda day: DAYS[day - 1][:3]), "A": Code("isodow", lambda day: DAYS[day - 1]),
    **dict.fromkeys(("b", "h"), Code("month", lambda month: MONTHS[month - 1][:3])),
    "B": Code("month", lambda month: MONTHS[month - 1]),
    **{f"-{code}": Code(part, str) for code, part in zip("mdHMSj", _PLAIN, strict=True)},
}  # fmt: skip
_FORMATS = {"c": "%Y-%m-%d %H:%M:%S", "x": "%Y-%m-%d", "X": "%H:%M:%S", "T": "%H:%M:%S", "z": "+00", "Z": "", "%": "%%"}


def format_of(name: str, x: Expression) -> str:
    """A constant format. Raises Unsupported, TypeMismatch."""
    format_ = text_of(x)
    if format_ is None:
        raise Unsupported(f"{name} is supported for a constant format only")
    if not format_ or "\0" in format_:
        raise TypeMismatch("a format must not be empty, nor hold a character NUL")
    if len(format_) > _LONGEST:
        raise Unsupported(f"a format of more than {_LONGEST} characters is not supported")
    return format_


def tokens_of(format_: str) -> Iterator[str]:
    """The characters of a format, and its codes, each with its %. Raises TypeMismatch."""
    characters = iter(format_)
    for c in characters:
        code = next(characters, None) if c == "%" else ""
        if code == "-":
            after = next(characters, None)
            code = None if after is None else f"-{after}"
        if code is None:
            raise TypeMismatch("a format must not end with %")
        yield c + code


def _parsed(format_: str) -> list[str | Code]:
    """Texts and codes. Raises Unsupported."""
    found: list[str | Code] = []
    for token in tokens_of(format_):
        code = token[1:]
        if token == "%%" or not code:
            found.append(token[0])
        elif code in _FORMATS:
            found += _parsed(_FORMATS[code])
        elif code in _CODES:
            found.append(_CODES[code])
        else:
            raise Unsupported(f"STRFTIME with {token} is not supported; there are: {' '.join([*_CODES, *_FORMATS])}")
    return found


def _strftime(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "format")
    x, given = binder.bind(node.this), binder.bind(node.args["format"])
    if text_of(x) is not None and timestamps.is_moment(given):
        x, given = given, x
    if is_null(x) or is_null(given):
        return NULL
    if not timestamps.is_moment(x):
        raise TypeMismatch(f"STRFTIME needs a DATE or TIMESTAMP, got {x.type}")
    return fold(_formatted(x, _parsed(format_of("STRFTIME", given))))


def _formatted(x: Expression, pieces: list[str | Code]) -> Expression:
    parts = sorted({piece.part for piece in pieces if isinstance(piece, Code)})
    if not parts:
        return choose([Not(is_null_of(x))], [text_literal("".join(map(str, pieces))), NULL])
    if isinstance(x, Literal) and x.value is not None:
        return text_literal(_shown(pieces, _moment(x.value, x)))
    if isinstance(x.type, Date) and x.bounds.size <= _FEW:
        return of_few(x, lambda day: _shown(pieces, _moment(day, x)))
    number = _only_number(x, parts)
    if number is not None and number.bounds.size <= _FEW:
        return of_few(number, lambda value: _of_number(pieces, parts, value))
    return concatenated("STRFTIME", [*_runs(x, pieces)])


def _moment(value: int, x: Expression) -> datetime:
    return moment_of(value * DAY if isinstance(x.type, Date) else value)


def _shown(pieces: list[str | Code], moment: datetime) -> str:
    return "".join(piece if isinstance(piece, str) else piece.show(_value(piece.part, moment)) for piece in pieces)


def _value(part: str, moment: datetime) -> int:
    if part == "micros":
        return moment.microsecond
    return int(getattr(moment, part)) if part in _TIMES else dates.part_of(part, moment.date())


def _only_number(x: Expression, parts: list[str]) -> Expression | None:
    """One number that tells all these parts: one of them, or a month of a year."""
    if len(parts) == 1:
        return _number(x, parts[0])
    return dates.months_of(timestamps.date_of(x)) if parts == ["month", "year"] else None


def _of_number(pieces: list[str | Code], parts: list[str], value: int) -> str:
    """What is shown for that number."""
    known = {"year": value // 12, "month": value % 12 + 1} if len(parts) > 1 else {parts[0]: value}
    return "".join(piece if isinstance(piece, str) else piece.show(known[piece.part]) for piece in pieces)


def _number(x: Expression, part: str) -> Expression:
    return timestamps.clock(x)[part] if part in (*_TIMES, "micros") else timestamps.part(part, x)


def _runs(x: Expression, pieces: list[str | Code]) -> Iterator[Expression]:
    """Texts to be joined: characters and digits at fixed places together, what is of any length for itself."""
    layout: list[str | Expression] = []
    for piece in pieces:
        if isinstance(piece, str) and piece.isascii():
            layout.append(piece)
            continue
        if isinstance(piece, Code) and piece.digits:
            layout += digits_of(_left(x, piece), piece.digits)
            continue
        if layout:
            yield _laid(layout)
            layout = []
        yield text_literal(piece) if isinstance(piece, str) else of_few(_left(x, piece), piece.show)
    if layout:
        yield _laid(layout)


def _left(x: Expression, code: Code) -> Expression:
    """The number that a code shows."""
    number = _number(x, code.part)
    return remainder(number, code.modulus) if code.modulus else number


def _laid(layout: list[str | Expression]) -> Expression:
    known = [piece for piece in layout if isinstance(piece, str)]
    return text_literal("".join(known)) if len(known) == len(layout) else laid_out(layout)


METHODS: dict[type[exp.Expr], Method] = {exp.TimeToStr: _strftime}
