"""Smooth displacement fields over the canonical head, written as tables of Gaussian bumps.

One bump is ``(x, y, sx, sy, dx, dy, dz)``: centred at (+-x, y), pushing outwards by dx, up by dy, forwards by dz
(cm), on both sides of the face. An eighth entry "upper" or "lower" keeps it above or below the mouth's line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .grid import COLUMNS, MOUTH_ROW, ROWS, SkinGrid, bell

__all__ = ["Bump", "bumps", "lip_envelope", "slit_distance"]

Bump = (
    tuple[float, float, float, float, float, float, float] | tuple[float, float, float, float, float, float, float, str]
)


def slit_distance(grid: SkinGrid, row: int) -> NDArray[np.float64]:
    """Canonical height above (+) or below (-) a slit's line, column by column: (ROWS, COLUMNS)."""
    return grid.base[:, :, 1] - grid.base[row, :, 1][None, :]


def lip_envelope(grid: SkinGrid) -> NDArray[np.float64]:
    """1 along the lips, 0 at the mouth's corners and outwards, relaxing to 1 away from the line.

    A displacement of one lip alone has to vanish at the corner, where both lips share their vertices.
    """
    half = grid.base[MOUTH_ROW, grid.mouth_column, 0]
    along = np.sqrt(np.clip(1 - (grid.base[MOUTH_ROW, :, 0] / half) ** 2, 0, 1))[None, :]
    away = 1 - np.exp(-((slit_distance(grid, MOUTH_ROW) / 1.1) ** 2))
    result: NDArray[np.float64] = along + (1 - along) * away
    return result


def bumps(grid: SkinGrid, terms: Sequence[Bump]) -> NDArray[np.float64]:
    """Add up bumps: (ROWS, COLUMNS, 3) displacements in cm."""
    x, y = grid.base[:, :, 0], grid.base[:, :, 1]
    side = np.tanh(x / 0.35)
    above = np.arange(ROWS)[:, None] <= MOUTH_ROW
    total = np.zeros((ROWS, COLUMNS, 3))
    for term in terms:
        x0, y0, sx, sy, dx, dy, dz = term[:7]
        weight = bell(np.abs(x), y, x0, y0, sx, sy) * grid.front
        if len(term) == 8:
            weight = weight * lip_envelope(grid) * (above if term[7] == "upper" else ~above)
        total[:, :, 0] += dx * weight * side
        total[:, :, 1] += dy * weight
        total[:, :, 2] += dz * weight
    return total
