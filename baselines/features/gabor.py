"""Magnitudes of Gabor wavelets, batched over images.

Lades et al., IEEE Trans. Comput. 42(3), 1993, doi 10.1109/12.210173 (the family); Liu and Wechsler, TIP 11(4), 2002,
doi 10.1109/TIP.2002.999679 (five scales, eight orientations, down-sampled by 8 along each side).

A wavelet is a plane wave under a round Gaussian, hence the product of a function of the row and one of the column; and
only every eighth value is kept. Filtering is therefore two small matrix products an image, exactly and without any
value being worked out that is not kept.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .grids import check_size, in_chunks

__all__ = ["STEP", "gabor", "gabor_waves"]

STEP = 8
"""Pixels between kept values, along each side."""

_SCALES, _ORIENTATIONS = 5, 8
_HIGHEST = np.pi / 2  # radians a pixel, at the finest scale; each next one is lower by the root of two
_SIGMA = 2 * np.pi  # waves under the Gaussian: its standard deviation is sigma / frequency, 4 to 16 pixels
_REACH = 4  # standard deviations


def gabor_waves() -> list[tuple[float, float, float, int]]:
    """Return (frequency down, frequency right, standard deviation, reach) of the 40 wavelets, scale by scale.

    Frequencies are in radians a pixel, the others in pixels. The wavelet is
    ``(k / sigma)**2 * exp(-(y*y + x*x) / (2 * sd**2)) * exp(1j * (down * y + right * x))`` for y and x from -reach to
    reach. The constant ``exp(-sigma**2 / 2)`` that the sources subtract is 3e-9 here, below single precision, and left
    out.
    """
    waves = []
    for scale in range(_SCALES):
        frequency = _HIGHEST / 2 ** (scale / 2)
        deviation = _SIGMA / frequency
        for orientation in range(_ORIENTATIONS):
            angle = np.pi * orientation / _ORIENTATIONS
            down, right = frequency * np.sin(angle), frequency * np.cos(angle)
            waves.append((down, right, deviation, int(np.ceil(_REACH * deviation))))
    return waves


def _along(side: int, frequency: float, deviation: float, reach: int) -> NDArray[np.complex128]:
    """Convolution along an axis as a matrix (side // 8, side): mirrored borders, every eighth value from the fourth."""
    t = np.arange(-reach, reach + 1)
    kernel = np.exp(-(t**2) / (2 * deviation**2) + 1j * frequency * t) / deviation
    places = np.arange(side // STEP) * STEP + STEP // 2
    source = (places[:, None] - t) % (2 * side)
    source = np.minimum(source, 2 * side - 1 - source)  # the mirror repeats the outermost pixel, as often as needed
    matrix = np.zeros((len(places), side), dtype=np.complex128)
    np.add.at(matrix, (np.arange(len(places))[:, None], source), kernel)
    return matrix


@lru_cache(maxsize=4)
def _matrices(h: int, w: int) -> tuple[NDArray[np.float32], NDArray[np.complex64]]:
    """Right factors side by side, (w, 40 * (w // 8) * real and imaginary), and left ones, (40, h // 8, h)."""
    waves = gabor_waves()
    right = np.stack([_along(w, across, deviation, reach) for _, across, deviation, reach in waves])
    left = np.stack([_along(h, down, deviation, reach) for down, _, deviation, reach in waves])
    columns = np.ascontiguousarray(right.reshape(-1, w).T.astype(np.complex64))
    return columns.view(np.float32), left.astype(np.complex64)


def gabor(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return magnitudes of 5 x 8 Gabor wavelets at every eighth pixel: (n, 8 * 8 * 40 = 2,560) at 64 pixels.

    Parameters
    ----------
    images : (n, h, w) uint8
        At least 8 x 8 pixels. Borders are mirrored, grey levels taken as 0 to 1.

    Returns
    -------
    (n, 40 * (h // 8) * (w // 8)) float32
        Wavelet by wavelet in the order of `gabor_waves`, each in reading order from pixel (4, 4).

    Raises
    ------
    InputError
        The images are smaller than 8 x 8.
    """
    check_size(images, STEP, STEP, "Gabor")
    h, w = images.shape[1:]
    across, down = _matrices(h, w)

    def step(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        grey = part.astype(np.float32) / np.float32(255)
        rows = (grey @ across).view(np.complex64)  # one product an image, whatever the others are
        rows = rows.reshape(len(part), h, len(down), w // STEP).swapaxes(1, 2)
        return np.abs(down @ rows)

    return in_chunks(images, step, len(down) * (h // STEP) * (w // STEP))
