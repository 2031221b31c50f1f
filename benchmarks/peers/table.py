"""Times of several systems as a table of ratios: for a terminal, as markdown, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of one system and workload. problem: why there is nothing."""

    rows: int = 0
    seconds: tuple[float, ...] = ()
    problem: str = ""

    @property
    def nanoseconds(self) -> float | None:
        """Per row: the median of the runs; None if there are none."""
        if not self.seconds:
            return None
        ordered, half = sorted(self.seconds), len(self.seconds) // 2
        median = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
        return median / self.rows * 1e9


@dataclass(frozen=True, slots=True)
class Comparison:
    """figures: by workload's title, then by system's title. ours: the titles that the others are compared with."""

    figures: Mapping[str, Mapping[str, Figure]]
    ours: Sequence[str]

    @property
    def systems(self) -> list[str]:
        """Titles, ours first, in the order in which they were measured."""
        named = {title: None for line in self.figures.values() for title in line}
        return [*self.ours, *(title for title in named if title not in self.ours)]

    def ratio(self, workload: str, system: str, ours: str) -> float | None:
        """How many times as long a system takes as ours, per row."""
        line = self.figures[workload]
        theirs, own = (line.get(title, Figure()).nanoseconds for title in (system, ours))
        return theirs / own if theirs is not None and own else None

    def cells(self) -> list[list[str]]:
        """The table's lines, without its header: `ns per row (ratio to each of ours)`, rows where they differ."""
        return [[workload, *(self._cell(workload, system) for system in self.systems)] for workload in self.figures]

    def _cell(self, workload: str, system: str) -> str:
        line = self.figures[workload]
        figure = line.get(system, Figure(problem="–"))
        if figure.nanoseconds is None:
            return figure.problem
        text = f"{_amount(figure.nanoseconds)} ns"
        if system not in self.ours:
            ratios = [self.ratio(workload, system, own) for own in self.ours]
            text += f" ({' / '.join(f'{_amount(r)}×' for r in ratios if r is not None)})"
            if any(figure.rows != line[own].rows for own in self.ours if own in line):
                text += f" at {_rows(figure.rows)}"
        return text

    def header(self) -> list[str]:
        """The titles of the columns."""
        return ["per row", *self.systems]

    def rich(self) -> Table:
        """For a terminal."""
        table = Table(
            title="nanoseconds a row; in brackets how many times as long as ours (" + " / ".join(self.ours) + ")"
        )
        for place, title in enumerate(self.header()):
            table.add_column(title, justify="right" if place else "left")
        for line in self.cells():
            table.add_row(*line)
        return table

    def markdown(self) -> str:
        """For a document."""
        header = self.header()
        lines = [header, ["---"] * len(header), *self.cells()]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def json(self) -> dict[str, object]:
        """Everything that was measured."""
        return {
            workload: {
                system: {"rows": f.rows, "seconds": list(f.seconds), "ns_per_row": f.nanoseconds, "problem": f.problem}
                for system, f in line.items()
            }
            for workload, line in self.figures.items()
        }


def _amount(value: float) -> str:
    """Three digits at most before the decimal point matters no more: 1.4, 58, 1,330."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _rows(count: int) -> str:
    power = len(str(count)) - 1
    superscript = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    first = count // 10**power
    return f"10{superscript}" if first == 1 else f"{first}·10{superscript}"
