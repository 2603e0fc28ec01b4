"""What is painted on the skin: complexion, lips, brows, lashes, hair; and the creases that action units fold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .actions import ACTION_UNITS, Expression
from .fields import slit_distance
from .grid import EYE_ROW, MOUTH_ROW, skin_grid
from .people import Person
from .surface import layout, stretch

__all__ = ["Paint", "crease_relief", "hair_height", "paint_skin"]

_F = NDArray[np.float32]


@dataclass(frozen=True)
class Canvas:
    """Canonical coordinates of the skin's texels: x, y, z in cm, azimuth in degrees, distances to the slits."""

    x: _F
    y: _F
    angle: _F
    front: _F
    eye: _F
    lip: _F


@dataclass(frozen=True)
class Paint:
    """A person's skin at texel resolution.

    Attributes
    ----------
    albedo : (h, w, 3) float32, linear light.
    gloss : (h, w) float32
    relief : (h, w) float32
        Pores and lines, in cm.
    occlusion : (h, w) float32
        Share of ambient light that reaches folds and sockets.
    """

    albedo: _F
    gloss: _F
    relief: _F
    occlusion: _F


@lru_cache(maxsize=2)
def canvas(detail: int) -> Canvas:
    """Stretch the canonical coordinates over the skin's texels."""
    grid, size = skin_grid(), layout(detail, False).size["skin"]
    x, y = grid.base[:, :, 0], grid.base[:, :, 1]
    angle = np.broadcast_to(grid.angle[None, :], x.shape)
    fields = (x, y, angle, grid.front, slit_distance(grid, EYE_ROW), slit_distance(grid, MOUTH_ROW))
    return Canvas(*(stretch(f, detail, size) for f in fields))


def step(x: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """Smooth step that keeps the precision of x."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def spot(c: Canvas, x0: float, y0: float, sx: float, sy: float) -> _F:
    """Bump at (+-x0, y0)."""
    return np.exp(-(((np.abs(c.x) - x0) / sx) ** 2) - ((c.y - y0) / sy) ** 2) * c.front


def _noise(rng: np.random.Generator, u: _F, v: _F) -> _F:
    """Smooth noise of zero mean and unit spread; one period of u or v is 128 lattice steps."""
    lattice = rng.standard_normal((128, 128), dtype=np.float32)
    at = np.mod(u, 127).astype(np.float32), np.mod(v, 127).astype(np.float32)
    result: _F = cv2.remap(lattice, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return result


def hair_height(person: Person, y: NDArray[Any], angle: NDArray[Any]) -> NDArray[Any]:
    """Height above the hairline in cm, negative on bare skin."""
    t = person.traits
    a = np.abs(angle)
    line = t["hairline"] - 2.0 * min(max(t["fringe"] - 0.5, 0.0), 0.9)
    at = [0, 14, 30, 44, 58, 68, 76, 82, 88, 96, 104, 116, 140, 180]
    recess = t["temple_line"]
    low = -9.0
    edge = [line, line + 0.25 * recess, line + recess - 0.1, line - 1.0 + 0.8 * recess, line - 2.6, 2.4, -0.5, -2.2,
            -1.4, 1.2, 1.4, -3.5, low + 0.8, low]  # fmt: skip
    # a parting lifts one side
    lift = 0.12 * t["parting"] * np.sin(np.deg2rad(angle)) * (a < 60)
    result: NDArray[Any] = y - lift - np.interp(a, at, edge).astype(np.float32)
    return result


def paint_skin(person: Person, detail: int) -> Paint:
    """Paint one person; once for all pictures of it."""
    c = canvas(detail)
    rng = np.random.default_rng([person.seed, 7])
    t = person.traits
    mottle = 0.5 * _noise(rng, c.x * 2 + 60, c.y * 2 + 60) + 0.3 * _noise(rng, c.x * 5 + 60, c.y * 5 + 60)
    pores = _noise(rng, c.x * 14 + 64, c.y * 14 + 64)
    albedo = person.skin.astype(np.float32) * (1 + 0.05 * t["blotches"] * mottle + 0.015 * pores)[:, :, None]
    red = spot(c, 4.0, -3.0, 1.9, 1.5) + 0.8 * spot(c, 0, -3.8, 1.2, 0.9) + 0.4 * spot(c, 0, -10, 1.5, 1.0)
    albedo *= 1 - (t["ruddy"] * red)[:, :, None] * np.array([0.0, 0.20, 0.20], np.float32)
    tired = spot(c, 2.8, -1.2, 1.2, 0.5) + 0.7 * spot(c, 1.7, 0.2, 0.5, 0.8) + 0.6 * spot(c, 3.2, 1.0, 1.4, 0.5)
    albedo *= 1 - 0.22 * tired[:, :, None] * np.array([0.7, 1.0, 0.9], np.float32)
    _paint_marks(albedo, c, person, rng)
    beard = step(c.lip, 2.6, 1.2) * step(c.y, -13.2, -11.8) * step(np.abs(c.x), 6.2, 4.6) * c.front
    beard *= 1 - 0.8 * spot(c, 4.2, -4.6, 1.6, 1.6) - 0.7 * spot(c, 0, -8.6, 1.2, 0.3)
    stubble = np.clip(t["stubble"] * beard * (0.75 + 0.35 * pores), 0, 1)[:, :, None]
    albedo += 0.75 * stubble * (0.55 * person.hair.astype(np.float32) + 0.25 * albedo - albedo)
    lips, gloss = _paint_lips(albedo, c, person, mottle), 0.25 + 0.35 * red
    _paint_eyes(albedo, c, person)
    _paint_brows(albedo, c, person, rng)
    hair = _paint_hair(albedo, c, person, rng)
    gloss = (t["shine"] * gloss * (1 - lips) + 0.9 * lips) * (1 - hair) + 0.15 * hair
    relief = 0.004 * pores * (1 - hair) + 0.03 * hair * _noise(rng, c.angle * 1.6 + 300, c.y * 0.7)
    return Paint(albedo.astype(np.float32), gloss.astype(np.float32), relief.astype(np.float32), _occlusion(c))


def _paint_marks(albedo: _F, c: Canvas, person: Person, rng: np.random.Generator) -> None:
    t = person.traits
    freckles = step(_noise(rng, c.x * 7 + 60, c.y * 7 + 60), 1.0, 1.6) * spot(c, 2.8, -2.6, 3.0, 1.7) * t["freckles"]
    albedo *= 1 - 0.35 * freckles[:, :, None] * np.array([0.6, 1, 1], np.float32)
    for _ in range(int(t["moles"])):
        x0, y0, r = rng.uniform(-5, 5), rng.uniform(-10, 5), rng.uniform(0.08, 0.17)
        mole = np.exp(-((((c.x - x0) ** 2 + (c.y - y0) ** 2) / r**2) ** 2)) * c.front
        albedo *= 1 - 0.6 * mole[:, :, None]


def _paint_lips(albedo: _F, c: Canvas, person: Person, mottle: _F) -> _F:
    grid = skin_grid()
    half = float(grid.base[MOUTH_ROW, grid.mouth_column, 0])
    s = np.abs(c.x) / half
    along = np.sqrt(np.clip(1 - s**2, 0, 1))
    top = 0.78 * along * (1 - 0.22 * np.exp(-((c.x / 0.3) ** 2))) * (1 - 0.35 * s)
    bottom = 0.98 * along
    edge = 0.10
    lips = np.where(c.lip >= 0, step(c.lip - top, edge, -edge), step(-c.lip - bottom, edge, -edge)) * (s < 1) * c.front
    lips = lips.astype(np.float32)
    albedo += lips[:, :, None] * (person.lips.astype(np.float32) * (1 + 0.06 * mottle)[:, :, None] - albedo)
    line = np.exp(-((c.lip / 0.10) ** 2)) * step(s, 1.12, 0.95) * c.front
    albedo *= 1 - 0.55 * line[:, :, None]
    return lips


def _paint_eyes(albedo: _F, c: Canvas, person: Person) -> None:
    """Lashes along both lids, heavier above."""
    grid = skin_grid()
    inner, outer = (float(grid.base[EYE_ROW, k, 0]) for k in grid.eye_columns)
    s = (np.abs(c.x) - (inner + outer) / 2) / ((outer - inner) / 2)
    inside = step(np.abs(s), 1.12, 0.92) * c.front
    fold = 0.34 * np.exp(-(((c.eye - 0.82 + 0.18 * s * s) / 0.10) ** 2)) * inside
    albedo *= 1 - fold[:, :, None]
    lashes = np.where(
        c.eye >= 0, np.exp(-((c.eye / 0.16) ** 2)) * (0.75 + 0.25 * s), 0.35 * np.exp(-((c.eye / 0.12) ** 2))
    )
    dark = np.clip(lashes * inside * (0.45 + 0.55 * person.traits["lashes"]), 0, 1)[:, :, None]
    albedo += dark * (np.array([0.02, 0.015, 0.012], np.float32) - albedo)


def _paint_brows(albedo: _F, c: Canvas, person: Person, rng: np.random.Generator) -> None:
    t = person.traits
    a = np.abs(c.x)
    along = (a - 1.1) / (4.0 + t["brow_length"])
    middle = 2.05 + t["brow_height"] + t["brow_arch"] * np.sin(np.pi * np.clip(along * 0.75, 0, 1)) * 1.6
    middle = middle - 0.25 * np.clip(along - 0.6, 0, 1) ** 2 * 4
    thick = t["brow_thick"] * (1 - 0.65 * np.clip(along, 0, 1.2) ** 2)
    strands = _noise(rng, a * 7 - c.y * 6 + 60, c.y * 5 + a * 2 + 60)
    across = (c.y - middle) / np.maximum(thick, 0.05) + 0.22 * strands
    brow = step(np.abs(across), 1.35, 0.55) * step(along, -0.06, 0.10) * step(along, 1.06, 0.85) * c.front
    brow = (brow * t["brow_dark"] * (0.9 + 0.18 * strands)).clip(0, 1)[:, :, None]
    albedo += brow * (0.45 * person.hair.astype(np.float32) - albedo)


def _paint_hair(albedo: _F, c: Canvas, person: Person, rng: np.random.Generator) -> _F:
    strands = _noise(rng, c.angle * 0.9 + 200, c.y * 0.45 + 40) + 0.6 * _noise(rng, c.angle * 2.4 + 500, c.y * 0.8 + 40)
    ragged = _noise(rng, c.angle * 1.1 + 200, c.y * 0.2)
    height = hair_height(person, c.y, c.angle) + 0.28 * ragged + 0.10 * strands
    hair = step(height, -0.25, 0.80).astype(np.float32)
    colour = person.hair.astype(np.float32) * np.clip(1 + 0.30 * strands, 0.25, 2.2)[:, :, None]
    albedo += hair[:, :, None] * (colour - albedo)
    return hair


def _occlusion(c: Canvas) -> _F:
    """Ambient light kept from sockets, nostrils, under the nose, the lip and the chin."""
    dark = (
        0.34 * spot(c, 1.75, 0.35, 0.7, 0.8)
        + 0.22 * spot(c, 3.1, 0.9, 1.5, 0.55)
        + 0.85 * spot(c, 0.58, -4.80, 0.30, 0.15)
        + 0.20 * spot(c, 0.0, -5.15, 1.2, 0.35)
        + 0.30 * spot(c, 1.85, -4.4, 0.35, 0.6)
        + 0.25 * spot(c, 0.0, -8.5, 1.3, 0.4)
        + 0.35 * spot(c, 2.75, -6.85, 0.35, 0.35)
        + 0.55 * step(c.y, -10.9, -12.6) * step(c.y, -19.0, -13.5) * step(np.abs(c.angle), 110, 30)
        + 0.25 * step(c.y, -11.2, -15)
    )
    result: _F = np.clip(1 - dark, 0.1, 1).astype(np.float32)
    return result


@lru_cache(maxsize=2)
def _creases(detail: int) -> tuple[NDArray[np.int64], _F]:
    """Folds: which unit makes each, and their depth maps (k, h, w), 0 to 1."""
    c = canvas(detail)
    a = np.abs(c.x)
    waves = np.clip(np.cos((c.y - 0.035 * a**2) * 5.6), 0, 1) ** 3 * spot(c, 0, 4.6, 4.4, 1.5)
    inner = np.clip(np.cos((c.y - 0.1 * a) * 5.6 + 1.0), 0, 1) ** 3 * spot(c, 0, 4.2, 1.7, 1.2)
    frown = np.exp(-(((a - 0.55 - 0.06 * (c.y - 2)) / 0.21) ** 2)) * np.exp(-(((c.y - 2.3) / 0.9) ** 2)) * c.front
    root = np.exp(-(((c.y - 0.75) / 0.14) ** 2)) * np.exp(-((a / 0.7) ** 2)) * c.front
    bunny = np.clip(np.cos((c.y + 0.8 * a) * 9), 0, 1) ** 2 * spot(c, 0.75, -0.6, 0.45, 0.8)
    run = np.clip((-3.6 - c.y) / 3.6, -0.2, 1.25)
    fold = np.exp(-(((a - 1.75 - 1.55 * np.clip(run, 0, 1.2) ** 0.9) / 0.32) ** 2))
    fold = fold * step(run, -0.1, 0.2) * step(run, 1.25, 0.85) * c.front
    feet = np.clip(np.cos(np.arctan2(c.y + 0.1, a - 4.2) * 9), 0, 1) ** 2 * spot(c, 5.9, -0.1, 0.75, 1.1)
    under = np.exp(-(((c.y + 1.05 - 0.06 * (a - 3.1) ** 2) / 0.16) ** 2)) * spot(c, 3.1, -1.0, 1.5, 0.8)
    corner = np.exp(-(((a - 3.05 - 0.12 * (-7.2 - c.y)) / 0.18) ** 2)) * np.exp(-(((c.y + 7.6) / 0.7) ** 2)) * c.front
    chin = np.exp(-(((c.y + 8.6 - 0.12 * c.x**2) / 0.24) ** 2)) * np.exp(-((c.x / 1.9) ** 2)) * c.front
    press = np.exp(-((c.lip / 0.22) ** 2)) * step(a, 2.9, 2.3) * c.front
    parts = [
        (1, 0.8 * inner), (2, 0.8 * waves), (4, 1.3 * frown), (4, 0.35 * root), (9, 0.65 * bunny), (9, 0.8 * root),
        (9, 0.5 * fold), (10, 0.8 * fold), (12, 0.9 * fold), (6, 0.7 * feet), (6, 0.7 * under), (7, 0.5 * under),
        (15, 0.7 * corner), (17, 0.9 * chin), (20, 0.45 * corner), (24, 0.8 * press),
    ]  # fmt: skip
    units = np.array([ACTION_UNITS.index(u) for u, _ in parts])
    return units, np.stack([m for _, m in parts]).astype(np.float32)


def crease_relief(person: Person, expression: Expression, detail: int) -> _F:
    """Depth of all folds of one expression, 0 to about 1, per texel; older skin folds deeper."""
    units, maps = _creases(detail)
    depth = expression.weights.mean(axis=0)[units] ** 1.2 * (0.55 + 0.8 * person.traits["age"])
    depth = depth + 0.25 * person.traits["age"] * np.isin(units, [ACTION_UNITS.index(u) for u in (2, 12, 7)])
    used = np.flatnonzero(depth > 0.01)
    result: _F = np.einsum("k,khw->hw", depth[used].astype(np.float32), maps[used])
    return result
