"""The data owner's side: rows of a CSV file or a DataFrame, checked against the schema, as scaled integers to be split.

Every row is checked, every offending row is named, and then nothing is loaded. Rows are counted as data rows from 1:
the first row below a CSV's header, and the first row of a DataFrame, is row 1. No message holds a value.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smpc_sql import messages, sharing
from smpc_sql.decimals import Rounding
from smpc_sql.decoding import Mask, Words
from smpc_sql.encoding import EncodedColumn, encode_series, encode_text
from smpc_sql.errors import DataError
from smpc_sql.schema import Column, TableSchema

MAX_PROBLEMS = 100
"""How many offending rows an error lists; the rest are counted."""


class Loaded(int):
    """How many rows were loaded. rounding: what DOUBLE columns lost, by their names; for the owner's eyes."""

    rounding: dict[str, Rounding]

    @classmethod
    def of(cls, rows: EncodedRows) -> Loaded:
        """What is told of rows that were loaded."""
        loaded = cls(rows.rows)
        loaded.rounding = rows.rounding
        return loaded


_Problem = tuple[int, int, str]  # row counted from 1, position of the column, text


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows that fit a schema.

    words: for every column of words (`schema.stored`), by its name there, int64 [rows], 0 where NULL.
    nulls: for every nullable one, bool [rows], True where NULL.
    rounding: what DOUBLE columns lost when they were rounded; those that lost nothing are not in it.
    """

    rows: int
    words: dict[str, Words]
    nulls: dict[str, Mask]
    rounding: dict[str, Rounding] = field(default_factory=dict)


def read_csv(schema: TableSchema, path: str | Path, *, delimiter: str = ",", header: bool = True) -> EncodedRows:
    """The rows of a CSV file: UTF-8, `"` quotes, a header naming every column once in any order.

    delimiter: between fields, one character. header: without one the columns stand in the schema's order. An empty
    field is NULL, quoted or not; blank lines are skipped. Raises DataError, naming all that is wrong.
    """
    path = Path(path)
    if header:
        names, records = read_records(path, delimiter)
    else:
        names, records = [column.name for column in schema.columns], list(_parsed(path, delimiter))
    return _encoded_records(schema, path, names, records)


def read_records(path: Path, delimiter: str = ",") -> tuple[list[str], list[list[str]]]:
    """The header and the records of a CSV file as texts. Raises DataError."""
    rows = _parsed(path, delimiter)
    header = next(rows, None)
    if header is None:
        raise DataError(f"{path.name}: the file is empty; a header with the columns' names is missing")
    return [name.strip() for name in header], list(rows)


def _encoded_records(schema: TableSchema, path: Path, header: list[str], records: list[list[str]]) -> EncodedRows:
    places = _places(schema, path.name, header)
    ragged = np.fromiter((len(record) != len(header) for record in records), np.bool_, len(records))
    problems: list[_Problem] = [
        (int(row) + 1, -1, f"has {len(records[row])} fields, not {len(header)}") for row in np.flatnonzero(ragged)
    ]
    numbers = np.flatnonzero(~ragged) + 1
    whole = [records[row - 1] for row in numbers.tolist()] if problems else records

    def encode(column: Column, place: int) -> EncodedColumn:
        texts = [record[place] for record in whole]
        return encode_text(column, texts, np.fromiter((not text for text in texts), np.bool_, len(texts)))

    return _encoded(schema, path.name, places, encode, numbers, problems)


def from_frame(schema: TableSchema, frame: pd.DataFrame, *, name: str = "DataFrame") -> EncodedRows:
    """The rows of a DataFrame, whose columns are the schema's in any order; its index is ignored.

    name: what errors call it. Raises DataError, naming all that is wrong.
    """
    places = _places(schema, name, [str(label) for label in frame.columns])

    def encode(column: Column, place: int) -> EncodedColumn:
        return encode_series(column, frame.iloc[:, place])

    return _encoded(schema, name, places, encode, np.arange(1, len(frame) + 1), [])


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path.name}: not UTF-8 text (line {line}, byte {error.start})") from None
    if "\0" in text:
        raise DataError(f"{path.name}: not a CSV file: it holds a NUL byte")
    return text


def _parsed(path: Path, delimiter: str) -> Iterator[list[str]]:
    """The header and the records, blank lines skipped."""
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise DataError("a delimiter is one character, and neither a quote nor the end of a line")
    name = path.name
    reader = csv.reader(io.StringIO(_text_of(path), newline=""), strict=True, delimiter=delimiter)
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{name}: not a CSV file: line {reader.line_num}: {error}") from None
        if record is None:
            return
        if record:
            yield record


def _places(schema: TableSchema, name: str, header: Sequence[str]) -> list[int]:
    """The position in the header of every column of the schema. Raises DataError with all that is wrong."""
    lowered = [label.lower() for label in header]
    known = [column.name.lower() for column in schema.columns]
    doubles = sorted({label for label in lowered if lowered.count(label) > 1})
    problems = [f"column {column.name} is missing" for column in schema.columns if column.name.lower() not in lowered]
    problems += [f"column {label} is not in the table" for label in header if label.lower() not in known]
    problems += [f"column {label} is there {lowered.count(label)} times" for label in doubles]
    if problems:
        raise DataError(f"{name}: its columns are not those of table {schema.name}; nothing was loaded", problems)
    return [lowered.index(label) for label in known]


def _encoded(
    schema: TableSchema,
    name: str,
    places: Sequence[int],
    encode: Callable[[Column, int], EncodedColumn],
    numbers: npt.NDArray[np.intp],
    problems: list[_Problem],
) -> EncodedRows:
    """Every column encoded; `numbers` gives each encoded row's number. Raises DataError with all problems at once."""
    columns: dict[str, EncodedColumn] = {}
    for position, (column, place) in enumerate(zip(schema.columns, places, strict=True)):
        encoded = encode(column, place)
        columns[column.name] = encoded
        for fault in encoded.faults:
            problems += [(int(row), position, f"{column.name}: {fault.reason}") for row in numbers[fault.rows]]
    for kind, key in [("PRIMARY KEY", schema.primary_key), *(("UNIQUE", key) for key in schema.unique)]:
        problems += _repetitions(schema, kind, key, columns, numbers)
    if problems:
        raise _refusal(schema, name, problems)
    words = {
        stored.name: found
        for column in schema.columns
        for stored, found in zip(column.stored, (columns[column.name].words, *columns[column.name].more), strict=True)
    }
    nulls = {column.name: columns[column.name].nulls for column in schema.columns if column.nullable}
    rounding = {column: encoded.rounding for column, encoded in columns.items() if encoded.rounding is not None}
    return EncodedRows(len(numbers), words, nulls, rounding)


def _repetitions(
    schema: TableSchema,
    kind: str,
    key: tuple[str, ...],
    columns: dict[str, EncodedColumn],
    numbers: npt.NDArray[np.intp],
) -> list[_Problem]:
    """Rows whose key an earlier row has. A key with a NULL in it repeats nothing, as in SQL; nor does one at fault."""
    parts = [columns[found.name] for name in key if (found := schema.column(name)) is not None]
    if not parts:
        return []
    left_out = np.zeros(len(numbers), np.bool_)
    for part in parts:
        left_out |= part.nulls
        for fault in part.faults:
            left_out[fault.rows] = True
    rows = np.flatnonzero(~left_out)
    if not len(rows):
        return []
    stacked = np.stack([words[rows] for part in parts for words in (part.words, *part.more)], axis=1)
    _, first, group = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
    earlier = first[group.reshape(-1)]
    again = np.flatnonzero(earlier != np.arange(len(rows)))
    last = len(schema.columns)
    listed = ", ".join(key)
    return [(int(numbers[rows[i]]), last, f"{kind} ({listed}): as in row {numbers[rows[earlier[i]]]}") for i in again]


def _refusal(schema: TableSchema, name: str, problems: list[_Problem]) -> DataError:
    offending = len({row for row, _, _ in problems})
    listed = [f"{name} row {row}: {text}" for row, _, text in sorted(problems)[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        listed.append(f"… and {len(problems) - MAX_PROBLEMS} more")
    rows = "1 row does" if offending == 1 else f"{offending} rows do"
    return DataError(
        f"{name}: {rows} not fit table {schema.name}; nothing was loaded (data rows, counted from 1)",
        listed,
    )


Frames = list[tuple[bytes, npt.NDArray[Any]]]
"""Arrays, each with the path under which a party receives it."""


def split(schema: TableSchema, rows: EncodedRows, parties: tuple[str, ...]) -> dict[str, Frames]:
    """Each party's shares of the rows, as frames with their paths."""
    frames: dict[str, Frames] = {party: [] for party in parties}
    for number, column in enumerate(schema.stored):
        words = np.ascontiguousarray(rows.words[column.name]).view(np.uint64)
        pieces = [(b"w", sharing.split_words(words, len(parties)))]
        if column.nullable:
            packed = np.packbits(rows.nulls[column.name], bitorder="little")
            pieces.append((b"n", sharing.split_bits(packed, len(parties))))
        for kind, shares in pieces:
            for party, share in zip(parties, shares, strict=True):
                frames[party].append((messages.load_path(kind, number), share))
    return frames
