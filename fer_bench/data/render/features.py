"""The mean face: what is carved out of and put onto the canonical head."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .fields import Bump, bumps, lip_envelope, slit_distance
from .grid import MOUTH_ROW, ROWS, SkinGrid, skin_grid, smoothstep

__all__ = ["mean_face"]

_RELIEF: tuple[Bump, ...] = (
    (3.1, 0.1, 1.55, 1.05, 0, 0, -0.95),  # eye sockets
    (1.5, 0.3, 0.60, 0.9, 0, 0, -0.65),  # beside the root of the nose
    (2.6, 2.0, 1.9, 0.7, 0, 0, 0.30),  # brow ridge
    (0.0, 2.2, 1.0, 0.9, 0, 0, 0.08),
    (5.0, 1.6, 0.8, 1.0, 0, 0, 0.15),
    (4.7, -2.5, 1.5, 1.2, 0.10, 0, 0.40),  # cheekbones
    (4.4, -6.2, 1.3, 1.8, -0.05, 0, -0.25),  # hollow of the cheeks
    (0.0, -6.7, 2.9, 2.3, 0, 0, 0.45),  # the teeth's arch under the lips
    (1.9, -5.0, 0.45, 0.9, 0, 0, -0.16),  # fold from nose to mouth
    (2.9, -6.8, 0.45, 0.6, 0, -0.05, -0.22),  # mouth's corners
    (0.0, -8.55, 1.5, 0.45, 0, 0, -0.30),  # below the lower lip
    (0.0, -10.0, 1.5, 1.1, 0, 0, 0.50),  # chin
    (2.6, -2.0, 1.2, 0.5, 0, 0, -0.12),  # below the eyes
)
_RIDGE_Y = np.array([-9.0, -5.5, -5.2, -4.95, -4.7, -4.45, -4.15, -3.8, -3.4, -2.5, -1.5, -0.5, 0.5, 1.6, 12.0])
_RIDGE_Z = np.array([0.0, 0.0, 0.14, 0.50, 1.15, 1.90, 2.42, 2.58, 2.42, 1.85, 1.30, 0.82, 0.42, 0.0, 0.0])
_WIDTH_Z = np.array([1.0, 1.0, 1.0, 1.02, 1.05, 1.08, 1.10, 1.12, 1.15, 1.25, 1.20, 1.08, 0.95, 0.95, 0.9])


@lru_cache(maxsize=1)
def mean_face() -> NDArray[np.float64]:
    """Positions of the mean person's skin with lids and lips closed: (ROWS, COLUMNS, 3) in cm."""
    grid = skin_grid()
    shape = grid.base + bumps(grid, _RELIEF)
    shape[:, :, 2] += _nose(grid)
    shape += _lips(grid)
    return shape


def _nose(grid: SkinGrid) -> NDArray[np.float64]:
    x, y = np.abs(grid.base[:, :, 0]), grid.base[:, :, 1]
    ridge = np.interp(y, _RIDGE_Y, _RIDGE_Z)
    width = np.interp(y, _RIDGE_Y, _WIDTH_Z)
    nose = ridge * np.exp(-((x / width) ** 2.0))
    below = smoothstep(y, -5.05, -4.5)
    wings = 1.05 * np.exp(-(np.abs((x - 1.25) / 0.50) ** 2.4) - np.abs((y + 4.0) / 0.62) ** 2.4) * below
    nostrils = -0.45 * np.exp(-(((x - 0.60) / 0.30) ** 2) - ((y + 4.72) / 0.18) ** 2)
    result: NDArray[np.float64] = (nose + wings + nostrils) * grid.front
    return result


def _lips(grid: SkinGrid) -> NDArray[np.float64]:
    """Bulges of the red of the lips, rolled inwards at their line; the groove under the nose."""
    x = grid.base[:, :, 0]
    d = slit_distance(grid, MOUTH_ROW)
    half = grid.base[MOUTH_ROW, grid.mouth_column, 0]
    along = np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1))
    upper = np.arange(ROWS)[:, None] <= MOUTH_ROW
    bulge = np.where(upper, 0.34 * np.exp(-(((d - 0.42) / 0.42) ** 2)), 0.48 * np.exp(-(((d + 0.50) / 0.48) ** 2)))
    roll = -0.42 * np.exp(-((d / 0.16) ** 2))
    out = np.zeros_like(grid.base)
    out[:, :, 2] = (bulge * along + roll * lip_envelope(grid) * along) * grid.front
    philtrum = -0.12 * np.exp(-((x / 0.32) ** 2)) + 0.06 * np.exp(-(((np.abs(x) - 0.55) / 0.25) ** 2))
    out[:, :, 2] += philtrum * smoothstep(d, 0.5, 0.9) * smoothstep(d, 2.2, 1.6)
    # the corners turn down a little, and the line has its bow
    out[:, :, 1] += np.exp(-((d / 0.9) ** 2)) * (0.07 * np.cos(np.pi * x / half) * (np.abs(x) < 1.5 * half))
    return out
