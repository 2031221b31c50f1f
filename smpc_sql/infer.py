"""A schema proposed for a CSV file: for its owner to review, since everything that a schema declares is public."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smpc_sql.errors import DataError
from smpc_sql.owner import read_records

FEW_LABELS = 20
"""Up to this many different texts, each three times on average, look like a dictionary."""

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?(\d{1,17})?\.(\d{1,9})|[+-]?\d{1,17}\.")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_LONGEST_TEXT = 1024


def infer(path: str | Path, table: str = "", delimiter: str = ",") -> str:
    """CREATE TABLE for the rows of a CSV file with a header, with comments on what to review.

    Bounds are wider than what the file holds, so that they tell its size only, and other owners' rows fit as well.
    table: by default the file's name. Raises DataError.
    """
    path = Path(path)
    header, records = read_records(path, delimiter)
    short = next((i for i, record in enumerate(records) if len(record) != len(header)), None)
    if short is not None:
        raise DataError(f"{path.name}: row {short + 1} has {len(records[short])} fields, not {len(header)}")
    columns = [_column(name, [record[i] for record in records]) for i, name in enumerate(header)]
    lines = [
        "-- Review: everything declared here is public, labels of ENUMs and bounds too.",
        f"CREATE TABLE {_quoted(table or path.stem)} (",
    ]
    for i, column in enumerate(columns):
        comma = "," if i + 1 < len(columns) else ""
        lines.append(f"    {column.text}{comma}{f'  -- {column.comment}' if column.comment else ''}")
    return "\n".join([*lines, ");", ""])


@dataclass(frozen=True, slots=True)
class _Proposal:
    text: str
    comment: str = ""


def _column(name: str, fields: Sequence[str]) -> _Proposal:
    texts = [field for field in fields if field]
    type_, comment = _type(_quoted(name), texts) if texts else ("VARCHAR(7)", "review: the file has no value here")
    if texts and len(texts) == len(fields):
        type_ += " NOT NULL"
        if len(set(texts)) == len(texts) > 1 and not comment:
            comment = "review: no two rows alike; UNIQUE or PRIMARY KEY would allow lookups"
    return _Proposal(f"{_quoted(name)} {type_}", comment)


def _type(name: str, texts: list[str]) -> tuple[str, str]:
    if {text.lower() for text in texts} <= {"true", "false"}:
        return "BOOLEAN", ""
    if all(_INTEGER.fullmatch(text) for text in texts):
        low, high = _wider(min(map(int, texts)), max(map(int, texts)))
        widths = (("SMALLINT", 15), ("INTEGER", 31))
        type_ = next((t for t, bits in widths if -(1 << bits) <= low and high < 1 << bits), "BIGINT")
        return f"{type_} CHECK ({name} BETWEEN {low} AND {high})", ""
    if all(_INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text) for text in texts):
        scale = max(len(text.partition(".")[2]) for text in texts)
        low, high = _wider(int(min(map(float, texts)) // 1), int(max(map(float, texts)) // 1) + 1)
        precision = len(str(max(abs(low), abs(high)))) + scale
        if precision <= 18:
            return f"DECIMAL({precision}, {scale}) CHECK ({name} BETWEEN {low} AND {high})", ""
        return "DOUBLE", "review: more than 18 digits"
    if all(_DATE.fullmatch(text) for text in texts):
        years = int(min(texts)[:4]) // 10 * 10, int(max(texts)[:4]) // 10 * 10 + 9
        low_day, high_day = f"{years[0]:04}-01-01", f"{years[1]:04}-12-31"
        return f"DATE CHECK ({name} BETWEEN DATE '{low_day}' AND DATE '{high_day}')", ""
    return _text_type(texts)


def _text_type(texts: list[str]) -> tuple[str, str]:
    labels = sorted(set(texts))
    if len(labels) <= FEW_LABELS and 3 * len(labels) <= len(texts):
        listed = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
        return f"ENUM({listed})", "review: the labels are published, and those of all owners must be among them"
    ascii_ = all(text.isascii() for text in texts)
    longest = max(len(text.encode()) for text in texts)
    length = -(-(longest * 5 // 4 + 1) // 7) * 7  # words of seven bytes, and room for longer ones
    if length > _LONGEST_TEXT:
        return f"VARCHAR({_LONGEST_TEXT})", "review: texts are longer than is supported"
    return f"VARCHAR({length}){'' if ascii_ else ' COLLATE C'}", ""


def _wider(low: int, high: int) -> tuple[int, int]:
    """Round numbers around: 0 or a negative power of ten times 1, 2 or 5 below, a positive one above."""
    return (0 if low >= 0 else -_round(-low)), (_round(high) if high > 0 else 0)


def _round(value: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, … that is at least a quarter more than the value."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if 4 * factor * power >= 5 * value:
                return factor * power
        power *= 10


def _quoted(name: str) -> str:
    name = name.strip()
    return name if _NAME.fullmatch(name) else '"' + name.replace('"', '""') + '"'
