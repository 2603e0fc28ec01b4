"""FACS action units: how each moves the skin, and which make up an expression.

Numbers and names of the units, and the combinations for the basic emotions, follow Ekman, Friesen & Hager,
Facial Action Coding System (2002) and its EMFACS table of prototypes and major variants.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .fields import Bump, bumps
from .grid import SkinGrid, skin_grid, smoothstep

__all__ = ["ACTION_UNITS", "JAW_DEGREES", "LIDS", "Expression", "action_fields", "sample_expression"]

_SKIN: dict[int, tuple[Bump, ...]] = {
    1: ((0.9, 2.7, 1.5, 1.8, 0, 0.70, 0.02),),
    2: ((4.0, 2.5, 1.6, 1.8, 0.05, 0.65, -0.05),),
    4: ((1.3, 2.1, 1.4, 1.2, -0.36, -0.64, 0.28), (3.6, 2.1, 1.5, 1.2, -0.08, -0.47, 0.16)),
    5: (),
    6: ((4.0, -2.3, 1.9, 1.3, 0.05, 0.42, 0.32), (5.6, -0.4, 1.0, 1.0, -0.15, 0.15, 0.0)),
    7: ((3.1, -1.0, 1.8, 0.6, 0, 0.12, 0.06),),
    9: (
        (1.3, -3.7, 0.8, 1.0, 0.06, 0.45, 0.10),
        (0.7, 0.9, 0.9, 1.0, -0.12, -0.25, 0.14),
        (0.9, 2.1, 1.0, 0.9, -0.15, -0.35, 0.12),
        (1.3, -6.2, 1.3, 0.9, 0, 0.30, 0.05, "upper"),
    ),
    10: (
        (1.5, -6.4, 1.3, 0.9, 0.06, 0.62, 0.12, "upper"),
        (2.4, -4.9, 1.0, 1.0, 0.10, 0.32, 0.25),
        (1.5, -4.0, 0.5, 0.6, 0.12, 0.16, 0.0),
    ),
    12: (
        (2.65, -6.8, 1.4, 1.2, 0.80, 0.85, -0.60),
        (4.3, -3.7, 1.7, 1.5, 0.20, 0.45, 0.38),
        (0, -6.8, 1.6, 1.2, 0, 0.05, -0.22),
    ),
    15: ((2.65, -6.8, 1.2, 1.0, 0.10, -0.80, -0.12), (2.9, -8.4, 1.1, 0.9, 0.06, -0.30, 0.18)),
    16: ((0.7, -7.6, 1.8, 0.9, 0.05, -0.55, 0.14, "lower"),),
    17: (
        (0, -9.6, 1.6, 1.3, 0, 0.50, 0.26),
        (0, -7.4, 1.9, 0.9, 0, 0.42, 0.28, "lower"),
        (0, -6.4, 1.9, 0.8, 0, 0.36, 0.14, "upper"),
    ),
    20: ((2.65, -6.8, 1.4, 1.4, 0.80, -0.12, -0.50), (1.2, -7.4, 1.5, 1.0, 0.15, -0.12, -0.16)),
    23: (
        (0, -6.05, 2.0, 0.45, 0, -0.22, -0.06, "upper"),
        (0, -7.75, 2.0, 0.5, 0, 0.28, -0.06, "lower"),
        (0, -6.8, 2.2, 0.6, 0, 0, -0.22),
        (2.65, -6.8, 0.9, 0.9, -0.22, 0, 0),
    ),
    24: (
        (0, -6.05, 2.3, 0.6, 0, -0.42, -0.04, "upper"),
        (0, -7.75, 2.3, 0.7, 0, 0.52, -0.06, "lower"),
        (0, -6.8, 2.5, 0.6, 0, 0, -0.42),
        (0, -5.4, 1.8, 0.5, 0, -0.06, 0.12, "upper"),
        (0, -8.8, 2.0, 0.8, 0, 0.16, 0.16),
    ),
    25: ((0, -6.7, 2.4, 0.9, 0, 0.16, 0.04, "upper"), (0, -7.0, 2.4, 1.0, 0, -0.34, 0.04, "lower")),
    26: (),
    27: ((2.65, -6.8, 1.3, 1.4, -0.35, 0.0, 0.22),),
    43: (),
}
ACTION_UNITS: tuple[int, ...] = tuple(_SKIN)
"""Units that a `Truth` lists, in this order."""

JAW_DEGREES = {26: 8.0, 27: 15.0, 17: -0.6}
LIDS = {5: (0.36, 0.06), 6: (-0.05, -0.17), 7: (-0.08, -0.20), 43: (-0.42, -0.02), 4: (-0.09, 0.0), 12: (0.0, -0.06)}
"""Unit: (rise of the upper lid's edge, fall of the lower's) at weight 1, in cm."""

# unit: (probability of taking part, mean weight) at full intensity
_EMOTIONS: dict[str, dict[int, tuple[float, float]]] = {
    "AF": {1: (0.95, 1.0), 2: (0.85, 0.85), 4: (0.7, 0.45), 5: (0.95, 0.95), 20: (0.8, 0.85), 25: (0.95, 1.0),
           26: (0.85, 0.95), 7: (0.3, 0.3)},
    "AN": {4: (1.0, 1.25), 5: (0.7, 0.5), 7: (0.95, 1.0), 23: (0.75, 0.9), 24: (0.95, 1.0), 17: (0.75, 0.8),
           10: (0.35, 0.55), 9: (0.3, 0.5), 15: (0.35, 0.6)},
    "DI": {9: (0.8, 1.0), 10: (0.8, 0.95), 4: (0.8, 0.75), 17: (0.65, 0.75), 16: (0.3, 0.5), 25: (0.45, 0.7),
           6: (0.4, 0.5), 7: (0.6, 0.7), 15: (0.35, 0.7)},
    "HA": {6: (0.9, 0.95), 12: (1.0, 1.15), 25: (0.85, 1.0), 26: (0.35, 0.5), 10: (0.25, 0.35)},
    "NE": {},
    "SA": {1: (0.85, 1.05), 4: (0.9, 0.7), 15: (0.95, 1.15), 17: (0.75, 0.85), 43: (0.5, 0.5), 7: (0.3, 0.5),
           10: (0.12, 0.4)},
    "SU": {1: (1.0, 1.05), 2: (1.0, 1.05), 5: (0.85, 0.8), 25: (1.0, 0.9), 26: (0.95, 1.0), 27: (0.5, 0.8)},
}  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """One expression as one person makes it in one session.

    Attributes
    ----------
    weights : (2, n) float64
        Weight of each of `ACTION_UNITS` on the left and the right half of the picture, 0 to about 1.3.
    intensity : float
        What the person put into it, 0 to 1.
    gaze : tuple of float
        Degrees to the picture's right and up.
    """

    weights: NDArray[np.float64]
    intensity: float
    gaze: tuple[float, float]


def sample_expression(rng: np.random.Generator, emotion: str, style: np.random.Generator) -> Expression:
    """Draw one expression.

    Parameters
    ----------
    rng : Generator
        Of this person, session and emotion.
    emotion : str
        One of `fer_bench.labels.EMOTIONS`.
    style : Generator
        Of this person and emotion: which units take part is a habit that both sessions share.
    """
    n = len(ACTION_UNITS)
    gain = np.exp(0.22 * style.standard_normal(n))
    chosen = style.random(n)
    # posers are asked for strong and clear expressions; a little anger looks like a stern face at rest
    least = 0.68 if emotion == "AN" else 0.56
    keen = least + (1 - least) * style.beta(2.6, 1.5)
    intensity = float(np.clip(keen + 0.10 * rng.standard_normal(), least - 0.1, 1.0))
    weights = np.zeros(n)
    for unit, (probability, mean) in _EMOTIONS[emotion].items():
        i = ACTION_UNITS.index(unit)
        takes_part = 0.85 * chosen[i] + 0.15 * rng.random() < probability
        weights[i] = takes_part * mean * gain[i] * intensity * np.exp(0.18 * rng.standard_normal())
    # a face at rest is never quite at rest
    weights += np.where(rng.random(n) < 0.2, 0.12 * rng.random(n), 0.0) * np.array([u != 27 for u in ACTION_UNITS])
    skew = 0.09 * style.standard_normal() + 0.06 * rng.standard_normal(n)
    sides = np.clip(weights * np.stack([1 - skew, 1 + skew]), 0.0, 1.35)
    aside = rng.random() < 0.12
    gaze = rng.normal(0, 9.0 if aside else 1.2), rng.normal(0, 4.0 if aside else 0.8)
    return Expression(sides, intensity if emotion != "NE" else 0.0, (float(gaze[0]), float(gaze[1])))


@lru_cache(maxsize=1)
def action_fields() -> NDArray[np.float32]:
    """Displacements of all units, left halves then right halves: (2 n, ROWS, COLUMNS, 3) float32, cm at weight 1."""
    grid: SkinGrid = skin_grid()
    right = smoothstep(grid.base[:, :, 0], -0.8, 0.8)[None, :, :, None]
    both = np.stack([bumps(grid, terms) for terms in _SKIN.values()])
    return np.concatenate([both * (1 - right), both * right]).astype(np.float32)
