"""What was made lately is not made again."""

from __future__ import annotations

import pytest

from smpc_sql.recent import Recent


def test_the_last_ones_are_kept() -> None:
    made: list[int] = []

    def make(key: int) -> int:
        made.append(key)
        return key * 10

    recent: Recent[int, int] = Recent(2)
    assert [recent.get(key, lambda key=key: make(key)) for key in (1, 2, 1, 3, 1, 2)] == [10, 20, 10, 30, 10, 20]
    assert made == [1, 2, 3, 2]


def test_what_does_not_fit_or_fails_is_made_again() -> None:
    recent: Recent[str, int] = Recent(2)
    assert recent.get("a", lambda: 1, lambda value: value > 1) == 1
    with pytest.raises(KeyError):
        recent.get("a", lambda: {}["b"])
    assert recent.get("a", lambda: 2) == 2
    assert recent.get("a", lambda: 3) == 2
