"""Where the head is, and what light and camera do to it: one scene a session, small accidents a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["VIEW_YAW", "Camera", "Light", "Shot", "project", "rotation", "sample_shot"]

VIEW_YAW = {"FL": -88.0, "HL": -45.0, "S": 0.0, "HR": 45.0, "FR": 88.0}
"""Degrees; negative looks to the picture's left, as KDEF's left views do."""
_PIXELS_PER_CM = 17.9 / 762
_EYE_LINE = 0.440
_DISTANCE = 190.0


@dataclass(frozen=True)
class Light:
    """Lamps (directions towards them, camera's frame, with colours), ambient light from above and below."""

    directions: NDArray[np.float64]
    colours: NDArray[np.float64]
    sky: NDArray[np.float64]
    ground: NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """Blur in pixels of a picture 762 high, exposure, contrast, noise in grey levels, backdrop."""

    blur: float
    exposure: float
    balance: NDArray[np.float64]
    contrast: float
    noise: float
    backdrop: NDArray[np.float64]


@dataclass(frozen=True)
class Shot:
    """Pose (degrees; roll clockwise in the picture), shift (share of the height), scale, light, camera."""

    yaw: float
    pitch: float
    roll: float
    shift: tuple[float, float]
    scale: float
    light: Light
    camera: Camera
    seed: int


def sample_shot(seed: int, person: tuple[int, int], session: int, emotion: int, view: int, yaw: float) -> Shot:
    """Draw the circumstances of one picture: the person's, the session's and its own."""
    habit = np.random.default_rng([seed, 211, *person])
    day = np.random.default_rng([seed, 223, *person, session])
    now = np.random.default_rng([seed, 227, *person, session, emotion, view])
    pitch0, scale0 = habit.normal(0, 2.0), habit.normal(1, 0.02)
    # chair and camera stay where they are for a session; people sit down differently the next time
    pitch = pitch0 + day.normal(0, 1.6) + now.normal(0, 0.4)
    turned = day.normal(0, 1.8)
    roll = habit.normal(0, 0.6) + day.normal(0, 0.8) + now.normal(0, 0.35)
    shift = (0.0045 * day.normal() + 0.0012 * now.normal(), 0.0045 * day.normal() + 0.0012 * now.normal())
    scale = scale0 * (1 + 0.010 * day.normal() + 0.001 * now.normal())
    light, camera = _light(day), _camera(day, now)
    return Shot(yaw + turned + now.normal(0, 0.8), pitch, roll, shift, scale, light, camera, int(now.integers(2**31)))


def _light(day: np.random.Generator) -> Light:
    """Two lamps left and right of the camera, one stronger; a third behind the camera."""
    lean = day.uniform(-0.7, 0.7)
    key = np.array([-0.75 + 0.15 * day.normal(), 0.72 + 0.15 * day.normal(), 0.75])
    fill = np.array([0.80 + 0.15 * day.normal(), 0.62 + 0.15 * day.normal(), 0.70])
    front = np.array([0.08 * day.normal(), 0.35 + 0.12 * day.normal(), 1.0])
    directions = np.stack([d / np.linalg.norm(d) for d in (key, fill, front)])
    strength = np.array([0.50 * (1 + lean), 0.50 * (1 - lean), 0.34])
    warm = 1 + np.array([0.02, 0.0, -0.03]) * day.normal()
    return Light(directions, strength[:, None] * warm, 0.33 * warm, 0.15 * np.array([1.05, 1.0, 0.92]) * warm)


def _camera(day: np.random.Generator, now: np.random.Generator) -> Camera:
    grey = np.clip(day.normal(0.52, 0.04), 0.25, 0.75) * (1 + 0.015 * day.standard_normal(3))
    return Camera(
        blur=float(day.uniform(0.5, 1.1)),
        exposure=float(np.exp(day.normal(0, 0.10) + now.normal(0, 0.015))),
        balance=1 + 0.015 * day.standard_normal(3),
        contrast=float(day.normal(1.0, 0.03)),
        noise=float(day.uniform(1.0, 2.6)),
        backdrop=grey,
    )


def rotation(shot: Shot) -> NDArray[np.float64]:
    """Head's frame to camera's frame (x right, y up, z towards the camera): 3 x 3."""
    yaw, pitch, roll = np.deg2rad([shot.yaw, shot.pitch, shot.roll])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return _product(about_z, _product(about_y, about_x))


def _product(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrix product with a fixed order of summation (no BLAS)."""
    result: NDArray[np.float64] = (a[:, :, None] * b[None, :, :]).sum(axis=1)
    return result


def project(
    points: NDArray[np.float64], shot: Shot, size: tuple[int, int], zoom: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, 3) in the head's frame to pixels (n, 2) and distances (n,) in cm, for a picture of ``size`` * zoom."""
    turn = rotation(shot)
    x, y, z = ((points * turn[i]).sum(axis=1) for i in range(3))
    distance = _DISTANCE - z
    pixels = size[1] * _PIXELS_PER_CM * shot.scale * zoom * _DISTANCE / distance
    column = (0.5 * size[0] + shot.shift[0] * size[1]) * zoom + x * pixels
    line = (_EYE_LINE + shot.shift[1]) * size[1] * zoom - y * pixels
    return np.stack([column, line], axis=1), distance
