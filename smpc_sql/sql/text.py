"""Texts as words: how one text becomes another's type, and what comparing and choosing texts means word by word.

A text of more than seven bytes is a LongText, several words under one type, and never reaches an operator: here it
falls into what is computed on its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import Case, Equal, Expression, InSet, Less, Literal, LongText, Lookup, TextCall
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.text import Equals, Pad, Precedes, Spell, WordOf
from smpc_sql.schema import LONGEST_TEXT, WORD_BYTES, Boolean, Enum, Text, text_words
from smpc_sql.sql.literals import text_of


def words_of(x: Expression) -> tuple[Expression, ...]:
    """The words of a text; anything else as it is."""
    return x.words if isinstance(x, LongText) else (x,)


def bare_words(x: Expression) -> tuple[Expression, ...]:
    """The words of a text for what looks at the first one for NULLs."""
    return x.bare if isinstance(x, LongText) else (x,)


def all_words(expressions: Iterable[Expression]) -> tuple[Expression, ...]:
    """The expressions, each text in its words: what groups, keys and orders are made of."""
    return tuple(word for expression in expressions for word in words_of(expression))


def each_word(x: Expression, make: Callable[[Expression, tuple[Expression, ...], int], Expression]) -> Expression:
    """What `make` gives for every word of a text, from its first word, those behind, and the word's number."""
    first, *rest = words_of(x)
    made = tuple(make(first, tuple(rest), i) for i in range(1 + len(rest)))
    return LongText(made, x.type) if isinstance(x, LongText) else made[0]


def joined(words: Sequence[Expression], type_: Text) -> Expression:
    """Words as one text."""
    return LongText(tuple(words), type_) if type_.is_long else words[0]


def text_type(type_: Text | Enum) -> Text:
    """A text type that holds every label of an ENUM."""
    if isinstance(type_, Text):
        return type_
    longest = max(len(label.encode()) for label in type_.labels)
    if longest > LONGEST_TEXT or any("\0" in label for label in type_.labels):
        raise Unsupported(f"a text of more than {LONGEST_TEXT} bytes, or with a NUL character, is not supported")
    return Text(max(longest, 1), all(label.isascii() for label in type_.labels))


def common(a: Text | Enum, b: Text | Enum) -> Text:
    """The type of either text."""
    x, y = text_type(a), text_type(b)
    return Text(max(x.length, y.length), x.ascii and y.ascii)


def fitted(x: Expression, type_: Text) -> Expression:
    """A text, an ENUM or NULL in a type that holds it. Raises TypeMismatch for anything else."""
    if isinstance(x, Literal) and x.value is None:
        first, *rest = type_.words
        return joined([Literal(None, first), *(Literal(0, word) for word in rest)], type_)
    if x.type == type_:
        return x
    if isinstance(x.type, Enum):
        return _spelled(x, x.type, type_)
    if not isinstance(x.type, Text):
        raise TypeMismatch(f"{x.type} is not text")
    mine = bare_words(x)
    padded = [_padded(word, to) for word, to in zip(mine, type_.words, strict=False)]
    return joined([*padded, *(Literal(0, to) for to in type_.words[len(mine) :])], type_)


def _padded(word: Expression, to: Text) -> Expression:
    assert isinstance(word.type, Text)
    if word.type == to:
        return word
    pad = Pad(word.type.length, to)
    if isinstance(word, Literal):
        return Literal(None if word.value is None else pad.compute((word.value,)), to)
    return TextCall(pad, (word,))


def _spelled(x: Expression, labels: Enum, type_: Text) -> Expression:
    """The label of an ENUM's code, from a public table for each word."""
    table = [text_words(label, type_.length) or (0,) * len(type_.words) for label in labels.labels]
    if isinstance(x, Literal) and x.value is not None:
        return joined([Literal(word, to) for word, to in zip(table[x.value], type_.words, strict=True)], type_)
    seen = table[x.bounds.low : x.bounds.high + 1]
    columns = [tuple(words[i] for words in seen) for i in range(len(type_.words))]
    return joined([Lookup(x, column, to) for column, to in zip(columns, type_.words, strict=True)], type_)


def compare(left: Expression, right: Expression, test: type[Equal] | type[Less]) -> Expression:
    """left = right or left < right of two texts; NULL if either is."""
    assert isinstance(left.type, Text | Enum) and isinstance(right.type, Text | Enum)
    reach = _reach(left, right, test)
    type_ = common(left.type, right.type)
    a, b = bare_words(fitted(left, type_))[:reach], bare_words(fitted(right, type_))[:reach]
    if len(a) == 1:
        return test(a[0], b[0])
    function = Equals(len(a)) if test is Equal else Precedes(len(a))
    if all(isinstance(word, Literal) for word in (*a, *b)):
        known = [word.value for word in (*a, *b) if isinstance(word, Literal)]
        whole = [value for value in known if value is not None]
        return Literal(function.compute(whole) if len(whole) == len(known) else None, Boolean())
    return TextCall(function, (*a, *b))


def _reach(left: Expression, right: Expression, test: type[Equal] | type[Less]) -> int | None:
    """How many words decide a comparison with a constant: those up to its end, behind which are only zeros.

    Where a text agrees with it up to there, its next byte is zero too, so it ends there; and if it goes on, it is
    greater, which only `constant < text` needs to know.
    """
    for constant, other in ((left, right), (right, left)):
        text = text_of(constant)
        if text is not None and isinstance(other.type, Text):
            length = len(text.encode())
            exact = length % WORD_BYTES == 0 and length > 0 and test is Less and constant is right
            return length // WORD_BYTES + (0 if exact else 1)
    return None


def choose(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    """CASE over texts of one long type, the last value being the default: one CASE for each word."""
    type_ = values[-1].type
    assert isinstance(type_, Text)
    columns = list(zip(*(bare_words(value) for value in values), strict=True))
    return joined([Case(tuple(zip(conditions, column[:-1], strict=True)), column[-1]) for column in columns], type_)


def spell(x: Expression) -> Expression:
    """A text as its bits, on which functions of characters work."""
    assert isinstance(x.type, Text)
    first = words_of(x)[0]
    if isinstance(first, TextCall) and isinstance(first.function, WordOf) and first.function.text == x.type:
        spelled = first.operands[0]
        if bare_words(unspelled(spelled)) == bare_words(x):
            return spelled
    return TextCall(Spell(x.type), bare_words(x))


def unspelled(x: Expression) -> Expression:
    """The reverse."""
    assert isinstance(x.type, Text)
    type_ = Text(x.type.length, x.type.ascii)
    return joined([TextCall(WordOf(type_, i), (x,)) for i in range(len(type_.words))], type_)


def sides(term: Expression) -> tuple[Expression, Expression] | None:
    """Both sides of an equality; one may be the constant that a word of a text is compared with."""
    match term:
        case Equal(left, right):
            return left, right
        case InSet(x, (code,)) if isinstance(x.type, Text):
            return x, Literal(code, x.type)
        case _:
            return None


def equalities(term: Expression) -> tuple[Expression, ...]:
    """A condition that must be true as several: an equality of long texts is one of each word."""
    match term:
        case TextCall(Equals(words), operands):
            return tuple(fold(Equal(*pair)) for pair in zip(operands[:words], operands[words:], strict=True))
        case _:
            return (term,)
