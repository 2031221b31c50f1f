"""Compute in public what is public: constants, outcomes that bounds decide, tests that become smaller.

A rewrite keeps the value *and* whether it is NULL: x < 200 with x in [0, 120] is not TRUE where x can be NULL, but
NOT (x IN ()).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from smpc_sql.plan.expressions import (
    Add,
    AggregateCall,
    And,
    Case,
    Column,
    Divide,
    Elapsed,
    Equal,
    Expression,
    FloorDivide,
    FromBoolean,
    InSet,
    IsNull,
    Less,
    Literal,
    LongQuotient,
    LongText,
    Lookup,
    Multiply,
    Negate,
    Not,
    Or,
    PlusRoot,
    QuotientDigit,
    Remainder,
    Rescale,
    Sqrt,
    Subtract,
    TextCall,
    WholeQuotient,
    WholeRoot,
    Within,
    WrittenDouble,
    transform,
)
from smpc_sql.plan.relations import (
    Aggregate,
    Filter,
    Project,
    Relation,
    Sort,
    SortKey,
    rewrite,
)
from smpc_sql.schema import Boolean

_BOOLEAN = Boolean()
TRUE, FALSE, UNKNOWN = Literal(1, _BOOLEAN), Literal(0, _BOOLEAN), Literal(None, _BOOLEAN)


def fold_constants(relation: Relation) -> Relation:
    """Every expression folded; a filter that is TRUE dropped."""
    return rewrite(relation, _fold_relation)


def _fold_relation(relation: Relation) -> Relation:
    match relation:
        case Filter(source, predicate):
            folded = fold(predicate)
            return source if folded == TRUE else Filter(source, folded)
        case Project(source, expressions, names):
            return Project(source, tuple(map(fold, expressions)), names)
        case Aggregate(source, keys, key_names, calls, call_names):
            folded_keys, folded_calls = tuple(map(fold, keys)), tuple(map(_fold_call, calls))
            return Aggregate(source, folded_keys, key_names, folded_calls, call_names, every=relation.every)
        case Sort(source, keys):
            return Sort(source, tuple(SortKey(fold(k.expression), k.descending, k.nulls_first) for k in keys))
        case _:
            return relation


def _fold_call(call: AggregateCall) -> AggregateCall:
    call = call.over(fold, call.rows)
    call = replace(call, filter=None) if call.filter == TRUE else call
    argument = call.argument
    if call.kind == "count" and argument is not None and not argument.nullable and not call.distinct:
        return AggregateCall("count_star", None, call.filter, call.rows)
    return call


def fold(expression: Expression) -> Expression:
    """The same value for every row, from fewer operations on secrets. Its type stays."""
    return transform(expression, _fold)


def _fold(e: Expression) -> Expression:
    if isinstance(e, _STRICT):
        operands = e.parts
        if any(isinstance(part, Literal) and part.value is None for part in operands):
            return Literal(None, e.type)
        if all(isinstance(part, Literal) for part in operands):
            return Literal(_compute(e, [_known(part) for part in operands]), e.type)
    match e:
        case (
            Column()
            | Literal()
            | Divide()
            | WholeQuotient()
            | WholeRoot()
            | Sqrt()
            | PlusRoot()
            | LongText()
            | WrittenDouble()
            | Elapsed()
        ):
            return e
        case LongQuotient() | QuotientDigit():
            return e
        case Add() | Subtract() | Multiply() | Negate() | Rescale():
            return _fold_arithmetic(e)
        case Less() | Equal():
            return _fold_comparison(e)
        case InSet():
            return _fold_in_set(e)
        case Not(Not(x)):
            return x
        case And(terms) | Or(terms):
            return _fold_terms(e, terms)
        case Case():
            return _fold_case(e)
        case IsNull(x):
            return _fold_is_null(x)
        case FloorDivide():
            return _fold_floor(e)
        case Remainder(x, divisor) if x.bounds.size <= _SHORT_TABLE and x.secret:
            return Lookup(x, tuple(value % divisor for value in range(x.bounds.low, x.bounds.high + 1)), e.type)
        case TextCall() if not e.is_spelled and all(isinstance(x, Literal) for x in _leaves(e)):
            return Literal(_text_value(e), e.type)
        case Lookup(x, table, type_):
            return x if type_ == x.type and table == tuple(range(x.bounds.low, x.bounds.high + 1)) else e
        case _:
            return e


def _leaves(e: Expression) -> tuple[Expression, ...]:
    return tuple(leaf for x in e.operands for leaf in _leaves(x)) if isinstance(e, TextCall) else (e,)


def _text_value(e: Expression) -> int | None:
    """The value of functions of texts of constants."""
    if isinstance(e, Literal):
        return e.value
    assert isinstance(e, TextCall)
    values = [_text_value(x) for x in e.operands]
    if any(values[i] is None for i in e.function.leading):
        return None
    return e.function.compute([value or 0 for value in values])


_STRICT = (
    Add, Subtract, Multiply, Negate, Rescale, FromBoolean, Lookup, FloorDivide, Remainder, Within, Less, Equal, InSet,
    Not,
)  # fmt: skip

_SHORT_TABLE = 256


def _fold_floor(e: FloorDivide) -> Expression:
    """Of few values a public table says it at once."""
    x, divisor = e.x, e.divisor
    if isinstance(x, FloorDivide):  # floor(floor(x / a) / b) is floor(x / ab)
        return _fold_floor(FloorDivide(x.x, x.divisor * divisor, e.type))
    if isinstance(x, Lookup):
        return _fold(Lookup(x.x, tuple(value // divisor for value in x.table), e.type))
    if divisor == 1:
        return x if e.type == x.type else e
    if x.bounds.size <= _SHORT_TABLE and x.secret:
        return Lookup(x, tuple(value // divisor for value in range(x.bounds.low, x.bounds.high + 1)), e.type)
    return e


def _known(part: Expression) -> int:
    assert isinstance(part, Literal) and part.value is not None
    return part.value


def _compute(e: Expression, values: list[int]) -> int:
    match e:
        case Add():
            return values[0] + values[1]
        case Subtract():
            return values[0] - values[1]
        case Multiply():
            return values[0] * values[1]
        case Negate():
            return -values[0]
        case Rescale(_, exponent):
            return int(values[0] * 10**exponent)
        case Lookup(x, table):
            return table[values[0] - x.bounds.low]
        case Less():
            return int(values[0] < values[1])
        case Equal():
            return int(values[0] == values[1])
        case InSet(_, codes):
            return int(values[0] in codes)
        case FloorDivide(_, divisor):
            return values[0] // divisor
        case Remainder(_, divisor):
            return values[0] % divisor
        case Not():
            return 1 - values[0]
        case _:  # FromBoolean, Within
            return values[0]


def _is(part: Expression, value: int) -> bool:
    return isinstance(part, Literal) and part.value == value


def _fold_arithmetic(e: Add | Subtract | Multiply | Negate | Rescale) -> Expression:
    """Neutral elements and double negation, where the type stays."""
    simpler: Expression = e
    match e:
        case Add(x, zero) if _is(zero, 0):
            simpler = x
        case Add(zero, x) if _is(zero, 0):
            simpler = x
        case Subtract(x, zero) if _is(zero, 0):
            simpler = x
        case Multiply(x, one) if _is(one, 1):
            simpler = x
        case Multiply(one, x) if _is(one, 1):
            simpler = x
        case Negate(Negate(x)):
            simpler = x
        case Rescale(Rescale(x, inner), outer, type_):
            simpler = Rescale(x, inner + outer, type_)
        case Rescale(x, 0):
            simpler = x
        case _:
            pass
    return simpler if simpler.type == e.type else e


def constant(value: bool, e: Expression) -> Expression:
    """TRUE or FALSE where e is not NULL, NULL where it is."""
    if not e.nullable:
        return TRUE if value else FALSE
    nothing = _fold_in_set(InSet(e, ()))
    return Not(nothing) if value else nothing


def _decided(value: bool, left: Expression, right: Expression) -> Expression:
    """The outcome of a comparison that bounds decide, at most one of whose operands can be NULL."""
    return constant(value, left if left.nullable else right)


def _untyped(x: Expression) -> Expression:
    """Without a change of type that leaves the number as it is; a comparison does not mind."""
    return x.x if isinstance(x, Rescale) and x.exponent == 0 else x


def _fold_comparison(e: Less | Equal) -> Expression:
    left, right = _untyped(e.left), _untyped(e.right)
    if (left, right) != (e.left, e.right):
        return _fold_comparison(type(e)(left, right))
    one_sided = not (left.nullable and right.nullable)
    if isinstance(e, Less) and one_sided:
        if left.bounds.high < right.bounds.low:
            return _decided(True, left, right)
        if left.bounds.low >= right.bounds.high:
            return _decided(False, left, right)
    if isinstance(e, Equal):
        if isinstance(left, Literal):
            left, right = right, left
        if isinstance(right, Literal) and right.value is not None:
            return _fold_in_set(InSet(left, (right.value,)))
        if one_sided and left.bounds.intersect(right.bounds) is None:
            return _decided(False, left, right)
        return e
    return _fold_less_literal(left, right) or e


def _fold_less_literal(left: Expression, right: Expression) -> Expression | None:
    """Compare before rescaling, and look constants up in public."""
    match left, right:
        case Rescale(x, exponent), Rescale(y, other) if exponent == other and exponent > 0:
            return _fold(Less(x, y))
        case Rescale(x, exponent), Literal(int(c)) if exponent > 0:  # x * 10^k < c, so x < ceil(c / 10^k)
            return _fold(Less(x, Literal(-(-c // 10**exponent), x.type)))
        case Literal(int(c)), Rescale(x, exponent) if exponent > 0:  # c < x * 10^k, so floor(c / 10^k) < x
            return _fold(Less(Literal(c // 10**exponent, x.type), x))
        case Lookup(x, table), Literal(int(c)):
            return _fold_in_set(InSet(x, _positions(x, table, lambda v: v < c)))
        case Literal(int(c)), Lookup(x, table):
            return _fold_in_set(InSet(x, _positions(x, table, lambda v: c < v)))
        case _:
            return None


def _positions(x: Expression, table: tuple[int, ...], wanted: Callable[[int], bool]) -> tuple[int, ...]:
    return tuple(x.bounds.low + i for i, value in enumerate(table) if wanted(value))


def _fold_in_set(e: InSet) -> Expression:
    x, codes = e.x, tuple(code for code in e.codes if code in e.x.bounds)
    match x:
        case Rescale(inner, exponent):
            step = 10**exponent
            return _fold_in_set(InSet(inner, tuple(code // step for code in codes if code % step == 0)))
        case Lookup(inner, table):
            return _fold_in_set(InSet(inner, _positions(inner, table, lambda value: value in codes)))
        case Negate(inner):
            return _fold_in_set(InSet(inner, tuple(-code for code in reversed(codes))))
        case FromBoolean(inner) if len(codes) == 1:
            return inner if codes == (1,) else _fold(Not(inner))
        case _:
            pass
    if not codes and not x.nullable:
        return FALSE
    if len(codes) == x.bounds.size:
        return constant(True, x)
    return InSet(x, codes)


def _fold_terms(e: And | Or, terms: tuple[Expression, ...]) -> Expression:
    """Nested terms flattened, each once; constants absorbed; tests of one value joined."""
    node, dominant, neutral = (And, FALSE, TRUE) if isinstance(e, And) else (Or, TRUE, FALSE)
    flat: list[Expression] = []
    for term in terms:
        flat += term.terms if isinstance(term, node) else (term,)
    kept: list[Expression] = []
    for term in flat:
        if term == dominant:
            return dominant
        if term != neutral and term not in kept:
            kept.append(term)
    joined = _join_sets(kept) if isinstance(e, Or) else kept
    if joined != kept:
        return _fold_terms(e, tuple(joined))  # two of them may be alike now
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else node(tuple(kept))


def _join_sets(terms: list[Expression]) -> list[Expression]:
    """x IN A OR x IN B is x IN A ∪ B, also where x is NULL."""
    joined: dict[Expression, int] = {}
    result: list[Expression] = []
    for term in terms:
        if isinstance(term, InSet) and term.x in joined:
            at = joined[term.x]
            before = result[at]
            assert isinstance(before, InSet)
            result[at] = InSet(term.x, tuple(sorted({*before.codes, *term.codes})))
            continue
        if isinstance(term, InSet):
            joined[term.x] = len(result)
        result.append(term)
    return [_fold_in_set(term) if isinstance(term, InSet) else term for term in result]


def _fold_case(e: Case) -> Expression:
    branches: list[tuple[Expression, Expression]] = []
    default = e.default
    for condition, value in e.branches:
        if condition in (FALSE, UNKNOWN):
            continue
        if condition == TRUE:
            default = value
            break
        branches.append((condition, value))
    while branches and branches[-1][1] == default:
        branches.pop()
    if not branches:
        return default
    if len(branches) == 1 and default == FALSE and branches[0][1] == TRUE and not branches[0][0].nullable:
        return branches[0][0]
    return Case(tuple(branches), default)


def _fold_is_null(x: Expression) -> Expression:
    """NULL passes through most operations: test the operands and do not compute the value."""
    if not x.nullable:
        return FALSE
    match x:
        case Literal():
            return TRUE
        case Column() | And() | Or() | Case():
            return IsNull(x)
        case TextCall():
            tests = tuple(_fold_is_null(part) for part in x.leading)
            return tests[0] if len(tests) == 1 else _fold_terms(Or((FALSE, FALSE)), tests)
        case _:
            tests = tuple(_fold_is_null(part) for part in x.parts)
            return tests[0] if len(tests) == 1 else _fold_terms(Or((FALSE, FALSE)), tests)
