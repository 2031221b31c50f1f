"""Window functions in an order: the rows sorted by (invalid, partition, order).

A row's number, and running sums, are differences to what stands at the first row of its partition; RANK and peers to
what stands at the first or last row of equal keys. Such a value is carried to the rows behind it as in a lookup join:
the marked rows are brought together, replaced by their differences, put back, and added up. Rows stay sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.errors import InternalError
from smpc_sql.operators.base import Operator, Tables
from smpc_sql.operators.keys import KeyColumn, differs_from_previous, key_parts
from smpc_sql.operators.slots import slots_of
from smpc_sql.operators.sort_rows import SortColumn
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.plan.relations import WindowKind
from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.protocol.boolean import any_of, negate
from smpc_sql.protocol.comparison import is_zero, negative
from smpc_sql.protocol.permutation import route, rows_of
from smpc_sql.protocol.sorting import in_order, partition_destinations, sort
from smpc_sql.ring import Array, lane_for, narrow, pack, pad_rows, unpack
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


@dataclass(frozen=True, slots=True)
class WindowColumn:
    """A window function over a column of the source; see `WindowCall`."""

    kind: WindowKind
    argument: int | None
    peers: bool
    offset: int


@dataclass(frozen=True, slots=True)
class WindowRows:
    """The first `width` columns of the source, then the calls; rows in the order of the keys."""

    source: Operator
    width: int
    partition: tuple[SortColumn, ...]
    order: tuple[SortColumn, ...]
    calls: tuple[WindowColumn, ...]

    @property
    def inputs(self) -> tuple[Operator, ...]:
        """The rows."""
        return (self.source,)

    @property
    def rows(self) -> int:
        """As many as the source has."""
        return self.source.rows

    def describe(self) -> str:
        """See Operator."""
        calls = ", ".join(call.kind for call in self.calls)
        return f"window of {calls} by {len(self.partition)} keys in the order of {len(self.order)}"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        keys = (*self.partition, *self.order)
        places = [key.index for key in keys] + [call.argument for call in self.calls if call.argument is not None]
        columns = whole_columns(session, table, range(max([self.width - 1, *places]) + 1))
        if table.rows == 0:
            return self._no_rows(columns)
        return _Windows(session, self, columns, whole_valid(session, table), table.rows).run()

    def _no_rows(self, columns: Sequence[Column]) -> SharedTable:
        words, bits = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint8)
        raws = [Raw(c.words[:0], c.null, secret=True, boolean=c.boolean) for c in columns[: self.width]]
        for call in self.calls:
            nullable = call.argument is not None and call.kind != "count"
            raws.append(Raw(words, bits if nullable else None, secret=True, boolean=False))
        return SharedTable((Piece(0, tuple(raws), bits),))


class _Windows:
    def __init__(
        self, session: Session, operator: WindowRows, columns: Sequence[Column], valid: Array | None, rows: int
    ) -> None:
        self.session = session
        self.operator = operator
        self.rows = rows
        self.boolean = [column.boolean for column in columns]
        invalid = [] if valid is None else [valid ^ session.public(np.uint8(1))]
        # a part that is the same everywhere stands in where there is no key at all
        last = invalid or [np.zeros(rows, dtype=np.uint8)]
        groups = key_parts(session, last, [_key(columns, key) for key in operator.partition])
        peers = key_parts(session, [], [_key(columns, key) for key in operator.order])
        parts = [*groups, *peers]
        slots = slots_of(columns, valid)
        moved, key = in_order(session, slots.rows(rows), parts, sort(session, parts))
        self.moved = slots.of(moved)
        self.starts = differs_from_previous(session, key[: len(groups)])
        self.peer_starts = differs_from_previous(session, key)
        self._carried: dict[str, list[Array]] = {}
        self.sums = self._sums()

    def run(self) -> SharedTable:
        calls = self.operator.calls
        raws = [self._own(i) for i in range(self.operator.width)]
        raws += [self._call(call) for call in calls]
        return SharedTable((Piece(self.rows, tuple(raws), self.moved.bits.get("valid")),))

    def _own(self, i: int) -> Raw:
        boolean = self.boolean[i]
        words = (self.moved.bits if boolean else self.moved.words)["value", i]
        return Raw(words, self.moved.bits.get(("is NULL", i)), secret=True, boolean=boolean)

    # sums

    def _sums(self) -> dict[object, Array]:
        """What is added up along the rows: values that are not NULL, how many these are, and starts of equal keys."""
        arguments = [c.argument for c in self.operator.calls if c.kind in ("sum", "count") and c.argument is not None]
        found: dict[object, Array] = {}
        for i in dict.fromkeys(arguments):
            null = self.moved.bits.get(("is NULL", i))
            if self.boolean[i]:
                raise InternalError("a window adds up words")
            if null is None:
                found["sum", i] = self.moved.words["value", i]
                continue
            known = negate(self.session, BShare(pack(pad_rows(null))[None]))
            value = pad_rows(self.moved.words["value", i])
            found["sum", i] = bit_product(self.session, known, AShare(value[None, None])).words[0, 0, : self.rows]
            found["count", i] = to_words(self.session, known, 64).words[0, : self.rows]
        if any(call.kind == "dense_rank" for call in self.operator.calls):
            packed = BShare(pack(pad_rows(self.peer_starts))[None])
            found["peers"] = to_words(self.session, packed, 64).words[0, : self.rows]
        return {name: np.cumsum(words, dtype=np.uint64) for name, words in found.items()}

    def _index(self) -> Array:
        places = np.arange(self.rows, dtype=np.uint64)
        return places if self.session.first else np.zeros_like(places)

    def _one(self) -> np.uint64:
        return np.uint64(self.session.public(np.uint64(1)))

    def _before(self, name: object) -> Array:
        """A running sum without the row's own value."""
        total = self.sums[name]
        return np.concatenate([np.zeros(1, dtype=np.uint64), total[:-1]])

    # values carried from marked rows

    def _at(self, where: str) -> dict[object, Array]:
        """For every row what stands at the first row of its partition ("start") or of its peers ("peer start"), or at
        the last of its peers ("peer end") or of its partition ("end")."""
        if where not in self._carried:
            names = list(self.sums)
            forward = where in ("start", "peer start")
            words = [self._index(), *(self._before(n) if forward else self.sums[n] for n in names)]
            words += self._first_values() if where == "start" else self._last_values() if where == "peer end" else []
            flags = self.starts if where in ("start", "end") else self.peer_starts
            if forward:
                self._carried[where] = list(self._carry(np.stack(words), flags))
            else:
                ends = np.concatenate([flags[1:], np.full(1, self.session.public(1), dtype=np.uint8)])
                self._carried[where] = list(self._carry(np.stack(words)[:, ::-1], ends[::-1])[:, ::-1])
        extra = (
            self._ends("first_value") if where == "start" else self._ends("last_value") if where == "peer end" else []
        )
        labels: list[object] = ["index", *self.sums]
        for i in extra:
            labels += [("value", i), ("is NULL", i)]
        return dict(zip(labels, self._carried[where], strict=True))

    def _ends(self, kind: str) -> list[int]:
        return list(dict.fromkeys(c.argument for c in self.operator.calls if c.kind == kind and c.argument is not None))

    def _first_values(self) -> list[Array]:
        return self._with_nulls(self._ends("first_value"))

    def _last_values(self) -> list[Array]:
        return self._with_nulls(self._ends("last_value"))

    def _with_nulls(self, places: Sequence[int]) -> list[Array]:
        found: list[Array] = []
        for i in places:
            found.append(self.moved.words["value", i])
            null = self.moved.bits.get(("is NULL", i))
            if null is None:
                found.append(np.zeros(self.rows, dtype=np.uint64))
            else:
                packed = BShare(pack(pad_rows(null))[None])
                found.append(to_words(self.session, packed, 64).words[0, : self.rows])
        return found

    def _carry(self, words: Array, flags: Array) -> Array:
        """Words [w, n] -> at every row those of the last marked row up to it; the first row is marked."""
        session, rows = self.session, self.rows
        flags = np.ascontiguousarray(flags)
        places = partition_destinations(session, flags ^ session.public(np.uint8(1)))
        start = np.arange(rows, dtype=np.uint32)
        mine = start if session.first else np.zeros_like(start)
        marked = flags.astype(np.uint64)[None]
        words = np.ascontiguousarray(words)
        apart = route(session, rows_of(rows, words=words, bits=marked, places=mine[None]), places)
        steps = np.diff(apart.words, axis=1, prepend=np.zeros((len(words), 1), dtype=np.uint64))
        bits = (apart.bits[0] & np.uint64(1)).astype(np.uint8)
        chosen = bit_product(
            session, BShare(pack(pad_rows(bits))[None]), AShare(np.stack([pad_rows(row) for row in steps])[None])
        ).words[0, :, :rows]
        back = route(session, rows_of(rows, words=np.ascontiguousarray(chosen)), apart.places[0])
        return np.cumsum(back.words, axis=1, dtype=np.uint64)

    # calls

    def _call(self, call: WindowColumn) -> Raw:
        match call.kind:
            case "row_number":
                return _word(self._index() - self._at("start")["index"] + self._one())
            case "rank":
                return _word(self._at("peer start")["index"] - self._at("start")["index"] + self._one())
            case "dense_rank":
                return _word(self.sums["peers"] - self._at("start")["peers"])
            case "count_star":
                end = self._at("peer end")["index"] if call.peers else self._index()
                return _word(end - self._at("start")["index"] + self._one())
            case "count":
                return _word(self._counted(call))
            case "sum":
                return self._sum(call)
            case "first_value":
                return self._value(self._at("start"), call)
            case "last_value":
                return self._value(self._at("peer end"), call) if call.peers else self._itself(call)
            case "lag" | "lead":
                return self._shifted(call)

    def _running(self, name: object, call: WindowColumn) -> Array:
        total: Array = self._at("peer end")[name] if call.peers else self.sums[name]
        return total - self._at("start")[name]

    def _counted(self, call: WindowColumn) -> Array:
        if ("count", call.argument) in self.sums:
            return self._running(("count", call.argument), call)
        end = self._at("peer end")["index"] if call.peers else self._index()
        counted: Array = end - self._at("start")["index"] + self._one()
        return counted

    def _sum(self, call: WindowColumn) -> Raw:
        words = self._running(("sum", call.argument), call)
        lane = lane_for(max(1, self.rows.bit_length()))
        empty = is_zero(self.session, AShare(pad_rows(narrow(self._counted(call), lane))[None]))
        return Raw(words, unpack(empty.packed)[0, : self.rows], secret=True, boolean=False)

    def _value(self, carried: dict[object, Array], call: WindowColumn) -> Raw:
        null = (carried["is NULL", call.argument] & np.uint64(1)).astype(np.uint8)
        return Raw(carried["value", call.argument], null, secret=True, boolean=False)

    def _itself(self, call: WindowColumn) -> Raw:
        null = self.moved.bits.get(("is NULL", call.argument), np.zeros(self.rows, dtype=np.uint8))
        return Raw(self.moved.words["value", call.argument], null, secret=True, boolean=False)

    def _shifted(self, call: WindowColumn) -> Raw:
        """The value `offset` rows before or behind; NULL beyond the partition."""
        index = self._index()
        distance = index - self._at("start")["index"] if call.kind == "lag" else self._at("end")["index"] - index
        steps = min(call.offset, self.rows)
        lane = lane_for(self.rows.bit_length() + 1)
        words = distance - np.uint64(self.session.public(np.uint64(steps)))
        outside = BShare(negative(self.session, AShare(pad_rows(narrow(words, lane))[None])).packed[0])
        value = _moved(self.moved.words["value", call.argument], steps, call.kind)
        null = self.moved.bits.get(("is NULL", call.argument))
        if null is not None:
            outside = any_of(self.session, [outside, BShare(pack(pad_rows(_moved(null, steps, call.kind))))])
        return Raw(value, unpack(outside.packed)[: self.rows], secret=True, boolean=False)


def _key(columns: Sequence[Column], key: SortColumn) -> KeyColumn:
    return KeyColumn(columns[key.index], key.bounds, key.descending, key.nulls_first)


def _word(words: Array) -> Raw:
    return Raw(words, None, secret=True, boolean=False)


def _moved(column: Array, steps: int, kind: str) -> Array:
    """Every row's value `steps` rows before (lag) or behind (lead); zeros where there is none."""
    out = np.zeros_like(column)
    if steps == 0:
        return column
    if kind == "lag":
        out[steps:] = column[:-steps]
    else:
        out[:-steps] = column[steps:]
    return out
