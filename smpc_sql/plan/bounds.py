"""The proof that nothing leaves 64 bits: every word that a plan computes has bounds, and the bounds are checked here.

What fails is tried again in parts (`plan/widen.py`), and refused if they fail too.

Equality needs no more than words, since words are equal mod 2^64 only when they are equal. An order needs the
difference to be a word, and so do MIN, MAX and sorting, which compare any two rows.
"""

from __future__ import annotations

from smpc_sql.errors import OverflowPossible
from smpc_sql.plan.delivery import FIELD_BITS, Delivery
from smpc_sql.plan.explain import explain_expression, field_names
from smpc_sql.plan.expressions import (
    AggregateCall,
    Divide,
    Expression,
    FloorDivide,
    Less,
    PlusRoot,
    Remainder,
    Sqrt,
    TextCall,
    WholeQuotient,
    WholeRoot,
    walk,
)
from smpc_sql.plan.expressions.division import is_divided
from smpc_sql.plan.relations import Join, Sort, SortKey, Window, expressions_of
from smpc_sql.plan.relations import walk as walk_relation
from smpc_sql.schema import WORD, Interval

_ROOT_BITS = 62
"""Of numbers beyond these the steps of a whole root leave 64 bits."""

_HINT = "declare tighter bounds, as in CHECK (column BETWEEN a AND b)"


def check_words(delivery: Delivery) -> None:
    """Raises OverflowPossible, naming the first expression that could leave 64 bits and its interval."""
    for relation in reversed(tuple(walk_relation(delivery.relation))):
        names = field_names(relation.source.fields) if expressions_of(relation) else ()  # type: ignore[union-attr]
        for expression in expressions_of(relation):
            for node in reversed(tuple(walk(expression))):  # inner parts first: name the smallest culprit
                _check_node(node, names)
        if isinstance(relation, Join):
            _check_keys(relation)
        if isinstance(relation, Window):
            for field in relation.fields[len(relation.source.fields) :]:
                _check(field.bounds, f"the window function {field.name}")
            _check_extremes(relation)
        if isinstance(relation, Sort):
            _check_sort(relation, names)


def _check_node(node: Expression | AggregateCall, names: tuple[str, ...]) -> None:
    if isinstance(node, Divide | Sqrt | PlusRoot) or (isinstance(node, TextCall) and node.is_spelled):
        return
    if node.bounds.intersect(WORD) != node.bounds:
        _check(node.bounds, explain_expression(node, names))
    if isinstance(node, WholeQuotient):  # digit by digit, from the denominator shifted by all of them
        reach = node.denominator.bounds.high << node.bits + 1
        _check(Interval(-reach, reach), f"a step of {explain_expression(node, names)}")
    if isinstance(node, WholeRoot) and node.x.bounds.bits > _ROOT_BITS:
        _check(Interval(0, 4 * node.x.bounds.high), f"a step of {explain_expression(node, names)}")
    if isinstance(node, FloorDivide | Remainder) and not is_divided(node.x.bounds, node.divisor):
        reach = node.x.bounds.size + node.divisor << 2
        _check(Interval(-reach, reach), f"a step of {explain_expression(node, names)}")
    if isinstance(node, Less):
        difference = node.left.bounds - node.right.bounds
        if difference.intersect(WORD) != difference:
            what = f"({explain_expression(node.left, names)} - {explain_expression(node.right, names)})"
            _check(difference, what)
    if isinstance(node, AggregateCall) and node.kind in ("min", "max") and node.argument is not None:
        bounds = node.argument.bounds
        _check(bounds - bounds, f"the comparison of any two values in {explain_expression(node, names)}")


def _check_keys(join: Join) -> None:
    for side, keys in ((join.left, join.left_keys), (join.right, join.right_keys)):
        names = field_names(side.fields)
        for key in keys:
            for node in reversed(tuple(walk(key))):
                _check_node(node, names)


def _check_extremes(window: Window) -> None:
    """A value is compared with its partition's number in front."""
    for call in window.calls:
        if call.kind in ("min", "max") and call.argument is not None:
            reach = (window.max_rows + 2) * (call.argument.bounds.size + 1)
            what = f"{call.kind.upper()} over the frames of {window.max_rows} rows"
            _check(Interval(-reach, reach), what)


def _check_sort(relation: Sort, names: tuple[str, ...]) -> None:
    """Words alone are sorted by their bits, whatever their bounds; beside a quotient all pairs are compared."""
    if not any(isinstance(key.expression, Divide) for key in relation.keys):
        return
    for key in relation.keys:
        bounds = key_bounds(key)
        what = f"the comparison of any two values of ORDER BY {explain_expression(key.expression, names)}"
        _check(bounds - bounds, what)


def key_bounds(key: SortKey) -> Interval:
    """What is compared of a sort key: of a quotient cross products."""
    if isinstance(key.expression, Divide):
        product = key.expression.numerator.bounds * key.expression.denominator.bounds
        return product.union(Interval(0, 0))
    bounds = key.expression.bounds
    # NULL stands one place before the first value, or behind the last
    return Interval(bounds.low - 1, bounds.high + 1) if key.expression.nullable else bounds


def _check(bounds: Interval, what: str) -> None:
    if bounds.low not in WORD or bounds.high not in WORD:
        raise OverflowPossible(f"{what} could be anywhere in {bounds}, which exceeds 64 bits; {_HINT}")


def field_bits_for(numerator: Expression, denominator: Expression) -> int:
    """The smallest field in which the quotient's fraction is unique. Raises OverflowPossible if none is big enough."""
    largest = [max(abs(part.bounds.low), abs(part.bounds.high)) for part in (numerator, denominator)]
    needed = 2 * max(largest[0], 1) * max(largest[1], 1)
    for bits in FIELD_BITS:
        if needed < (1 << bits) - 1:
            return bits
    what = f"{explain_expression(numerator)} / {explain_expression(denominator)}"
    raise OverflowPossible(f"{what} needs a fraction of more than {FIELD_BITS[-1]} bits; {_HINT}")
