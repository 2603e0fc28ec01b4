"""Batches of grey images: in chunks, cell by cell, and large enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError

__all__ = ["cell_histograms", "check_size", "chunks", "in_chunks"]

_PIXELS = 65_536  # at a time: the working planes stay near the cache, and memory stays bounded


def check_size(images: NDArray[np.uint8], rows: int, columns: int, what: str) -> None:
    """Refuse what is not a batch of grey uint8 images of at least so many pixels.

    Raises
    ------
    InputError
        What ``what`` expects and what was found.
    """
    if images.ndim != 3 or images.dtype != np.uint8:
        raise InputError(f"images: {what} expects grey uint8 images (n, h, w), found {images.dtype} {images.shape}")
    h, w = images.shape[1:]
    if h < rows or w < columns:
        raise InputError(f"images: {what} expects at least {rows} x {columns} pixels, found {h} x {w}; "
                         "give larger images")  # fmt: skip


def chunks(images: NDArray[Any], pixels: int = _PIXELS) -> list[slice]:
    """Return slices of a few images each, all of them in order."""
    step = max(1, pixels // max(1, images[0].size)) if len(images) else 1
    return [slice(start, start + step) for start in range(0, len(images), step)]


def in_chunks(
    images: NDArray[Any],
    step: Callable[[NDArray[Any]], NDArray[np.floating]],
    length: int,
    pixels: int = _PIXELS,
) -> NDArray[np.float32]:
    """Return (n, length) float32: ``step`` of a few images at a time, each image's values in one row."""
    rows = np.empty((len(images), length), dtype=np.float32)
    for few in chunks(images, pixels):
        rows[few] = step(images[few]).reshape(-1, length)
    return rows


def cell_histograms(
    images: NDArray[np.uint8],
    codes: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    n_bins: int,
    grid: tuple[int, int],
    what: str,
) -> NDArray[np.float32]:
    """Return the histograms of codes over a grid of cells, each summing to one.

    Parameters
    ----------
    images : (n, h, w) uint8
        Grey images, at least as many pixels along each side as the grid has cells.
    codes : callable
        (n, h, w) uint8 to (n, h, w) uint8 below ``n_bins``, a code a pixel.
    n_bins : int
    grid : (int, int)
        Rows and columns of cells; where a side does not divide evenly, cells differ by one pixel.
    what : str
        Names the feature in errors.

    Returns
    -------
    (n, rows * columns * n_bins) float32
        Cell by cell in reading order.

    Raises
    ------
    InputError
        The images are smaller than the grid.
    """
    rows, columns = grid
    check_size(images, rows, columns, f"{what} on a grid of {rows} x {columns} cells")
    h, w = images.shape[1:]
    cell = (np.arange(h) * rows // h)[:, None] * columns + np.arange(w) * columns // w
    length = rows * columns * n_bins
    scale = 1.0 / np.repeat(np.bincount(cell.ravel(), minlength=rows * columns), n_bins)
    most = max((len(images[few]) for few in chunks(images)), default=0)
    first = np.arange(most)[:, None, None] * length + cell * n_bins  # of the bins of each pixel's cell

    every = np.empty_like(first)

    def step(part: NDArray[np.uint8]) -> NDArray[np.float64]:
        bins = np.add(first[: len(part)], codes(part), out=every[: len(part)])
        return np.bincount(bins.ravel(), minlength=len(part) * length).reshape(len(part), length) * scale

    return in_chunks(images, step, length)
