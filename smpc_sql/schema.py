"""The public vocabulary of data: SQL types, bounds, columns, tables.

Every value is an exact integer in the engine ("scaled integer"): INTEGER kinds as they are, DECIMAL(p, s) times 10^s,
DATE as days and TIMESTAMP as microseconds since 1970-01-01, BOOLEAN as 0 or 1, ENUM as the position of its label, text
as its bytes, seven to a word.
A column declared DOUBLE is rounded when it is loaded, and is then a DECIMAL; a DOUBLE that a query computes is an exact
fraction until the analyst's side divides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OWNER_COLUMN = "owner"
"""The public pseudo-column of every table: who brought the row."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of scaled integers that is known to hold a value; public."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"empty interval [{self.low}, {self.high}]")

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __mul__(self, other: Interval) -> Interval:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def union(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def intersect(self, other: Interval) -> Interval | None:
        """What both hold, or None."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Interval(low, high) if low <= high else None

    def scale(self, factor: int) -> Interval:
        """Every value times a public factor."""
        return Interval(min(self.low * factor, self.high * factor), max(self.low * factor, self.high * factor))

    @property
    def size(self) -> int:
        """How many integers it holds."""
        return self.high - self.low + 1

    @property
    def bits(self) -> int:
        """The narrowest two's-complement width that holds every value."""
        return (
            max(
                self.low.bit_length() if self.low >= 0 else (~self.low).bit_length(),
                self.high.bit_length() if self.high >= 0 else (~self.high).bit_length(),
            )
            + 1
        )

    def __contains__(self, value: int) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"[{self.low}, {self.high}]"


WORD = Interval(-(1 << 63), (1 << 63) - 1)
"""What a 64-bit word holds."""


@dataclass(frozen=True, slots=True)
class Integer:
    """TINYINT, SMALLINT, INTEGER, BIGINT (bits 8, 16, 32, 64); HUGEINT (128) is what SUM returns, often within 64
    bits.
    """

    bits: int = 64

    def __str__(self) -> str:
        return {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT", 128: "HUGEINT"}[self.bits]


@dataclass(frozen=True, slots=True)
class Decimal:
    """DECIMAL(precision, scale): scaled by 10^scale."""

    precision: int
    scale: int

    def __str__(self) -> str:
        return f"DECIMAL({self.precision},{self.scale})"


@dataclass(frozen=True, slots=True)
class Boolean:
    """BOOLEAN: a bit."""

    def __str__(self) -> str:
        return "BOOLEAN"


@dataclass(frozen=True, slots=True)
class Date:
    """DATE: days since 1970-01-01. midnight: shown as the TIMESTAMP when the day begins, as DATE_TRUNC gives it."""

    midnight: bool = False

    def __str__(self) -> str:
        return "TIMESTAMP" if self.midnight else "DATE"


DAY = 86_400_000_000
"""Microseconds of a day."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """TIMESTAMP: microseconds since 1970-01-01, without a time zone."""

    def __str__(self) -> str:
        return "TIMESTAMP"


@dataclass(frozen=True, slots=True)
class Duration:
    """INTERVAL between two TIMESTAMPs, of queries alone: microseconds."""

    def __str__(self) -> str:
        return "INTERVAL"


@dataclass(frozen=True, slots=True)
class Enum:
    """ENUM(labels): a published dictionary; the code of a label is its position. Also the type of text literals."""

    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.labels)) != len(self.labels) or not self.labels:
            raise ValueError("an ENUM's labels are distinct, and there is at least one")

    def __str__(self) -> str:
        return "ENUM(" + ", ".join("'" + label.replace("'", "''") + "'" for label in self.labels) + ")"


WORD_BYTES = 7
"""Bytes of text that one word holds beside its sign."""

LONGEST_TEXT = 1024
"""Bytes of a secret text."""


@dataclass(frozen=True, slots=True)
class Text:
    """VARCHAR(length): secret text of at most `length` bytes, in ASCII or (COLLATE C) any UTF-8.

    Its words are the bytes, seven to a word and the last word with the rest, the first byte most significant, filled up
    with zeros behind: texts order as their words do, one after another. A text holds no character NUL. A text of more
    than one word (`is_long`) never reaches an operator, but its words do, each a text of its own: it is NULL where its
    first word is, and where that is NULL the others are NULL or 0.

    spelled: within an expression, a text whose bits are shared, not its words.
    """

    length: int
    ascii: bool = True
    spelled: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.length <= LONGEST_TEXT:
            raise ValueError(f"a text has 1 to {LONGEST_TEXT} bytes")

    @property
    def is_long(self) -> bool:
        """Whether it takes more than one word."""
        return self.length > WORD_BYTES

    @property
    def is_word(self) -> bool:
        """Whether it is one shared word."""
        return not self.is_long and not self.spelled

    @property
    def words(self) -> tuple[Text, ...]:
        """The types of its words."""
        whole, rest = divmod(self.length, WORD_BYTES)
        sizes = [WORD_BYTES] * whole + ([rest] if rest else [])
        return tuple(Text(size, self.ascii) for size in sizes)

    def __str__(self) -> str:
        return f"VARCHAR({self.length})" + ("" if self.ascii else " COLLATE C")


DOUBLE_DECIMALS = 6
"""Decimals that are kept of a DOUBLE column, if its CHECKs do not say otherwise."""

DOUBLE_LIMIT = 10**9
"""Between minus this and this lie the values of a DOUBLE column, where no CHECK gives a bound."""


@dataclass(frozen=True, slots=True)
class Double:
    """DOUBLE: the type of quotients, exact fractions until the analyst's side divides.

    decimals: of a declared column, how many are kept of its values (fixed precision); None for what a query computes.
    """

    decimals: int | None = None

    @property
    def kept(self) -> Decimal:
        """The DECIMAL in which a declared column's values are held."""
        return Decimal(18, DOUBLE_DECIMALS if self.decimals is None else self.decimals)

    def __str__(self) -> str:
        return "DOUBLE"


SqlType = Integer | Decimal | Boolean | Date | Timestamp | Duration | Enum | Text | Double

_DATE_MIN, _DATE_MAX = -719162, 2932896  # 0001-01-01 … 9999-12-31, what Python's datetime.date holds


def type_bounds(type_: SqlType) -> Interval:
    """The interval of scaled integers that a type alone allows (a computed DOUBLE and HUGEINT: a 64-bit word)."""
    match type_:
        case Integer(bits):
            return Interval(-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if bits <= 64 else WORD
        case Decimal(precision, _):
            return Interval(-(10**precision) + 1, 10**precision - 1)
        case Boolean():
            return Interval(0, 1)
        case Date():
            return Interval(_DATE_MIN, _DATE_MAX)
        case Timestamp():
            return Interval(_DATE_MIN * DAY, (_DATE_MAX + 1) * DAY - 1)
        case Enum(labels):
            return Interval(0, len(labels) - 1)
        case Text(length):  # of a long text: of its first word
            return Interval(0, (1 << (8 * min(length, WORD_BYTES))) - 1)
        case Duration():
            return WORD
        case Double(decimals):
            return WORD if decimals is None else type_bounds(type_.kept)


def text_words(text: str, length: int) -> tuple[int, ...] | None:
    """The words of a text in VARCHAR(length), or None if it does not fit."""
    raw = text.encode()
    if len(raw) > length or b"\0" in raw:
        return None
    raw = raw.ljust(length, b"\0")
    return tuple(int.from_bytes(raw[at : at + WORD_BYTES], "big") for at in range(0, length, WORD_BYTES))


def text_of_words(words: Sequence[int], length: int) -> str:
    """The reverse. Raises ValueError for words that stand for no text."""
    sizes = [part.length for part in Text(length).words]
    if any(not 0 <= word < 1 << (8 * size) for word, size in zip(words, sizes, strict=True)):
        raise ValueError("not the words of a text")
    raw = b"".join(word.to_bytes(size, "big") for word, size in zip(words, sizes, strict=True))
    return raw.rstrip(b"\0").decode()


def scale_of(type_: SqlType) -> int:
    """The power of ten by which a type's values are scaled."""
    if isinstance(type_, Double):
        return type_.decimals or 0
    return type_.scale if isinstance(type_, Decimal) else 0


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column. `bounds` is what type and CHECKs together allow, in scaled integers."""

    name: str
    type: SqlType
    nullable: bool
    bounds: Interval

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of words that hold it: a long text's words, of which the first can be NULL; else itself."""
        if not isinstance(self.type, Text) or not self.type.is_long:
            return (self,)
        return tuple(
            Column(self.name if i == 0 else f"{self.name}[{i + 1}]", part, self.nullable and i == 0, type_bounds(part))
            for i, part in enumerate(self.type.words)
        )


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A declared table: what everybody knows about it. Keys are tuples of column names."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of words in which its rows are stored, shared and scanned."""
        return tuple(part for column in self.columns for part in column.stored)

    def column(self, name: str) -> Column | None:
        """The column of that name, ignoring case as SQL does."""
        lowered = name.lower()
        return next((column for column in self.columns if column.name.lower() == lowered), None)
