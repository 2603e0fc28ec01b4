"""The skin's mesh: one grid from crown to neck, cut open along the eyes' and the mouth's line.

Units are centimetres in the head's own frame: x to the picture's right when the head looks at us, y up,
z towards us; the origin lies between the eyes, in the plane of the ears. Every shape, action unit and
paint is a function of the *canonical* coordinates, those of the smooth head before any feature is put on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "EYE_ROW", "MOUTH_ROW", "ROWS", "SkinGrid", "bell", "skin_grid", "smoothstep"]

# front (y, z), side (x, y, z), back (y, z), rows to the next key; from crown to collar
_KEYS = np.array(
    [
        [11.20, -1.00, 0.02, 11.2, -1.0, 11.2, -1.02, 3],
        [10.95, 1.90, 3.60, 10.6, -1.0, 10.7, -4.2, 3],
        [9.90, 4.90, 5.70, 9.3, -1.1, 9.2, -7.2, 4],
        [8.20, 7.00, 6.90, 7.4, -1.2, 6.9, -9.2, 6],
        [6.00, 8.25, 7.50, 5.1, -1.4, 4.3, -10.2, 6],
        [4.00, 8.95, 7.65, 3.3, -1.4, 2.2, -10.5, 8],
        [2.20, 9.10, 7.50, 1.8, -1.3, 0.6, -10.4, 14],
        [0.00, 8.55, 7.20, 0.0, -1.2, -1.0, -10.0, 14],
        [-2.20, 8.40, 7.00, -2.0, -1.1, -2.6, -9.2, 16],
        [-4.60, 8.80, 6.70, -4.1, -1.0, -4.4, -8.2, 16],
        [-6.80, 9.00, 6.25, -6.0, -0.8, -6.3, -7.3, 12],
        [-8.50, 8.75, 5.75, -7.2, -0.5, -7.9, -6.8, 8],
        [-10.30, 8.60, 5.20, -8.3, -0.4, -9.0, -6.6, 6],
        [-11.40, 7.70, 4.75, -9.1, -0.6, -9.8, -6.4, 4],
        [-12.00, 5.60, 4.40, -10.1, -1.0, -10.8, -6.2, 4],
        [-13.20, 3.70, 4.15, -11.8, -1.3, -12.4, -6.2, 4],
        [-15.80, 2.80, 4.20, -14.8, -1.6, -15.2, -6.5, 4],
        [-19.50, 2.50, 5.80, -19.5, -1.9, -19.5, -7.0, 0],
    ]
)
_FRONT, _BACK = 44, 16
COLUMNS = 2 * (_FRONT + _BACK) + 1
EYE_ROW = 44
"""Row of the upper lid's edge; the next row starts in the same place and is the lower lid's edge."""
MOUTH_ROW = EYE_ROW + 1 + 46
"""Row of the upper lip's edge; the next is the lower lip's."""
ROWS = MOUTH_ROW + 1 + 43


@dataclass(frozen=True)
class SkinGrid:
    """The canonical head.

    Attributes
    ----------
    base : (ROWS, COLUMNS, 3) float64
        Canonical positions in cm.
    angle : (COLUMNS,) float64
        Azimuth in degrees, 0 in front, from -180 to 180.
    front : (ROWS, COLUMNS) float64
        1 on the face, falling to 0 behind the ears.
    eye_columns : tuple of int
        Columns of the left eye's (picture's right's) inner and outer corner; the other eye mirrors them.
    mouth_column : int
        Column of the mouth's corner at positive x.
    """

    base: NDArray[np.float64]
    angle: NDArray[np.float64]
    front: NDArray[np.float64]
    eye_columns: tuple[int, int]
    mouth_column: int


def smoothstep(x: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """0 below ``low``, 1 above ``high``, a cubic between; ``low`` may exceed ``high``."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bell(
    x: NDArray[np.float64], y: NDArray[np.float64], x0: float, y0: float, sx: float, sy: float
) -> NDArray[np.float64]:
    """Gaussian bump of height 1 at (x0, y0) with standard deviations sx / sqrt 2, sy / sqrt 2."""
    return np.exp(-(((x - x0) / sx) ** 2) - ((y - y0) / sy) ** 2)


@lru_cache(maxsize=1)
def skin_grid() -> SkinGrid:
    """Build the canonical grid, once a process."""
    keys = _interpolate_keys()
    angle = _angles()
    a = np.deg2rad(angle)
    sine, cosine = np.sin(a)[None, :], np.cos(a)[None, :]
    yf, zf, xs, ys, zs, yb, zb = (keys[:, i : i + 1] for i in range(7))
    ahead = cosine >= 0
    tilt = np.where(ahead, sine**4, sine**2)
    y = np.where(ahead, yf, yb) * (1 - tilt) + ys * tilt
    z = zs + np.where(ahead, zf - zs, zs - zb) * np.sign(cosine) * np.abs(cosine) ** 0.95
    x = xs * np.sign(sine) * np.abs(sine) ** 0.97
    base = np.stack([x, y, z], axis=2)
    front = np.broadcast_to(smoothstep(cosine, -0.15, 0.35), x.shape)
    centre = COLUMNS // 2

    def column(row: int, at: float) -> int:
        """Nearest even column (every second one survives in the coarse mesh)."""
        even = np.arange(centre, centre + _FRONT, 2)
        return int(even[np.argmin(np.abs(base[row, even, 0] - at))])

    eyes = (column(EYE_ROW, 1.62), column(EYE_ROW, 4.6))
    return SkinGrid(base, angle, front, eyes, column(MOUTH_ROW, 2.55))


def _angles() -> NDArray[np.float64]:
    q = np.linspace(-1, 1, 2 * _FRONT + 1)
    face = 90 * (0.6 * q + 0.4 * q**3)
    nape = np.linspace(90, 180, _BACK + 1)[1:]
    return np.concatenate([-nape[::-1], face, nape])


def _interpolate_keys() -> NDArray[np.float64]:
    """Catmull-Rom through the keys; the eye and the mouth row come twice."""
    values, counts = _KEYS[:, :7], _KEYS[:, 7].astype(int)
    slopes = np.gradient(values, axis=0)
    rows = []
    for k, n in enumerate(counts[:-1]):
        t = (np.arange(n) / n)[:, None]
        h = (2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t, -2 * t**3 + 3 * t**2, t**3 - t**2)
        rows.append(h[0] * values[k] + h[1] * slopes[k] + h[2] * values[k + 1] + h[3] * slopes[k + 1])
    table = np.concatenate([*rows, values[-1:]])
    twice = np.ones(len(table), dtype=int)
    twice[EYE_ROW] = twice[MOUTH_ROW - 1] = 2
    table = np.repeat(table, twice, axis=0)
    assert table.shape[0] == ROWS
    return table
