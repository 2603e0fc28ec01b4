"""Label-free features, batched: uint8 images (n, h, w) to float32 rows, row i from image i alone.

To add one: a function here and a line in `FEATURES`. Raise the number at the end of ``key`` whenever the values
change, for stored features are found again by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pywt
from numpy.typing import NDArray

from fer_bench.errors import InputError

from .lbp import lbp_histograms

__all__ = ["FEATURES", "Feature", "dwt", "find_feature", "lbp", "pixels"]

Extract = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_CHUNK = 64  # images at a time, so that no second copy of the whole set is made


@dataclass(frozen=True)
class Feature:
    """A way of describing a face.

    Attributes
    ----------
    key : str
        Names the computation, its parameters and its version.
    extract : callable
        (n, h, w) uint8 to (n, d) float32.
    histogram : bool
        True where the values are frequencies: the classifiers then compare square roots (Hellinger's distance)
        instead of standardised values.
    """

    key: str
    extract: Extract
    histogram: bool = False


def pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return grey values scaled to [0, 1]: (n, h * w), 4,096 at 64 pixels.

    The classical point of departure (Sirovich and Kirby 1987, doi 10.1364/JOSAA.4.000519).
    """
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def dwt(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the approximation band of one Daubechies-2 wavelet step: (n, 33 * 33 = 1,089) at 64 pixels.

    The low-low band keeps the face at half the resolution with a quarter of the values, as in Shih, Chuang and
    Wang 2008 (doi 10.1142/S0218001408006284); db2 after Daubechies 1988 (doi 10.1002/cpa.3160410705). Borders
    are mirrored (PyWavelets' ``symmetric``), and values are those of grey levels in [0, 1].
    """
    parts = []
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].astype(np.float32) / np.float32(255)
        approximation, _ = pywt.dwt2(chunk, "db2", mode="symmetric", axes=(-2, -1))
        parts.append(approximation.reshape(len(chunk), -1))
    return np.concatenate(parts)


def lbp(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of uniform LBP codes on 8 x 8 cells: (n, 8 * 8 * 59 = 3,776), whatever the image's size.

    Eight neighbours at radius 1 (see `fer_bench.baselines.lbp` for the sources).
    """
    return lbp_histograms(images, (8, 8))


FEATURES: dict[str, Feature] = {
    "pixels": Feature("pixels-v1", pixels),
    "dwt": Feature("dwt-db2-l1-ll-v1", dwt),
    "lbp": Feature("lbp-p8-r1-u59-8x8-v1", lbp, histogram=True),
}


def find_feature(name: str) -> Feature:
    """Return the feature of that name.

    Raises
    ------
    InputError
        There is none; the message lists those there are.
    """
    if name not in FEATURES:
        raise InputError(f"features: expected one of {', '.join(FEATURES)}, found {name!r}")
    return FEATURES[name]
