"""Who is blamed, when several parties report errors."""

from __future__ import annotations

import pytest

from smpc_sql.calls import blame
from smpc_sql.errors import InternalError, PeerError, PolicyError, QueryError, SmpcError, UnknownName


def silent(peer: str) -> PeerError:
    return PeerError(peer, "no answer within 1 s")


@pytest.mark.parametrize(
    ("errors", "culprit"),
    [
        ({"a": silent("b"), "b": silent("c")}, "c"),
        ({"a": silent("b"), "c": silent("b")}, "b"),
        ({"a": silent("b"), "b": silent("c"), "c": silent("d")}, "d"),
        ({"a": silent("provider"), "b": silent("provider"), "c": silent("provider")}, "provider"),
        ({"a": silent("b"), "b": silent("b")}, "b"),
        ({"a": silent("b"), "b": InternalError("ValueError")}, "b"),
        ({"a": silent("b"), "b": UnknownName("no table t")}, "b"),
        ({"b": InternalError("ValueError"), "a": silent("b")}, "b"),
    ],
)
def test_the_deepest_is_blamed(errors: dict[str, SmpcError], culprit: str) -> None:
    found = blame(errors, 3)
    assert isinstance(found, PeerError)
    assert found.peer == culprit


@pytest.mark.parametrize("error", [PolicyError("b does not allow it"), QueryError("more pairs than there is room for")])
def test_a_refusal_is_the_answer(error: SmpcError) -> None:
    assert blame({"a": silent("b"), "b": error, "c": silent("a")}, 3) is error


def test_a_circle_ends() -> None:
    assert isinstance(blame({"a": silent("b"), "b": silent("a")}, 3), PeerError)


def test_what_all_say_is_said() -> None:
    errors: dict[str, SmpcError] = {name: UnknownName("no table t", line=1, column=2) for name in "abc"}
    assert isinstance(blame(errors, 3), UnknownName)


def test_what_only_one_says_is_said_if_nothing_else_is_known() -> None:
    assert isinstance(blame({"a": UnknownName("no table t")}, 3), UnknownName)
