"""Joins of many with many: how many pairs of rows there may be must be known, or be few."""

from __future__ import annotations

from smpc_sql.errors import InternalError, SizeUnknown, Unsupported
from smpc_sql.plan.relations import MAX_PRODUCT, Join, Relation, Sized, walk


class JoinUnsized(SizeUnknown):
    """join: whose size is to be opened. sized: how."""

    def __init__(self, join: Join, sized: Sized) -> None:
        self.join = join
        self.sized = sized
        _, line, column = _refusal(join)
        what = "the number of pairs of this join is to be opened before the rest can be planned"
        super().__init__(what, sized.number, line=max(1, line), column=column)


def check_pairs(relation: Relation) -> None:
    """Raises Unsupported, located, for a join whose pairs nobody limits and that are too many to be looked at."""
    for join in _unlimited(relation):
        raise _refused(join)


def check_sizes(relation: Relation) -> None:
    """Raises JoinUnsized if the size of a join is to be opened first: the first one below which all is known.

    Raises Unsupported, located, rather than open a size in vain: if there is a join, too, that nobody limits.
    """
    ready = [join for join in _unlimited(relation) if len(_unlimited(join)) == 1]
    unsized = [JoinUnsized(join, join.expansion.sized) for join in ready if join.expansion and join.expansion.sized]
    if not unsized:
        return
    for join in ready:
        if join.expansion and not join.expansion.sized:
            raise _refused(join)
    raise min(unsized, key=lambda error: error.number)


def _unlimited(relation: Relation) -> list[Join]:
    return [node for node in walk(relation) if isinstance(node, Join) and needs_limit(node)]


def _refusal(join: Join) -> tuple[str, int, int]:
    if join.expansion is None:
        raise InternalError("only what is expanded needs a limit")
    return join.expansion.refusal


def _refused(join: Join) -> Unsupported:
    message, line, column = _refusal(join)
    return Unsupported(message, line=line, column=column)


def needs_limit(join: Join) -> bool:
    """Whether a join of many with many can only be made if it is known how many pairs there are."""
    return join.expansion is not None and join.expansion.limit is None and join.max_rows > MAX_PRODUCT


def every_pair(join: Join) -> bool:
    """Whether its pairs are no fewer than all there are, which then are simply put side by side, if they are few."""
    return join.max_rows == join.left.max_rows * join.right.max_rows <= MAX_PRODUCT
