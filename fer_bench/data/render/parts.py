"""Everything but the skin: eyeballs, ears, teeth, the mouth's inside, long hair, a shirt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .actions import Expression
from .grid import COLUMNS, MOUTH_ROW, skin_grid, smoothstep
from .head import EYE_RADIUS, Head, turn_jaw
from .people import Person
from .surface import PATCHES, Layout, stretch

__all__ = ["Part", "build_parts"]

_NOWHERE = np.array([0.0, 5.0, -2.0])
"""Inside the head: where patches go that a person doesn't have."""
_SHIRT = np.array([0.17, 0.175, 0.185], np.float32)


@dataclass(frozen=True)
class Part:
    """One patch, ready for the atlas.

    Attributes
    ----------
    points : (rows, columns, 3) float64, cm.
    albedo : (h, w, 3) float32 of the patch's size in texels, linear light.
    gloss : float
    occlusion : (h, w) float32 or float
    """

    points: NDArray[np.float64]
    albedo: NDArray[np.float32]
    gloss: float = 0.1
    occlusion: NDArray[np.float32] | float = 1.0


def build_parts(
    person: Person, neutral: NDArray[np.float64], head: Head, face: Expression, at: Layout
) -> dict[str, Part]:
    """Make all patches but the skin, in the head's frame."""
    parts = {f"eye{i}": _eye(person, head.eyes[i], face.gaze, i, at) for i in (0, 1)}
    parts |= {f"ear{i}": _ear(person, neutral, -1 if i == 0 else 1, at) for i in (0, 1)}
    parts["teeth_up"] = _teeth(head, True, at)
    parts["teeth_low"] = _teeth(head, False, at)
    parts["cavity"] = _cavity(head, at)
    parts["tongue"] = _tongue(head, at)
    parts["hair"] = _long_hair(person, neutral, at)
    if person.traits["long_hair"] and person.traits["over_ears"]:
        for name in ("ear0", "ear1"):
            parts[name] = replace(parts[name], points=np.broadcast_to(_NOWHERE, parts[name].points.shape))
    parts["shirt"] = _shirt(neutral, at)
    return parts


def _unit_grid(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns, _ = PATCHES[name]
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return v, u


def _texels(name: str, at: Layout) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    h, w = at.size[name]
    v, u = np.meshgrid(np.linspace(0, 1, h), np.linspace(0, 1, w), indexing="ij")
    return v.astype(np.float32), u.astype(np.float32)


def _eye(person: Person, centre: NDArray[np.float64], gaze: tuple[float, float], index: int, at: Layout) -> Part:
    name = f"eye{index}"
    v, u = _unit_grid(name)
    polar, round_ = np.deg2rad(82) * v, 2 * np.pi * u
    ball = EYE_RADIUS * np.stack(
        [np.sin(polar) * np.cos(round_), np.sin(polar) * np.sin(round_), np.cos(polar)], axis=2
    )
    yaw, pitch = np.deg2rad(gaze[0] * 0.75), np.deg2rad(gaze[1] * 0.75)
    x, y, z = ball[..., 0], ball[..., 1], ball[..., 2]
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    points = np.stack([x, y, z], axis=2) + centre
    tv, tu = _texels(name, at)
    radius = EYE_RADIUS * np.sin(np.deg2rad(82) * tv) / 0.60
    rng = np.random.default_rng([person.seed, 3])
    rays = np.interp(tu.ravel() * 64, np.arange(65), rng.normal(0, 1, 65)).reshape(tu.shape)
    iris = person.eyes.astype(np.float32) * (1 + 0.25 * rays + 0.5 * (0.6 - radius))[:, :, None]
    iris = iris * (1 - 0.6 * _step(radius, 0.82, 1.0))[:, :, None]
    iris = iris * _step(radius, 0.36, 0.44)[:, :, None] + 0.006
    white = np.array([0.54, 0.505, 0.485], np.float32) - 0.25 * np.clip(radius - 1.6, 0, 1)[:, :, None] * [
        0.2,
        0.5,
        0.5,
    ]
    albedo = np.where(_step(radius, 0.94, 1.04)[:, :, None] > 0.5, white, iris)
    # the upper lid and its lashes shade the ball
    height = stretch(points[:, :, 1] - centre[1], PATCHES[name][2] * at.detail, at.size[name])
    shade = 1 - 0.60 * _step(height, 0.10, 0.75) - 0.25 * _step(height, -0.25, -0.6)
    side = stretch(np.abs(points[:, :, 0] - centre[0]), PATCHES[name][2] * at.detail, at.size[name])
    return Part(points, albedo.astype(np.float32), 2.2, (shade * (1 - 0.35 * _step(side, 0.8, 1.5))).astype(np.float32))


def _step(x: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    t = np.clip((x - low) / (high - low), 0, 1)
    result: NDArray[np.floating] = t * t * (3 - 2 * t)
    return result


def _ear(person: Person, neutral: NDArray[np.float64], sign: int, at: Layout) -> Part:
    """A bowl with a rim, hung on the head between cheek and nape; hidden under long hair."""
    name = "ear0" if sign < 0 else "ear1"
    v, u = _unit_grid(name)
    phi = 2 * np.pi * u
    size = person.traits["ears"]
    up = np.sin(phi)
    back = np.cos(phi) * sign
    height = 2.85 * size * v * up * np.where(up > 0, 1.0, 1.05)
    depth = 1.75 * size * v * back * (1 + 0.22 * up)
    rim = 0.50 * np.exp(-(((v - 0.86) / 0.13) ** 2)) * (0.55 + 0.45 * _step(up + 0.6 * back, -0.9, 0.2))
    inner = 0.30 * np.exp(-(((v - 0.56) / 0.13) ** 2)) * _step(back + 0.5 * up, -0.3, 0.4)
    bowl = -0.16 * np.exp(-((v / 0.36) ** 2))
    skirt = -1.1 * _step(v, 0.90, 1.0)
    out = rim + inner + bowl + skirt + 0.38
    lean = np.deg2rad(person.traits["ears_out"])
    # hinged at the front edge: the back stands off the head
    local_x = out * np.cos(lean) + (depth + 1.0) * np.sin(lean)
    local_z = -(depth + 1.0) * np.cos(lean) + out * np.sin(lean) * 0.4
    column = int(np.argmin(np.abs(skin_grid().angle - 88 * sign)))
    row = int(np.argmin(np.abs(neutral[:, column, 1] + 1.6)))
    anchor = neutral[row, column]
    points = np.stack(
        [anchor[0] + sign * (local_x - 0.1), anchor[1] + height + 0.1 * depth, anchor[2] + local_z], axis=2
    )
    tv, _ = _texels(name, at)
    tone = person.skin.astype(np.float32) * np.array([1.0, 0.86, 0.84], np.float32)
    dark = 1 - 0.6 * np.exp(-((tv / 0.33) ** 2)) - 0.35 * np.exp(-(((tv - 0.70) / 0.07) ** 2))
    albedo = np.broadcast_to(tone, (*tv.shape, 3)).copy()
    return Part(points, albedo, 0.25, dark.astype(np.float32))


def _teeth(head: Head, upper: bool, at: Layout) -> Part:
    name = "teeth_up" if upper else "teeth_low"
    v, u = _unit_grid(name)
    a = (u - 0.5) * np.pi * 0.92
    wide = 2.35 if upper else 2.15
    x, z = wide * np.sin(a), head.lips[2] - 0.75 - (0.0 if upper else 0.18) - 2.6 * (1 - np.cos(a))
    edge = -0.10 if upper else -0.28
    y = head.lips[1] + (edge + 1.0 * (1 - v) if upper else edge - 1.0 * v)
    points = np.stack([x, y, z + (0.12 * (1 - v) if upper else 0.0)], axis=2)
    if not upper:
        points = turn_jaw(points, head.jaw)
    tv, tu = _texels(name, at)
    gap = np.abs(np.mod(tu * 14, 1) - 0.5) * 2
    tooth = np.array([0.66, 0.62, 0.53], np.float32) * (1 - 0.55 * _step(gap, 0.80, 1.0))[:, :, None]
    gum = np.array([0.34, 0.12, 0.11], np.float32)
    root = (1 - tv) if upper else tv
    albedo = tooth + _step(root + 0.08 * gap, 0.78, 0.92)[:, :, None] * (gum - tooth)
    dim = 0.85 - 0.6 * _step(np.abs(tu - 0.5), 0.15, 0.45)
    return Part(points, albedo.astype(np.float32), 0.8, dim.astype(np.float32))


def _cavity(head: Head, at: Layout) -> Part:
    """From the upper lip's edge into the dark and back to the lower lip's edge."""
    middle = COLUMNS - 1
    first, last = middle - skin_grid().mouth_column, skin_grid().mouth_column
    wanted = np.linspace(first, last, PATCHES["cavity"][1])
    index = np.arange(COLUMNS)
    up, low = (
        np.stack([np.interp(wanted, index, head.skin[row, :, k]) for k in range(3)], axis=1)
        for row in (MOUTH_ROW, MOUTH_ROW + 1)
    )
    # the pocket closes towards the mouth's corners
    room = np.sqrt(np.clip(1 - np.linspace(-1, 1, len(up)) ** 2, 0, 1))[:, None]
    rise, back = room * np.array([0, 1.0, 0]), np.array([0, 0, -1.2])
    back_up, back_low = up + rise + back, low - rise + back
    deep = (up + low) / 2 + np.array([0, 0, -4.0])
    points = np.stack([up, back_up, deep, back_low, low])
    tv, _ = _texels("cavity", at)
    depth = 1 - np.abs(tv - 0.5) * 2
    albedo = np.array([0.20, 0.055, 0.05], np.float32) * (1 - 0.9 * _step(depth, 0.1, 0.6))[:, :, None]
    return Part(points, albedo.astype(np.float32), 0.2, (0.9 * (1 - depth) + 0.05).astype(np.float32))


def _tongue(head: Head, at: Layout) -> Part:
    v, u = _unit_grid("tongue")
    a = (u - 0.5) * np.pi
    x = 1.5 * np.sin(a)
    y = head.lips[1] - 1.35 + 0.55 * np.cos(a) * np.sin(np.pi * (0.35 + 0.5 * v)) - 0.5 * v**2
    z = head.lips[2] - 4.2 + 2.9 * v
    points = turn_jaw(np.stack([x, y, z], axis=2), head.jaw)
    tv, _ = _texels("tongue", at)
    albedo = np.broadcast_to(np.array([0.36, 0.12, 0.11], np.float32), (*tv.shape, 3)).copy()
    return Part(points, albedo, 0.5, 0.35)


def _long_hair(person: Person, neutral: NDArray[np.float64], at: Layout) -> Part:
    """A curtain from ear to ear around the nape; shrunk to a point for short hair."""
    v, u = _unit_grid("hair")
    tv, tu = _texels("hair", at)
    rng = np.random.default_rng([person.seed, 5])
    strands = np.interp(tu.ravel() * 160, np.arange(161), rng.normal(0, 1, 161)).reshape(tu.shape)
    albedo = person.hair.astype(np.float32) * np.clip(1 + 0.28 * strands, 0.3, 2)[:, :, None]
    if person.traits["long_hair"] < 0.5:
        return Part(np.broadcast_to(_NOWHERE, (*v.shape, 3)), albedo.astype(np.float32))
    volume = 0.5 + person.traits["hair_volume"]
    over = person.traits["over_ears"]
    # from one side around the back to the other; seen from outside u runs to the right
    first = 66.0 if over else 104.0
    ragged = np.interp(v[:, 0], np.linspace(0, 1, 9), rng.normal(0, 1, 9))[:, None]
    angle = np.deg2rad(first + (360 - 2 * first) * u) + np.deg2rad(2.5) * ragged * (1 - 2 * u)
    wide = np.abs(neutral[:, :, 0]).max() + (0.55 if over else -0.25) + 0.35 * volume
    back = -neutral[:, :, 2].min() + 0.5 * volume
    ends = np.interp(u[0], np.linspace(0, 1, 33), rng.normal(0, 0.45, 33))
    top = 7.5 if over else 3.0
    y = top - (15.0 + top + ends) * v
    pinch = 1 - 0.10 * np.sin(np.pi * np.clip(v * 1.15, 0, 1)) + 0.06 * v
    wave = np.interp(u[0], np.linspace(0, 1, 25), rng.normal(0, 0.22, 25)) * (0.3 + v)
    curl = 0.25 * person.traits["curl"] * np.sin(14 * v + 9 * u) * v
    out = (1 + (wave + curl) / wide) * (1 - 0.16 * (1 - smoothstep(v, 0.0, 0.22)))
    x = wide * pinch * out * np.sin(angle)
    z = -1.0 + np.where(np.cos(angle) > 0, 4.5, back - 1.0) * np.cos(angle) * pinch * out
    return Part(np.stack([x, y, z], axis=2), albedo.astype(np.float32), 0.3, (1 - 0.35 * tv).astype(np.float32))


def _shirt(neutral: NDArray[np.float64], at: Layout) -> Part:
    v, u = _unit_grid("shirt")
    angle = (u - 0.5) * 2 * np.pi
    neck = np.abs(neutral[-1, :, 0]).max()
    out = np.array([0.0, 0.10, 0.5, 1.0, 1.0])
    at_v = np.array([0.0, 0.10, 0.45, 0.75, 1.0])
    spread = np.interp(v, at_v, out)
    x = ((neck - 1.2) * (1 - spread) + 21.5 * spread) * np.sin(angle)
    front = 3.6 * (1 - spread) + 9.5 * smoothstep(spread, 0.0, 0.6)
    back = 5.2 * (1 - spread) + 10.5 * spread
    z = -1.6 + np.where(np.cos(angle) > 0, front, back) * np.cos(angle)
    drop = np.interp(v, at_v, [0.0, 0.9, 4.2, 8.0, 24.0])
    y = (
        -16.9
        - drop
        - 1.3 * np.clip(np.cos(angle), 0, 1) * (1 - spread)
        + 0.8 * np.clip(-np.cos(angle), 0, 1) * (1 - spread)
    )
    tv, _ = _texels("shirt", at)
    seam = 1 - 0.25 * np.exp(-(((tv - 0.085) / 0.012) ** 2))
    return Part(np.stack([x, y, z], axis=2), (_SHIRT * seam[:, :, None]).astype(np.float32), 0.03)
