"""Who a face belongs to: shape, skin, hair, brows and eyes, drawn once a person.

Sex shifts the distributions and never decides a value on its own. The sizes of the spreads are of the order that
anthropometry of adult faces reports (Farkas, Anthropometry of the Head and Face, 1994: 3 to 8 % of a length).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .fields import Bump, bumps
from .grid import skin_grid, smoothstep

__all__ = ["SHAPES", "Person", "sample_person", "shape_fields"]

# name: (spread, shift for men (women get its negative), bumps in cm at value 1); empty: a formula below
_SHAPES: dict[str, tuple[float, float, tuple[Bump, ...]]] = {
    "width": (0.035, 0.012, ()),
    "length_below": (0.038, 0.012, ()),
    "length_above": (0.035, 0.0, ()),
    "depth": (0.03, 0.006, ()),
    "neck_width": (0.05, 0.06, ()),
    "jaw_width": (0.35, 0.22, ((5.2, -8.0, 2.0, 2.4, 1, 0, 0),)),
    "cheek_full": (0.38, -0.08, ((4.6, -5.6, 2.0, 2.2, 0.5, 0, 1),)),
    "cheekbones": (0.22, 0.0, ((5.0, -2.2, 1.7, 1.2, 0.6, 0, 0.8),)),
    "chin_forward": (0.40, 0.12, ((0, -10.0, 1.9, 1.5, 0, 0, 1),)),
    "chin_width": (0.30, 0.16, ((1.7, -10.2, 1.1, 1.2, 0.6, 0, 0.5),)),
    "chin_length": (0.32, 0.10, ((0, -10.8, 2.8, 1.6, 0, -1, 0),)),
    "brow_ridge": (0.16, 0.16, ((2.3, 2.0, 2.0, 0.8, 0, -0.2, 1),)),
    "forehead": (0.30, -0.10, ((0, 5.6, 3.5, 2.0, 0, 0, 1),)),
    "nose_length": (0.28, 0.08, ((0, -3.9, 1.6, 1.5, 0, -1, 0),)),
    "nose_out": (0.30, 0.10, ((0, -3.7, 0.9, 1.5, 0, 0, 1),)),
    "nose_bridge": (0.22, 0.08, ((0, -0.4, 0.7, 1.4, 0, 0, 1),)),
    "nose_hump": (0.14, 0.04, ((0, -1.5, 0.6, 0.8, 0, 0, 1),)),
    "nose_width": (0.17, 0.05, ((1.3, -4.0, 0.9, 0.9, 1, 0, 0),)),
    "nose_tip_up": (0.12, -0.06, ((0, -4.0, 0.9, 0.7, 0, 1, 0.2),)),
    "mouth_width": (0.20, 0.04, ((2.6, -6.8, 1.5, 1.4, 1, 0, -0.3),)),
    "mouth_height": (0.22, 0.0, ((0, -6.8, 3.4, 1.5, 0, 1, 0),)),
    "lip_upper": (0.13, -0.06, ((0, -6.1, 2.3, 0.5, 0, 1, 0.5),)),
    "lip_lower": (0.14, -0.06, ((0, -7.6, 2.2, 0.6, 0, -1, 0.6),)),
    "lips_forward": (0.20, 0.0, ((0, -6.8, 2.2, 1.2, 0, 0, 1),)),
    "eye_spacing": (0.17, 0.0, ((3.1, 0.0, 1.8, 1.5, 1, 0, -0.15),)),
    "eye_depth": (0.16, -0.06, ((3.1, 0.1, 1.8, 1.2, 0, 0, 1),)),
    "eye_height": (0.14, 0.0, ((3.1, 0.0, 2.4, 1.5, 0, 1, 0),)),
    "eye_tilt": (0.10, -0.03, ((4.6, 0.0, 0.9, 0.9, 0, 1, 0), (1.6, 0.0, 0.7, 0.8, 0, -0.6, 0))),
    "eye_length": (0.08, 0.0, ((4.6, 0.0, 0.9, 0.9, 1, 0, -0.2),)),
    "temples": (0.25, 0.0, ((6.2, 2.5, 1.5, 2.2, 1, 0, 0),)),
    "crooked_nose": (0.10, 0.0, ()),
    "crooked_mouth": (0.08, 0.0, ()),
}
SHAPES: tuple[str, ...] = tuple(_SHAPES)
"""Names of the shape parameters."""

_SKIN_TONES = np.array(
    [[232, 190, 167], [224, 178, 150], [208, 158, 128], [188, 136, 104], [150, 104, 76], [112, 76, 56]]
)
_HAIR = np.array(
    [[38, 28, 23], [62, 43, 31], [92, 65, 44], [136, 103, 66], [184, 152, 104], [120, 62, 38], [140, 136, 132]]
)
_EYES = np.array([[86, 60, 38], [108, 80, 48], [98, 102, 66], [104, 128, 146], [84, 108, 130]])


@dataclass(frozen=True)
class Person:
    """What stays the same over a person's pictures.

    Attributes
    ----------
    shape : (len(SHAPES),) float64
        Coefficients of `shape_fields`.
    skin, hair, eyes, lips : (3,) float64
        Colours, linear light, 0 to 1.
    traits : dict of str to float
        Everything else; see `sample_person`.
    seed : int
        Of the marks on the skin, strands and hairs.
    """

    sex: str
    shape: NDArray[np.float64]
    skin: NDArray[np.float64]
    hair: NDArray[np.float64]
    eyes: NDArray[np.float64]
    lips: NDArray[np.float64]
    traits: dict[str, float]
    seed: int


def _linear(colour: NDArray[np.float64]) -> NDArray[np.float64]:
    return (np.clip(colour, 1, 255) / 255) ** 2.2


def sample_person(seed: int, sex: str, number: int) -> Person:
    """Draw a person; the same for the same arguments, whoever else is drawn."""
    rng = np.random.default_rng([seed, 101, "FM".index(sex), number])
    male = 1.0 if sex == "M" else -1.0
    spread = np.array([s for s, _, _ in _SHAPES.values()])
    shift = np.array([m for _, m, _ in _SHAPES.values()])
    shape = spread * np.clip(rng.standard_normal(len(spread)), -2.2, 2.2) + male * shift
    tone = rng.choice(6, p=[0.26, 0.28, 0.2, 0.12, 0.08, 0.06])
    skin = _SKIN_TONES[tone] * (1 + 0.05 * rng.standard_normal()) + rng.normal(0, 4, 3)
    dark = tone >= 3
    hair = _HAIR[rng.choice(7, p=[0.6, 0.35, 0.05, 0, 0, 0, 0] if dark else [0.14, 0.22, 0.22, 0.18, 0.14, 0.06, 0.04])]
    hair = hair * np.exp(0.15 * rng.standard_normal())
    eyes = _EYES[rng.choice(5, p=[0.8, 0.2, 0, 0, 0] if dark else [0.22, 0.2, 0.16, 0.22, 0.2])] + rng.normal(0, 8, 3)
    lips = skin * np.array([0.86, 0.68, 0.68]) + (np.array([8.0, -6, -2]) if male < 0 else 0.0) + rng.normal(0, 4, 3)
    long_hair = rng.random() < (0.62 if male < 0 else 0.05)
    bearded = male > 0 and rng.random() < 0.6
    traits = {
        "long_hair": float(long_hair),
        "hair_volume": float(np.clip(rng.normal(0.9 if male < 0 else 0.75, 0.35), 0.15, 1.8)),
        "hairline": float(rng.normal(7.2 if male > 0 else 7.0, 0.5)),
        "temple_line": float(np.clip(rng.normal(0.55 if male > 0 else 0.2, 0.35), 0, 1.6)),
        "fringe": float(np.clip(rng.normal(0.4, 0.6), 0, 1.6) if male < 0 else np.clip(rng.normal(0.0, 0.5), 0, 1.2)),
        "parting": float(rng.uniform(-3, 3)),
        "over_ears": float(rng.random() < 0.5),
        "curl": float(np.clip(rng.normal(0.2, 0.45), 0, 1.2)),
        "brow_height": float(rng.normal(0.12 if male < 0 else -0.08, 0.16)),
        "brow_thick": float(np.clip(rng.normal(0.29 if male < 0 else 0.37, 0.06), 0.19, 0.56)),
        "brow_arch": float(np.clip(rng.normal(0.22 if male < 0 else 0.10, 0.12), -0.15, 0.5)),
        "brow_dark": float(np.clip(rng.normal(0.82 if male < 0 else 0.9, 0.12), 0.45, 1.0)),
        "brow_length": float(rng.normal(0.0, 0.2)),
        "lid_up": float(np.clip(rng.normal(0.40, 0.05), 0.29, 0.54)),
        "lid_down": float(np.clip(rng.normal(0.42, 0.045), 0.32, 0.52)),
        "lashes": float(np.clip(rng.normal(0.75 if male < 0 else 0.45, 0.15), 0.15, 1.0)),
        "ears": float(rng.normal(1.0, 0.07)),
        "ears_out": float(np.clip(rng.normal(21, 6), 13, 36)),
        "stubble": float(rng.uniform(0.15, 0.75) if bearded else 0.0),
        "blotches": float(rng.uniform(0.3, 1.0)),
        "ruddy": float(np.clip(rng.normal(0.5, 0.25), 0, 1)),
        "freckles": float(np.clip(rng.normal(-0.2, 0.5), 0, 1) * (not dark)),
        "moles": float(rng.integers(0, 6)),
        "age": float(np.clip(rng.normal(0.35, 0.25), 0, 1)),
        "shine": float(rng.uniform(0.5, 1.2)),
    }
    return Person(
        sex, shape, _linear(skin), _linear(hair), _linear(eyes), _linear(lips), traits, int(rng.integers(2**31))
    )


@lru_cache(maxsize=1)
def shape_fields() -> NDArray[np.float32]:
    """Displacements in cm at coefficient 1: (len(SHAPES), ROWS, COLUMNS, 3) float32."""
    grid = skin_grid()
    x, y, z = (grid.base[:, :, i] for i in range(3))
    zero = np.zeros_like(x)
    body = smoothstep(y, -10.5, -13.0)
    formulas = {
        "width": (x, zero, zero),
        "length_below": (zero, np.minimum(y, 0) * smoothstep(y, -19.5, -11.0), zero),
        "length_above": (zero, np.maximum(y, 0), zero),
        "depth": (zero, zero, z),
        "neck_width": (x * body, zero, (z + 2) * body),
        "crooked_nose": (np.exp(-((x / 1.2) ** 2) - ((y + 3.6) / 1.6) ** 2) * grid.front, zero, zero),
        "crooked_mouth": (
            zero,
            np.tanh(x / 2.0) * np.exp(-((x / 3.5) ** 2) - ((y + 6.8) / 1.3) ** 2) * grid.front,
            zero,
        ),
    }
    fields = [np.stack(formulas[n], axis=2) if n in formulas else bumps(grid, t) for n, (_, _, t) in _SHAPES.items()]
    return np.stack(fields).astype(np.float32)
