"""From a name to a picture and its truth."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.context import BaseContext

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError
from fer_bench.labels import EMOTIONS, SESSIONS, VIEWS

from .actions import ACTION_UNITS, Expression, sample_expression
from .grid import skin_grid, smoothstep
from .head import Head, neutral_skin, pose_head
from .landmarks import landmark_points
from .names import PortraitName, parse_name
from .paint import Paint, crease_relief, hair_height, paint_skin
from .parts import build_parts
from .people import SHAPES, Person, sample_person
from .raster import Raster, rasterize
from .scene import VIEW_YAW, Shot, project, rotation, sample_shot
from .shade import backdrop, develop, shade_atlas
from .surface import PATCHES, Layout, grid_normals, layout, skin_normals, stretch

__all__ = ["Truth", "render_many", "render_portrait", "render_truth"]

DEFAULT_SIZE = (562, 762)
_F = NDArray[np.float32]


@dataclass(frozen=True)
class Truth:
    """What a picture was made from.

    Attributes
    ----------
    name : str
    action_units : dict of int to (float, float)
        FACS unit to weight on the picture's left and right half of the face (0 absent, about 1 full).
    intensity : float
        0 to 1; 0 for neutral.
    yaw, pitch, roll : float
        Degrees; negative yaw looks to the picture's left, positive pitch up, positive roll clockwise.
    landmarks : (68, 2) float64
        x, y in pixels, in the order of iBUG's 300-W; those that the head hides are given all the same.
    person : dict of str to float
        Shape coefficients and traits.
    """

    name: str
    action_units: dict[int, tuple[float, float]]
    intensity: float
    yaw: float
    pitch: float
    roll: float
    landmarks: NDArray[np.float64]
    person: dict[str, float]


@dataclass(frozen=True)
class _Model:
    """A person's skin, kept for all pictures of it."""

    person: Person
    neutral: NDArray[np.float64]


@dataclass(frozen=True)
class _Face:
    """A person with an expression, kept for all views of it: vertices and the unlit atlas."""

    head: Head
    vertices: NDArray[np.float64]
    albedo: NDArray[np.float32]
    normal: NDArray[np.float32]
    gloss: NDArray[np.float32]
    occlusion: NDArray[np.float32]


def render_portrait(name: str, *, size: tuple[int, int] = DEFAULT_SIZE, seed: int = 0) -> NDArray[np.uint8]:
    """Render one portrait; the same arguments give the same pixels in every process.

    Parameters
    ----------
    name : str
        KDEF's name without extension, such as ``"AF01ANHL"``.
    size : tuple of int
        Width and height in pixels, 16 to 4096.
    seed : int
        Of the whole set: another seed, other people. Not negative.

    Returns
    -------
    (height, width, 3) uint8
        RGB.

    Raises
    ------
    InputError
        A name outside the grammar, or an impossible size or seed.
    """
    _check(size, seed)
    part = parse_name(name)
    detail, coarse, zoom = _quality(size)
    face = _face(part.session, part.sex, part.number, part.emotion, seed, detail, coarse)
    shot = _shot(part, seed)
    at = layout(detail, coarse)
    first, last = at.origin["eye0"][0], at.origin["eye1"][0] + at.size["eye1"][0]
    eyes = slice(first * at.shape[1], last * at.shape[1])
    atlas = shade_atlas(face.albedo, face.normal, face.gloss, face.occlusion, shot.light, rotation(shot), eyes)
    points, depth = project(face.vertices, shot, size, zoom)
    seen = rasterize(points, depth, at.texture, at.triangles, _samples(size, zoom))
    return develop(_compose(atlas, seen, shot, size, zoom), shot, size)


def _compose(
    atlas: NDArray[np.float32], seen: Raster, shot: Shot, size: tuple[int, int], zoom: float
) -> NDArray[np.float32]:
    """Head before backdrop, averaged over zoom x zoom samples a pixel: (h, w, 3) linear light."""
    head = np.zeros((*_samples(size, zoom), 3), np.float32)
    head.reshape(-1, 3)[seen.pixels] = _sample(atlas, seen.u, seen.v)
    cover = np.zeros(head.shape[:2], np.uint8)
    cover.reshape(-1)[seen.pixels] = 255
    head, cover = (cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (head, cover))
    bare = 1 - cover.astype(np.float32)[:, :, None] / np.float32(255)
    result: NDArray[np.float32] = head + bare * backdrop(shot, size)
    return result


def render_truth(name: str, *, size: tuple[int, int] = DEFAULT_SIZE, seed: int = 0) -> Truth:
    """Tell what `render_portrait` with the same arguments shows; arguments and errors as there."""
    _check(size, seed)
    part = parse_name(name)
    model = _model(part.sex, part.number, seed)
    expression = _expression(part.session, part.sex, part.number, part.emotion, seed)
    head = pose_head(model.person, model.neutral, expression)
    shot = _shot(part, seed)
    landmarks, _ = project(landmark_points(head.skin), shot, size)
    left, right = expression.weights
    units = {u: (float(left[i]), float(right[i])) for i, u in enumerate(ACTION_UNITS)}
    person = dict(zip(SHAPES, map(float, model.person.shape), strict=True)) | model.person.traits
    return Truth(name, units, expression.intensity, shot.yaw, shot.pitch, shot.roll, landmarks, person)


def render_many(
    names: Sequence[str],
    *,
    size: tuple[int, int] = DEFAULT_SIZE,
    seed: int = 0,
    workers: int = 1,
    context: BaseContext | None = None,
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Render portraits in the order of their names.

    Parameters
    ----------
    names : sequence of str
        Fastest where the views of one expression, and the pictures of one person, follow each other.
    size, seed
        As in `render_portrait`.
    workers : int
        Above 1, that many processes are started; the pixels don't depend on it.
    context : multiprocessing context, optional
        How they are started. Default: spawned.

    Yields
    ------
    (name, (height, width, 3) uint8)

    Raises
    ------
    InputError
        As `render_portrait`, before anything is rendered; or fewer than one worker.
    """
    names = list(names)
    _check(size, seed)
    for name in names:
        parse_name(name)
    if workers < 1:
        raise InputError(f"workers: expected 1 or more, found {workers}")
    context = context or multiprocessing.get_context("spawn")
    return _render_all(names, size, seed, min(workers, max(1, len(names) // 5)), context)


def _render_all(
    names: list[str], size: tuple[int, int], seed: int, workers: int, context: BaseContext
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    if workers == 1:
        for name in names:
            yield name, render_portrait(name, size=size, seed=seed)
        return
    # a person's expressions make one piece of work: the head is built once for its five views
    chunks = [names[i : i + 35] for i in range(0, len(names), 35)]
    tasks = [(chunk, size, seed) for chunk in chunks]
    workers = min(workers, len(chunks))
    pool = ProcessPoolExecutor(workers, context, _quiet_worker)
    try:
        # a little ahead of whoever takes the pictures, never the whole set in memory
        ahead = deque(pool.submit(_render_chunk, t) for t in tasks[: workers + 1])
        for i, chunk in enumerate(chunks):
            pictures = ahead.popleft().result()
            if i + workers + 1 < len(tasks):
                ahead.append(pool.submit(_render_chunk, tasks[i + workers + 1]))
            yield from zip(chunk, pictures, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _quiet_worker() -> None:
    cv2.setNumThreads(1)


def _render_chunk(task: tuple[list[str], tuple[int, int], int]) -> list[NDArray[np.uint8]]:
    names, size, seed = task
    return [render_portrait(name, size=size, seed=seed) for name in names]


def _samples(size: tuple[int, int], zoom: float) -> tuple[int, int]:
    """Rows and columns of the picture before averaging."""
    return round(size[1] * zoom), round(size[0] * zoom)


def _sample(atlas: NDArray[np.float32], u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (m, 3) at m places of the atlas; folded into rows, because OpenCV's maps may not be longer."""
    width = 8192
    padded = -(-len(u) // width) * width
    maps = [np.pad(m, (0, padded - len(m))).reshape(-1, width) for m in (u, v)]
    result: NDArray[np.float32] = cv2.remap(atlas, maps[0], maps[1], cv2.INTER_LINEAR).reshape(-1, 3)[: len(u)]
    return result


def _check(size: tuple[int, int], seed: int) -> None:
    if len(size) != 2 or not all(isinstance(s, (int, np.integer)) and 16 <= s <= 4096 for s in size):
        raise InputError(f"size: expected (width, height) of 16 to 4096 pixels each, found {size!r}")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed: expected an integer of 0 or more, found {seed!r}")


def _quality(size: tuple[int, int]) -> tuple[int, bool, float]:
    """Texels a cell, whether half the vertices do, samples a pixel's side."""
    if size[1] <= 200:
        return 1, True, 1.5
    if size[1] <= 300:
        return 2, True, 2
    return (3, False, 2) if size[1] <= 450 else (4, False, 1.25)


def _shot(part: PortraitName, seed: int) -> Shot:
    who = ("FM".index(part.sex), part.number)
    view = VIEWS.index(part.view)
    session = SESSIONS.index(part.session)
    return sample_shot(seed, who, session, EMOTIONS.index(part.emotion), view, VIEW_YAW[part.view])


@lru_cache(maxsize=4)
def _model(sex: str, number: int, seed: int) -> _Model:
    person = sample_person(seed, sex, number)
    return _Model(person, neutral_skin(person))


@lru_cache(maxsize=2)
def _paint(sex: str, number: int, seed: int, detail: int) -> Paint:
    paint = paint_skin(_model(sex, number, seed).person, max(detail, 2))
    if detail > 1:
        return paint
    return Paint(*(_halve(m) for m in (paint.albedo, paint.gloss, paint.relief, paint.occlusion)))


def _halve(texels: _F) -> _F:
    """Keep every second texel of a low-passed map: lashes and brows are finer than one texel a cell."""
    return np.ascontiguousarray(cv2.GaussianBlur(texels, (3, 3), 0.7)[::2, ::2])


def _expression(session: str, sex: str, number: int, emotion: str, seed: int) -> Expression:
    who = ["FM".index(sex), number, EMOTIONS.index(emotion)]
    rng = np.random.default_rng([seed, 307, *who, SESSIONS.index(session)])
    return sample_expression(rng, emotion, np.random.default_rng([seed, 311, *who]))


@lru_cache(maxsize=2)
def _face(session: str, sex: str, number: int, emotion: str, seed: int, detail: int, coarse: bool) -> _Face:
    model = _model(sex, number, seed)
    paint = _paint(sex, number, seed, detail)
    expression = _expression(session, sex, number, emotion, seed)
    head = pose_head(model.person, model.neutral, expression)
    at = layout(detail, coarse)
    skin = _raise_hair(model.person, head.skin)
    folds = crease_relief(model.person, expression, max(detail, 2))
    folds = _halve(folds) if detail == 1 else folds
    atlas = {k: np.zeros((3, *at.shape), np.float32) for k in ("albedo", "normal")}
    atlas |= {k: np.zeros(at.shape, np.float32) for k in ("gloss", "occlusion")}

    def put(name: str, albedo: _F, gloss: _F | float, occlusion: _F | float, normal: _F) -> None:
        at.view(atlas["albedo"], name)[:] = albedo.transpose(2, 0, 1)
        at.view(atlas["gloss"], name)[:] = gloss
        at.view(atlas["occlusion"], name)[:] = occlusion
        at.view(atlas["normal"], name)[:] = normal.transpose(2, 0, 1)

    bent = _bump(stretch(skin_normals(skin), detail, at.size["skin"]), paint.relief - 0.10 * folds, detail)
    put(
        "skin",
        paint.albedo * (1 - 0.22 * folds)[:, :, None],
        paint.gloss,
        paint.occlusion * (1 - 0.25 * np.clip(folds, 0, 1)),
        bent,
    )
    vertices = [_thin(skin, at, "skin")]
    for name, part in build_parts(model.person, model.neutral, head, expression, at).items():
        normal = stretch(grid_normals(part.points), PATCHES[name][2] * detail, at.size[name])
        put(name, part.albedo, part.gloss, part.occlusion, normal)
        vertices.append(_thin(part.points, at, name))
    return _Face(head, np.concatenate(vertices), **atlas)


def _thin(points: NDArray[np.float64], at: Layout, name: str) -> NDArray[np.float64]:
    rows, columns = at.vertices[name]
    return points[np.ix_(rows, columns)].reshape(-1, 3)


def _raise_hair(person: Person, skin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let the hair stand off the scalp."""
    grid = skin_grid()
    y = grid.base[:, :, 1]
    height = hair_height(person, y, np.broadcast_to(grid.angle[None, :], y.shape))
    t = person.traits
    # a fringe stands off the forehead at once, hair combed back rises slowly
    rise = smoothstep(height, -0.1, 4.2 - 2.6 * min(t["fringe"], 1.4))
    locks = np.random.default_rng([person.seed, 9]).standard_normal((24, 40))
    wavy = cv2.resize(locks, (y.shape[1], y.shape[0]), interpolation=cv2.INTER_CUBIC)
    wavy[:, -1] = wavy[:, 0]
    thick = t["hair_volume"] * (0.35 + 0.65 * smoothstep(y, 0.0, 8.0)) * (1 + 0.3 * t["curl"] * wavy) * rise
    outward = skin - np.array([0, 2.0, -1.5])
    outward /= np.maximum(np.linalg.norm(outward, axis=2, keepdims=True), 1e-6)
    result: NDArray[np.float64] = skin + thick[:, :, None] * outward
    return result


def _bump(normal: NDArray[np.float32], relief: NDArray[np.float32], detail: int) -> NDArray[np.float32]:
    """Tilt normals by the slope of a relief in cm; x and y stand in for the grid's own directions."""
    down, right = np.gradient(relief)
    scale = np.float32(detail / 0.2)
    # on the face a column's step goes along z x n-ish: x to the right turned with the surface
    bent = normal.copy()
    tangent = np.sqrt(np.maximum(1 - normal[:, :, 0] ** 2, 1e-4))
    bent[:, :, 0] -= right * scale * tangent
    bent[:, :, 2] += right * scale * normal[:, :, 0]
    bent[:, :, 1] += down * scale
    length = np.sqrt((bent * bent).sum(axis=2, keepdims=True))
    result: NDArray[np.float32] = bent / np.maximum(length, 1e-6)
    return result
