"""The public vocabulary of data: SQL types, bounds, columns, tables.

Every value is an exact integer in the engine ("scaled integer"): INTEGER kinds as they are, DECIMAL(p, s) times 10^s,
DATE as days since 1970-01-01, BOOLEAN as 0 or 1, ENUM as the position of its label, short text as its bytes. DOUBLE is
the type of quotients only: such a result is an exact fraction until the analyst's side divides it.
"""

from __future__ import annotations

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
    """TINYINT, SMALLINT, INTEGER, BIGINT (bits 8, 16, 32, 64); HUGEINT (128) is what SUM returns, still within 64
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
    """DATE: days since 1970-01-01."""

    def __str__(self) -> str:
        return "DATE"


@dataclass(frozen=True, slots=True)
class Enum:
    """ENUM(labels): a published dictionary; the code of a label is its position. Also the type of text literals."""

    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.labels)) != len(self.labels) or not self.labels:
            raise ValueError("an ENUM's labels are distinct, and there is at least one")

    def __str__(self) -> str:
        return "ENUM(" + ", ".join("'" + label.replace("'", "''") + "'" for label in self.labels) + ")"


LONGEST_TEXT = 7
"""Bytes of a secret text: what one word holds beside its sign."""


@dataclass(frozen=True, slots=True)
class Text:
    """VARCHAR(length): secret text of at most `length` bytes of UTF-8, length <= 7.

    Its word is the bytes, the first most significant, filled up with zeros behind: texts order as their words do, byte
    by byte. A text holds no character NUL.
    """

    length: int

    def __post_init__(self) -> None:
        if not 1 <= self.length <= LONGEST_TEXT:
            raise ValueError(f"a text has 1 to {LONGEST_TEXT} bytes")

    def __str__(self) -> str:
        return f"VARCHAR({self.length})"


@dataclass(frozen=True, slots=True)
class Double:
    """DOUBLE: the type of quotients, exact fractions until the analyst's side divides."""

    def __str__(self) -> str:
        return "DOUBLE"


SqlType = Integer | Decimal | Boolean | Date | Enum | Text | Double

_DATE_MIN, _DATE_MAX = -719162, 2932896  # 0001-01-01 … 9999-12-31, what Python's datetime.date holds


def type_bounds(type_: SqlType) -> Interval:
    """The interval of scaled integers that a type alone allows (DOUBLE and HUGEINT: a 64-bit word)."""
    match type_:
        case Integer(bits):
            return Interval(-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if bits <= 64 else WORD
        case Decimal(precision, _):
            return Interval(-(10**precision) + 1, 10**precision - 1)
        case Boolean():
            return Interval(0, 1)
        case Date():
            return Interval(_DATE_MIN, _DATE_MAX)
        case Enum(labels):
            return Interval(0, len(labels) - 1)
        case Text(length):
            return Interval(0, (1 << (8 * length)) - 1)
        case Double():
            return WORD


def text_word(text: str, length: int) -> int | None:
    """The word of a text in VARCHAR(length), or None if it does not fit."""
    raw = text.encode()
    if len(raw) > length or b"\0" in raw:
        return None
    return int.from_bytes(raw.ljust(length, b"\0"), "big")


def text_of_word(word: int, length: int) -> str:
    """The reverse. Raises ValueError for a word that stands for no text."""
    if not 0 <= word < 1 << (8 * length):
        raise ValueError("not the word of a text")
    return word.to_bytes(length, "big").rstrip(b"\0").decode()


def scale_of(type_: SqlType) -> int:
    """The power of ten by which a type's values are scaled."""
    return type_.scale if isinstance(type_, Decimal) else 0


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column. `bounds` is what type and CHECKs together allow, in scaled integers."""

    name: str
    type: SqlType
    nullable: bool
    bounds: Interval


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A declared table: what everybody knows about it. Keys are tuples of column names."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()

    def column(self, name: str) -> Column | None:
        """The column of that name, ignoring case as SQL does."""
        lowered = name.lower()
        return next((column for column in self.columns if column.name.lower() == lowered), None)
