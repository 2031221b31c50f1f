"""SQL text to a Delivery, in one call: what every party and the analyst's side do with the same text and catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal as OneOf

from smpc_sql.catalog import Catalog, View
from smpc_sql.errors import (
    InternalError,
    OverflowPossible,
    QueryError,
    SizeUnknown,
    SyntaxInvalid,
    TypeMismatch,
    Unsupported,
    too_deep_is_refused,
)
from smpc_sql.plan.bounds import check_words, field_bits_for
from smpc_sql.plan.chance import chosen_once
from smpc_sql.plan.choices import without_choices
from smpc_sql.plan.delivery import Delivery, Fraction, LocalSortKey, OutputColumn
from smpc_sql.plan.expressions import (
    Column,
    Divide,
    Elapsed,
    Expression,
    Literal,
    LongText,
    PlusRoot,
    Sqrt,
    Within,
    WrittenDouble,
    transform,
)
from smpc_sql.plan.legal import legal
from smpc_sql.plan.optimize import RULES, Rule, optimize
from smpc_sql.plan.pairs import check_pairs, check_sizes
from smpc_sql.plan.presence import told_by_words
from smpc_sql.plan.relations import Limit, Relation, Sort, SortKey, substitute
from smpc_sql.plan.rules.fold_constants import fold
from smpc_sql.plan.rules.merge_projects import merge_projects, merge_small_projects
from smpc_sql.plan.rules.prune_columns import prune_columns
from smpc_sql.plan.wide import is_number
from smpc_sql.plan.widen import digit_keys, widened
from smpc_sql.schema import SqlType
from smpc_sql.sql.bind import QueryBinder
from smpc_sql.sql.fixed import over_constant, word_of
from smpc_sql.sql.hints import Rooms
from smpc_sql.sql.keys import explain_violation
from smpc_sql.sql.nodes import line_and_column
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateView, Explain, Select
from smpc_sql.sql.tables import Bound
from smpc_sql.sql.views import renamed

_WIDE: dict[Rule, Rule] = {merge_projects: merge_small_projects, prune_columns: prune_columns}
"""The rules that plans in parts still need, and what takes their places there."""


def compile_select(text: str, catalog: Catalog, rules: tuple[Rule, ...] = RULES) -> Delivery:
    """What one SELECT (or EXPLAIN SELECT) delivers: parsed, bound, optimised, and proved not to overflow.

    Raises SyntaxInvalid, Unsupported, UnknownName, TypeMismatch, OverflowPossible.
    """
    statements = parse_statements(text)
    if len(statements) != 1:
        raise SyntaxInvalid(f"one statement is expected, got {len(statements)}")
    statement = statements[0]
    select = statement.select if isinstance(statement, Explain) else statement
    if not isinstance(select, Select):
        raise Unsupported("only a query has a plan")
    return compile_statement(select, catalog, rules)


def compile_statement(select: Select, catalog: Catalog, rules: tuple[Rule, ...] = RULES) -> Delivery:
    """The same for a statement that is parsed already."""
    try:
        return _compiled(select, catalog, rules)
    except SizeUnknown:
        raise
    except QueryError as error:
        better = explain_violation(error, lambda known: _compiled(select, known, rules), catalog)
        raise better from error


@too_deep_is_refused()
def _compiled(select: Select, catalog: Catalog, rules: tuple[Rule, ...]) -> Delivery:
    bound = _bind(select, catalog)
    source, outputs = without_choices(bound.relation, list(bound.columns))
    relation = optimize(chosen_once(source), rules)
    check_sizes(relation)
    fields = tuple(relation.column(i) for i in range(len(relation.fields)))
    columns = [(name, substitute(expression, fields)) for name, expression in outputs]
    try:
        delivery = deliver(relation, columns)
        check_words(delivery)
    except OverflowPossible as error:
        delivery = _of_wide_numbers(relation, columns, rules, error)
    check_pairs(delivery.relation)
    told = told_by_words(delivery)
    if told is not delivery:  # what is filled is never NULL: there is more to fold
        delivery = replace(told, relation=optimize(told.relation, rules))
    return delivery


def _of_wide_numbers(
    relation: Relation, columns: list[tuple[str, Expression]], rules: tuple[Rule, ...], error: OverflowPossible
) -> Delivery:
    """The same where a number may leave 64 bits. Raises the error where that does not help."""
    kept = tuple(_WIDE[rule] for rule in rules if rule in _WIDE)
    try:
        narrow, fields = widened(relation)
        delivery = _delivered(narrow, [(name, legal(substitute(e, fields))) for name, e in columns], kept)
        check_words(delivery)
    except (
        OverflowPossible,
        TypeMismatch,
        Unsupported,
    ):  # of numbers so long that an expression becomes too large, too
        raise error from None
    return delivery


def _delivered(relation: Relation, columns: list[tuple[str, Expression]], rules: tuple[Rule, ...]) -> Delivery:
    """What only the engine can rank, it ranks by digits."""
    if isinstance(relation, Sort) and _local_order(relation.keys, [e for _, e in columns]) is None:
        relation = digit_keys(relation)
    elif isinstance(relation, Sort):
        keys, source = relation.keys, optimize(relation.source, rules)
        return deliver(Sort(source, keys), columns)
    return deliver(optimize(relation, rules), columns)


def compile_view(statement: CreateView, catalog: Catalog) -> View:
    """The view that a CREATE VIEW declares. Its query may read what is there without it: so no view reads itself.

    Raises QueryError.
    """
    name = statement.name.lower()
    others = replace(catalog, views={n: view for n, view in catalog.views.items() if n != name})
    with too_deep_is_refused():
        bound = renamed(_bind(statement.select, others), statement.columns, f"view {statement.name}")
    names = [column.lower() for column, _ in bound.columns]
    for column in names:
        if names.count(column) > 1:
            raise SyntaxInvalid(f"two columns of view {statement.name} would be called {column}; give one an alias")
    return View(statement.name, statement.select.sql, statement.columns)


def describe(name: str, catalog: Catalog) -> tuple[tuple[str, SqlType, bool], ...]:
    """Name, type and whether it can be NULL, of every column of a table or a view. Raises UnknownName."""
    view = catalog.views.get(name.lower())
    if view is None:
        return catalog.table(name).visible
    return tuple((column, e.type, e.nullable) for column, e in QueryBinder(catalog, view.sql).view(view).columns)


def _bind(select: Select, catalog: Catalog) -> Bound:
    """What has no place of its own is placed where the statement starts."""
    try:
        return QueryBinder(catalog, select.text, rooms=Rooms(select.settings)).bind_root(select.query)
    except QueryError as error:
        if error.line:
            raise
        line, column = line_and_column(select.text, select.start)
        raise type(error)(error.message, line=line, column=column) from error


def deliver(relation: Relation, columns: list[tuple[str, Expression]]) -> Delivery:
    """The Delivery of outputs over a relation's fields. A Sort that the analyst's side can do is taken off."""
    outputs: list[OutputColumn] = []
    fractions: list[Fraction] = []
    for name, expression in columns:
        outputs.append(_output(name, expression, fractions))
    if isinstance(relation, Sort):
        order = _local_order(relation.keys, [expression for _, expression in columns])
        if order is not None:
            return Delivery(relation.source, tuple(outputs), tuple(fractions), order, ranked=False)
    ranked = isinstance(relation, Sort | Limit)
    return Delivery(relation, tuple(outputs), tuple(fractions), (), ranked)


def _output(name: str, expression: Expression, fractions: list[Fraction]) -> OutputColumn:
    if isinstance(expression, Column):
        return OutputColumn(name, expression.type, "word", (expression.index,), expression.nullable)
    if isinstance(expression, Elapsed):
        return replace(_output(name, expression.x, fractions), type=expression.type)
    if isinstance(expression, WrittenDouble):
        if isinstance(expression.x, Elapsed):
            words = tuple(part.index for part in expression.x.split or (expression.x.x,) if isinstance(part, Column))
            return OutputColumn(name, expression.type, "interval", words, expression.nullable)
        return replace(_output(name, expression.x, fractions), type=expression.type, written=True)
    if isinstance(expression, LongText):
        places = tuple(word.index for word in expression.bare if isinstance(word, Column))
        return OutputColumn(name, expression.type, "text", places, expression.nullable)
    if is_number(expression):  # wider than a word
        whole = Divide(expression, Literal(1, expression.type))
        place = _fraction(whole, fractions)
        return OutputColumn(name, expression.type, "whole", (place,), expression.nullable)
    if isinstance(expression, PlusRoot):
        root = expression.root
        if expression.nullable and not expression.together:
            raise InternalError("a sum with a root shows one of its parts where the other is NULL")
        assert isinstance(expression.x, Divide) and isinstance(root, Sqrt) and isinstance(root.x, Divide)
        both = _fraction(expression.x, fractions), _fraction(root.x, fractions)
        way: OneOf["plus_root", "plus_signed_root"] = "plus_signed_root" if root.signed else "plus_root"
        return OutputColumn(name, expression.type, way, both, expression.nullable)
    quotient = expression.x if isinstance(expression, Sqrt) else expression
    assert isinstance(quotient, Divide)
    if quotient is expression and isinstance(quotient.numerator, Column) and over_constant(quotient) is not None:
        word, divisor = quotient.numerator, quotient.denominator
        assert isinstance(divisor, Literal) and divisor.value is not None
        return OutputColumn(name, expression.type, "word", (word.index,), word.nullable, divisor.value)
    place = _fraction(quotient, fractions)
    kind: OneOf["root", "signed_root", "fraction"] = "fraction"
    if isinstance(expression, Sqrt):
        kind = "signed_root" if expression.signed else "root"
    return OutputColumn(name, expression.type, kind, (place,), expression.nullable)


def _fraction(quotient: Divide, fractions: list[Fraction]) -> int:
    """Where a quotient is among the fractions."""
    numerator, denominator = quotient.numerator, quotient.denominator
    bits = field_bits_for(numerator, denominator)
    fraction = Fraction(transform(numerator, _unbounded), transform(denominator, _unbounded), bits)
    if fraction not in fractions:
        fractions.append(fraction)
    return fractions.index(fraction)


def _unbounded(node: Expression) -> Expression:
    """What is known of a polynomial's bounds chooses the field, and is no part of it."""
    return node.x if isinstance(node, Within) else node


def _local_order(keys: tuple[SortKey, ...], outputs: list[Expression]) -> tuple[LocalSortKey, ...] | None:
    """The keys as outputs of their own, or None if one is not: then the engine must rank."""
    order = [_local_key(key, outputs) for key in keys]
    known = tuple(key for key in order if key is not None)
    return known if len(known) == len(order) else None


def _local_key(key: SortKey, outputs: list[Expression]) -> LocalSortKey | None:
    for i, given in enumerate(outputs):
        output = given.x if isinstance(given, WrittenDouble) else given
        if given is not output and isinstance(output, Elapsed) and output.split:
            continue  # the words of which the text is made order as nothing does
        forms = (output, output.x if isinstance(output, Sqrt) else output, word_of(output))
        if key.expression in (*forms, *map(fold, forms)):  # rules fold keys, and leave outputs as they are
            return LocalSortKey(i, key.descending, key.nulls_first)
        if isinstance(output, LongText) and key.expression in output.words:
            return LocalSortKey(i, key.descending, key.nulls_first, output.words.index(key.expression))
    return None
