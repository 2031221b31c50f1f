"""EXPLAIN (FORMAT JSON) and EXPLAIN ANALYZE: keys that stay, sums that add up, predictions that come true."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smpc_sql import analysis
from smpc_sql.engine.report import analyze, as_text, report
from smpc_sql.errors import PeerError
from smpc_sql.testing import LockstepConsortium
from tests.engine.consortium import consortium_of
from tests.plan.small import small_world

QUERIES = (
    "SELECT t.e, COUNT(*), AVG(t.a) FROM t JOIN u ON t.k = u.uid WHERE a > 1 GROUP BY t.e ORDER BY 2 LIMIT 2",
    "SELECT k FROM t UNION ALL SELECT k FROM w",
    "SELECT id, SUM(a) OVER (PARTITION BY e) FROM t WHERE k IN (SELECT uid FROM u)",
    "SELECT 1 AS one",
)
KEYS = {
    "report": {"format", "parties", "plan", "operators", "cost", "discloses"},
    "operators": {"number", "operator", "text", "rows", "predicted", "inputs"},
    "cost": {"rounds", "bytes_sent", "bytes_dealt", "dealt"},
    "dealt": {"kind", "count", "bytes"},
    "predicted": {"rounds", "bytes_sent", "bytes_dealt"},
    "measured": {"seconds", "rounds", "bytes_sent", "bytes_dealt"},
}


@pytest.fixture(scope="module")
def consortium() -> LockstepConsortium:
    consortium = consortium_of(small_world(), 2)
    consortium.check("u")
    return consortium


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(inner for source in node["inputs"] for inner in nodes(source))]


@pytest.mark.parametrize("sql", QUERIES)
def test_operators_add_up_to_the_whole(sql: str, consortium: LockstepConsortium) -> None:
    found = report(consortium.prepare(sql), 2)
    operators = {node["number"]: node["predicted"] for node in nodes(found["operators"])}
    for i in range(2):
        assert sum(cost["bytes_sent"][i] for cost in operators.values()) == found["cost"]["bytes_sent"][i]
    assert sum(cost["bytes_dealt"] for cost in operators.values()) == found["cost"]["bytes_dealt"]
    # operators that run side by side share their rounds
    assert found["cost"]["rounds"] <= sum(cost["rounds"] for cost in operators.values())
    assert max(cost["rounds"] for cost in operators.values()) <= found["cost"]["rounds"]


@pytest.mark.parametrize("sql", QUERIES)
def test_what_is_measured_is_what_was_predicted(sql: str, consortium: LockstepConsortium) -> None:
    prepared = consortium.prepare(sql)
    found = consortium._run(lambda backend, tables: analyze(prepared, backend, tables))
    whole = analysis.merged({f"p{i}": as_text(each) for i, each in enumerate(found)})
    for node in nodes(whole["operators"]):
        measured = {**node["measured"]}
        assert measured.pop("seconds") >= 0
        assert measured == node["predicted"]
    assert {key: whole["measured"][key] for key in KEYS["predicted"]} == {
        key: whole["cost"][key] for key in KEYS["predicted"]
    }
    assert 0 < whole["measured"]["seconds"] < 60
    text = analysis.as_text(whole)
    assert "(" not in text.split("total: ")[1], "nothing differs from its prediction"


def test_the_keys_are_the_documented_ones(consortium: LockstepConsortium) -> None:
    prepared = consortium.prepare(QUERIES[0])
    found = json.loads(as_text(report(prepared, 2)))
    assert set(found) == KEYS["report"] and found["format"] == 1 and found["discloses"] == []
    assert set(found["cost"]) == KEYS["cost"]
    assert all(set(each) == KEYS["dealt"] for each in found["cost"]["dealt"])
    for node in nodes(found["operators"]):
        assert set(node) == KEYS["operators"] and set(node["predicted"]) == KEYS["predicted"]
    shares = consortium._run(lambda backend, tables: analyze(prepared, backend, tables))
    whole = analysis.merged({"a": as_text(shares[0]), "b": as_text(shares[1])})
    assert set(whole) == {*KEYS["report"], "measured"} and set(whole["measured"]) == KEYS["measured"]
    assert all(set(node["measured"]) == KEYS["measured"] for node in nodes(whole["operators"]))


def test_what_is_disclosed_is_listed() -> None:
    """A key of rows of two owners, that the query relies on."""
    found = report(consortium_of(small_world(), 2).prepare(QUERIES[0]), 2)
    (line,) = found["discloses"]
    assert line.startswith("once, before it first runs (CHECK TABLE u): whether PRIMARY KEY (uid) of table u holds")


def test_a_report_that_is_none_names_the_party(consortium: LockstepConsortium) -> None:
    prepared = consortium.prepare(QUERIES[1])
    good = as_text(consortium._run(lambda backend, tables: analyze(prepared, backend, tables))[0])
    for bad in ("", "[]", "{}", as_text(report(prepared, 2))):
        with pytest.raises(PeerError, match="p2: sent a report"):
            analysis.merged({"p1": good, "p2": bad})
    with pytest.raises(PeerError, match="p2: reports another plan"):
        analysis.merged({"p1": good, "p2": good.replace('"rows": ', '"rows": 1')})
    with pytest.raises(PeerError, match="sent a report"):
        analysis.merged({"p1": good, "p2": good.replace('"seconds"', '"minutes"')})
