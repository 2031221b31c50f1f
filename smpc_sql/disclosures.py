"""What a query may open to everybody besides its result, by name: what a party's policy allows or refuses.

keys       whether declared keys hold between loads, one bit each, once
join_rows  whether the pairs of a join fit a bound that the query declares, one bit
join_size  how many pairs of rows a join has
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from smpc_sql.errors import PolicyError

Disclosure = Literal["keys", "join_rows", "join_size"]

DISCLOSURES: tuple[Disclosure, ...] = ("keys", "join_rows", "join_size")
"""All that there are."""

USUAL: tuple[Disclosure, ...] = ("keys", "join_rows")
"""What a party allows whose policy says nothing."""

_WHAT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "keys": (
            "whether declared keys hold between loads to be opened",
            "ask what does not rely on keys between loads",
        ),
        "join_rows": (
            "whether a join fits a declared bound to be opened (JOIN_ROWS)",
            "join what is unique on one side, or group it first",
        ),
        "join_size": (
            "how many pairs a join has to be opened (JOIN_SIZE)",
            "declare a bound instead, JOIN_ROWS(n)",
        ),
    }
)


def check_allowed(party: str, asked: Sequence[Disclosure], allowed: Sequence[Disclosure]) -> None:
    """Raises PolicyError, in the party's name, for the first disclosure that its policy does not allow.

    Who allows a join's size to be opened allows the bit that follows from it.
    """
    for name in asked:
        if name not in allowed and not (name == "join_rows" and "join_size" in allowed):
            what, instead = _WHAT[name]
            raise PolicyError(
                f"{party} does not allow {what}: {instead}, or let its operator add {name} to the party's "
                "`discloses` in the consortium file"
            )
