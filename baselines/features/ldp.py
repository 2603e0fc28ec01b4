"""Local directional patterns, batched over images.

Jabid, Kabir and Chae, ETRI Journal 32(5), 2010, doi 10.4218/etrij.10.1510.0132; the eight edge masks of Kirsch, Comput.
Biomed. Res. 4(3), 1971, doi 10.1016/0010-4809(71)90034-6.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .grids import cell_histograms, check_size, chunks
from .planes import AROUND, Plane

__all__ = ["N_BINS", "ldp_codes", "ldp_histograms"]

N_BINS = 56
"""Ways to choose three directions of eight."""


def _table() -> NDArray[np.uint8]:
    """Map patterns of three bits to bins, in the order of the patterns as numbers; no others occur."""
    table = np.zeros(256, dtype=np.uint8)
    patterns = sorted(sum(1 << bit for bit in chosen) for chosen in combinations(range(8), 3))
    table[patterns] = np.arange(N_BINS)
    return table


_TABLE = _table()


def _strengths(plane: Plane) -> list[NDArray[np.uint16]]:
    """Absolute responses of the eight masks, made unlike each other: the lower direction of equals is the stronger.

    A mask weighs three neighbours by 5 and the other five by -3: eight times the three less three times all.
    """
    grey = plane.grey.astype(np.int16)
    neighbours = [plane.at(grey, down, right) for down, right in AROUND]
    pairs = [neighbours[i] + neighbours[(i + 1) % 8] for i in range(8)]
    everything = (pairs[0] + pairs[2] + pairs[4] + pairs[6]) * np.int16(3)
    strengths = []
    for i in range(8):
        response = pairs[i - 1] + neighbours[(i + 1) % 8]
        response *= np.int16(8)
        response -= everything
        strength = np.abs(response, out=response).view(np.uint16)  # at most 6,120: three bits are free
        strength <<= np.uint16(3)
        strength |= np.uint16(7 - i)
        strengths.append(strength)
    return strengths


def _top_three(four: list[NDArray[np.uint16]]) -> list[NDArray[np.uint16]]:
    """The three largest of four, in falling order, place by place."""
    a, b = np.maximum(four[0], four[1]), np.minimum(four[0], four[1])
    c, d = np.maximum(four[2], four[3]), np.minimum(four[2], four[3])
    first, rest = np.maximum(a, c), np.minimum(a, c)
    other = np.maximum(b, d)
    return [first, np.maximum(rest, other), np.minimum(rest, other)]


def _chunk_codes(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    plane = Plane(images, 1, mode="edge")
    strengths = _strengths(plane)
    one, other = _top_three(strengths[:4]), _top_three(strengths[4:])
    # the third of all is in third place on one side, or the weaker of a first and a second
    third = np.maximum(one[2], other[2])
    np.maximum(third, np.minimum(one[0], other[1]), out=third)
    np.maximum(third, np.minimum(one[1], other[0]), out=third)
    for bit, strength in enumerate(strengths):
        plane.set_bit(bit, strength >= third)
    return plane.looked_up(_TABLE)


def ldp_codes(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the local directional pattern of every pixel: which three of eight edge responses are strongest.

    Parameters
    ----------
    images : (n, h, w) uint8
        Grey images.

    Returns
    -------
    (n, h, w) uint8
        Codes 0..55. Directions count counter-clockwise from the right; of equal responses the lower direction counts
        as stronger, so that exactly three are chosen in flat regions too. The outermost pixels see themselves beyond
        the border.

    Raises
    ------
    InputError
        No grey images.
    """
    check_size(images, 1, 1, "LDP")
    codes = np.empty(images.shape, dtype=np.uint8)
    for few in chunks(images, 32_768):  # planes of two bytes a pixel, two dozen of them
        codes[few] = _chunk_codes(images[few])
    return codes


def ldp_histograms(images: NDArray[np.uint8], grid: tuple[int, int] = (7, 6)) -> NDArray[np.float32]:
    """Return the histograms of `ldp_codes` over a grid of cells, (n, rows * columns * 56), each summing to one.

    Parameters
    ----------
    images : (n, h, w) uint8
        Grey images, at least as many pixels along each side as the grid has cells.
    grid : (int, int)
        Rows and columns of cells; where a side does not divide evenly, cells differ by one pixel.

    Raises
    ------
    InputError
        The images are smaller than the grid.
    """
    return cell_histograms(images, ldp_codes, N_BINS, grid, "LDP")
