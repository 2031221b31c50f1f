"""What is shared but has one reader left, or costs nothing, is part of its readers again, and of their optimisation."""

from __future__ import annotations

from smpc_sql.plan.relations import Relation, Shared, rewrite
from smpc_sql.plan.sharing import is_free, readers


def inline_shared(relation: Relation) -> Relation:
    """Joints of a plan only where they save something."""
    often = readers(relation)

    def joint(shared: Shared, source: Relation) -> Relation:
        if often[shared.digest] <= 1 or is_free(source):
            return source
        return shared if source == shared.source else Shared(source)

    return rewrite(relation, lambda node: node, joint)
