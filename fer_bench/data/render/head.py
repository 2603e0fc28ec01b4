"""A person's head wearing an expression: vertices of the skin, centres of the eyes, turn of the jaw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .actions import ACTION_UNITS, JAW_DEGREES, LIDS, Expression, action_fields
from .features import mean_face
from .fields import slit_distance
from .grid import COLUMNS, EYE_ROW, MOUTH_ROW, ROWS, skin_grid, smoothstep
from .people import Person, shape_fields

__all__ = ["EYE_RADIUS", "JAW_AXIS", "Head", "neutral_skin", "pose_head", "turn_jaw"]

EYE_RADIUS = 1.55
"""Larger than an eyeball's 1.2 cm, so that the ball reaches the corners of the lids' opening."""
_LID = 0.09
JAW_AXIS = (-1.0, -0.4)
"""y and z of the axis through the jaw's joints."""


@dataclass(frozen=True)
class Head:
    """Geometry of one expression.

    Attributes
    ----------
    skin : (ROWS, COLUMNS, 3) float64
        Vertices in cm.
    eyes : (2, 3) float64
        Centres of the eyeballs, the picture's left one first.
    lips : (3,) float64
        Middle of the mouth's line at rest, for the teeth.
    jaw : float
        Opening in radians.
    """

    skin: NDArray[np.float64]
    eyes: NDArray[np.float64]
    lips: NDArray[np.float64]
    jaw: float


def neutral_skin(person: Person) -> NDArray[np.float64]:
    """The person's skin at rest with closed lids: (ROWS, COLUMNS, 3)."""
    # einsum without BLAS: the sum runs in one order however many threads a process has
    own: NDArray[np.float64] = np.einsum("k,krcd->rcd", person.shape.astype(np.float32), shape_fields())
    return mean_face() + own


def pose_head(person: Person, neutral: NDArray[np.float64], expression: Expression) -> Head:
    """Move the skin by the action units, then the jaw, then wrap the lids around the eyes."""
    weights = expression.weights.reshape(-1).astype(np.float32)
    used = np.flatnonzero(weights)
    skin = neutral + np.einsum("k,krcd->rcd", weights[used], action_fields()[used])
    mean = expression.weights.mean(axis=0)
    asked = sum(mean[ACTION_UNITS.index(u)] * d for u, d in JAW_DEGREES.items())
    # the joint lets no more than this
    jaw = float(np.deg2rad(20 * np.tanh(asked / 20)))
    turned = turn_jaw(skin, jaw)
    skin = skin + (turned - skin) * _jaw_weight()[:, :, None]
    eyes = _eye_centres(neutral)
    for side in (0, 1):
        up, down = person.traits["lid_up"], person.traits["lid_down"]
        for unit, (rise, fall) in LIDS.items():
            weight = expression.weights[side, ACTION_UNITS.index(unit)]
            up, down = up + rise * weight, down + fall * weight
        # looking down takes the upper lid along
        up += 0.012 * min(expression.gaze[1], 0)
        _open_lids(skin, eyes[side], side, max(up, 0.02), max(down, -0.1))
    return Head(skin, eyes, neutral[MOUTH_ROW, COLUMNS // 2].copy(), jaw)


def turn_jaw(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Rotate points (..., 3) about the jaw's axis; positive opens."""
    y, z = points[..., 1] - JAW_AXIS[0], points[..., 2] - JAW_AXIS[1]
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([points[..., 0], y * c - z * s + JAW_AXIS[0], y * s + z * c + JAW_AXIS[1]], axis=-1)


@lru_cache(maxsize=1)
def _jaw_weight() -> NDArray[np.float64]:
    """How far each vertex follows the jaw: (ROWS, COLUMNS), 0 to 1."""
    grid = skin_grid()
    x, y = np.abs(grid.base[:, :, 0]), grid.base[:, :, 1]
    d = slit_distance(grid, MOUTH_ROW)
    half = grid.base[MOUTH_ROW, grid.mouth_column, 0]
    corner = 0.42
    ends = corner * np.exp(-((np.maximum(x - half, 0) / 1.6) ** 2))
    inside = np.sqrt(np.clip(1 - (grid.base[MOUTH_ROW, :, 0] / half) ** 2, 0, 1))[None, :]
    low_line = ends + (1 - corner) * inside
    up_line = ends * (1 - inside) + 0.02 * inside
    upper = np.arange(ROWS)[:, None] <= MOUTH_ROW
    fade = np.exp(-((d / 1.5) ** 2))
    above = up_line * np.exp(-((d / 1.3) ** 2))
    bone = smoothstep(grid.base[:, :, 2], -2.5, 3.5)
    below = bone + (low_line - bone) * fade
    throat = smoothstep(y, -15.5, -11.2)
    result: NDArray[np.float64] = np.where(upper, above, below * throat) * grid.front
    return result


def _eye_centres(neutral: NDArray[np.float64]) -> NDArray[np.float64]:
    inner, outer = skin_grid().eye_columns
    mirror = COLUMNS - 1
    centres = []
    for a, b in ((mirror - inner, mirror - outer), (inner, outer)):
        corners = neutral[EYE_ROW, [a, b]]
        middle = corners.mean(axis=0)
        centres.append([middle[0], middle[1], middle[2] + 0.95 - EYE_RADIUS])
    return np.array(centres)


def _open_lids(skin: NDArray[np.float64], centre: NDArray[np.float64], side: int, up: float, down: float) -> None:
    """Part one eye's lids (cm above and below the line) and lay the skin around the ball; changes ``skin``."""
    grid = skin_grid()
    inner, outer = (grid.base[EYE_ROW, c, 0] for c in grid.eye_columns)
    sign = 1.0 if side else -1.0
    half = COLUMNS // 2
    columns = slice(half, None) if side else slice(0, half + 1)
    s = ((sign * grid.base[EYE_ROW, columns, 0]) - (inner + outer) / 2) / ((outer - inner) / 2)
    open_ = np.clip(1 - np.abs(s) ** 2.3, 0, 1) ** 0.85
    d = slit_distance(grid, EYE_ROW)[:, columns]
    above = np.arange(ROWS)[:, None] <= EYE_ROW
    fall = np.clip(1 - np.abs(d) / 2.2, 0, 1) ** 2
    rise = up * open_ * (1 - 0.10 * s)
    drop = down * open_ * (1 + 0.18 * s)
    part = skin[:, columns]
    near = (np.abs(d) < 2.2) & grid.front[:, columns].astype(bool)
    part[:, :, 1] += np.where(near, np.where(above, rise, -drop) * fall, 0.0)
    across = ((part[:, :, :2] - centre[:2]) ** 2).sum(axis=2)
    ball = centre[2] + np.sqrt(np.maximum((EYE_RADIUS + _LID) ** 2 - across, 0.0))
    ball = np.where(across < (EYE_RADIUS + _LID) ** 2, ball, -50.0)
    flat = part[:, :, 2]
    # smooth maximum: the lids bulge over the ball and run out into the socket
    k = 0.30
    h = np.clip(0.5 + 0.5 * (ball - flat) / k, 0, 1)
    wrapped = flat + (ball - flat) * h + k * h * (1 - h)
    part[:, :, 2] = np.where(near & (np.abs(d) < 2.0), wrapped, flat)
