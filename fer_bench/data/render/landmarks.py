"""The 68 landmarks of iBUG's 300-W (Sagonas et al., 2013), as places on the skin's grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .grid import EYE_ROW, MOUTH_ROW, skin_grid

__all__ = ["landmark_points"]

# canonical (x, y) of those that lie between features; the jaw's points follow the outline
_JAW = [(-7.0, -1.0), (-6.9, -2.8), (-6.6, -4.6), (-6.2, -6.3), (-5.5, -7.9), (-4.5, -9.2), (-3.1, -10.2),
        (-1.6, -10.9), (0.0, -11.2)]  # fmt: skip
_BROW = [(-5.0, 1.75), (-4.1, 2.3), (-3.1, 2.45), (-2.1, 2.3), (-1.2, 2.0)]
_RIDGE = [(0.0, 0.2), (0.0, -1.1), (0.0, -2.4), (0.0, -3.7)]
_BASE = [(-1.3, -4.5), (-0.65, -4.7), (0.0, -4.75), (0.65, -4.7), (1.3, -4.5)]


def landmark_points(skin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions (68, 3) in the head's frame of the landmarks on a posed skin (ROWS, COLUMNS, 3)."""
    rows, columns = _cells()
    return skin[rows, columns]


@lru_cache(maxsize=1)
def _cells() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    grid = skin_grid()
    cells: list[tuple[int, int]] = []
    half = [(-x, y) for x, y in reversed(_JAW[:-1])]
    cells += [_nearest(p) for p in _JAW + half]
    cells += [_nearest(p) for p in _BROW] + [_nearest((-x, y)) for x, y in reversed(_BROW)]
    cells += [_nearest(p) for p in _RIDGE + _BASE]
    inner, outer = grid.eye_columns
    last = len(grid.angle) - 1
    third = (outer - inner) / 3
    a, b = round(inner + third), round(outer - third)
    up, low = EYE_ROW, EYE_ROW + 1
    cells += [(up, last - outer), (up, last - b), (up, last - a), (up, last - inner), (low, last - a), (low, last - b)]
    cells += [(up, inner), (up, a), (up, b), (up, outer), (low, b), (low, a)]
    cells += _mouth(grid.mouth_column)
    table = np.array(cells)
    return table[:, 0], table[:, 1]


def _mouth(corner: int) -> list[tuple[int, int]]:
    last = len(skin_grid().angle) - 1
    middle = last // 2
    inner = [round(middle + (corner - middle) * t) for t in (-1, -0.62, -0.25, 0, 0.25, 0.62, 1)]
    red_up = [_row_at(c, 0.70) for c in inner[1:-1]]
    red_low = [_row_at(c, -0.88) for c in inner[1:-1]]
    outer = [(MOUTH_ROW, inner[0]), *zip(red_up, inner[1:-1], strict=True), (MOUTH_ROW, inner[-1])]
    outer += list(zip(reversed(red_low), reversed(inner[1:-1]), strict=True))
    step = [round(middle + (corner - middle) * t) for t in (-0.9, -0.45, 0, 0.45, 0.9)]
    return outer + [(MOUTH_ROW, c) for c in step] + [(MOUTH_ROW + 1, c) for c in step[3:0:-1]]


def _row_at(column: int, offset: float) -> int:
    grid = skin_grid()
    line = grid.base[MOUTH_ROW, column, 1]
    return int(np.argmin(np.abs(grid.base[:, column, 1] - line - offset)))


def _nearest(place: tuple[float, float]) -> tuple[int, int]:
    grid = skin_grid()
    gap = (grid.base[:, :, 0] - place[0]) ** 2 + (grid.base[:, :, 1] - place[1]) ** 2 + 1e3 * (grid.base[:, :, 2] < -2)
    row, column = np.unravel_index(int(np.argmin(gap)), gap.shape)
    return int(row), int(column)
