"""Window functions in an order: the rows sorted by (invalid, partition, order).

A row's number, and sums of frames, are differences of what stands at the ends of its partition, of the rows with equal
keys, or some rows away (`window_frames.py`); MIN and MAX double their reach (`running_extremes.py`). Rows stay sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smpc_sql.errors import InternalError
from smpc_sql.operators.base import RowForRow, Tables
from smpc_sql.operators.datum import add_constant
from smpc_sql.operators.keys import KeyColumn, differs_from_previous, key_parts
from smpc_sql.operators.running_extremes import of_frames
from smpc_sql.operators.slots import slots_of, sorted_slots
from smpc_sql.operators.sort_rows import SortColumn
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, whole_columns, whole_valid
from smpc_sql.operators.window_distances import Distances
from smpc_sql.operators.window_frames import Ends, shifted
from smpc_sql.plan.frames import PARTITION, ROW, Frame
from smpc_sql.plan.relations import WindowKind
from smpc_sql.protocol.arithmetic import bit_product, to_words
from smpc_sql.protocol.boolean import any_of, conjunction, negate
from smpc_sql.protocol.comparison import is_zero, negative
from smpc_sql.protocol.ordering import sort
from smpc_sql.ring import Array, lane_for, narrow, pack, pad_rows, unpack
from smpc_sql.schema import Interval
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare


@dataclass(frozen=True, slots=True)
class WindowColumn:
    """A window function over a column of the source, within bounds; see `WindowCall`."""

    kind: WindowKind
    argument: int | None
    frame: Frame
    offset: int
    bounds: Interval


@dataclass(frozen=True, slots=True)
class WindowRows(RowForRow):
    """The first `width` columns of the source, then the calls; rows in the order of the keys."""

    width: int
    partition: tuple[SortColumn, ...]
    order: tuple[SortColumn, ...]
    calls: tuple[WindowColumn, ...]

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
        groups = key_parts(session, last, [key.of(columns) for key in operator.partition], ordered=False)
        peers = key_parts(session, [], [key.of(columns) for key in operator.order])
        parts = [*groups, *peers]
        self.moved, key = sorted_slots(session, slots_of(columns, valid), parts, [sort(session, parts)])
        self.starts = differs_from_previous(session, key[: len(groups)])
        self.peer_starts = differs_from_previous(session, key)
        self.ends = Ends(session, self.starts, self.peer_starts, self._distances())
        self.ends.add("index", self.ends.index)
        self.ends.add_sums("rows", self._ones())

    def run(self) -> SharedTable:
        calls = self.operator.calls
        for call in calls:
            self._prepare(call)
        raws = [self._own(i) for i in range(self.operator.width)]
        raws += [self._call(call) for call in calls]
        return SharedTable((Piece(self.rows, tuple(raws), self.moved.bits.get("valid")),))

    def _own(self, i: int) -> Raw:
        boolean = self.boolean[i]
        words = (self.moved.bits if boolean else self.moved.words)["value", i]
        return Raw(words, self.moved.bits.get(("is NULL", i)), secret=True, boolean=boolean)

    def _ones(self) -> Array:
        return np.full(self.rows, self.session.public(np.uint64(1)), dtype=np.uint64)

    def _distances(self) -> Distances | None:
        """Of the only order key, where a frame ends with one. Rows that are not valid are a partition behind all."""
        if not any(call.frame.of_distances for call in self.operator.calls):
            return None
        (key,) = self.operator.order
        column = Column(self._value(key.index), self.moved.bits.get(("is NULL", key.index)), boolean=False)
        measured = KeyColumn(column, key.bounds, key.descending, key.nulls_first)
        apart = self.rows if self.operator.partition else 1 + ("valid" in self.moved.bits)
        numbers = Column(running_number(self.session, self.starts), None, boolean=False)
        return Distances(self.session, KeyColumn(numbers, Interval(1, apart)), measured)

    # what is needed of other rows is announced first, and then moves together

    def _prepare(self, call: WindowColumn) -> None:
        match call.kind:
            case "row_number" | "rank":
                self.ends.want("partition", False, "index")
                if call.kind == "rank":
                    self.ends.want("peers", False, "index")
            case "dense_rank":
                self._number("peers")
                self.ends.want("partition", False, "peers")
            case "lag" | "lead":
                self.ends.want("partition", call.kind == "lead", "index")
            case "nth_value" | "last_value":
                self._prepare_value(call)
            case _:
                self._prepare_sums(call)

    def _prepare_sums(self, call: WindowColumn) -> None:
        names = [self._counted(call)]
        if call.kind == "sum":
            names.append(self._summed(call))
        for edge, last in ((call.frame.start, False), (call.frame.end, True)):
            self.ends.want_sums(edge, last, names)
        if call.kind in ("min", "max"):
            self._prepare_extreme(call)

    def _known(self, call: WindowColumn) -> BShare | None:
        null = self.moved.bits.get(("is NULL", call.argument))
        return None if null is None else negate(self.session, BShare(pack(pad_rows(null))[None]))

    def _known_and_valid(self, call: WindowColumn) -> BShare | None:
        known, valid = self._known(call), self.moved.bits.get("valid")
        if valid is None:
            return known
        there = BShare(pack(pad_rows(valid))[None])
        return there if known is None else conjunction(self.session, [(known, there)])[0]

    def _counted(self, call: WindowColumn) -> object:
        """The name of prefix sums of how many rows take part."""
        known = None if call.argument is None else self._known(call)
        if known is None:
            return "rows"
        name = ("count", call.argument)
        if name not in self.ends:
            self.ends.add_sums(name, to_words(self.session, known, 64).words[0, : self.rows])
        return name

    def _summed(self, call: WindowColumn) -> object:
        name = ("sum", call.argument)
        if name not in self.ends:
            self.ends.add_sums(name, self._cleared(self._known(call), self._value(call.argument)))
        return name

    def _cleared(self, known: BShare | None, words: Array) -> Array:
        """Words that are 0 where they are not known."""
        if known is None:
            return words
        found: Array = bit_product(self.session, known, AShare(pad_rows(words)[None, None])).words[0, 0, : self.rows]
        return found

    def _value(self, place: int | None) -> Array:
        if place is None or self.boolean[place]:
            raise InternalError("a window works on words")
        return self.moved.words["value", place]

    def _number(self, what: str) -> Array:
        """Every row's partition, or run of equal keys, counted from 1."""
        if what not in self.ends:
            starts = self.starts if what == "partition" else self.peer_starts
            self.ends.add(what, running_number(self.session, starts))
        return self.ends.word(what)

    # MIN and MAX

    def _prepare_extreme(self, call: WindowColumn) -> None:
        """The greatest of the frame's rows, as far as it ends with rows; else what stands at the last of the peers."""
        name, frame = ("extreme", call.kind, call.argument, call.frame), call.frame
        most = call.bounds.size
        add = add_constant
        own = self._value(call.argument)
        if call.kind == "max":
            above = add(self.session, own, 1 - call.bounds.low)
        else:
            above = add(self.session, np.negative(own), 1 + call.bounds.high)
        # rows that are not valid stand behind the last partition, and may hold what no bounds allow
        values = self._cleared(self._known_and_valid(call), above)
        number = self._number("peers" if frame.start.at == frame.end.at == "peers" else "partition")
        rows = frame
        if frame.end.at == "peers":
            rows = Frame(PARTITION, ROW)
            self.ends.want("peers", True, name)
        elif frame.start.at == "peers":
            rows = Frame(ROW, PARTITION)
            self.ends.want("peers", False, name)
        if name not in self.ends:
            self.ends.add(name, of_frames(self.session, values, number, most, rows))

    def _extreme(self, call: WindowColumn) -> Raw:
        name: object = ("extreme", call.kind, call.argument, call.frame)
        if "peers" in (call.frame.start.at, call.frame.end.at):
            found = self.ends.at("peers", call.frame.end.at == "peers", name)
        else:
            found = self.ends.word(name)
        if call.kind == "max":
            words = add_constant(self.session, found, call.bounds.low - 1)
        else:
            words = add_constant(self.session, np.negative(found), call.bounds.high + 1)
        return Raw(words, self._nobody(call), secret=True, boolean=False)

    # values of one row of the frame

    def _prepare_value(self, call: WindowColumn) -> None:
        steps = call.offset - 1 if call.kind == "nth_value" else 0
        names = self._with_null(call, steps)
        edge = call.frame.start if call.kind == "nth_value" else call.frame.end
        last = call.kind == "last_value"
        for name in names:
            if edge.at != "row":
                self.ends.want(edge.at, last, name)
            elif edge.offset > 0 if last else edge.offset < 0:
                self.ends.want("partition", last, name)
                self.ends.want("partition", last, "index")
        if self._may_lack(call):
            for end, behind in ((call.frame.start, False), (call.frame.end, True)):
                self.ends.want_sums(end, behind, ["rows"])

    def _with_null(self, call: WindowColumn, steps: int) -> list[object]:
        """The names of the argument `steps` rows behind, and of whether that is NULL."""
        value, null = ("value", call.argument, steps), ("null", call.argument, steps)
        if value not in self.ends:
            self.ends.add(value, shifted(self._value(call.argument), steps))
            bits = self.moved.bits.get(("is NULL", call.argument))
            words = np.zeros(self.rows, dtype=np.uint64)
            if bits is not None:
                packed = BShare(pack(pad_rows(bits))[None])
                words = to_words(self.session, packed, 64).words[0, : self.rows]
            self.ends.add(null, shifted(words, steps))
        return [value, null]

    def _may_lack(self, call: WindowColumn) -> bool:
        """Whether a frame may have no such row."""
        return call.frame.may_be_empty or (call.kind == "nth_value" and call.offset > 1)

    def _row_of(self, call: WindowColumn) -> Raw:
        first = call.kind == "nth_value"
        wanted = call.offset if first else 1
        names = self._with_null(call, wanted - 1)
        edge = call.frame.start if first else call.frame.end
        if edge.at != "row":
            value, null = (self.ends.at(edge.at, not first, name) for name in names)
        elif edge.offset < 0 if first else edge.offset > 0:
            value, null = self.ends.away(names, edge.offset)
        else:
            value, null = (shifted(self.ends.word(name), edge.offset) for name in names)
        missing = (null & np.uint64(1)).astype(np.uint8)
        if self._may_lack(call):
            short = add_constant(self.session, self._frame_sums(call, ["rows"])[0], -min(wanted, self.rows + 1))
            lane = lane_for(self.rows.bit_length() + 2)
            lacks = negative(self.session, AShare(pad_rows(narrow(short, lane))[None]))
            both = [BShare(lacks.packed[0]), BShare(pack(pad_rows(missing)))]
            missing = unpack(any_of(self.session, both).packed)[: self.rows]
        return Raw(value, missing, secret=True, boolean=False)

    # calls

    def _call(self, call: WindowColumn) -> Raw:
        ends, one = self.ends, self._ones()
        match call.kind:
            case "row_number":
                return _word(ends.index - ends.at("partition", False, "index") + one)
            case "rank":
                return _word(ends.at("peers", False, "index") - ends.at("partition", False, "index") + one)
            case "dense_rank":
                return _word(self._number("peers") - ends.at("partition", False, "peers") + one)
            case "count_star" | "count":
                return _word(self._frame_sums(call, [self._counted(call)])[0])
            case "sum":
                words = self._frame_sums(call, [self._summed(call)])[0]
                return Raw(words, self._nobody(call), secret=True, boolean=False)
            case "min" | "max":
                return self._extreme(call)
            case "nth_value" | "last_value":
                return self._row_of(call)
            case "lag" | "lead":
                return self._shifted(call)

    def _frame_sums(self, call: WindowColumn, names: Sequence[object]) -> Array:
        frame = call.frame
        total: Array = self.ends.sums(frame.end, True, names) - self.ends.sums(frame.start, False, names)
        return total

    def _nobody(self, call: WindowColumn) -> Array:
        """Whether no row of the frame takes part: bytes, XOR shares."""
        name = self._counted(call)
        if name == "rows" and not call.frame.may_be_empty:
            return np.zeros(self.rows, dtype=np.uint8)
        counted = self._frame_sums(call, [name])[0]
        lane = lane_for(max(1, self.rows.bit_length()))
        empty = is_zero(self.session, AShare(pad_rows(narrow(counted, lane))[None]))
        return unpack(empty.packed)[0, : self.rows]

    def _shifted(self, call: WindowColumn) -> Raw:
        """The value `offset` rows before or behind; NULL beyond the partition."""
        offset = min(call.offset, self.rows) * (-1 if call.kind == "lag" else 1)
        outside = self.ends.outside(offset)
        value = shifted(self._value(call.argument), offset)
        null = self.moved.bits.get(("is NULL", call.argument))
        if null is not None:
            outside = any_of(self.session, [outside, BShare(pack(pad_rows(shifted(null, offset))))])
        return Raw(value, unpack(outside.packed)[: self.rows], secret=True, boolean=False)


def running_number(session: Session, starts: Array) -> Array:
    """At every row how many have started up to it: words, of bytes 0 or 1 [n] (XOR shares)."""
    ones = to_words(session, BShare(pack(pad_rows(starts))[None]), 64).words[0, : len(starts)]
    return np.cumsum(ones, dtype=np.uint64)


def _word(words: Array) -> Raw:
    return Raw(words, None, secret=True, boolean=False)
