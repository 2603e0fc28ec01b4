"""Small drawings for the rows of a table, on one scale for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..model.tables import Drawing
from . import svg

__all__ = ["dumbbells"]


def dumbbells(rows: Sequence[dict[str, Any]], first: str, second: str) -> str:
    """Give each row its dumbbell under ``drawing``, and return the words for their scale.

    Parameters
    ----------
    rows : sequence of dict
        Changed in place; each holds estimates under the two keys, and its family.
    first, second : str
        Keys of the ring and of the disc.
    """
    shares = [row[key].value for row in rows for key in (first, second)]
    low, high = np.floor(10 * min(shares)) / 10, np.ceil(10 * max(shares)) / 10
    scale = (float(low), float(max(high, low + 0.1)))
    for row in rows:
        row["drawing"] = Drawing(svg.dumbbell(row[first].value, row[second].value, row["family"], scale))
    return f"{100 * scale[0]:.0f} to {100 * scale[1]:.0f} %"
