"""Expressions know their type, bounds and nullability when they are built, and refuse parts that do not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpc_sql.errors import TypeMismatch, Unsupported
from smpc_sql.plan.expressions import (
    Add,
    AggregateCall,
    And,
    Case,
    Column,
    Divide,
    Equal,
    Expression,
    FromBoolean,
    InSet,
    IsNull,
    Less,
    Literal,
    Lookup,
    Multiply,
    Negate,
    Not,
    Or,
    Rescale,
    Sqrt,
    Subtract,
    columns_of,
    rebuild,
    transform,
    walk,
)
from smpc_sql.plan.expressions.node import MAX_SIZE
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.schema import Boolean, Date, Decimal, Double, Enum, Integer, Interval, SqlType
from tests.plan.plain import evaluate

INT, BOOL, CENT, TEXT, DAY = Integer(32), Boolean(), Decimal(6, 2), Enum(("a", "b", "c")), Date()


def column(
    index: int, type_: SqlType, low: int = -9, high: int = 9, nullable: bool = False, public: bool = False
) -> Column:
    return Column(index, f"c{index}", type_, nullable, Interval(low, high), public)


X, Y = column(0, INT), column(1, INT, 0, 5, nullable=True)
P, Q = column(2, BOOL, 0, 1), column(3, BOOL, 0, 1, nullable=True)
D, E, G = column(4, CENT), column(5, TEXT, 0, 2, nullable=True), column(6, DAY, 0, 100)
OWNER = column(7, TEXT, 0, 2, public=True)


@pytest.mark.parametrize(
    ("expression", "type_", "bounds", "nullable"),
    [
        (Add(X, Y), INT, (-9, 14), True),
        (Subtract(X, Y), INT, (-14, 9), True),
        (Multiply(X, Y), Integer(64), (-45, 45), True),
        (Multiply(X, X), Integer(64), (0, 81), False),
        (Multiply(Y, Subtract(Y, Literal(1, INT))), Integer(64), (0, 20), True),
        (Multiply(D, D), Decimal(38, 4), (0, 81), False),
        (Negate(Y), INT, (-5, 0), True),
        (Rescale(X, 2, CENT), CENT, (-900, 900), False),
        (FromBoolean(Q), INT, (0, 1), True),
        (Subtract(G, G), Integer(64), (-100, 100), False),
        (Add(G, X), DAY, (-9, 109), False),
        (Less(X, Y), BOOL, (0, 1), True),
        (Equal(E, OWNER), BOOL, (0, 1), True),
        (InSet(E, (0, 2)), BOOL, (0, 1), True),
        (IsNull(Y), BOOL, (0, 1), False),
        (And((P, Q)), BOOL, (0, 1), True),
        (Case(((Q, X),), Literal(20, INT)), INT, (-9, 20), False),
        (Case(((P, Y),), Literal(None, INT)), INT, (0, 5), True),
        (Case(((IsNull(Y), X),), Y), INT, (-9, 9), False),
        (Case(((IsNull(Y), Rescale(X, 2, CENT)),), Rescale(Y, 2, CENT)), CENT, (-900, 900), False),
        (Lookup(E, (7, 9, 8), INT), INT, (7, 9), True),
        (Divide(X, X), Double(), None, True),
        (Divide(X, Literal(2, INT)), Double(), None, False),
        (Sqrt(Divide(Y, Literal(2, INT))), Double(), None, True),
        (AggregateCall("count_star", None, None, 10), Integer(64), (0, 10), False),
        (AggregateCall("sum", X, None, 10), Integer(128), (-90, 90), True),
        (AggregateCall("sum", D, P, 10), Decimal(38, 2), (-90, 90), True),
        (AggregateCall("min", E, None, 10), TEXT, (0, 2), True),
        (AggregateCall("sum", column(0, INT, 3, 4), None, 10), Integer(128), (0, 40), True),
    ],
    ids=str,
)
def test_what_a_node_knows(
    expression: Expression, type_: SqlType, bounds: tuple[int, int] | None, nullable: bool
) -> None:
    assert expression.type == type_
    assert bounds is None or expression.bounds == Interval(*bounds)
    assert expression.nullable is nullable


@pytest.mark.parametrize(
    "build",
    [
        lambda: Add(X, D),
        lambda: Add(X, P),
        lambda: Add(X, G),
        lambda: Multiply(X, E),
        lambda: Less(X, D),
        lambda: Less(X, G),
        lambda: Equal(E, column(1, Enum(("a",)), 0, 0)),
        lambda: Not(X),
        lambda: And((P,)),
        lambda: And((P, X)),
        lambda: Or((X, P)),
        lambda: Case(((X, P),), P),
        lambda: Case(((P, X),), Y.__class__(1, "y", Integer(64), False, Interval(0, 1))),
        lambda: Rescale(X, 1, CENT),
        lambda: Rescale(D, -2, INT),
        lambda: Lookup(E, (1, 2), INT),
        lambda: InSet(X, (2, 1)),
        lambda: InSet(X, (1, 1)),
        lambda: Divide(X, D),
        lambda: Divide(P, P),
        lambda: Sqrt(X),
        lambda: Less(Divide(X, X), X),
        lambda: AggregateCall("sum", P, None, 3),
        lambda: AggregateCall("sum", None, None, 3),
        lambda: AggregateCall("count_star", X, None, 3),
        lambda: AggregateCall("sum", X, X, 3),
    ],
)
def test_ill_typed_nodes_cannot_be_built(build: Callable[[], object]) -> None:
    with pytest.raises(TypeMismatch):
        build()


def test_equality_is_structural_and_ignores_names() -> None:
    assert Column(0, "x", INT, False, Interval(-9, 9)) == X
    assert Add(X, Y) == Add(X, Y) != Add(Y, X)
    assert len({Add(X, Y), Add(X, Y), Subtract(X, Y)}) == 2
    assert Literal(1, INT) != Literal(1, BOOL)


def test_what_is_secret() -> None:
    assert X.secret and not OWNER.secret and not Literal(3, INT).secret
    assert not InSet(OWNER, (1,)).secret
    assert And((InSet(OWNER, (1,)), P)).secret
    assert not IsNull(X).secret  # it cannot be NULL: everybody knows


def test_an_expression_cannot_explode() -> None:
    e: Expression = X
    with pytest.raises(Unsupported):
        for _ in range(60):
            e = Add(e, e)
    assert e.size <= MAX_SIZE


NUMBERS: list[Expression] = [X, Y, Literal(0, INT), Literal(1, INT), Literal(-3, INT), Literal(None, INT)]
TRUTHS: list[Expression] = [
    P,
    Q,
    Literal(1, BOOL),
    Literal(0, BOOL),
    Literal(None, BOOL),
    InSet(E, (0,)),
    InSet(E, (1, 2)),
    InSet(E, (0, 1, 2)),
    InSet(FromBoolean(Q), (0,)),
]


def number(draw: st.DrawFn, depth: int) -> Expression:
    """A random INTEGER expression."""
    kind = draw(st.integers(0, 9)) if depth else 0
    if kind <= 2:
        return draw(st.sampled_from(NUMBERS))
    if kind == 3:
        return Negate(number(draw, depth - 1))
    if kind == 4:
        return FromBoolean(truth(draw, depth - 1))
    if kind == 5:
        return Case(((truth(draw, depth - 1), number(draw, depth - 1)),), number(draw, depth - 1))
    left, right = number(draw, depth - 1), number(draw, depth - 1)
    return [Add, Subtract, Multiply, Add][kind - 6](left, right, INT)


def truth(draw: st.DrawFn, depth: int) -> Expression:
    """A random BOOLEAN expression."""
    kind = draw(st.integers(0, 13)) if depth else 0
    below = depth - 1
    constants = st.integers(-1000, 1000)
    match kind:
        case 2:
            return Less(number(draw, below), number(draw, below))
        case 3:
            return Equal(number(draw, below), number(draw, below))
        case 4:
            return IsNull(number(draw, below))
        case 5:
            return InSet(number(draw, below), tuple(sorted(draw(st.sets(st.integers(-10, 10))))))
        case 6:
            return Less(Rescale(number(draw, below), 2, CENT), Literal(draw(constants), CENT))
        case 7:
            return Less(Literal(draw(constants), CENT), Rescale(number(draw, below), 2, CENT))
        case 8:
            return Equal(Rescale(number(draw, below), 2, CENT), Literal(draw(constants), CENT))
        case 9:
            recoded = Lookup(E, draw(st.tuples(*[st.integers(0, 3)] * 3)), INT)
            return draw(st.sampled_from([InSet(recoded, (0, 1)), Less(recoded, Literal(2, INT))]))
        case 10:
            return Not(truth(draw, below))
        case 11:
            return And(tuple(truth(draw, below) for _ in range(draw(st.integers(2, 3)))))
        case 12:
            return Or(tuple(truth(draw, below) for _ in range(draw(st.integers(2, 3)))))
        case 13:
            return Case(((truth(draw, below), truth(draw, below)),), truth(draw, below))
        case _:
            return draw(st.sampled_from(TRUTHS))


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    return draw(st.sampled_from([number, truth]))(draw, 3)


rows = st.tuples(
    st.integers(-9, 9),
    st.none() | st.integers(0, 5),
    st.integers(0, 1),
    st.none() | st.integers(0, 1),
    st.integers(-9, 9),
    st.none() | st.integers(0, 2),
    st.integers(0, 100),
    st.integers(0, 2),
)


def test_sets_that_are_joined_are_folded_to_the_end() -> None:
    whole = InSet(E, (0, 1, 2))
    folded = fold(Or((InSet(E, (0,)), InSet(E, (1, 2)), whole)))
    assert folded == fold(folded) == fold(whole)


@settings(max_examples=400)
@given(expressions(), rows)
def test_folding_changes_no_value_and_no_null(e: Expression, row: tuple[int | None, ...]) -> None:
    folded = fold(e)
    assert evaluate(folded, row) == evaluate(e, row)
    assert folded.type == e.type
    assert fold(folded) == folded
    assert folded.nullable <= e.nullable


@given(expressions())
def test_a_node_is_its_parts(e: Expression) -> None:
    assert all(rebuild(node, node.parts) == node for node in walk(e) if not isinstance(node, AggregateCall))
    assert transform(e, lambda node: node) == e
    assert e.size == len(list(walk(e)))
    assert columns_of(e) == tuple(sorted({node.index for node in walk(e) if isinstance(node, Column)}))


def test_whole_quotients_know_their_bounds() -> None:
    from smpc_sql.plan.expressions import FloorDivide, Remainder, WholeQuotient, Within

    def number(low: int, high: int) -> Column:
        return Column(0, "x", Integer(32), False, Interval(low, high))

    assert FloorDivide(number(-7, 7), 2, Integer(32)).bounds == Interval(-4, 3)
    assert Remainder(number(-7, 7), 5).bounds == Interval(0, 4)
    assert Remainder(number(11, 13), 5).bounds == Interval(1, 3)
    assert Within(number(-7, 7), Interval(0, 100)).bounds == Interval(0, 7)
    assert WholeQuotient(number(-7, 9), number(0, 3)).bounds == Interval(-7, 9)
    assert WholeQuotient(number(5, 9), number(2, 3)).bounds == Interval(1, 4)
    for divisor in (0, -2):
        with pytest.raises(TypeMismatch):
            FloorDivide(number(0, 1), divisor, Integer(32))
        with pytest.raises(TypeMismatch):
            Remainder(number(0, 1), divisor)
    with pytest.raises(TypeMismatch):
        WholeQuotient(number(0, 1), number(-1, 1))
