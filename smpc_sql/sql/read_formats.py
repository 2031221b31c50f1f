"""STRPTIME and TRY_STRPTIME: text as a moment, by a constant format of numbers at places that it fixes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Add, And, Case, Expression, FromBoolean, Less, Literal, Multiply, TextCall, Within
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.text import DIGIT, LONE, Digits, ReadFields, SignBit
from smpc_sql.schema import DAY, Date, Enum, Integer, Interval, Text, Timestamp
from smpc_sql.sql import coercion, dates
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.formats import format_of, tokens_of
from smpc_sql.sql.label_casts import cast_labels
from smpc_sql.sql.literals import integer, is_null, text_of
from smpc_sql.sql.nodes import only
from smpc_sql.sql.text import spell

_WORD = Integer(64)
_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1)
_SIZES = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_FORMATS = {"c": "%Y-%m-%d %H:%M:%S", "x": "%Y-%m-%d", "X": "%H:%M:%S", "T": "%H:%M:%S"}
_UNITS = {"H": 3600 * _SECOND, "M": 60 * _SECOND, "S": _SECOND}
_LIMITS = {"H": 24, "M": 60, "S": 60}
_PIVOT = 69
_DEFAULTS = {"Y": 1900, "m": 1, "d": 1, "H": 0, "M": 0, "S": 0}


@dataclass(frozen=True, slots=True)
class _Format:
    """What a format asks for: characters, and codes of numbers."""

    pieces: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The numbers, in their order."""
        return tuple(piece for piece in self.pieces if piece in _SIZES)

    @property
    def form(self) -> tuple[int, ...]:
        """For ReadFields."""
        places: list[int] = []
        for piece in self.pieces:
            size = _SIZES.get(piece)
            places += (ord(piece[1:]),) if size is None else (LONE, DIGIT) if size == 2 else (DIGIT,) * size
        return tuple(places)

    def start(self, code: str) -> int:
        """Where its digits begin in what was read, behind the mark."""
        return 1 + sum(_SIZES[each] for each in self.codes[: self.codes.index(code)])

    def word(self, text: str) -> int | None:
        """The microseconds of a known text, None if there are none."""
        patterns = (
            f"([0-9]{{1,{_SIZES[piece]}}}+)"
            if piece in _SIZES
            else r"\s+"
            if piece[1:] == " "
            else re.escape(piece[1:])
            for piece in self.pieces
        )
        found = re.fullmatch(rf"\s*{''.join(patterns)}\s*", text, re.ASCII)
        if found is None:
            return None
        values = {**_DEFAULTS, **dict(zip(self.codes, map(int, found.groups()), strict=True))}
        if "y" in values:
            values["Y"] = values["y"] + (2000 if values["y"] < _PIVOT else 1900)
        try:
            moment = datetime(*(values[code] for code in _DEFAULTS))  # type: ignore[arg-type]
        except ValueError:
            return None
        return (moment - _EPOCH) // timedelta(microseconds=1)


def _parsed(format_: str, name: str) -> _Format:
    """A format whose characters are marked by a space before them. Raises Unsupported."""
    pieces: list[str] = []
    for token in tokens_of(format_):
        code = token[1:].removeprefix("-")
        if code in _FORMATS:
            pieces += _parsed(_FORMATS[code], name).pieces
        elif code in _SIZES:
            pieces.append(code)
        elif code not in ("", "%") or not token.isascii():
            raise Unsupported(f"{name} with {token} is not supported; there are: {' '.join([*_SIZES, *_FORMATS])}")
        else:
            letter = " " if token.isspace() else token[0]
            if letter != " " or pieces[-1:] != ["  "]:
                pieces.append(f" {letter}")
    found = _Format(tuple(pieces))
    years = [code for code in found.codes if code in "Yy"]
    if len(years) > 1 or len(set(found.codes)) < len(found.codes) or "  " in (*pieces[:1], *pieces[-1:]):
        raise Unsupported(f"{name} with a number twice, or a blank at an end of its format, is not supported")
    return found


def _read(binder: Binder, name: str, items: Sequence[exp.Expr], strict: bool) -> Expression:
    x, given = (binder.bind(item) for item in items)
    if is_null(x) or is_null(given):
        return Literal(None, Timestamp())
    format_ = _parsed(format_of(name, given), name)

    def known(label: Expression) -> Expression:
        text = text_of(label) or ""
        word = format_.word(text)
        if word is None and strict:
            raise TypeMismatch(f"'{text[:50]}' does not have the format of {name}")
        return Literal(word, Timestamp())

    if text_of(x) is not None:
        return known(x)
    if isinstance(x.type, Enum):
        return cast_labels(x, Timestamp(), known)
    if not isinstance(x.type, Text):
        raise TypeMismatch(f"{name} needs text, got {x.type}")
    return fold(_moment(x, x.type, format_))


def _moment(x: Expression, type_: Text, format_: _Format) -> Expression:
    """A secret text's moment; NULL where it has none."""
    function = ReadFields(Text(type_.length, type_.ascii), format_.form)
    found = TextCall(function, (spell(x),))
    what = Text(1 + sum(_SIZES[code] for code in format_.codes))

    def part(code: str, skip: int = 0) -> Expression:
        if code not in format_.codes:
            return integer(_DEFAULTS[code])
        return TextCall(Digits(what, format_.start(code) + skip, 2), (found,))

    read = TextCall(SignBit(what, False), (found,))
    times = [code for code in _UNITS if code in format_.codes]
    tests: list[Expression] = [read, *(Less(part(code), integer(_LIMITS[code])) for code in times)]
    day = dates.made_of(*_year(format_, part), part("m"), part("d"), tests)
    if not times:
        return coercion.as_day(day, Date(midnight=True))
    micros: Expression = Literal(0, _WORD)
    for code in times:
        micros = Add(micros, Multiply(part(code), Literal(_UNITS[code], _WORD), _WORD), _WORD)
    inside = Within(Case(((And(tuple(tests)), micros),), Literal(0, _WORD)), Interval(0, DAY - 1))
    return Add(coercion.at_midnight(day), inside)


def _year(format_: _Format, part: Callable[..., Expression]) -> tuple[Expression, Expression]:
    """The century, and the year of it."""
    if "y" in format_.codes:
        year = part("y")
        return Add(integer(19), FromBoolean(Less(year, integer(_PIVOT))), _WORD), year
    if "Y" in format_.codes:
        return part("Y"), part("Y", 2)
    return integer(_DEFAULTS["Y"] // 100), integer(_DEFAULTS["Y"] % 100)


def _strptime(binder: Binder, node: exp.Expr) -> Expression:
    only(node, "this", "format")
    return _read(binder, "STRPTIME", (node.this, node.args["format"]), strict=True)


def _try_strptime(binder: Binder, node: exp.Expr) -> Expression:
    if len(node.expressions) != 2:
        raise TypeMismatch("TRY_STRPTIME needs a text and a format")
    return _read(binder, "TRY_STRPTIME", node.expressions, strict=False)


METHODS: dict[type[exp.Expr], Method] = {exp.StrToTime: _strptime}
FUNCTIONS: dict[str, Method] = {"try_strptime": _try_strptime}
"""Functions that the parser knows by name only, in small letters."""
