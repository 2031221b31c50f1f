"""Rounding of DOUBLE columns as they are loaded, and the record of what it lost."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_EXACT = decimal.Context(prec=1200)  # any double has fewer digits
_WORD = 2**63


@dataclass(frozen=True, slots=True)
class Rounding:
    """What rounding a column lost. rows: how many values changed. largest: by how much at most."""

    rows: int
    largest: decimal.Decimal

    def __str__(self) -> str:
        values = "1 value" if self.rows == 1 else f"{self.rows} values"
        return f"{values} rounded, by at most {self.largest:.3g}"


def round_to(
    words: npt.NDArray[np.int64], inexact: npt.NDArray[np.bool_], texts: Sequence[str], decimals: int
) -> Rounding | None:
    """Replaces the words of inexact rows by the number rounded to so many decimals, halves away from 0.

    texts: well-formed numbers [rows]. Returns what was lost, None if nothing was.
    """
    largest = decimal.Decimal(0)
    rows = np.flatnonzero(inexact).tolist()
    unit = decimal.Decimal(1).scaleb(-decimals)
    for row in rows:
        exact = decimal.Decimal(texts[row].strip())
        rounded = exact.quantize(unit, decimal.ROUND_HALF_UP, _EXACT)
        largest = max(largest, abs(_EXACT.subtract(exact, rounded)))
        words[row] = min(max(int(rounded.scaleb(decimals, _EXACT)), -_WORD), _WORD - 1)
    return Rounding(len(rows), largest) if rows else None
