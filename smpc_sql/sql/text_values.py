"""Functions of known texts, as DuckDB has them: what constants and the labels of dictionaries become."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.text.regex import Chain, Edge, Regex, python, repeats_captures
from smpc_sql.sql.regex import literal_regex, parse_regex

_MOST = 1 << 16
"""Characters of one text that a function makes."""

_REFERENCE = re.compile(r"\\(.?)", re.DOTALL)


def upper(text: str) -> str:
    """UPPER: one character for one, so ß becomes ẞ."""
    return "".join("ẞ" if c == "ß" else _one(c.upper(), _one(c.title(), c)) for c in text)


def lower(text: str) -> str:
    """LOWER: one character for one, whatever stands beside it."""
    return "".join("i" if c == "İ" else _one(c.lower(), c) for c in text)


def _one(changed: str, c: str) -> str:
    return changed if len(changed) == 1 else c


def position(text: str, needle: str) -> int:
    """POSITION(needle IN text): 1 is the first character, 0 says that it is not there."""
    return text.find(needle) + 1


def replace(text: str, needle: str, replacement: str) -> str:
    """REPLACE: every occurrence, from the start on; nothing is replaced if there is nothing to look for."""
    return text.replace(needle, replacement) if needle else text


def split_part(text: str, separator: str, number: int) -> str:
    """SPLIT_PART: 1 is the first part, -1 the last; '' for what there is not. Nothing splits at every character."""
    parts = text.split(separator) if separator else list(_apart(text))
    place = number - 1 if number > 0 else len(parts) + number
    return parts[place] if number and 0 <= place < len(parts) else ""


def translate(text: str, old: str, new: str) -> str:
    """TRANSLATE: each character of `old` becomes that of `new` at its place, or nothing."""
    return "".join(c if c not in old else new[old.index(c) : old.index(c) + 1] for c in text)


def pad(text: str, width: int, fill: str, *, left: bool) -> str:
    """LPAD and RPAD: cut or filled to a number of characters. Raises TypeMismatch, Unsupported."""
    missing = width - len(text)
    if missing <= 0:
        return text[: max(width, 0)]
    if not fill:
        raise TypeMismatch(f"{'LPAD' if left else 'RPAD'} needs something to pad with")
    if missing > _MOST:
        raise Unsupported(f"a text of more than {_MOST} characters is not supported")
    padding = (fill * missing)[:missing]
    return padding + text if left else text + padding


def repeat(text: str, times: int) -> str:
    """REPEAT. Raises Unsupported."""
    if len(text) * times > _MOST:
        raise Unsupported(f"a text of more than {_MOST} characters is not supported")
    return text * max(times, 0)


def overlay(text: str, new: str, start: int, length: int | None = None) -> str:
    """OVERLAY: the characters from `start` on, as many as the new ones if nothing else is said, replaced.

    Raises Unsupported.
    """
    if length is not None and length < 0:
        raise Unsupported("OVERLAY of a length below 0 is not supported")
    behind = start + (len(new) if length is None else length) - 1
    return text[: max(start - 1, 0)] + new + text[max(behind, 0) :]


def reverse(text: str) -> str:
    """REVERSE."""
    return _apart(text)[::-1]


def _apart(text: str) -> str:
    """A text each of whose characters surely stands for itself. Raises Unsupported."""
    if not text.isascii() and not all(_stands_alone(c) for c in text):
        raise Unsupported("taking texts apart whose characters may be made of several is not supported")
    return text


def _stands_alone(c: str) -> bool:
    """Letters, digits, signs and blanks of Latin, Greek, Cyrillic, Chinese and Japanese."""
    known = c < "\u0530" or "\u3040" <= c <= "\u9fff"
    return known and c != "\r" and unicodedata.category(c)[0] not in "MC"


def code(text: str, *, empty: int) -> int:
    """The first character's number; `empty` if there is none."""
    return ord(text[0]) if text else empty


def character(number: int) -> str:
    """CHR. Raises TypeMismatch, Unsupported."""
    if number == 0:
        raise Unsupported("CHR(0) is not supported")
    if not 0 < number < 0x110000 or 0xD800 <= number < 0xE000:
        raise TypeMismatch(f"there is no character CHR({number})")
    return chr(number)


def levenshtein(left: str, right: str) -> int:
    """How many bytes are to be replaced, added or taken away."""
    a, b = left.encode(), right.encode()
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def mismatches(left: str, right: str) -> int:
    """HAMMING: in how many bytes two texts of one length differ. Raises TypeMismatch."""
    a, b = left.encode(), right.encode()
    if len(a) != len(b) or not a:
        raise TypeMismatch("HAMMING needs texts of one length, which is not 0")
    return sum(x != y for x, y in zip(a, b, strict=True))


def digest(text: str, *, name: str) -> str:
    """MD5, SHA1, SHA256, in hexadecimal digits."""
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def sha2(text: str, bits: int) -> str:
    """SHA256. Raises Unsupported."""
    if bits != 256:
        raise Unsupported(f"of {bits} bits it is not supported")
    return digest(text, name="sha256")


def hexadecimal(text: str) -> str:
    """HEX: the bytes."""
    return text.encode().hex().upper()


# regular expressions


def regex_of(pattern: str, options: str) -> Regex:
    """The tree of a pattern under DuckDB's options. Raises TypeMismatch, Unsupported."""
    for option in options:
        if option not in "cisl":
            raise Unsupported(f"the option '{option}' of a regular expression is not supported")
    fold = "i" in options and options.rfind("i") > options.rfind("c")
    if "l" in options:
        return literal_regex(pattern, fold=fold)
    return parse_regex(pattern, fold=fold, newline="s" in options)


def whole(regex: Regex) -> Regex:
    """The same of the whole text."""
    return Chain((Edge(end=False), regex, Edge(end=True)))


def matches(text: str, pattern: str, options: str = "") -> bool:
    """REGEXP_MATCHES: whether there is a match somewhere."""
    return re.search(python(regex_of(pattern, options)), text) is not None


def full_match(text: str, pattern: str, options: str = "") -> bool:
    """REGEXP_FULL_MATCH and SIMILAR TO: whether the whole text is one."""
    return re.search(python(whole(regex_of(pattern, options))), text) is not None


def extract(text: str, pattern: str, group: int | str = 0, options: str = "") -> str:
    """REGEXP_EXTRACT: the first match, or a group of it; '' for what there is not. Raises Unsupported."""
    number, options = (0, group) if isinstance(group, str) else (group, options)
    if number < 0:
        raise Unsupported("REGEXP_EXTRACT of a group below 0 is not supported")
    regex = regex_of(pattern, options)
    if number:
        _require_single(regex)
    found = re.search(python(regex), text)
    return "" if found is None or number > found.re.groups else found[number] or ""


def substitute(text: str, pattern: str, replacement: str, options: str = "") -> str:
    """REGEXP_REPLACE: the first match, or with 'g' all. A match that is empty does not stand right behind another."""
    regex = regex_of(pattern, options.replace("g", ""))
    known = re.compile(python(regex))
    _check_template(replacement, known.groups)
    if any(reference[1] in tuple("123456789") for reference in _REFERENCE.finditer(replacement)):
        _require_single(regex)
    done: list[str] = []
    at, last = 0, -1
    while at <= len(text) and (found := known.search(text, at)) is not None:
        done.append(text[at : found.start()])
        if found.start() == found.end() == last:
            done.append(text[last : last + 1])
            at = last + 1
            continue
        done.append(_REFERENCE.sub(lambda m: _filled(m, found), replacement))
        at = last = found.end()
        if "g" not in options:
            break
    return "".join(done) + text[at:]


def _require_single(regex: Regex) -> None:
    if repeats_captures(regex):
        raise Unsupported("a group of a regular expression that is repeated, as (a)*, is not supported by its number")


def _filled(reference: re.Match[str], found: re.Match[str] | None) -> str:
    assert found is not None
    name = reference[1]
    return "\\" if name == "\\" else found[int(name)] or ""


def _check_template(template: str, groups: int) -> None:
    for reference in _REFERENCE.finditer(template):
        name = reference[1]
        if name != "\\" and not (name in tuple("0123456789") and int(name) <= groups):
            raise TypeMismatch(f"REGEXP_REPLACE: \\{name} is neither a backslash nor a group of the pattern")
