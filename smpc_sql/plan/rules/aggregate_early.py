"""Groups over a join of many with many need no pairs where one side only is grouped by: the other is grouped first.

COUNT and SUM over the pairs are sums over one side's rows of counts and sums of their partners, which are one row for
every key: a lookup. Where nothing of the partners counts but that there is one, it is a mark; or that there is one that
is less or greater, a lookup of their smallest or greatest. [Yan-Larson 1995]
"""

from __future__ import annotations

from dataclasses import dataclass

from smpc_sql.plan import along
from smpc_sql.plan.apart import ALONE, OTHER, apart
from smpc_sql.plan.cost import expand_cost, key_bits, lookup_cost, pairs_cost, sort_cost
from smpc_sql.plan.expressions import (
    Add,
    AggregateCall,
    AggregateKind,
    And,
    Case,
    Column,
    Expression,
    IsNull,
    Less,
    Literal,
    Multiply,
    Not,
    Rescale,
    Subtract,
    columns_of,
)
from smpc_sql.plan.expressions.node import is_word
from smpc_sql.plan.pairs import every_pair, needs_limit
from smpc_sql.plan.relations import Aggregate, Filter, Join, Project, Relation, own_columns, rewrite, substitute
from smpc_sql.plan.rules.push_filters import conjunction, conjuncts
from smpc_sql.schema import WORD, Boolean, Date, Decimal, Integer, SqlType

_MIDNIGHT = Date(midnight=True)

_ALL_ONE: tuple[AggregateKind, ...] = ("min", "max", "any", "arg_min", "arg_max")
"""Calls to which it is all one how often a row comes."""


def aggregate_early(relation: Relation) -> Relation:
    """Every Aggregate right over a join of many with many, as one over a lookup where that is possible and pays."""
    return rewrite(relation, _early)


def _early(relation: Relation) -> Relation:
    if not isinstance(relation, Aggregate):
        return relation
    source = relation.source
    join = source.source if isinstance(source, Filter) else source
    terms = conjuncts(source.predicate) if isinstance(source, Filter) else ()
    if not isinstance(join, Join) or join.expansion is None:
        return relation
    for sides in (_left_stays(join), _right_stays(join)):
        if needs_limit(join) or sides.cost <= _pairs_cost(join):
            found = _Rewrite(relation, sides, terms, [], needs_limit(join)).rewritten()
            if found is not None:
                return found
    return relation


@dataclass(frozen=True, slots=True)
class _Sides:
    """A join as one side whose rows stay, and the other, which is grouped by its keys.

    stays, other: for every field of the join the column of that side, or None; equal keys are columns of both.
    """

    side: Relation
    partner: Relation
    side_keys: tuple[Expression, ...]
    partner_keys: tuple[Expression, ...]
    stays: tuple[Column | None, ...]
    other: tuple[Column | None, ...]

    @property
    def cost(self) -> int:
        rows, others = self.side.max_rows, self.partner.max_rows
        bits = _bits(self.side_keys, self.partner_keys)
        return sort_cost(others, bits + 1) + lookup_cost(rows, others, bits, 2)


def _pairs_cost(join: Join) -> int:
    """The pairs, and as much again for their groups."""
    left, right, words = join.left.max_rows, join.right.max_rows, len(join.fields)
    if every_pair(join):
        return 2 * pairs_cost(left, right, words)
    bits = _bits(join.left_keys, join.right_keys)
    return expand_cost(left, right, bits, words, join.max_rows) + pairs_cost(1, join.max_rows, words)


def _bits(mine: tuple[Expression, ...], others: tuple[Expression, ...]) -> int:
    return key_bits(a.bounds.union(b.bounds).size for a, b in zip(mine, others, strict=True))


def _left_stays(join: Join) -> _Sides:
    lefts, rights = own_columns(join.left), own_columns(join.right)
    beside = [rights[i] for i in join.carried_fields]
    stays = (*lefts, *(_equal(column, join.right_keys, join.left_keys) for column in beside))
    other = (*(_equal(column, join.left_keys, join.right_keys) for column in lefts), *beside)
    return _Sides(join.left, join.right, join.left_keys, join.right_keys, stays, other)


def _right_stays(join: Join) -> _Sides:
    sides = _left_stays(join)
    return _Sides(sides.partner, sides.side, sides.partner_keys, sides.side_keys, sides.other, sides.stays)


def _equal(column: Column, keys: tuple[Expression, ...], others: tuple[Expression, ...]) -> Column | None:
    """The other side's column that a key column is equal to, of the same type."""
    for key, other in zip(keys, others, strict=True):
        if key == column and isinstance(other, Column) and other.type == column.type:
            return other
    return None


@dataclass(frozen=True, slots=True)
class _Outer:
    """A call over the side that stays. partner: the place of the partner's call that it reads.

    times: what is read of the side, by which the partner's value is multiplied. counts: whether no rows give 0.
    """

    kind: AggregateKind
    times: Expression | None
    filter: Expression | None
    partner: int
    counts: bool = False


class _Same:
    """The same call over the side that stays: it reads nothing else, and how often a row comes is all one to it."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """own < partner, or the other way round, or not so."""

    own: Expression
    partner: Expression
    own_first: bool
    negated: bool

    @property
    def kind(self) -> AggregateKind:
        """Which partner decides whether it is true of any; a NULL never is that, and makes nothing true."""
        return "max" if self.own_first != self.negated else "min"

    def over(self, columns: tuple[Column, ...]) -> Expression:
        """The test of a row beside that partner's value, the last column."""
        own, value = substitute(self.own, columns), columns[-1]
        less = Less(own, value) if self.own_first else Less(value, own)
        return Not(less) if self.negated else less


@dataclass(frozen=True, slots=True)
class _Read:
    """A call's parts over the side that stays (mine) and over its partner (theirs); None where they read another."""

    mine: Expression | None
    theirs: Expression | None
    own_filter: Expression | None
    inner_filter: Expression | None


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """terms: conditions on the pairs. many: these are too many to be looked at."""

    aggregate: Aggregate
    sides: _Sides
    terms: tuple[Expression, ...]
    inner: list[AggregateCall]
    many: bool

    def rewritten(self) -> Relation | None:
        """The same groups without pairs; None where a key, a call or a condition reads both sides."""
        keys = [self._on(key, self.sides.stays) for key in self.aggregate.keys]
        kept = tuple(key for key in keys if key is not None)
        plans = [plan for call in self.aggregate.calls if (plan := self._plan(call)) is not None]
        if len(kept) < len(keys) or len(plans) < len(self.aggregate.calls):
            return None
        source = (self._compared() or self._along()) if self.terms else self._source()
        if source is None:
            return None
        calls = tuple(self._call(c, plan, source) for c, plan in zip(self.aggregate.calls, plans, strict=True))
        if any(end not in WORD for call in calls for end in (call.bounds.low, call.bounds.high)):
            return None
        names, call_names = self.aggregate.key_names, self.aggregate.call_names
        grouped = Aggregate(
            source, tuple(substitute(key, own_columns(source)) for key in kept), names, calls, call_names
        )
        columns = own_columns(grouped)
        outputs = [
            _counted(column) if isinstance(plan, _Outer) and plan.counts else column
            for column, plan in zip(columns[len(kept) :], plans, strict=True)
        ]
        found = Project(grouped, (*columns[: len(kept)], *outputs), (*names, *call_names))
        same = [f.type for f in found.fields] == [f.type for f in self.aggregate.fields]
        return found if same else None

    def _on(self, expression: Expression | None, columns: tuple[Column | None, ...]) -> Expression | None:
        """The expression over one side; None if it reads the other."""
        if expression is None or any(columns[i] is None for i in columns_of(expression)):
            return None
        nothing = Literal(None, Boolean())  # of what is not read
        return substitute(expression, [column or nothing for column in columns])

    def _partner(self, kind: AggregateKind, argument: Expression | None, condition: Expression | None) -> int:
        call = AggregateCall(kind, argument, condition, self.sides.partner.max_rows)
        if call not in self.inner:
            self.inner.append(call)
        return self.inner.index(call)

    def _plan(self, call: AggregateCall) -> _Outer | _Same | None:
        """How a call is found from the partners' groups; None if it is not."""
        if call.distinct or call.kind in _ALL_ONE:
            parts = [part for part in (call.argument, call.filter, call.by, *call.rest) if part is not None]
            if all(self._on(part, self.sides.stays) is not None for part in parts):
                return _Same()
        if call.rest or call.by is not None or call.place is not None:
            return None
        stays, other = self.sides.stays, self.sides.other
        own = self._on(call.filter, stays)
        inner = self._on(call.filter, other) if own is None else None
        if call.filter is not None and own is None and inner is None:
            return None
        read = _Read(self._on(call.argument, stays), self._on(call.argument, other), own, inner)
        if call.distinct or call.kind in ("min", "max", "any"):
            if call.distinct or call.kind == "any" or read.theirs is None:
                return None
            return _Outer(call.kind, None, own, self._partner(call.kind, read.theirs, inner))
        return self._sum(call, read) if call.kind == "sum" else self._count(call, read)

    def _count(self, call: AggregateCall, read: _Read) -> _Outer | None:
        if call.kind == "count" and read.mine is None:
            if read.theirs is None:
                return None
            return _Outer("sum", None, read.own_filter, self._partner("count", read.theirs, read.inner_filter), True)
        known = read.own_filter
        if read.mine is not None and read.mine.nullable:
            there = Not(IsNull(read.mine))
            known = there if known is None else And((known, there))
        return _Outer("sum", None, known, self._partner("count_star", None, read.inner_filter), counts=True)

    def _sum(self, call: AggregateCall, read: _Read) -> _Outer | None:
        if read.theirs is not None:
            return _Outer("sum", None, read.own_filter, self._partner("sum", read.theirs, read.inner_filter))
        if read.mine is not None:
            if read.inner_filter is not None:  # of no partner that passes it is NULL, not 0
                return None
            return _Outer("sum", read.mine, read.own_filter, self._partner("count_star", None, None))
        return self._product(call, read.own_filter, read.inner_filter)

    def _product(self, call: AggregateCall, own: Expression | None, inner: Expression | None) -> _Outer | None:
        """SUM(x * y), one of either side."""
        if not isinstance(call.argument, Multiply):
            return None
        for a, b in ((call.argument.left, call.argument.right), (call.argument.right, call.argument.left)):
            mine, theirs = self._on(a, self.sides.stays), self._on(b, self.sides.other)
            if mine is not None and theirs is not None:
                return _Outer("sum", mine, own, self._partner("sum", theirs, inner))
        return None

    def _source(self) -> Relation:
        sides = self.sides
        if not self.inner:
            marked = Join(sides.side, sides.partner, "mark", sides.side_keys, sides.partner_keys)
            return Filter(marked, marked.column(len(marked.fields) - 1))
        names = tuple(f"key{i}" for i in range(len(sides.partner_keys)))
        inner = tuple(self.inner)
        grouped = Aggregate(
            sides.partner, sides.partner_keys, names, inner, tuple(f"partner{i}" for i in range(len(inner)))
        )
        return Join(sides.side, grouped, "inner", sides.side_keys, own_columns(grouped)[: len(names)])

    def _compared(self) -> Relation | None:
        """The side's rows that have a partner under all conditions. None if more of the partners counts, or if their
        smallest or greatest alone does not decide the conditions.
        """
        sides = self.sides
        tests = [test for term in self.terms if (test := self._comparison(term)) is not None]
        if self.inner or len(tests) < len(self.terms) or len({(test.kind, test.partner) for test in tests}) > 1:
            return None
        call = AggregateCall(tests[0].kind, tests[0].partner, None, sides.partner.max_rows)
        names = tuple(f"key{i}" for i in range(len(sides.partner_keys)))
        grouped = Aggregate(sides.partner, sides.partner_keys, names, (call,), (f"{call.kind} partner",))
        joined = Join(sides.side, grouped, "inner", sides.side_keys, own_columns(grouped)[: len(names)])
        columns = own_columns(joined)
        return Filter(joined, conjunction(tuple(test.over(columns) for test in tests)))

    def _along(self) -> Relation | None:
        """The side's rows that have a partner under comparisons with one value of it, up to a point or between two, and
        what counts of these partners. None if that does not come along (see plan/along.py), or pairs are few.
        """
        sides, rows = self.sides, self.sides.side.max_rows + self.sides.partner.max_rows
        tests = [test for term in self.terms if (test := self._comparison(term)) is not None]
        single = len(tests) == 1
        if not self.many or len(tests) < len(self.terms) or len(tests) > 2 or len({test.partner for test in tests}) > 1:
            return None
        if not single and tests[0].kind == tests[1].kind:
            return None
        if not all(along.comes_along(call, single, rows) for call in self.inner):
            return None
        upper, lower = tests[0], tests[-1]
        if upper.kind == "max":
            upper, lower = lower, upper
        points = [self._point(lower if single else upper, complement=False)]
        points += [] if single else [self._point(lower, complement=True)]
        runs = along.runs_of(self.inner, single)
        source, found = sides.side, []
        for point in points:
            if point is None:
                return None
            after = along.beside(source, sides.partner, point, runs)
            found.append(along.new_columns(source, after))
            source = after
        count: Expression = found[0][0]
        values: list[Expression] = list(found[0][1:])
        if not single:
            count, values = along.between(self.inner, found[0], found[1])
        names = (*(f.name for f in sides.side.fields), *(f"key{i}" for i in range(len(sides.partner_keys))))
        nothing = tuple(Literal(0, Integer(8)) for _ in sides.partner_keys)
        own = own_columns(source)[: len(sides.side.fields)]
        results = (*(f"partner{i}" for i in range(len(values))), "partners")
        beside = Project(source, (*own, *nothing, *values, count), (*names, *results))
        partners = beside.column(len(beside.fields) - 1)
        return Filter(beside, Less(Literal(0, partners.type), partners))

    def _point(self, test: _Comparison, *, complement: bool) -> along.Point | None:
        """Whose partners count; the complement: those for whom the test is false."""
        sides = self.sides
        keys = [alike(*pair) for pair in zip(sides.side_keys, sides.partner_keys, strict=True)]
        ends = alike(test.own, test.partner)
        known = tuple(pair for pair in keys if pair is not None)
        if ends is None or len(known) < len(keys):
            return None
        above, inclusive = (test.kind == "max") != complement, test.negated != complement
        return along.Point(known, *ends, above, inclusive)

    def _comparison(self, term: Expression) -> _Comparison | None:
        """A condition as a comparison of one side with the other; None if it is none."""
        test = term.x if isinstance(term, Not) else term
        if not isinstance(test, Less):
            return None
        test = apart(test, self._reads)
        for mine, theirs in ((test.left, test.right), (test.right, test.left)):
            own, partner = self._on(mine, self.sides.stays), self._on(theirs, self.sides.other)
            if own is not None and partner is not None and is_word(partner.type):
                return _Comparison(own, partner, mine is test.left, isinstance(term, Not))
        return None

    def _reads(self, expression: Expression) -> int:
        if not columns_of(expression):
            return 0
        mine, theirs = (self._on(expression, side) is not None for side in (self.sides.stays, self.sides.other))
        return OTHER if mine else ALONE if theirs else OTHER + ALONE

    def _call(self, call: AggregateCall, plan: _Outer | _Same, source: Relation) -> AggregateCall:
        columns = own_columns(source)
        if isinstance(plan, _Same):
            return call.over(
                lambda part: substitute(self._on(part, self.sides.stays) or part, columns), source.max_rows
            )
        times = None if plan.times is None else substitute(plan.times, columns)
        condition = None if plan.filter is None else substitute(plan.filter, columns)
        value: Expression = columns[len(self.sides.side.fields) + len(self.sides.partner_keys) + plan.partner]
        if times is not None:
            value = Multiply(times, value)
        return AggregateCall(plan.kind, value, condition, source.max_rows)


def alike(a: Expression, b: Expression) -> tuple[Expression, Expression] | None:
    """Both in one type, that of one scale holds either; None if they are no numbers of one scale."""
    if a.type == b.type:
        return a, b
    match a.type, b.type:
        case Date(), Date():
            shown = [x if x.type == _MIDNIGHT else _at_midnight(x) for x in (a, b)]
            return shown[0], shown[1]
        case Integer(x), Integer(y):
            type_: SqlType = Integer(max(x, y))
        case Decimal(x, scale), Decimal(y, other) if scale == other:
            type_ = Decimal(max(x, y), scale)
        case _:
            return None
    return (a if a.type == type_ else Rescale(a, 0, type_)), (b if b.type == type_ else Rescale(b, 0, type_))


def _at_midnight(day: Expression) -> Expression:
    return Add(Literal(0, _MIDNIGHT), Subtract(day, Literal(0, Date())))


def _counted(total: Column) -> Expression:
    """A sum of counts as a count: 0 of no rows."""
    count = Rescale(total, 0, Integer(64))
    return Case(((IsNull(count), Literal(0, count.type)),), count)
