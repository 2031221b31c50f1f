"""Functions of texts and numbers by name: of constants and dictionaries in public, of secret text where there is a way.

A function's first argument may be secret text; its others are constants then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlglot import exp

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Expression, Literal
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Boolean, Enum, Integer, SqlType, Text
from smpc_sql.sql import secret_regex
from smpc_sql.sql import secret_texts as secret
from smpc_sql.sql import text_values as known
from smpc_sql.sql.binder import Binder, Method
from smpc_sql.sql.literals import is_null, text_of
from smpc_sql.sql.nodes import construct, only
from smpc_sql.sql.tabulated import Value, tabulated

_TEXT, _NUMBER, _TRUTH = Enum(("",)), Integer(64), Boolean()

Secret = Callable[..., Expression]
"""secret(x, *constants): the function of a secret text. Raises Unsupported without the function's name."""


@dataclass(frozen=True, slots=True)
class TextFunction:
    """names: of its arguments in the node, the first ones needed (none: those of a function that the parser does not
    know); kinds: t for a text, i for an integer, ? for either; value: of known arguments; type: what it gives.
    """

    names: tuple[str, ...]
    kinds: str
    value: Callable[..., Value]
    type: SqlType
    secret: Secret | None = None
    needed: int | None = None

    def bind(self, binder: Binder, node: exp.Expr) -> Expression:
        """The call. Raises TypeMismatch, Unsupported."""
        name = _NAMES.get(type(node)) or construct(node).removeprefix("function ")
        args = [fold(binder.bind(arg)) for arg in self._arguments(node, name)]
        for arg, kind in zip(args, self.kinds, strict=False):
            _check(name, arg, kind)
        found = tabulated(self.value, args, self.type)
        return self._of_secret(name, args) if found is None else found

    def _arguments(self, node: exp.Expr, name: str) -> Sequence[exp.Expr]:
        if self.names:
            only(node, *self.names, *_SET_BY_THE_PARSER)
            given = [node.args[n] for n in self.names if node.args.get(n) is not None]
        else:
            given = list(node.expressions)
        needed = len(self.kinds) if self.needed is None else self.needed
        if not needed <= len(given) <= len(self.kinds):
            raise TypeMismatch(f"{name} needs {needed} arguments, got {len(given)}")
        return given

    def _of_secret(self, name: str, args: Sequence[Expression]) -> Expression:
        x, *rest = args
        if not isinstance(x.type, Text):
            raise Unsupported(f"{name} of arguments of so many values is not supported")
        if self.secret is None:
            raise Unsupported(f"{name} of secret text is not supported, but of an ENUM or a published dictionary")
        if not all(isinstance(arg, Literal) for arg in rest):
            raise Unsupported(f"{name} of secret text is supported with constants as its other arguments only")
        constants = [arg.value if text_of(arg) is None else text_of(arg) for arg in rest if isinstance(arg, Literal)]
        try:
            return self.secret(x, *constants)
        except Unsupported as error:
            raise Unsupported(f"{name} {error.message}") from None


_NAMES: dict[type[exp.Expr], str] = {exp.StrPosition: "POSITION", exp.RegexpLike: "REGEXP_MATCHES"}
_SET_BY_THE_PARSER = ("null_if_pos_overflow", "single_replace", "is_left", "charset", "coalesce")


def _check(name: str, x: Expression, kind: str) -> None:
    if is_null(x):
        return
    if kind == "t" and not isinstance(x.type, Enum | Text):
        raise TypeMismatch(f"{name} needs text, got {x.type}")
    if kind == "i" and not isinstance(x.type, Integer):
        raise TypeMismatch(f"{name} needs an integer, got {x.type}")
    if kind == "?" and not isinstance(x.type, Enum | Integer):
        raise TypeMismatch(f"{name} needs a constant, got {x.type}")


def _pad(binder: Binder, node: exp.Expr) -> Expression:
    return _PADS[bool(node.args["is_left"])].bind(binder, node)


def _pads(*, left: bool) -> TextFunction:
    of_secret = secret.pad_left if left else secret.pad_right
    return TextFunction(("this", "expression", "fill_pattern"), "tit", partial(known.pad, left=left), _TEXT, of_secret)


_PADS = {left: _pads(left=left) for left in (True, False)}
_ORD = TextFunction((), "t", partial(known.code, empty=-1), _NUMBER, secret.unicode_code)
_CHR = TextFunction((), "i", known.character, _TEXT)


def _digest(name: str) -> TextFunction:
    return TextFunction(("this",), "t", partial(known.digest, name=name), _TEXT)


def _full_match(*names: str) -> TextFunction:
    return TextFunction(names, "ttt", known.full_match, _TRUTH, secret_regex.full_match, needed=2)


_OF_NODES: dict[type[exp.Expr], TextFunction] = {
    exp.StrPosition: TextFunction(("this", "substr"), "tt", known.position, _NUMBER, secret.position),
    exp.Replace: TextFunction(("this", "expression", "replacement"), "ttt", known.replace, _TEXT, secret.replace),
    exp.SplitPart: TextFunction(("this", "delimiter", "part_index"), "tti", known.split_part, _TEXT, secret.split_part),
    exp.Translate: TextFunction(("this", "from_", "to"), "ttt", known.translate, _TEXT, secret.translate),
    exp.Repeat: TextFunction(("this", "times"), "ti", known.repeat, _TEXT, secret.repeat),
    exp.Reverse: TextFunction(("this",), "t", known.reverse, _TEXT, secret.reverse),
    exp.Overlay: TextFunction(
        ("this", "expression", "from_", "for_"), "ttii", known.overlay, _TEXT, secret.overlay, needed=3
    ),
    exp.Ascii: TextFunction(("this",), "t", partial(known.code, empty=0), _NUMBER, secret.ascii_code),
    exp.Unicode: TextFunction(("this",), "t", partial(known.code, empty=-1), _NUMBER, secret.unicode_code),
    exp.BitLength: TextFunction(("this",), "t", lambda text: 8 * len(text.encode()), _NUMBER, secret.bit_length),
    exp.Levenshtein: TextFunction(("this", "expression"), "tt", known.levenshtein, _NUMBER),
    exp.Hex: TextFunction(("this",), "t", known.hexadecimal, _TEXT),
    exp.RegexpLike: TextFunction(
        ("this", "expression", "flag"), "ttt", known.matches, _TRUTH, secret_regex.matches, needed=2
    ),
    exp.RegexpFullMatch: TextFunction(
        ("this", "expression", "options"), "ttt", known.full_match, _TRUTH, secret_regex.full_match, needed=2
    ),
    exp.SimilarTo: TextFunction(("this", "expression"), "tt", known.full_match, _TRUTH, secret_regex.full_match),
    exp.RegexpExtract: TextFunction(
        ("this", "expression", "group", "parameters"), "tt?t", known.extract, _TEXT, needed=2
    ),
    exp.RegexpReplace: TextFunction(
        ("this", "expression", "replacement", "modifiers"), "tttt", known.substitute, _TEXT, needed=3
    ),
    exp.MD5: _digest("md5"),
    exp.SHA: _digest("sha1"),
    exp.SHA2: TextFunction(("this", "length"), "ti", known.sha2, _TEXT),
}

METHODS: dict[type[exp.Expr], Method] = {
    **{node: function.bind for node, function in _OF_NODES.items()},
    exp.Pad: _pad,
    exp.Chr: _CHR.bind,
}

FUNCTIONS: dict[str, Method] = {
    "ord": _ORD.bind,
    "hamming": TextFunction((), "tt", known.mismatches, _NUMBER).bind,
    "mismatches": TextFunction((), "tt", known.mismatches, _NUMBER).bind,
}
"""Functions that the parser does not know, by lower-case name."""
