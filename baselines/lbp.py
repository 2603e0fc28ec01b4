"""Local binary patterns: circular, uniform, batched over images, with the codes that scikit-image gives.

Sources: Ojala, Pietikäinen and Mäenpää, TPAMI 24(7), 2002, doi 10.1109/TPAMI.2002.1017623 (the operator);
Ahonen, Hadid and Pietikäinen, TPAMI 28(12), 2006, doi 10.1109/TPAMI.2006.244 (59 bins, histograms on a grid);
Shan, Gong and McOwan, Image Vis. Comput. 27(6), 2009, doi 10.1016/j.imavis.2008.08.005 (facial expressions).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError

__all__ = ["N_BINS", "lbp_codes", "lbp_histograms"]

N_BINS = 59
"""58 uniform patterns of eight neighbours, and one bin for all others."""

_CHUNK = 16  # images at a time: the float64 planes of a chunk stay near the cache
_DIAGONAL = 0.70711  # sin 45° to five digits, as scikit-image rounds its sampling points


def _uniform_table() -> NDArray[np.uint8]:
    """Map the 256 patterns to bins: 0 no bit set, 57 all set, 58 more than two changes around the circle."""
    table = np.full(256, N_BINS - 1, dtype=np.uint8)
    table[0], table[255] = 0, 57
    for ones in range(1, 8):
        for start in range(8):
            pattern = sum(1 << (start + bit) % 8 for bit in range(ones))
            table[pattern] = 1 + 8 * (ones - 1) + -start % 8
    return table


_TABLE = _uniform_table()


def _weights(n: int, offset: float) -> NDArray[np.float64]:
    """Weight of the farther sample along one axis for each position.

    Recomputed from absolute coordinates on purpose: the rounding differs from place to place, and it decides
    ties in flat regions.
    """
    position = np.arange(n, dtype=np.float64) + offset
    return position - np.floor(position)


def _chunk_codes(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes of a few images; samples outside an image count as black."""
    n, h, w = images.shape
    padded = np.zeros((n, h + 2, w + 2))
    padded[:, 1:-1, 1:-1] = images
    centre = padded[:, 1:-1, 1:-1]
    across = {}
    for side, offset in ((0, -_DIAGONAL), (1, _DIAGONAL)):
        weight = _weights(w, offset)
        across[side] = (1 - weight) * padded[:, :, side : side + w] + weight * padded[:, :, side + 1 : side + 1 + w]

    def diagonal(up: bool, right: int) -> NDArray[np.float64]:
        weight = _weights(h, -_DIAGONAL if up else _DIAGONAL)[:, None]
        first = 0 if up else 1
        rows = across[right]
        return (1 - weight) * rows[:, first : first + h] + weight * rows[:, first + 1 : first + 1 + h]

    # counter-clockwise from the right neighbour
    neighbours = (
        lambda: padded[:, 1:-1, 2:],
        lambda: diagonal(True, 1),
        lambda: padded[:, :-2, 1:-1],
        lambda: diagonal(True, 0),
        lambda: padded[:, 1:-1, :-2],
        lambda: diagonal(False, 0),
        lambda: padded[:, 2:, 1:-1],
        lambda: diagonal(False, 1),
    )
    patterns = np.zeros((n, h, w), dtype=np.uint8)
    for bit, neighbour in enumerate(neighbours):
        patterns |= (neighbour() >= centre).view(np.uint8) << np.uint8(bit)
    return _TABLE[patterns]


def lbp_codes(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the uniform LBP code (8 neighbours at radius 1, bilinear samples) of every pixel.

    Parameters
    ----------
    images : (n, h, w) uint8
        Grey images.

    Returns
    -------
    (n, h, w) uint8
        Codes 0..58, equal to ``skimage.feature.local_binary_pattern(image, 8, 1, "nri_uniform")``.
    """
    codes = np.empty(images.shape, dtype=np.uint8)
    for start in range(0, len(images), _CHUNK):
        codes[start : start + _CHUNK] = _chunk_codes(images[start : start + _CHUNK])
    return codes


def lbp_histograms(images: NDArray[np.uint8], grid: tuple[int, int] = (8, 8)) -> NDArray[np.float32]:
    """Return the histograms of LBP codes over a grid of cells, each summing to one.

    Parameters
    ----------
    images : (n, h, w) uint8
        Grey images, at least as many pixels along each side as the grid has cells.
    grid : (int, int)
        Rows and columns of cells; where a side does not divide evenly, cells differ by one pixel.

    Returns
    -------
    (n, rows * columns * 59) float32
        Cell by cell in reading order.

    Raises
    ------
    InputError
        The images are smaller than the grid.
    """
    n, h, w = images.shape
    rows, columns = grid
    if h < rows or w < columns:
        raise InputError(f"images: LBP on a grid of {rows} x {columns} cells expects at least that many pixels, "
                         f"found {h} x {w}; give larger images")  # fmt: skip
    row, column = np.arange(h) * rows // h, np.arange(w) * columns // w
    cell = (row[:, None] * columns + column).astype(np.int64)
    size = rows * columns * N_BINS
    scale = 1.0 / np.repeat(np.bincount(cell.ravel(), minlength=rows * columns), N_BINS)
    histograms = np.empty((n, size), dtype=np.float32)
    for start in range(0, n, _CHUNK):
        codes = _chunk_codes(images[start : start + _CHUNK])
        image = np.arange(len(codes))[:, None, None]
        bins = (image * (rows * columns) + cell) * N_BINS + codes
        counts = np.bincount(bins.ravel(), minlength=len(codes) * size)
        histograms[start : start + _CHUNK] = counts.reshape(len(codes), size) * scale
    return histograms
