"""Label-free features, batched: uint8 images (n, h, w) to float32 rows, row i from image i alone.

To add one: a function here or in a module of its own, and a line in `FEATURES`. Raise the number at the end of ``key``
whenever the values change, for stored features are found again by it. ``"a+b"`` joins any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError

from .gabor import gabor
from .grids import check_size, in_chunks
from .hog import hog, hog_cv
from .lbp import lbp_histograms, square_lbp_histograms
from .ldp import ldp_histograms
from .wavelets import dwt_bands

__all__ = ["FEATURES", "Feature", "Part", "dwt", "find_feature", "lbp", "pixels"]

Extract = Callable[[NDArray[Any]], NDArray[np.float32]]


@dataclass(frozen=True)
class Part:
    """One of the features that a row is joined from.

    Attributes
    ----------
    name : str
        A name in `FEATURES`.
    length : int
        How many values it has in the row.
    histogram : bool
        As in `Feature`: how these values want to be compared.
    """

    name: str
    length: int
    histogram: bool


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
        instead of standardised values. False for joined features, whatever their parts are.
    size : int
        Side in pixels of the images it is meant for.
    length : int
        d at that size.
    parts : tuple of Part
        What a joined row consists of, from left to right, for scaling part by part; empty for a single feature.
    discriminant : bool
        True where a two-dimensional discriminant analysis of these values, learnt inside the fold, comes before the
        classifier.
    landmarks : bool
        True where ``extract`` takes landmarks (n, 68, 2) float32 in place of images.
    """

    key: str
    extract: Extract
    histogram: bool = False
    size: int = 64
    length: int = 0
    parts: tuple[Part, ...] = field(default=())
    discriminant: bool = False
    landmarks: bool = False


def pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return grey values scaled to [0, 1]: (n, h * w), 4,096 at 64 pixels.

    The classical point of departure (Sirovich and Kirby 1987, doi 10.1364/JOSAA.4.000519).
    """
    check_size(images, 1, 1, "pixels")
    _, h, w = images.shape
    return np.divide(images.reshape(-1, h * w), np.float32(255), dtype=np.float32)


def dwt(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the approximation band of one Daubechies-2 wavelet step: (n, 33 * 33 = 1,089) at 64 pixels.

    The low-low band keeps the face at half the resolution with a quarter of the values, as in Shih, Chuang and
    Wang 2008 (doi 10.1142/S0218001408006284); see `fer_bench.baselines.features.wavelets`.
    """
    return dwt_bands(images, "db2")


def dwt_haar(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the approximation band of one Haar wavelet step: (n, 32 * 32 = 1,024) at 64 pixels."""
    return dwt_bands(images, "haar")


def dwt_l2(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return three bands of two Daubechies-2 wavelet steps: (n, 3 * 18 * 18 = 972) at 64 pixels.

    Low-low, low-high and high-low: the diagonal details are mostly noise.
    """
    return dwt_bands(images, "db2", level=2, bands=("ll", "lh", "hl"))


def lbp(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of uniform LBP codes on 8 x 8 cells: (n, 8 * 8 * 59 = 3,776), whatever the image's size.

    Eight neighbours at radius 1 (see `fer_bench.baselines.features.lbp` for the sources).
    """
    return lbp_histograms(images, (8, 8))


def lbp_r2(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of uniform LBP codes at radius 2 on 8 x 8 cells: (n, 8 * 8 * 59 = 3,776)."""
    return lbp_histograms(images, (8, 8), radius=2)


def lbp_6x7(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of uniform LBP codes at radius 2 on cells 6 across and 7 down: (n, 42 * 59 = 2,478).

    The windows of Shan, Gong and McOwan 2009 (doi 10.1016/j.imavis.2008.08.005), 18 x 21 pixels on faces of
    110 x 150; here they divide a square face.
    """
    return lbp_histograms(images, (7, 6), radius=2)


def lbp_sq(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of uniform LBP codes of the 3 x 3 square on 8 x 8 cells: (n, 8 * 8 * 59 = 3,776).

    Nothing is interpolated, as in the operator's first form (Ojala et al. 1996, doi 10.1016/0031-3203(95)00067-4).
    """
    return square_lbp_histograms(images, (8, 8))


def ldp(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return histograms of local directional patterns on cells 6 across and 7 down: (n, 42 * 56 = 2,352).

    Three of eight directions (see `fer_bench.baselines.features.ldp`), whatever the image's size.
    """
    return ldp_histograms(images, (7, 6))


FEATURES: dict[str, Feature] = {
    "pixels": Feature("pixels-v1", pixels, length=4096),
    "dwt": Feature("dwt-db2-l1-ll-v1", dwt, length=1089),
    "dwt_haar": Feature("dwt-haar-l1-ll-v1", dwt_haar, length=1024),
    "dwt_l2": Feature("dwt-db2-l2-ll-lh-hl-v1", dwt_l2, length=972),
    "lbp": Feature("lbp-p8-r1-u59-8x8-v1", lbp, histogram=True, size=128, length=3776),
    "lbp_r2": Feature("lbp-p8-r2-u59-8x8-v1", lbp_r2, histogram=True, size=128, length=3776),
    "lbp_6x7": Feature("lbp-p8-r2-u59-6x7-v1", lbp_6x7, histogram=True, size=128, length=2478),
    "lbp_sq": Feature("lbp-square-u59-8x8-v1", lbp_sq, histogram=True, size=128, length=3776),
    "ldp": Feature("ldp-kirsch-k3-56-6x7-v1", ldp, histogram=True, size=128, length=2352),
    "hog": Feature("hog-o9-c8-b2-l2hys-v1", hog, length=1764),
    "hog_cv": Feature("hog-cv-o9-c8-b2-l2hys-gamma-v1", hog_cv, length=1764),
    "gabor": Feature("gabor-5x8-step8-v1", gabor, length=2560),
}
"""Features by name; `find_feature` also joins several."""


def find_feature(name: str) -> Feature:
    """Return the feature of that name, or the one that joins several: ``"hog+lbp"``.

    Joined features take images of the largest size that a part is meant for. A part that is meant for smaller ones gets
    them shrunk to exactly that size by averaging over areas. That is not bit for bit what it gets alone, for then the
    smaller image is made straight from the photograph.

    Raises
    ------
    InputError
        There is none, or a part stands there twice; the message lists those there are.
    """
    names = name.split("+")
    unknown = [part for part in names if part not in FEATURES]
    if unknown or len(set(names)) < len(names):
        told = f"found {name!r}" if unknown else f"each once, found {name!r}"
        raise InputError(f"features: expected one of {', '.join(FEATURES)}, or several joined by +, {told}")
    return FEATURES[name] if len(names) == 1 else _joined(tuple(names))


@lru_cache
def _joined(names: tuple[str, ...]) -> Feature:
    """Several features side by side."""
    several = [FEATURES[name] for name in names]
    size = max(feature.size for feature in several)
    parts = tuple(Part(n, f.length, f.histogram) for n, f in zip(names, several, strict=True))

    length = sum(part.length for part in parts)

    def step(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        shrunk = {side: _shrunk(images, side) for side in {feature.size for feature in several}}
        return np.concatenate([feature.extract(shrunk[feature.size]) for feature in several], axis=1)

    def extract(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        check_size(images, size, size, "+".join(names))
        return in_chunks(images, step, length, pixels=1 << 20)

    keys = "+".join(feature.key for feature in several)
    return Feature(f"{keys}-area-v1", extract, size=size, length=length, parts=parts)


def _shrunk(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if images.shape[1:] == (side, side):
        return images
    return np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images])
