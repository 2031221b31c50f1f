"""A term that all readers of what is shared filter by is tested once, where it is computed."""

from __future__ import annotations

from smpc_sql.plan.expressions import Expression
from smpc_sql.plan.relations import Filter, Relation, Shared, own_columns, rewrite, sources, substitute, walk
from smpc_sql.plan.rules.push_filters import conjunction, conjuncts


def filter_shared(relation: Relation) -> Relation:
    """Terms common to all filters right above a joint below it."""
    moved: list[str] = []  # each joint once: it may have come out the same
    while True:
        terms = {digest: common for digest, common in _common(relation).items() if common and digest not in moved}
        if not terms:
            return relation
        digest = next(iter(terms))
        moved.append(digest)
        relation = _moved(relation, digest, terms[digest])


def _common(relation: Relation) -> dict[str, tuple[Expression, ...]]:
    """By digest, the terms that all readers ask for."""
    found: dict[str, tuple[Expression, ...]] = {}
    for node in walk(relation):
        mine = conjuncts(node.predicate) if isinstance(node, Filter) else ()
        for source in sources(node):
            if isinstance(source, Shared):
                before = found.get(source.digest, mine)
                found[source.digest] = tuple(term for term in before if term in mine)
    return found


def _moved(relation: Relation, digest: str, terms: tuple[Expression, ...]) -> Relation:
    filtered: list[Shared] = []

    def joint(shared: Shared, source: Relation) -> Relation:
        if shared.digest == digest:
            predicate = substitute(conjunction(terms), own_columns(source))
            filtered.append(Shared(Filter(source, predicate)))
            return filtered[0]
        return shared if source == shared.source else Shared(source)

    def change(node: Relation) -> Relation:
        if isinstance(node, Filter) and node.source in filtered:
            rest = tuple(term for term in conjuncts(node.predicate) if term not in terms)
            return Filter(node.source, conjunction(rest)) if rest else node.source
        return node

    return rewrite(relation, change, joint)
