"""Features exactly as single articles describe them, as far as that is known; each docstring says what is not.

All take the square face that the harness cuts out; the articles placed faces by the eyes, which needs landmarks.
Classifiers and their parameters are this package's: C and gamma are not known to us for any of the three.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError

from .grids import cell_histograms, check_size, in_chunks
from .lbp import N_BINS as LBP_BINS
from .lbp import lbp_codes
from .ldp import N_BINS as LDP_BINS
from .ldp import ldp_codes
from .registry import Feature
from .wavelets import dwt_bands

__all__ = ["DWT_SHIH", "LBP_SHAN", "LDP_JABID", "dwt_shih", "lbp_shan", "ldp_jabid"]

_SIDE, _WIDTH = 150, 110
_WINDOW, _GRID = (21, 18), (7, 6)  # rows, columns
_CHUNK = 1 << 20  # pixels at a time


def lbp_shan(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return LBP(8, 2) u2 histograms of 42 windows, 18 across and 21 down, on a face of 110 x 150: (n, 2,478).

    Shan, Gong and McOwan 2009, doi 10.1016/j.imavis.2008.08.005. The face is the middle of a square of 150 pixels; what
    the windows leave over of it, two columns and three rows, is left on both sides. Codes at its edge see the square's
    pixels beyond. The values are scaled one by one, not compared by square roots as this package's other ones are.

    Raises
    ------
    InputError
        The images are no squares of 150 pixels.
    """
    return _windows(images, lambda face: lbp_codes(face, radius=2), LBP_BINS, "LBP as in Shan 2009")


def ldp_jabid(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of local directional patterns, k = 3, of 42 windows: (n, 42 * 56 = 2,352).

    Jabid, Kabir and Chae 2010, doi 10.4218/etrij.10.1510.0132. Masks, k, bins and number of windows are the article's;
    face and windows are taken to be those of `lbp_shan`. Their selections of components (PCA, AdaBoost) are left out.

    Raises
    ------
    InputError
        The images are no squares of 150 pixels.
    """
    return _windows(images, ldp_codes, LDP_BINS, "LDP as in Jabid 2010")


def dwt_shih(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the low-low band of two Daubechies-2 wavelet steps: (n, 66 * 66 = 4,356) at 256 pixels.

    For the two-dimensional discriminant analysis that Shih, Chuang and Wang 2008 (doi 10.1142/S0218001408006284) learn
    on wavelet bands of 256 x 256 pictures before a linear support vector machine. Wavelet, steps and the number of
    directions (12 along each side) are not known to us, nor whether the article projects from one side or from both,
    as `discriminant2d` does: they are this package's choice.
    """
    return dwt_bands(images, "db2", level=2)


def _windows(
    images: NDArray[np.uint8], codes: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], n_bins: int, what: str
) -> NDArray[np.float32]:
    """Histograms of a code over the windows; codes near a window's edge see the pixels beyond it."""
    check_size(images, _SIDE, _SIDE, what)
    if images.shape[1:] != (_SIDE, _SIDE):
        raise InputError(f"images: {what} expects squares of {_SIDE} pixels, found {images.shape[1:]}")
    left = (_SIDE - _WIDTH) // 2
    inner = [(n - cells * side) // 2 for n, cells, side in zip((_SIDE, _WIDTH), _GRID, _WINDOW, strict=True)]
    rows, columns = (slice(at, at + cells * side) for at, cells, side in zip(inner, _GRID, _WINDOW, strict=True))

    def step(few: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = codes(few)[:, :, left : left + _WIDTH]
        return cell_histograms(np.ascontiguousarray(found[:, rows, columns]), lambda c: c, n_bins, _GRID, what)

    return in_chunks(images, step, _GRID[0] * _GRID[1] * n_bins, _CHUNK)


LBP_SHAN = Feature("lbp-shan-p8-r2-u59-110x150-v2", lbp_shan, size=_SIDE, length=2478)
LDP_JABID = Feature("ldp-jabid-k3-56-110x150-v2", ldp_jabid, size=_SIDE, length=2352)
DWT_SHIH = Feature("dwt-db2-l2-ll-v1", dwt_shih, size=256, length=4356, discriminant=True)
