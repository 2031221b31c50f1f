"""EXPLAIN ANALYZE on the analyst's side: what the parties have measured, put together, as JSON values or as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from smpc_sql.errors import PeerError


def merged(texts: Mapping[str, str]) -> dict[str, Any]:
    """The parties' reports (`engine.report`) as one, each operator with what was measured of it.

    "seconds" is the slowest party's. Raises PeerError for a party whose report is none, or differs in the plan.
    """
    reports = {party: _read(party, text) for party, text in texts.items()}
    measured = {party: report.pop("measured") for party, report in reports.items()}
    totals = [report.pop("total", None) for report in reports.values()]
    first, *others = reports
    for party in others:
        if reports[party] != reports[first]:
            raise PeerError(party, f"reports another plan than {first}")
    report = reports[first]
    try:
        _fill(report["operators"], list(measured.values()))
        report["measured"] = _merged(totals)
    except (KeyError, IndexError, TypeError, RecursionError) as error:
        raise PeerError(first, "sent a report that is none") from error
    return report


def _read(party: str, text: str) -> dict[str, Any]:
    try:
        report = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PeerError(party, "sent a report that is none") from error
    if not isinstance(report, dict) or not isinstance(report.get("measured"), list):
        raise PeerError(party, "sent a report that is none")
    return report


def _fill(node: dict[str, Any], measured: Sequence[list[dict[str, Any]]]) -> None:
    mine = [each[node["number"]] for each in measured]
    node["measured"] = _merged(mine)
    for source in node["inputs"]:
        _fill(source, measured)


def _merged(costs: Sequence[Any]) -> dict[str, Any]:
    return {
        "seconds": max(cost["seconds"] for cost in costs),
        "rounds": max(cost["rounds"] for cost in costs),
        "bytes_sent": [cost["bytes_sent"] for cost in costs],
        "bytes_dealt": sum(cost["bytes_dealt"] for cost in costs),
    }


def as_text(report: Mapping[str, Any]) -> str:
    """A merged report for people."""
    lines = ["plan:", *("  " + line for line in report["plan"])]
    lines.append(f"operators, measured with {report['parties']} parties (predicted in brackets where it differs):")
    lines += _tree(report["operators"], 1)
    total, cost = report["measured"], report["cost"]
    lines.append(f"total: {_cost(total, cost)}")
    lines += ["discloses:", *(f"  {line}" for line in report["discloses"] or ("nothing",))]
    return "\n".join(lines)


def _tree(node: Mapping[str, Any], depth: int) -> list[str]:
    line = f"{'  ' * depth}{node['text']}; {node['rows']:,} rows; {_cost(node['measured'], node['predicted'])}"
    return [line, *(inner for source in node["inputs"] for inner in _tree(source, depth + 1))]


def _cost(measured: Mapping[str, Any], predicted: Mapping[str, Any]) -> str:
    sent, foreseen = max(measured["bytes_sent"]), max(predicted["bytes_sent"])
    return (
        f"{measured['seconds']:.3f} s, {_beside(measured['rounds'], predicted['rounds'])} rounds, "
        f"{_beside(sent, foreseen)} bytes sent by each party, "
        f"{_beside(measured['bytes_dealt'], predicted['bytes_dealt'])} dealt"
    )


def _beside(measured: int, predicted: int) -> str:
    return f"{measured:,}" if measured == predicted else f"{measured:,} ({predicted:,})"
