"""Local binary patterns, uniform, batched over images: on a circle, as scikit-image does it, and on the 3 x 3 square.

Sources: Ojala, Pietikäinen and Harwood, Pattern Recognition 29(1), 1996, doi 10.1016/0031-3203(95)00067-4 (the
square); Ojala, Pietikäinen and Mäenpää, TPAMI 24(7), 2002, doi 10.1109/TPAMI.2002.1017623 (the circle, uniform
patterns); Ahonen, Hadid and Pietikäinen, TPAMI 28(12), 2006, doi 10.1109/TPAMI.2006.244 (59 bins, histograms on a
grid); Shan, Gong and McOwan, Image Vis. Comput. 27(6), 2009, doi 10.1016/j.imavis.2008.08.005 (expressions).

Where samples lie outside an image they count as black, as in scikit-image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError

from .grids import cell_histograms, check_size, chunks
from .planes import AROUND, Plane

__all__ = ["N_BINS", "lbp_codes", "lbp_histograms", "square_lbp_codes", "square_lbp_histograms"]

N_BINS = 59
"""58 uniform patterns of eight neighbours, and one bin for all others."""

_PIXELS = 32_768  # at a time: half as many as elsewhere, since planes are of single precision
_UNSURE = np.float32(1e-3)
"""Grey levels. Single precision errs by less than 2e-4 here; what is nearer to a tie is decided in double precision."""


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


def _square_codes(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes of a few images; neighbours outside an image count as black."""
    plane = Plane(images, 1)
    centre = plane.at(plane.grey)
    on = np.empty(centre.size, dtype=bool)
    for bit, (down, right) in enumerate(AROUND):
        plane.set_bit(bit, np.greater_equal(plane.at(plane.grey, down, right), centre, out=on))
    return plane.looked_up(_TABLE)


def _circular_codes(images: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Codes of a few images; samples outside an image count as black.

    The four neighbours along the axes are pixels. The four between them are interpolated in single precision, and
    again in double precision where that does not decide: ties are common in faces, which are smooth, and which way
    they fall is a matter of the last digit.
    """
    plane = Plane(images, radius)
    offset = round(radius * np.sin(np.pi / 4), 5)  # scikit-image rounds its sampling points to five digits
    whole = int(offset)
    # Everything is divided by the weight of the nearer sample, along both axes: fewer passes.
    near, far = 1 - (offset - whole), np.float32((offset - whole) / (1 - (offset - whole)))
    grey = plane.grey.astype(np.float32)
    farther = grey * far
    low = plane.at(grey) * np.float32(near**-2)
    high = low + np.float32(_UNSURE / near**2)
    low -= np.float32(_UNSURE / near**2)
    across = {}
    for right in (-1, 1):
        row = np.zeros_like(grey)
        steps = (radius + right * whole, radius + right * (whole + 1))
        first, second = (slice(step, grey.size - 2 * radius + step) for step in steps)
        np.add(grey[first], farther[second], out=row[radius : grey.size - radius])
        across[right] = row, row * far
    value, on, maybe = np.empty_like(low), np.empty(low.size, dtype=bool), np.empty(low.size, dtype=bool)
    for bit, (down, right) in enumerate(AROUND):
        if not down or not right:
            np.greater_equal(plane.at(plane.grey, radius * down, radius * right), plane.at(plane.grey), out=on)
            plane.set_bit(bit, on)
            continue
        nearer_row, farther_row = across[right]
        np.add(plane.at(nearer_row, down * whole), plane.at(farther_row, down * (whole + 1)), out=value)
        np.greater_equal(value, high, out=on)
        np.greater_equal(value, low, out=maybe)
        unsure = np.flatnonzero(np.not_equal(on, maybe, out=maybe))
        on[unsure] = _exactly(plane, plane.first + unsure, (radius, offset), down, right)
        plane.set_bit(bit, on)
    return plane.looked_up(_TABLE)


def _weights(n: int, margin: int, offset: float) -> tuple[int, NDArray[np.float64]]:
    """Steps to the first of two samples along one axis, and the weight of the second for each position.

    The weights come from absolute coordinates on purpose: their rounding differs from place to place, and it decides
    ties in flat regions.
    """
    position = np.arange(-margin, n - margin, dtype=np.float64) + offset
    return int(np.floor(offset)), position - np.floor(position)


def _exactly(
    plane: Plane, where: NDArray[np.int64], circle: tuple[int, float], down: int, right: int
) -> NDArray[np.bool_]:
    """Whether the interpolated neighbour is at least the centre at these positions of the row, as scikit-image says."""
    (margin, offset), (_, rows, columns) = circle, plane.shape
    row, column = np.divmod(where % (rows * columns), columns)
    first_row, row_weights = _weights(rows, margin, down * offset)
    first_column, column_weights = _weights(columns, margin, right * offset)
    below, beside = row_weights[row], column_weights[column]
    corner = where + (first_row * columns + first_column)
    grey = plane.grey
    # positions in the margin may look beyond the ends of the row; they are thrown away later
    upper = (1 - beside) * grey.take(corner, mode="clip") + beside * grey.take(corner + 1, mode="clip")
    corner += columns
    lower = (1 - beside) * grey.take(corner, mode="clip") + beside * grey.take(corner + 1, mode="clip")
    return (1 - below) * upper + below * lower >= grey[where]


def _check_radius(radius: int) -> None:
    if radius not in (1, 2):
        raise InputError(f"radius: LBP expects 1 or 2 pixels, found {radius!r}")


def lbp_codes(images: NDArray[np.uint8], radius: int = 1) -> NDArray[np.uint8]:
    """Return the uniform LBP code (8 neighbours on a circle, bilinear samples) of every pixel.

    Parameters
    ----------
    images : (n, h, w) uint8
        Grey images.
    radius : int
        1 or 2 pixels.

    Returns
    -------
    (n, h, w) uint8
        Codes 0..58, equal to ``skimage.feature.local_binary_pattern(image, 8, radius, "nri_uniform")``.

    Raises
    ------
    InputError
        Another radius, or no grey images.
    """
    _check_radius(radius)
    check_size(images, 1, 1, "LBP")
    codes = np.empty(images.shape, dtype=np.uint8)
    for few in chunks(images, _PIXELS):
        codes[few] = _circular_codes(images[few], radius)
    return codes


def square_lbp_codes(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the uniform LBP code of every pixel (n, h, w), its neighbours being the eight pixels around it.

    A bit is set where the neighbour is at least the centre; neighbours outside count as black. Order of bits and
    bins as in `lbp_codes`.
    """
    check_size(images, 1, 1, "LBP")
    codes = np.empty(images.shape, dtype=np.uint8)
    for few in chunks(images):
        codes[few] = _square_codes(images[few])
    return codes


def lbp_histograms(images: NDArray[np.uint8], grid: tuple[int, int] = (8, 8), radius: int = 1) -> NDArray[np.float32]:
    """Return the histograms of `lbp_codes` over a grid of cells, (n, rows * columns * 59), each summing to one.

    Parameters
    ----------
    images : (n, h, w) uint8
        Grey images, at least as many pixels along each side as the grid has cells.
    grid : (int, int)
        Rows and columns of cells; where a side does not divide evenly, cells differ by one pixel.
    radius : int
        1 or 2 pixels.

    Raises
    ------
    InputError
        The images are smaller than the grid.
    """
    _check_radius(radius)
    return cell_histograms(images, lambda part: lbp_codes(part, radius), N_BINS, grid, "LBP")


def square_lbp_histograms(images: NDArray[np.uint8], grid: tuple[int, int] = (8, 8)) -> NDArray[np.float32]:
    """Return the histograms of `square_lbp_codes` over a grid of cells, as `lbp_histograms` does."""
    return cell_histograms(images, _square_codes, N_BINS, grid, "LBP")
