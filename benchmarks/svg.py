"""A small plot with two logarithmic axes, as SVG text: no library needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 400, 56, 16, 176, 44
_COLOURS = ("#1b6ca8", "#c8553d", "#3f7d20", "#7b4fa3")
_DASHES = ("", "7 3", "3 3", "1 3")
_UP = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Curve:
    """colour and dash go by the two names. points: (x, y), above 0."""

    colour: str
    dash: str
    points: tuple[tuple[float, float], ...]


def log_plot(curves: Sequence[Curve], *, x: str, y: str) -> str:
    """All curves in one frame; x and y are the axes' titles. Raises ValueError without a point."""
    points = [point for curve in curves for point in curve.points]
    if not points:
        raise ValueError("nothing to plot")
    low_x, high_x = _decades([point[0] for point in points])
    low_y, high_y = _decades([point[1] for point in points])

    def across(value: float) -> float:
        return _LEFT + (math.log10(value) - low_x) / (high_x - low_x) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return _HEIGHT - _BOTTOM - (math.log10(value) - low_y) / (high_y - low_y) * (_HEIGHT - _TOP - _BOTTOM)

    colours = list(dict.fromkeys(curve.colour for curve in curves))
    dashes = list(dict.fromkeys(curve.dash for curve in curves))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for power in range(low_x, high_x + 1):
        at = across(10.0**power)
        lines.append(f'<path d="M{at:.1f} {_TOP}V{bottom}" stroke="#ddd"/>')
        lines.append(_text(at, bottom + 16, f"10{str(power).translate(_UP)}", "middle"))
    for power in range(low_y, high_y + 1):
        at = down(10.0**power)
        lines.append(f'<path d="M{_LEFT} {at:.1f}H{right}" stroke="#ddd"/>')
        lines.append(_text(_LEFT - 6, at + 4, f"10{str(power).translate(_UP)}", "end"))
    lines += [_text((_LEFT + right) / 2, _HEIGHT - 8, x, "middle"), _text(6, _TOP + 8, y, "start")]
    for curve in curves:
        path = "L".join(f"{across(a):.1f} {down(b):.1f}" for a, b in curve.points)
        stroke = _stroke(_COLOURS[colours.index(curve.colour) % 4], _DASHES[dashes.index(curve.dash) % 4])
        lines.append(f'<path d="M{path}" fill="none" {stroke}/>')
    legend = [(name, _stroke(_COLOURS[n % 4], "")) for n, name in enumerate(colours)]
    legend += [(name, _stroke("#444", _DASHES[n % 4])) for n, name in enumerate(dashes)]
    for number, (name, stroke) in enumerate(legend):
        at = _TOP + 12 + 20 * number
        lines.append(f'<path d="M{right + 14} {at}h32" {stroke}/>')
        lines.append(_text(right + 54, at + 4, name, "start"))
    return "\n".join([*lines, "</svg>\n"])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low = math.floor(math.log10(min(values)) + 1e-9)
    return low, max(low + 1, math.ceil(math.log10(max(values)) - 1e-9))


def _stroke(colour: str, dash: str) -> str:
    return f'stroke="{colour}" stroke-width="2"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _text(across: float, down: float, text: str, anchor: str) -> str:
    return f'<text x="{across:.1f}" y="{down:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
