"""What the files of simulated figures have in common: cells, tables, noise, and the list of what misses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percent(share: float) -> str:
    """A share as a cell; empty where there is none."""
    return "" if np.isnan(share) else f"{100 * share:.1f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def noise(repeats: int, share: float = 0.05) -> float:
    """Half width of the 95 % range of a rate that is truly ``share``."""
    return float(1.96 * np.sqrt(share * (1 - share) / repeats))


def outside(cell: str, low: float, high: float) -> bool:
    """Whether a cell in % is not as wanted; an empty one is neither."""
    return cell != "" and not low <= float(cell) <= high


def misses(cells: Sequence[str], of: int) -> list[str]:
    """One line that names the cells that are not as wanted."""
    found = f"Outside of what is wanted, {len(cells)} of {of} cells: {'; '.join(cells)}."
    return ["", found if cells else f"All {of} cells are as wanted."]
