"""Distances and angles between landmarks: the "geometric features" of conventional expression recognition.

On the 68 points of iBUG's 300-W (Sagonas et al. 2013, doi 10.1109/ICCVW.2013.59). No single article is followed.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fer_bench.methods import LANDMARKS, check_landmarks

from .grids import in_chunks
from .registry import Feature

__all__ = ["GEOMETRIC", "geometric"]

_LINES = ((0, 17), (17, 22), (22, 27), (27, 31), (31, 36))
"""First and last but one of the points of jaw, brows, nose ridge and nose base."""
_LOOPS = ((36, 42), (42, 48), (48, 60), (60, 68))
"""Of the eyes, the outer and the inner edge of the lips, which close."""


def _corners() -> NDArray[np.int64]:
    """(58, 3): each point that has a neighbour on both sides along its line, between these two."""
    lines = [list(range(first, end)) for first, end in _LINES]
    loops = [[end - 1, *range(first, end), first] for first, end in _LOOPS]
    return np.array([(a, b, c) for line in lines + loops for (a, b), (_, c) in pairwise(pairwise(line))])


_CORNERS = _corners()
_FIRST, _SECOND = np.triu_indices(LANDMARKS[0], k=1)
_LENGTH = len(_FIRST) + len(_CORNERS)


def geometric(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distances of all pairs of points, and the angles along the lines of the face: (n, 2,278 + 58).

    Distances are divided by the face's size, the root mean square distance of its points from their middle; angles
    are in radians, 0 to pi. Moving, scaling, turning and mirroring the face change nothing but rounding.

    Parameters
    ----------
    points : (n, 68, 2) float32
        In iBUG's order.

    Raises
    ------
    InputError
        No such points.
    """
    return in_chunks(check_landmarks(points), _step, _LENGTH)


def _step(points: NDArray[np.float32]) -> NDArray[np.float64]:
    face = points.astype(np.float64)
    face -= face.mean(axis=1, keepdims=True)
    size = np.sqrt(np.square(face).sum(axis=2).mean(axis=1))
    face /= np.maximum(size, np.finfo(np.float32).tiny)[:, None, None]  # points all in one place have no shape
    distances = np.linalg.norm(face[:, _FIRST] - face[:, _SECOND], axis=2)
    before, at, after = (face[:, _CORNERS[:, i]] for i in range(3))
    a, b = before - at, after - at
    cross = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return np.concatenate([distances, np.arctan2(np.abs(cross), (a * b).sum(axis=2))], axis=1)


GEOMETRIC = Feature("geometric-68-v1", geometric, length=_LENGTH, landmarks=True)
