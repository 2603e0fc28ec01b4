"""Histograms of oriented gradients, batched: as scikit-image defines them, and as OpenCV does.

Dalal and Triggs, CVPR 2005, doi 10.1109/CVPR.2005.177: nine orientations, cells of 8 x 8 pixels, blocks of 2 x 2 cells
that overlap by one, each normalised on its own (L2-Hys). The two libraries differ: scikit-image gives each pixel's
gradient to one orientation of one cell; OpenCV shares it between neighbouring ones, weighs pixels by their distance
from the block's centre and takes the root of the grey values first, as the article does.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .grids import check_size, in_chunks

__all__ = ["hog", "hog_cv", "hog_length"]

_ORIENTATIONS, _CELL, _BLOCK = 9, 8, 2
_CLIP, _EPSILON = 0.2, 1e-5  # as in both libraries, and in scikit-image
_SPAN = 511  # differences of two grey values: -255 to 255


def _gradient_tables() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Orientation and magnitude for each pair of differences: there are only 511 x 511 of them.

    Worked out with scikit-image's own expressions, so that no gradient changes its orientation by rounding.
    """
    step = np.arange(-255, 256, dtype=np.float64)
    down, right = step[:, None], step[None, :]
    angle = np.rad2deg(np.arctan2(down, right)) % 180
    edges = 180 / _ORIENTATIONS * np.arange(1, _ORIENTATIONS)
    return np.searchsorted(edges, angle.ravel(), side="right"), np.hypot(down, right).ravel()


_ORIENTATION, _MAGNITUDE = _gradient_tables()


def hog_length(h: int, w: int) -> int:
    """Return the number of values for images of this size: 7 * 7 * 4 * 9 = 1,764 at 64 pixels."""
    return (h // _CELL - 1) * (w // _CELL - 1) * _BLOCK**2 * _ORIENTATIONS


def hog(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of oriented gradients, (n, 7 * 7 * 4 * 9 = 1,764) at 64 pixels.

    Parameters
    ----------
    images : (n, h, w) uint8
        At least 16 x 16 pixels; rows and columns beyond the last whole cell are left out.

    Returns
    -------
    (n, (h // 8 - 1) * (w // 8 - 1) * 36) float32
        Equal to ``skimage.feature.hog(image, 9, (8, 8), (2, 2), "L2-Hys")`` within 1e-5.

    Raises
    ------
    InputError
        The images are smaller than one block.
    """
    check_size(images, _BLOCK * _CELL, _BLOCK * _CELL, "HOG")
    return in_chunks(images, _hog_step, hog_length(*images.shape[1:]))


def _hog_step(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    n = len(images)
    rows, columns = images.shape[1] // _CELL, images.shape[2] // _CELL
    grey = images.astype(np.int32)
    pair = np.full(images.shape, 255 * _SPAN + 255, dtype=np.int32)  # no gradient, which the outermost pixels keep
    pair[:, 1:-1] += _SPAN * (grey[:, 2:] - grey[:, :-2])
    pair[:, :, 1:-1] += grey[:, :, 2:] - grey[:, :, :-2]
    pair = pair[:, : rows * _CELL, : columns * _CELL]
    cell = (np.arange(rows * _CELL) // _CELL)[:, None] * columns + np.arange(columns * _CELL) // _CELL
    bins = (np.arange(n)[:, None, None] * (rows * columns) + cell) * _ORIENTATIONS
    bins += _ORIENTATION.take(pair)
    sums = np.bincount(bins.ravel(), _MAGNITUDE.take(pair).ravel(), minlength=n * rows * columns * _ORIENTATIONS)
    cells = sums.reshape(n, rows, columns, _ORIENTATIONS) / _CELL**2
    blocks = np.empty((n, rows - 1, columns - 1, _BLOCK, _BLOCK, _ORIENTATIONS))
    for down in range(_BLOCK):
        for right in range(_BLOCK):
            blocks[:, :, :, down, right] = cells[:, down : down + rows - 1, right : right + columns - 1]
    blocks = blocks.reshape(n, rows - 1, columns - 1, -1)
    return _unit(np.minimum(_unit(blocks), _CLIP))


def _unit(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    return blocks / np.sqrt(np.einsum("...i,...i", blocks, blocks) + _EPSILON**2)[..., None]


def hog_cv(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return OpenCV's histograms of oriented gradients, as long as those of `hog`; its own definition.

    Parameters
    ----------
    images : (n, h, w) uint8
        At least 16 x 16 pixels; rows and columns beyond the last whole cell are left out.

    Returns
    -------
    (n, (h // 8 - 1) * (w // 8 - 1) * 36) float32
        What ``cv2.HOGDescriptor`` with gamma correction computes: blocks column by column.

    Raises
    ------
    InputError
        The images are smaller than one block.
    """
    check_size(images, _BLOCK * _CELL, _BLOCK * _CELL, "HOG")
    h, w = (side // _CELL * _CELL for side in images.shape[1:])
    cell, block = (_CELL, _CELL), (_BLOCK * _CELL, _BLOCK * _CELL)
    # aperture, sigma (OpenCV's rule for -1), norm (L2-Hys is the only one), its clipping, gamma correction
    descriptor = cv2.HOGDescriptor((w, h), block, cell, cell, _ORIENTATIONS, 1, -1.0, 0, _CLIP, True)

    def step(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.stack([descriptor.compute(image) for image in np.ascontiguousarray(part[:, :h, :w])])

    return in_chunks(images, step, hog_length(h, w))
