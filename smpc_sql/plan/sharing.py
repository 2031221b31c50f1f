"""What is computed once for all that read it: which relations are worth it, and who reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from smpc_sql.plan.expressions import (
    Add,
    Column,
    Expression,
    Literal,
    Multiply,
    Negate,
    Rescale,
    Subtract,
)
from smpc_sql.plan.relations import (
    Filter,
    Project,
    Relation,
    Scan,
    Shared,
    Sort,
    Values,
    digest_over,
    rebase,
    sources,
    walk,
)


def share(relation: Relation) -> Relation:
    """The relation for more than one reader, none of whom asks for its order: itself, where it costs nothing."""
    if isinstance(relation, Sort):
        return share(relation.source)
    return relation if is_free(relation) else Shared(relation)


def is_free(relation: Relation) -> bool:
    """Whether it costs no message, so that it may as well be computed by each of its readers."""
    match relation:
        case Scan() | Values() | Shared():
            return True
        case Filter(source, predicate):
            return not predicate.secret and is_free(source)
        case Project(source, expressions):
            return all(map(is_linear, expressions)) and is_free(source)
        case _:
            return False


def is_linear(expression: Expression) -> bool:
    """Whether it is linear in secrets, so that parties compute it without a message."""
    match expression:
        case Column() | Literal():
            return True
        case Add() | Subtract() | Negate() | Rescale():
            return all(map(is_linear, expression.parts))
        case Multiply(left, right):
            return not (left.secret and right.secret) and is_linear(left) and is_linear(right)
        case _:
            return False


def shared_below(relation: Relation) -> tuple[Shared, ...]:
    """All that is shared below, each once, and behind what it reads itself."""
    found: dict[str, Shared] = {}

    def visit(node: Relation) -> None:
        if isinstance(node, Shared) and node.digest in found:
            return
        for source in sources(node):
            visit(source)
        if isinstance(node, Shared):
            found[node.digest] = node

    visit(relation)
    return tuple(found.values())


def readers(relation: Relation) -> Counter[str]:
    """By digest, how many relations read what is shared."""
    return Counter(source.digest for node in walk(relation) for source in sources(node) if isinstance(source, Shared))


def share_repeated(relation: Relation, wanted: Callable[[Relation], bool]) -> Relation:
    """Wanted relations that are written more than once shared; parts of them only if they are used elsewhere, too.

    The root stays as it is: it is no part of itself.
    """
    inside: dict[str, _Marked] = {}
    marked = _mark(relation, inside)
    often = Counter(mark.digest for tree in (marked, *inside.values()) for mark in tree.all())
    done: dict[str, Relation] = {}

    def visit(node: Relation, mark: _Marked, outer: int) -> Relation:
        if isinstance(node, Shared):
            if node.digest not in done:
                source = visit(node.source, inside[node.digest], 1)
                done[node.digest] = node if source == node.source else Shared(source)
            return done[node.digest]
        mine = often[mark.digest] if wanted(node) else 1
        pairs = zip(sources(node), mark.below, strict=True)
        new = tuple(visit(source, below, max(outer, mine)) for source, below in pairs)
        here = node if new == sources(node) else rebase(node, new)
        return Shared(here) if mine > outer else here

    return visit(relation, marked, 1)


@dataclass(frozen=True, slots=True)
class _Marked:
    """A relation's digest, and those below, down to what is shared."""

    digest: str
    below: tuple[_Marked, ...]

    def all(self) -> Iterator[_Marked]:
        yield self
        for mark in self.below:
            yield from mark.all()


def _mark(relation: Relation, inside: dict[str, _Marked]) -> _Marked:
    """inside: gets the marks of what is shared, by its digest."""
    if isinstance(relation, Shared):
        if relation.digest not in inside:
            inside[relation.digest] = _mark(relation.source, inside)
        return _Marked(relation.digest, ())
    below = tuple(_mark(source, inside) for source in sources(relation))
    return _Marked(digest_over(relation, [mark.digest for mark in below]), below)
