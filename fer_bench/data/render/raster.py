"""A z-buffer rasteriser in numpy: triangles to scanline spans to fragments, no loop over triangles.

The mesh's grids carry their texture coordinates, so the only thing that a pixel needs is where in the atlas
its nearest surface lies. Single-threaded: the result is the same in every process.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Raster", "rasterize"]


@dataclass(frozen=True)
class Raster:
    """What each covered pixel sees.

    Attributes
    ----------
    pixels : (m,) int64
        Flat indices of covered pixels, ascending.
    u, v : (m,) float32
        Texture coordinates of the nearest surface, in texels.
    depth : (m,) float32
        Distance from the camera, in cm.
    """

    pixels: NDArray[np.int64]
    u: NDArray[np.float32]
    v: NDArray[np.float32]
    depth: NDArray[np.float32]


def rasterize(
    points: NDArray[np.float64],
    depth: NDArray[np.float64],
    texture: NDArray[np.float64],
    triangles: NDArray[np.int32],
    shape: tuple[int, int],
) -> Raster:
    """Find the nearest surface at the centre of every pixel.

    Parameters
    ----------
    points : (n, 2) float64
        Vertices in pixels, x to the right and y downwards.
    depth : (n,) float64
        Positive distances from the camera.
    texture : (n, 2) float64
        Texture coordinates (u, v) of the vertices.
    triangles : (t, 3) int32
        Vertex indices; those that run clockwise in the picture face the camera, the others are culled.
    shape : tuple of int
        Height and width in pixels.

    Notes
    -----
    Edges are intersected with pixel rows (half-open spans), depth and texture coordinates are affine in the
    picture: with triangles of a few millimetres at two metres the error of ignoring perspective is below 0.1 texel.
    """
    height, width = shape
    corner = points[triangles]
    x, y = corner[:, :, 0], corner[:, :, 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    # a row belongs to a triangle whose centre line lies in [top, bottom)
    top = np.maximum(np.ceil(y.min(axis=1) - 0.5), 0)
    rows = np.minimum(np.ceil(y.max(axis=1) - 0.5), height) - top
    keep = np.flatnonzero((area > 1e-9) & (rows > 0))
    rows = rows[keep].astype(np.int64)
    x, y = x[keep], y[keep]
    # corners from top to bottom: neighbours then walk their common edge from the same end, and no pixel falls between
    order = np.argsort(y, axis=1, kind="stable")
    x, y = np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)
    sorted_triangles = np.take_along_axis(triangles[keep], order, 1)
    planes = _planes(sorted_triangles, x, y, (depth, texture[:, 0], texture[:, 1]))

    owner = np.repeat(np.arange(len(keep)), rows)
    line = top[keep].astype(np.float32)[owner] + _ramp(rows).astype(np.float32)
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    left, count = _spans(x32, y32, owner, line + np.float32(0.5), width)
    full = np.flatnonzero(count > 0)
    owner, line, left, count = owner[full], line[full], left[full], count[full]
    dx = left + np.float32(0.5) - x32[:, 0][owner]
    dy = line + np.float32(0.5) - y32[:, 0][owner]
    step = [a[owner] for a, _, _ in planes]
    start = [c[owner] + s * dx + b[owner] * dy for (_, b, c), s in zip(planes, step, strict=True)]
    first = line.astype(np.int64) * width + left.astype(np.int64)
    return _resolve(start, step, first, count, height * width)


def _planes(
    triangles: NDArray[np.int32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    values: tuple[NDArray[np.float64], ...],
) -> list[tuple[NDArray[np.float32], ...]]:
    """Fit value = c + a (x - x0) + b (y - y0) over each triangle: (a, b, c) of each value."""
    x1, y1 = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0]
    x2, y2 = x[:, 2] - x[:, 0], y[:, 2] - y[:, 0]
    area = x1 * y2 - x2 * y1
    first, second, third = np.ascontiguousarray(triangles.T)
    planes = []
    for value in values:
        c = value[first]
        d1, d2 = value[second] - c, value[third] - c
        plane = (d1 * y2 - d2 * y1) / area, (d2 * x1 - d1 * x2) / area, c
        planes.append(tuple(p.astype(np.float32) for p in plane))
    return planes


def _spans(
    x: NDArray[np.float32], y: NDArray[np.float32], owner: NDArray[np.int64], line: NDArray[np.float32], width: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """First pixel and number of pixels of each triangle (corners sorted by y) on each of its rows."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # flat sides, or as good as flat
        slope = [(x[:, j] - x[:, i]) / (y[:, j] - y[:, i]) for i, j in ((0, 2), (0, 1), (1, 2))]
    # of the two short sides, upper ones first: entry t + n is the lower side of triangle t
    x01, y01 = np.concatenate([x[:, 0], x[:, 1]]), np.concatenate([y[:, 0], y[:, 1]])
    short_slope = np.concatenate([slope[1], slope[2]])
    long_side = x01[owner] + (line - y01[owner]) * slope[0][owner]
    short = owner + len(x) * (line >= y[:, 1][owner])
    with np.errstate(invalid="ignore"):
        short_side = x01[short] + (line - y01[short]) * short_slope[short]
    left = np.maximum(np.ceil(np.minimum(long_side, short_side) - np.float32(0.5)), 0)
    end = np.minimum(np.ceil(np.maximum(long_side, short_side) - np.float32(0.5)), width)
    # a flat side on a row's centre is 0 times an infinite slope: fmax makes such a span empty
    return left, np.fmax(end - left, 0).astype(np.int64)


def _resolve(
    start: list[NDArray[np.float32]],
    step: list[NDArray[np.float32]],
    first: NDArray[np.int64],
    count: NDArray[np.int64],
    n_pixels: int,
) -> Raster:
    """Expand spans (depth, u, v at their first pixel and per pixel) and keep the nearest fragment of each pixel."""
    offset = _ramp(count)
    z = offset.astype(np.float32)
    z *= np.repeat(step[0], count)
    z += np.repeat(start[0], count)
    # a positive float's bits sort as the number does: depth in the high half, span in the low half
    key = z.view(np.int32).astype(np.int64)
    key <<= 32
    key |= np.repeat(np.arange(len(count)), count)
    offset += np.repeat(first, count)
    nearest = np.full(n_pixels, np.iinfo(np.int64).max)
    np.minimum.at(nearest, offset, key)
    pixels = np.flatnonzero(nearest != np.iinfo(np.int64).max)
    winner = nearest[pixels]
    span = winner & 0xFFFFFFFF
    along = (pixels - first[span]).astype(np.float32)
    u, v = (start[i][span] + along * step[i][span] for i in (1, 2))
    return Raster(pixels, u, v, (winner >> 32).astype(np.int32).view(np.float32))


def _ramp(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, ..., c - 1 for each count c, end to end."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
