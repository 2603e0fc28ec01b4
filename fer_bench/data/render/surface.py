"""Patches (regular grids) laid side by side in one texture atlas: where each vertex's texel lies, and the triangles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .grid import COLUMNS, EYE_ROW, MOUTH_ROW, ROWS, skin_grid

__all__ = ["PATCHES", "Layout", "grid_normals", "layout", "skin_normals", "stretch"]

PATCHES: dict[str, tuple[int, int, int]] = {
    "skin": (ROWS, COLUMNS, 1),
    "eye0": (9, 33, 2),
    "eye1": (9, 33, 2),
    "ear0": (9, 29, 1),
    "ear1": (9, 29, 1),
    "teeth_up": (5, 33, 2),
    "teeth_low": (5, 33, 2),
    "cavity": (5, 37, 1),
    "tongue": (7, 13, 1),
    "hair": (21, 49, 1),
    "shirt": (15, 61, 1),
}
"""Rows, columns and texels a cell (times the layout's ``detail``) of each patch; odd, so that half of them do."""


@dataclass(frozen=True)
class Layout:
    """The atlas at one level of detail.

    Attributes
    ----------
    detail : int
        Texels a skin cell's side.
    shape : tuple of int
        Height and width of the atlas in texels.
    origin : dict of str to (row, column)
        Top left texel of each patch; vertex (i, j) lies at origin + (i, j) * scale.
    size : dict of str to (rows, columns)
        Texels of each patch.
    texture : (n, 2) float64
        Column and row in the atlas of every vertex, patches one after another.
    triangles : (t, 3) int32
    vertices : dict of str to (rows, columns)
        Which of a patch's rows and columns are vertices at this detail.
    """

    detail: int
    shape: tuple[int, int]
    origin: dict[str, tuple[int, int]]
    size: dict[str, tuple[int, int]]
    texture: NDArray[np.float64]
    triangles: NDArray[np.int32]
    vertices: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]

    def view(self, atlas: NDArray[np.float32], patch: str) -> NDArray[np.float32]:
        """The part of an atlas ([k,] height, width) that belongs to a patch."""
        (r, c), (h, w) = self.origin[patch], self.size[patch]
        return atlas[..., r : r + h, c : c + w]


@lru_cache(maxsize=4)
def layout(detail: int, coarse: bool) -> Layout:
    """Lay out the atlas; ``coarse`` keeps every second row and column of vertices."""
    origin, size = {}, {}
    skin = PATCHES["skin"]
    column = (skin[1] - 1) * detail + 1
    row, width = 0, column
    textures, triangles, vertices = [], [], {}
    first = 0
    for name, (n_rows, n_columns, scale) in PATCHES.items():
        scale *= detail
        size[name] = ((n_rows - 1) * scale + 1, (n_columns - 1) * scale + 1)
        if name == "skin":
            origin[name] = (0, 0)
        else:
            origin[name] = (row, column)
            row += size[name][0]
            width = max(width, column + size[name][1])
        rows, columns = _kept(name, n_rows, n_columns, coarse)
        vertices[name] = (rows, columns)
        v, u = np.meshgrid(origin[name][0] + rows * scale, origin[name][1] + columns * scale, indexing="ij")
        textures.append(np.stack([u, v], axis=2).reshape(-1, 2).astype(float))
        triangles.append(first + _patch_triangles(name, rows, columns))
        first += len(rows) * len(columns)
    shape = (max(size["skin"][0], row), width)
    return Layout(detail, shape, origin, size, np.concatenate(textures), np.concatenate(triangles), vertices)


def _kept(name: str, n_rows: int, n_columns: int, coarse: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # five rows make the mouth's walls and the teeth: fewer would close it
    step = 2 if coarse and n_rows > 5 else 1
    columns = np.arange(0, n_columns, step)
    if name != "skin":
        return np.arange(0, n_rows, step), columns
    # both edges of a slit stay
    cuts = [(0, EYE_ROW), (EYE_ROW + 1, MOUTH_ROW), (MOUTH_ROW + 1, n_rows - 1)]
    return np.concatenate([np.arange(a, b + 1, step) for a, b in cuts]), columns


def _patch_triangles(name: str, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int32]:
    n = len(columns)
    index = np.arange(len(rows) * n, dtype=np.int32).reshape(len(rows), n)
    quads = np.ones((len(rows) - 1, n - 1), dtype=bool)
    if name == "skin":
        grid = skin_grid()
        inner, outer = grid.eye_columns
        middle = COLUMNS - 1
        for slit, a, b in (
            (EYE_ROW, inner, outer),
            (EYE_ROW, middle - outer, middle - inner),
            (MOUTH_ROW, middle - grid.mouth_column, grid.mouth_column),
        ):
            quads[np.searchsorted(rows, slit), np.searchsorted(columns, a) : np.searchsorted(columns, b)] = False
    p, q, r, s = index[:-1, :-1][quads], index[:-1, 1:][quads], index[1:, :-1][quads], index[1:, 1:][quads]
    outside = np.concatenate([np.column_stack([p, q, r]), np.column_stack([q, s, r])])
    # hair that hangs and the mouth's walls show both sides
    both = name in ("hair", "cavity", "teeth_up", "teeth_low")
    return np.concatenate([outside, outside[:, ::-1]]) if both else outside


def stretch(values: NDArray[np.floating], scale: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Interpolate values at vertices (r, c[, k]) to texels; vertex (i, j) lands on texel (i, j) * scale."""
    matrix = np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]])
    result: NDArray[np.float32] = cv2.warpAffine(
        np.ascontiguousarray(values, dtype=np.float32),
        matrix,
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return result


def grid_normals(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals of a grid whose rows run down and columns to the right as seen from outside."""
    down = np.gradient(points, axis=0)
    right = np.gradient(points, axis=1)
    normal = np.cross(down, right)
    result: NDArray[np.float64] = normal / np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-9)
    return result


def skin_normals(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normals of the skin: each strip between slits on its own, joined where the slits are closed for good."""
    cuts = [0, EYE_ROW + 1, MOUTH_ROW + 1, ROWS]
    normal = np.concatenate([grid_normals(points[a:b]) for a, b in pairwise(cuts)])
    grid = skin_grid()
    middle = COLUMNS - 1
    inner, outer = grid.eye_columns
    j = np.arange(COLUMNS)
    closed_eye = ~(((j > inner) & (j < outer)) | ((j > middle - outer) & (j < middle - inner)))
    closed_mouth = ~((j > middle - grid.mouth_column) & (j < grid.mouth_column))
    for row, closed in ((EYE_ROW, closed_eye), (MOUTH_ROW, closed_mouth)):
        joint = normal[row, closed] + normal[row + 1, closed]
        normal[row, closed] = normal[row + 1, closed] = joint / np.linalg.norm(joint, axis=1, keepdims=True)
    seam = normal[:, 0] + normal[:, -1]
    normal[:, 0] = normal[:, -1] = seam / np.maximum(np.linalg.norm(seam, axis=1, keepdims=True), 1e-9)
    return normal
