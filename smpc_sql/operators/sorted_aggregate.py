"""GROUP BY secret keys of any domain: sort, add up, and keep the last row of every group. Nothing is disclosed.

Sorted by (invalid, keys), the rows of a group are neighbours. A prefix sum S is local; at the last row of a group it
is the
sum of all groups so far, so once these rows stand together (a stable partition by a secret bit), a group's sum is the
difference of two neighbours. MIN, MAX and DISTINCT sort by (invalid, keys, left out, argument): the row that counts is
then the last of its group, or the first of its value. Costs grow linearly with rows and with the bits of the keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from smpc_sql.operators.base import OfRows, Tables
from smpc_sql.operators.keys import KeyColumn, differs_from_previous, is_ascii, key_parts
from smpc_sql.operators.order_statistics import marked
from smpc_sql.operators.slots import Slots, sorted_slots
from smpc_sql.operators.sort_rows import SortColumn, sort_column
from smpc_sql.operators.table import Piece, Raw, SharedTable
from smpc_sql.operators.whole import Column, counted, selected, whole_columns, whole_valid
from smpc_sql.plan.explain import explain_expression
from smpc_sql.plan.expressions import AggregateCall
from smpc_sql.plan.relations import Field
from smpc_sql.protocol.arithmetic import bit_product
from smpc_sql.protocol.boolean import all_of, conjunction, negate
from smpc_sql.protocol.comparison import is_zero
from smpc_sql.protocol.ordering import sort
from smpc_sql.protocol.ranking import greatest
from smpc_sql.protocol.sorting import KeyPart, bits_at, partition_destinations
from smpc_sql.ring import Array, dtype_of, lane_for, narrow, pack, pad_rows, unpack
from smpc_sql.schema import Boolean
from smpc_sql.session import Session
from smpc_sql.sharing import AShare, BShare

_WON = ("min", "max", "arg_min", "arg_max")
_CARRIED = ("sum", *_WON)
"""Calls whose argument's words move with the rows, and in the end stand in the last row of a group."""


@dataclass(frozen=True, slots=True)
class SortedCall:
    """An aggregate over columns of the source. argument, filter, by: their positions, or None. rest: of a long text's
    words behind the first.
    """

    call: AggregateCall
    argument: int | None
    filter: int | None
    by: int | None = None
    rest: tuple[int, ...] = ()

    @property
    def order(self) -> tuple[object, ...] | None:
        """What the rows of a group must be sorted by: columns and whether descending, of the rows that a filter leaves;
        None for anything.
        """
        keys = tuple((key.index, key.descending) for key in self.sort_keys)
        return (keys, self.argument, self.filter) if keys else None

    @property
    def part(self) -> tuple[object, ...]:
        """What decides which rows take part, and which of equal values count."""
        return self.argument, self.filter, self.by, self.call.distinct, self.call.kind == "any"

    @property
    def sort_keys(self) -> list[SortColumn]:
        """Columns in such an order that the row that counts is the last."""
        if self.argument is None or self.call.argument is None or self.call.kind == "any":
            return []
        own = list(zip((self.argument, *self.rest), (self.call.argument, *self.call.rest), strict=True))
        if self.by is not None and self.call.by is not None:
            first = sort_column(self.by, self.call.by, descending=self.call.kind == "arg_min")
            return [first, *(sort_column(*key, descending=True) for key in own)]
        if self.call.in_order or self.call.kind in ("min", "max"):
            return [sort_column(*key, descending=self.call.kind == "min") for key in own]
        return []

    @property
    def given(self) -> int | None:
        """The column whose values are carried: of a long text the word that the call gives."""
        return self.argument if self.argument is None else (self.argument, *self.rest)[self.call.word]


@dataclass(frozen=True, slots=True)
class SortedAggregate(OfRows):
    """Groups of the source's first columns, `keys`; `limit` rows at most (public)."""

    keys: tuple[Field, ...]
    calls: tuple[SortedCall, ...]
    limit: int

    @property
    def rows(self) -> int:
        """As many as there may be groups; one if there are no keys."""
        return min(self.source.rows, self.limit) if self.keys else 1

    def describe(self) -> str:
        """See Operator."""
        calls = ", ".join(explain_expression(call.call) for call in self.calls) or "nothing"
        return f"sorted groups of {', '.join(key.name for key in self.keys) or 'everything'}: {calls}"

    def run(self, session: Session, tables: Tables) -> SharedTable:
        """See Operator."""
        table = self.source.run(session, tables)
        places = [i for c in self.calls for i in (c.argument, c.filter, c.by, *c.rest) if i is not None]
        width = max([len(self.keys), *(1 + i for i in places)])
        columns, valid, rows = whole_columns(session, table, range(width)), whole_valid(session, table), table.rows
        del table  # whole columns are let go as soon as they are not needed
        if rows == 0:
            return _no_groups(session, columns[: len(self.keys)], self.calls)
        return _Groups(session, self, columns, valid, rows).run()


def _no_groups(session: Session, keys: Sequence[Column], calls: Sequence[SortedCall]) -> SharedTable:
    """Of no rows: no group; or without keys one, of which counts are 0 and the rest NULL."""
    if not keys:
        null = np.full(1, session.public(1), dtype=np.uint8)
        zero = np.zeros(1, dtype=np.uint64)
        totals = [Raw(zero, null if c.call.nullable else None, secret=True, boolean=False) for c in calls]
        return SharedTable((Piece(1, tuple(totals), None),))
    empty, no_bits = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint8)
    raws = [Raw(empty, None if key.null is None else no_bits, secret=True, boolean=key.boolean) for key in keys]
    for call in (c.call for c in calls):
        raws.append(Raw(empty, no_bits if call.nullable else None, secret=True, boolean=isinstance(call.type, Boolean)))
    return SharedTable((Piece(0, tuple(raws), no_bits),))


def _carry(column: Column, name: object, null: object, words: dict[object, Array], bits: dict[object, Array]) -> None:
    """A column that moves along as it is."""
    (bits if column.boolean else words)[name] = column.words
    if column.null is not None:
        bits[null] = column.null


def _both(found: Slots | None, more: Slots) -> Slots:
    return more if found is None else Slots({**found.words, **more.words}, {**found.bits, **more.bits})


def _of_no_rows(column: Column) -> Column:
    null = None if column.null is None else np.empty(0, dtype=np.uint8)
    return Column(np.empty(0, dtype=np.uint64), null, column.boolean)


def _is_simple(call: SortedCall) -> bool:
    return call.argument is not None and call.filter is None and not call.rest


class _Groups:
    def __init__(
        self,
        session: Session,
        operator: SortedAggregate,
        columns: list[Column],
        valid: Array | None,
        rows: int,
    ) -> None:
        self.session = session
        self.operator = operator
        self.calls = operator.calls
        self.columns = list(columns)
        columns.clear()  # they are let go before the last rows move
        self.rows = rows
        self.all_valid = valid is None
        self.valid = session.public(np.ones(rows, dtype=np.uint8)) if valid is None else valid
        self.invalid = self.valid ^ session.public(np.uint8(1))
        self.keys = [
            KeyColumn(c, f.bounds, ascii=is_ascii(f.type, f.bounds))
            for c, f in zip(self.columns, operator.keys, strict=False)
        ]
        # once for all orders, so that groups stand in the same places: wide keys are compressed by chance
        self.group = key_parts(session, [self.invalid], self.keys, ordered=False)
        self.masks = self._masks()
        # orders in which rows are sorted; without keys a call that wants one row of an order need not
        self.sorted = {
            order
            for order, numbers in self._by_order({}).items()
            if self.keys or any(self.calls[i].call.kind not in _WON for i in numbers)
        }
        self.firsts = self._firsts()

    def run(self) -> SharedTable:
        orders = self._by_order(self.firsts)
        anywhere = orders.pop(None, [])  # sums and counts ride along with the first order
        contests = [numbers for order, numbers in orders.items() if order not in self.sorted]
        won = self.session.fork(self._contest, contests)
        found: Slots | None = None
        for slots in won:
            found = _both(found, slots)
        ordered = [numbers for order, numbers in orders.items() if order in self.sorted]
        if anywhere and not self.keys and not ordered and all(self.calls[i].call.kind != "any" for i in anywhere):
            found = _both(found, self._totals(anywhere))
        elif not ordered and (anywhere or not won):
            ordered = [[]]
        for place, numbers in enumerate(ordered):
            slots = self._one_order(
                [*numbers, *(anywhere if place == 0 else [])],
                ordered=bool(numbers),
                with_keys=place == 0,
                last=place == len(ordered) - 1,
            )
            found = _both(found, slots)
        assert found is not None
        return self._finish(found)

    def _by_order(self, firsts: Mapping[int, int]) -> dict[object, list[int]]:
        """The calls by the order that they need."""
        orders: dict[object, list[int]] = {}
        for i in range(len(self.calls)):
            orders.setdefault(self.calls[firsts.get(i, i)].order, []).append(i)
        return orders

    def _firsts(self) -> dict[int, int]:
        """MIN calls that need no order of their own: of what MAX sorts by, where all rows take part, the first row's.

        By their numbers, with that of the MAX.
        """
        greatest = {c.argument: i for i, c in enumerate(self.calls) if c.call.kind == "max" and _is_simple(c)}
        found = {}
        for i, call in enumerate(self.calls):
            if call.call.kind == "min" and _is_simple(call) and call.argument in greatest:
                column = self._argument(i)
                if column.null is None and not column.boolean:
                    found[i] = greatest[call.argument]
        return {i: number for i, number in found.items() if self.calls[number].order in self.sorted}

    def _contest(self, session: Session, numbers: Sequence[int]) -> Slots:
        """What calls give that want one row alone: that which would be the last in their order."""
        parts = self._inner_parts(session, numbers)
        width = sum(part.width for part in parts)
        kind = dtype_of(lane_for(min(64, width)))
        key = np.stack([bits_at(parts, at, min(64, width - at)).astype(kind) for at in reversed(range(0, width, 64))])
        found = greatest(session, key, np.stack([self._given(i) for i in numbers]))
        (count,) = counted(session, [self.masks[numbers[0]]])
        words: dict[object, Array] = {("count", i): count.sum(keepdims=True, dtype=np.uint64) for i in numbers}
        return Slots(words | {("value", i): value[None] for i, value in zip(numbers, found, strict=True)}, {})

    def _totals(self, numbers: Sequence[int]) -> Slots:
        """What sums and counts give of all rows."""
        rows = self._payload(numbers, with_keys=False)
        self._count(rows)
        words = {name: column.sum(keepdims=True, dtype=np.uint64) for name, column in rows.words.items()}
        firsts = {i: self._first_alike(numbers, i) for i in numbers}
        words.update({("count", i): words["count", j] for i, j in firsts.items() if ("count", j) in words})
        return Slots(words, {})

    def _given(self, number: int) -> Array:
        place = self.calls[number].given
        assert place is not None
        return self.columns[place].words

    def _masks(self) -> list[Array]:
        """For every call the rows that take part: valid, passing its FILTER, not NULL. Bytes [rows]."""
        valid = BShare(pack(pad_rows(self.valid)))
        masks = []
        for call in self.calls:
            if call.call.kind == "any":  # any row will do
                masks.append(self.valid)
                continue
            terms = [valid]
            if call.filter is not None:
                condition = self.columns[call.filter]
                terms.append(BShare(pack(pad_rows(condition.words))))
                terms += [] if condition.null is None else [self._known(condition.null)]
            for place in (call.argument, call.by):
                if place is not None and (null := self.columns[place].null) is not None:
                    terms.append(self._known(null))
            masks.append(unpack(all_of(self.session, terms).packed)[: self.rows])
        return masks

    def _known(self, null: Array) -> BShare:
        return negate(self.session, BShare(pack(pad_rows(null))))

    def _one_order(self, numbers: Sequence[int], *, ordered: bool, with_keys: bool, last: bool) -> Slots:
        """Sorts once; for the calls `numbers` what they give to every group, and the groups' keys.

        ordered: by the order of the first of them, too. last: that no other order follows.
        """
        width = len(self.group)
        parts = [*self.group, *(self._inner_parts(self.session, numbers) if ordered else [])]
        ids = [sort(self.session, parts)]
        payload = self._payload(numbers, with_keys=with_keys)
        if last:
            self._let_go()
        moved, key = sorted_slots(self.session, payload, parts, ids)
        del parts
        self._count(moved)
        first = differs_from_previous(self.session, key[:width])
        self._mark_distinct(numbers, key, moved)
        del key
        self._mark_places(numbers, first, moved)
        self._mark_firsts([i for i in numbers if i in self.firsts], first, moved)
        ends = np.concatenate([first[1:], np.full(1, self.session.public(1), dtype=np.uint8)])
        return self._groups_of(numbers, moved, ends)

    def _let_go(self) -> None:
        """What is moving now is not needed where it stood; of the columns only their kinds."""
        self.columns = [_of_no_rows(column) for column in self.columns]
        self.keys = [replace(key, column=_of_no_rows(key.column)) for key in self.keys]
        self.group, self.masks = [], []

    def _inner_parts(self, session: Session, numbers: Sequence[int]) -> list[KeyPart]:
        """Within a group: what is left out first, then the argument, so that the row that counts is the last."""
        number = next(i for i in numbers if i not in self.firsts)
        call = self.calls[number]
        keys = [
            replace(key.of(self.columns), column=Column(self.columns[key.index].words, None, boolean=False))
            for key in call.sort_keys
        ]
        return key_parts(session, [self.masks[number]], keys)

    def _payload(self, numbers: Sequence[int], *, with_keys: bool) -> Slots:
        words: dict[object, Array] = {}
        bits: dict[object, Array] = {"valid": self.valid}
        for i in numbers:
            call = self.calls[i]
            if call.call.distinct and self._first_alike(numbers, i) == i:
                bits["takes part", i] = self.masks[i]
            if call.given is not None and call.call.kind in _CARRIED and i not in self.firsts:
                words["value", i] = self.columns[call.given].words
            if call.given is not None and call.call.kind == "place":
                words["argument", call.given] = self.columns[call.given].words
        self._mask_sums(numbers, words, bits)
        for i in numbers:
            if self.calls[i].call.kind == "any":
                _carry(self._argument(i), ("value", i), ("is NULL", i), words, bits)
        for place, key in enumerate(self.keys if with_keys else ()):
            _carry(key.column, ("key", place), ("key is NULL", place), words, bits)
        return Slots(words, bits)

    def _argument(self, number: int) -> Column:
        place = self.calls[number].argument
        assert place is not None
        return self.columns[place]

    def _mask_sums(self, numbers: Sequence[int], words: dict[object, Array], bits: dict[object, Array]) -> None:
        """The words of sums, 0 where a row takes no part; and whether it does, to be counted."""
        plain = [i for i in numbers if not self.calls[i].call.distinct and self.calls[i].call.kind != "any"]
        sums = [i for i in plain if self.calls[i].call.kind == "sum"]
        counted = dict.fromkeys(self._first_alike(numbers, i) for i in plain if self._is_counted(i))
        bits.update({("counts", i): self.masks[i] for i in counted})
        sums = [i for i in sums if not self._takes_all(i)]
        if sums:
            chosen = selected(self.session, [self.masks[i] for i in sums], [words["value", i] for i in sums])
            words.update({("value", i): value for i, value in zip(sums, chosen, strict=True)})

    def _takes_all(self, number: int) -> bool:
        """Whether everybody knows that all rows take part."""
        call = self.calls[number]
        places = [place for place in (call.argument, call.by) if place is not None]
        return self.all_valid and call.filter is None and all(self.columns[place].null is None for place in places)

    def _is_counted(self, number: int) -> bool:
        """Whether it matters how many rows take part."""
        call = self.calls[number].call
        return call.nullable or call.kind not in _CARRIED

    def _count(self, moved: Slots) -> None:
        """The bits of rows that are counted, as words; they were moved as bits."""
        names = [name for name in moved.bits if isinstance(name, tuple) and name[0] == "counts"]
        if names:
            found = counted(self.session, [moved.bits.pop(name) for name in names])
            moved.words.update({("count", name[1]): count for name, count in zip(names, found, strict=True)})

    def _first_alike(self, numbers: Sequence[int], i: int) -> int:
        """The first of the calls for which the same rows take part."""
        wanted = self.calls[i].part
        return next(j for j in numbers if self.calls[j].part == wanted)

    def _mark_distinct(self, numbers: Sequence[int], key: Array, moved: Slots) -> None:
        """For DISTINCT calls: what the first row of every value gives, of those that take part."""
        numbers = [i for i in numbers if self.calls[i].call.distinct]
        first = [i for i in numbers if self._first_alike(numbers, i) == i]
        if not first:
            return
        new = BShare(pack(pad_rows(differs_from_previous(self.session, key))))
        pairs = [(new, BShare(pack(pad_rows(moved.bits["takes part", i])))) for i in first]
        marks = dict(zip(first, conjunction(self.session, pairs), strict=True))
        taken = {i: unpack(bits.packed)[: self.rows] for i, bits in marks.items()}
        words = counted(self.session, list(taken.values()))
        moved.words.update({("count", i): count for i, count in zip(taken, words, strict=True)})
        for i in numbers:
            if self.calls[i].call.kind == "sum":
                bits = taken[self._first_alike(numbers, i)]
                (moved.words["value", i],) = selected(self.session, [bits], [moved.words["value", i]])

    def _mark_places(self, numbers: Sequence[int], first: Array, moved: Slots) -> None:
        """For order statistics: the argument in the row that holds it, 0 in the others."""
        for distinct in (False, True):
            mine = [i for i in numbers if self.calls[i].call.distinct == distinct]
            places = {i: place for i in mine if (place := self.calls[i].call.place) is not None}
            if not places:
                continue
            taken = np.cumsum(moved.words["count", self._first_alike(mine, next(iter(places)))], dtype=np.uint64)
            bits = marked(self.session, taken, first, tuple(places.values()), keyed=bool(self.keys))
            values = np.stack([pad_rows(moved.words["argument", self.calls[i].given]) for i in places])[:, None]
            chosen = bit_product(self.session, bits, AShare(values)).words[:, 0, : self.rows]
            moved.words.update({("value", i): value for i, value in zip(places, chosen, strict=True)})
        for name in [name for name in moved.words if isinstance(name, tuple) and name[0] == "argument"]:
            del moved.words[name]

    def _mark_firsts(self, numbers: Sequence[int], first: Array, moved: Slots) -> None:
        """The argument in a group's first row, 0 in the others."""
        if not numbers:
            return
        values = np.stack([pad_rows(moved.words["value", self.firsts[i]]) for i in numbers])[None]
        chosen = bit_product(self.session, BShare(pack(pad_rows(first))[None]), AShare(values)).words[0, :, : self.rows]
        moved.words.update({("value", i): value for i, value in zip(numbers, chosen, strict=True)})

    def _groups_of(self, numbers: Sequence[int], moved: Slots, last: Array) -> Slots:
        """The last rows of all groups, in front; prefix sums made the groups' own."""
        sums = [("count", i) for i in numbers if ("count", i) in moved.words]
        sums += [("value", i) for i in numbers if self.calls[i].call.kind in ("sum", "place") or i in self.firsts]
        for name in sums:
            moved.words[name] = np.cumsum(moved.words[name], dtype=np.uint64)
        pair = (BShare(pack(pad_rows(last))), BShare(pack(pad_rows(moved.bits["valid"]))))
        (exists,) = conjunction(self.session, [pair])
        moved.bits["valid"] = unpack(exists.packed)[: self.rows]
        others = moved.bits["valid"] ^ self.session.public(np.uint8(1))
        groups, _ = moved.routed(self.session, [partition_destinations(self.session, others)])
        kept = self.operator.rows
        words = {name: column[:kept] for name, column in groups.words.items()}
        for name in sums:
            words[name] = np.diff(words[name], prepend=np.zeros(1, dtype=np.uint64))
        plain = [i for i in numbers if self.calls[i].call.kind != "any"]
        firsts = {i: self._first_alike(plain, i) for i in plain}
        words.update({("count", i): words["count", j] for i, j in firsts.items() if ("count", j) in words})
        return Slots(words, {name: column[:kept] for name, column in groups.bits.items()})

    def _finish(self, found: Slots) -> SharedTable:
        kept = self.operator.rows
        columns = []
        for place, key in enumerate(self.keys):
            words = (found.bits if key.column.boolean else found.words)["key", place]
            columns.append(Raw(words, found.bits.get(("key is NULL", place)), secret=True, boolean=key.column.boolean))
        counted = [i for i, c in enumerate(self.calls) if c.call.nullable and c.call.kind != "any"]
        nulls = iter(self._empty(counted, found, kept))
        for i, call in enumerate(self.calls):
            if call.call.kind == "any":
                boolean = self._argument(i).boolean
                words = (found.bits if boolean else found.words)["value", i]
                columns.append(Raw(words, found.bits.get(("is NULL", i)), secret=True, boolean=boolean))
                continue
            words = found.words["value" if call.call.kind not in ("count", "count_star") else "count", i]
            columns.append(Raw(words, next(nulls) if call.call.nullable else None, secret=True, boolean=False))
        return SharedTable((Piece(kept, tuple(columns), found.bits["valid"] if self.keys else None),))

    def _empty(self, numbers: Sequence[int], found: Slots, kept: int) -> list[Array]:
        """Whether no row took part; of MIN and MAX told by the row that stands last. Bytes [kept]."""
        if not numbers:
            return []
        lane = lane_for(max(1, self.rows.bit_length()))
        counts = np.stack([pad_rows(narrow(found.words["count", i], lane)) for i in numbers])
        return list(unpack(is_zero(self.session, AShare(counts)).packed)[:, :kept])
